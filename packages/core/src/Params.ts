import { type Schema as JsonSchema, Validator } from "@cfworker/json-schema"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { copyOf } from "./internal/jsonValue.js"
import { findNotJson, type Json } from "./Json.js"
import type { Definition } from "./WorkflowDefinition.js"

/** Parameters that a workflow does not accept, with every problem found. */
export class InvalidParams extends Schema.TaggedError<InvalidParams>()("InvalidParams", {
  workflow: Schema.String,
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    return [
      `The parameters of "${this.workflow}" are not valid:`,
      ...this.problems.map((each) => `  ${each}`)
    ].join("\n")
  }
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value with the defaults that its JSON Schema gives for properties that are absent, nested ones included. */
const withDefaults = (schema: Json | undefined, value: Json): Json => {
  if (!isObject(schema) || !isObject(schema.properties) || !isObject(value)) return value
  const filled: Record<string, Json> = { ...value }
  for (const [key, property] of Object.entries(schema.properties)) {
    const given = Object.hasOwn(value, key) ? value[key] : isObject(property) ? property.default : undefined
    if (given !== undefined) filled[key] = withDefaults(property, given)
  }
  return filled
}

/**
 * Checks parameters by the workflow's Schema, or, for a workflow that came as data, by its JSON Schema; either way defaults
 * are filled in. What it gives is a copy, JSON throughout, and what a run is registered with.
 */
export const check = (
  definition: Definition,
  schema: Schema.Schema.AnyNoContext | undefined,
  params: unknown
): Effect.Effect<Json, InvalidParams> => {
  const invalid = (problems: ReadonlyArray<string>) =>
    new InvalidParams({ workflow: definition.name, problems })
  const asJson = (value: unknown): Effect.Effect<Json, InvalidParams> => {
    const found = findNotJson(value)
    return found === undefined
      ? Effect.succeed(copyOf(value as Json))
      : Effect.fail(invalid([`${found.path} is ${found.found}, which JSON cannot carry`]))
  }
  if (schema !== undefined) {
    return Schema.decodeUnknown(schema, { errors: "all" })(params).pipe(
      Effect.flatMap(Schema.encode(schema)),
      Effect.mapError((error) => invalid(error.message.split("\n"))),
      Effect.flatMap(asJson)
    )
  }
  return Effect.gen(function* () {
    const declared = definition.params
    const json = withDefaults(declared, yield* asJson(params))
    if (declared === undefined) return json
    const { errors, valid } = yield* Effect.try({
      try: () => new Validator(declared as JsonSchema, "7", false).validate(json),
      catch: (error) =>
        invalid([`their JSON Schema is not valid: ${error instanceof Error ? error.message : String(error)}`])
    })
    if (valid) return json
    return yield* invalid(errors.map(({ error, instanceLocation }) => `${instanceLocation}: ${error}`))
  })
}
