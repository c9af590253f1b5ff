import { describe, expect, it } from "@effect/vitest"
import * as Plan from "@switchyard/core/Plan"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkflowEdit from "@switchyard/core/WorkflowEdit"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { definitionOf, independent } from "./workflows.js"

/** For each step the ids of all that are settled before it, by a walk of its own. */
const ancestorsOf = ({ steps }: Workflow.Definition): ReadonlyMap<string, ReadonlySet<string>> => {
  const after = new Map(steps.map((step) => [step.id as string, step.after ?? []]))
  const walk = (id: string, found: Set<string>): Set<string> => {
    for (const before of after.get(id) ?? []) {
      if (found.has(before)) continue
      found.add(before)
      walk(before, found)
    }
    return found
  }
  return new Map(steps.map(({ id }) => [id, walk(id, new Set())]))
}

/** Drawn workflows in which some steps look at others that are settled before them. */
const definitions: fc.Arbitrary<Workflow.Definition> = fc
  .tuple(independent, fc.array(fc.option(fc.nat(), { freq: 2 }), { minLength: 12, maxLength: 12 }))
  .map(([spec, looks]) => {
    const definition = definitionOf(spec)
    const ancestors = ancestorsOf(definition)
    const steps = definition.steps.map((step, index) => {
      const known = [...(ancestors.get(step.id) ?? [])]
      const look = looks[index]
      if (step.skill === undefined || look === null || look === undefined || known.length === 0) return step
      return { ...step, input: { seen: `{{ steps.${known[look % known.length]}.status }}` } }
    })
    return { ...definition, steps }
  })

interface Edit {
  readonly kind: "insert" | "insert before some" | "insert at the beginning" | "remove" | "replace"
  readonly at: ReadonlyArray<number>
}

const edits: fc.Arbitrary<ReadonlyArray<Edit>> = fc.array(
  fc.record({
    kind: fc.constantFrom("insert", "insert before some", "insert at the beginning", "remove", "replace"),
    at: fc.array(fc.nat(), { minLength: 1, maxLength: 3 })
  }),
  { minLength: 1, maxLength: 12 }
)

const idsOf = ({ steps }: Workflow.Definition) => steps.map(({ id }) => id as string)

/** Some of these ids, none of them twice. */
const choose = (ids: ReadonlyArray<string>, at: ReadonlyArray<number>): ReadonlyArray<string> => [
  ...new Set(at.map((n) => ids[n % ids.length] ?? ""))
]

const withoutAfter = ({ after: _, ...rest }: Workflow.StepDefinition) => rest

/** Every step but one is what it was, save what it waits for, and has the same ones of the others before it. */
const checkOthers = (before: Workflow.Definition, now: Workflow.Definition, named: string) => {
  const was = new Map(before.steps.map((step) => [step.id as string, step]))
  const then = ancestorsOf(before)
  for (const [id, ancestors] of ancestorsOf(now)) {
    if (id === named) continue
    const mine = then.get(id)
    expect([...ancestors].filter((each) => each !== named).sort()).toEqual(
      [...(mine ?? [])].filter((each) => each !== named).sort()
    )
  }
  for (const step of now.steps) {
    const old = was.get(step.id)
    if (step.id === named || old === undefined) continue
    expect(withoutAfter(step)).toStrictEqual(withoutAfter(old))
  }
  const order = (definition: Workflow.Definition) => idsOf(definition).filter((id) => id !== named)
  expect(order(now)).toEqual(order(before))
}

/** What a workflow means, whatever order the steps are listed in that another one waits for. */
const meaning = ({ steps, ...rest }: Workflow.Definition) => ({
  ...rest,
  steps: steps.map((step) => ({ ...step, after: [...(step.after ?? [])].sort() }))
})

const apply = (definition: Workflow.Definition, { at, kind }: Edit, count: number) =>
  Effect.gen(function* () {
    const ids = idsOf(definition)
    const [first = ""] = choose(ids, at)
    if (kind === "replace") {
      const replaced = WorkflowEdit.replaceAgentPolicy(definition, first, { skill: `other-${count}` })
      if (definition.steps.find(({ id }) => id === first)?.skill === undefined) {
        expect((yield* Effect.flip(replaced))._tag).toBe("EditRefused")
        return definition
      }
      const edited = yield* replaced
      checkOthers(definition, edited, first)
      expect(edited.steps.map(({ after }) => after)).toEqual(definition.steps.map(({ after }) => after))
      expect(edited.steps.find(({ id }) => id === first)).not.toHaveProperty("retry")
      return edited
    }
    if (kind === "remove") {
      const looking = definition.steps.flatMap((step, index) =>
        JSON.stringify(step).includes(`steps.${first}.`) ? [`steps[${index}].input`] : []
      )
      const only = ids.length === 1 ? ["steps[0]"] : []
      const result = yield* Effect.exit(WorkflowEdit.remove(definition, first))
      if (result._tag === "Failure") {
        const error = yield* Effect.flip(result)
        expect(error._tag).toBe("EditRefused")
        expect(error.problems.map(({ path }) => path)).toEqual([...only, ...looking])
        expect(error.problems).not.toHaveLength(0)
        return definition
      }
      expect([...only, ...looking]).toEqual([])
      checkOthers(definition, result.value, first)
      expect(idsOf(result.value)).not.toContain(first)
      return result.value
    }
    const id = `x${count}`
    const after = kind === "insert at the beginning" ? [] : choose(ids, at)
    const step = Workflow.stepDefinition(id, { skill: "new" })
    const waiting = definition.steps.filter((each) =>
      after.every((one) => (each.after ?? []).some((b) => b === one))
    )
    const options = kind === "insert before some" ? { before: waiting.slice(1).map((each) => each.id) } : {}
    const edited = yield* WorkflowEdit.insertAfter(definition, after, step, options)
    checkOthers(definition, edited, id)
    expect(edited.steps.find((each) => each.id === id)?.after ?? []).toEqual(after)
    const back = yield* WorkflowEdit.remove(edited, id)
    if (after.length === 1) expect(JSON.stringify(back)).toBe(JSON.stringify(definition))
    else expect(meaning(back)).toEqual(meaning(definition))
    return edited
  })

describe("edits of workflows", () => {
  it(
    "give valid workflows that mean what they should, however many are made",
    () =>
      fc.assert(
        fc.asyncProperty(definitions, edits, (definition, script) =>
          Effect.runPromise(
            Effect.gen(function* () {
              let edited = definition
              for (const [count, each] of script.entries()) {
                const before = JSON.stringify(edited)
                const next = yield* apply(edited, each, count)
                expect(JSON.stringify(edited)).toBe(before)
                yield* Plan.make(next)
                edited = next
              }
            })
          )
        ),
        { numRuns: 500 }
      ),
    60_000
  )

  it("give and take a step among ten thousand", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const size = 10_000
        const steps = Array.from({ length: size }, (_, n) =>
          Workflow.stepDefinition(`s${n}`, { skill: "s", after: n < 2 ? [] : [`s${n - 1}`, `s${n - 2}`] })
        )
        const definition: Workflow.Definition = { name: "long", steps }
        const plan = yield* Plan.make(definition)
        expect(plan.steps).toHaveLength(size)
        const edited = yield* WorkflowEdit.insertAfter(
          definition,
          "s5000",
          Workflow.stepDefinition("x", { skill: "s" })
        )
        const removed = yield* WorkflowEdit.remove(edited, "s5000")
        expect(edited.steps).toHaveLength(size + 1)
        expect(removed.steps).toHaveLength(size)
      })
    ))
})
