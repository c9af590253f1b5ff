import type { Reference } from "../Expression.js"
import type { Json } from "../Json.js"
import { didYouMean } from "../Nearest.js"
import type { Definition } from "../WorkflowDefinition.js"
import type { Report } from "./problem.js"

/** An expression of a step: where it stands, what it looks at, and what there is to look at beside what all steps have. */
export interface Place {
  readonly path: string
  readonly references: ReadonlyArray<Reference>
  readonly more: ReadonlySet<string>
}

/** A step as far as its references go. */
export interface Referring {
  readonly id: string
  readonly dependencies: ReadonlyArray<number>
  /** Whether all that it names as its dependencies is there. */
  readonly isComplete: boolean
  /** The step whose effects it undoes, where it is there for that. */
  readonly compensates: string | undefined
  readonly places: ReadonlyArray<Place>
}

const ofStep = ["status", "output", "failure", "items"]
const ofRun = ["id", "workflow"]

/** Where the names are that stand for something in some places only. */
const where: { readonly [Name in "item" | "index" | "acc"]: string } = {
  item: "label and input of a step with forEach have one, and value of map and reduce",
  index: "label and input of a step with forEach have one, and value of map and reduce",
  acc: "only value of reduce has one"
}

/** For each step a bit for each step that is settled before it; without cycles, and in topological order. */
const ancestorsOf = (steps: ReadonlyArray<Referring>, order: ReadonlyArray<number>) => {
  const width = Math.ceil(steps.length / 32)
  const bits = steps.map(() => new Uint32Array(width))
  for (const index of order) {
    const mine = bits[index] ?? new Uint32Array(width)
    for (const dependency of steps[index]?.dependencies ?? []) {
      const theirs = bits[dependency] ?? mine
      for (let word = 0; word < width; word++) mine[word] = (mine[word] ?? 0) | (theirs[word] ?? 0)
      mine[dependency >> 5] = (mine[dependency >> 5] ?? 0) | (1 << (dependency & 31))
    }
  }
  return (index: number, other: number): boolean =>
    (((bits[index]?.[other >> 5] ?? 0) >>> (other & 31)) & 1) === 1
}

/** The names of the parameters, where the workflow says that there are no others. */
export const declaredParams = ({
  params
}: {
  readonly params?: Definition["params"] | undefined
}): ReadonlyArray<string> | undefined => {
  const properties: Json | undefined = params?.properties
  if (typeof properties !== "object" || properties === null || Array.isArray(properties)) return undefined
  const others: Json = params?.additionalProperties ?? false
  return others === false ? Object.keys(properties) : undefined
}

/**
 * Reports references to what cannot be there when the expression is evaluated: steps that are not settled before it,
 * parameters that are not declared, items where there are none. `order` is missing where the steps have no order.
 */
export const checkReferences = (
  definition: Definition,
  steps: ReadonlyArray<Referring>,
  order: ReadonlyArray<number> | undefined,
  report: Report
): void => {
  const positions = new Map(steps.map(({ id }, index) => [id, index]))
  const params = declaredParams(definition)
  let ancestors: ((index: number, other: number) => boolean) | undefined
  const isBefore = (index: number, other: number): boolean => {
    if (steps[index]?.dependencies.includes(other) || order === undefined) return true
    ancestors ??= ancestorsOf(steps, order)
    return ancestors(index, other)
  }

  const ofSteps = (index: number, path: string, [, id, field]: Reference): void => {
    if (id === undefined) return
    const { compensates: target, isComplete = false } = steps[index] ?? {}
    const other = positions.get(id)
    if (other === undefined) {
      report(path, "reference", `there is no step "${id}"${didYouMean(id, [...positions.keys()])}`)
    } else if (other === index) {
      report(path, "reference", `"${id}" is this step itself, which has no output yet`)
    } else if (steps[other]?.compensates !== undefined) {
      report(path, "reference", `"${id}" compensates a step, and has no output yet when this is evaluated`)
    } else if (isComplete && !isBefore(index, other)) {
      const message =
        target === undefined
          ? `"${id}" need not be settled before this step; add it to its after`
          : `"${id}" need not be settled before "${target}" is undone; look at "${target}" or at what comes before it`
      report(path, "reference", message)
    } else if (field !== undefined && !ofStep.includes(field)) {
      const hint = didYouMean(field, ofStep) || `; it has ${ofStep.join(", ")}`
      report(path, "reference", `a step has no "${field}"${hint}`)
    }
  }

  const check = (index: number, { more, path }: Place, reference: Reference): void => {
    const [root = "", name] = reference
    if (root === "steps") ofSteps(index, path, reference)
    else if (root === "params") {
      if (name === undefined || params === undefined || params.includes(name)) return
      const hint = didYouMean(name, params) || `; there is ${params.join(", ") || "none"}`
      report(path, "parameter", `the workflow has no parameter "${name}"${hint}`)
    } else if (root === "run") {
      if (name !== undefined && !ofRun.includes(name))
        report(path, "reference", `a run has no "${name}"; it has ${ofRun.join(", ")}`)
    } else if ((root === "item" || root === "index" || root === "acc") && !more.has(root))
      report(path, "reference", `there is no ${root} here; ${where[root]}`)
  }

  for (const [index, step] of steps.entries()) {
    for (const place of step.places) for (const reference of place.references) check(index, place, reference)
  }
}
