import type { ControlCommand } from "@switchyard/core/Command"
import type { StepId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as fc from "fast-check"

/** How one item behaves: how long it takes, and whether it fails, fails once, or breaks. */
export interface ItemSpec {
  readonly millis: number
  readonly ends: "well" | "badly" | "well at the second attempt" | "with a defect"
}

/**
 * A step as drawn; `items` is undefined for a step without `forEach`, and says how long the list of a step without an agent is.
 * An approval expires, while a decision is made by somebody, and a signal is sent or not.
 */
export interface StepSpec {
  readonly work: "agent" | "map" | "reduce" | "wait" | "approval" | "decision" | "signal"
  /** Whether it is given the output of its first dependency. */
  readonly takes: boolean
  readonly after: ReadonlyArray<number>
  readonly join: Workflow.Join
  readonly when: "true" | "false" | "error" | "succeeded" | undefined
  readonly items: ReadonlyArray<ItemSpec> | undefined
  readonly only: ItemSpec
  readonly concurrency: number | undefined
  readonly onFailure: "failRun" | "continue"
  readonly onItemFailure: "failStep" | "continue"
}

/** A workflow as drawn. */
export interface Spec {
  readonly steps: ReadonlyArray<StepSpec>
  readonly onStepFailure: "failFast" | "drain"
  readonly concurrency: number | undefined
}

const item: fc.Arbitrary<ItemSpec> = fc.record({
  millis: fc.constantFrom(0, 1, 5, 20, 50),
  ends: fc.oneof(
    { arbitrary: fc.constant("well" as const), weight: 8 },
    { arbitrary: fc.constant("badly" as const), weight: 1 },
    { arbitrary: fc.constant("well at the second attempt" as const), weight: 1 },
    { arbitrary: fc.constant("with a defect" as const), weight: 1 }
  )
})

const step = (index: number): fc.Arbitrary<StepSpec> =>
  fc.record({
    work: fc.oneof(
      { arbitrary: fc.constant("agent" as const), weight: 6 },
      {
        arbitrary: fc.constantFrom<StepSpec["work"]>(
          "map",
          "reduce",
          "wait",
          "approval",
          "decision",
          "signal"
        ),
        weight: 4
      }
    ),
    takes: fc.boolean(),
    after:
      index === 0
        ? fc.constant([])
        : fc.uniqueArray(fc.integer({ min: 0, max: index - 1 }), { maxLength: Math.min(index, 3) }),
    join: fc.constantFrom("allSucceeded", "noneFailed", "anySucceeded", "allSettled"),
    when: fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 6 },
      { arbitrary: fc.constantFrom<StepSpec["when"]>("true", "false", "error", "succeeded"), weight: 1 }
    ),
    items: fc.option(fc.array(item, { maxLength: 5 }), { nil: undefined }),
    only: item,
    concurrency: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    onFailure: fc.oneof(
      { arbitrary: fc.constant("continue" as const), weight: 4 },
      { arbitrary: fc.constant("failRun" as const), weight: 1 }
    ),
    onItemFailure: fc.constantFrom("failStep", "continue")
  })

/** Workflows of up to twelve steps; dependencies always point backwards, so that they are acyclic. */
export const workflows: fc.Arbitrary<Spec> = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({
    steps: fc.tuple(...Array.from({ length: size }, (_, index) => step(index))),
    onStepFailure: fc.constantFrom("failFast", "drain"),
    concurrency: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })
  })
)

/** Such workflows without expressions about other steps. */
export const independent: fc.Arbitrary<Spec> = workflows.map((spec) => ({
  ...spec,
  steps: spec.steps.map((each) => ({
    ...each,
    takes: false,
    when: each.when === "succeeded" ? undefined : each.when
  }))
}))

const idOf = (index: number) => `s${index}`

const conditions = { true: "1 < 2", false: "1 > 2", error: "params.nothing == 1" }

const conditionOf = ({ after: [first], when }: StepSpec): string | undefined => {
  if (when !== "succeeded") return when === undefined ? undefined : conditions[when]
  return first === undefined ? conditions.true : `steps.${idOf(first)}.status == "Succeeded"`
}

/** The dependency whose output a step is given. */
const sourceOf = ({ after, items, takes, work }: StepSpec): number | undefined =>
  takes && (work === "map" || (work === "agent" && items === undefined)) ? after[0] : undefined

const listOf = ({ items }: StepSpec): ReadonlyArray<number> => (items ?? [0]).map((_, i) => i)

const well = ({ ends }: ItemSpec) => ends === "well" || ends === "well at the second attempt"

const nobody = "nobody decided within 20 ms"

/** What somebody is to say to a step while it waits, or `undefined` where nothing will ever come. */
export const answerOf = (spec: Spec, stepId: string): ControlCommand | undefined => {
  const each = spec.steps[Number(stepId.slice(1))]
  if (each?.work === "signal" && well(each.only)) return { _tag: "Signal", name: stepId, payload: stepId }
  if (each?.work !== "decision") return undefined
  return {
    _tag: "Decide",
    stepId: stepId as StepId,
    decision: well(each.only) ? "approve" : "reject",
    by: "somebody"
  }
}

/** The output of a step; what one that failed leaves depends on when it failed. */
const outputOf = (index: number): string =>
  `{{ steps.${idOf(index)}.status == "Succeeded" ? steps.${idOf(index)}.output : null }}`

