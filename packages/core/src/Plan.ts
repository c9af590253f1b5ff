import * as Effect from "effect/Effect"
import * as Graph from "effect/Graph"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { closest } from "fastest-levenshtein"
import type { CapabilityQuery } from "./Capability.js"
import * as Expression from "./Expression.js"
import { findNotJson } from "./Json.js"
import { Definition, type Join, type StepDefinition } from "./Workflow.js"

/** One thing that is wrong with a definition: where (`steps[2].after[0]`), which rule, what to do about it. */
export const Problem = Schema.Struct({
  path: Schema.String,
  rule: Schema.Literal(
    "shape",
    "empty",
    "duplicate",
    "dependency",
    "cycle",
    "agent",
    "expression",
    "forEach"
  ),
  message: Schema.String
})
export type Problem = typeof Problem.Type

/** A definition that cannot be run, with every problem found in it. */
export class InvalidWorkflow extends Schema.TaggedError<InvalidWorkflow>()("InvalidWorkflow", {
  workflow: Schema.String,
  problems: Schema.Array(Problem)
}) {
  override get message() {
    const lines = this.problems.map(({ message, path }) => `  ${path}: ${message}`)
    return [`The workflow "${this.workflow}" cannot be run:`, ...lines].join("\n")
  }
}

/** A step with its expressions compiled and its neighbours by position. */
export interface PlannedStep {
  readonly index: number
  readonly definition: StepDefinition
  readonly dependencies: ReadonlyArray<number>
  readonly dependents: ReadonlyArray<number>
  readonly join: Join
  readonly query: CapabilityQuery
  readonly when: Expression.Condition | undefined
  readonly forEach: Expression.Template | undefined
  readonly input: Expression.Template | undefined
  readonly label: Expression.Template | undefined
}

/** A validated workflow: its steps in the order of the definition, and their positions in a topological order. */
export interface Plan {
  readonly definition: Definition
  readonly steps: ReadonlyArray<PlannedStep>
  readonly order: ReadonlyArray<number>
  /** The position of a step by its id. */
  readonly indexOf: (stepId: string) => number | undefined
}

/** `; did you mean "x"?` where a known name is near enough to be meant, otherwise nothing. */
export const didYouMean = (name: string, known: ReadonlyArray<string>): string => {
  if (known.length === 0) return ""
  const nearest = closest(
    name.toLowerCase(),
    known.map((each) => each.toLowerCase())
  )
  const original = known.find((each) => each.toLowerCase() === nearest)
  const shared = [...name.toLowerCase()].filter((character) => nearest.includes(character)).length
  return original !== undefined && shared * 2 > name.length ? `; did you mean "${original}"?` : ""
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

/** What a step asks of an agent. */
export const queryOf = (
  step: Pick<StepDefinition, "skill" | "inputType" | "outputType" | "constraints">
): CapabilityQuery => ({
  requiredSkills: step.skill === undefined ? [] : [step.skill],
  ...(step.inputType === undefined ? {} : { inputType: step.inputType }),
  ...(step.outputType === undefined ? {} : { outputType: step.outputType }),
  ...(step.constraints === undefined ? {} : { constraints: step.constraints })
})

const decode = Schema.decodeUnknown(Definition, { errors: "all", onExcessProperty: "error" })

const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    ""
  )

/** The error for what does not have the shape it must have, with the path of every part that has not. */
export const misshapen = (workflow: string, error: ParseResult.ParseError): InvalidWorkflow =>
  new InvalidWorkflow({
    workflow,
    problems: ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => ({
      path: pathText(path),
      rule: "shape",
      message
    }))
  })

/** Fails where a value, which may come from anywhere, does not have the shape of a definition. */
const checkShape = (definition: Definition): Effect.Effect<unknown, InvalidWorkflow> => {
  const name: unknown = definition?.name
  const workflow = typeof name === "string" ? name : "unnamed"
  const found = findNotJson(definition, "")
  if (found !== undefined) {
    const message = `this is ${found.found}, which JSON cannot carry`
    const path = found.path.replace(/^\./, "")
    return Effect.fail(new InvalidWorkflow({ workflow, problems: [{ path, rule: "shape", message }] }))
  }
  return Effect.mapError(decode(definition), (error) => misshapen(workflow, error))
}

