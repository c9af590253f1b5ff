import * as Schema from "effect/Schema"

/** A declared limit or property, or what a step needs of it: a number, a flag, a text such as `"10MB"` or `"5m"`, or a list. */
export const ConstraintValue = Schema.Union(
  Schema.Boolean,
  Schema.JsonNumber,
  Schema.String,
  Schema.Array(Schema.String)
)
export type ConstraintValue = typeof ConstraintValue.Type

/** What a quantity is of; a number without a unit is of whatever it is compared with. */
type Dimension = "bytes" | "time"

const bytes = (factor: number): readonly [number, Dimension] => [factor, "bytes"]
const millis = (factor: number): readonly [number, Dimension] => [factor, "time"]

const units: ReadonlyMap<string, readonly [number, Dimension]> = new Map([
  ["b", bytes(1)],
  ["kb", bytes(1e3)],
  ["mb", bytes(1e6)],
  ["gb", bytes(1e9)],
  ["tb", bytes(1e12)],
  ["kib", bytes(2 ** 10)],
  ["mib", bytes(2 ** 20)],
  ["gib", bytes(2 ** 30)],
  ["tib", bytes(2 ** 40)],
  ["ms", millis(1)],
  ["s", millis(1e3)],
  ["m", millis(6e4)],
  ["min", millis(6e4)],
  ["h", millis(3.6e6)],
  ["d", millis(8.64e7)]
])

interface Quantity {
  readonly amount: number
  readonly of: Dimension | undefined
}

const quantityOf = (value: ConstraintValue): Quantity | undefined => {
  if (typeof value === "number") return { amount: value, of: undefined }
  if (typeof value !== "string") return undefined
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(value)
  if (match === null) return undefined
  const [, digits, name = ""] = match
  if (name === "") return { amount: Number(digits), of: undefined }
  const unit = units.get(name.toLowerCase())
  return unit === undefined ? undefined : { amount: Number(digits) * unit[0], of: unit[1] }
}

/**
 * The number that a constraint stands for: `10`, `"10MB"` (bytes, decimal; `MiB` binary) or `"5m"` (milliseconds);
 * `undefined` when it is not a quantity.
 */
export const quantity = (value: ConstraintValue): number | undefined => quantityOf(value)?.amount

const costClasses: ReadonlyArray<unknown> = ["free", "low", "medium", "high"]

/** The place of a cost class in the order free, low, medium, high, from 0; that of medium where none is declared. */
export const costRank = (declared: ConstraintValue | undefined): number => {
  const at = costClasses.indexOf(declared)
  return at < 0 ? 2 : at
}

const show = (value: ConstraintValue): string => JSON.stringify(value)

const isBound = (key: string): boolean => /^(max|min)(?=[A-Z_-])/.test(key)
const isNeed = (key: string): boolean => /^needs(?=[A-Z_-])/.test(key)

/** Why two quantities cannot be compared, or what they are. */
const compared = (
  key: string,
  declared: ConstraintValue,
  needed: ConstraintValue
): readonly [declared: number, needed: number] | string => {
  const bound = quantityOf(declared)
  const value = quantityOf(needed)
  if (bound === undefined) return `${key} is declared as ${show(declared)}, which is not a quantity`
  if (value === undefined) return `${key} is needed as ${show(needed)}, which is not a quantity`
  return bound.of !== undefined && value.of !== undefined && bound.of !== value.of
    ? `${key} is ${show(declared)}, needed ${show(needed)}, and ${bound.of} cannot be compared with ${value.of}`
    : [bound.amount, value.amount]
}

const bounded = (key: string, declared: ConstraintValue, needed: ConstraintValue): string | undefined => {
  const pair = compared(key, declared, needed)
  if (typeof pair === "string") return pair
  const [bound, value] = pair
  const allows = key.startsWith("max") ? value <= bound : value >= bound
  return allows ? undefined : `${key} is ${show(declared)}, needed ${show(needed)}`
}

const offered = (key: string, declared: ConstraintValue, offer: ConstraintValue): string | undefined => {
  if (declared === false || offer === true) return undefined
  const amount = declared === true ? undefined : quantity(declared)
  if (offer === false)
    return amount === 0 ? undefined : `${key} is ${show(declared)}, but the step does not offer it`
  if (declared === true)
    return quantity(offer) === 0 ? `${key} is true, but the step does not offer it` : undefined
  const pair = compared(key, declared, offer)
  if (typeof pair === "string") return pair
  return pair[0] <= pair[1]
    ? undefined
    : `${key} is ${show(declared)}, but the step offers only ${show(offer)}`
}

