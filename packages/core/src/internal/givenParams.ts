import type { Json } from "../Json.js"
import { didYouMean } from "../Nearest.js"
import type { Definition, StepDefinition } from "../WorkflowDefinition.js"
import { isObject, mismatches, withDefaults } from "./jsonSchema.js"
import type { Report } from "./problem.js"
import { declaredParams } from "./references.js"

/** Whether a value is what it is, because there is no expression in it. */
const isLiteral = (value: Json): boolean => !JSON.stringify(value).includes("{{")

/** Reports what of a value does not fit its JSON Schema, as far as that is known before expressions have values. */
const checkValue = (
  value: Json,
  schema: Json | undefined,
  root: NonNullable<Definition["params"]>,
  path: string,
  report: Report
): void => {
  if (schema === undefined) return
  if (isLiteral(value)) {
    // References of the Schema lead into the whole one.
    const parts = Object.entries(root).filter(([key]) => key === "$defs" || key === "definitions")
    const around = { ...Object.fromEntries(parts), properties: { value: schema } }
    try {
      for (const { message, path: inside } of mismatches(around, { value: withDefaults(schema, value) }))
        report(`${path}${inside.slice("value".length)}`, "parameter", message)
    } catch {
      // A Schema that is none is reported where a run is given its parameters.
    }
  } else if (isObject(value) && isObject(schema) && isObject(schema.properties)) {
    for (const [key, each] of Object.entries(value))
      checkValue(each, schema.properties[key], root, `${path}.${key}`, report)
  }
}

/**
 * Reports parameters that a step gives to a workflow which has no such ones, those that it has to give and does not, and
 * those that do not fit.
 */
export const checkGivenParams = (
  { input }: StepDefinition,
  { name, params }: Definition,
  path: string,
  report: Report
): void => {
  if (input === undefined) return
  if (!isObject(input)) {
    if (params?.type === "object") checkValue(input, { type: "object" }, params, path, report)
    return
  }
  const given = Object.keys(input)
  const known = declaredParams({ params })
  for (const key of given) {
    if (known === undefined || known.includes(key)) {
      const { properties = {} } = params ?? {}
      if (params !== undefined && isObject(properties))
        checkValue(input[key] ?? null, properties[key], params, `${path}.${key}`, report)
      continue
    }
    const hint = didYouMean(key, known) || `; there is ${known.join(", ") || "none"}`
    report(`${path}.${key}`, "parameter", `the workflow "${name}" has no parameter "${key}"${hint}`)
  }
  const required: Json = params?.required ?? []
  const properties: Json = params?.properties ?? {}
  for (const key of Array.isArray(required) ? required : []) {
    const property = isObject(properties) ? properties[String(key)] : undefined
    if (given.includes(String(key)) || (isObject(property) && "default" in property)) continue
    report(path, "parameter", `the workflow "${name}" needs the parameter "${key}"; give it a value`)
  }
}
