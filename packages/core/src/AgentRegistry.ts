import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Agent, Health } from "./Agent.js"
import { type AgentHistory, type AgentMetrics, type Invocation, metricsOf } from "./AgentMetrics.js"
import type { AgentNotFound, AgentRejected, Registration, Snapshot } from "./AgentRegistration.js"
import * as AgentRoster from "./AgentRoster.js"
import {
  type AgentMatch,
  type Explanation,
  NoCapableAgent,
  type Selection,
  type SelectionContext
} from "./AgentSelection.js"
import type { CapabilityQuery } from "./Capability.js"
import { noTypes, type TypeTable } from "./CapabilityType.js"
import type { EventOf } from "./Event.js"
import { EventLog, type EventLogError, type Service as Log, type LogWriteFailed } from "./EventLog.js"
import { type AgentId, logId } from "./Ids.js"
import { makeInstruments } from "./internal/agentInstruments.js"
import { healthOf } from "./internal/agentSlot.js"
import { makeCatalog } from "./internal/catalog.js"
import type { CircuitPolicy } from "./internal/circuit.js"
import { async, currentTimeMillis, layerScoped } from "./internal/compat.js"
import { makeInvocations, type Ticket } from "./internal/invocations.js"
import { ask, makeProbing, onDemand, type ProbePolicy } from "./internal/probing.js"
import { type Attendance, type Journal, makeRegistrations, type Pinned } from "./internal/registrations.js"

export type { AgentMetrics, Invocation } from "./AgentMetrics.js"
export { AgentNotFound, AgentRejected, type Registration, type Snapshot } from "./AgentRegistration.js"
export {
  type AgentMatch,
  type Explanation,
  type Factors,
  NoCapableAgent,
  Rejection,
  type Selection,
  type SelectionContext
} from "./AgentSelection.js"
export type { Ticket } from "./internal/invocations.js"
export type { Pinned } from "./internal/registrations.js"

/**
 * Finds the right agent for a step by capability, health and history.
 *
 * @example
 * ```ts
 * import * as AgentRegistry from "@switchyard/core/AgentRegistry"
 * import * as Effect from "effect/Effect"
 *
 * export const reviewers = Effect.flatMap(AgentRegistry.AgentRegistry, (registry) =>
 *   registry.findAgentsWithSkill("code-review")
 * )
 * ```
 */
