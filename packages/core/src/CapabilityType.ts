import * as Schema from "effect/Schema"
import { isObject, type Mismatch, mismatches } from "./internal/jsonSchema.js"
import { subsetDoubt } from "./internal/schemaSubset.js"
import { Json } from "./Json.js"

/** A JSON Schema (draft 7), as plain JSON. */
export const JsonSchema = Schema.Record({ key: Schema.String, value: Json })
export type JsonSchema = typeof JsonSchema.Type

/**
 * What goes into an agent or comes out of it: a name (`"cobol"`, `"text/markdown"`) or a JSON Schema. A name is a kind of every
 * name that it goes on from at a slash, of `*`, and of what a table says that it extends.
 */
export const CapabilityType = Schema.Union(Schema.NonEmptyString, JsonSchema)
export type CapabilityType = typeof CapabilityType.Type

/** Which names each name extends, such as `{ cobol: ["source-code"] }`; what they extend follows from the same table. */
export type TypeTable = Readonly<Record<string, ReadonlyArray<string>>>

/** No name extends another one. */
export const noTypes: TypeTable = {}

/** The name, and every name that it goes on from at a slash. */
const heads = (name: string): ReadonlyArray<string> =>
  name.split("/").map((_, index, parts) => parts.slice(0, parts.length - index).join("/"))

/** Whether everything of one named type is of another one too. */
export const isKindOf = (name: string, of: string, table: TypeTable = noTypes): boolean => {
  const wanted = of.endsWith("/*") ? of.slice(0, -2) : of
  if (wanted === "*" || name === wanted) return true
  const seen = new Set<string>()
  const open = [name]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const head of heads(next)) {
      if (head === wanted) return true
      if (seen.has(head)) continue
      seen.add(head)
      if (Object.hasOwn(table, head)) open.push(...(table[head] ?? []))
    }
  }
  return false
}

const accepts = (schema: Json, value: Json): boolean =>
  schema === true || (isObject(schema) && mismatches(schema, value).length === 0)

/** What a type is called in a message. */
export const typeText = (type: CapabilityType): string => {
  if (typeof type === "string") return type
  const { $id, title } = type
  return typeof title === "string" ? title : typeof $id === "string" ? $id : "a JSON Schema"
}

/**
 * Why it is not certain that whatever is of one type is of the other; `undefined` where it is. A name and a JSON Schema are not
 * compared, except that everything is accepted by `*` and by a Schema that asks for nothing.
 */
export const doubt = (
  type: CapabilityType,
  by: CapabilityType,
  table: TypeTable = noTypes
): string | undefined => {
  if (typeof by === "string") {
    if (by === "*") return undefined
    if (typeof type === "string")
      return isKindOf(type, by, table) ? undefined : `${typeText(type)} is no kind of ${by}`
  } else {
    if (Object.keys(by).length === 0) return undefined
    if (typeof type !== "string") return subsetDoubt(type, by, accepts)
  }
  return `${typeText(type)} and ${typeText(by)} cannot be compared, since only one is a JSON Schema`
}

/** Why a type cannot be used, as a sentence; `undefined` where it can. */
export const malformedType = (type: CapabilityType): string | undefined => {
  if (typeof type === "string") return undefined
  try {
    mismatches(type, null)
    return undefined
  } catch (error) {
    return `${typeText(type)} is not valid: ${error instanceof Error ? error.message : String(error)}`
  }
}

/**
 * What of a value is not as its types say, for those of them that are JSON Schemas; of several ways the nearest. Nothing where
 * there is no Schema, or where it is as one of them says.
 */
export const mismatchesOf = (types: ReadonlyArray<CapabilityType>, value: Json): ReadonlyArray<Mismatch> => {
  let nearest: ReadonlyArray<Mismatch> = []
  for (const type of types) {
    // A name promises what only people know.
    if (typeof type === "string") return []
    const found = mismatches(type, value)
    if (found.length === 0) return []
    if (nearest.length === 0 || found.length < nearest.length) nearest = found
  }
  return nearest
}

export type { Mismatch } from "./internal/jsonSchema.js"
