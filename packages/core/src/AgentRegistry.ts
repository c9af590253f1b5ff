import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Agent, Health } from "./Agent.js"
import {
  type AgentHistory,
  type AgentMetrics,
  empty,
  type Invocation,
  metricsOf,
  observe
} from "./AgentMetrics.js"
import {
  type AgentMatch,
  type Explanation,
  NoCapableAgent,
  type Rejection,
  type Selection,
  type SelectionContext
} from "./AgentSelection.js"
import * as Capability from "./Capability.js"
import type { LogWriteFailed } from "./EventLog.js"
import { AgentId } from "./Ids.js"
import { currentTimeMillis } from "./internal/compat.js"
import { didYouMean } from "./Nearest.js"
import { allows } from "./Permission.js"

export type { AgentMetrics, Invocation } from "./AgentMetrics.js"
export {
  type AgentMatch,
  type Explanation,
  NoCapableAgent,
  Rejection,
  type Selection,
  type SelectionContext
} from "./AgentSelection.js"

/** No agent has this id. */
export class AgentNotFound extends Schema.TaggedError<AgentNotFound>()("AgentNotFound", {
  agentId: Schema.String,
  registered: Schema.Array(Schema.String)
}) {
  override get message() {
    const known =
      this.registered.length === 0 ? "none is registered" : `registered are ${this.registered.join(", ")}`
    return `No agent is registered as "${this.agentId}"${didYouMean(this.agentId, this.registered)} (${known})`
  }
}

