import type { AgentError, Progress } from "@switchyard/core/Agent"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Protocol from "../RemoteProtocol.js"
import { failure, whenInterrupted } from "./attempt.js"
import { Broken, type Endpoint, exchange } from "./httpExchange.js"
import {
  hello,
  missedHeartbeats,
  type Patience,
  readProgress,
  type WorkerConnection,
  welcome
} from "./workerConnection.js"

const firstPauseMillis = 100
const longestPauseMillis = 5000

/** Work that is under way at a worker, as this host knows it. */
interface Underway {
  accepted: boolean
  lastHeard: number
  tries: number
}

/**
 * A worker behind a URL. Each piece of work is a request whose answer is streamed. Where that breaks, it is asked for again
 * by its key until the patience is at its end: with `run` as long as the worker has not taken it, and with `attach` from then
 * on, so that nothing is done twice.
 */
export const connect = (endpoint: Endpoint, patience: Patience): WorkerConnection => {
  const { url } = endpoint
  let known: Protocol.InitializeResult | undefined
  const silenceMillis = patience.heartbeat * missedHeartbeats

  const unavailable = ({ reason }: Broken): AgentError =>
    failure("Unavailable", `The worker at ${url} cannot be reached: ${reason}`)

  const ask = (method: string, params: object, millis: number): Effect.Effect<unknown, AgentError> =>
    Effect.mapError(exchange(endpoint, { method, params, silenceMillis: millis }), (error) =>
      error instanceof Broken ? unavailable(error) : error
    )

  const initialized = Effect.suspend(() =>
    known === undefined
      ? ask("initialize", hello(patience), patience.start).pipe(
          Effect.flatMap(welcome),
          Effect.tap((result) =>
            Effect.sync(() => {
              known = result
            })
          )
        )
      : Effect.succeed(known)
  )

  const once = (
    params: Protocol.RunParams,
    underway: Underway,
    clock: Clock.Clock,
    report: (progress: Progress) => void
  ) => {
    const { detachMillis, heartbeatMillis, idempotencyKey } = params
    const heard = Effect.map(clock.currentTimeMillis, (now) => {
      underway.lastHeard = now
    })
    return exchange(endpoint, {
      method: underway.accepted ? "attach" : "run",
      params: underway.accepted ? { idempotencyKey, heartbeatMillis, detachMillis } : params,
      silenceMillis,
      onAccepted: () => {
        if (!underway.accepted) Effect.runSync(heard)
        underway.accepted = true
      },
      onNotification: (method, said) => {
        underway.tries = 0
        Effect.runSync(heard)
        const read = method === "progress" ? readProgress(said) : undefined
        if (read?.key === idempotencyKey) report(read.progress)
      }
    })
  }

  const lost = (underway: Underway, { reason }: Broken): AgentError =>
    failure(
      underway.accepted ? "Crashed" : "Unavailable",
      `The connection to the worker at ${url} broke (${reason}), and it was not reached again within ${patience.reconnect} ms`
    )

  const seek = (
    params: Protocol.RunParams,
    underway: Underway,
    clock: Clock.Clock,
    report: (progress: Progress) => void
  ): Effect.Effect<unknown, AgentError> =>
    Effect.catchTag(once(params, underway, clock, report), "Broken", (error) =>
      Effect.gen(function* () {
        known = undefined
        if (!error.reached && !underway.accepted) return yield* unavailable(error)
        const now = yield* clock.currentTimeMillis
        if (now - underway.lastHeard >= patience.reconnect) return yield* lost(underway, error)
        const pause = Math.min(longestPauseMillis, firstPauseMillis * 2 ** underway.tries++)
        yield* Effect.sleep(Math.min(pause, Math.max(1, underway.lastHeard + patience.reconnect - now)))
        return yield* seek(params, underway, clock, report)
      })
    )

  const cancel = (idempotencyKey: string): Effect.Effect<void> =>
    ask("cancel", { idempotencyKey }, patience.cancel).pipe(
      Effect.catchTag("AgentError", (error) =>
        Effect.logWarning(
          `Work that was cancelled may go on for ${patience.reconnect} ms, because the worker did not confirm it: ${error.reason}`
        )
      ),
      Effect.asVoid
    )

  return {
    initialized,
    ping: Effect.asVoid(ask("ping", {}, patience.start)),
    run: (params, report) =>
      Effect.clockWith((clock) =>
        Effect.flatMap(clock.currentTimeMillis, (now) =>
          seek(params, { accepted: false, lastHeard: now, tries: 0 }, clock, report)
        )
      ).pipe(
        whenInterrupted(cancel(params.idempotencyKey)),
        Effect.flatMap(Protocol.decodeResult(Protocol.RunResult, "run"))
      )
  }
}
