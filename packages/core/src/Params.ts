import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { mismatches, withDefaults } from "./internal/jsonSchema.js"
import { copyOf } from "./internal/jsonValue.js"
import { pathText } from "./internal/shape.js"
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

/** A problem with the place that it is about, which is empty for the parameters themselves. */
const line = (path: string, message: string): string => (path === "" ? message : `${path}: ${message}`)

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
    const found = findNotJson(value, "")
    return found === undefined
      ? Effect.succeed(copyOf(value as Json))
      : Effect.fail(
          invalid([line(found.path.replace(/^\./, ""), `this is ${found.found}, which JSON cannot carry`)])
        )
  }
  if (schema !== undefined) {
    return Schema.decodeUnknown(schema, { errors: "all" })(params).pipe(
      Effect.flatMap(Schema.encode(schema)),
      Effect.mapError((error) =>
        invalid(
          ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) =>
            line(pathText(path), message)
          )
        )
      ),
      Effect.flatMap(asJson)
    )
  }
  return Effect.gen(function* () {
    const declared = definition.params
    const json = withDefaults(declared, yield* asJson(params))
    if (declared === undefined) return json
    const found = yield* Effect.try({
      try: () => mismatches(declared, json),
      catch: (error) =>
        invalid([`their JSON Schema is not valid: ${error instanceof Error ? error.message : String(error)}`])
    })
    if (found.length === 0) return json
    return yield* invalid(found.map(({ message, path }) => line(path, message)))
  })
}
