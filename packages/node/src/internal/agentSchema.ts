import * as JSONSchema from "effect/JSONSchema"
import type { AnyAgentKind } from "../AgentKind.js"
import { wholeOf } from "./agentFields.js"
import { isPart, type Part, tidy } from "./jsonSchemaParts.js"

/** The JSON Schema of one kind, with its definitions put where they are referred to. */
const kindSchema = (
  kind: AnyAgentKind,
  isDefault: boolean
): { readonly body: Part; readonly $defs: Part } => {
  const { $defs = {}, $schema: _, ...root } = JSONSchema.make(wholeOf(kind)) as unknown as Part
  const definitions = isPart($defs) ? $defs : {}
  const { properties = {}, required = [], ...rest } = tidy(root, definitions, false) as Part
  const names = Array.isArray(required) ? required : []
  const body = {
    ...rest,
    ...(isDefault && names.length === 0 ? {} : { required: isDefault ? names : ["kind", ...names] }),
    properties: {
      $schema: {
        description: "The schema of this file, for editors; it is no part of the agent.",
        type: "string"
      },
      ...(isPart(properties) ? properties : {}),
      kind: { description: "What makes the agent.", const: kind.name }
    }
  }
  const kept = Object.entries(definitions).map(
    ([name, each]) => [name, tidy(each, definitions, false)] as const
  )
  const text = JSON.stringify([body, kept])
  return {
    body,
    $defs: Object.fromEntries(kept.filter(([name]) => text.includes(`"#/$defs/${name}"`)))
  }
}

/** The JSON Schema (draft 7) of the files of agents of these kinds; `byDefault` is what files are that do not say their kind. */
export const agentSchema = (
  kinds: ReadonlyArray<AnyAgentKind>,
  byDefault: string
): Readonly<Record<string, unknown>> => {
  const schemas = kinds.map((kind) => kindSchema(kind, kind.name === byDefault))
  const $defs = Object.assign({}, ...schemas.map((each) => each.$defs)) as Part
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Switchyard agent",
    description: "An agent of Switchyard as a YAML or JSON file.",
    ...(schemas.length === 1
      ? schemas[0]?.body
      : { anyOf: schemas.map(({ body }, index) => ({ title: kinds[index]?.name, ...body })) }),
    ...(Object.keys($defs).length === 0 ? {} : { $defs })
  }
}
