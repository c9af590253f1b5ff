import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Agent from "../Agent.js"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { CapabilityQuery } from "../Capability.js"
import type { AgentId } from "../Ids.js"
import type { Granted } from "../Permission.js"
import type { PlannedStep } from "./planStep.js"

/** Who is to try first, and who next: they are only looked for where the first one has failed. */
export interface Lineup {
  readonly agent: Agent.Agent
  readonly others: Effect.Effect<ReadonlyArray<Agent.Agent>>
}

const nobody: Effect.Effect<ReadonlyArray<Agent.Agent>> = Effect.succeed([])

/** A line-up of agents that are known. */
export const lineup = (agent: Agent.Agent, others: ReadonlyArray<Agent.Agent>): Lineup => ({
  agent,
  others: others.length === 0 ? nobody : Effect.succeed(others)
})

/** What a registry is asked for one item of a step. */
export interface Asking {
  readonly registry: AgentRegistry.Service
  readonly step: PlannedStep
  readonly query: CapabilityQuery
  readonly granted: Granted
  /** Who did it before for this run. */
  readonly sticky: () => AgentId | undefined
}

const contextOf = ({ granted, step, sticky }: Asking): AgentRegistry.SelectionContext => {
  const strategy = step.definition.select
  const before = strategy === "sticky" ? sticky() : undefined
  return {
    ...(strategy === undefined ? {} : { strategy }),
    ...(before === undefined ? {} : { sticky: before }),
    ...(granted === undefined ? {} : { granted })
  }
}

/** Whom to try: the named one and its named fallbacks, or what the registry finds for the skill, best first. */
export const candidates = (
  asking: Asking
): Effect.Effect<Lineup, AgentRegistry.AgentNotFound | AgentRegistry.NoCapableAgent> => {
  const { registry, step } = asking
  const { agent, fallback } = step.definition
  const named = typeof fallback === "object" && fallback.length > 0 ? fallback : undefined
  const rest = Effect.forEach(named ?? [], registry.get)
  if (agent !== undefined)
    return named === undefined
      ? Effect.map(registry.get(agent), (first): Lineup => ({ agent: first, others: nobody }))
      : Effect.zipWith(registry.get(agent), rest, lineup)
  return Effect.flatMap(registry.selectAgent(asking.query, contextOf(asking)), (selection) => {
    const first = selection.agent
    if (named !== undefined) return Effect.map(rest, (more) => lineup(first, more))
    if (fallback === false) return Effect.succeed<Lineup>({ agent: first, others: nobody })
    const others = Effect.suspend(() =>
      Effect.map(
        // They are those of this moment: the first one may be none of them any more, and another one be gone.
        Effect.forEach(
          selection.candidates.filter(({ agentId }) => agentId !== first.id),
          ({ agentId }) => Effect.option(registry.get(agentId))
        ),
        (more) => more.flatMap(Option.toArray)
      )
    )
    return Effect.succeed<Lineup>({ agent: first, others })
  })
}

/** Those of some agents that can be given the item now, in their order. */
export const available = (
  agents: ReadonlyArray<Agent.Agent>,
  { granted, query, registry, step }: Asking
): Effect.Effect<ReadonlyArray<Agent.Agent>> => {
  if (agents.length === 0) return Effect.succeed([])
  const { agent, fallback } = step.definition
  // Those that are named need not have the skill.
  const asked = agent === undefined && typeof fallback !== "object" ? query : { requiredSkills: [] }
  return Effect.map(registry.explain(asked, { granted }), ({ candidates }) => {
    const free = new Set(candidates.map(({ agentId }) => agentId))
    return agents.filter(({ id }) => free.has(id))
  })
}

/** Those from the one on that an item was left off with, so that a pause or a crash gives nobody another chance. */
export const takeUp = (
  found: Lineup,
  job: { readonly agentId: AgentId | undefined; readonly tries: number }
): Effect.Effect<{ readonly line: Lineup; readonly tries: number }> => {
  if (job.agentId === undefined) return Effect.succeed({ line: found, tries: 1 })
  if (found.agent.id === job.agentId) return Effect.succeed({ line: found, tries: job.tries })
  return Effect.map(found.others, (others) => {
    const at = others.findIndex(({ id }) => id === job.agentId)
    const agent = others[at]
    return agent === undefined
      ? { line: found, tries: 1 }
      : { line: lineup(agent, others.slice(at + 1)), tries: job.tries }
  })
}
