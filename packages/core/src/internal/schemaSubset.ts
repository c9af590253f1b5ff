import type { Json } from "../Json.js"
import { isObject } from "./jsonSchema.js"
import { isSame } from "./jsonValue.js"

type Node = { readonly [key: string]: Json }

/** Why not everything that one Schema accepts is known to be accepted by another; `undefined` where it is. */
type Doubt = string | undefined

interface Comparing {
  readonly left: Json
  readonly right: Json
  /** Accepts a value, by the Schema on the right or a part of it. */
  readonly accepts: (schema: Json, value: Json) => boolean
  /** Pairs that are being compared, so that a Schema may refer to itself. */
  readonly open: Array<readonly [Json, Json]>
}

const allTypes = ["null", "boolean", "number", "string", "array", "object"]

/** They describe, and accept nothing less. */
const notes: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$comment",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly"
])

/** Whether two parts of different Schemas say the same; what refers to elsewhere may mean something else there. */
const sameAnywhere = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : isSame(a, b) && !JSON.stringify(a).includes('"$ref"')

/** The Schema itself, where it stands for a local one: `undefined` where it refers to what is not there. */
const resolved = (schema: Json, root: Json): Json | undefined => {
  let found: Json | undefined = schema
  for (let hops = 0; isObject(found) && typeof found.$ref === "string"; hops++) {
    const path: string = found.$ref
    if (hops > 16 || !path.startsWith("#")) return undefined
    found = root
    for (const each of path.split("/").slice(1)) {
      const key = decodeURIComponent(each).replaceAll("~1", "/").replaceAll("~0", "~")
      found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
    }
  }
  return found
}

const typesOf = ({ type }: Node): ReadonlyArray<string> =>
  typeof type === "string" ? [type] : Array.isArray(type) ? type.map(String) : allTypes

const hasType = (types: ReadonlyArray<string>, type: string): boolean =>
  types.includes(type) || (type === "integer" && types.includes("number"))

const number = (value: Json | undefined): number | undefined =>
  typeof value === "number" ? value : undefined

const atLeast = (left: Node, right: Node, key: string): Doubt => {
  const bound = number(right[key])
  return bound === undefined || (number(left[key]) ?? Number.NEGATIVE_INFINITY) >= bound
    ? undefined
    : `${key} may be less than ${bound}`
}

const atMost = (left: Node, right: Node, key: string): Doubt => {
  const bound = number(right[key])
  return bound === undefined || (number(left[key]) ?? Number.POSITIVE_INFINITY) <= bound
    ? undefined
    : `${key} may be more than ${bound}`
}

const range = (left: Node, right: Node): Doubt => {
  const [low, high] = [number(left.minimum), number(left.maximum)]
  const [above, below] = [number(left.exclusiveMinimum), number(left.exclusiveMaximum)]
  const least = Math.max(low ?? -Infinity, above ?? -Infinity)
  const most = Math.min(high ?? Infinity, below ?? Infinity)
  const { exclusiveMaximum, exclusiveMinimum, maximum, minimum } = right
  if (typeof minimum === "number" && least < minimum) return `it may be less than ${minimum}`
  if (typeof maximum === "number" && most > maximum) return `it may be more than ${maximum}`
  if (typeof exclusiveMinimum === "number") {
    const isAbove = least > exclusiveMinimum || (above !== undefined && above >= exclusiveMinimum)
    if (!isAbove) return `it may be ${exclusiveMinimum} or less`
  }
  if (typeof exclusiveMaximum === "number") {
    const isBelow = most < exclusiveMaximum || (below !== undefined && below <= exclusiveMaximum)
    if (!isBelow) return `it may be ${exclusiveMaximum} or more`
  }
  const [step, each] = [number(left.multipleOf), number(right.multipleOf)]
  return each === undefined || (step !== undefined && step % each === 0)
    ? undefined
    : `it need not be a multiple of ${each}`
}

const list = (comparing: Comparing, left: Node, right: Node): Doubt => {
  const length = atLeast({ minItems: 0, ...left }, right, "minItems") ?? atMost(left, right, "maxItems")
  if (length !== undefined) return length
  if (right.uniqueItems === true && left.uniqueItems !== true) return "its items need not be unique"
  if (right.items === undefined) return undefined
  if (Array.isArray(right.items) && sameAnywhere(left.items, right.items)) return undefined
  if (Array.isArray(right.items) || Array.isArray(left.items)) return "its items are not compared one by one"
  const doubt = left.maxItems === 0 ? undefined : doubtOf(comparing, left.items ?? true, right.items)
  return doubt === undefined ? undefined : `in its items, ${doubt}`
}

const propertiesOf = ({ properties }: Node): Node => (isObject(properties) ? properties : {})

const requiredOf = ({ required }: Node): ReadonlyArray<string> =>
  Array.isArray(required) ? required.map(String) : []

