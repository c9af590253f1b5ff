import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { EventLog } from "@switchyard/core/EventLog"
import { logId, RunId, StepId } from "@switchyard/core/Ids"
import { QueryService } from "@switchyard/core/QueryService"
import { collect } from "@switchyard/core/testing/LogChecks"
import * as Workflow from "@switchyard/core/Workflow"
import { History, type Policy } from "@switchyard/node/History"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { scribe, words } from "../e2e/workflows.js"
import { dump } from "./indexTables.js"
import { temporaryDirectory } from "./temporary.js"

const critic = scribe

const layer = (directory: string, history?: Policy) =>
  Switchyard.layer({
    directory,
    agents: [critic],
    log: { maxSegmentBytes: 8192 },
    ...(history === undefined ? {} : { history })
  })

const register = (id: string) =>
  Effect.gen(function* () {
    const plane = yield* ControlPlane
    const run = yield* plane.registerRun({
      workflow: { ...words.definition, steps: words.definition.steps.slice(0, 1) },
      id,
      params: { words: ["a", "b", "c"] }
    })
    yield* run.result
  })

const runs = (from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: to - from + 1 }, (_, i) => `run-${from + i}`),
    register,
    { discard: true }
  )

const ids = Effect.gen(function* () {
  const query = yield* QueryService
  yield* query.sync
  return (yield* query.listRuns()).items.map(({ runId }) => runId as string)
})

const inLog = Effect.gen(function* () {
  const log = yield* EventLog
  const entries = yield* collect(log.read({}))
  return [...new Set(entries.flatMap(({ runId }) => (runId === logId ? [] : [runId as string])))]
})

const apply = (policy: Policy) => Effect.flatMap(History, (history) => history.apply(policy))

