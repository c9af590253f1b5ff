import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry } from "@switchyard/core/Event"
import type { RunFilter } from "@switchyard/core/QueryService"
import { RunStatus } from "@switchyard/core/Run"
import { Waiting, type WaitingFilter } from "@switchyard/core/WaitingStep"
import type { Answer, Ask } from "@switchyard/node/internal/indexConnection"
import { makeQueries } from "@switchyard/node/internal/indexQueries"
import { outputQueries } from "@switchyard/node/internal/outputQuery"
import { openProjection } from "@switchyard/node/internal/projection"
import type { Columns } from "@switchyard/node/internal/rows"
import { statuses } from "@switchyard/node/internal/tables"
import { kinds } from "@switchyard/node/internal/waitingQueries"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { childrenLog, sampleLog, waitingLog } from "./indexSamples.js"
import { temporaryDirectory } from "./temporary.js"

const runs = 2_000

const filled = Effect.gen(function* () {
  const file = path.join(yield* temporaryDirectory, "index.sqlite")
  const projection = openProjection(file)
  let last: Entry | undefined
  for (const entries of sampleLog(runs)) {
    projection.project(entries)
    last = entries.at(-1) ?? last
  }
  for (const entries of waitingLog(200, last)) {
    projection.project(entries)
    last = entries.at(-1) ?? last
  }
  for (const entries of childrenLog(200, last)) projection.project(entries)
  projection.close()
  return yield* Effect.acquireRelease(
    Effect.sync(() => new Database(file, { readonly: true })),
    (database) => Effect.sync(() => database.close())
  )
})

/** Every set of conditions there is. */
const filters: ReadonlyArray<RunFilter> = Array.from({ length: 32 }, (_, bits) => ({
  ...(bits & 16 ? { parent: null } : {}),
  ...(bits & 1 ? { status: "Completed" as const } : {}),
  ...(bits & 2 ? { workflow: "workflow-1" } : {}),
  ...(bits & 4 ? { owner: "owner-1" } : {}),
  ...(bits & 8 ? { tag: "all" } : {})
}))

/** Every set of conditions on the items of a run. */
const childFilters: ReadonlyArray<RunFilter> = filters
  .slice(0, 16)
  .map((filter) => ({ ...filter, parent: "parent-0" }))

/** Every set of conditions on steps that wait, beside what they wait for. */
const waitingFilters: ReadonlyArray<WaitingFilter> = Array.from({ length: 8 }, (_, bits) => ({
  ...(bits & 1 ? { workflow: "waiting-1" } : {}),
  ...(bits & 2 ? { owner: "owner-1" } : {}),
  ...(bits & 4 ? { approver: "ann" } : {})
})).flatMap((filter) => [filter, { ...filter, for: "any" as const }])

/** The questions, answered by a database, and every statement that they came to. */
const asked = (database: Database.Database) => {
  const statements: Array<{ readonly sql: string; readonly values: ReadonlyArray<unknown> }> = []
  const ask: Ask = (sql, values, read) =>
    Effect.sync(() => {
      statements.push({ sql, values })
      return database.prepare<[unknown], Columns>(sql).all(values).map(read)
    })
  const answer: Answer = (question) => Effect.orDie(question(ask))
  const query = { ...makeQueries(answer), ...outputQueries(answer, { read: () => Stream.empty }) }
  return { query, statements }
}

