import * as Effect from "effect/Effect"
import type { PlannedStep } from "./planStep.js"
import type { Problem } from "./problem.js"

const nothing = { params: null, steps: null, run: null, item: null, index: 0 }

/** Whether the condition of a step is false whatever happens. */
const isNever = ({ when }: PlannedStep): boolean => {
  if (when === undefined || when.references.length > 0) return false
  const holds = Effect.runSyncExit(when.evaluate(nothing))
  return holds._tag === "Success" && !holds.value
}

/** Why a step never runs, because others never do; `at` is the part of it that says so. */
const cutOff = (
  { definition, dependencies, join }: PlannedStep,
  steps: ReadonlyArray<PlannedStep>,
  never: ReadonlySet<number>
): { readonly at: string; readonly message: string } | undefined => {
  const { after = [], compensates } = definition
  if (compensates !== undefined) {
    if (!dependencies.some((index) => never.has(index))) return undefined
    return { at: "compensates", message: `"${compensates}" never runs, so there is nothing to undo` }
  }
  if (join === "allSucceeded") {
    const blocking = dependencies.find((index) => never.has(index))
    const id = blocking === undefined ? undefined : steps[blocking]?.definition.id
    if (id === undefined) return undefined
    const message = `"${id}" never runs, so this step never does; remove it, or give this step the join noneFailed`
    return { at: `after[${after.indexOf(id)}]`, message }
  }
  if (join !== "anySucceeded" || dependencies.length === 0) return undefined
  if (!dependencies.every((index) => never.has(index))) return undefined
  const message = "none of these steps ever runs, so this one never does; let it wait for one that can run"
  return { at: "after", message }
}

/**
 * Steps that never run: those whose condition is false whatever happens, and those that start or have something to undo
 * only where such a one runs. `order` is missing where the steps have none.
 */
export const neverRunning = (
  steps: ReadonlyArray<PlannedStep>,
  order: ReadonlyArray<number> = steps.map(({ index }) => index)
): ReadonlyArray<Problem> => {
  const never = new Set<number>()
  const found = new Map<number, Problem>()
  for (const index of order) {
    const step = steps[index]
    if (step === undefined) continue
    const why = isNever(step)
      ? {
          at: "when",
          message: "this is false whatever happens, so the step never runs; remove it or the condition"
        }
      : never.size === 0
        ? undefined
        : cutOff(step, steps, never)
    if (why === undefined) continue
    never.add(index)
    found.set(index, { path: `steps[${index}].${why.at}`, rule: "unreachable", message: why.message })
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([, problem]) => problem)
}
