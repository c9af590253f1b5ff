import * as Effect from "effect/Effect"
import type { Failure } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { Json } from "../Json.js"
import { given, listOf } from "./evaluation.js"
import type { Work } from "./planStep.js"

/** What came of a step that needs no agent. */
export type Computed =
  | { readonly _tag: "Computed"; readonly value: Json }
  | { readonly _tag: "NotComputed"; readonly failure: Failure }

const mapped = (
  { value, where }: Extract<Work, { readonly _tag: "Map" }>,
  list: ReadonlyArray<Json>,
  scope: Expression.Scope
) =>
  Effect.gen(function* () {
    const values: Array<Json> = []
    for (const [index, item] of list.entries()) {
      const here = { ...scope, item, index }
      if (where === undefined || (yield* where.evaluate(here))) values.push(yield* value.evaluate(here))
    }
    return values
  })

const reduced = (
  { initial, value }: Extract<Work, { readonly _tag: "Reduce" }>,
  list: ReadonlyArray<Json>,
  scope: Expression.Scope
) =>
  Effect.gen(function* () {
    let acc = yield* initial.evaluate(scope)
    for (const [index, item] of list.entries()) acc = yield* value.evaluate({ ...scope, item, index, acc })
    return acc
  })

/** Does a step that needs no agent; other fibers get their turns in between. */
export const compute = (
  work: Extract<Work, { readonly _tag: "Map" | "Reduce" }>,
  scope: Expression.Scope
): Effect.Effect<Computed> =>
  Effect.flatMap(
    listOf(work.over, scope, "list"),
    (list): Effect.Effect<Json, Failure> =>
      given<Json>(work._tag === "Map" ? mapped(work, list, scope) : reduced(work, list, scope))
  ).pipe(
    Effect.match({
      onSuccess: (value) => ({ _tag: "Computed", value }) as const,
      onFailure: (failure) => ({ _tag: "NotComputed", failure }) as const
    })
  )
