import type { Json } from "@switchyard/core/Json"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as fc from "fast-check"

/** How one item behaves: how long it takes, and whether it fails, fails once, or breaks. */
export interface ItemSpec {
  readonly millis: number
  readonly ends: "well" | "badly" | "well at the second attempt" | "with a defect"
}

/** A step as drawn; `items` is undefined for a step without `forEach`, and says how long the list of a step without an agent is. */
export interface StepSpec {
  readonly work: "agent" | "map" | "reduce" | "wait" | "approval"
  readonly after: ReadonlyArray<number>
  readonly join: Workflow.Join
  readonly when: "true" | "false" | "error" | undefined
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
        arbitrary: fc.constantFrom("map" as const, "reduce" as const, "wait" as const, "approval" as const),
        weight: 3
      }
    ),
    after:
      index === 0
        ? fc.constant([])
        : fc.uniqueArray(fc.integer({ min: 0, max: index - 1 }), { maxLength: Math.min(index, 3) }),
    join: fc.constantFrom("allSucceeded", "noneFailed", "anySucceeded", "allSettled"),
    when: fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 6 },
      { arbitrary: fc.constantFrom("true" as const, "false" as const, "error" as const), weight: 1 }
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

const idOf = (index: number) => `s${index}`

const conditions = { true: "1 < 2", false: "1 > 2", error: "params.nothing == 1" }

const listOf = ({ items }: StepSpec): ReadonlyArray<number> => (items ?? [0]).map((_, i) => i)

const well = ({ ends }: ItemSpec) => ends === "well" || ends === "well at the second attempt"

const nobody = "nobody decided within 20 ms"

/** What is said of a step by what it does. */
const workOf = (spec: StepSpec): Workflow.StepOptions => {
  switch (spec.work) {
    case "map":
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
          ? { input: 0 }
          : { forEach: listOf(spec), onItemFailure: spec.onItemFailure })
      }
  }
}

/** What a step comes to once it starts, or that it fails. */
const outcomeOf = (spec: StepSpec, index: number): { readonly output: Json } | "Failed" => {
  switch (spec.work) {
    case "map":
      return { output: listOf(spec).flatMap((i) => (i > 0 ? [i * 2] : [])) }
    case "reduce":
      return { output: listOf(spec).reduce((sum, i) => sum + i, 1) }
    case "wait":
      return { output: null }
    case "approval":
      return well(spec.only) ? { output: { decision: "approve", by: null, comment: nobody } } : "Failed"
    case "agent": {
      const all = spec.items ?? [spec.only]
      const done = all.flatMap((how, i) => (well(how) ? [`${idOf(index)}/${i}`] : []))
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
      ...workOf(each),
      after: each.after.map(idOf),
      join: each.join,
      onFailure: each.onFailure,
      ...(each.when === undefined ? {} : { when: conditions[each.when] })
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
    return [...acts, ScriptedAgent.give(`${task.stepId}/${task.index}`)]
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
    const outcome = outcomeOf(each, index)
    if (!starts || each.when === "false") known.push({ status: "Skipped", output: null })
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
