import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Agent, AgentError } from "../Agent.js"
import { empty } from "../AgentMetrics.js"
import { AgentNotFound, AgentRejected, type Registration, type Snapshot } from "../AgentRegistration.js"
import * as AgentRoster from "../AgentRoster.js"
import { Capability, malformedCapability } from "../Capability.js"
import { type AgentRegistryEvent, type EventOf, Metadata } from "../Event.js"
import type { LogWriteFailed } from "../EventLog.js"
import { AgentId } from "../Ids.js"
import { findNotJson, type Json } from "../Json.js"
import { Permission } from "../Permission.js"
import type { Slot } from "./agentSlot.js"
import type { Catalog } from "./catalog.js"
import { closed, reopened } from "./circuit.js"
import { semaphore } from "./compat.js"
import { isSame } from "./jsonValue.js"

/** Where a registry keeps what happens to it. */
export interface Journal {
  /** Makes events durable, and gives the time that they have. */
  readonly append: (events: ReadonlyArray<AgentRegistryEvent>) => Effect.Effect<number, LogWriteFailed>
  /** Has an event written without waiting for it. */
  readonly note: (event: AgentRegistryEvent) => void
}

/** An agent as it was registered at a revision. */
export interface Pinned {
  readonly agent: Agent
  readonly revision: number
}

/** How many revisions of an agent are kept that runs may still use. */
const mostRevisions = 16

/** Told of agents that come and go. */
export interface Attendance {
  readonly came: (slot: Slot) => Effect.Effect<void>
  readonly went: (slot: Slot) => Effect.Effect<void>
}

type Registered = EventOf<"AgentRegistered">

const isId = Schema.is(AgentId)
const isCapability = Schema.is(Capability)
const isMetadata = Schema.is(Metadata)
const isPermission = Schema.is(Permission)

/** Why an agent cannot be registered, whoever else is. */
const wrongWith = ({ capabilities, definition, id, metadata, requires }: Agent): string | undefined => {
  if (!isId(id)) return `its id must be 1 to 128 letters, digits, ".", "_" or "-"`
  if (capabilities.length === 0) return "it declares no capability, so nothing could select it"
  const bad = capabilities.find((capability) => !isCapability(capability))
  if (bad !== undefined) return `its capability ${JSON.stringify(bad)} is malformed`
  for (const capability of capabilities) {
    const wrong = malformedCapability(capability)
    if (wrong !== undefined) return `in its capability "${capability.skill}", ${wrong}`
  }
  if (!isMetadata(metadata))
    return "its metadata must have a name, a version, a description, an author and tags, as texts"
  const odd = requires.find((permission) => !isPermission(permission))
  if (odd !== undefined) return `it requires ${JSON.stringify(odd)}, which is no permission`
  const foreign = definition === undefined ? undefined : findNotJson(definition.data)
  return foreign === undefined
    ? undefined
    : `its definition must be JSON, and there is ${foreign.found} at ${foreign.path}`
}

const eventOf = (
  { capabilities, definition, id, metadata, requires }: Agent,
  revision: number
): Registered => ({
  _tag: "AgentRegistered",
  agentId: id,
  revision,
  metadata,
  capabilities,
  ...(definition === undefined ? {} : { kind: definition.kind, definition: definition.data }),
  ...(definition?.source === undefined ? {} : { source: definition.source }),
  ...(requires.length === 0 ? {} : { requires })
})

const describedIn = (event: Registered | AgentRoster.AgentRecord) => {
  const {
    agentId,
    capabilities,
    definition = null,
    kind = null,
    metadata,
    requires = [],
    source = null
  } = event
  return { agentId, capabilities, definition, kind, metadata, requires, source } as unknown as Json
}

/** What stands for an agent that the log knows and this host does not. */
const standIn = ({
  agentId,
  capabilities,
  definition,
  kind,
  metadata,
  requires = [],
  source
}: AgentRoster.AgentRecord): Agent => ({
  id: agentId,
  metadata,
  capabilities,
  probe: undefined,
  requires,
  definition:
    kind === undefined
      ? undefined
      : { kind, data: definition ?? null, ...(source === undefined ? {} : { source }) },
  run: () =>
    Effect.fail(
      new AgentError({
        kind: "Unavailable",
        reason: `The agent "${agentId}" is not registered with this host`
      })
    )
})

