import * as Schema from "effect/Schema"
import { type AgentHistory, type AgentMetrics, metricsOf } from "./AgentMetrics.js"
import type { AgentRecord } from "./AgentRoster.js"
import { Capability } from "./Capability.js"
import { Metadata } from "./Event.js"
import { Circuit, Health } from "./Health.js"
import { AgentId } from "./Ids.js"
import { didYouMean } from "./Nearest.js"

const Count = Schema.NonNegativeInt
const Millis = Schema.NonNegativeInt

/** What an agent did, or what it did with one skill, in figures; latencies in milliseconds, quantiles over the last 1,024. */
export const AgentFigures = Schema.Struct({
  totalInvocations: Count,
  successCount: Count,
  failureCount: Count,
  /** Of all invocations, from 0 to 1; `null` where there was none. */
  successRate: Schema.NullOr(Schema.Number),
  failuresByKind: Schema.Record({ key: Schema.String, value: Count }),
  avgLatencyMs: Schema.Number,
  p50LatencyMs: Schema.Number,
  p95LatencyMs: Schema.Number,
  p99LatencyMs: Schema.Number,
  totalTokens: Count,
  costMicroUsd: Count,
  lastInvocation: Schema.NullOr(Millis)
})
export type AgentFigures = typeof AgentFigures.Type

/**
 * One agent as listed; times are milliseconds since 1970, UTC. `registered` is false for one that was withdrawn, and for one
 * that worked before registrations were recorded: of that one nothing is known but what it did, and its revision is 0. It
 * gives no work while its circuit is open, until `circuitUntil`, and while it is held, until `heldUntil`.
 */
export const AgentRow = Schema.Struct({
  agentId: AgentId,
  name: Schema.String,
  metadata: Schema.NullOr(Metadata),
  capabilities: Schema.Array(Capability),
  kind: Schema.NullOr(Schema.String),
  source: Schema.NullOr(Schema.String),
  revision: Count,
  registered: Schema.Boolean,
  registeredAt: Schema.NullOr(Millis),
  enabled: Schema.Boolean,
  health: Health,
  circuit: Circuit,
  circuitUntil: Schema.NullOr(Millis),
  circuitReason: Schema.NullOr(Schema.String),
  heldUntil: Schema.NullOr(Millis),
  heldReason: Schema.NullOr(Schema.String),
  metrics: AgentFigures
})
export type AgentRow = typeof AgentRow.Type

/** One agent with what it did by skill, sorted; what it did when nobody said with which skill counts in `metrics` only. */
export const AgentDetails = Schema.Struct({
  ...AgentRow.fields,
  skills: Schema.Array(Schema.Struct({ skill: Schema.String, metrics: AgentFigures }))
})
export type AgentDetails = typeof AgentDetails.Type

/** Which agents to list: every given field must hold. */
export interface AgentFilter {
  /** One that it declares now, or declared when it was withdrawn. */
  readonly skill?: string
  readonly health?: Health["_tag"]
  readonly enabled?: boolean
  readonly registered?: boolean
  /** A part of its id, its name, its description or its tags, in upper or lower case. */
  readonly text?: string
}

/** There is no such agent, as far as the read side has come. */
export class AgentUnknown extends Schema.TaggedError<AgentUnknown>()("AgentUnknown", {
  agentId: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message() {
    return `There is no agent "${this.agentId}"${didYouMean(this.agentId, this.known)}; list the agents to see their ids`
  }
}

const figuresOf = ({ lastInvocation, ...metrics }: AgentMetrics): AgentFigures => ({
  ...metrics,
  successRate: metrics.totalInvocations === 0 ? null : metrics.successCount / metrics.totalInvocations,
  lastInvocation: lastInvocation ?? null
})

/** The row of an agent, a function of what the log says of it; `key` is its id in lower case. */
export const agentRow = (key: string, record: AgentRecord | undefined, history: AgentHistory): AgentRow => ({
  agentId: record?.agentId ?? (key as AgentId),
  name: record?.metadata.name ?? key,
  metadata: record?.metadata ?? null,
  capabilities: record?.capabilities ?? [],
  kind: record?.kind ?? null,
  source: record?.source ?? null,
  revision: record?.revision ?? 0,
  registered: record?.registered ?? false,
  registeredAt: record?.registeredAt ?? null,
  enabled: record?.enabled ?? true,
  health: record?.health ?? { _tag: "Unknown" },
  circuit: record?.circuit ?? "Closed",
  circuitUntil: record?.circuitUntil ?? null,
  circuitReason: record?.circuitReason ?? null,
  heldUntil: record?.heldUntil ?? null,
  heldReason: record?.heldReason ?? null,
  metrics: figuresOf(metricsOf(history))
})

/** The row of an agent with what it did by skill. */
export const agentDetails = (
  key: string,
  record: AgentRecord | undefined,
  history: AgentHistory
): AgentDetails => ({
  ...agentRow(key, record, history),
  skills: [...history.skills.keys()]
    .sort()
    .map((skill) => ({ skill, metrics: figuresOf(metricsOf(history, skill)) }))
})

/** What the text of a filter is looked for in. */
export const searchedIn = (key: string, record: AgentRecord | undefined): string => {
  const { description = "", name = "", tags = [] } = record?.metadata ?? {}
  return [key, name, description, ...tags].join("\n").toLowerCase()
}

/** Whether a filter lets an agent through. */
export const isListed = (key: string, record: AgentRecord | undefined, filter: AgentFilter): boolean =>
  (filter.skill === undefined || (record?.capabilities ?? []).some(({ skill }) => skill === filter.skill)) &&
  (filter.health === undefined || (record?.health._tag ?? "Unknown") === filter.health) &&
  (filter.enabled === undefined || (record?.enabled ?? true) === filter.enabled) &&
  (filter.registered === undefined || (record?.registered ?? false) === filter.registered) &&
  (filter.text === undefined || searchedIn(key, record).includes(filter.text.toLowerCase()))
