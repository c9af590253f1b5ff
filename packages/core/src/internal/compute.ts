import * as Effect from "effect/Effect"
import type { Failure } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { Json } from "../Json.js"
import type { Work } from "./planStep.js"

/** What came of a step that needs no agent. */
export type Computed =
  | { readonly _tag: "Computed"; readonly value: Json }
  | { readonly _tag: "NotComputed"; readonly failure: Failure }

/** The list that an expression gave, or why it is none. */
export const asList = (value: Json, what: string): ReadonlyArray<Json> | Failure =>
  Array.isArray(value)
    ? value
    : {
        kind: "InvalidInput",
        message: `its ${what} gave ${JSON.stringify(value).slice(0, 200)}, which is not a list`
      }

const isFailure = (list: ReadonlyArray<Json> | Failure): list is Failure => !Array.isArray(list)

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
  Effect.gen(function* () {
    const list = asList(yield* work.over.evaluate(scope), "list")
    if (isFailure(list)) return { _tag: "NotComputed", failure: list } as const
    const value: Json =
      work._tag === "Map" ? yield* mapped(work, list, scope) : yield* reduced(work, list, scope)
    return { _tag: "Computed", value } as const
  }).pipe(
    Effect.catchTag("ExpressionError", ({ message }) =>
      Effect.succeed({ _tag: "NotComputed", failure: { kind: "ExpressionError", message } } as const)
    )
  )
