import { type Agent, AgentError } from "../Agent.js"
import { type Capability, concurrencyOf, inputMismatches, outputMismatches } from "../Capability.js"
import type { Mismatch } from "../CapabilityType.js"
import { quantity } from "../Constraint.js"
import type { Json } from "../Json.js"

/** What an agent says of how it may be used for a skill, and what it is given and gives then. */
export interface AgentLimits {
  /** How many attempts it makes at once. */
  readonly concurrency: number | undefined
  /** How long an attempt may take, in milliseconds. */
  readonly durationMillis: number
  /** What is wrong with an input, where the agent has a Schema for that. */
  readonly wrongInput: (input: Json) => AgentError | undefined
  /** What is wrong with an output, where the agent has a Schema for that. */
  readonly wrongOutput: (output: Json) => AgentError | undefined
}

const known = new WeakMap<Agent, Map<string | undefined, AgentLimits>>()

/** The longest that any of the capabilities takes, any of which may be the one that is used; infinity where one does not say. */
const longest = (capabilities: ReadonlyArray<Capability>): number =>
  capabilities.reduce((most, { constraints: { maxDuration } }) => {
    const bound = maxDuration === undefined ? undefined : quantity(maxDuration)
    return Math.max(most, bound ?? Number.POSITIVE_INFINITY)
  }, 0) || Number.POSITIVE_INFINITY

/** Says what is wrong with a value by the capability that it comes nearest to; nothing where none has a Schema. */
const checkBy = (
  capabilities: ReadonlyArray<Capability>,
  find: (capability: Capability, value: Json) => ReadonlyArray<Mismatch>,
  hasSchema: (capability: Capability) => boolean,
  failure: (mismatch: Mismatch) => AgentError
): ((value: Json) => AgentError | undefined) => {
  if (capabilities.length === 0 || !capabilities.every(hasSchema)) return () => undefined
  return (value) => {
    let nearest: ReadonlyArray<Mismatch> | undefined
    for (const capability of capabilities) {
      const found = find(capability, value)
      if (found.length === 0) return undefined
      if (nearest === undefined || found.length < nearest.length) nearest = found
    }
    const first = nearest?.[0]
    return first === undefined ? undefined : failure(first)
  }
}

const said = ({ message, path }: Mismatch): string => (path === "" ? message : `${path}: ${message}`)

const isSchema = (type: Capability["inputTypes"][number]): boolean => typeof type !== "string"

const make = (agent: Agent, skill: string | undefined): AgentLimits => {
  const able = agent.capabilities.filter((each) => skill === undefined || each.skill === skill)
  return {
    concurrency: concurrencyOf(agent.capabilities, skill),
    durationMillis: longest(able),
    wrongInput: checkBy(
      able,
      inputMismatches,
      ({ inputTypes }) => inputTypes.some(isSchema),
      ({ message, path }) =>
        new AgentError({
          kind: "InvalidInput",
          reason: `the agent "${agent.id}" does not take this input: ${said({ message, path })}`
        })
    ),
    wrongOutput: checkBy(
      able,
      outputMismatches,
      ({ outputTypes }) => outputTypes.some(isSchema),
      ({ message, path }) =>
        new AgentError({
          kind: "InvalidOutput",
          reason: `its output is not what its capability says: ${said({ message, path })}`
        })
    )
  }
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
  const limits = make(agent, skill)
  ofAgent.set(skill, limits)
  return limits
}