/** An agent as the log left it. */
const slotOf = (record: AgentRoster.AgentRecord): Slot => {
  const { circuit, circuitAt = 0, circuitReason = "", circuitUntil = 0, heldReason = "", heldUntil } = record
  return {
    agent: standIn(record),
    isAbsent: true,
    registeredAt: record.registeredAt,
    revision: record.revision,
    enabled: record.enabled,
    probed: record.health,
    circuit:
      circuit === "Closed"
        ? closed
        : reopened(circuitUntil, Math.max(0, circuitUntil - circuitAt), circuitReason),
    held: heldUntil === undefined ? undefined : { until: heldUntil, reason: heldReason },
    history: empty(),
    load: 0,
    loads: new Map(),
    seats: new Map()
  }
}

/** Who is registered: every change is in the journal before it shows. */
export const makeRegistrations = (
  catalog: Catalog,
  roster: AgentRoster.AgentRoster,
  journal: Journal,
  attendance: Attendance,
  past: (agentId: AgentId, revision: number) => Effect.Effect<Agent | undefined>
) => {
  const mutex = semaphore(1)
  const superseded = new Map<string, Map<number, Agent>>()
  let snapshot: Snapshot | undefined
  for (const [key, record] of roster.agents)
    if (record.registered && !catalog.slots.has(key)) catalog.put(slotOf(record))

  const find = (agentId: string, absentToo = false): Effect.Effect<Slot, AgentNotFound> =>
    Effect.suspend(() => {
      const slot = catalog.slots.get(agentId.toLowerCase())
      if (slot !== undefined && (absentToo || !slot.isAbsent)) return Effect.succeed(slot)
      const present = [...catalog.slots.values()].filter(({ isAbsent }) => !isAbsent)
      return Effect.fail(
        new AgentNotFound({ agentId, registered: present.map(({ agent }) => agent.id).sort() })
      )
    })

  const checked = (agent: Agent, isReplacing: boolean): Effect.Effect<void, AgentRejected> => {
    const taken = isId(agent.id) ? catalog.slots.get(agent.id.toLowerCase()) : undefined
    const reason =
      wrongWith(agent) ??
      (taken !== undefined && !taken.isAbsent && !isReplacing
        ? `"${taken.agent.id}" is registered already; unregister it first`
        : undefined)
    return reason === undefined
      ? Effect.void
      : Effect.fail(new AgentRejected({ agentId: String(agent.id), reason }))
  }

  /** What is to be recorded; nothing where the log says the same already. */
  const changeFor = (agent: Agent): Registered | undefined => {
    const record = roster.agents.get(agent.id.toLowerCase())
    if (record === undefined) return eventOf(agent, 1)
    const isOther = !isSame(describedIn(record), describedIn(eventOf(agent, 0)))
    return isOther || !record.registered ? eventOf(agent, record.revision + (isOther ? 1 : 0)) : undefined
  }

  const keep = (agent: Agent, revision: number): void => {
    const key = agent.id.toLowerCase()
    const revisions = superseded.get(key) ?? new Map<number, Agent>()
    superseded.set(key, revisions.set(revision, agent))
    for (const oldest of revisions.keys()) {
      if (revisions.size <= mostRevisions) break
      revisions.delete(oldest)
    }
  }

  const pin = (agentId: AgentId, revision: number | undefined): Effect.Effect<Pinned, AgentNotFound> =>
    Effect.flatMap(find(agentId), (slot) => {
      const current: Pinned = { agent: slot.agent, revision: slot.revision }
      if (revision === undefined || revision === slot.revision) return Effect.succeed(current)
      const kept = superseded.get(agentId.toLowerCase())?.get(revision)
      if (kept !== undefined) return Effect.succeed({ agent: kept, revision })
      return Effect.map(past(agentId, revision), (agent): Pinned => {
        if (agent === undefined) return current
        keep(agent, revision)
        return { agent, revision }
      })
    })

  const enter = (agent: Agent, event: Registered | undefined, time: number): Effect.Effect<void> => {
    const key = agent.id.toLowerCase()
    if (event !== undefined) AgentRoster.change(roster, event, time)
    const record = roster.agents.get(key)
    const known = catalog.slots.get(key)
    if (record === undefined) return Effect.void
    const slot = known ?? slotOf(record)
    if (!slot.isAbsent && slot.revision !== record.revision) keep(slot.agent, slot.revision)
    if (event !== undefined) slot.circuit = closed
    if (event !== undefined || agent.probe === undefined) slot.probed = { _tag: "Unknown" }
    slot.agent = agent
    slot.isAbsent = false
    slot.registeredAt = record.registeredAt
    slot.revision = record.revision
    catalog.put(slot)
    snapshot = undefined
    return attendance.came(slot)
  }

  /** Registers all of them or, where one cannot be, none; what is new of them is durable together. */
  const registerAll = (
    agents: ReadonlyArray<Agent>,
    isReplacing = false
  ): Effect.Effect<void, AgentRejected | LogWriteFailed> =>
    Effect.gen(function* () {
      const keys = new Map<string, string>()
      for (const agent of agents) {
        yield* checked(agent, isReplacing)
        const key = agent.id.toLowerCase()
        const first = keys.get(key)
        if (first !== undefined)
          return yield* new AgentRejected({
            agentId: agent.id,
            reason: `"${first}" is registered already; unregister it first`
          })
        keys.set(key, agent.id)
      }
      const changes = agents.map((agent) => ({ agent, event: changeFor(agent) }))
      const events = changes.flatMap(({ event }) => (event === undefined ? [] : [event]))
      const time = yield* journal.append(events)
      for (const { agent, event } of changes) yield* enter(agent, event, time)
    }).pipe(Effect.uninterruptible, mutex.withPermits(1))

  const unregister = (agentId: string): Effect.Effect<void, AgentNotFound | LogWriteFailed> =>
    Effect.gen(function* () {
      const slot = yield* find(agentId, true)
      const event: AgentRegistryEvent = { _tag: "AgentUnregistered", agentId: slot.agent.id }
      AgentRoster.change(roster, event, yield* journal.append([event]))
      catalog.remove(slot)
      snapshot = undefined
      yield* attendance.went(slot)
    }).pipe(Effect.uninterruptible, mutex.withPermits(1))

  const setEnabled =
    (enabled: boolean) =>
    (agentId: string): Effect.Effect<void, AgentNotFound | LogWriteFailed> =>
      Effect.gen(function* () {
        const slot = yield* find(agentId, true)
        if (slot.enabled === enabled) return
        const event: AgentRegistryEvent = {
          _tag: enabled ? "AgentEnabled" : "AgentDisabled",
          agentId: slot.agent.id
        }
        AgentRoster.change(roster, event, yield* journal.append([event]))
        slot.enabled = enabled
        for (const seat of slot.seats.values()) seat.touch()
        snapshot = undefined
      }).pipe(Effect.uninterruptible, mutex.withPermits(1))

  const takeSnapshot = (): Snapshot => {
    snapshot ??= {
      version: roster.version,
      agents: [...catalog.slots.values()]
        .map(
          ({ agent, enabled, isAbsent, registeredAt, revision }): Registration => ({
            agent,
            registeredAt,
            enabled,
            revision,
            absent: isAbsent
          })
        )
        .sort((a, b) => (a.agent.id < b.agent.id ? -1 : 1))
    }
    return snapshot
  }

  return {
    find,
    register: (agent: Agent, options?: { readonly replace?: boolean }) =>
      registerAll([agent], options?.replace === true),
    registerAll: (agents: Iterable<Agent>) => registerAll([...agents]),
    unregister,
    setEnabled,
    pin,
    snapshot: takeSnapshot
  }
}