/** What is said of a step by what it does. */
const workOf = (spec: StepSpec, index: number): Workflow.StepOptions => {
  const source = sourceOf(spec)
  const taken = source === undefined ? undefined : outputOf(source)
  switch (spec.work) {
    case "decision":
      return { approval: {} }
    case "signal":
      return { wait: { signal: idOf(index), ...(well(spec.only) ? {} : { timeoutMillis: 20 }) } }
    case "map":
      if (taken !== undefined) return { map: { over: taken, value: "{{ item }}" } }
      return { map: { over: listOf(spec), where: "item > 0", value: "{{ item * 2 }}" } }
    case "reduce":
      return { reduce: { over: listOf(spec), initial: 1, value: "{{ acc + item }}" } }
    case "wait":
      return { wait: { millis: spec.only.millis } }
    case "approval":
      return { approval: { expiresMillis: 20, default: well(spec.only) ? "approve" : "reject" } }
    case "agent":
      return {
        skill: "work",
        retry: { attempts: 2, initial: "10 millis", jitter: 0 },
        ...(spec.concurrency === undefined ? {} : { concurrency: spec.concurrency }),
        ...(spec.items === undefined
          ? { input: taken ?? 0 }
          : { forEach: listOf(spec), onItemFailure: spec.onItemFailure })
      }
  }
}

/** What an item gives: who it is, and a short trace of what it was given. */
const resultOf = (stepId: string, index: number, input: Json): string => {
  let trace = 0
  for (const character of JSON.stringify(input)) trace = (trace * 31 + (character.codePointAt(0) ?? 0)) % 9973
  return `${stepId}/${index} of ${trace}`
}

/** What a step comes to once it starts, or that it fails. */
const outcomeOf = (spec: StepSpec, index: number, taken: Json): { readonly output: Json } | "Failed" => {
  switch (spec.work) {
    case "decision":
      return well(spec.only) ? { output: { decision: "approve", by: "somebody", comment: null } } : "Failed"
    case "signal":
      return well(spec.only) ? { output: idOf(index) } : "Failed"
    case "map":
      if (sourceOf(spec) !== undefined) return Array.isArray(taken) ? { output: taken } : "Failed"
      return { output: listOf(spec).flatMap((i) => (i > 0 ? [i * 2] : [])) }
    case "reduce":
      return { output: listOf(spec).reduce((sum, i) => sum + i, 1) }
    case "wait":
      return { output: null }
    case "approval":
      return well(spec.only) ? { output: { decision: "approve", by: null, comment: nobody } } : "Failed"
    case "agent": {
      const all = spec.items ?? [spec.only]
      const given = (i: number) => (spec.items !== undefined ? i : sourceOf(spec) === undefined ? 0 : taken)
      const done = all.flatMap((how, i) => (well(how) ? [resultOf(idOf(index), i, given(i))] : []))
      const tolerant = spec.items !== undefined && spec.onItemFailure === "continue"
      if (done.length < all.length && (!tolerant || done.length === 0)) return "Failed"
      return { output: spec.items === undefined ? (done[0] ?? null) : done }
    }
  }
}

/** The definition of a drawn workflow; what needs an agent is done by the skill `work`. */
export const definitionOf = (spec: Spec): Workflow.Definition => ({
  name: "drawn",
  onStepFailure: spec.onStepFailure,
  ...(spec.concurrency === undefined ? {} : { concurrency: spec.concurrency }),
  steps: spec.steps.map((each, index) =>
    Workflow.stepDefinition(idOf(index), {
      ...workOf(each, index),
      after: each.after.map(idOf),
      join: each.join,
      onFailure: each.onFailure,
      ...(each.when === undefined ? {} : { when: conditionOf(each) ?? "true" })
    })
  )
})

/** What each item of a drawn workflow does when it is called. */
export const scriptOf =
  (spec: () => Spec): ScriptedAgent.Script =>
  (task) => {
    const each = spec().steps[Number(task.stepId.slice(1))]
    const how = each?.items === undefined ? each?.only : each.items[task.index]
    if (how === undefined) return [ScriptedAgent.die("a call that was not drawn")]
    const acts = [ScriptedAgent.wait(how.millis)]
    if (how.ends === "badly") return [...acts, ScriptedAgent.fail("InvalidInput")]
    if (how.ends === "with a defect") return [...acts, ScriptedAgent.die(new Error("broken"))]
    if (how.ends !== "well" && task.attempt === 1) return [...acts, ScriptedAgent.fail("Unavailable")]
    return [...acts, ScriptedAgent.give(resultOf(task.stepId, task.index, task.input))]
  }

/** What a step comes to where no failure ends the run first. */
export interface Expected {
  readonly status: "Succeeded" | "Failed" | "Skipped"
  readonly output: Json
}

/** Says what every step comes to, without any notion of time: the reference for the engine. */
export const interpret = (spec: Spec): ReadonlyArray<Expected> => {
  const known: Array<Expected> = []
  for (const [index, each] of spec.steps.entries()) {
    const statuses = each.after.map((dependency) => known[dependency]?.status)
    const starts =
      statuses.length === 0 ||
      {
        allSucceeded: statuses.every((status) => status === "Succeeded"),
        noneFailed: statuses.every((status) => status !== "Failed"),
        anySucceeded: statuses.includes("Succeeded"),
        allSettled: true
      }[each.join]
    const first = known[each.after[0] ?? -1]
    const outcome = outcomeOf(each, index, first?.output ?? null)
    const unmet =
      each.when === "false" ||
      (each.when === "succeeded" && first !== undefined && first.status !== "Succeeded")
    if (!starts || unmet) known.push({ status: "Skipped", output: null })
    else if (each.when === "error" || outcome === "Failed") known.push({ status: "Failed", output: null })
    else known.push({ status: "Succeeded", output: outcome.output })
  }
  return known
}

/** Whether a drawn workflow fails its run. */
export const isFatal = (spec: Spec): boolean =>
  interpret(spec).some(
    ({ status }, index) => status === "Failed" && spec.steps[index]?.onFailure === "failRun"
  )