const affordable = (declared: ConstraintValue | undefined, most: ConstraintValue): string | undefined => {
  const limit = costClasses.indexOf(most)
  if (limit < 0) return `costClass is needed as ${show(most)}, which is none of ${costClasses.join(", ")}`
  if (limit === costClasses.length - 1) return undefined
  if (declared === undefined) return `costClass is not declared, needed ${show(most)} at most`
  const at = costClasses.indexOf(declared)
  if (at < 0) return `costClass is declared as ${show(declared)}, which is none of ${costClasses.join(", ")}`
  return at <= limit ? undefined : `costClass is ${show(declared)}, needed ${show(most)} at most`
}

const contained = (
  key: string,
  declared: ConstraintValue | undefined,
  needed: ConstraintValue
): string | undefined => {
  if (declared === undefined) return `${key} is not declared, needed ${show(needed)}`
  const folded = (value: ConstraintValue): ReadonlyArray<unknown> => {
    const all = Array.isArray(value) ? value : [value]
    return key === "languages" ? all.map((each) => String(each).toLowerCase()) : all
  }
  const there = folded(declared)
  const missing = folded(needed).filter((value) => !there.includes(value))
  return missing.length === 0 ? undefined : `${key} is ${show(declared)}, needed ${show(needed)}`
}

/**
 * Why a declared constraint does not allow what a step needs, or `undefined` when it does. The name of the key says how the
 * two are compared:
 *
 * - `max…` and `min…` (`maxFileSize`, `maxDuration`, `maxConcurrency`) bound the needed quantity, inclusive; an agent that
 *   declares no bound has none. Bytes are not compared with time;
 * - `needs…` (`needsNetwork`, `needsMemory`) says what the agent depends on, as a flag or as a quantity, and the step what it
 *   offers: the agent is rejected where that is `false` or less. A step that does not say offers everything;
 * - `costClass` is `free`, `low`, `medium` or `high`, and the step says the most it takes; an agent that declares none may cost
 *   anything;
 * - any other key (`languages`, `region`) must be declared and be equal, or, where either side is a list, have everything
 *   needed in it; `languages` are compared without case.
 */
export const satisfies = (
  key: string,
  declared: ConstraintValue | undefined,
  needed: ConstraintValue
): string | undefined => {
  if (key === "costClass") return affordable(declared, needed)
  if (isBound(key)) return declared === undefined ? undefined : bounded(key, declared, needed)
  if (isNeed(key)) return declared === undefined ? undefined : offered(key, declared, needed)
  return contained(key, declared, needed)
}

const dimensions: Readonly<Record<string, Dimension>> = {
  maxFileSize: "bytes",
  minFileSize: "bytes",
  needsMemory: "bytes",
  needsDisk: "bytes",
  maxDuration: "time"
}

const example: Readonly<Record<Dimension, string>> = { bytes: '"10MB"', time: '"5m"' }

const malformedQuantity = (key: string, value: ConstraintValue): string | undefined => {
  const found = quantityOf(value)
  const wanted = Object.hasOwn(dimensions, key) ? dimensions[key] : undefined
  if (found === undefined || found.amount < 0)
    return `${key} must be a quantity such as ${wanted === undefined ? "3" : example[wanted]}, not ${show(value)}`
  if (wanted !== undefined && found.of !== undefined && found.of !== wanted)
    return `${key} is a quantity of ${wanted}, such as ${example[wanted]}, not ${show(value)}`
  if (key === "maxConcurrency" && (found.of !== undefined || !(found.amount >= 1 && found.amount % 1 === 0)))
    return `maxConcurrency must be a whole number of at least 1, not ${show(value)}`
  return undefined
}

/** What is wrong with a constraint as an agent declares it, as a sentence; `undefined` where nothing is. */
export const malformed = (key: string, declared: ConstraintValue): string | undefined => {
  if (key === "costClass")
    return costClasses.includes(declared)
      ? undefined
      : `costClass must be one of ${costClasses.join(", ")}, not ${show(declared)}`
  if (isBound(key)) return malformedQuantity(key, declared)
  if (isNeed(key)) return typeof declared === "boolean" ? undefined : malformedQuantity(key, declared)
  if (key !== "languages") return undefined
  const all = Array.isArray(declared) ? declared : [declared]
  return all.length > 0 && all.every((each) => typeof each === "string" && each.trim() !== "")
    ? undefined
    : `languages must be a name or a list of names, not ${show(declared)}`
}
