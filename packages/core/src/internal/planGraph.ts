import * as Graph from "effect/Graph"
import { didYouMean } from "../Nearest.js"
import type { Definition } from "../WorkflowDefinition.js"
import { isCompensation, targetsOf } from "./compensationPlan.js"
import type { Report } from "./problem.js"

/** Which steps wait for which, by their positions. */
export interface StepGraph {
  readonly dependencies: ReadonlyArray<ReadonlyArray<number>>
  readonly dependents: ReadonlyArray<ReadonlyArray<number>>
  /** All positions, each after those that it waits for; `undefined` where steps wait for each other. */
  readonly order: ReadonlyArray<number> | undefined
  readonly positions: ReadonlyMap<string, number>
}

/** The members of a strongly connected component in the order of their dependencies, the first one repeated at the end. */
const nameCycle = (
  start: number,
  dependents: ReadonlyArray<ReadonlyArray<number>>,
  members: ReadonlySet<number>
) => {
  const path: Array<number> = []
  const seen = new Map<number, number>()
  let at = start
  while (!seen.has(at)) {
    seen.set(at, path.length)
    path.push(at)
    at = dependents[at]?.find((next) => members.has(next)) ?? start
  }
  return [...path.slice(seen.get(at)), at]
}

const positionsOf = (ids: ReadonlyArray<string>, report: Report): ReadonlyMap<string, number> => {
  const positions = new Map<string, number>()
  for (const [index, id] of ids.entries()) {
    const first = positions.get(id)
    if (first === undefined) positions.set(id, index)
    else
      report(
        `steps[${index}].id`,
        "duplicate",
        `"${id}" is also the id of steps[${first}]; rename one of them`
      )
  }
  return positions
}

/** For so many names that are not there it is said which ones may be meant; each is compared to all there are. */
const mostHints = 100

/** All positions, each after those that it waits for, in the order of the definition where that leaves a choice of beginnings. */
const orderOf = (
  dependencies: ReadonlyArray<ReadonlyArray<number>>,
  dependents: ReadonlyArray<ReadonlyArray<number>>
): ReadonlyArray<number> | undefined => {
  const waiting = dependencies.map(({ length }) => length)
  const order = [...waiting.keys()].filter((index) => waiting[index] === 0)
  for (const index of order) {
    for (const next of dependents[index] ?? []) {
      const left = (waiting[next] ?? 0) - 1
      waiting[next] = left
      if (left === 0) order.push(next)
    }
  }
  return order.length === waiting.length ? order : undefined
}

/** Connects the steps of a definition, and reports ids and dependencies that are wrong; a cycle is named in order. */
export const connect = (definition: Definition, report: Report): StepGraph => {
  const ids = definition.steps.map((step) => step.id as string)
  if (ids.length === 0) report("steps", "empty", "there is no step; add at least one")
  const positions = positionsOf(ids, report)
  const dependents = ids.map((): Array<number> => [])
  let hints = 0
  const hintFor = (id: string): string => (hints++ < mostHints ? didYouMean(id, ids) : "")
  const targets = targetsOf(definition, positions, hintFor, report)
  const dependencies = definition.steps.map((step, index) => {
    const target = targets.get(index)
    if (target !== undefined) dependents[target]?.push(index)
    if (isCompensation(step)) return target === undefined ? [] : [target]
    const found = new Set<number>()
    for (const [position, id] of (step.after ?? []).entries()) {
      const path = `steps[${index}].after[${position}]`
      const dependency = positions.get(id)
      if (dependency === undefined) {
        report(path, "dependency", `there is no step "${id}"${hintFor(id)}`)
      } else if (isCompensation(definition.steps[dependency])) {
        report(path, "compensation", `"${id}" compensates a step, so no step can wait for it; remove it`)
      } else if (found.has(dependency)) {
        report(path, "duplicate", `"${id}" is listed twice; remove one`)
      } else {
        found.add(dependency)
        dependents[dependency]?.push(index)
      }
    }
    return [...found]
  })

  const order = orderOf(dependencies, dependents)
  if (order !== undefined) return { dependencies, dependents, order, positions }
  const graph = Graph.directed<string, null>((mutable) => {
    for (const id of ids) Graph.addNode(mutable, id)
    for (const [from, targets] of dependents.entries())
      for (const to of targets) Graph.addEdge(mutable, from, to, null)
  })
  for (const members of Graph.stronglyConnectedComponents(graph)) {
    const start = Math.min(...members)
    if (members.length === 1 && !dependents[start]?.includes(start)) continue
    const cycle = nameCycle(start, dependents, new Set(members)).map((index) => ids[index])
    report(
      `steps[${start}].after`,
      "cycle",
      `the steps wait for each other: ${cycle.join(" → ")}; remove one dependency`
    )
  }
  return { dependencies, dependents, order: undefined, positions }
}
