import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Agent from "../Agent.js"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { AgentId } from "../Ids.js"
import type { PlannedStep } from "./planStep.js"

/** Agents to try in turn. */
export type Agents = [Agent.Agent, ...Array<Agent.Agent>]

/** The agents to try, best first: the named one and its named fallbacks, or what the registry finds for the skill. */
export const candidates = (
  step: PlannedStep,
  registry: AgentRegistry.Service
): Effect.Effect<Agents, AgentRegistry.AgentNotFound | AgentRegistry.NoCapableAgent> => {
  const { agent, fallback } = step.definition
  const others = typeof fallback === "object" ? fallback : []
  const rest = (ids: ReadonlyArray<AgentId>) => Effect.forEach(ids, registry.get)
  if (agent !== undefined) {
    return Effect.zipWith(registry.get(agent), rest(others), (first, more): Agents => [first, ...more])
  }
  return Effect.flatMap(registry.selectAgent(step.query), (selection) => {
    const first = selection.agent
    if (fallback === false || (others.length === 0 && selection.candidates.length === 1))
      return Effect.succeed<Agents>([first])
    if (others.length > 0) return Effect.map(rest(others), (more): Agents => [first, ...more])
    // One that was unregistered since the selection is no candidate any more.
    return Effect.map(
      Effect.forEach(selection.candidates.slice(1), ({ agentId }) => Effect.option(registry.get(agentId))),
      (more): Agents => [first, ...more.flatMap(Option.toArray)]
    )
  })
}

/** The agents from the one on that an item was left off with, so that a pause or a crash gives nobody another chance. */
export const takeUp = (
  agents: Agents,
  job: { readonly agentId: AgentId | undefined; readonly tries: number }
): { readonly agents: Agents; readonly tries: number } => {
  if (job.agentId === undefined) return { agents, tries: 1 }
  const at = agents.findIndex(({ id }) => id === job.agentId)
  const [agent, ...others] = agents.slice(Math.max(0, at))
  return at < 0 || agent === undefined
    ? { agents, tries: 1 }
    : { agents: [agent, ...others], tries: job.tries }
}
