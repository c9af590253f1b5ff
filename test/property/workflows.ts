import type { ControlCommand } from "@switchyard/core/Command"
import type { StepId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as fc from "fast-check"

/** How one item behaves: how long it takes, and whether it fails, fails once, or breaks. */
export interface ItemSpec {
  readonly millis: number
  readonly ends: "well" | "badly" | "well at the second attempt" | "well after a limit" | "with a defect"
}

/**
 * A step as drawn; `items` is undefined for a step without `forEach`, and says how long the list of a step without an agent is.
 * An approval expires, while a decision is made by somebody, and a signal is sent or not. Items that are runs do the workflow
 * `inner`, each in its own way.
 */
export interface StepSpec {
  readonly work: "agent" | "child" | "map" | "reduce" | "wait" | "approval" | "decision" | "signal"
  readonly inner: Spec | undefined
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
    { arbitrary: fc.constant("well after a limit" as const), weight: 1 },
    { arbitrary: fc.constant("with a defect" as const), weight: 1 }
  )
})

const withoutAgent = fc.constantFrom<StepSpec["work"]>(
  "map",
  "reduce",
  "wait",
  "approval",
  "decision",
  "signal"
)

/** A step; one whose items are runs has workflows of at most so many levels. */
const step = (index: number, levels: number): fc.Arbitrary<StepSpec> => {
  const base = {
    takes: fc.boolean(),
    after:
      index === 0
        ? fc.constant([])
        : fc.uniqueArray(fc.integer({ min: 0, max: index - 1 }), { maxLength: Math.min(index, 3) }),
    join: fc.constantFrom<Workflow.Join>("allSucceeded", "noneFailed", "anySucceeded", "allSettled"),
    when: fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 6 },
      { arbitrary: fc.constantFrom<StepSpec["when"]>("true", "false", "error", "succeeded"), weight: 1 }
    ),
    only: item,
    concurrency: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    onFailure: fc.oneof(
      { arbitrary: fc.constant("continue" as const), weight: 4 },
      { arbitrary: fc.constant("failRun" as const), weight: 1 }
    ),
    onItemFailure: fc.constantFrom<StepSpec["onItemFailure"]>("failStep", "continue")
  }
  const plain: fc.Arbitrary<StepSpec> = fc.record({
    ...base,
    work: fc.oneof(
      { arbitrary: fc.constant("agent" as const), weight: 6 },
      { arbitrary: withoutAgent, weight: 4 }
    ),
    inner: fc.constant(undefined),
    items: fc.option(fc.array(item, { maxLength: 5 }), { nil: undefined })
  })
  if (levels === 0) return plain
  const child = fc.record({
    ...base,
    work: fc.constant("child" as const),
    inner: specs(3, levels - 1),
    items: fc.option(fc.array(item, { maxLength: 3 }), { nil: undefined })
  })
  return fc.oneof({ arbitrary: plain, weight: 8 }, { arbitrary: child, weight: 1 })
}

/** Workflows of up to so many steps; dependencies always point backwards, so that they are acyclic. */
const specs = (most: number, levels: number): fc.Arbitrary<Spec> =>
  fc.integer({ min: 1, max: most }).chain((size) =>
    fc.record({
      steps: fc.tuple(...Array.from({ length: size }, (_, index) => step(index, levels))),
      onStepFailure: fc.constantFrom("failFast", "drain"),
      concurrency: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })
    })
  )

/** Workflows of up to twelve steps, some of which have runs of smaller ones as their items. */
export const workflows: fc.Arbitrary<Spec> = specs(12, 2)

