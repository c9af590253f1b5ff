import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import {
  type AgentFilter,
  agentDetails,
  agentRow,
  isListed as isAgentListed
} from "@switchyard/core/AgentRow"
import type { Entry } from "@switchyard/core/Event"
import type { StepId } from "@switchyard/core/Ids"
import { agentsOf, foldOf } from "@switchyard/core/internal/logFold"
import { itemRow, type RunFilter, runRow, stepRow } from "@switchyard/core/QueryService"
import * as Run from "@switchyard/core/Run"
import * as Usage from "@switchyard/core/Usage"
import { byPlace, isListed, type WaitingFilter, waitingRows } from "@switchyard/core/WaitingStep"
import { connect } from "@switchyard/node/internal/indexConnection"
import { makeQueries } from "@switchyard/node/internal/indexQueries"
import { openProjection, type Projection } from "@switchyard/node/internal/projection"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { copyOf, discard, dump } from "../node/indexTables.js"
import { foldsOf, histories, removals } from "./histories.js"

/** How the next entries are projected: how many, how many of those before once more, and what happens then. */
interface Batch {
  readonly size: number
  readonly again: number
  readonly end: "nothing" | "crash" | "close"
}

const batches: fc.Arbitrary<ReadonlyArray<Batch>> = fc.array(
  fc.record({
    size: fc.integer({ min: 0, max: 40 }),
    again: fc.nat(20),
    end: fc.oneof(
      { arbitrary: fc.constant("nothing" as const), weight: 6 },
      { arbitrary: fc.constantFrom("crash" as const, "close" as const), weight: 1 }
    )
  }),
  { maxLength: 15, size: "max" }
)

let directory = ""
let files = 0
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-projection-"))
})
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

const fresh = () => path.join(directory, `${files++}.sqlite`)

/** Opens tables as a host does: what they have of open runs is folded again. */
const reopen = (file: string, log: ReadonlyArray<Entry>): Projection => {
  const projection = openProjection(file)
  const open = new Set(projection.openRuns.map(({ runId }) => runId))
  for (const entry of log)
    if (open.has(entry.runId) && entry.seq <= projection.watermark()) projection.remember(entry)
  return projection
}

/** The steps that wait are those that the folds say, at any moment: most of them wait but shortly. */
const checkWaiting = (file: string, log: ReadonlyArray<Entry>) =>
  Effect.gen(function* () {
    const query = makeQueries(yield* connect(file))
    const found = yield* query.waiting({ for: "any" }, { limit: 1000 })
    expect(found.items).toEqual([...foldsOf(log).values()].flatMap(waitingRows).sort(byPlace))
  }).pipe(Effect.scoped, Effect.runSync)

/** Projects a log as drawn, and the rest of it at once. */
const projected = (log: ReadonlyArray<Entry>, drawn: ReadonlyArray<Batch>): string => {
  let file = fresh()
  let projection = reopen(file, log)
  let position = 0
  for (const { again, end, size } of drawn) {
    projection.project(log.slice(Math.max(0, position - again), position + size))
    position = Math.min(log.length, position + size)
    expect(projection.watermark()).toBe(position)
    checkWaiting(file, log.slice(0, position))
    if (end === "nothing") continue
    if (end === "crash") {
      const left = fresh()
      copyOf(file, left)
      projection.close()
      discard(file)
      file = left
    } else projection.close()
    projection = reopen(file, log)
    expect(projection.watermark()).toBe(position)
  }
  projection.project(log)
  projection.project(log)
  projection.close()
  return file
}

const rebuilt = (log: ReadonlyArray<Entry>): string => {
  const file = fresh()
  const projection = openProjection(file)
  projection.project(log)
  projection.close()
  return file
}

const waitingFilters: ReadonlyArray<WaitingFilter> = [
  ...(["approval", "time", "signal", "any"] as const).map((wanted) => ({ for: wanted })),
  ...["ann", "", "eve"].map((approver) => ({ approver })),
  { for: "any", approver: "bob", workflow: "workflow 1" },
  { for: "any", workflow: "workflow 0", owner: "owner 1" },
  { approver: "ann", workflow: "workflow 0", owner: "owner 2" },
  { for: "signal", approver: "ann" },
  { owner: "owner 2" }
]

const agentFilters: ReadonlyArray<AgentFilter> = [
  {},
  { skill: "work" },
  { skill: "play", registered: true },
  { skill: "work", enabled: false },
  { health: "Degraded" },
  { health: "Unknown", registered: false },
  { text: "NAME 1" },
  { text: "é", skill: "work" },
  { text: "agent", enabled: true, registered: true }
]

const runFilters: ReadonlyArray<RunFilter> = [undefined, "", "é", "tag 1"].flatMap((tag) =>
  ([undefined, "Running", "Completed"] as const).flatMap((status) =>
    [undefined, null, "parent-0"].map((parent) => ({
      ...(tag === undefined ? {} : { tag }),
      ...(status === undefined ? {} : { status }),
      ...(parent === undefined ? {} : { parent })
    }))
  )
)

