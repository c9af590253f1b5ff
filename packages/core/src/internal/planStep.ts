import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { CapabilityQuery, ConstraintValue } from "../Capability.js"
import * as Expression from "../Expression.js"
import type { Json } from "../Json.js"
import type { Definition, Join, Policies, StepDefinition } from "../WorkflowDefinition.js"
import { isCompensation } from "./compensationPlan.js"
import type { StepGraph } from "./planGraph.js"
import type { Report } from "./problem.js"
import type { Place, Referring } from "./references.js"
import { neededOf } from "./tolerance.js"

/** What a step does. */
export type Work =
  | { readonly _tag: "Agent" }
  | { readonly _tag: "Subworkflow"; readonly workflow: Definition }
  | {
      readonly _tag: "Map"
      readonly over: Expression.Template
      readonly value: Expression.Template
      readonly where: Expression.Condition | undefined
    }
  | {
      readonly _tag: "Reduce"
      readonly over: Expression.Template
      readonly initial: Expression.Template
      readonly value: Expression.Template
    }
  | { readonly _tag: "Approval"; readonly message: Expression.Template | undefined }
  | {
      readonly _tag: "Wait"
      readonly millis: Expression.Template | undefined
      readonly until: Expression.Template | undefined
    }

/** Work that is done item by item. */
export type ItemWork = Extract<Work, { readonly _tag: "Agent" | "Subworkflow" }>

/** Whether something is done item by item. */
export const hasItems = (work: Work): work is ItemWork => work._tag === "Agent" || work._tag === "Subworkflow"

/** A step with its expressions compiled and its neighbours by position. */
export interface PlannedStep {
  readonly index: number
  /** The definition, with what the workflow says for steps that do not say it themselves. */
  readonly definition: StepDefinition
  readonly dependencies: ReadonlyArray<number>
  readonly dependents: ReadonlyArray<number>
  readonly join: Join
  readonly work: Work
  /** What it asks of an agent. */
  readonly query: CapabilityQuery
  readonly when: Expression.Condition | undefined
  readonly forEach: Expression.Template | undefined
  readonly input: Expression.Template | undefined
  readonly label: Expression.Template | undefined
  /** What it asks beside that of the agent for one item. */
  readonly constraints: Expression.Template | undefined
}

/** Whether a value is only known once an item is. */
const isTemplate = (value: ConstraintValue): boolean =>
  typeof value === "string"
    ? value.includes("{{")
    : Array.isArray(value) && value.some((each) => each.includes("{{"))

/** What a step asks of an agent, as far as that is known before there are items. */
export const queryOf = (
  step: Pick<StepDefinition, "skill" | "inputType" | "outputType" | "constraints">
): CapabilityQuery => {
  const known = Object.entries(step.constraints ?? {}).filter(([, value]) => !isTemplate(value))
  return {
    requiredSkills: step.skill === undefined ? [] : [step.skill],
    ...(step.inputType === undefined ? {} : { inputType: step.inputType }),
    ...(step.outputType === undefined ? {} : { outputType: step.outputType }),
    ...(known.length === 0 ? {} : { constraints: Object.fromEntries(known) })
  }
}

const works = ["skill", "agent", "subworkflow", "map", "reduce", "approval", "wait"] as const
const ofAgents = [
  "inputType",
  "constraints",
  "group",
  "retry",
  "attemptTimeoutMillis",
  "fallback",
  "select"
] as const
const ofItems = [
  "forEach",
  "label",
  "concurrency",
  "input",
  "onItemFailure",
  "budget",
  "permissions"
] as const

const checkWork = (step: StepDefinition, path: string, report: Report): void => {
  const given = works.filter((name) => step[name] !== undefined)
  const [first] = given
  if (first === undefined)
    report(
      path,
      "work",
      "say what the step does: give a skill, the id of an agent, a subworkflow, a map, a reduce, an approval or a wait"
    )
  else if (given.length > 1)
    report(path, "work", `a step does one thing; of ${given.join(" and ")}, keep one`)
  else if (first !== "skill" && first !== "agent") {
    const names = first === "subworkflow" ? ofAgents : [...ofItems, ...ofAgents]
    for (const name of names) {
      if (step[name] !== undefined)
        report(`${path}.${name}`, "work", `this is about an agent, and ${first} needs none; remove it`)
    }
  }
}

const checkItems = (step: StepDefinition, path: string, report: Report): void => {
  if (step.forEach === undefined && (step.onItemFailure !== undefined || step.label !== undefined)) {
    report(path, "forEach", "onItemFailure and label say something about items; add forEach or remove them")
  }
  const { forEach, onItemFailure } = step
  if (typeof onItemFailure === "object" && Array.isArray(forEach)) {
    const needed = neededOf(onItemFailure, forEach.length)
    if (needed > forEach.length)
      report(
        `${path}.onItemFailure.atLeast`,
        "forEach",
        `there are only ${forEach.length} items, so that ${needed} can never succeed; lower it`
      )
  }
  const lists = [
    ["forEach", step.forEach],
    ["map.over", step.map?.over],
    ["reduce.over", step.reduce?.over]
  ] as const
  for (const [name, list] of lists) {
    if (typeof list !== "string" || /^\{\{[\s\S]*\}\}$/.test(list)) continue
    const message = `this is a text, not a list; write "{{ ${list.trim()} }}" for the list that an expression gives`
    report(`${path}.${name}`, "forEach", message)
  }
}

