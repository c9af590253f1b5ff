import type { Json } from "../Json.js"
import { didYouMean } from "../Nearest.js"
import type { Definition, StepDefinition } from "../WorkflowDefinition.js"
import type { Report } from "./problem.js"
import { declaredParams } from "./references.js"

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Reports parameters that a step gives to a workflow which has no such ones, and those that it has to give and does not. */
export const checkGivenParams = (
  { input }: StepDefinition,
  { name, params }: Definition,
  path: string,
  report: Report
): void => {
  if (!isObject(input)) return
  const given = Object.keys(input)
  const known = declaredParams({ params })
  for (const key of given) {
    if (known === undefined || known.includes(key)) continue
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
