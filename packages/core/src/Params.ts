import { type Schema as JsonSchema, Validator } from "@cfworker/json-schema"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { findNotJson, type Json } from "./Json.js"
import type { Definition } from "./Workflow.js"

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

/**
 * Checks parameters by the workflow's Schema, defaults filled in, or, for a workflow that came as data, by its JSON Schema.
 * What it gives is JSON, and what a run is registered with.
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
      ? Effect.succeed(value as Json)
      : Effect.fail(invalid([`${found.path} is ${found.found}, which JSON cannot carry`]))
  }
  if (schema !== undefined) {
    return Schema.decodeUnknown(schema, { errors: "all" })(params).pipe(
      Effect.flatMap(Schema.encode(schema)),
      Effect.mapError((error) => invalid(error.message.split("\n"))),
      Effect.flatMap(asJson)
    )
  }
  return Effect.flatMap(asJson(params), (json) => {
    if (definition.params === undefined) return Effect.succeed(json)
    const validator = new Validator(definition.params as JsonSchema, "7", false)
    const { errors, valid } = validator.validate(json)
    return valid
      ? Effect.succeed(json)
      : Effect.fail(invalid(errors.map(({ error, instanceLocation }) => `${instanceLocation}: ${error}`)))
  })
}
