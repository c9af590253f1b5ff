import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Agent, AgentErrorKind, Health } from "./Agent.js"
import * as Capability from "./Capability.js"
import { AgentId } from "./Ids.js"
import { currentTimeMillis } from "./internal/compat.js"
import { didYouMean } from "./Nearest.js"
import type * as Usage from "./Usage.js"

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

/** Why one agent was not selected. */
export const Rejection = Schema.Struct({
  agentId: AgentId,
  stage: Schema.Literal("skill", "type", "constraint", "health"),
  reason: Schema.String
})
export type Rejection = typeof Rejection.Type

const nearness: { readonly [Stage in Rejection["stage"]]: number } = {
  health: 3,
  constraint: 2,
  type: 1,
  skill: 0
}

/** No agent can do it; the nearest miss is the one that failed last in the order skill, type, constraint, health. */
export class NoCapableAgent extends Schema.TaggedError<NoCapableAgent>()("NoCapableAgent", {
  query: Capability.CapabilityQuery,
  rejections: Schema.Array(Rejection),
  knownSkills: Schema.Array(Schema.String)
}) {
  /** The agent that came closest. */
  get nearest(): Rejection | undefined {
    return [...this.rejections].sort((a, b) => nearness[b.stage] - nearness[a.stage])[0]
  }
  override get message() {
    const skills = this.query.requiredSkills.map((skill) => `"${skill}"`).join(" and ")
    const start = `No agent can do ${skills === "" ? "this" : skills}`
    if (this.rejections.length === 0) return `${start}: no agent is registered`
    const { nearest } = this
    if (nearest !== undefined && nearest.stage !== "skill")
      return `${start}; the nearest is "${nearest.agentId}", but ${nearest.reason}`
    const hint = this.query.requiredSkills.map((skill) => didYouMean(skill, this.knownSkills)).join("")
    return `${start}${hint} (the registered skills are ${this.knownSkills.join(", ")})`
  }
}

/** An agent that answers a query, with what matched and how it ranks. */
export interface AgentMatch {
  readonly agentId: AgentId
  readonly matchedCapabilities: ReadonlyArray<Capability.Capability>
  readonly priority: number
  readonly score: number
  readonly factors: Capability.Score
}

/** The answer to a selection: who does it, who else could, best first, and why nobody else. */
export interface Selection {
  readonly agent: Agent
  readonly candidates: ReadonlyArray<AgentMatch>
  readonly rejections: ReadonlyArray<Rejection>
}

/** What was observed of an agent since it was registered; latencies over its last 1,024 invocations. */
export interface AgentMetrics {
  readonly totalInvocations: number
  readonly successCount: number
  readonly failureCount: number
  readonly failuresByKind: Readonly<Record<string, number>>
  readonly avgLatencyMs: number
  readonly p50LatencyMs: number
  readonly p95LatencyMs: number
  readonly p99LatencyMs: number
  readonly totalTokens: number
  readonly costMicroUsd: number
  readonly lastInvocation: number | undefined
}

/** One finished invocation: what it took and how it ended. */
export interface Invocation {
  readonly durationMillis: number
  readonly usage: Usage.Usage
  readonly failure: AgentErrorKind | undefined
}

