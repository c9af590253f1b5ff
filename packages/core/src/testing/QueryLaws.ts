import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Entry } from "../Event.js"
import { EventLog } from "../EventLog.js"
import { logId, RunId } from "../Ids.js"
import * as QueryService from "../QueryService.js"
import * as Run from "../Run.js"
import { resultOf } from "../RunResult.js"
import { byPlace, waitingRows } from "../WaitingStep.js"
import * as Workflow from "../Workflow.js"
import { type Bench, collect, items, type Plane, law as planeLaw } from "./ControlPlaneLaws.js"
import { equal, fails, holds, type Law } from "./Law.js"

/** A law about the read side, with a gated agent registered. */
export const law = (
  name: string,
  check: (bench: Bench & { readonly query: QueryService.Service }) => Effect.Effect<void, unknown, Plane>
): Law<Plane> =>
  planeLaw(name, (bench) => Effect.flatMap(QueryService.QueryService, (query) => check({ ...bench, query })))

const folded = <E>(entries: Stream.Stream<Entry, E>) => Effect.map(collect(entries), Run.fold)

/** Lets what rides along come to rest, so that the log and what is projected from it can be compared. */
const atRest = (log: EventLog["Type"]) =>
  Effect.gen(function* () {
    for (let last = -1, turns = 0; turns < 50; turns++) {
      const head = yield* log.head
      if (head !== last) turns = 0
      last = head
      yield* Effect.yieldNow()
    }
  })

const compared = (query: QueryService.Service, log: EventLog["Type"], runId: RunId) =>
  Effect.gen(function* () {
    yield* query.sync
    const run = yield* folded(log.read({ runs: [runId] }))
    if (run === undefined) return yield* holds("the run is in the log", false, runId)
    yield* equal("its row", yield* query.getRun(runId), QueryService.runRow(run))
    const steps = run.definition.steps.map((step, position) =>
      QueryService.stepRow(run, position, step.id, run.steps.get(step.id) ?? Run.pendingStep())
    )
    yield* equal("the rows of its steps", yield* query.getSteps(runId), steps)
    for (const { id: stepId } of run.definition.steps) {
      const known = run.steps.get(stepId)?.items ?? []
      const rows = known.flatMap((item) =>
        item === undefined ? [] : [QueryService.itemRow(run, stepId, item)]
      )
      const found = yield* query.getItems(runId, stepId, { limit: 1_000 })
      yield* equal(`the rows of the items of ${stepId}`, found.items, rows)
    }
    const waiting = yield* query.waiting({ for: "any" }, { limit: 1_000 })
    yield* equal(
      "its steps among those that wait",
      waiting.items.filter((row) => row.runId === runId),
      [...waitingRows(run)].sort(byPlace)
    )
    const { output, outputs } = resultOf(run)
    yield* equal("what it gives", yield* query.getRunOutput(runId), output)
    for (const { id } of run.definition.steps)
      yield* equal(`what ${id} came to`, yield* query.getOutput(runId, id), outputs[id] ?? null)
  })

/** The rows of a run are what its history says. */
export const agrees = (query: QueryService.Service, runId: RunId) =>
  Effect.gen(function* () {
    const log = yield* EventLog
    for (;;) {
      yield* atRest(log)
      const before = yield* log.head
      const found = yield* Effect.exit(compared(query, log, runId))
      // What waits for the host may come in the middle of it, and then nothing was compared.
      if (before === (yield* log.head)) return yield* found
    }
  })

const failing = Workflow.make("failing").pipe(
  Workflow.step("each", { skill: "work", forEach: ["a", "b", "c"], label: "item {{ item }}" }),
  Workflow.step("bad", { skill: "missing", onFailure: "continue" }),
  Workflow.step("never", { skill: "work", after: ["bad"] }),
  Workflow.step("worse", { skill: "missing", after: ["each"] })
)

