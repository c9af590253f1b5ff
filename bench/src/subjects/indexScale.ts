import * as fs from "node:fs"
import * as path from "node:path"
import type { Event } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import { QueryService } from "@switchyard/core/QueryService"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as SqliteIndex from "@switchyard/node/SqliteIndex"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { event } from "../GroupCommit.js"
import { type SubjectModule, timed, verify } from "../Subject.js"
import { chainOf } from "../Yard.js"

const { metrics, ...item } = event
const stepId = "s0"
const usage = metrics.usage

/** All that is recorded of a run with one step. */
const history = [
  { _tag: "RunRegistered", workflow: chainOf(1), params: {}, tags: ["measured"], owner: "bench" },
  { _tag: "RunStarted" },
  { _tag: "StepStarted", stepId, stepType: "skill", totalItems: 1 },
  { _tag: "ItemStarted", stepId, item: "item", index: 0, total: 1, attempt: 1, agentId: "agent" },
  { ...item, stepId, metrics },
  {
    _tag: "StepCompleted",
    stepId,
    summary: { totalItems: 1, succeeded: 1, failed: 0, retries: 0, usage, durationMillis: 1 }
  },
  {
    _tag: "RunCompleted",
    summary: {
      steps: { succeeded: 1, failed: 0, skipped: 0, cancelled: 0 },
      items: { succeeded: 1, failed: 0 },
      usage,
      durationMillis: 1
    }
  }
] as unknown as ReadonlyArray<Event>

const idOf = (n: number): RunId => RunId.make(`run-${String(n).padStart(8, "0")}`)

/** An index of so many runs: what it costs to build it, and to ask it. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const size = Number(settings.size)
  const logs = ManagedRuntime.make(JsonlEventLog.layer({ directory: path.join(directory, "log") }))
  const log = await logs.runPromise(EventLog)
  await logs.runPromise(
    Effect.forEach(
      Array.from({ length: size }, (_, n) => n),
      (n) => log.append(idOf(n), history),
      { concurrency: 256, discard: true }
    )
  )
  const filename = path.join(directory, "index.sqlite")
  const start = async () => {
    const indexes = ManagedRuntime.make(
      Layer.provide(SqliteIndex.layer({ filename }), Layer.succeed(EventLog, log))
    )
    const query = await indexes.runPromise(QueryService)
    await indexes.runPromise(query.sync)
    return { indexes, query }
  }
  let { indexes, query } = await start()

  const rebuild = async () => {
    await indexes.dispose()
    for (const suffix of ["", "-wal", "-shm"]) fs.rmSync(`${filename}${suffix}`, { force: true })
    const outcome = await timed(size, async () => {
      const started = await start()
      indexes = started.indexes
      query = started.query
    })
    const { runs } = await indexes.runPromise(query.totals)
    verify("runs in the index", runs.Completed, size)
    return outcome
  }

  const ask = async (times: number) => {
    let cursor = ""
    // The page in the middle of all runs, by the cursor that comes before it.
    for (let seen = 0, at: string | undefined; seen < Math.min(size, 50_000) / 2; seen += 1000) {
      const page = await indexes.runPromise(
        query.listRuns({}, { limit: Math.min(1000, size / 2), ...(at === undefined ? {} : { cursor: at }) })
      )
      at = page.next
      cursor = page.next ?? cursor
    }
    const pages = [
      query.listRuns(),
      query.listRuns({}, { cursor }),
      query.listRuns({ status: "Completed", owner: "bench" }),
      query.listRuns({ tag: "measured" }),
      query.listRuns({ workflow: "chain-1" }, { cursor })
    ]
    return timed(times * (pages.length + 1), async () => {
      for (let n = 0; n < times; n++) {
        for (const page of pages) verify("runs on a page", (await indexes.runPromise(page)).items.length, 50)
        const runId = idOf((n * 7919) % size)
        verify("run", (await indexes.runPromise(query.getRun(runId))).runId, runId)
      }
    })
  }

  return {
    run: ({ times, what }) => (what === "build" ? rebuild() : ask(Number(times))),
    close: async () => {
      await indexes.dispose()
      await logs.dispose()
    }
  }
}
