import { Definition } from "@switchyard/core/Workflow"
import * as JSONSchema from "effect/JSONSchema"

interface Part {
  readonly [key: string]: unknown
}

const isPart = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isPart(value) && Object.keys(value).length === 0

/** Whether a definition is about one value, or about all values that there are in JSON. */
const isSimple = (part: Part): boolean => !("properties" in part || "items" in part || "anyOf" in part)

/**
 * Puts simple definitions where they are referred to, because what stands beside a reference does not count in draft 7, and
 * keeps of titles and descriptions only those of properties: the others describe types, which editors show anyway.
 */
const tidy = (value: unknown, definitions: Part, isProperty: boolean): unknown => {
  if (Array.isArray(value)) return value.map((each) => tidy(each, definitions, false))
  if (!isPart(value)) return value
  const { $ref, description, title: _, ...own } = value
  const explained = isProperty && typeof description === "string" ? { description } : {}
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1)
    const target = definitions[name]
    if (name === "Json") return explained
    // A workflow in a workflow is written there, or is another file.
    if (name === "Workflow") return { ...explained, anyOf: [{ type: "string", minLength: 1 }, { $ref: "#" }] }
    if (isPart(target) && isSimple(target)) {
      const { description: _, ...simple } = target
      return tidy({ ...simple, ...own, ...explained }, definitions, isProperty)
    }
    return { ...explained, allOf: [{ $ref }] }
  }
  const { allOf, ...rest } = own
  if (Array.isArray(allOf) && allOf.length === 1 && isPart(allOf[0])) {
    const { description: _, ...inner } = allOf[0]
    return tidy({ ...inner, ...rest, ...explained }, definitions, isProperty)
  }
  const parts = Object.entries(own)
    .filter(([key, each]) => !(isEmpty(each) && (key === "required" || key === "properties")))
    .map(([key, each]) => {
      if (key !== "properties" || !isPart(each)) return [key, tidy(each, definitions, false)] as const
      const properties = Object.entries(each).map(
        ([name, property]) => [name, tidy(property, definitions, true)] as const
      )
      return [key, Object.fromEntries(properties)] as const
    })
  return { ...explained, ...Object.fromEntries(parts) }
}

const isReferred = (name: string, text: string): boolean => text.includes(`"#/$defs/${name}"`)

const make = (): Part => {
  const { $defs = {}, $schema } = JSONSchema.make(Definition) as unknown as Part
  const { Workflow: root, ...definitions }: Part = isPart($defs) ? $defs : {}
  const { properties, ...rest } = tidy(root, definitions, false) as Part
  const names = Object.entries(definitions).map(
    ([name, each]) => [name, tidy(each, definitions, false)] as const
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