describe("History", () => {
  it.scopedLive("keeps the runs that were registered last, in log, index and workspaces", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        yield* runs(1, 8)
        const removed = yield* apply({ maxRuns: 3 })
        expect(removed.runs).toBe(5)
        expect(removed.entries).toBeGreaterThan(5 * 8)
        expect(removed.bytes).toBeGreaterThan(0)
        expect(yield* ids).toEqual(["run-8", "run-7", "run-6"])
        expect(yield* inLog).toEqual(["run-6", "run-7", "run-8"])
        expect(readdirSync(join(directory, "workspaces")).sort()).toEqual([
          "run-run-6",
          "run-run-7",
          "run-run-8"
        ])
        expect(yield* apply({ maxRuns: 3 })).toEqual({ runs: 0, entries: 0, bytes: 0 })
        const plane = yield* ControlPlane
        const error = yield* Effect.flip(plane.get("run-1"))
        expect(error._tag).toBe("RunNotFound")
        yield* register("run-1")
        expect(yield* ids).toEqual(["run-1", "run-8", "run-7", "run-6"])
      }).pipe(Effect.provide(layer(directory)))
      // The run that has the id of a removed one now is not taken for it.
      yield* Effect.delay(Effect.void, 0).pipe(
        Effect.andThen(inLog),
        Effect.map((kept) => expect(kept).toEqual(["run-6", "run-7", "run-8", "run-1"])),
        Effect.provide(layer(directory, {}))
      )
      const tables = dump(join(directory, "index.sqlite"))
      rmSync(join(directory, "index.sqlite"))
      yield* Effect.provide(ids, layer(directory))
      expect(dump(join(directory, "index.sqlite"))).toEqual(tables)
      expect((yield* JsonlEventLog.verify(join(directory, "log"))).removed).toBeGreaterThan(0)
    })
  )

  it.scopedLive("removes by age and by size, and archives where it is told to", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        yield* runs(1, 4)
        expect((yield* apply({ maxAge: "1 hour" })).runs).toBe(0)
        yield* Effect.sleep(5)
        expect((yield* apply({ maxAge: 1, removed: "archive" })).runs).toBe(4)
        const archived = readFileSync(join(directory, "log", "archive", "run-2.jsonl"), "utf8")
        const kept = archived
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line))
        expect(kept.at(0).event._tag).toBe("RunRegistered")
        expect(kept.at(-1).event._tag).toBe("RunCompleted")
        expect(existsSync(join(directory, "workspaces", "run-run-2"))).toBe(true)
        yield* runs(5, 40)
        const log = yield* EventLog
        const head = yield* log.head
        const removed = yield* apply({ maxBytes: 24_000 })
        expect(removed.runs).toBeGreaterThan(10)
        const left = yield* ids
        expect(left.length).toBe(36 - removed.runs)
        expect(left[0]).toBe("run-40")
        expect(yield* log.head).toBeGreaterThan(head)
      }).pipe(Effect.provide(layer(directory)))
    })
  )

  it.scopedLive("finishes a removal that a crash cut short, and leaves runs that are under way alone", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        yield* runs(1, 3)
        const log = yield* EventLog
        const removed = [RunId.make("run-1"), RunId.make("run-3")]
        yield* log.append(logId, [{ _tag: "RunsRemoved", runs: removed, archived: false }])
      }).pipe(Effect.provide(layer(directory)))
      yield* Effect.gen(function* () {
        for (let turn = 0; turn < 500 && (yield* inLog).length > 1; turn++) yield* Effect.sleep(10)
        expect(yield* inLog).toEqual(["run-2"])
        expect(readdirSync(join(directory, "workspaces"))).toEqual(["run-run-2"])
      }).pipe(Effect.provide(layer(directory)))
    })
  )

  const leaf = Workflow.make("leaf", { params: Schema.Struct({ word: Schema.String }) }).pipe(
    Workflow.step("write", { skill: "write", input: "{{ params.word }}" })
  )
  const nested = Workflow.make("nested", { params: Schema.Struct({ word: Schema.String }) }).pipe(
    Workflow.step("inner", { subworkflow: leaf, input: { word: "{{ params.word }}" } })
  )
  const outer = Workflow.make("outer").pipe(
    Workflow.step("each", { subworkflow: nested, forEach: ["a", "b"], input: { word: "{{ item }}" } }),
    Workflow.step("ask", { after: ["each"], approval: { message: "Is it good?" } })
  )
  /** Waits until somebody is to decide. */
  const asked = Effect.gen(function* () {
    const query = yield* QueryService
    for (;;) {
      yield* query.sync
      if ((yield* query.waiting()).items.length > 0) return
      yield* Effect.sleep(5)
    }
  })
  const family = ["outer.each.1.inner", "outer.each.0.inner", "outer.each.1", "outer.each.0", "outer"]

  it.scopedLive("keeps the items of a run that are runs as long as it, and removes them with it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const registrations = Effect.gen(function* () {
        const log = yield* EventLog
        const entries = yield* collect(log.read({}))
        return entries.filter(({ event, runId }) => event._tag === "RunRegistered" && family.includes(runId))
          .length
      })
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const query = yield* QueryService
        yield* plane.registerRun({ workflow: outer, id: "outer" })
        yield* asked
        yield* runs(1, 3)
        yield* query.sync
        expect((yield* query.totals).runs).toEqual({ Completed: 7, Running: 1 })
        expect((yield* apply({ maxRuns: 2 })).runs).toBe(1)
        expect((yield* ids).filter((id) => id.startsWith("run"))).toEqual(["run-3", "run-2"])
        expect((yield* apply({ maxBytes: 0 })).runs).toBe(2)
        yield* Effect.sleep(5)
        expect((yield* apply({ maxAge: 1, maxRuns: 0, maxBytes: 0 })).runs).toBe(0)
        expect([...(yield* ids)].sort()).toEqual([...family].sort())
      }).pipe(Effect.provide(layer(directory)))
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        for (const run of yield* plane.recover) expect(run.runId).toBe("outer")
        yield* plane.sendCommand("outer", { _tag: "Decide", stepId: StepId.make("ask"), decision: "approve" })
        const run = yield* plane.get("outer")
        expect((yield* run.result).status).toBe("Completed")
        expect(yield* registrations).toBe(5)
        yield* runs(4, 4)
        expect((yield* apply({ maxRuns: 2 })).runs).toBe(0)
        expect((yield* apply({ maxRuns: 1 })).runs).toBe(5)
        expect(yield* ids).toEqual(["run-4"])
        expect(yield* inLog).toEqual(["run-4"])
        expect(readdirSync(join(directory, "workspaces"))).toEqual(["run-run-4"])
        // Nothing is left that a run with the same id could take for its own.
        yield* plane.registerRun({ workflow: outer, id: "outer" })
        yield* asked
        expect(yield* registrations).toBe(5)
      }).pipe(Effect.provide(layer(directory)))
    })
  )

  it.scopedLive("keeps a run while an item of it is under way, whatever is to go", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        yield* runs(1, 2)
        const log = yield* EventLog
        const parent = { runId: RunId.make("run-1"), stepId: StepId.make("write"), index: 0 }
        const { definition } = leaf
        yield* log.append(RunId.make("odd"), [
          { _tag: "RunRegistered", workflow: definition, params: { word: "a" }, tags: [], parent }
        ])
        expect((yield* apply({ maxRuns: 0, maxBytes: 0 })).runs).toBe(1)
        expect(yield* ids).toEqual(["odd", "run-1"])
      }).pipe(Effect.provide(layer(directory)))
    })
  )
})
