import * as Effect from "effect/Effect"
import type { Failure } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { Json } from "../Json.js"

/** What an expression gives, or how its step fails. */
export const given = <A>(value: Effect.Effect<A, Expression.ExpressionError>): Effect.Effect<A, Failure> =>
  Effect.mapError(value, ({ message }) => ({ kind: "ExpressionError", message }))

/** A failure of a step because of what an expression gave. */
export const unusable = (what: string, value: Json, wanted: string): Failure => ({
  kind: "InvalidInput",
  message: `its ${what} gave ${JSON.stringify(value).slice(0, 200)}, which is not a ${wanted}`
})

/** The list that an expression gives, or how its step fails. */
export const listOf = (
  template: Expression.Template,
  scope: Expression.Scope,
  what: string
): Effect.Effect<ReadonlyArray<Json>, Failure> =>
  Effect.filterOrFail(
    given(template.evaluate(scope)),
    (value): value is ReadonlyArray<Json> => Array.isArray(value),
    (value) => unusable(what, value, "list")
  )
