import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { findNotJson, type Json } from "../Json.js"

const encodedWith = (ast: AST.AST, value: unknown): Option.Option<Json> =>
  Option.filter(
    Schema.encodeUnknownOption(Schema.make<unknown, unknown>(ast))(value),
    (encoded): encoded is Json => findNotJson(encoded) === undefined
  )

/** The values that a Schema gives to properties which are missing, as JSON; those that have none are left out. */
export const paramDefaults = (schema: Schema.Schema.AnyNoContext): Readonly<Record<string, Json>> => {
  const { ast } = schema
  const found: Record<string, Json> = {}
  if (!AST.isTransformation(ast) || !AST.isTypeLiteralTransformation(ast.transformation)) return found
  if (!AST.isTypeLiteral(ast.from)) return found
  const properties = ast.from.propertySignatures
  for (const { decode, from } of ast.transformation.propertySignatureTransformations) {
    const type = properties.find(({ name }) => name === from)?.type
    const value = decode(Option.none())
    if (type === undefined || Option.isNone(value)) continue
    const encoded = encodedWith(type, value.value)
    if (Option.isSome(encoded)) found[String(from)] = encoded.value
  }
  return found
}

/** A JSON Schema of an object, with the values that its properties have where they are missing. */
export const withDefaults = (
  jsonSchema: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, Json>>
): Record<string, unknown> => {
  const { properties } = jsonSchema
  if (typeof properties !== "object" || properties === null) return { ...jsonSchema }
  const filled = Object.entries(properties).map(([name, property]) => [
    name,
    Object.hasOwn(defaults, name) ? { ...property, default: defaults[name] } : property
  ])
  return { ...jsonSchema, properties: Object.fromEntries(filled) }
}
