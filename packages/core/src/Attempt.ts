import type { Entry } from "./Event.js"
import type { AgentId } from "./Ids.js"
import type { Run } from "./RunState.js"
import * as Usage from "./Usage.js"

/**
 * What an agent did in one attempt that it answered, with a result or with a failure. `skill` is what it was asked for, where
 * its step names a skill; `failure` is the kind of the failure.
 */
export interface Attempt {
  readonly agentId: AgentId
  readonly skill: string | undefined
  /** From the start of the attempt to its answer. */
  readonly durationMillis: number
  /** Of this attempt alone. */
  readonly usage: Usage.Usage
  readonly failure: string | undefined
}

/**
 * The attempt that an entry is the answer of, seen from its run before the entry is applied. What was interrupted was not
 * answered; and what an item came to that is a run itself, or for which no agent was found, was no attempt of an agent.
 */
export const attemptOf = (run: Run, { event, time }: Entry): Attempt | undefined => {
  if (event._tag !== "ItemCompleted" && event._tag !== "ItemFailed") return undefined
  const step = run.steps.get(event.stepId)
  const item = step?.items[event.index]
  if (step === undefined || item?.status !== "Running" || item.childId !== undefined) return undefined
  const agentId = event._tag === "ItemCompleted" ? event.agentId : event.error.agentId
  if (agentId === undefined) return undefined
  return {
    agentId,
    skill: step.skill,
    durationMillis: Math.max(0, time - item.startedAt - item.attemptAfter),
    usage: Usage.subtract(event.metrics.usage, item.usageBefore),
    failure: event._tag === "ItemCompleted" ? undefined : event.error.kind
  }
}
