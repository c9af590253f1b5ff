import * as Effect from "effect/Effect"
import { findNotJson, type Json } from "../Json.js"
import * as Plan from "../Plan.js"
import type { Definition } from "../WorkflowDefinition.js"
import { copyOf, isSame } from "./jsonValue.js"

/**
 * Plans of copies of definitions, so that a host that changes its own one later changes no run; one that is registered
 * again and again is planned once.
 */
export const makePlanCache = () => {
  const plans = new WeakMap<Definition, { readonly copy: Json; readonly plan: Plan.Plan }>()
  return (definition: Definition): Effect.Effect<Plan.Plan, Plan.InvalidWorkflow> =>
    Effect.suspend(() => {
      // What is no JSON is no definition either, and the plan says so.
      if (findNotJson(definition) !== undefined) return Plan.make(definition)
      const value = definition as unknown as Json
      const known = plans.get(definition)
      if (known !== undefined && isSame(known.copy, value)) return Effect.succeed(known.plan)
      const copy = copyOf(value)
      return Effect.tap(Plan.make(copy as unknown as Definition), (plan) =>
        Effect.sync(() => plans.set(definition, { copy, plan }))
      )
    })
}