export class AgentRegistry extends Context.Tag("@switchyard/core/AgentRegistry")<
  AgentRegistry,
  {
    /**
     * Makes an agent available to every later selection. An id that is taken is refused, unless the one that has it is to be
     * replaced; what is under way goes on then, and what was observed stays.
     */
    readonly register: (
      agent: Agent,
      options?: { readonly replace?: boolean }
    ) => Effect.Effect<void, AgentRejected | LogWriteFailed>
    /** Withdraws an agent from later selections; what it has under way goes on. */
    readonly unregister: (agentId: string) => Effect.Effect<void, AgentNotFound | LogWriteFailed>
    /** Lets a disabled agent be selected again. */
    readonly enable: (agentId: string) => Effect.Effect<void, AgentNotFound | LogWriteFailed>
    /** Keeps an agent registered but out of every selection, also after a restart where the registry is kept in a log. */
    readonly disable: (agentId: string) => Effect.Effect<void, AgentNotFound | LogWriteFailed>
    /** The agent of an id, compared without case. */
    readonly get: (agentId: string) => Effect.Effect<Agent, AgentNotFound>
    /**
     * The agent of an id as it was at a revision, so that a run goes on with what it began with. Where that cannot be had any
     * more, because only code of an earlier host knew it, it is the agent as it is now; the revision says which one it is.
     */
    readonly pin: (agentId: AgentId, revision?: number) => Effect.Effect<Pinned, AgentNotFound>
    /** All agents, sorted by id. */
    readonly list: Effect.Effect<ReadonlyArray<Registration>>
    /** All registrations as of now. */
    readonly snapshot: Effect.Effect<Snapshot>
    /** The agents that match a query and are to be given work now, best first. */
    readonly discover: (query: CapabilityQuery) => Effect.Effect<ReadonlyArray<AgentMatch>>
    /** The agents whose declared capabilities match a query, best first, whatever their health. */
    readonly query: (query: CapabilityQuery) => Effect.Effect<ReadonlyArray<AgentMatch>>
    /** The ids of all agents that declare a skill, sorted. */
    readonly findAgentsWithSkill: (skill: string) => Effect.Effect<ReadonlyArray<AgentId>>
    /** The best agent by a strategy, and why; never a silent default. */
    readonly selectAgent: (
      query: CapabilityQuery,
      context?: SelectionContext
    ) => Effect.Effect<Selection, NoCapableAgent>
    /** What a selection would weigh: every agent, as a candidate with its score by factor, or with the reason why it is none. */
    readonly explain: (query: CapabilityQuery, context?: SelectionContext) => Effect.Effect<Explanation>
    /**
     * How well an agent is: its probe is asked where it has one, and the answer counts in later selections. A probe that
     * breaks, or gives no answer within 30 seconds, means unhealthy.
     */
    readonly health: (agentId: string) => Effect.Effect<Health, AgentNotFound>
    /** What was observed of an agent, or of one skill of it. */
    readonly metrics: (agentId: string, skill?: string) => Effect.Effect<AgentMetrics, AgentNotFound>
    /** Takes note that an invocation begins; an agent that is gone is passed over. Not an effect: it is called for every attempt. */
    readonly begin: (agentId: AgentId, skill: string | undefined) => Ticket
    /**
     * Takes note of a finished invocation that no ticket stands for; an agent that is gone is passed over. Without a skill it
     * counts for the only skill of the agent, or for the agent as a whole where it has several.
     */
    readonly observe: (agentId: AgentId, invocation: Invocation, skill?: string) => Effect.Effect<void>
    /**
     * Gives an agent no work until a time in milliseconds since 1970, such as the one at which a limit of its provider is
     * lifted; the later of several counts. An agent that is gone is passed over.
     */
    readonly hold: (agentId: AgentId, until: number, reason: string) => Effect.Effect<void>
    /**
     * Adds what agents did before the registry was there, such as what is derived from the log of earlier hosts, to what it
     * has observed itself. Nothing of that may be in the histories, and each is to be given once.
     */
    readonly recall: (histories: Iterable<readonly [AgentId, AgentHistory]>) => Effect.Effect<void>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof AgentRegistry>

/** When the circuit of an agent opens, and for how long. */
export interface CircuitOptions {
  /** So many failures in a row open it; 5 by default. */
  readonly failures?: number
  /** So large a share of failures among the last `window` answers opens it, once there are as many; a half by default. */
  readonly rate?: number
  /** From 1 to 30; 20 by default. */
  readonly window?: number
  /** For how long it is open at first; 30 seconds by default. Each time that the one attempt fails then doubles it. */
  readonly openFor?: Duration.DurationInput
  /** For how long it is open at most; 10 minutes by default. */
  readonly atMost?: Duration.DurationInput
}

/** How agents that have a probe are asked how they are. */
export interface ProbeOptions {
  /** How often; every 30 seconds by default. */
  readonly interval?: Duration.DurationInput
  /** By how large a share of it a wait may be shorter; a fifth by default. */
  readonly jitter?: number
  /** How long an answer may take; 10 seconds by default. */
  readonly timeout?: Duration.DurationInput
}

/** How a registry works. */
export interface Options {
  /** Which named types extend which, such as `{ cobol: ["source-code"] }`; none by default. */
  readonly types?: TypeTable
  readonly circuit?: CircuitOptions
}

/** How a registry that is kept in a log works. */
export interface LayerOptions extends Options {
  /** The agents that there are from the beginning. */
  readonly agents?: Iterable<Agent>
  /** `false` where probes are asked on demand only. */
  readonly probes?: ProbeOptions | false
  /** Makes an agent again of the data that it was registered with; `undefined` where it cannot. By default none is made again. */
  readonly remake?: (registered: EventOf<"AgentRegistered">) => Effect.Effect<Agent | undefined>
}

const policyOf = ({
  atMost = "10 minutes",
  failures = 5,
  openFor = "30 seconds",
  rate = 0.5,
  window = 20
}: CircuitOptions = {}): CircuitPolicy => ({
  failures,
  rate,
  window: Math.min(30, Math.max(1, Math.floor(window))),
  openMillis: Duration.toMillis(openFor),
  mostOpenMillis: Duration.toMillis(atMost)
})

/** How long `health` waits for an answer. */
const mostProbeMillis = 30_000

interface Surroundings {
  readonly roster: AgentRoster.AgentRoster
  readonly journal: Journal
  readonly probes: ProbePolicy | undefined
  /** An agent as it was at a revision that is not kept. */
  readonly past: (agentId: AgentId, revision: number) => Effect.Effect<Agent | undefined>
}

const build = (
  agents: Iterable<Agent>,
  { circuit, types = noTypes }: Options,
  { roster, journal, past, probes }: Surroundings
): Effect.Effect<Service, AgentRejected | LogWriteFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const now = () => currentTimeMillis(clock)
    const catalog = makeCatalog(types)
    const used = makeInvocations(catalog, journal, policyOf(circuit), now, makeInstruments())
    const attendance: Attendance = probes === undefined ? onDemand : yield* makeProbing(probes, used.probed)
    const registrations = makeRegistrations(catalog, roster, journal, attendance, past)
    yield* registrations.registerAll(agents)
    const { find } = registrations
    return {
      register: registrations.register,
      unregister: registrations.unregister,
      enable: registrations.setEnabled(true),
      disable: registrations.setEnabled(false),
      get: (agentId) => Effect.map(find(agentId), ({ agent }) => agent),
      pin: registrations.pin,
      list: Effect.sync(() => registrations.snapshot().agents),
      snapshot: Effect.sync(registrations.snapshot),
      discover: (query) => Effect.sync(() => catalog.explain(query, undefined, now()).candidates),
      query: (query) => Effect.sync(() => catalog.capable(query, now())),
      findAgentsWithSkill: (skill) => Effect.sync(() => catalog.withSkill(skill)),
      explain: (query, context) => Effect.sync(() => catalog.explain(query, context, now())),
      selectAgent: (query, context) =>
        Effect.suspend(() => {
          const selected = catalog.select(query, context, now())
          return selected instanceof NoCapableAgent ? Effect.fail(selected) : Effect.succeed(selected)
        }),
      health: (agentId) =>
        Effect.flatMap(find(agentId), (slot) => {
          const { probe } = slot.agent
          const asked =
            probe === undefined
              ? Effect.void
              : Effect.map(ask(probe, mostProbeMillis), (health) => used.probed(slot, health))
          return Effect.map(asked, () => healthOf(slot, now()))
        }),
      metrics: (agentId, skill) => Effect.map(find(agentId), ({ history }) => metricsOf(history, skill)),
      begin: used.begin,
      observe: (agentId, invocation, skill) => Effect.sync(() => used.observe(agentId, invocation, skill)),
      hold: (agentId, until, reason) => Effect.sync(() => used.hold(agentId, until, reason)),
      recall: (histories) => Effect.sync(() => used.recall(histories))
    }
  })