describe("the statements of the read side", () => {
  it.scoped("search an index and never scan or sort", () =>
    Effect.gen(function* () {
      const database = yield* filled
      const { query, statements } = asked(database)
      for (const filter of [...filters, ...childFilters]) {
        const { items, next } = yield* query.listRuns(filter, { limit: 5 })
        expect(items.length, JSON.stringify(filter)).toBe(5)
        yield* query.listRuns(filter, { limit: 5, cursor: next ?? "" })
      }
      const [last] = (yield* query.listRuns({ tag: "all" })).items
      const runId = last?.runId ?? ""
      yield* query.getRun(runId)
      expect((yield* query.getSteps(runId)).length).toBe(1)
      expect((yield* query.getItems(runId, "only")).items.length).toBe(1)
      yield* query.getItems(runId, "only", { cursor: "0" })
      for (const filter of waitingFilters) {
        const { items, next } = yield* query.waiting(filter, { limit: 5 })
        expect(items.length, JSON.stringify(filter)).toBe(5)
        expect(next).toBeDefined()
        yield* query.waiting(filter, { limit: 5, cursor: next ?? "" })
      }
      // The log of this run is not there, so that its definition is not known.
      const [done] = (yield* query.listRuns({ status: "Completed" })).items
      expect((yield* Effect.flip(query.getOutput(done?.runId ?? "", "only")))._tag).toBe("RunUnknown")
      expect(yield* query.getOutput("waits-0", "done")).toEqual({ n: 0 })
      expect((yield* Effect.flip(query.getRunOutput(done?.runId ?? "")))._tag).toBe("RunUnknown")
      expect((yield* query.totals).runs.Completed).toBeGreaterThan(1_000)
      for (const filter of [
        {},
        { skill: "work" },
        { skill: "work", text: "a" },
        { health: "Healthy", enabled: true }
      ] as const)
        yield* query.listAgents(filter, { cursor: "a", limit: 5 })
      expect((yield* query.getAgent("agent")).metrics.successCount).toBeGreaterThan(1_000)
      yield* query.watermark
      expect(new Set(statements.map(({ sql }) => sql)).size).toBeGreaterThan(15)
      for (const { sql, values } of statements) {
        const plan = database
          .prepare<[unknown], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all(values)
          .map(({ detail }) => detail)
        expect(plan.length).toBeGreaterThan(0)
        expect(
          plan.filter((detail) => !/^(SEARCH|(CORRELATED )?SCALAR SUBQUERY)\b/.test(detail)),
          sql
        ).toEqual([])
      }
    })
  )

  it.scoped("find waiting steps by every condition at once, whatever else waits", () =>
    Effect.gen(function* () {
      const database = yield* filled
      const { query, statements } = asked(database)
      for (const filter of waitingFilters) yield* query.waiting(filter, { limit: 10 })
      expect(statements.length).toBeGreaterThan(waitingFilters.length)
      for (const { sql, values } of statements) {
        const [plan] = database
          .prepare<[unknown], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all(values)
        const given = sql.match(/w\.\w+ = \?/g)?.length ?? 0
        const searched = plan?.detail.match(/\w+=\?/g)?.length
        expect(searched, `${sql}: ${plan?.detail}`).toBe(given)
        expect(plan?.detail).toContain("(since,first_seq,position)>(?,?,?)")
      }
    })
  )

  it.scoped("look at no more rows than they give, whatever is rare and whatever is common", () =>
    Effect.gen(function* () {
      const database = yield* filled
      const { query, statements } = asked(database)
      for (const filter of filters) yield* query.listRuns(filter, { limit: 10 })
      // Both are common and have nothing in common.
      yield* query.listRuns({ status: "Failed", tag: "works" }, { limit: 10 })
      yield* query.listRuns({ workflow: "workflow-0", owner: "owner-1" }, { limit: 10 })
      yield* query.listRuns({ status: "Completed", tag: "rare", owner: "owner-7" }, { limit: 10 })
      for (const { sql, values } of statements) {
        if (!/first_seq < \?/.test(sql)) continue
        // Every condition is part of the search, so that no row is looked at in vain.
        const [plan] = database
          .prepare<[unknown], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all(values)
        const searched = plan?.detail.match(/\w+(=|<)\?/g)?.length
        expect(searched, `${sql}: ${plan?.detail}`).toBe(sql.match(/\w+ (=|<) \?/g)?.length)
      }
    })
  )

  it.scoped("look at no more than the items of a run that have a status where these are asked for", () =>
    Effect.gen(function* () {
      const database = yield* filled
      const { query, statements } = asked(database)
      for (const filter of childFilters) yield* query.listRuns(filter, { limit: 10 })
      const lists = statements.filter(({ sql }) => /first_seq < \?/.test(sql))
      expect(lists.length).toBeGreaterThan(childFilters.length)
      for (const { sql, values } of lists) {
        const [plan] = database
          .prepare<[unknown], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all(values)
        expect(plan?.detail).toContain("runs_by_parent_status (parent=? AND status=? AND rowid<?)")
      }
    })
  )

  it("know every status of a run and every kind of waiting", () => {
    expect(statuses).toEqual(RunStatus.literals)
    expect(kinds).toEqual(Waiting.fields.for.literals)
  })
})
