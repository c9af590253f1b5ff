import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { EventLog } from "@switchyard/core/EventLog"
import type { RunId, StepId } from "@switchyard/core/Ids"
import { itemRow, QueryService, runRow, type Service, stepRow } from "@switchyard/core/QueryService"
import * as Run from "@switchyard/core/Run"
import * as Switchyard from "@switchyard/node/Switchyard"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { critic, scribe, words } from "../e2e/workflows.js"
import { discard, dump } from "./indexTables.js"
import { temporaryDirectory } from "./temporary.js"

const agents = [scribe, critic]
const indexOf = (directory: string) => path.join(directory, "index.sqlite")

const runSome = Effect.gen(function* () {
  const plane = yield* ControlPlane
  yield* Effect.forEach(["a", "b", "c", "d"], (owner, index) =>
    Effect.flatMap(
      plane.registerRun({
        workflow: words,
        params: { words: index === 3 ? ["bad1", "bad2"] : [`${owner}1`, "bad", `${owner}2`] },
        owner,
        tags: ["test", "test", owner]
      }),
      ({ result }) => result
    )
  )
  yield* Effect.flatMap(QueryService, ({ sync }) => sync)
})

const opened = <A, E>(directory: string, use: (query: Service) => Effect.Effect<A, E>, recover = true) =>
  Effect.provide(
    Effect.flatMap(QueryService, (query) => Effect.zipRight(query.sync, use(query))),
    Switchyard.layer({ directory, agents, recover })
  )

describe("SqliteIndex", () => {
  it.scopedLive("has the rows that the fold of the log has", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        yield* runSome
        const log = yield* EventLog
        const query = yield* QueryService
        const runs = new Map<RunId, Run.Run>()
        yield* Stream.runForEach(log.read({}), (entry) =>
          Effect.sync(() => {
            const run = runs.get(entry.runId) ?? Run.register(entry)
            if (run !== undefined && runs.has(entry.runId)) expect(Run.apply(run, entry)).toBeUndefined()
            if (run !== undefined) runs.set(entry.runId, run)
          })
        )
        expect(runs.size).toBe(4)
        for (const run of runs.values()) {
          expect(yield* query.getRun(run.id)).toEqual(runRow(run))
          const steps = run.definition.steps.map(({ id }, position) =>
            stepRow(run, position, id, run.steps.get(id) ?? Run.pendingStep())
          )
          expect(yield* query.getSteps(run.id)).toEqual(steps)
          for (const [id, step] of run.steps) {
            const items = step.items.flatMap((item) =>
              item === undefined ? [] : [itemRow(run, id as StepId, item)]
            )
            expect((yield* query.getItems(run.id, id)).items).toEqual(items)
          }
        }
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents })))
    })
  )

  it.scopedLive(
    "is built anew, row for row the same, when it is deleted, damaged, of another version or of another log",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* Effect.provide(runSome, Switchyard.layer({ directory, agents }))
        const before = dump(indexOf(directory))
        expect(before.items?.length).toBeGreaterThan(10)
        const file = indexOf(directory)
        const sql = (text: string) => {
          const database = new Database(file)
          database.exec(text)
          database.close()
        }
        const harms: Record<string, () => void> = {
          deleted: () => discard(indexOf(directory)),
          damaged: () => {
            discard(indexOf(directory))
            fs.writeFileSync(
              file,
              "this is no database, but long enough to look at first like one".repeat(100)
            )
          },
          "of another version": () => sql("PRAGMA user_version = 99; DELETE FROM runs"),
          "with damaged pages": () => {
            const bytes = fs.readFileSync(file)
            fs.writeFileSync(file, bytes.fill(0xa5, 4096))
          },
          "ahead of the log": () =>
            sql("UPDATE meta SET value = 1000000 WHERE key = 'watermark'; DELETE FROM items"),
          "of a log with another entry where it stands": () =>
            sql("UPDATE meta SET value = value - 1 WHERE key = 'watermark_time'; DELETE FROM steps")
        }
        for (const [name, harm] of Object.entries(harms)) {
          harm()
          yield* opened(directory, () => Effect.void)
          expect(dump(indexOf(directory)), name).toEqual(before)
        }
      })
  )

  it.scopedLive("goes on in the middle of a run and ends with the rows that a rebuild has", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const runId = yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const run = yield* plane.registerRun({ workflow: words, params: { words: ["x", "bad", "y"] } })
        yield* run.control({ _tag: "Pause", mode: "interrupt" })
        yield* Effect.flatMap(QueryService, ({ sync }) => sync)
        return run.runId
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents })))
      const status = yield* opened(directory, (query) => query.getRun(runId), false)
      expect(status.status).toBe("Interrupted")
      yield* Effect.gen(function* () {
        const run = yield* Effect.flatMap(ControlPlane, (plane) => plane.get(runId))
        yield* run.control({ _tag: "Resume" })
        expect((yield* run.result).status).toBe("Completed")
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents })))
      yield* opened(directory, () => Effect.void)
      const incremental = dump(indexOf(directory))
      discard(indexOf(directory))
      yield* opened(directory, () => Effect.void)
      expect(dump(indexOf(directory))).toEqual(incremental)
    })
  )

  it.scopedLive("filters, pages and sums", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(runSome, Switchyard.layer({ directory, agents }))
      yield* opened(directory, (query) =>
        Effect.gen(function* () {
          const owners = (rows: ReadonlyArray<{ readonly owner: string | null }>) =>
            rows.map(({ owner }) => owner)
          const first = yield* query.listRuns({}, { limit: 3 })
          expect(owners(first.items)).toEqual(["d", "c", "b"])
          const second = yield* query.listRuns({}, { limit: 3, cursor: first.next ?? "" })
          expect([owners(second.items), second.next]).toEqual([["a"], undefined])
          expect(owners((yield* query.listRuns({ status: "Failed" })).items)).toEqual(["d"])
          expect(owners((yield* query.listRuns({ tag: "b" })).items)).toEqual(["b"])
          expect(owners((yield* query.listRuns({ owner: "c", workflow: "words" })).items)).toEqual(["c"])
          expect((yield* query.listRuns({ workflow: "other" })).items).toEqual([])
          expect(yield* Effect.flip(query.getRun("nobody"))).toMatchObject({ _tag: "RunUnknown" })
          const totals = yield* query.totals
          expect(totals.runs).toEqual({ Completed: 3, Failed: 1 })
          expect(totals.usage.costMicroUsd).toBe(14_000)
        })
      )
    })
  )
})
