import { AgentError, AgentErrorKind } from "@switchyard/core/Agent"
import * as Capability from "@switchyard/core/Capability"
import type { Json } from "@switchyard/core/Json"
import { Permission } from "@switchyard/core/Permission"
import * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** The version of the protocol that this host speaks; a worker answers `initialize` with the same one, or refuses. */
export const version = 1

/** The codes of errors beside those of JSON-RPC: a failure of the work, a key that the worker knows nothing of, work that was cancelled, and a version that it does not speak. */
export const codes = {
  failed: -32000,
  unknownRun: -32001,
  cancelled: -32002,
  unsupportedVersion: -32003
} as const

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** What a message that was parsed as JSON may carry anywhere; it cannot be anything else. */
const AnyJson = Schema.Unknown.pipe(
  Schema.filter((value) => value !== undefined, { message: () => "is missing" })
) as unknown as Schema.Schema<Json>

const Millis = Schema.Number.pipe(Schema.nonNegative(), Schema.finite())

/** Who speaks: the host to the worker, and the worker to the host. */
export const Peer = Schema.Struct({ name: Schema.String, version: Schema.String })
export type Peer = typeof Peer.Type

/** A capability as a worker writes it: everything but the skill is optional. */
export const Offer = Schema.Struct({
  skill: Schema.NonEmptyString,
  inputTypes: optional(Schema.Array(Schema.NonEmptyString)),
  outputTypes: optional(Schema.Array(Schema.NonEmptyString)),
  constraints: optional(Schema.Record({ key: Schema.NonEmptyString, value: Capability.ConstraintValue })),
  priority: optional(Schema.Int)
})
export type Offer = typeof Offer.Type

/** An agent that a worker has. */
export const OfferedAgent = Schema.Struct({
  name: Schema.NonEmptyString,
  description: optional(Schema.String),
  version: optional(Schema.String),
  capabilities: Schema.Array(Offer)
})
export type OfferedAgent = typeof OfferedAgent.Type

/** What the host says first; `heartbeatMillis` is how often it wants to hear that the worker is alive. */
export const InitializeParams = Schema.Struct({
  protocolVersion: Schema.Int,
  client: Peer,
  heartbeatMillis: Millis
})
export type InitializeParams = typeof InitializeParams.Type

/** What a worker answers: who it is, and which agents it has. */
export const InitializeResult = Schema.Struct({
  protocolVersion: Schema.Int,
  worker: Peer,
  agents: Schema.Array(OfferedAgent)
})
export type InitializeResult = typeof InitializeResult.Type

/** Where the files of the run are, for a worker that shares them. */
export const SharedWorkspace = Schema.Struct({
  root: Schema.String,
  state: Schema.String,
  reports: Schema.String,
  outputs: Schema.String,
  temp: Schema.String
})
export type SharedWorkspace = typeof SharedWorkspace.Type

/**
 * One piece of work. The key names it: the same key is the same work, and is not done twice. `deadlineMillis` is how long it may
 * take from now on, `permissions` all that is granted (`null` restricts nothing), `workspace` where its files are (`null` where
 * they are not shared), and `detachMillis` how long the worker goes on while nobody listens.
 */
export const RunParams = Schema.Struct({
  agent: Schema.NonEmptyString,
  idempotencyKey: Schema.NonEmptyString,
  runId: Schema.String,
  stepId: Schema.String,
  skill: Schema.NullOr(Schema.String),
  item: Schema.String,
  index: Schema.Int,
  total: Schema.Int,
  attempt: Schema.Int,
  input: AnyJson,
  deadlineMillis: Schema.NullOr(Millis),
  permissions: Schema.NullOr(Schema.Array(Permission)),
  workspace: Schema.NullOr(SharedWorkspace),
  heartbeatMillis: Millis,
  detachMillis: Millis
})
export type RunParams = typeof RunParams.Type

/** Names work that was begun. */
export const KeyParams = Schema.Struct({ idempotencyKey: Schema.NonEmptyString })
export type KeyParams = typeof KeyParams.Type

