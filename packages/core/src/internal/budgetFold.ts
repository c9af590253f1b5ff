import type { Budget, Ceilings, Mark, StepBudget } from "../Budget.js"
import type { EventOf } from "../Event.js"
import type { Run } from "../RunState.js"
import type { StepState } from "../StepState.js"

/** How long a run has been running at a time. */
export const ranFor = ({ ranMillis, runningSince }: Run, time: number): number =>
  ranMillis + (runningSince === undefined ? 0 : Math.max(0, time - runningSince))

/** How long a step has been under way at a time, while its run was running. */
export const stepRanFor = (run: Run, { ranBefore, startedAt }: StepState, time: number): number =>
  startedAt === undefined ? 0 : Math.max(0, ranFor(run, time) - ranBefore)

/** What tells the warnings of a run apart: there is one per scope, dimension and ceiling. */
export const warningKey = ({ dimension, limit, scope, stepId }: Omit<Mark, "spent">): string =>
  `${scope} ${stepId ?? ""} ${dimension} ${limit}`

const given = ({ costMicroUsd, tokens, wallMillis }: Ceilings): Ceilings => ({
  ...(tokens === undefined ? {} : { tokens }),
  ...(costMicroUsd === undefined ? {} : { costMicroUsd }),
  ...(wallMillis === undefined ? {} : { wallMillis })
})

/** Puts new ceilings in the place of those that there are. */
export const raise = (run: Run, event: EventOf<"BudgetRaised">): void => {
  const ceilings = given(event)
  if (event.stepId === undefined) run.budget = { ...run.budget, ...ceilings }
  else run.raised.set(event.stepId, { ...run.raised.get(event.stepId), ...ceilings })
}

/** The budget of a step with the ceilings that it has now. */
export const raisedOf = (
  run: Run,
  stepId: string,
  budget: StepBudget | undefined
): StepBudget | undefined => {
  const raised = run.raised.get(stepId)
  return budget === undefined || raised === undefined ? budget : { ...budget, ...raised }
}

/** The budget of the run, or of one of its steps, with the ceilings that it has now. */
export const budgetOf = (run: Run, stepId?: string): Budget | StepBudget | undefined => {
  if (stepId === undefined) return run.budget
  return raisedOf(run, stepId, run.definition.steps.find(({ id }) => id === stepId)?.budget)
}