/** What happens is kept nowhere. */
const unwritten: Effect.Effect<Journal> = Effect.map(Effect.clock, (clock) => ({
  append: () => Effect.sync(() => currentTimeMillis(clock)),
  note: () => undefined
}))

/** A registry in memory with these agents in it, whose probes are asked on demand; it fails where one cannot be registered. */
export const make = (
  agents: Iterable<Agent> = [],
  options: Options = {}
): Effect.Effect<Service, AgentRejected> =>
  Effect.flatMap(unwritten, (journal) => {
    const surroundings = {
      roster: AgentRoster.empty(),
      journal,
      probes: undefined,
      past: () => Effect.succeed(undefined)
    }
    return Effect.scoped(build(agents, options, surroundings)).pipe(
      Effect.catchTag("LogWriteFailed", Effect.die)
    )
  })

/** A registry in memory with these agents in it. */
export const layerMemory = (
  agents: Iterable<Agent> = [],
  options: Options = {}
): Layer.Layer<AgentRegistry, AgentRejected> => Layer.effect(AgentRegistry, make(agents, options))

/** A journal in the log, and what waits for all that was noted in it to be there. */
const journalIn = (log: Log, now: () => number) => {
  let pending = 0
  let whenWritten: (() => void) | undefined
  const journal: Journal = {
    append: (events) =>
      events.length === 0
        ? Effect.sync(now)
        : Effect.map(log.append(logId, events), (entries) => entries[0]?.time ?? now()),
    note: (event) => {
      pending++
      // A log that cannot be written shows in whatever is acknowledged next.
      log.enqueue(logId, [event], () => {
        pending--
        if (pending === 0) whenWritten?.()
      })
    }
  }
  const written = async<void>((resume) => {
    if (pending === 0) resume(Effect.void)
    else whenWritten = () => resume(Effect.void)
  })
  return { journal, written }
}

