import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AgentErrorKind } from "./AgentErrorKind.js"
import { totalTokens, type Usage } from "./Usage.js"

/** One finished invocation: what it took and how it ended. */
export interface Invocation {
  readonly durationMillis: number
  readonly usage: Usage
  readonly failure: AgentErrorKind | undefined
}

/** What was observed of an agent, or of one skill of it; the quantiles of latency are over its last 1,024 invocations. */
export interface AgentMetrics {
  readonly totalInvocations: number
  readonly successCount: number
  readonly failureCount: number
  readonly failuresByKind: Readonly<Record<string, number>>
  /** The mean over all invocations, in milliseconds. */
  readonly avgLatencyMs: number
  readonly p50LatencyMs: number
  readonly p95LatencyMs: number
  readonly p99LatencyMs: number
  /** Input and output tokens together. */
  readonly totalTokens: number
  readonly costMicroUsd: number
  /** When the last one ended, in milliseconds since 1970. */
  readonly lastInvocation: number | undefined
}

/** How many latencies are kept of each skill. */
export const window = 1024

/** The time after which an invocation counts half as much in ranking: a day, in milliseconds. */
export const halfLifeMillis = 86_400_000

/** Age is counted in whole steps, so that what was derived from a weight holds until the next step. */
export const decayStepMillis = halfLifeMillis / 64

/** How much of the earlier invocations each later one leaves: no more than the last few hundred ever count. */
export const kept = 1 - 1 / 256

const Count = Schema.NonNegativeInt
const Weight = Schema.NonNegative

/**
 * What ranking remembers: each invocation with a weight of 1 that halves each day, in 64 steps, and shrinks by 1/256 with every
 * later one. `latencyMillis` is a weighted sum over successes, `costMicroUsd` over all; `step` is the one they are of.
 */
export const Weights = Schema.mutable(
  Schema.Struct({
    step: Count,
    successes: Weight,
    failures: Weight,
    latencyMillis: Weight,
    costMicroUsd: Weight
  })
)
export type Weights = typeof Weights.Type

/** What is kept of a skill, or of an agent as a whole: sums, and a ring of latencies in which the oldest is replaced. */
export const Track = Schema.mutable(
  Schema.Struct({
    successes: Count,
    failures: Count,
    failuresByKind: Schema.mutable(Schema.Record({ key: Schema.String, value: Count })),
    totalMillis: Weight,
    latencies: Schema.mutable(Schema.Array(Weight)),
    tokens: Count,
    costMicroUsd: Count,
    lastInvocation: Schema.optionalWith(Schema.Number, { exact: true }),
    weights: Weights
  })
)
export type Track = typeof Track.Type

/** What is kept of an agent, in all and by skill; it is changed by `observe` and has a bound. */
export const AgentHistory = Schema.Struct({
  total: Track,
  skills: Schema.Map({ key: Schema.String, value: Track })
})
/** What is kept of an agent, in all and by skill; it is changed by `observe` and has a bound. */
export interface AgentHistory {
  readonly total: Track
  readonly skills: Map<string, Track>
}

/** Nothing observed yet. */
export const emptyTrack = (): Track => ({
  successes: 0,
  failures: 0,
  failuresByKind: {},
  totalMillis: 0,
  latencies: [],
  tokens: 0,
  costMicroUsd: 0,
  weights: { step: 0, successes: 0, failures: 0, latencyMillis: 0, costMicroUsd: 0 }
})

/** Nothing observed yet of an agent. */
export const empty = (): AgentHistory => ({ total: emptyTrack(), skills: new Map() })

/** Failures that say nothing about the agent: the input, the run or a limit was at fault, whoever had been asked. */
const blameless: ReadonlySet<AgentErrorKind> = new Set<AgentErrorKind>([
  "InvalidInput",
  "PermissionDenied",
  "RateLimited",
  "QuotaExhausted"
])

/** Whether an invocation says how good the agent is; what it took is counted in any case. */
export const countsInRanking = (failure: AgentErrorKind | undefined): boolean =>
  failure === undefined || !blameless.has(failure)

/** The step of decay that a time lies in. */
export const stepOf = (at: number): number => Math.max(0, Math.floor(at / decayStepMillis))

/** What is left of a weight of one step at a later one. */
export const decay = (from: number, to: number): number => (to <= from ? 1 : 2 ** ((from - to) / 64))

const weigh = (weights: Weights, { durationMillis, failure, usage }: Invocation, step: number): void => {
  const left = kept * decay(weights.step, step)
  const succeeded = failure === undefined ? 1 : 0
  weights.step = Math.max(weights.step, step)
  weights.successes = weights.successes * left + succeeded
  weights.failures = weights.failures * left + 1 - succeeded
  weights.latencyMillis = weights.latencyMillis * left + succeeded * durationMillis
  weights.costMicroUsd = weights.costMicroUsd * left + usage.costMicroUsd
}

const note = (track: Track, invocation: Invocation, at: number): void => {
  const { durationMillis, failure, usage } = invocation
  track.latencies[(track.successes + track.failures) % window] = durationMillis
  if (failure === undefined) track.successes++
  else {
    track.failures++
    track.failuresByKind[failure] = (track.failuresByKind[failure] ?? 0) + 1
  }
  track.totalMillis += durationMillis
  track.tokens += totalTokens(usage)
  track.costMicroUsd += usage.costMicroUsd
  track.lastInvocation = Math.max(at, track.lastInvocation ?? at)
  if (countsInRanking(failure)) weigh(track.weights, invocation, stepOf(at))
}

/** Takes note of an invocation that ended at a time; without a skill it counts for the agent as a whole only. */
export const observe = (
  history: AgentHistory,
  skill: string | undefined,
  invocation: Invocation,
  at: number
): void => {
  note(history.total, invocation, at)
  if (skill === undefined) return
  let track = history.skills.get(skill)
  if (track === undefined) {
    track = emptyTrack()
    history.skills.set(skill, track)
  }
  note(track, invocation, at)
}

/** The quantile of sorted values by the nearest-rank method; 0 where there are none. */
const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0

/** The figures of an agent as of now, or of one skill of it; all are 0 where nothing was observed. */
export const metricsOf = (history: AgentHistory, skill?: string): AgentMetrics => {
  const track = (skill === undefined ? history.total : history.skills.get(skill)) ?? emptyTrack()
  const sorted = Float64Array.from(track.latencies).sort()
  const invocations = track.successes + track.failures
  return {
    totalInvocations: invocations,
    successCount: track.successes,
    failureCount: track.failures,
    failuresByKind: { ...track.failuresByKind },
    avgLatencyMs: invocations === 0 ? 0 : track.totalMillis / invocations,
    p50LatencyMs: quantile(sorted, 0.5),
    p95LatencyMs: quantile(sorted, 0.95),
    p99LatencyMs: quantile(sorted, 0.99),
    totalTokens: track.tokens,
    costMicroUsd: track.costMicroUsd,
    lastInvocation: track.lastInvocation
  }
}

const encodeHistory = Schema.encodeSync(AgentHistory)
const decodeHistory = Schema.decodeUnknownOption(AgentHistory)

/** A history as plain JSON, which shares nothing with it. */
export const encode = (history: AgentHistory): typeof AgentHistory.Encoded => encodeHistory(history)

/** The history that `encode` gave as JSON; `undefined` where it is none. */
export const decode = (json: unknown): AgentHistory | undefined => Option.getOrUndefined(decodeHistory(json))
