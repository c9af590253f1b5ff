import { attenuate, excess, type Granted } from "../Permission.js"
import type { Definition } from "../WorkflowDefinition.js"
import type { Problem } from "./problem.js"

/** What is asked for at a path beyond what is granted there, which is not given. */
export const beyond = (
  granted: Granted,
  wanted: Granted,
  path: string,
  who: string
): ReadonlyArray<Problem> => {
  const found = excess(granted, wanted)
  if (found === "everything") return []
  return found.map((permission) => ({
    path: `${path}[${wanted?.indexOf(permission)}]`,
    rule: "permission",
    message: `${who} does not grant ${permission}, so it is not given here either; add it there, or remove it here`
  }))
}

/** What steps and the workflows inside them ask for beyond what they can be given, where the run grants so much. */
export const excessive = (definition: Definition, granted: Granted): ReadonlyArray<Problem> =>
  definition.steps.flatMap(({ permissions, subworkflow }, index) => {
    const path = `steps[${index}]`
    const found = beyond(granted, permissions, `${path}.permissions`, "the workflow")
    if (subworkflow === undefined) return found
    const given = attenuate(granted, permissions)
    const below = `${path}.subworkflow`
    return [
      ...found,
      ...beyond(given, subworkflow.permissions, `${below}.permissions`, "the step that it is run for"),
      ...excessive(subworkflow, attenuate(given, subworkflow.permissions)).map((problem) => ({
        ...problem,
        path: `${below}.${problem.path}`
      }))
    ]
  })
