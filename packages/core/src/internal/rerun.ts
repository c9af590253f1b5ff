import type { EventOf } from "../Event.js"
import type { StepId } from "../Ids.js"
import type { Json } from "../Json.js"
import { didYouMean } from "../Nearest.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import { undoneIn } from "./compensation.js"
import { isCompensation } from "./compensationPlan.js"
import { hasItems } from "./planStep.js"
import { itemViews } from "./schedule.js"

/** From where on a run is done again. */
export type RerunFrom = "start" | "failure" | { readonly step: string; readonly input?: Json }

/** What a run that does another one again begins with, or why it cannot. */
export type Rerun =
  | {
      readonly origin: NonNullable<EventOf<"RunRegistered">["origin"]>
      readonly inputs: EventOf<"RunRegistered">["inputs"]
      readonly reused: ReadonlyArray<EventOf<"StepReused">>
    }
  | { readonly reason: string }

/**
 * The positions of steps that are done again: these, those that have not come to an end that can be kept or whose effects
 * were undone, and all that follow.
 */
const again = (run: Run.Run, plan: Plan, chosen: number | undefined): ReadonlySet<number> => {
  const found = new Set<number>()
  const undone = undoneIn(run, plan)
  for (const index of plan.order) {
    const step = plan.steps[index]
    const status = step === undefined ? undefined : run.steps.get(step.definition.id)?.status
    const kept = status === "Succeeded" || status === "Skipped"
    const follows = step?.dependencies.some((dependency) => found.has(dependency)) ?? false
    if (index === chosen || !kept || follows || undone.has(index)) found.add(index)
  }
  return found
}

const reusedOf = (run: Run.Run, plan: Plan, chosen: number | undefined) => {
  const redone = again(run, plan, chosen)
  return plan.steps.flatMap(({ definition, forEach, index }): ReadonlyArray<EventOf<"StepReused">> => {
    const state = run.steps.get(definition.id)
    if (state?.status !== "Succeeded" || redone.has(index)) return []
    const isForEach = forEach !== undefined
    const items = isForEach ? { items: itemViews(state) } : {}
    const output = Run.stepOutput(state, isForEach)
    return [{ _tag: "StepReused", stepId: definition.id, runId: run.id, output, ...items }]
  })
}

/** What another run can keep of this one. */
export const rerunOf = (run: Run.Run, plan: Plan, from: RerunFrom): Rerun => {
  if (!Run.isTerminal(run.status) && run.status !== "Interrupted")
    return {
      reason: `it is ${run.status === "OverBudget" ? "over its budget" : run.status.toLowerCase()}; wait for its end, or cancel it`
    }
  if (from === "start") return { origin: { runId: run.id, from }, inputs: undefined, reused: [] }
  if (from === "failure") {
    if (run.status === "Completed") return { reason: "it has completed, so it has no failure to go on from" }
    return { origin: { runId: run.id, from }, inputs: undefined, reused: reusedOf(run, plan, undefined) }
  }
  const chosen = plan.indexOf(from.step)
  const step = chosen === undefined ? undefined : plan.steps[chosen]
  if (chosen === undefined || step === undefined) {
    const hint = didYouMean(
      from.step,
      plan.steps.map(({ definition }) => definition.id)
    )
    return { reason: `it has no step "${from.step}"${hint}` }
  }
  if (isCompensation(step.definition)) {
    const target = `"${step.definition.compensates}"`
    return {
      reason: `"${from.step}" only undoes what ${target} does; do ${target} again, or go on from the failure`
    }
  }
  if (from.input !== undefined && (!hasItems(step.work) || step.forEach !== undefined))
    return { reason: `"${from.step}" has no input of its own to be changed` }
  const stepId: StepId = step.definition.id
  return {
    origin: { runId: run.id, from: "step", stepId },
    inputs: from.input === undefined ? undefined : { [stepId]: from.input },
    reused: reusedOf(run, plan, chosen)
  }
}
