import * as Effect from "effect/Effect"
import { didYouMean } from "../Nearest.js"
import * as Plan from "../Plan.js"
import type { GroupLimit } from "./limiter.js"

type Parts = { readonly [name: string]: unknown }

/** The parts of what may be no definition at all. */
const partsOf = (value: unknown): Parts =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Parts) : {}

/** The groups that are named in a definition, in the workflows that are steps of it too, each with its path. */
const namedIn = (definition: unknown, prefix: string): ReadonlyArray<readonly [string, string]> => {
  const { defaults, steps } = partsOf(definition)
  const group = (part: unknown, path: string): ReadonlyArray<readonly [string, string]> => {
    const { group: name } = partsOf(part)
    return typeof name === "string" && name !== "" ? [[`${path}.group`, name]] : []
  }
  return [
    ...group(defaults, `${prefix}defaults`),
    ...(Array.isArray(steps) ? steps : []).flatMap((step: unknown, index) => {
      const path = `${prefix}steps[${index}]`
      const { subworkflow } = partsOf(step)
      return [
        ...group(step, path),
        ...(subworkflow === undefined ? [] : namedIn(subworkflow, `${path}.subworkflow.`))
      ]
    })
  ]
}

/**
 * The plan of a definition; fails also where a step names a group that has no limits, though others have: it would run
 * without any. That is reported together with all else that is wrong.
 */
export const planInGroups = <Definition>(
  definition: Definition,
  groups: Readonly<Record<string, GroupLimit>> = {},
  planOf: (definition: Definition) => Effect.Effect<Plan.Plan, Plan.InvalidWorkflow>
): Effect.Effect<Plan.Plan, Plan.InvalidWorkflow> => {
  const known = Object.keys(groups)
  if (known.length === 0) return planOf(definition)
  const invalid = (workflow: string, problems: ReadonlyArray<Plan.Problem>) => {
    const unknown = namedIn(definition, "").flatMap(([path, name]): ReadonlyArray<Plan.Problem> => {
      if (known.includes(name)) return []
      const hint = didYouMean(name, known) || `; there is ${known.join(", ")}`
      return [{ path, rule: "group", message: `there is no group "${name}"${hint}` }]
    })
    return new Plan.InvalidWorkflow({ workflow, problems: [...problems, ...unknown] })
  }
  return Effect.matchEffect(planOf(definition), {
    onFailure: ({ problems, workflow }) => Effect.fail(invalid(workflow, problems)),
    onSuccess: (plan) => {
      const error = invalid(plan.definition.name, [])
      return error.problems.length === 0 ? Effect.succeed(plan) : Effect.fail(error)
    }
  })
}
