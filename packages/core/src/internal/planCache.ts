import * as Effect from "effect/Effect"
import { findNotJson } from "../Json.js"
import * as Plan from "../Plan.js"
import type { Definition } from "../Workflow.js"

/**
 * Plans of copies of definitions, so that a host that changes its own one later changes no run; one that is registered
 * again and again is planned once.
 */
export const makePlanCache = () => {
  const plans = new WeakMap<Definition, { readonly text: string; readonly plan: Plan.Plan }>()
  return (definition: Definition): Effect.Effect<Plan.Plan, Plan.InvalidWorkflow> =>
    Effect.gen(function* () {
      const text = findNotJson(definition) === undefined ? JSON.stringify(definition) : undefined
      const known = plans.get(definition)
      if (known !== undefined && known.text === text) return known.plan
      const plan = yield* Plan.make(text === undefined ? definition : JSON.parse(text))
      if (text !== undefined) plans.set(definition, { text, plan })
      return plan
    })
}
