import type { AgentError, Progress } from "@switchyard/core/Agent"
import { progress } from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Protocol from "../RemoteProtocol.js"
import { failure } from "./attempt.js"

/** How long this host waits for what; all in milliseconds but the bytes. */
export interface Patience {
  /** How often the other side says that it is alive. */
  readonly heartbeat: number
  /** How long a worker may take to answer `initialize` and `ping`. */
  readonly start: number
  /** How long work that was cancelled may take to stop. */
  readonly cancel: number
  /** How long a broken connection is sought again, and how long a worker goes on meanwhile. */
  readonly reconnect: number
  /** How long a message may be. */
  readonly maxMessageBytes: number
}

/** A worker that can be given work, as much at a time as there is. */
export interface WorkerConnection {
  /** What the worker said of itself. */
  readonly initialized: Effect.Effect<Protocol.InitializeResult, AgentError>
  /** Gives work; an interruption cancels it, and waits until it has stopped or the patience is at its end. */
  readonly run: (
    params: Protocol.RunParams,
    report: (progress: Progress) => void
  ) => Effect.Effect<Protocol.RunResult, AgentError>
  /** Whether the worker answers. */
  readonly ping: Effect.Effect<void, AgentError>
}

/** How many heartbeats in a row may be missing. */
export const missedHeartbeats = 3

/** What this host says first. */
export const hello = ({ heartbeat }: Patience): Protocol.InitializeParams => ({
  protocolVersion: Protocol.version,
  client: { name: "switchyard", version: "1" },
  heartbeatMillis: heartbeat
})

/** What a worker answered to `initialize`, where both speak the same version. */
export const welcome = (value: unknown): Effect.Effect<Protocol.InitializeResult, AgentError> =>
  Effect.filterOrFail(
    Protocol.decodeResult(Protocol.InitializeResult, "initialize")(value),
    ({ protocolVersion }) => protocolVersion === Protocol.version,
    ({ protocolVersion, worker }) =>
      failure(
        "Failed",
        `The worker "${worker.name}" speaks version ${protocolVersion} of the protocol, and this host version ${Protocol.version}; ` +
          "use a worker that speaks the same"
      )
  )

const decodeProgress = Schema.decodeUnknownOption(Protocol.ProgressParams)

/** What a `progress` notification says, and of which work; `undefined` where it is none. */
export const readProgress = (
  params: unknown
): { readonly key: string; readonly progress: Progress } | undefined => {
  const read = Option.getOrUndefined(decodeProgress(params))
  if (read === undefined) return undefined
  const { message, progress: far, remainingMillis, usage } = read
  return {
    key: read.idempotencyKey,
    progress: progress({
      ...(far === undefined || Number.isNaN(far) ? {} : { progress: Math.min(1, Math.max(0, far)) }),
      ...(message === undefined ? {} : { message: message.slice(0, 2000) }),
      ...(usage === undefined ? {} : { usage: Protocol.toUsage(usage) }),
      ...(remainingMillis === undefined ? {} : { remainingMillis: Math.round(remainingMillis) })
    })
  }
}

/** Fails what takes longer than it may. */
export const within =
  (millis: number, otherwise: () => AgentError) =>
  <A>(effect: Effect.Effect<A, AgentError>): Effect.Effect<A, AgentError> =>
    Effect.flatMap(
      Effect.timeoutOption(effect, millis),
      Option.match({ onNone: () => Effect.fail(otherwise()), onSome: Effect.succeed })
    )
