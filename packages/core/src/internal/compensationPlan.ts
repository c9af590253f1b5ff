import type { Definition, StepDefinition } from "../WorkflowDefinition.js"
import type { Report } from "./problem.js"

/** Whether a step is there to undo what another one does. */
export const isCompensation = (step: StepDefinition | undefined): boolean => step?.compensates !== undefined

const withoutAgent = ["map", "reduce", "approval", "wait"] as const

/** Reports what a step says and cannot, because it compensates another one. */
const checkFields = (step: StepDefinition, index: number, report: Report): void => {
  const path = `steps[${index}]`
  for (const name of ["after", "join"] as const) {
    if (step[name] !== undefined)
      report(
        `${path}.${name}`,
        "compensation",
        `"${step.id}" compensates "${step.compensates}" and waits for no other step; remove this`
      )
  }
  for (const name of withoutAgent) {
    if (step[name] !== undefined)
      report(
        `${path}.${name}`,
        "compensation",
        `what compensates a step is done by an agent; give a skill or the id of an agent instead of ${name}`
      )
  }
}

/** The steps that are compensated by the positions of those that do it, as far as nothing is wrong with them. */
export const targetsOf = (
  { steps }: Definition,
  positions: ReadonlyMap<string, number>,
  hintFor: (id: string) => string,
  report: Report
): ReadonlyMap<number, number> => {
  const targets = new Map<number, number>()
  const takenBy = new Map<number, string>()
  for (const [index, step] of steps.entries()) {
    const { compensates: id } = step
    if (id === undefined) continue
    checkFields(step, index, report)
    const problem = (message: string) => report(`steps[${index}].compensates`, "compensation", message)
    const target = positions.get(id)
    const other = target === undefined ? undefined : takenBy.get(target)
    if (target === undefined) problem(`there is no step "${id}"${hintFor(id)}`)
    else if (target === index) problem(`"${id}" is this step itself; name the step whose effects it undoes`)
    else if (isCompensation(steps[target]))
      problem(
        `"${id}" compensates a step itself, and what undoes something is not undone; remove one of them`
      )
    else if (other !== undefined)
      problem(`"${id}" is compensated by "${other}" already; let one step do it all`)
    else {
      takenBy.set(target, step.id)
      targets.set(index, target)
    }
  }
  return targets
}
