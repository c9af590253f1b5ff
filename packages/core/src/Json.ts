import * as Schema from "effect/Schema"

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged: what inputs, outputs and events are made of. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Accepts exactly the values of `Json`: no `undefined`, no non-finite number, no class instance other than a plain object. */
export const Json: Schema.Schema<Json> = Schema.suspend(() =>
  Schema.Union(
    Schema.Null,
    Schema.Boolean,
    Schema.JsonNumber,
    Schema.String,
    Schema.Array(Json),
    Schema.Record({ key: Schema.String, value: Json })
  )
).annotations({ identifier: "Json" })

/** Where in a value something was found that JSON cannot carry, as a path such as `$.items[3].size`. */
export interface NotJson {
  readonly path: string
  readonly found: string
}

/**
 * The first place of `value` that JSON would drop or change, or `undefined` when it is JSON throughout.
 * Depth is bounded (1,000 levels), so that a cyclic value is reported rather than followed for ever.
 */
export const findNotJson = (value: unknown, path = "$", depth = 0): NotJson | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined
    case "number":
      return Number.isFinite(value) ? undefined : { path, found: String(value) }
    case "object":
      break
    default:
      return { path, found: typeof value }
  }
  if (value === null) return undefined
  if (depth > 1000) return { path, found: "a cyclic or too deeply nested value" }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = findNotJson(value[i], `${path}[${i}]`, depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    return { path, found: `an instance of ${prototype.constructor?.name ?? "a class"}` }
  }
  for (const key of Object.keys(value)) {
    const found = findNotJson((value as Record<string, unknown>)[key], `${path}.${key}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