/**
 * Validates a definition and compiles its expressions. All problems are reported at once; a cycle is named in order.
 * Takes time linear in steps and dependencies.
 */
export const make = (definition: Definition): Effect.Effect<Plan, InvalidWorkflow> =>
  Effect.gen(function* () {
    yield* checkShape(definition)
    const problems: Array<Problem> = []
    const report = (path: string, rule: Problem["rule"], message: string) => {
      problems.push({ path, rule, message })
    }
    const compiled = <A>(path: string, effect: Effect.Effect<A, Expression.ExpressionError>) =>
      Effect.catchTag(effect, "ExpressionError", (error) =>
        Effect.sync(() => {
          report(path, "expression", error.message)
          return undefined
        })
      )

    const positions = new Map<string, number>()
    const ids = definition.steps.map((step) => step.id as string)
    if (ids.length === 0) report("steps", "empty", "there is no step; add at least one")
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

    const dependents = definition.steps.map((): Array<number> => [])
    const dependencies = definition.steps.map((step, index) => {
      const found: Array<number> = []
      for (const [position, id] of (step.after ?? []).entries()) {
        const path = `steps[${index}].after[${position}]`
        const dependency = positions.get(id)
        if (dependency === undefined) {
          report(path, "dependency", `there is no step "${id}"${didYouMean(id, ids)}`)
        } else if (found.includes(dependency)) {
          report(path, "duplicate", `"${id}" is listed twice; remove one`)
        } else {
          found.push(dependency)
          dependents[dependency]?.push(index)
        }
      }
      return found
    })

    const graph = Graph.directed<string, null>((mutable) => {
      for (const id of ids) Graph.addNode(mutable, id)
      for (const [from, targets] of dependents.entries())
        for (const to of targets) Graph.addEdge(mutable, from, to, null)
    })
    const acyclic = Graph.isAcyclic(graph)
    if (!acyclic) {
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
    }

    const steps: Array<PlannedStep> = []
    for (const [index, step] of definition.steps.entries()) {
      const path = `steps[${index}]`
      if ((step.skill === undefined) === (step.agent === undefined)) {
        const both = step.skill !== undefined
        report(
          path,
          "agent",
          both ? "give either a skill or an agent, not both" : "give a skill, or the id of an agent"
        )
      }
      if (step.forEach === undefined && (step.onItemFailure !== undefined || step.label !== undefined)) {
        report(
          path,
          "forEach",
          "onItemFailure and label say something about items; add forEach or remove them"
        )
      }
      if (typeof step.forEach === "string" && !/^\{\{[\s\S]*\}\}$/.test(step.forEach)) {
        report(
          `${path}.forEach`,
          "forEach",
          `this is a text, not a list; write "{{ ${step.forEach.trim()} }}" for the list that an expression gives`
        )
      }
      steps.push({
        index,
        definition: step,
        dependencies: dependencies[index] ?? [],
        dependents: dependents[index] ?? [],
        join: step.join ?? "allSucceeded",
        query: queryOf(step),
        when:
          step.when === undefined
            ? undefined
            : yield* compiled(`${path}.when`, Expression.condition(step.when)),
        forEach:
          step.forEach === undefined
            ? undefined
            : yield* compiled(`${path}.forEach`, Expression.template(step.forEach)),
        input:
          step.input === undefined
            ? undefined
            : yield* compiled(`${path}.input`, Expression.template(step.input)),
        label:
          step.label === undefined
            ? undefined
            : yield* compiled(`${path}.label`, Expression.template(step.label))
      })
    }

    if (problems.length > 0) return yield* new InvalidWorkflow({ workflow: definition.name, problems })
    return {
      definition,
      steps,
      order: [...Graph.indices(Graph.topo(graph))],
      indexOf: (stepId) => positions.get(stepId)
    }
  })
