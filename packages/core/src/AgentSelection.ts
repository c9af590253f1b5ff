import * as Schema from "effect/Schema"
import type { Agent } from "./Agent.js"
import * as Capability from "./Capability.js"
import { AgentId } from "./Ids.js"
import { didYouMean } from "./Nearest.js"
import { type Granted, Permission } from "./Permission.js"
import type { SelectionStrategy } from "./SelectionStrategy.js"

/** Why one agent was not selected; `permission` is the first one that it needs and is not granted, where that is why. */
export const Rejection = Schema.Struct({
  agentId: AgentId,
  stage: Schema.Literal("skill", "type", "constraint", "permission", "health"),
  reason: Schema.String,
  permission: Schema.optionalWith(Permission, { exact: true })
})
export type Rejection = typeof Rejection.Type

const nearness: { readonly [Stage in Rejection["stage"]]: number } = {
  health: 4,
  permission: 3,
  constraint: 2,
  type: 1,
  skill: 0
}

/**
 * No agent can do it; the nearest miss is the one that failed last in the order skill, type, constraint, permission, health.
 * `availableAt` is when the first agent that could do it is given work again, in milliseconds since 1970: it is held, or its
 * circuit is open, until then. It is absent where waiting does not help. `heldUntil` is the same of those that are only held, by a
 * limit that their providers told the end of, so that it is known that they come back.
 */
export class NoCapableAgent extends Schema.TaggedError<NoCapableAgent>()("NoCapableAgent", {
  query: Capability.CapabilityQuery,
  rejections: Schema.Array(Rejection),
  knownSkills: Schema.Array(Schema.String),
  availableAt: Schema.optionalWith(Schema.NonNegativeInt, { exact: true }),
  heldUntil: Schema.optionalWith(Schema.NonNegativeInt, { exact: true })
}) {
  /** The agent that came closest. */
  get nearest(): Rejection | undefined {
    let nearest: Rejection | undefined
    for (const each of this.rejections)
      if (nearest === undefined || nearness[each.stage] > nearness[nearest.stage]) nearest = each
    return nearest
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

/** What a selection depends on beside the query. */
export interface SelectionContext {
  /** How one of several is chosen; `best-match` by default. */
  readonly strategy?: SelectionStrategy | undefined
  /** The agent that the strategy `sticky` stays with. */
  readonly sticky?: AgentId | undefined
  /** What the run grants; agents that require more are no candidates. */
  readonly granted?: Granted
  /** Agents that are to be passed over, such as those that were tried already. */
  readonly except?: ReadonlyArray<AgentId> | undefined
}

/** How a score came about; every factor is better the higher it is. */
export interface Factors {
  /** The share of invocations that succeed, as far as is known; between 0 and 1. */
  readonly success: number
  /** How quick successes are, between 0 and 1: a half at 30 s. */
  readonly latency: number
  /** How cheap invocations are, between 0 and 1: a half at 0.10 USD. */
  readonly cost: number
  /** What the score is multiplied by for the health of the agent: 1, or 0.75 where it is degraded. */
  readonly health: number
  /** What is added for how little is known of the agent; 0 where nothing is known of any. */
  readonly exploration: number
}

/** An agent that answers a query, with what matched and how it ranks. */
export interface AgentMatch {
  readonly agentId: AgentId
  readonly matchedCapabilities: ReadonlyArray<Capability.Capability>
  readonly priority: number
  readonly score: number
  readonly factors: Factors
  /** How many invocations it has under way. */
  readonly load: number
  /** Whether it may begin another one by the concurrency that it declares. */
  readonly hasRoom: boolean
}

/**
 * The answer to a selection: who does it, who else could, best first, and why nobody else. The lists are made when they are
 * first looked at, as of then, since most selections need the agent only.
 */
export interface Selection {
  readonly agent: Agent
  readonly candidates: ReadonlyArray<AgentMatch>
  readonly rejections: ReadonlyArray<Rejection>
}

/** Every agent, either as a candidate, best first, or with the reason why it is none. */
export interface Explanation {
  readonly candidates: ReadonlyArray<AgentMatch>
  readonly rejections: ReadonlyArray<Rejection>
}
