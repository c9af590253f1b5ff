import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Paging, RunFilter, RunRow, Service } from "../QueryService.js"
import * as Workflow from "../Workflow.js"
import { items, type Plane } from "./ControlPlaneLaws.js"
import { equal, fails, type Law } from "./Law.js"
import { agrees, law } from "./QueryLaws.js"

const leaf = Workflow.make("leaf", {
  params: Schema.Struct({ n: Schema.Int }),
  output: { n: "{{ params.n }}" }
}).pipe(Workflow.step("work", { skill: "work", input: "{{ params.n }}" }))

const single = Workflow.make("single").pipe(
  Workflow.step("inner", { subworkflow: leaf, input: { n: 1 } }),
  Workflow.step("after", { skill: "work", after: ["inner"], input: "{{ steps.inner.output }}" }),
  Workflow.step("beside", { skill: "work", forEach: [1, 2], input: "{{ item }}" })
)

const many = (count: number) =>
  Workflow.make("many").pipe(
    Workflow.step("each", {
      subworkflow: leaf,
      forEach: Array.from({ length: count }, (_, n) => n),
      input: { n: "{{ item }}" }
    })
  )

const idsOf = (rows: ReadonlyArray<RunRow>) => rows.map(({ runId }) => runId as string)

/** The runs that a filter lets through, two at a time. */
const paged = (query: Service, filter: RunFilter) =>
  Effect.gen(function* () {
    const found: Array<RunRow> = []
    let paging: Paging | undefined = { limit: 2 }
    while (paging !== undefined) {
      const { items, next }: { readonly items: ReadonlyArray<RunRow>; readonly next: string | undefined } =
        yield* query.listRuns(filter, paging)
      found.push(...items)
      paging = next === undefined ? undefined : { limit: 2, cursor: next }
    }
    return found
  })

/** What every read side promises about runs that are items of others, that others were done again as, and what runs give. */
export const FamilyQueryLaws: ReadonlyArray<Law<Plane>> = [
  law("says which item of which run a run is, and which run an item is", ({ plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const run = yield* plane.registerRun({ workflow: single, id: "outer" })
      yield* run.result
      yield* query.sync
      const child = yield* query.getRun("outer.inner")
      yield* equal("its parent", child.parent, { runId: "outer", stepId: "inner", index: 0 })
      yield* equal("the parent of the other one", (yield* query.getRun("outer")).parent, null)
      const childIds = (stepId: string) =>
        Effect.map(query.getItems("outer", stepId), ({ items }) => items.map(({ childId }) => childId))
      yield* equal("the run that an item is", yield* childIds("inner"), [child.runId])
      yield* equal("items that agents did", yield* childIds("beside"), [null, null])
      for (const { runId } of [run, child]) yield* agrees(query, runId)
    })
  ),

  law("lists the items of a run that are runs, those that are none, or all", ({ plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const run = (id: string, workflow: Workflow.Definition, tag: string) =>
        Effect.flatMap(
          plane.registerRun({ workflow, id, owner: "ann", tags: [tag, "any"] }),
          ({ result }) => result
        )
      yield* run("two", many(2).definition, "few")
      yield* run("alone", items(1).definition, "few")
      yield* run("five", many(5).definition, "lot")
      const failed = yield* plane.registerRun({ workflow: many(3), id: "bad", owner: "bob", tags: ["any"] })
      yield* failed.control({ _tag: "Cancel" })
      yield* failed.result
      yield* query.sync
      const all = (yield* query.listRuns()).items
      yield* equal("all", all.length >= 11, true)
      const parents = [undefined, null, "five", "two", "alone", "nobody"]
      const wanted = (row: RunRow, filter: RunFilter): boolean =>
        (filter.parent === undefined || (row.parent?.runId ?? null) === filter.parent) &&
        (filter.status === undefined || row.status === filter.status) &&
        (filter.workflow === undefined || row.workflow === filter.workflow) &&
        (filter.owner === undefined || row.owner === filter.owner) &&
        (filter.tag === undefined || row.tags.includes(filter.tag))
      for (const parent of parents)
        for (let given = 0; given < 16; given++) {
          const filter: RunFilter = {
            ...(parent === undefined ? {} : { parent }),
            ...(given % 2 === 1 ? { status: "Completed" as const } : {}),
            ...(given % 4 > 1 ? { workflow: "leaf" } : {}),
            ...(given % 8 > 3 ? { owner: "ann" } : {}),
            ...(given > 7 ? { tag: "lot" } : {})
          }
          const expected = all.filter((row) => wanted(row, filter))
          yield* equal(`those with ${JSON.stringify(filter)}`, yield* paged(query, filter), expected)
        }
      yield* equal("of one run", idsOf(yield* paged(query, { parent: "two" })).sort(), [
        "two.each.0",
        "two.each.1"
      ])
      yield* equal("of none", idsOf(yield* paged(query, { parent: null })), ["bad", "five", "alone", "two"])
    })
  ),

  law("says which run another one does again, and from where on", ({ plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const first = yield* plane.registerRun({ workflow: single, id: "first" })
      yield* first.result
      const again = yield* plane.rerun("first", { id: "again", from: { step: "after" } })
      yield* again.result
      const anew = yield* plane.rerun("first", { id: "anew", from: "start" })
      yield* anew.result
      yield* query.sync
      const originOf = (runId: string) => Effect.map(query.getRun(runId), ({ origin }) => origin)
      yield* equal("of a step on", yield* originOf("again"), {
        runId: "first",
        from: "step",
        stepId: "after"
      })
      yield* equal("of the whole run", yield* originOf("anew"), { runId: "first", from: "start" })
      yield* equal("of the first one", yield* originOf("first"), null)
      for (const { runId } of [first, again, anew]) yield* agrees(query, runId)
    })
  ),

  law("gives what a run gives, whether its workflow says it or not", ({ plane, query, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: single, id: "outer" })
      yield* work.reached(3)
      yield* query.sync
      yield* equal("while it is under way", yield* query.getRunOutput("outer"), null)
      yield* work.open
      yield* run.result
      yield* query.sync
      yield* equal("what its workflow says", yield* query.getRunOutput("outer.inner"), { n: 1 })
      const last = yield* query.getRunOutput("outer")
      yield* equal("the outputs of its last steps", last, { after: { n: 1 }, beside: [1, 2] })
      const long = "x".repeat(100_000)
      const much = Workflow.make("much").pipe(
        Workflow.step("list", { map: { over: [long], value: "{{ item }}" } })
      )
      const whole = yield* plane.registerRun({ workflow: much, id: "whole" })
      yield* whole.result
      const cancelled = yield* plane.registerRun({
        workflow: Workflow.make("asks").pipe(Workflow.step("ask", { approval: { message: "May it?" } })),
        id: "cancelled"
      })
      yield* cancelled.control({ _tag: "Cancel" })
      yield* cancelled.result
      yield* query.sync
      yield* equal("however long", yield* query.getRunOutput("whole"), { list: [long] })
      yield* equal("of one that did not complete", yield* query.getRunOutput("cancelled"), null)
      yield* fails("of one that there is not", "RunUnknown", query.getRunOutput("unknown"))
    })
  )
]