/** An agent as listed. */
export interface Registration {
  readonly agent: Agent
  readonly registeredAt: number
  readonly enabled: boolean
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
    /** Makes an agent available to every later selection. */
    readonly register: (agent: Agent) => Effect.Effect<void, AgentRejected>
    /** Withdraws an agent from later selections; what it has under way goes on. */
    readonly unregister: (agentId: string) => Effect.Effect<void, AgentNotFound>
    /** Lets a disabled agent be selected again. */
    readonly enable: (agentId: string) => Effect.Effect<void, AgentNotFound>
    /** Keeps an agent registered but out of every selection. */
    readonly disable: (agentId: string) => Effect.Effect<void, AgentNotFound>
    /** The agent of an id, compared without case. */
    readonly get: (agentId: string) => Effect.Effect<Agent, AgentNotFound>
    /** All agents, sorted by id. */
    readonly list: Effect.Effect<ReadonlyArray<Registration>>
    /** The agents that match a query and are enabled and not unhealthy, best first. */
    readonly discover: (query: Capability.CapabilityQuery) => Effect.Effect<ReadonlyArray<AgentMatch>>
    /** The agents whose declared capabilities match a query, best first, whatever their health. */
    readonly query: (query: Capability.CapabilityQuery) => Effect.Effect<ReadonlyArray<AgentMatch>>
    /** The ids of all agents that declare a skill, sorted. */
    readonly findAgentsWithSkill: (skill: string) => Effect.Effect<ReadonlyArray<AgentId>>
    /** The best agent that `discover` finds, and why; never a silent default. */
    readonly selectAgent: (query: Capability.CapabilityQuery) => Effect.Effect<Selection, NoCapableAgent>
    /**
     * How well an agent is: its probe is asked where it has one, and the answer counts in later selections. A probe that
     * breaks, or gives no answer within 30 seconds, means unhealthy.
     */
    readonly health: (agentId: string) => Effect.Effect<Health, AgentNotFound>
    /** What was observed of an agent. */
    readonly metrics: (agentId: string) => Effect.Effect<AgentMetrics, AgentNotFound>
    /** Takes note of a finished invocation; an agent that is gone is passed over. */
    readonly observe: (agentId: AgentId, invocation: Invocation) => Effect.Effect<void>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof AgentRegistry>

const window = 1024

/** The quantile of sorted values by the nearest-rank method; 0 where there are none. */
const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0

interface Slot {
  readonly agent: Agent
  readonly registeredAt: number
  enabled: boolean
  health: Health
  successes: number
  failures: number
  readonly failuresByKind: Record<string, number>
  totalMillis: number
  readonly latencies: Array<number>
  tokens: number
  costMicroUsd: number
  lastInvocation: number | undefined
}

const isId = Schema.is(AgentId)
const isCapability = Schema.is(Capability.Capability)

const matchOf = (slot: Slot, capabilities: ReadonlyArray<Capability.Capability>): AgentMatch => {
  const invocations = slot.successes + slot.failures
  const factors = Capability.score({
    successes: slot.successes,
    failures: slot.failures,
    meanLatencyMillis: invocations === 0 ? undefined : slot.totalMillis / invocations,
    meanCostMicroUsd: invocations === 0 ? undefined : slot.costMicroUsd / invocations
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

/** A registry with these agents in it; it fails where one of them cannot be registered. */
export const make = (agents: Iterable<Agent> = []): Effect.Effect<Service, AgentRejected> =>
  Effect.gen(function* () {
    const slots = new Map<string, Slot>()
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

    const register: Service["register"] = (agent) =>
      Effect.flatMap(Clock.currentTimeMillis, (registeredAt) => {
        const reject = (reason: string) => Effect.fail(new AgentRejected({ agentId: agent.id, reason }))
        if (!isId(agent.id)) return reject(`its id must be 1 to 128 letters, digits, ".", "_" or "-"`)
        const key = agent.id.toLowerCase()
        const taken = slots.get(key)
        if (taken !== undefined)
          return reject(`"${taken.agent.id}" is registered already; unregister it first`)
        if (agent.capabilities.length === 0)
          return reject("it declares no capability, so nothing could select it")
        const bad = agent.capabilities.find((capability) => !isCapability(capability))
        if (bad !== undefined) return reject(`its capability ${JSON.stringify(bad)} is malformed`)
        slots.set(key, {
          agent,
          registeredAt,
          enabled: true,
          health: { _tag: "Unknown" },
          successes: 0,
          failures: 0,
          failuresByKind: {},
          totalMillis: 0,
          latencies: [],
          tokens: 0,
          costMicroUsd: 0,
          lastInvocation: undefined
        })
        return Effect.void
      })
    for (const agent of agents) yield* register(agent)

    const explain = (query: Capability.CapabilityQuery, usableOnly: boolean) => {
      const candidates: Array<AgentMatch> = []
      const rejections: Array<Rejection> = []
      for (const slot of slots.values()) {
        const agentId = slot.agent.id
        const result = Capability.match(slot.agent.capabilities, query)
        if (result._tag === "Rejected")
          rejections.push({ agentId, stage: result.stage, reason: result.reason })
        else if (usableOnly && !slot.enabled)
          rejections.push({ agentId, stage: "health", reason: "it is disabled" })
        else if (usableOnly && slot.health._tag === "Unhealthy") {
          rejections.push({ agentId, stage: "health", reason: `it is unhealthy: ${slot.health.error}` })
        } else candidates.push(matchOf(slot, result.capabilities))
      }
      return { candidates: candidates.sort(byRank), rejections }
    }

    const setEnabled = (enabled: boolean) => (agentId: string) =>
      Effect.map(find(agentId), (slot) => {
        slot.enabled = enabled
      })

    return {
      register,
      unregister: (agentId) =>
        Effect.map(find(agentId), () => {
          slots.delete(agentId.toLowerCase())
        }),
      enable: setEnabled(true),
      disable: setEnabled(false),
      get: (agentId) => Effect.map(find(agentId), ({ agent }) => agent),
      list: Effect.sync(() =>
        [...slots.values()]
          .map(({ agent, enabled, registeredAt }) => ({ agent, enabled, registeredAt }))
          .sort((a, b) => (a.agent.id < b.agent.id ? -1 : 1))
      ),
      discover: (query) => Effect.sync(() => explain(query, true).candidates),
      query: (query) => Effect.sync(() => explain(query, false).candidates),
      findAgentsWithSkill: (skill) =>
        Effect.sync(() =>
          [...slots.values()]
            .filter(({ agent }) => agent.capabilities.some((capability) => capability.skill === skill))
            .map(({ agent }) => agent.id)
            .sort()
        ),
      selectAgent: (query) =>
        Effect.suspend(() => {
          const { candidates, rejections } = explain(query, true)
          const agent = candidates[0] && slots.get(candidates[0].agentId.toLowerCase())?.agent
          if (agent !== undefined) return Effect.succeed({ agent, candidates, rejections })
          const skills = [...slots.values()].flatMap((slot) =>
            slot.agent.capabilities.map(({ skill }) => skill)
          )
          return Effect.fail(
            new NoCapableAgent({ query, rejections, knownSkills: [...new Set(skills)].sort() })
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
      metrics: (agentId) =>
        Effect.map(find(agentId), (slot) => {
          const sorted = [...slot.latencies].sort((a, b) => a - b)
          const invocations = slot.successes + slot.failures
          return {
            totalInvocations: invocations,
            successCount: slot.successes,
            failureCount: slot.failures,
            failuresByKind: { ...slot.failuresByKind },
            avgLatencyMs: invocations === 0 ? 0 : slot.totalMillis / invocations,
            p50LatencyMs: quantile(sorted, 0.5),
            p95LatencyMs: quantile(sorted, 0.95),
            p99LatencyMs: quantile(sorted, 0.99),
            totalTokens: slot.tokens,
            costMicroUsd: slot.costMicroUsd,
            lastInvocation: slot.lastInvocation
          }
        }),
      observe: (agentId, invocation) =>
        Effect.clockWith((clock) => {
          const slot = slots.get(agentId.toLowerCase())
          if (slot === undefined) return Effect.void
          if (invocation.failure === undefined) slot.successes++
          else {
            slot.failures++
            slot.failuresByKind[invocation.failure] = (slot.failuresByKind[invocation.failure] ?? 0) + 1
          }
          const invocations = slot.successes + slot.failures
          slot.latencies[(invocations - 1) % window] = invocation.durationMillis
          slot.totalMillis += invocation.durationMillis
          slot.tokens += invocation.usage.inputTokens + invocation.usage.outputTokens
          slot.costMicroUsd += invocation.usage.costMicroUsd
          slot.lastInvocation = currentTimeMillis(clock)
          return Effect.void
        })
    }
  })

/** A registry in memory with these agents in it. */
export const layerMemory = (agents: Iterable<Agent> = []): Layer.Layer<AgentRegistry, AgentRejected> =>
  Layer.effect(AgentRegistry, make(agents))
