import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { Entry, Event } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import { AgentId, type RunId, type Seq, StepId } from "@switchyard/core/Ids"
import * as Query from "@switchyard/core/QueryService"
import * as Workflow from "@switchyard/core/Workflow"
import * as SqliteIndex from "@switchyard/node/SqliteIndex"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const perRun = 10
const stepId = StepId.make("only")
const agentId = AgentId.make("agent")
const usage = { inputTokens: 120, outputTokens: 40, cachedTokens: 0, costMicroUsd: 315 }
const item = { stepId, item: "only", index: 0 }
const steps = [Workflow.stepDefinition("only", { skill: "work" })]
const summary = { totalItems: 1, succeeded: 1, failed: 0, retries: 0, usage, durationMillis: 41 }
const ofRun = {
  steps: { succeeded: 1, failed: 0, skipped: 0, cancelled: 0 },
  items: { succeeded: 1, failed: 0 },
  usage,
  durationMillis: 50
}

const eventOf = (run: number, place: number): Event => {
  switch (place) {
    case 0:
      return {
        _tag: "RunRegistered",
        workflow: { name: `workflow-${run % 5}`, onStepFailure: "drain", steps },
        params: { run },
        owner: `owner-${run % 20}`,
        tags: ["all", ...(run % 1000 === 7 ? ["rare"] : [])]
      }
    case 1:
      return { _tag: "RunStarted" }
    case 2:
      return { _tag: "WorkspaceCreated", path: `/data/workspaces/run-${run}` }
    case 3:
      return { _tag: "StepStarted", stepId, stepType: "work", totalItems: 1 }
    case 4:
      return { _tag: "ItemStarted", ...item, total: 1, attempt: 1, agentId }
    case 5:
      return { _tag: "ItemProgress", ...item, progress: 0.5, usage }
    case 6: {
      const metrics = { durationMillis: 40, usage, retries: 0 }
      return { _tag: "ItemCompleted", ...item, attempt: 1, agentId, result: `the answer to ${run}`, metrics }
    }
    case 7:
      return { _tag: "StepCompleted", stepId, summary }
    case 8:
      return { _tag: "WorkspaceReleased", path: `/data/workspaces/run-${run}`, kept: true }
    default:
      return run % 10 === 3
        ? { _tag: "RunFailed", failure: { kind: "Failed", message: "it did not work" }, summary: ofRun }
        : { _tag: "RunCompleted", summary: ofRun }
  }
}

/** The entry at a position of a log in which sixteen runs are under way at a time. */
const entryAt = (seq: number): Entry => {
  const lanes = 16
  const block = Math.floor((seq - 1) / (lanes * perRun))
  const within = (seq - 1) % (lanes * perRun)
  const run = block * lanes + (within % lanes)
  const place = Math.floor(within / lanes)
  return {
    seq: seq as Seq,
    time: 1_700_000_000_000 + run * 20 + place,
    runId: `run-${String(run).padStart(8, "0")}` as RunId,
    runSeq: place + 1,
    event: eventOf(run, place)
  }
}

/** A log that has that many entries without any of them being kept. */
const logOf = (length: number) =>
  Layer.sync(EventLog.EventLog, () =>
    EventLog.make({
      bell: EventLog.makeBell(),
      head: () => length as Seq,
      unfinished: () => [],
      enqueue: () => Effect.dieMessage("this log takes nothing"),
      readAfter: (after, runs) =>
        Effect.sync(() => {
          const entries = Array.from({ length: Math.min(1024, length - after) }, (_, n) =>
            entryAt(after + n + 1)
          )
          return { entries: EventLog.ofRuns(entries, runs), through: entries.at(-1)?.seq ?? after }
        })
    })
  )

const opened = <A, E>(filename: string, length: number, use: (query: Query.Service) => Effect.Effect<A, E>) =>
  Effect.provide(
    Effect.flatMap(Query.QueryService, use),
    Layer.provide(SqliteIndex.layer({ filename }), logOf(length))
  )

const cpuMillis = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

const pages: Record<string, Query.RunFilter> = {
  "every run": {},
  "one status": { status: "Failed" },
  "one workflow": { workflow: "workflow-3" },
  "one owner and status": { owner: "owner-7", status: "Completed" },
  "a rare tag and a common status": { tag: "rare", status: "Completed" },
  "a common tag, owner, workflow and status": {
    tag: "all",
    owner: "owner-3",
    workflow: "workflow-3",
    status: "Completed"
  },
  "common ones that have nothing in common": { tag: "all", owner: "owner-4", workflow: "workflow-3" }
}

/** The CPU time of many pages, in milliseconds, from places all over the list: what else the machine does is not counted. */
const timesOf = (query: Query.Service, filter: Query.RunFilter, length: number) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    for (let n = 1; n <= 500; n++) {
      const before = cpuMillis()
      yield* query.listRuns(filter, n % 2 === 0 ? {} : { cursor: String(Math.floor((length * n) / 500)) })
      times.push(cpuMillis() - before)
    }
    return times.sort((a, b) => a - b)
  })

const scale = (filename: string, runs: number) =>
  Effect.gen(function* () {
    const length = runs * perRun
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const [before, cpu] = [performance.now(), cpuMillis()]
    delay.enable()
    yield* opened(filename, length, (query) => query.sync)
    delay.disable()
    const [took, spent] = [performance.now() - before, cpuMillis() - cpu]
    const reopening = performance.now()
    const page = yield* opened(filename, length, (query) =>
      Effect.gen(function* () {
        yield* query.getRun("run-00000001")
        const open = performance.now() - reopening
        const times: Record<string, ReadonlyArray<number>> = {}
        for (const [name, filter] of Object.entries(pages))
          times[name] = yield* timesOf(query, filter, length)
        return { open, times }
      })
    )
    console.log(
      `${runs} runs, ${length} events: projected in ${(took / 1000).toFixed(1)} s, ${Math.round((length / took) * 1000)} events/s, ` +
        `${((spent * 1000) / length).toFixed(1)} µs of CPU an event; event loop held up p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, ` +
        `at most ${(delay.max / 1e6).toFixed(1)} ms; ${(fs.statSync(filename).size / 1e6).toFixed(0)} MB; ` +
        `opened again in ${page.open.toFixed(1)} ms`
    )
    const at = (times: ReadonlyArray<number>, part: number) =>
      times[Math.floor(times.length * part)] ?? Number.NaN
    console.table(
      Object.fromEntries(
        Object.entries(page.times).map(([name, times]) => [
          name,
          { "p50 ms": Number(at(times, 0.5).toFixed(3)), "p99 ms": Number(at(times, 0.99).toFixed(3)) }
        ])
      )
    )
  })

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-index-"))
const sizes = process.argv.slice(2).map(Number)
for (const runs of sizes.length === 0 ? [1_000, 10_000, 100_000] : sizes) {
  await Effect.runPromise(scale(path.join(directory, `${runs}.sqlite`), runs))
}
fs.rmSync(directory, { recursive: true, force: true })