/** A compiled expression; `undefined` where there is none, or where what is wrong with it is reported. */
export const compiled = <A extends Json, B>(
  report: Report,
  path: string,
  compile: (source: A) => Effect.Effect<B, Expression.ExpressionError>,
  source: A | undefined
): B | undefined => {
  if (source === undefined) return undefined
  // Nothing is given to the effect, so that one that has its value already needs no fiber.
  const exit = Effect.runSyncExit(compile(source))
  if (Exit.isSuccess(exit)) return exit.value
  const error = Cause.squash(exit.cause)
  if (!(error instanceof Expression.ExpressionError)) throw error
  report(path, "expression", error.message)
  return undefined
}

const never: Expression.Template = { references: [], evaluate: () => Effect.succeed(null) }

/** Compiles the expressions of one step, and reports what is wrong with it as far as it alone shows. */
export const planStep = (
  index: number,
  given: StepDefinition,
  defaults: Policies | undefined,
  { dependencies, dependents }: StepGraph,
  report: Report
): PlannedStep => {
  const path = `steps[${index}]`
  checkWork(given, path, report)
  checkItems(given, path, report)

  const condition = (name: string, source: string | undefined) =>
    compiled(report, `${path}.${name}`, Expression.condition, source)
  const template = (name: string, value: Json | undefined) =>
    compiled(report, `${path}.${name}`, Expression.template, value)

  const workOf = ({ approval, map, reduce, subworkflow, wait }: StepDefinition): Work => {
    if (subworkflow !== undefined) return { _tag: "Subworkflow", workflow: subworkflow }
    if (approval !== undefined)
      return { _tag: "Approval", message: template("approval.message", approval.message) }
    if (wait !== undefined) {
      return {
        _tag: "Wait",
        millis: "millis" in wait ? template("wait.millis", wait.millis) : undefined,
        until: "until" in wait ? template("wait.until", wait.until) : undefined
      }
    }
    if (map !== undefined) {
      return {
        _tag: "Map",
        over: template("map.over", map.over) ?? never,
        value: template("map.value", map.value) ?? never,
        where: condition("map.where", map.where)
      }
    }
    if (reduce === undefined) return { _tag: "Agent" }
    return {
      _tag: "Reduce",
      over: template("reduce.over", reduce.over) ?? never,
      initial: template("reduce.initial", reduce.initial) ?? never,
      value: template("reduce.value", reduce.value) ?? never
    }
  }

  return {
    index,
    definition: defaults === undefined ? given : { ...defaults, ...given },
    dependencies: dependencies[index] ?? [],
    dependents: dependents[index] ?? [],
    join: isCompensation(given) ? "allSettled" : (given.join ?? "allSucceeded"),
    work: workOf(given),
    query: queryOf(given),
    when: condition("when", given.when),
    forEach: template("forEach", given.forEach),
    input: template("input", given.input),
    label: template("label", given.label),
    constraints: Object.values(given.constraints ?? {}).some(isTemplate)
      ? template("constraints", given.constraints)
      : undefined
  }
}

const none: ReadonlySet<string> = new Set()
const ofItem: ReadonlySet<string> = new Set(["item", "index"])
const ofSum: ReadonlySet<string> = new Set(["item", "index", "acc"])

type MakePlace = (
  name: string,
  compiled: { readonly references: ReadonlyArray<Expression.Reference> } | undefined,
  more: ReadonlySet<string>
) => Place

const placesOf = (work: Work, place: MakePlace): ReadonlyArray<Place> => {
  switch (work._tag) {
    case "Agent":
    case "Subworkflow":
      return []
    case "Map":
      return [
        place("map.over", work.over, none),
        place("map.value", work.value, ofItem),
        place("map.where", work.where, ofItem)
      ]
    case "Reduce":
      return [
        place("reduce.over", work.over, none),
        place("reduce.initial", work.initial, none),
        place("reduce.value", work.value, ofSum)
      ]
    case "Approval":
      return [place("approval.message", work.message, none)]
    case "Wait":
      return [place("wait.millis", work.millis, none), place("wait.until", work.until, none)]
  }
}

/** The expressions of a step, each with what there is to look at beside what all expressions have. */
export const referring = (step: PlannedStep): Referring => {
  const { constraints, definition, dependencies, forEach, index, input, label, when, work } = step
  const items = forEach === undefined ? none : ofItem
  const place: MakePlace = (name, compiled, more) => ({
    path: `steps[${index}].${name}`,
    references: compiled?.references ?? [],
    more
  })
  return {
    id: definition.id,
    dependencies,
    isComplete: dependencies.length === (isCompensation(definition) ? 1 : (definition.after ?? []).length),
    compensates: definition.compensates,
    places: [
      place("when", when, none),
      place("forEach", forEach, none),
      place("label", label, items),
      place("input", input, items),
      place("constraints", constraints, items),
      ...placesOf(work, place)
    ]
  }
}

/** What a workflow gives, which may look at all of its steps. */
export const referringOutput = (output: Expression.Template | undefined, steps: number): Referring => ({
  id: "",
  compensates: undefined,
  dependencies: output === undefined ? [] : Array.from({ length: steps }, (_, index) => index),
  isComplete: true,
  places: output === undefined ? [] : [{ path: "output", references: output.references, more: none }]
})
