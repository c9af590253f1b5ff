import type { Json } from "../Json.js"
import { copyOf } from "./jsonValue.js"
import type { Problem } from "./problem.js"
import type { Misshapen } from "./shape.js"

/** A definition without its misshapen parts, and which problems of it are real and no consequence of what is not there. */
export interface Salvaged {
  readonly definition: unknown
  readonly concerns: (problem: Problem) => boolean
}

type Parts = Record<string, unknown>

const partsOf = (value: unknown): Parts | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Parts) : undefined

const partAt = (value: unknown, path: ReadonlyArray<PropertyKey>): Parts | undefined =>
  partsOf(
    path.reduce<unknown>(
      (at, key) => (typeof at === "object" && at !== null ? (at as Parts)[String(key)] : undefined),
      value
    )
  )

const aboutOneStep: ReadonlySet<Problem["rule"]> = new Set(["expression", "duplicate", "cycle"])

/**
 * Takes out what is misshapen, or takes a name for the one it is a slip of, so that everything else can be looked at too.
 * `undefined` where nothing would be left to look at.
 */
export const salvage = (given: Json, misshapen: ReadonlyArray<Misshapen>): Salvaged | undefined => {
  const definition = partsOf(copyOf(given))
  if (definition === undefined || !Array.isArray(definition.steps)) return undefined
  const steps: ReadonlyArray<unknown> = definition.steps
  const maimed = new Set<number>()
  const lost = new Set<string>()

  for (const { meant, path, rule } of misshapen) {
    if (rule !== "unknown") continue
    const part = partAt(definition, path.slice(0, -1))
    const name = String(path.at(-1))
    if (part === undefined) continue
    const value = part[name]
    delete part[name]
    if (meant !== undefined && !Object.hasOwn(part, meant)) part[meant] = value
    // What somebody calls `needs` may be what others call `after`.
    else if (path[0] === "steps") {
      maimed.add(Number(path[1]))
      lost.add("after")
    }
  }
  for (const { missing, path, rule } of misshapen) {
    if (rule === "unknown") continue
    const [top, index, inStep = missing] = path
    if (top === undefined || top === "name") definition.name = "unnamed"
    else if (top !== "steps") {
      delete definition[String(top)]
      lost.add(String(top))
    } else {
      const step = partsOf(steps[Number(index)])
      if (step === undefined || inStep === undefined) return undefined
      maimed.add(Number(index))
      lost.add(String(inStep))
      if (inStep === "id") step.id = `unnamed.${String(index)}`
      else delete step[String(inStep)]
    }
  }

  return {
    definition,
    concerns: ({ path, rule }) => {
      const index = /^steps\[(\d+)\]/.exec(path)?.[1]
      if (index !== undefined && maimed.has(Number(index)) && !aboutOneStep.has(rule)) return false
      if (rule === "parameter") return !lost.has("params")
      if (rule === "dependency" || rule === "type" || rule === "compensation") return !lost.has("id")
      return rule !== "reference" || !(lost.has("id") || lost.has("after") || lost.has("forEach"))
    }
  }
}
