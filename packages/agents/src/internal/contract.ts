import * as Tool from "@effect/ai/Tool"
import { findNotJson, type Json } from "@switchyard/core/Json"
import * as Params from "@switchyard/core/Params"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { parseJson } from "./modelJson.js"

/** What an answer has to be: told to the model as JSON Schema, and checked when it has come. */
export interface Contract {
  readonly jsonSchema: { readonly [key: string]: unknown }
  /** The answer as the output of the attempt; fails with all that is wrong with it, in words for the model. */
  readonly check: (answer: unknown) => Effect.Effect<Json, string>
}

const asJson = (value: unknown): Effect.Effect<Json, string> => {
  const found = findNotJson(value)
  return found === undefined
    ? Effect.succeed(value as Json)
    : Effect.fail(`it has ${found.found} at ${found.path}, which JSON cannot carry`)
}

const problemsOf = (error: ParseResult.ParseError): string =>
  ParseResult.ArrayFormatter.formatErrorSync(error)
    .map(({ message, path }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
    .join("; ")

/** The JSON Schema of a Schema, as models are told it. */
export const jsonSchemaOf = (schema: Schema.Schema.AnyNoContext): { readonly [key: string]: unknown } => ({
  ...Tool.getJsonSchemaFromSchemaAst(schema.ast)
})

/** Decodes what a model gave, and says all that is wrong with it. */
export const decodeBy =
  <A, I>(schema: Schema.Schema<A, I>) =>
  (value: unknown): Effect.Effect<A, string> =>
    Effect.mapError(Schema.decodeUnknown(schema, { errors: "all" })(value), problemsOf)

/** A contract by Schema; the output is what the Schema encodes to, defaults filled in. */
export const fromSchema = (schema: Schema.Schema.AnyNoContext): Contract => ({
  jsonSchema: jsonSchemaOf(schema),
  check: (answer) =>
    decodeBy(schema)(answer).pipe(
      Effect.flatMap((value) => Effect.mapError(Schema.encodeUnknown(schema)(value), problemsOf)),
      Effect.flatMap(asJson)
    )
})

/** A contract that came as data. */
export const fromJsonSchema = (jsonSchema: { readonly [key: string]: Json }): Contract => ({
  jsonSchema,
  check: (answer) =>
    Effect.flatMap(asJson(answer), (value) =>
      Effect.mapError(
        Params.check({ name: "answer", params: jsonSchema, steps: [] }, undefined, value),
        ({ problems }) => problems.join("; ")
      )
    )
})

/** What a text says as JSON, in a fenced block or without one. */
export const jsonIn = (text: string): Effect.Effect<unknown, string> => {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n?```/.exec(text)
  return Effect.try({
    try: () => parseJson((fenced?.[1] ?? text).trim()),
    catch: (error) => `it is no JSON (${error instanceof Error ? error.message : String(error)})`
  })
}
