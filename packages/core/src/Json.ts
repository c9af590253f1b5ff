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

const deepest = 1000

/** What `value` itself is that JSON cannot carry, whatever is in it. */
const wrongIn = (value: unknown, depth: number): string | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined
    case "number":
      return Number.isFinite(value) ? undefined : String(value)
    case "object":
      break
    case "undefined":
      return "undefined"
    default:
      return `a ${typeof value}`
  }
  if (value === null) return undefined
  if (depth > deepest) return "a cyclic or too deeply nested value"
  if (Array.isArray(value)) return undefined
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
    ? undefined
    : `an instance of ${prototype.constructor?.name ?? "a class"}`
}

/** The first place of `value` that JSON cannot carry; its path is put together on the way back, where there is one. */
const search = (
  value: unknown,
  depth: number
): { readonly steps: Array<string>; readonly found: string } | undefined => {
  const wrong = wrongIn(value, depth)
  if (wrong !== undefined) return { steps: [], found: wrong }
  if (typeof value !== "object" || value === null) return undefined
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = search(value[i], depth + 1)
      if (found !== undefined) {
        found.steps.push(`[${i}]`)
        return found
      }
    }
    return undefined
  }
  for (const key of Object.keys(value)) {
    const found = search((value as Record<string, unknown>)[key], depth + 1)
    if (found !== undefined) {
      found.steps.push(`.${key}`)
      return found
    }
  }
  return undefined
}

/**
 * The first place of `value` that JSON would drop or change, or `undefined` when it is JSON throughout; `path` is what
 * stands for the value itself. Depth is bounded (1,000 levels), so that a cyclic value is reported rather than followed for ever.
 */
export const findNotJson = (value: unknown, path = "$"): NotJson | undefined => {
  const found = search(value, 0)
  return found === undefined
    ? undefined
    : { path: `${path}${found.steps.reverse().join("")}`, found: found.found }
}