/** What the log says of an agent at a revision; `undefined` where it says nothing, or cannot be read. */
const registrationIn = (
  log: Log,
  agentId: AgentId,
  revision: number
): Effect.Effect<EventOf<"AgentRegistered"> | undefined> =>
  Stream.runFold(
    log.read({ runs: [logId] }),
    undefined as EventOf<"AgentRegistered"> | undefined,
    (found, { event }) =>
      event._tag === "AgentRegistered" && event.agentId === agentId && event.revision === revision
        ? event
        : found
  ).pipe(Effect.orElseSucceed(() => undefined))

/**
 * A registry that is kept in the log. Registrations, who is disabled, health, circuits and holds are there again after a
 * restart; an agent that is registered as it was before leaves no trace, and one that differs is a new revision of it. Agents
 * that the log knows and this host has not registered are listed as absent.
 *
 * @example
 * ```ts
 * import * as AgentRegistry from "@switchyard/core/AgentRegistry"
 * import * as EventLog from "@switchyard/core/EventLog"
 * import * as Layer from "effect/Layer"
 *
 * export const registry = AgentRegistry.layer({
 *   types: { cobol: ["source-code"] },
 *   circuit: { failures: 3, openFor: "1 minute" }
 * }).pipe(Layer.provide(EventLog.layerMemory))
 * ```
 */
export const layer = ({
  agents = [],
  probes = {},
  remake = () => Effect.succeed(undefined),
  ...options
}: LayerOptions = {}): Layer.Layer<AgentRegistry, AgentRejected | EventLogError, EventLog> =>
  layerScoped(
    AgentRegistry,
    Effect.gen(function* () {
      const log = yield* EventLog
      const clock = yield* Effect.clock
      const roster = AgentRoster.empty()
      yield* Stream.runForEach(log.read({ runs: [logId] }), (entry) =>
        Effect.sync(() => AgentRoster.note(roster, entry))
      )
      const { journal, written } = journalIn(log, () => currentTimeMillis(clock))
      yield* Effect.addFinalizer(() => written)
      const { interval = "30 seconds", jitter = 0.2, timeout = "10 seconds" } = probes === false ? {} : probes
      const past = (agentId: AgentId, revision: number) =>
        Effect.flatMap(registrationIn(log, agentId, revision), (event) =>
          event === undefined ? Effect.succeed(undefined) : remake(event)
        )
      return yield* build(agents, options, {
        roster,
        journal,
        past,
        probes:
          probes === false
            ? undefined
            : {
                intervalMillis: Duration.toMillis(interval),
                jitter,
                timeoutMillis: Duration.toMillis(timeout)
              }
      })
    })
  )
