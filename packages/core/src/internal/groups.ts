import * as Effect from "effect/Effect"
import { didYouMean } from "../Nearest.js"
import * as Plan from "../Plan.js"
import type { GroupLimit } from "./limiter.js"

/** Fails where a step names a group that has no limits, though others have: it would run without any. */
export const checkGroups = (
  { definition, steps }: Plan.Plan,
  groups: Readonly<Record<string, GroupLimit>> = {}
): Effect.Effect<void, Plan.InvalidWorkflow> => {
  const known = Object.keys(groups)
  if (known.length === 0) return Effect.void
  const problems = steps.flatMap(({ definition: { group }, index }): ReadonlyArray<Plan.Problem> => {
    if (group === undefined || known.includes(group)) return []
    const message = `there is no group "${group}"${didYouMean(group, known) || `; there is ${known.join(", ")}`}`
    return [{ path: `steps[${index}].group`, rule: "group", message }]
  })
  return problems.length === 0
    ? Effect.void
    : Effect.fail(new Plan.InvalidWorkflow({ workflow: definition.name, problems }))
}