/** What is answered from the tables is what the folds of the runs say. */
const checkAnswers = (file: string, log: ReadonlyArray<Entry>, ofAgents = log) =>
  Effect.gen(function* () {
    const query = makeQueries(yield* connect(file))
    const runs = [...foldsOf(log).values()]
    const counts: Partial<Record<Run.RunStatus, number>> = {}
    for (const run of runs) {
      counts[run.status] = (counts[run.status] ?? 0) + 1
      expect(yield* query.getRun(run.id)).toEqual(runRow(run))
      const states = run.definition.steps.map(
        ({ id }) => [id, run.steps.get(id) ?? Run.pendingStep()] as const
      )
      expect(yield* query.getSteps(run.id)).toEqual(
        states.map(([id, state], position) => stepRow(run, position, id as StepId, state))
      )
      for (const [id, { items }] of states) {
        const found = yield* query.getItems(run.id, id)
        expect(found.items).toEqual(
          items.flatMap((item) => (item === undefined ? [] : [itemRow(run, id as StepId, item)]))
        )
      }
    }
    const waiting = runs.flatMap(waitingRows).sort(byPlace)
    for (const filter of waitingFilters) {
      const found: Array<unknown> = []
      let cursor: string | undefined
      do {
        const page = yield* query.waiting(filter, { limit: 2, ...(cursor === undefined ? {} : { cursor }) })
        found.push(...page.items)
        cursor = page.next
      } while (cursor !== undefined)
      expect(found, JSON.stringify(filter)).toEqual(waiting.filter((row) => isListed(row, filter)))
    }
    const agents = agentsOf(foldOf(ofAgents))
    for (const { history, key, record } of agents)
      expect(yield* query.getAgent(key.toUpperCase())).toEqual(agentDetails(key, record, history()))
    for (const filter of agentFilters) {
      const found: Array<unknown> = []
      let cursor: string | undefined
      do {
        const page = yield* query.listAgents(filter, {
          limit: 2,
          ...(cursor === undefined ? {} : { cursor })
        })
        found.push(...page.items)
        cursor = page.next
      } while (cursor !== undefined)
      const wanted = agents.filter(({ key, record }) => isAgentListed(key, record, filter))
      expect(found, JSON.stringify(filter)).toEqual(
        wanted.map(({ history, key, record }) => agentRow(key, record, history()))
      )
    }
    expect(yield* query.totals).toEqual({
      runs: counts,
      usage: runs.reduce((sum, run) => Usage.add(sum, Run.ownUsage(run)), Usage.zero)
    })
    for (const filter of runFilters) {
      const { parent, status, tag } = filter
      const wanted = runs.filter(
        (run) =>
          (tag === undefined || run.tags.includes(tag)) &&
          (status === undefined || run.status === status) &&
          (parent === undefined || (run.parent?.runId ?? null) === parent)
      )
      const listed = (yield* query.listRuns(filter, { limit: 1000 })).items.map(({ runId }) => runId)
      expect(listed, JSON.stringify(filter)).toEqual(wanted.map(({ id }) => id).reverse())
    }
  }).pipe(Effect.scoped, Effect.runSync)

describe("the tables of any log", () => {
  it("are what its folds say, in whatever batches they came, twice or across crashes", () => {
    fc.assert(
      fc.property(histories, batches, (log, drawn) => {
        const [file, other] = [projected(log, drawn), rebuilt(log)]
        expect(dump(file)).toEqual(dump(other))
        checkAnswers(file, log)
        for (const each of [file, other]) discard(each)
      }),
      { numRuns: 60 }
    )
  }, 120_000)

  it("have of agents what they did, whether or not the entries of runs that were removed are there", () => {
    fc.assert(
      fc.property(removals, batches, ({ left, log }, drawn) => {
        const [file, other] = [projected(log, drawn), rebuilt(left)]
        expect(dump(file)).toEqual(dump(other))
        checkAnswers(file, log)
        checkAnswers(other, left)
        for (const each of [file, other]) discard(each)
      }),
      { numRuns: 40 }
    )
  }, 120_000)

  it("are, with some runs forgotten, what a log without them gives", () => {
    fc.assert(
      fc.property(
        histories,
        batches,
        fc.array(fc.nat(9), { maxLength: 5, size: "max" }),
        (log, drawn, chosen) => {
          const ids = [...new Set(log.map(({ runId }) => runId))]
          const gone = new Set(chosen.flatMap((n) => ids[n] ?? []))
          const file = projected(log, drawn)
          const projection = reopen(file, log)
          for (const runId of gone) projection.forget(runId)
          for (const runId of gone) projection.forget(runId)
          projection.close()
          const rest = log.filter(({ runId }) => !gone.has(runId))
          checkAnswers(file, rest, log)
          const other = fresh()
          const without = openProjection(other)
          without.project(rest)
          without.close()
          // What agents did stays, whatever becomes of the runs.
          const ofRuns = (tables: ReturnType<typeof dump>) =>
            Object.entries(tables).filter(([name]) => name !== "meta" && !name.startsWith("agent"))
          expect(ofRuns(dump(file))).toEqual(ofRuns(dump(other)))
          for (const each of [file, other]) discard(each)
        }
      ),
      { numRuns: 25 }
    )
  }, 120_000)
})