/** What every read side promises, on the log of a whole plane. */
export const QueryLaws: ReadonlyArray<Law<Plane>> = [
  law("answers nothing where nothing was registered", ({ query }) =>
    Effect.gen(function* () {
      yield* equal("the watermark", yield* query.watermark, 0)
      yield* equal("no runs", yield* query.listRuns(), { items: [], next: undefined })
      yield* equal("no totals", (yield* query.totals).runs, {})
      yield* fails("no run", "RunUnknown", query.getRun("unknown"))
      yield* fails("no steps", "RunUnknown", query.getSteps("unknown"))
      yield* fails("no output", "RunUnknown", query.getOutput("unknown", "each"))
      yield* fails("no output of a run", "RunUnknown", query.getRunOutput("unknown"))
      yield* equal("no items of a run", (yield* query.listRuns({ parent: "unknown" })).items, [])
      yield* equal("nothing waits", yield* query.waiting(), { items: [], next: undefined })
      yield* equal("no items", (yield* query.getItems("unknown", "each")).items, [])
      const events = yield* collect(query.events({}))
      yield* equal(
        "no events of runs",
        events.filter((entry) => entry.runId !== logId),
        []
      )
    })
  ),

  law("says of every run what its history says", ({ plane, query, work }) =>
    Effect.gen(function* () {
      const running = yield* plane.registerRun({
        workflow: items(4),
        concurrency: 2,
        owner: "o",
        tags: ["t"]
      })
      yield* work.reached(2)
      yield* agrees(query, running.runId)
      const cancelled = yield* plane.registerRun({ workflow: items(3) })
      yield* work.reached(5)
      yield* cancelled.control({ _tag: "Cancel", reason: "enough" })
      yield* cancelled.result
      yield* agrees(query, cancelled.runId)
      yield* running.control({ _tag: "Pause", mode: "interrupt" })
      yield* work.reached(0)
      yield* agrees(query, running.runId)
      yield* work.open
      const failed = yield* plane.registerRun({ workflow: failing })
      yield* failed.result
      yield* agrees(query, failed.runId)
      yield* running.control({ _tag: "Resume" })
      yield* running.result
      const runs = [running, cancelled, failed]
      for (const { runId } of runs) yield* agrees(query, runId)
      const { runs: counts, usage } = yield* query.totals
      yield* equal(
        "counts by status",
        [counts.Completed, counts.Cancelled, counts.Failed, counts.Running],
        [1, 1, 1, undefined]
      )
      yield* equal("what all consumed", usage.inputTokens, 0)
    })
  ),

  law("covers what was durable when it is asked to", ({ log, plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      for (let i = 0; i < 20; i++) {
        const { runId, ...run } = yield* plane.registerRun({ workflow: items(1) })
        const head = yield* log.head
        const synced = yield* query.sync
        yield* holds("as far as the log", synced >= head, { synced, head })
        yield* holds("so does the watermark", (yield* query.watermark) >= head)
        yield* equal("the run is there", (yield* query.getRun(runId)).runId, runId)
        yield* run.result
        yield* query.sync
        yield* equal("and its end", (yield* query.getRun(runId)).status, "Completed")
      }
    })
  ),

  law("lists runs, the latest first, by filter and page by page", ({ plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const registered: Array<string> = []
      // Names do not sort as they were made, so that the order is seen to be that of registration.
      for (const id of ["m", "z", "a", "y", "b", "x", "c"]) {
        const owner = registered.length % 2 === 0 ? "even" : "odd"
        const run = yield* plane.registerRun({ workflow: items(1), id, owner, tags: [owner, `tag-${id}`] })
        yield* run.result
        registered.unshift(id)
      }
      yield* query.sync
      const list = (filter?: QueryService.RunFilter, paging?: QueryService.Paging) =>
        Effect.map(query.listRuns(filter, paging), ({ items, next }) => ({
          ids: items.map((row) => row.runId as string),
          next
        }))
      yield* equal("all", (yield* list()).ids, registered)
      const odd = registered.filter((_, i) => i % 2 === 1)
      yield* equal("by owner", (yield* list({ owner: "odd" })).ids, odd)
      yield* equal("by tag", (yield* list({ tag: "tag-y" })).ids, ["y"])
      yield* equal("by status", (yield* list({ status: "Failed" })).ids, [])
      yield* equal("by workflow", (yield* list({ workflow: "items" })).ids, registered)
      yield* equal("by both", (yield* list({ owner: "even", tag: "tag-y" })).ids, [])
      for (const filter of [{}, { owner: "even" }]) {
        const wanted = (yield* list(filter)).ids
        const seen: Array<string> = []
        let cursor: string | undefined
        do {
          const page = yield* list(filter, { limit: 2, ...(cursor === undefined ? {} : { cursor }) })
          yield* holds("a page is no longer than asked for", page.ids.length <= 2, page)
          seen.push(...page.ids)
          cursor = page.next
        } while (cursor !== undefined)
        yield* equal("page by page", seen, wanted)
      }
      yield* equal("a page has one at least", (yield* list({}, { limit: 0 })).ids.length, 1)
    })
  ),

  law("lists what fulfils every condition, whichever are given", ({ plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      for (let n = 0; n < 12; n++) {
        const run = yield* plane.registerRun({
          workflow: n % 3 === 0 ? failing : items(1),
          owner: n % 2 === 0 ? "even" : "odd",
          tags: n % 4 < 2 ? ["low", "any"] : ["any"]
        })
        yield* run.result
      }
      yield* query.sync
      const all = (yield* query.listRuns()).items
      for (let given = 1; given < 16; given++) {
        const filter: QueryService.RunFilter = {
          ...(given % 2 === 1 ? { status: "Completed" as const } : {}),
          ...(given % 4 > 1 ? { workflow: "items" } : {}),
          ...(given % 8 > 3 ? { owner: "odd" } : {}),
          ...(given > 7 ? { tag: "low" } : {})
        }
        const wanted = all.filter(
          (row) =>
            (filter.status === undefined || row.status === filter.status) &&
            (filter.workflow === undefined || row.workflow === filter.workflow) &&
            (filter.owner === undefined || row.owner === filter.owner) &&
            (filter.tag === undefined || row.tags.includes(filter.tag))
        )
        yield* holds("some do and some do not", wanted.length > 0 && wanted.length < 12, filter)
        const found: Array<QueryService.RunRow> = []
        let cursor: string | undefined
        do {
          const page = yield* query.listRuns(filter, {
            limit: 2,
            ...(cursor === undefined ? {} : { cursor })
          })
          found.push(...page.items)
          cursor = page.next
        } while (cursor !== undefined)
        yield* equal(`those with ${JSON.stringify(filter)}`, found, wanted)
      }
    })
  ),

  law("lists items page by page", ({ plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const { result, runId } = yield* plane.registerRun({ workflow: items(25) })
      yield* result
      yield* query.sync
      const seen: Array<number> = []
      let cursor: string | undefined
      do {
        const paging = { limit: 10, ...(cursor === undefined ? {} : { cursor }) }
        const page = yield* query.getItems(runId, "each", paging)
        seen.push(...page.items.map(({ index }) => index))
        cursor = page.next
      } while (cursor !== undefined)
      yield* equal(
        "all in order",
        seen,
        Array.from({ length: 25 }, (_, i) => i)
      )
      yield* equal("of another step", (yield* query.getItems(runId, "other")).items, [])
    })
  ),

  law("shows the recorded entries", ({ log, plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const { result, runId } = yield* plane.registerRun({ workflow: items(2) })
      yield* result
      const entries = yield* collect(log.read({ runs: [runId] }))
      yield* equal("of a run", yield* collect(query.events({ runs: [runId] })), entries)
      const after = entries[2]?.seq
      if (after === undefined) return
      yield* equal("after a position", yield* collect(query.events({ after })), entries.slice(3))
    })
  ),

  law("forgets runs that the log says are removed", ({ log, plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      for (const id of ["one", "two", "three"]) {
        yield* Effect.flatMap(
          plane.registerRun({ workflow: items(2), id, tags: [id] }),
          ({ result }) => result
        )
      }
      yield* query.sync
      const before = yield* query.totals
      const runs = [RunId.make("one"), RunId.make("three"), RunId.make("never-there")]
      yield* log.append(logId, [{ _tag: "RunsRemoved", runs, archived: false }])
      yield* query.sync
      yield* equal(
        "what is left",
        (yield* query.listRuns()).items.map(({ runId }) => runId),
        ["two"]
      )
      yield* equal("by tag", (yield* query.listRuns({ tag: "one" })).items, [])
      yield* fails("a run", "RunUnknown", query.getRun("one"))
      yield* fails("its steps", "RunUnknown", query.getSteps("three"))
      yield* equal("its items", (yield* query.getItems("one", "each")).items, [])
      const { runs: counts, usage } = yield* query.totals
      yield* equal("the count", counts, { Completed: 1 })
      yield* equal("the cost", usage.costMicroUsd * 3, before.usage.costMicroUsd)
      yield* equal("the log is not a run", yield* log.unfinished, [])
    })
  )
]
