import * as Schema from "effect/Schema"
import { Capability } from "./Capability.js"
import { type AgentRegistryEvent, type Entry, type Event, Metadata, registryTags } from "./Event.js"
import { Circuit, Health } from "./Health.js"
import { AgentId } from "./Ids.js"
import { Json } from "./Json.js"
import { Permission } from "./Permission.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })
const Millis = Schema.NonNegativeInt

/**
 * What the log says of an agent. `registered` is false once it was withdrawn: what it was stays known, since its id may come
 * back. Times are in milliseconds since 1970; `registeredAt` is when this revision of it was.
 */
export const AgentRecord = Schema.Struct({
  agentId: AgentId,
  registered: Schema.Boolean,
  registeredAt: Millis,
  revision: Schema.NonNegativeInt,
  metadata: Metadata,
  capabilities: Schema.Array(Capability),
  kind: optional(Schema.String),
  definition: optional(Json),
  source: optional(Schema.String),
  requires: optional(Schema.Array(Permission)),
  enabled: Schema.Boolean,
  health: Health,
  circuit: Circuit,
  /** When the circuit changed last. */
  circuitAt: optional(Millis),
  /** Until when it gives no work; kept while it is half-open, since the next time is reckoned from it. */
  circuitUntil: optional(Millis),
  circuitReason: optional(Schema.String),
  heldUntil: optional(Millis),
  heldReason: optional(Schema.String)
})
export type AgentRecord = typeof AgentRecord.Type

/** Everything that is or was registered, by id in lower case; `version` counts what changed who is registered and enabled. */
export interface AgentRoster {
  version: number
  readonly agents: Map<string, AgentRecord>
}

/** Nothing was ever registered. */
export const empty = (): AgentRoster => ({ version: 0, agents: new Map() })

const tags: ReadonlySet<Event["_tag"]> = new Set(registryTags)

/** Whether an event is about an agent of the host. */
export const isRegistryEvent = (event: Event): event is AgentRegistryEvent => tags.has(event._tag)

type Seen = Pick<AgentRecord, "enabled" | "health" | "circuit"> & Partial<AgentRecord>

const fresh: Seen = { enabled: true, health: { _tag: "Unknown" }, circuit: "Closed" }

/** The record without what was seen of the agent itself; limits of a provider stay. */
const unseen = (record: AgentRecord): AgentRecord => {
  const { circuitAt, circuitReason, circuitUntil, ...rest } = record
  return { ...rest, ...fresh, enabled: record.enabled }
}

/** The record of who is gone: what comes back under its id is another agent. */
const withdrawn = (record: AgentRecord): AgentRecord => {
  const { heldReason, heldUntil, ...rest } = unseen(record)
  return { ...rest, enabled: true, registered: false }
}

const registered = (
  record: AgentRecord | undefined,
  event: Extract<AgentRegistryEvent, { readonly _tag: "AgentRegistered" }>,
  time: number
): AgentRecord => {
  const { _tag, ...described } = event
  // Whatever was seen of another revision says nothing about this one.
  const isOther = record !== undefined && record.revision !== event.revision
  const { definition, kind, requires, source, ...seen }: Seen = isOther ? unseen(record) : (record ?? fresh)
  return { ...seen, ...described, registered: true, registeredAt: time }
}

/** The record of an agent after an event about it; one that is not known has none until it is registered. */
export const apply = (
  record: AgentRecord | undefined,
  event: AgentRegistryEvent,
  time: number
): AgentRecord | undefined => {
  if (event._tag === "AgentRegistered") return registered(record, event, time)
  if (record === undefined) return undefined
  switch (event._tag) {
    case "AgentUnregistered":
      return withdrawn(record)
    case "AgentEnabled":
      return { ...record, enabled: true }
    case "AgentDisabled":
      return { ...record, enabled: false }
    case "AgentHealthChanged":
      return { ...record, health: event.health }
    case "AgentCircuitChanged": {
      const { circuitReason, circuitUntil, ...rest } = record
      const until = event.until ?? (event.circuit === "HalfOpen" ? circuitUntil : undefined)
      return {
        ...rest,
        circuit: event.circuit,
        // What it opened at is kept with the time it was opened until.
        ...(event.circuit === "HalfOpen" && record.circuitAt !== undefined ? {} : { circuitAt: time }),
        ...(until === undefined ? {} : { circuitUntil: until }),
        ...(event.reason === undefined ? {} : { circuitReason: event.reason })
      }
    }
    case "AgentHeld":
      return { ...record, heldUntil: event.until, heldReason: event.reason }
  }
}

const changesVersion: ReadonlySet<Event["_tag"]> = new Set<AgentRegistryEvent["_tag"]>([
  "AgentRegistered",
  "AgentUnregistered",
  "AgentEnabled",
  "AgentDisabled"
])

/** Takes note of an entry of the log; what is not about agents is passed over. */
export const note = (roster: AgentRoster, { event, time }: Entry): void => {
  if (isRegistryEvent(event)) change(roster, event, time)
}

/** Takes note of an event that happened at a time. */
export const change = (roster: AgentRoster, event: AgentRegistryEvent, time: number): void => {
  const key = event.agentId.toLowerCase()
  const record = apply(roster.agents.get(key), event, time)
  if (record === undefined) return
  roster.agents.set(key, record)
  if (changesVersion.has(event._tag)) roster.version++
}
