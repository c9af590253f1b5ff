import type { Agent } from "../Agent.js"
import { type Capability, quantity } from "../Capability.js"

/** What an agent says of how it may be used for a skill. */
export interface AgentLimits {
  /** How many attempts it makes at once. */
  readonly concurrency: number | undefined
  /** How long an attempt may take, in milliseconds. */
  readonly durationMillis: number | undefined
}

const known = new WeakMap<Agent, Map<string | undefined, AgentLimits>>()

/** The bound that holds where any of the capabilities may be the one that is used; none where one of them has none. */
const loosest = (capabilities: ReadonlyArray<Capability>, key: string): number | undefined => {
  let most = 0
  for (const { constraints } of capabilities) {
    const declared = constraints[key]
    const bound = declared === undefined ? undefined : quantity(declared)
    if (bound === undefined) return undefined
    most = Math.max(most, bound)
  }
  return most === 0 ? undefined : most
}

/** The limits of an agent for a skill, or where none is named for whatever it does. */
export const limitsOf = (agent: Agent, skill: string | undefined): AgentLimits => {
  let ofAgent = known.get(agent)
  if (ofAgent === undefined) {
    ofAgent = new Map()
    known.set(agent, ofAgent)
  }
  const found = ofAgent.get(skill)
  if (found !== undefined) return found
  const able = agent.capabilities.filter((each) => skill === undefined || each.skill === skill)
  const limits = {
    concurrency: loosest(able, "maxConcurrency"),
    durationMillis: loosest(able, "maxDuration")
  }
  ofAgent.set(skill, limits)
  return limits
}
