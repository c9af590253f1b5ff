import type { AgentError, AgentEvent } from "@switchyard/core/Agent"
import type { Entry, Event } from "@switchyard/core/Event"
import type { RunId } from "@switchyard/core/Ids"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Spec, scriptOf } from "./workflows.js"

/** The id of the run of the drawn workflow. */
export const drawn = "drawn" as RunId

const settles = /^Step(Completed|Failed|Skipped|Cancelled)$/

/** What can be seen from outside while a workflow is executed: the calls of its agent, and what becomes durable when. */
export interface World {
  readonly agent: ScriptedAgent.ScriptedAgent
  /** A host begins; `isDead` says whether it is gone, so that what it does means nothing any more. */
  readonly begin: (isDead: () => boolean) => void
  /** How many items may be under way at once. */
  readonly limit: () => number
  readonly allow: (limit: number) => void
  /** Sees what a host gives to its log. */
  readonly handed: (runId: RunId, events: ReadonlyArray<Event>) => void
  /** Sees what has become durable. */
  readonly kept: (entry: Entry) => void
  readonly isSettled: (stepId: string) => boolean
  /** Whether it is durable that the run has ended. */
  readonly isOver: () => boolean
}

/** The world of a drawn workflow; what must not be is added to `wrong`. */
export const makeWorld = (spec: Spec, wrong: Array<string>): World => {
  const settled = new Set<string>()
  const completed = new Set<string>()
  const perStep = new Map<string, number>()
  let limit = spec.concurrency ?? Number.POSITIVE_INFINITY
  let durableLimit = limit
  let begun = false
  let over = false
  let isDead = () => false

  const stepOf = (stepId: string) => spec.steps[Number(stepId.slice(1))]

  /** The dependencies of a step must have settled, and nobody may be able to forget it. */
  const mayStart = (stepId: string, what: string): void => {
    for (const dependency of stepOf(stepId)?.after ?? [])
      if (!settled.has(`s${dependency}`))
        wrong.push(`${what} of ${stepId} before the end of s${dependency} is durable`)
  }

  const script = scriptOf(() => spec)
  const scripted: ScriptedAgent.ScriptedAgent = ScriptedAgent.make("work", (task, call) => {
    const { attempt, index, runId, stepId } = task
    if (isDead()) return [ScriptedAgent.hang]
    if (runId !== drawn) return [ScriptedAgent.wait(1), ScriptedAgent.give(index)]
    const running = scripted.running()
    // A repetition belongs to an item that is under way already, maybe since before the limit was lowered.
    if (attempt === 1 && running > limit) wrong.push(`${running} under way, allowed are ${limit}`)
    const cap = stepOf(stepId)?.concurrency ?? Number.POSITIVE_INFINITY
    const now = perStep.get(stepId) ?? 0
    if (now > cap) wrong.push(`${now} of ${stepId} under way, allowed are ${cap}`)
    mayStart(stepId, "a call")
    if (!begun) wrong.push(`${stepId}/${index} is done before it is durable that the run has started`)
    if (completed.has(`${stepId}/${index}`)) wrong.push(`${stepId}/${index} is done again`)
    if (settled.has(stepId)) wrong.push(`${stepId}/${index} is done after the end of its step`)
    if (over) wrong.push(`${stepId}/${index} is done after the end of the run`)
    return script(task, call)
  })

  const count = (stepId: string, change: 1 | -1) =>
    Effect.sync(() => {
      perStep.set(stepId, (perStep.get(stepId) ?? 0) + change)
    })
  const agent: ScriptedAgent.ScriptedAgent = {
    ...scripted,
    run: (task) =>
      Stream.unwrapScoped(
        Effect.as(
          Effect.acquireRelease(count(task.stepId, 1), () => count(task.stepId, -1)),
          scripted.run(task) as Stream.Stream<AgentEvent, AgentError>
        )
      )
  }

  return {
    agent,
    begin: (dead) => {
      isDead = dead
      limit = durableLimit
    },
    limit: () => limit,
    allow: (next) => {
      limit = next
    },
    handed: (runId, events) => {
      if (runId !== drawn) return
      for (const event of events) {
        if (event._tag === "StepStarted" || event._tag === "StepWaiting" || event._tag === "ItemStarted")
          mayStart(event.stepId, event._tag)
      }
    },
    kept: ({ event, runId }) => {
      if (runId !== drawn) return
      if (settles.test(event._tag) && "stepId" in event) settled.add(String(event.stepId))
      else if (event._tag === "ItemCompleted") completed.add(`${event.stepId}/${event.index}`)
      else if (event._tag === "RunStarted") begun = true
      else if (event._tag === "ConcurrencySet") durableLimit = event.limit
      else if (event._tag === "RunCompleted" || event._tag === "RunFailed" || event._tag === "RunCancelled")
        over = true
    },
    isSettled: (stepId) => settled.has(stepId),
    isOver: () => over
  }
}