/** Names work whose result is asked for again. */
export const AttachParams = Schema.Struct({
  idempotencyKey: Schema.NonEmptyString,
  heartbeatMillis: Millis,
  detachMillis: Millis
})
export type AttachParams = typeof AttachParams.Type

/** Consumption as a worker reports it, counted from the beginning of the work; cost in dollars or in millionths of one. */
export const ReportedUsage = Schema.Struct({
  inputTokens: optional(Schema.Number),
  outputTokens: optional(Schema.Number),
  cachedTokens: optional(Schema.Number),
  costUsd: optional(Schema.Number),
  costMicroUsd: optional(Schema.Number)
})
export type ReportedUsage = typeof ReportedUsage.Type

/** A sign of life of one piece of work: how far (0 to 1), what is being done, what it consumed, and how much longer. */
export const ProgressParams = Schema.Struct({
  idempotencyKey: Schema.NonEmptyString,
  progress: optional(Schema.Number),
  message: optional(Schema.String),
  usage: optional(ReportedUsage),
  remainingMillis: optional(Millis)
})
export type ProgressParams = typeof ProgressParams.Type

/** The result of a piece of work. */
export const RunResult = Schema.Struct({ output: AnyJson, usage: optional(ReportedUsage) })
export type RunResult = typeof RunResult.Type

/** The error of a JSON-RPC response. */
export const RpcError = Schema.Struct({
  code: Schema.Number,
  message: Schema.String,
  data: optional(Schema.Unknown)
})
export type RpcError = typeof RpcError.Type

/** What the `data` of an error says where the work failed. */
export const ErrorData = Schema.Struct({
  kind: AgentErrorKind,
  retryAfterMillis: optional(Millis),
  usage: optional(ReportedUsage)
})
export type ErrorData = typeof ErrorData.Type

const bounded = (value: number | undefined): number =>
  value === undefined ? 0 : Math.min(value, Number.MAX_SAFE_INTEGER / 1e6)

/** What a worker reported, whole and not negative whatever it says. */
export const toUsage = (reported: ReportedUsage): Usage.Usage =>
  Usage.make({
    inputTokens: bounded(reported.inputTokens),
    outputTokens: bounded(reported.outputTokens),
    cachedTokens: bounded(reported.cachedTokens),
    costUsd: reported.costUsd === undefined ? bounded(reported.costMicroUsd) / 1e6 : bounded(reported.costUsd)
  })

const decodeErrorData = Schema.decodeUnknownOption(ErrorData)

const kindOf = (code: number): AgentErrorKind => {
  switch (code) {
    case -32601:
      return "NotFound"
    case -32602:
      return "InvalidInput"
    case codes.unknownRun:
      return "Crashed"
    case codes.cancelled:
      return "Crashed"
    default:
      return "Failed"
  }
}

/** What an error of a worker means here: its own kind where the data says one, otherwise what the code says. */
export const fromRpcError = ({ code, data, message }: RpcError): AgentError => {
  const known = Option.getOrUndefined(decodeErrorData(data))
  const reason = message.slice(0, 4000)
  if (known === undefined) return new AgentError({ kind: kindOf(code), reason })
  return new AgentError({
    kind: known.kind,
    reason,
    ...(known.retryAfterMillis === undefined
      ? {}
      : { retryAfterMillis: Math.round(bounded(known.retryAfterMillis)) }),
    ...(known.usage === undefined ? {} : { usage: toUsage(known.usage) })
  })
}

/** How a failure is told over the protocol; `fromRpcError` gives it back. */
export const toRpcError = ({ kind, reason, retryAfterMillis, usage }: AgentError): RpcError => ({
  code: codes.failed,
  message: reason,
  data: {
    kind,
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
    ...(usage === undefined ? {} : { usage })
  }
})

/** What a worker sent that is not what it has to send; `what` names the message. */
export const decodeResult =
  <A, I>(schema: Schema.Schema<A, I>, what: string) =>
  (value: unknown): Effect.Effect<A, AgentError> =>
    Effect.mapError(
      Schema.decodeUnknown(schema)(value),
      (error) =>
        new AgentError({
          kind: "InvalidOutput",
          reason: `The worker answered ${what} with something else than the protocol says: ${error.message.slice(0, 1000)}`
        })
    )