/** Such workflows without runs of others and without expressions about other steps. */
export const independent: fc.Arbitrary<Spec> = workflows.map((spec) => ({
  ...spec,
  steps: spec.steps.map((each) => ({
    ...each,
    work: each.work === "child" ? "agent" : each.work,
    inner: undefined,
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

/** Whether a step has items, which are done by an agent or are runs. */
export const hasItems = (work: StepSpec["work"]): boolean => work === "agent" || work === "child"

/** The dependency whose output a step is given. */
const sourceOf = ({ after, items, takes, work }: StepSpec): number | undefined =>
  takes && (work === "map" || (hasItems(work) && items === undefined)) ? after[0] : undefined

const listOf = ({ items }: StepSpec): ReadonlyArray<number> => (items ?? [0]).map((_, i) => i)

const well = ({ ends }: ItemSpec) => ends.startsWith("well")

/** The workflow of one item that is a run: the first of its agents does as the item says. */
const innerOf = ({ inner, items, only }: StepSpec, index: number): Spec | undefined => {
  const how = items === undefined ? only : items[index]
  if (inner === undefined || how === undefined) return undefined
  const first = inner.steps.findIndex(({ items, work }) => work === "agent" && items === undefined)
  return { ...inner, steps: inner.steps.map((each, at) => (at === first ? { ...each, only: how } : each)) }
}

/** The workflow of a run by its id, which says of which items it is one. */
export const specOf = (spec: Spec, runId: string): Spec | undefined => {
  const [, ...path] = runId.split(".")
  let found: Spec | undefined = spec
  for (let id = path.shift(); id !== undefined; id = path.shift()) {
    const each: StepSpec | undefined = found?.steps[Number(id.slice(1))]
    if (each === undefined) return undefined
    found = innerOf(each, each.items === undefined ? 0 : Number(path.shift()))
  }
  return found
}

const nobody = "nobody decided within 20 ms"

/** What somebody is to say to a step while it waits, or `undefined` where nothing will ever come. */
export const answerOf = (spec: Spec | undefined, stepId: string): ControlCommand | undefined => {
  const each = spec?.steps[Number(stepId.slice(1))]
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
const workOf = (spec: StepSpec, index: number, given: Json): Workflow.StepOptions => {
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
    case "child":
    case "agent":
      return {
        ...(spec.inner === undefined
          ? { skill: "work", retry: { attempts: 2, initial: "10 millis", jitter: 0 } }
          : { subworkflow: definitionOf(spec.inner, "{{ params }}") }),
        ...(spec.concurrency === undefined ? {} : { concurrency: spec.concurrency }),
        ...(spec.items === undefined
          ? { input: taken ?? given }
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

type Outcome = { readonly output: Json } | "Failed"

/** What a run comes to: the outputs of the steps that nothing comes after. */
const outcomeOfRun = (spec: Spec, params: Json): Outcome => {
  if (isFatal(spec)) return "Failed"
  const followed = new Set(spec.steps.flatMap(({ after }) => after))
  const ends = interpret(spec, params).flatMap(({ output, status }, index) =>
    status === "Succeeded" && !followed.has(index) ? [[idOf(index), output] as const] : []
  )
  return { output: Object.fromEntries(ends) }
}

/** What a step comes to once it starts, or that it fails. */
const outcomeOf = (spec: StepSpec, index: number, taken: Json, params: Json): Outcome => {
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
    case "child":
    case "agent": {
      const all = spec.items ?? [spec.only]
      const given = (i: number) =>
        spec.items !== undefined ? i : sourceOf(spec) === undefined ? params : taken
      const done = all.flatMap((how, i): ReadonlyArray<Json> => {
        const inner = innerOf(spec, i)
        if (inner === undefined) return well(how) ? [resultOf(idOf(index), i, given(i))] : []
        const outcome = outcomeOfRun(inner, given(i))
        return outcome === "Failed" ? [] : [outcome.output]
      })
      const tolerant = spec.items !== undefined && spec.onItemFailure === "continue"
      if (done.length < all.length && (!tolerant || done.length === 0)) return "Failed"
      return { output: spec.items === undefined ? (done[0] ?? null) : done }
    }
  }
}

/** The definition of a drawn workflow; what needs an agent is done by the skill `work`, and what takes nothing else gets `given`. */
export const definitionOf = (spec: Spec, given: Json = 0): Workflow.Definition => ({
  name: "drawn",
  onStepFailure: spec.onStepFailure,
  ...(spec.concurrency === undefined ? {} : { concurrency: spec.concurrency }),
  steps: spec.steps.map((each, index) =>
    Workflow.stepDefinition(idOf(index), {
      ...workOf(each, index, given),
      after: each.after.map(idOf),
      join: each.join,
      onFailure: each.onFailure,
      ...(each.when === undefined ? {} : { when: conditionOf(each) ?? "true" })
    })
  )
})

/** What each item of a drawn workflow does when it is called. */
export const scriptOf =
  (specOf: (runId: string) => Spec | undefined): ScriptedAgent.Script =>
  (task) => {
    const each = specOf(task.runId)?.steps[Number(task.stepId.slice(1))]
    const how = each?.items === undefined ? each?.only : each.items[task.index]
    if (how === undefined) return [ScriptedAgent.die("a call that was not drawn")]
    const acts = [ScriptedAgent.wait(how.millis)]
    if (how.ends === "badly") return [...acts, ScriptedAgent.fail("InvalidInput")]
    if (how.ends === "with a defect") return [...acts, ScriptedAgent.die(new Error("broken"))]
    if (how.ends === "well after a limit" && task.attempt <= 2)
      return [...acts, ScriptedAgent.fail("RateLimited", "too fast", 15)]
    if (how.ends === "well at the second attempt" && task.attempt === 1)
      return [...acts, ScriptedAgent.fail("Unavailable")]
    return [...acts, ScriptedAgent.give(resultOf(task.stepId, task.index, task.input))]
  }

/** What a step comes to where no failure ends the run first. */
export interface Expected {
  readonly status: "Succeeded" | "Failed" | "Skipped"
  readonly output: Json
}

/** Says what every step comes to, without any notion of time: the reference for the engine. */
export const interpret = (spec: Spec, params: Json = 0): ReadonlyArray<Expected> => {
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
    const outcome = outcomeOf(each, index, first?.output ?? null, params)
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
