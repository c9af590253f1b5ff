import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema"
import type { Json } from "../Json.js"
import { didYouMean } from "../Nearest.js"
import { pathText, shown } from "./shape.js"

/** A part of a value that its JSON Schema does not accept. */
export interface Mismatch {
  /** Where it is, such as `files[0].name`; empty for the value itself. */
  readonly path: string
  readonly message: string
}

type Place = ReadonlyArray<string | number>

type Object = { readonly [key: string]: Json }

/** Whether a value is an object with names. */
export const isObject = (value: Json | undefined): value is Object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value with the defaults that its JSON Schema gives for properties that are absent, nested ones included. */
export const withDefaults = (schema: Json | undefined, value: Json): Json => {
  if (!isObject(schema) || !isObject(schema.properties) || !isObject(value)) return value
  const filled: Record<string, Json> = { ...value }
  for (const [key, property] of Object.entries(schema.properties)) {
    const given = Object.hasOwn(value, key) ? value[key] : isObject(property) ? property.default : undefined
    if (given !== undefined) filled[key] = withDefaults(property, given)
  }
  return filled
}

const kinds: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object"
}

/** The place that a JSON pointer leads to, and what is there. */
const partAt = (value: Json, pointer: string): { readonly place: Place; readonly part: Json } => {
  const place: Array<string | number> = []
  let part = value
  for (const each of pointer.split("/").slice(1)) {
    const key = decodeURI(each).replaceAll("~1", "/").replaceAll("~0", "~")
    place.push(Array.isArray(part) ? Number(key) : key)
    part = (Array.isArray(part) ? part[Number(key)] : isObject(part) ? part[key] : null) ?? null
  }
  return { place, part }
}

/** The names that a JSON Schema has for the properties of what is at a place, as far as it says so directly. */
const namesAt = (schema: Json | undefined, place: Place): ReadonlyArray<string> => {
  const [key, ...rest] = place
  if (!isObject(schema)) return []
  if (key === undefined) return isObject(schema.properties) ? Object.keys(schema.properties) : []
  if (typeof key === "number") return namesAt(schema.items, rest)
  return isObject(schema.properties) ? namesAt(schema.properties[key], rest) : []
}

const namesIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/"([^"]*)"/g)].map(([, name = ""]) => name)

/** What an error of the library says, in words. */
const wordsOf = ({ error, keyword }: OutputUnit, place: Place, part: Json, schema: Json): string => {
  const [said = error, after = ""] = error.split(/ (?:Expected|any of) /)
  switch (keyword) {
    case "type": {
      const names = namesIn(after).map((name) => kinds[name] ?? name)
      return `this must be ${names.join(" or ")}, not ${shown(part)}`
    }
    case "enum": {
      const hint = typeof part === "string" ? didYouMean(part, namesIn(after)) : ""
      return `this must be one of ${after.replace(/^\[|\]\.$/g, "").replaceAll(",", ", ")}, not ${shown(part)}${hint}`
    }
    case "required":
      return `${namesIn(error)
        .slice(0, 1)
        .map((name) => `"${name}"`)} is missing; give it a value`
    case "false": {
      const name = String(place.at(-1))
      const known = namesAt(schema, place.slice(0, -1))
      return `"${name}" is not known here${didYouMean(name, known) || `; there is ${known.join(", ") || "none"}`}`
    }
    case "anyOf":
    case "oneOf":
      return `this is none of what it may be, but ${shown(part)}`
    default:
      return `${said.charAt(0).toLowerCase()}${said.slice(1).replace(/\.$/, "")}`
  }
}

/** The keywords whose errors say no more than that there are others. */
const ofParts: ReadonlySet<string> = new Set([
  "properties",
  "additionalProperties",
  "patternProperties",
  "items",
  "prefixItems",
  "additionalItems",
  "unevaluatedProperties",
  "unevaluatedItems",
  "$ref",
  "allOf"
])

/** The errors that say what is wrong; not those that follow from others, or belong to one way of several. */
const causes = (errors: ReadonlyArray<OutputUnit>): ReadonlyArray<OutputUnit> => {
  const choices = errors.filter(({ keyword }) => keyword === "anyOf" || keyword === "oneOf")
  const found = errors.filter(
    ({ keyword, keywordLocation }) =>
      !ofParts.has(keyword) &&
      !choices.some((choice) => keywordLocation.startsWith(`${choice.keywordLocation}/`))
  )
  return found.length === 0 ? errors : found
}

/** A Schema is resolved once, since the same one is asked about many values. */
const validators = new WeakMap<Object, Validator>()

const validatorOf = (schema: Object): Validator => {
  const known = validators.get(schema)
  if (known !== undefined) return known
  const made = new Validator(schema as Schema, "7", false)
  validators.set(schema, made)
  return made
}

/** Every part of a value that a JSON Schema does not accept; throws where the Schema is none. */
export const mismatches = (schema: Object, value: Json): ReadonlyArray<Mismatch> => {
  const { errors, valid } = validatorOf(schema).validate(value)
  if (valid) return []
  return causes(errors).map((unit) => {
    const { part, place } = partAt(value, unit.instanceLocation)
    return { path: pathText(place), message: wordsOf(unit, place, part, schema) }
  })
}
