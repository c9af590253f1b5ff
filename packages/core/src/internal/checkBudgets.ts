import { type Budget, dimensions, type StepBudget, show } from "../Budget.js"
import type { Definition } from "../WorkflowDefinition.js"
import type { Problem } from "./problem.js"

const limitsSomething = (budget: Budget | StepBudget): boolean =>
  dimensions.some((dimension) => budget[dimension] !== undefined)

/** What is wrong with the budget at a path. */
export const budgetProblems = (
  budget: Budget | StepBudget | undefined,
  path: string
): ReadonlyArray<Problem> => {
  if (budget === undefined || limitsSomething(budget) || "estimate" in budget) return []
  const message = "this limits nothing; give it tokens, costMicroUsd or wallMillis, or remove it"
  return [{ path, rule: "budget", message }]
}

/** What is wrong with the budgets of a workflow. */
export const problemsOfBudgets = ({ budget, steps }: Definition): ReadonlyArray<Problem> => [
  ...budgetProblems(budget, "budget"),
  ...steps.flatMap((step, index) => budgetProblems(step.budget, `steps[${index}].budget`))
]

/** Estimates that do not fit below a ceiling, so that the step stops before its first attempt. */
export const tightEstimates = ({ budget: whole, steps }: Definition): ReadonlyArray<Problem> =>
  steps.flatMap(({ budget }, index) =>
    (["tokens", "costMicroUsd"] as const).flatMap((dimension): ReadonlyArray<Problem> => {
      const estimate = budget?.estimate?.[dimension] ?? 0
      const limit = Math.min(...[budget, whole].map((each) => each?.[dimension] ?? Number.POSITIVE_INFINITY))
      if (estimate <= limit) return []
      const path = `steps[${index}].budget.estimate.${dimension}`
      const message = `one attempt is estimated at ${show(dimension, estimate)}, and there are ${show(dimension, limit)} in all, so that none can begin; lower one or raise the other`
      return [{ path, rule: "budget", message }]
    })
  )
