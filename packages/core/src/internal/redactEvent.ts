import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { Event } from "../Event.js"
import type { Json } from "../Json.js"
import { type Provider, redactJson as redactAll } from "../Secrets.js"
import type { Definition } from "../WorkflowDefinition.js"
import { misshapenIn } from "./shape.js"

/** The names of all fields that a schema has anywhere. */
const fieldsOf = (
  ast: AST.AST,
  fields = new Set<string>(),
  seen = new Set<AST.AST>()
): ReadonlySet<string> => {
  if (seen.has(ast)) return fields
  seen.add(ast)
  const inner = (each: AST.AST) => fieldsOf(each, fields, seen)
  if (AST.isSuspend(ast)) inner(ast.f())
  else if (AST.isUnion(ast)) ast.types.forEach(inner)
  else if (AST.isRefinement(ast) || AST.isTransformation(ast)) inner(ast.from)
  else if (AST.isTupleType(ast)) for (const { type } of [...ast.elements, ...ast.rest]) inner(type)
  else if (AST.isTypeLiteral(ast)) {
    for (const { type } of ast.indexSignatures) inner(type)
    for (const { name, type } of ast.propertySignatures) {
      fields.add(String(name))
      inner(type)
    }
  }
  return fields
}

const fields = fieldsOf(Event.ast)

/** A key that is the name of a field is kept, since it says what its value is. */
const redactJson = (secrets: Provider, value: Json): Json =>
  redactAll(secrets, value, (key) => fields.has(key))

type Fields = { readonly [key: string]: Json }

/** What an event says by names that are no free text; a word that happens to be a secret is no secret there. */
const names: ReadonlySet<string> = new Set([
  "_tag",
  "stepId",
  "agentId",
  "runId",
  "commandId",
  "childId",
  "permission",
  "permissions",
  "hash",
  "origin",
  "parent",
  "runs"
])

/** What a workflow and its steps say in free text; by everything else their parts are known to each other. */
const freeText: ReadonlySet<string> = new Set([
  "description",
  "params",
  "output",
  "input",
  "label",
  "when",
  "forEach",
  "map",
  "reduce",
  "approval",
  "wait",
  "constraints"
])

/** An object with some of its fields replaced; the same one where nothing changes. */
const mapped = (fields: Fields, replace: (key: string, value: Json) => Json): Fields => {
  let changed: Record<string, Json> | undefined
  for (const [key, value] of Object.entries(fields)) {
    const replaced = replace(key, value)
    if (replaced === value) continue
    changed ??= { ...fields }
    changed[key] = replaced
  }
  return changed ?? fields
}

const redactDefinition = (definition: Definition, secrets: Provider): Json =>
  mapped(definition as unknown as Fields, (key, value) => {
    if (key === "steps") return redactSteps(definition, secrets)
    return freeText.has(key) ? redactJson(secrets, value) : value
  })

const redactSteps = ({ steps }: Definition, secrets: Provider): Json => {
  const redacted = steps.map((step) =>
    mapped(step as unknown as Fields, (key, value) => {
      if (key === "subworkflow") return redactDefinition(value as unknown as Definition, secrets)
      return freeText.has(key) ? redactJson(secrets, value) : value
    })
  )
  const isSame = redacted.every((step, index) => step === (steps[index] as unknown))
  return (isSame ? steps : redacted) as Json
}

const at = (value: Json | undefined, key: PropertyKey): Json | undefined =>
  typeof value === "object" && value !== null ? (value as Fields)[String(key)] : undefined

/** The value with what another one has at a path. */
const restored = (
  value: Json,
  original: Json | undefined,
  [key, ...rest]: ReadonlyArray<PropertyKey>
): Json => {
  if (original === undefined) return value
  if (key === undefined) return original
  if (typeof value !== "object" || value === null) return value
  const inner = restored(at(value, key) ?? null, at(original, key), rest)
  return Array.isArray(value)
    ? value.with(Number(key), inner)
    : { ...(value as Fields), [String(key)]: inner }
}

const members = (ast: AST.AST): ReadonlyArray<AST.AST> =>
  AST.isUnion(ast) ? ast.types.flatMap(members) : [ast]

const tagOf = (ast: AST.AST): unknown => {
  const type = AST.isTypeLiteral(ast) ? ast.propertySignatures.find(({ name }) => name === "_tag")?.type : ast
  return type !== undefined && AST.isLiteral(type) ? type.literal : undefined
}

/** The schema of each kind of event, which says by itself what is wrong with one. */
const kinds = new Map(members(Event.ast).map((ast) => [tagOf(ast), Schema.make<unknown>(ast)]))

/** Gives back what an event cannot be without. */
const restoreNames = (redacted: Fields, original: Fields): Event =>
  Effect.runSync(
    Effect.match(
      Schema.decodeUnknown(kinds.get(original._tag) ?? Schema.Unknown, { errors: "all" })(redacted),
      {
        onSuccess: () => redacted as unknown as Event,
        onFailure: (error) =>
          misshapenIn(error).reduce<Json>(
            (value, { path }) => restored(value, original, path),
            redacted
          ) as unknown as Event
      }
    )
  )

/**
 * The event without the secrets that were given so far; the same one where it has none. Whatever would not be an event any
 * more without it is left.
 */
export const redactEvent = (event: Event, secrets: Provider): Event => {
  if (!secrets.hasGiven()) return event
  const original = event as unknown as Fields
  const redacted = mapped(original, (key, value) => {
    if (names.has(key)) return value
    if (key === "workflow") return redactDefinition(value as unknown as Definition, secrets)
    if (key === "inputs") return mapped(value as Fields, (_, input) => redactJson(secrets, input))
    return redactJson(secrets, value)
  })
  if (redacted === original) return event
  return restoreNames(redacted, original)
}
