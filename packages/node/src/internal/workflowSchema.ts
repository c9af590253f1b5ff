import { Definition } from "@switchyard/core/Workflow"
import * as JSONSchema from "effect/JSONSchema"
import { type Instead, isPart, type Part, tidy } from "./jsonSchemaParts.js"

// A workflow in a workflow is written there, or is another file.
const nested: Instead = (name) =>
  name === "Workflow" ? { anyOf: [{ type: "string", minLength: 1 }, { $ref: "#" }] } : undefined

const isReferred = (name: string, text: string): boolean => text.includes(`"#/$defs/${name}"`)

const make = (): Part => {
  const { $defs = {}, $schema } = JSONSchema.make(Definition) as unknown as Part
  const { Workflow: root, ...definitions }: Part = isPart($defs) ? $defs : {}
  const { properties, ...rest } = tidy(root, definitions, false, nested) as Part
  const names = Object.entries(definitions).map(
    ([name, each]) => [name, tidy(each, definitions, false, nested)] as const
  )
  const body = {
    ...rest,
    properties: {
      $schema: {
        description: "The schema of this file, for editors; it is no part of the workflow.",
        type: "string"
      },
      ...(isPart(properties) ? properties : {})
    }
  }
  const text = JSON.stringify([body, names])
  const kept = names.filter(([name]) => isReferred(name, text))
  return {
    $schema,
    title: "Switchyard workflow",
    description: "A workflow of Switchyard as a YAML or JSON file.",
    ...body,
    ...(kept.length === 0 ? {} : { $defs: Object.fromEntries(kept) })
  }
}

/**
 * The JSON Schema (draft 7) of workflow files, with a description of every property. It says what editors can check; rules
 * about how steps belong together are checked when a file is read.
 */
export const jsonSchema: Readonly<Record<string, unknown>> = make()