const object = (comparing: Comparing, left: Node, right: Node): Doubt => {
  const missing = requiredOf(right).find((name) => !requiredOf(left).includes(name))
  if (missing !== undefined) return `"${missing}" need not be there`
  const [mine, theirs] = [propertiesOf(left), propertiesOf(right)]
  const others = left.patternProperties === undefined ? (left.additionalProperties ?? true) : true
  for (const [name, property] of Object.entries(theirs)) {
    const own = Object.hasOwn(mine, name) ? mine[name] : others
    const doubt = own === undefined || own === false ? undefined : doubtOf(comparing, own, property)
    if (doubt !== undefined) return `in "${name}", ${doubt}`
  }
  const rest = right.additionalProperties ?? true
  if (rest !== true) {
    for (const [name, own] of Object.entries(mine)) {
      if (Object.hasOwn(theirs, name)) continue
      const doubt = rest === false ? `"${name}" is not known there` : doubtOf(comparing, own, rest)
      if (doubt !== undefined) return doubt
    }
    const doubt = others === false ? undefined : doubtOf(comparing, others, rest)
    if (doubt !== undefined) return "it may have other properties"
  }
  return (
    atLeast({ minProperties: requiredOf(left).length, ...left }, right, "minProperties") ??
    atMost(left, right, "maxProperties")
  )
}

const text = (left: Node, right: Node): Doubt =>
  atLeast({ minLength: 0, ...left }, right, "minLength") ?? atMost(left, right, "maxLength")

/** What `object`, `list`, `text` and `range` compare, and what is compared before them. */
const known: ReadonlySet<string> = new Set(
  `type enum const anyOf allOf minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems items
   required properties additionalProperties minProperties maxProperties minLength maxLength`.split(/\s+/)
)

const byKeyword = (comparing: Comparing, left: Node, right: Node): Doubt => {
  const types = typesOf(left)
  const wrong = types.find((type) => !hasType(typesOf(right), type))
  if (wrong !== undefined) return `it may be of the type ${wrong}`
  const may = (type: string) => types.includes(type)
  const unknown = Object.keys(right).find(
    (key) => !known.has(key) && !notes.has(key) && !sameAnywhere(left[key], right[key])
  )
  if (unknown !== undefined) return `"${unknown}" is not compared`
  return (
    (may("number") || may("integer") ? range(left, right) : undefined) ??
    (may("string") ? text(left, right) : undefined) ??
    (may("array") ? list(comparing, left, right) : undefined) ??
    (may("object") ? object(comparing, left, right) : undefined)
  )
}

const branches = (value: Json | undefined): ReadonlyArray<Json> | undefined =>
  Array.isArray(value) ? value : undefined

const doubtOf = (comparing: Comparing, leftSchema: Json, rightSchema: Json): Doubt => {
  const left = resolved(leftSchema, comparing.left)
  const right = resolved(rightSchema, comparing.right)
  if (left === undefined || right === undefined) return "it refers to a Schema that is not there"
  if (left === false || right === true) return undefined
  if (right === false) return "nothing is accepted there"
  const [sub, sup] = [left === true ? {} : left, right]
  if (!isObject(sub) || !isObject(sup)) return "it is not a Schema"
  if (comparing.open.some(([a, b]) => a === sub && b === sup)) return undefined
  const within: Comparing = { ...comparing, open: [...comparing.open, [sub, sup]] }
  const first = (doubts: ReadonlyArray<Doubt>) => doubts.find((doubt) => doubt !== undefined)
  const values = "const" in sub ? [sub.const ?? null] : branches(sub.enum)
  if (values !== undefined) {
    const { $defs = {}, definitions = {} } = isObject(comparing.right) ? comparing.right : {}
    const odd = values.find((value) => !comparing.accepts({ ...sup, $defs, definitions }, value))
    return odd === undefined ? undefined : `it may be ${JSON.stringify(odd)}`
  }
  if (Array.isArray(sub.type) && sub.type.length > 1)
    return first(sub.type.map((type) => doubtOf(within, { ...sub, type }, sup)))
  const ways = branches(sub.anyOf) ?? branches(sub.oneOf)
  if (ways !== undefined) {
    const { anyOf, oneOf, ...rest } = sub
    return first(ways.map((way) => doubtOf(within, isObject(way) ? { ...rest, ...way } : way, sup)))
  }
  const parts = branches(sub.allOf)
  if (parts !== undefined) {
    const { allOf, ...rest } = sub
    const doubts = [rest, ...parts].map((part) => doubtOf(within, part, sup))
    return doubts.includes(undefined) ? undefined : first(doubts)
  }
  const { allOf, anyOf, ...others } = sup
  if (anyOf !== undefined) {
    const doubts = (branches(anyOf) ?? []).map((way) => doubtOf(within, sub, way))
    if (!doubts.includes(undefined)) return `it may be none of what is accepted there: ${first(doubts)}`
  }
  const all = first((branches(allOf) ?? []).map((part) => doubtOf(within, sub, part)))
  if (all !== undefined) return all
  if ("const" in sup || sup.enum !== undefined) return "it may be another value"
  return byKeyword(within, sub, others)
}

/**
 * Why it is not certain that every value which one JSON Schema (draft 7) accepts is accepted by another; `undefined` where it
 * is. It compares structure and never guesses: what it cannot decide (patterns and formats that differ, `not`, `if`, `oneOf` on
 * the accepting side, tuples, references to elsewhere) is a doubt too, and says so.
 */
export const subsetDoubt = (
  left: Json,
  right: Json,
  accepts: (schema: Json, value: Json) => boolean
): string | undefined =>
  isSame(left, right) ? undefined : doubtOf({ left, right, accepts, open: [] }, left, right)
