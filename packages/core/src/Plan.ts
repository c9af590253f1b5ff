import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Expression from "./Expression.js"
import { problemsOfBudgets, tightEstimates } from "./internal/checkBudgets.js"
import { excessive } from "./internal/checkPermissions.js"
import { checkGivenParams } from "./internal/givenParams.js"
import { checkTypes } from "./internal/handover.js"
import { connect } from "./internal/planGraph.js"
import { compiled, type PlannedStep, planStep, referring, referringOutput } from "./internal/planStep.js"
import { Problem, type Report } from "./internal/problem.js"
import { checkReferences } from "./internal/references.js"
import { salvage } from "./internal/salvage.js"
import { misshapenIn, problemOf } from "./internal/shape.js"
import { neverRunning } from "./internal/unreachable.js"
import { findNotJson, type Json } from "./Json.js"
import { Definition } from "./WorkflowDefinition.js"

export { type PlannedStep, queryOf, type Work } from "./internal/planStep.js"
export { Problem } from "./internal/problem.js"

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

/** A validated workflow: its steps in the order of the definition, and their positions in a topological order. */
export interface Plan {
  readonly definition: Definition
  readonly steps: ReadonlyArray<PlannedStep>
  readonly order: ReadonlyArray<number>
  /** What a run gives that completes, where the definition says so. */
  readonly output: Expression.Template | undefined
  /** What does not keep it from being run, and is most likely not meant. */
  readonly warnings: ReadonlyArray<Problem>
  /** The position of a step by its id. */
  readonly indexOf: (stepId: string) => number | undefined
}

const decode = Schema.decodeUnknown(Definition, { errors: "all", onExcessProperty: "error" })

/** The error for what does not have the shape it must have, with the path of every part that has not. */
export const misshapen = (workflow: string, error: ParseResult.ParseError): InvalidWorkflow =>
  new InvalidWorkflow({ workflow, problems: misshapenIn(error).map(problemOf) })

/** A definition of the right shape, or what is left of one, with the problems of what is not. */
interface Shaped {
  readonly definition: Definition
  readonly problems: ReadonlyArray<Problem>
  readonly concerns: (problem: Problem) => boolean
}

/** Looks at the shape of a value, which may come from anywhere, and fails where nothing has it. */
const shapeOf = (given: Definition): Effect.Effect<Shaped, InvalidWorkflow> => {
  const name: unknown = given?.name
  const workflow = typeof name === "string" ? name : "unnamed"
  const found = findNotJson(given, "")
  if (found !== undefined) {
    const message = `this is ${found.found}, which JSON cannot carry`
    const path = found.path.replace(/^\./, "")
    return Effect.fail(new InvalidWorkflow({ workflow, problems: [{ path, rule: "shape", message }] }))
  }
  return Effect.matchEffect(decode(given), {
    onSuccess: () => Effect.succeed({ definition: given, problems: [], concerns: () => true }),
    onFailure: (error) => {
      const parts = misshapenIn(error)
      const problems = parts.map(problemOf)
      const invalid = new InvalidWorkflow({ workflow, problems })
      const salvaged = salvage(given as unknown as Json, parts)
      if (salvaged === undefined) return Effect.fail(invalid)
      const { concerns, definition } = salvaged
      return Effect.matchEffect(decode(definition), {
        onSuccess: () => Effect.succeed({ definition: definition as Definition, problems, concerns }),
        onFailure: () => Effect.fail(invalid)
      })
    }
  })
}

/** What a definition of the right shape comes to. */
interface Examined extends Pick<Plan, "steps" | "output" | "warnings" | "indexOf"> {
  readonly order: ReadonlyArray<number> | undefined
  readonly problems: ReadonlyArray<Problem>
}

const inStep =
  (index: number) =>
  (problem: Problem): Problem => ({ ...problem, path: `steps[${index}].subworkflow.${problem.path}` })

const examine = (definition: Definition, concerns: Shaped["concerns"]): Examined => {
  const problems: Array<Problem> = []
  const report: Report = (path, rule, message) => {
    const problem = { path, rule, message }
    if (concerns(problem)) problems.push(problem)
  }
  const graph = connect(definition, report)
  const { order, positions } = graph
  const steps = definition.steps.map((step, index) =>
    planStep(index, step, definition.defaults, graph, report)
  )
  const output = compiled(report, "output", Expression.template, definition.output)
  checkReferences(definition, [...steps.map(referring), referringOutput(output, steps.length)], order, report)
  checkTypes(steps, positions, report)
  for (const { message, path, rule } of problemsOfBudgets(definition)) report(path, rule, message)
  const warnings = [...neverRunning(steps, order), ...tightEstimates(definition)]
  for (const { definition: step, index, work } of steps) {
    if (work._tag !== "Subworkflow") continue
    checkGivenParams(step, work.workflow, `steps[${index}].input`, report)
    const inner = examine(work.workflow, (problem) => concerns(inStep(index)(problem)))
    problems.push(...inner.problems.map(inStep(index)))
    warnings.push(...inner.warnings.map(inStep(index)))
  }
  return { steps, order, output, problems, warnings, indexOf: (stepId) => positions.get(stepId) }
}

/**
 * Validates a definition, with the workflows that are steps of it, and compiles its expressions. All problems are reported at
 * once; a cycle is named in order. Takes time linear in steps and dependencies.
 */
export const make = (given: Definition): Effect.Effect<Plan, InvalidWorkflow> =>
  Effect.gen(function* () {
    const { concerns, definition, problems: misshapen } = yield* shapeOf(given)
    const { order, problems, ...found } = examine(definition, concerns)
    if (misshapen.length > 0 || problems.length > 0 || order === undefined)
      return yield* new InvalidWorkflow({
        workflow: definition.name,
        problems: [...misshapen, ...problems]
      })
    const warnings = [...found.warnings, ...excessive(definition, definition.permissions)]
    return { definition, order, ...found, warnings }
  })