/** An agent that cannot be registered: its id is taken (ids are compared without case) or malformed, or it can do nothing. */
export class AgentRejected extends Schema.TaggedError<AgentRejected>()("AgentRejected", {
  agentId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The agent "${this.agentId}" cannot be registered: ${this.reason}`
  }
}

/** An agent as listed. */
export interface Registration {
  readonly agent: Agent
  readonly registeredAt: number
  readonly enabled: boolean
  /** Counts the registrations of this id that differ, from 1. */
  readonly revision: number
}

/**
 * All registrations as they were at one moment; it never changes. `version` grows with each registration, withdrawal,
 * enabling and disabling, also over restarts where the registry is kept in a log.
 */
export interface Snapshot {
  readonly version: number
  /** Sorted by id. */
  readonly agents: ReadonlyArray<Registration>
}

/** An invocation under way, which counts as load of its agent until it is ended. */
export interface Ticket {
  /**
   * Ends it: with what it took and how it ended, which counts in the metrics, in ranking and for the circuit; with nothing
   * where it was interrupted. Only the first call counts.
   */
  readonly end: (invocation: Invocation | undefined) => void
}

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
    /** All agents, sorted by id. */
    readonly list: Effect.Effect<ReadonlyArray<Registration>>
    /** All registrations as of now. */
    readonly snapshot: Effect.Effect<Snapshot>
    /** The agents that match a query and are to be given work now, best first. */
    readonly discover: (query: Capability.CapabilityQuery) => Effect.Effect<ReadonlyArray<AgentMatch>>
    /** The agents whose declared capabilities match a query, best first, whatever their health. */
    readonly query: (query: Capability.CapabilityQuery) => Effect.Effect<ReadonlyArray<AgentMatch>>
    /** The ids of all agents that declare a skill, sorted. */
    readonly findAgentsWithSkill: (skill: string) => Effect.Effect<ReadonlyArray<AgentId>>
    /** The best agent by a strategy, and why; never a silent default. */
    readonly selectAgent: (
      query: Capability.CapabilityQuery,
      context?: SelectionContext
    ) => Effect.Effect<Selection, NoCapableAgent>
    /** What a selection would weigh: every agent, as a candidate with its score by factor, or with the reason why it is none. */
    readonly explain: (
      query: Capability.CapabilityQuery,
      context?: SelectionContext
    ) => Effect.Effect<Explanation>
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
    /** Replaces what is known of agents by histories from elsewhere, such as those derived from the log of earlier hosts. */
    readonly recall: (histories: Iterable<readonly [AgentId, AgentHistory]>) => Effect.Effect<void>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof AgentRegistry>

interface Slot {
  readonly agent: Agent
  readonly registeredAt: number
  readonly revision: number
  history: AgentHistory
  enabled: boolean
  health: Health
  held: { readonly until: number; readonly reason: string } | undefined
  load: number
}

const isId = Schema.is(AgentId)
const isCapability = Schema.is(Capability.Capability)

const matchOf = (slot: Slot, capabilities: ReadonlyArray<Capability.Capability>): AgentMatch => {
  const skill = capabilities[0]?.skill
  const track = skill === undefined ? undefined : slot.history.skills.get(skill)
  const { costMicroUsd = 0, failures = 0, successes = 0, totalMillis = 0 } = track ?? {}
  const invocations = successes + failures
  const factors = Capability.score({
    successes,
    failures,
    meanLatencyMillis: invocations === 0 ? undefined : totalMillis / invocations,
    meanCostMicroUsd: invocations === 0 ? undefined : costMicroUsd / invocations
  })
  const priority = Math.max(...capabilities.map((capability) => capability.priority))
  return {
    agentId: slot.agent.id,
    matchedCapabilities: capabilities,
    priority,
    score: factors.score,
    factors
  }
}

/** Higher priority first, then higher score, then the id, so that the order never depends on chance. */
const byRank = (a: AgentMatch, b: AgentMatch): number =>
  b.priority - a.priority || b.score - a.score || (a.agentId < b.agentId ? -1 : 1)

const mostProbeMillis = 30_000

/** What a probe says; one that breaks, is interrupted or does not answer says that the agent is unhealthy. */
const ask = (probe: Effect.Effect<Health>): Effect.Effect<Health> =>
  probe.pipe(
    Effect.timeoutOption(mostProbeMillis),
    Effect.map(
      Option.getOrElse(
        (): Health => ({ _tag: "Unhealthy", error: `its probe did not answer within ${mostProbeMillis} ms` })
      )
    ),
    Effect.catchAllCause((cause) => {
      const error = Cause.squash(cause)
      const reason = error instanceof Error ? error.message : String(error)
      return Effect.succeed<Health>({ _tag: "Unhealthy", error: `its probe broke: ${reason}` })
    })
  )

const onlySkillOf = ({ capabilities }: Agent): string | undefined =>
  new Set(capabilities.map(({ skill }) => skill)).size === 1 ? capabilities[0]?.skill : undefined

/** A registry in memory, whose registrations cannot fail for a log. */
interface MemoryService extends Omit<Service, "register"> {
  readonly register: (
    agent: Agent,
    options?: { readonly replace?: boolean }
  ) => Effect.Effect<void, AgentRejected>
}

/** A registry in memory with these agents in it; it fails where one of them cannot be registered. */
export const make = (agents: Iterable<Agent> = []): Effect.Effect<Service, AgentRejected> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const slots = new Map<string, Slot>()
    let version = 0
    const find = (agentId: string): Effect.Effect<Slot, AgentNotFound> =>
      Effect.suspend(() => {
        const slot = slots.get(agentId.toLowerCase())
        return slot === undefined
          ? Effect.fail(
              new AgentNotFound({
                agentId,
                registered: [...slots.values()].map(({ agent }) => agent.id).sort()
              })
            )
          : Effect.succeed(slot)
      })

    const register: MemoryService["register"] = (agent, options) =>
      Effect.flatMap(Clock.currentTimeMillis, (registeredAt) => {
        const reject = (reason: string) => Effect.fail(new AgentRejected({ agentId: agent.id, reason }))
        if (!isId(agent.id)) return reject(`its id must be 1 to 128 letters, digits, ".", "_" or "-"`)
        const key = agent.id.toLowerCase()
        const taken = slots.get(key)
        if (taken !== undefined && options?.replace !== true)
          return reject(`"${taken.agent.id}" is registered already; unregister it first`)
        if (agent.capabilities.length === 0)
          return reject("it declares no capability, so nothing could select it")
        const bad = agent.capabilities.find((capability) => !isCapability(capability))
        if (bad !== undefined) return reject(`its capability ${JSON.stringify(bad)} is malformed`)
        version++
        slots.set(key, {
          agent,
          registeredAt,
          revision: (taken?.revision ?? 0) + 1,
          history: taken?.history ?? empty(),
          enabled: taken?.enabled ?? true,
          health: { _tag: "Unknown" },
          held: taken?.held,
          load: taken?.load ?? 0
        })
        return Effect.void
      })
    for (const agent of agents) yield* register(agent)

    const whyNot = (slot: Slot, { except }: SelectionContext): string | undefined =>
      !slot.enabled
        ? "it is disabled"
        : slot.health._tag === "Unhealthy"
          ? `it is unhealthy: ${slot.health.error}`
          : slot.held !== undefined && slot.held.until > currentTimeMillis(clock)
            ? `it is held until ${new Date(slot.held.until).toISOString()}: ${slot.held.reason}`
            : except?.includes(slot.agent.id)
              ? "it was tried already"
              : undefined

    const explain = (
      query: Capability.CapabilityQuery,
      usableOnly: boolean,
      context: SelectionContext = {}
    ): Explanation => {
      const candidates: Array<AgentMatch> = []
      const rejections: Array<Rejection> = []
      for (const slot of slots.values()) {
        const agentId = slot.agent.id
        const result = Capability.match(slot.agent.capabilities, query)
        const missing = slot.agent.requires.find((each) => !allows(context.granted, each))
        const unusable = usableOnly ? whyNot(slot, context) : undefined
        if (result._tag === "Rejected")
          rejections.push({ agentId, stage: result.stage, reason: result.reason })
        else if (missing !== undefined)
          rejections.push({
            agentId,
            stage: "permission",
            permission: missing,
            reason: `it requires ${missing}, which the run does not grant`
          })
        else if (unusable !== undefined) rejections.push({ agentId, stage: "health", reason: unusable })
        else candidates.push(matchOf(slot, result.capabilities))
      }
      candidates.sort(byRank)
      if (context.strategy === "sticky")
        candidates.sort((a, b) => Number(b.agentId === context.sticky) - Number(a.agentId === context.sticky))
      return { candidates, rejections }
    }

    const setEnabled = (enabled: boolean) => (agentId: string) =>
      Effect.map(find(agentId), (slot) => {
        if (slot.enabled !== enabled) version++
        slot.enabled = enabled
      })

    const list = () =>
      [...slots.values()]
        .map(({ agent, enabled, registeredAt, revision }) => ({ agent, enabled, registeredAt, revision }))
        .sort((a, b) => (a.agent.id < b.agent.id ? -1 : 1))

    const note = (agentId: string, skill: string | undefined, invocation: Invocation): void => {
      const slot = slots.get(agentId.toLowerCase())
      if (slot !== undefined)
        observe(slot.history, skill ?? onlySkillOf(slot.agent), invocation, currentTimeMillis(clock))
    }

    return {
      register,
      unregister: (agentId) =>
        Effect.map(find(agentId), () => {
          version++
          slots.delete(agentId.toLowerCase())
        }),
      enable: setEnabled(true),
      disable: setEnabled(false),
      get: (agentId) => Effect.map(find(agentId), ({ agent }) => agent),
      list: Effect.sync(list),
      snapshot: Effect.sync(() => ({ version, agents: list() })),
      discover: (query) => Effect.sync(() => explain(query, true).candidates),
      query: (query) => Effect.sync(() => explain(query, false).candidates),
      findAgentsWithSkill: (skill) =>
        Effect.sync(() =>
          [...slots.values()]
            .filter(({ agent }) => agent.capabilities.some((capability) => capability.skill === skill))
            .map(({ agent }) => agent.id)
            .sort()
        ),
      explain: (query, context) => Effect.sync(() => explain(query, true, context)),
      selectAgent: (query, context) =>
        Effect.suspend(() => {
          const { candidates, rejections } = explain(query, true, context)
          const agent = candidates[0] && slots.get(candidates[0].agentId.toLowerCase())?.agent
          if (agent !== undefined) return Effect.succeed({ agent, candidates, rejections })
          const skills = [...slots.values()].flatMap((slot) =>
            slot.agent.capabilities.map(({ skill }) => skill)
          )
          const untils = rejections.flatMap(({ agentId, stage }) => {
            const held = stage === "health" ? slots.get(agentId.toLowerCase())?.held?.until : undefined
            return held === undefined ? [] : [held]
          })
          return Effect.fail(
            new NoCapableAgent({
              query,
              rejections,
              knownSkills: [...new Set(skills)].sort(),
              ...(untils.length === 0
                ? {}
                : { availableAt: Math.min(...untils), heldUntil: Math.min(...untils) })
            })
          )
        }),
      health: (agentId) =>
        Effect.flatMap(find(agentId), (slot) =>
          Effect.map(
            slot.agent.probe === undefined ? Effect.succeed(slot.health) : ask(slot.agent.probe),
            (health) => {
              slot.health = health
              return health
            }
          )
        ),
      metrics: (agentId, skill) => Effect.map(find(agentId), ({ history }) => metricsOf(history, skill)),
      begin: (agentId, skill) => {
        const slot = slots.get(agentId.toLowerCase())
        if (slot !== undefined) slot.load++
        let ended = false
        return {
          end: (invocation) => {
            if (ended) return
            ended = true
            if (slot !== undefined) slot.load--
            if (invocation !== undefined) note(agentId, skill, invocation)
          }
        }
      },
      observe: (agentId, invocation, skill) => Effect.sync(() => note(agentId, skill, invocation)),
      hold: (agentId, until, reason) =>
        Effect.sync(() => {
          const slot = slots.get(agentId.toLowerCase())
          if (slot !== undefined && until > (slot.held?.until ?? 0)) slot.held = { until, reason }
        }),
      recall: (histories) =>
        Effect.sync(() => {
          for (const [agentId, history] of histories) {
            const slot = slots.get(agentId.toLowerCase())
            if (slot !== undefined) slot.history = history
          }
        })
    }
  })

/** A registry in memory with these agents in it. */
export const layerMemory = (agents: Iterable<Agent> = []): Layer.Layer<AgentRegistry, AgentRejected> =>
  Layer.effect(AgentRegistry, make(agents))
