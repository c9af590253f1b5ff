import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { misshapenIn, problemOf } from "./internal/shape.js"

/** A part of a value that is not as a schema asks for: where (`args[2]`), and what to do about it. */
export interface Misshapen {
  readonly path: string
  /** `unknown` where there should be nothing, otherwise `shape`. */
  readonly rule: "shape" | "unknown"
  readonly message: string
}

/**
 * Checks values that people have written, such as those of files. Everything that is wrong is said at once and in words, with
 * the name that was most likely meant for one that is not known. Properties that a schema does not have are refused.
 *
 * @example
 * ```ts
 * import * as Shape from "@switchyard/core/Shape"
 * import * as Schema from "effect/Schema"
 *
 * export const check = Shape.check(Schema.Struct({ host: Schema.NonEmptyString, port: Schema.Int }))
 * ```
 */
export const check = <A, I>(
  schema: Schema.Schema<A, I>
): ((value: unknown) => Effect.Effect<A, ReadonlyArray<Misshapen>>) => {
  const decode = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })
  return (value) =>
    Effect.mapError(decode(value), (error) =>
      misshapenIn(error).map((each) => ({ ...problemOf(each), rule: each.rule }))
    )
}
