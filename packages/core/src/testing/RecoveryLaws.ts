import * as Effect from "effect/Effect"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import type { Entry, Event } from "../Event.js"
import { EventLog } from "../EventLog.js"
import { generateRunId, StepId } from "../Ids.js"
import { catchAll, fork } from "../internal/compat.js"
import * as Run from "../Run.js"
import * as Usage from "../Usage.js"
import * as Workflow from "../Workflow.js"
import { WorkspaceService } from "../WorkspaceService.js"
import { collect, items, law, type Plane, tags, wellFormed } from "./ControlPlaneLaws.js"
import type { GatedAgent } from "./GatedAgent.js"
import * as Host from "./Host.js"
import { equal, eventually, fails, holds, type Law } from "./Law.js"

const cancel: ControlCommand = { _tag: "Cancel" }
const interrupt: ControlCommand = { _tag: "Pause", mode: "interrupt" }

/** A diamond with a list, a condition that skips a step, and a step that fails without failing the run. */
const varied = Workflow.make("varied").pipe(
  Workflow.step("first", { skill: "work", input: [1, 2, 3] }),
  Workflow.step("each", {
    skill: "work",
    after: ["first"],
    forEach: "{{ steps.first.output }}",
    concurrency: 2
  }),
  Workflow.step("skipped", { skill: "work", after: ["first"], when: "size(steps.first.output) > 9" }),
  Workflow.step("failed", { skill: "missing", after: ["first"], onFailure: "continue" }),
  Workflow.step("last", {
    skill: "work",
    after: ["each", "skipped", "failed"],
    join: "allSettled",
    input: { each: "{{ steps.each.output }}", failed: "{{ steps.failed.status }}" }
  })
)

const becomes = (run: RunHandle, status: Run.RunStatus) =>
  Effect.gen(function* () {
    while ((yield* run.status) !== status) {
      yield* holds(`the run becomes ${status}`, !Run.isTerminal(yield* run.status), yield* run.status)
      yield* Effect.yieldNow()
    }
  })

/** No item that is recorded as completed starts again. */
const nothingRepeated = (entries: ReadonlyArray<Entry>) => {
  const completed = new Set<string>()
  return Effect.forEach(
    entries,
    ({ event }) => {
      const key = "index" in event ? `${event.stepId}/${event.index}` : ""
      if (event._tag === "ItemCompleted") completed.add(key)
      return holds(
        `${key} is not repeated`,
        !(event._tag === "ItemStarted" && completed.has(key)),
        tags(entries)
      )
    },
    { discard: true }
  )
}

/** Recovers on a new host and waits for the end of the one run that was left. */
const recovered = (work: GatedAgent, status: Run.RunStatus) =>
  Effect.gen(function* () {
    const host = yield* Host.start()
    const [run, ...others] = yield* host.plane.recover
    if (run === undefined) return yield* holds("a run is recovered", false)
    yield* equal("and no other", others.length, 0)
    yield* work.open
    const result = yield* run.result
    yield* equal("how it ends", result.status, status)
    const entries = yield* collect(run.events)
    yield* wellFormed(entries)
    yield* nothingRepeated(entries)
    yield* equal("nothing is left to recover", yield* host.plane.recover, [])
    yield* host.stop
  })

const activeWorkspaces = Effect.flatMap(WorkspaceService, (service) =>
  Effect.map(service.listActive, (all) => all.map(({ runId }) => runId))
)

/** What every control plane promises about runs whose host stopped, in order or not. */
export const RecoveryLaws: ReadonlyArray<Law<Plane>> = [
  law("continues a run whose host stopped in the middle, without repeating what is done", ({ work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: items(6), concurrency: 2 })
      const events = yield* fork(collect(run.events))
      yield* work.reached(2)
      yield* work.release()
      yield* eventually("the next one starts", () => work.calls.length === 3)
      yield* host.stop
      yield* equal("nothing is under way", work.running(), 0)
      const result = yield* run.result
      yield* equal("it says that it was interrupted", result.status, "Interrupted")
      yield* equal("and so do its events, as their last", tags(yield* events).at(-1), "RunInterrupted")
      yield* equal("the workspace is not active", yield* activeWorkspaces, [])
      const late = yield* fails("a command has to wait", "IllegalCommand", run.control(cancel))
      yield* holds("it says what to do", late.reason.includes("recover"), late.reason)
      yield* recovered(work, "Completed")
      const done = work.calls.filter(({ state }) => state === "done").map(({ task }) => task.index)
      yield* equal("each item was done once", [...done].sort(), [0, 1, 2, 3, 4, 5])
    })
  ),

  law("continues a run that was waiting for a slot", ({ work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start({ maxConcurrentRuns: 1 })
      const first = yield* host.plane.registerRun({ workflow: items(1) })
      yield* work.reached(1)
      yield* host.plane.registerRun({ workflow: items(2) })
      yield* work.open
      yield* first.result
      yield* host.stop
      // It may have begun when its slot became free; either way it is continued.
      const next = yield* Host.start()
      const [run] = yield* next.plane.recover
      if (run !== undefined) {
        yield* equal("it completes", (yield* run.result).status, "Completed")
        yield* wellFormed(yield* collect(run.events))
      }
      yield* next.stop
    })
  ),

  law("keeps a paused run paused, and resumes it on another host", ({ work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const { runId, ...run } = yield* host.plane.registerRun({ workflow: items(3), concurrency: 1 })
      yield* work.reached(1)
      yield* run.control(interrupt)
      yield* becomes({ runId, ...run }, "Paused")
      yield* host.stop
      const next = yield* Host.start()
      const [again] = yield* next.plane.recover
      if (again === undefined) return yield* holds("it is recovered", false)
      yield* becomes(again, "Paused")
      yield* equal("nothing started", work.calls.length, 1)
      yield* again.control({ _tag: "Resume" })
      yield* work.open
      yield* equal("it completes", (yield* again.result).outputs, { each: [0, 1, 2] })
      yield* wellFormed(yield* collect(again.events))
      yield* next.stop
    })
  ),

  law("cancels a recovered run in every state, and settles its workspace", ({ work }) =>
    Effect.gen(function* () {
      for (const paused of [true, false]) {
        const host = yield* Host.start()
        const run = yield* host.plane.registerRun({ workflow: items(3), concurrency: 1 })
        yield* work.reached(1)
        const service = yield* WorkspaceService
        const workspace = yield* service.get(run.runId)
        yield* workspace.write("temp", "t", "1")
        if (paused) {
          yield* run.control(interrupt)
          yield* becomes(run, "Paused")
        }
        yield* host.stop
        const next = yield* Host.start({ maxConcurrentRuns: 0 })
        const [again] = yield* next.plane.recover
        if (again === undefined) return yield* holds("it is recovered", false)
        yield* again.control(cancel)
        yield* equal("it is cancelled", (yield* again.result).status, "Cancelled")
        const entries = yield* collect(again.events)
        yield* wellFormed(entries)
        yield* holds("the workspace is released", tags(entries).includes("WorkspaceReleased"), tags(entries))
        const kept = yield* service.get(run.runId)
        yield* equal("what is temporary is removed", yield* kept.list("temp"), [])
        yield* next.stop
      }
    })
  ),

  law("recovers from a crash after any entry of a run", ({ work }) =>
    Effect.gen(function* () {
      yield* work.open
      const log = yield* EventLog
      const model = yield* Host.start()
      const original = yield* model.plane.registerRun({ workflow: varied })
      const expected = yield* original.result
      yield* equal("the model completes", expected.status, "Completed")
      const history = (yield* collect(original.events)).map(({ event }) => event)
      yield* model.stop
      for (let length = 1; length < history.length; length++) {
        yield* log.append(yield* generateRunId, history.slice(0, length))
      }
      const host = yield* Host.start()
      const runs = yield* host.plane.recover
      yield* equal("all are recovered", runs.length, history.length - 1)
      yield* equal("once", yield* host.plane.recover, [])
      for (const run of runs) {
        const result = yield* run.result
        yield* equal("it ends alike", [result.status, result.outputs], [expected.status, expected.outputs])
        const entries = yield* collect(run.events)
        yield* wellFormed(entries)
        yield* nothingRepeated(entries)
      }
      yield* host.stop
    })
  ),

  law("ends a cancelled and a failed run after a crash after any entry", ({ work }) =>
    Effect.gen(function* () {
      const log = yield* EventLog
      const model = yield* Host.start()
      const cancelled = yield* model.plane.registerRun({ workflow: items(3), concurrency: 2 })
      yield* work.reached(2)
      yield* cancelled.control(cancel)
      yield* cancelled.result
      yield* work.open
      const workflow = Workflow.make("fails").pipe(
        Workflow.step("bad", { skill: "missing" }),
        Workflow.step("next", { skill: "work", after: ["bad"] })
      )
      const failed = yield* model.plane.registerRun({ workflow })
      yield* failed.result
      const histories: Array<ReadonlyArray<Event>> = []
      for (const run of [cancelled, failed]) {
        const history = (yield* collect(run.events)).map(({ event }) => event)
        const from = history.findIndex(({ _tag }) => _tag === "CancelRequested" || _tag === "StepFailed")
        for (let end = from + 1; end < history.length; end++) histories.push(history.slice(0, end))
      }
      yield* model.stop
      for (const history of histories) yield* log.append(yield* generateRunId, history)
      const host = yield* Host.start()
      const runs = yield* host.plane.recover
      yield* equal("all are recovered", runs.length, histories.length)
      const calls = work.calls.length
      for (const run of runs) {
        const { status } = yield* run.result
        const entries = yield* collect(run.events)
        const wanted = tags(entries).includes("CancelRequested") ? "Cancelled" : "Failed"
        yield* equal("it ends as it was to", status, wanted)
        yield* wellFormed(entries)
      }
      yield* equal("nothing was done any more", work.calls.length, calls)
      yield* host.stop
    })
  ),

  law("survives being stopped again and again", ({ work }) =>
    Effect.gen(function* () {
      const first = yield* Host.start()
      const { runId } = yield* first.plane.registerRun({ workflow: items(40), concurrency: 3 })
      yield* work.reached(3)
      yield* first.stop
      for (let turn = 0; turn < 30; turn++) {
        const host = yield* Host.start()
        const runs = yield* host.plane.recover
        yield* equal("the run is recovered", runs.length, 1)
        for (let i = 0; i < turn * 7; i++) yield* Effect.yieldNow()
        yield* work.release(turn % 3)
        yield* host.stop
        yield* equal("nothing is under way", work.running(), 0)
      }
      yield* recovered(work, "Completed")
      const done = work.calls.filter(({ state }) => state === "done").map(({ task }) => task.index)
      yield* equal("what had ended was recorded, and not done again", done.length, new Set(done).size)
      const log = yield* EventLog
      const run = Run.fold(yield* collect(log.read({ runs: [runId] })))
      yield* equal("it was stopped as often", run?.interruptions, 31)
    })
  ),

  law("answers commands by id after a restart, and knows runs by id", ({ work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const request = { workflow: items(3), id: "again", concurrency: 1 }
      const run = yield* host.plane.registerRun(request)
      yield* work.reached(1)
      yield* run.control({ _tag: "SetConcurrency", limit: 2 }, "twice")
      yield* host.stop
      const next = yield* Host.start()
      yield* next.plane.recover
      yield* next.plane.sendCommand("again", { _tag: "SetConcurrency", limit: 2 }, "twice")
      const other = next.plane.sendCommand("again", { _tag: "SetConcurrency", limit: 3 }, "twice")
      yield* fails("other content", "CommandConflict", other)
      const again = yield* next.plane.registerRun(request)
      yield* work.open
      yield* equal("the same run", (yield* again.result).status, "Completed")
      const entries = yield* collect(again.events)
      yield* wellFormed(entries)
      yield* equal(
        "the command is there once",
        tags(entries).filter((tag) => tag === "ConcurrencySet").length,
        1
      )
      yield* fails("other content", "RunExists", next.plane.registerRun({ ...request, workflow: items(1) }))
      yield* next.stop
    })
  ),

  law("answers whoever deals with a run whose host stops at any moment", ({ work }) =>
    Effect.gen(function* () {
      for (let delay = 0; delay < 60; delay++) {
        const host = yield* Host.start({ maxConcurrentRuns: 2 })
        const runs = yield* Effect.forEach([1, 2, 3], () => host.plane.registerRun({ workflow: items(2) }))
        const waiting = yield* Effect.forEach(runs, (run) =>
          fork(
            Effect.all(
              [
                run.result,
                collect(run.events),
                catchAll(run.control(interrupt), () => Effect.void),
                catchAll(run.control(cancel), () => Effect.void)
              ],
              { concurrency: "unbounded" }
            )
          )
        )
        for (let i = 0; i < delay; i++) yield* Effect.yieldNow()
        yield* host.stop
        for (const fiber of waiting) {
          const [result, entries] = yield* fiber
          const last = Run.isTerminal(result.status) ? `Run${result.status}` : "RunInterrupted"
          yield* equal("events end with what the result says", tags(entries).at(-1), last)
        }
        yield* equal("nothing is under way", work.running(), 0)
      }
      const host = yield* Host.start()
      yield* work.open
      for (const run of yield* host.plane.recover) {
        yield* run.control({ _tag: "Resume" }).pipe(catchAll(() => Effect.void))
        const { status } = yield* run.result
        yield* holds("every run ends in the end", Run.isTerminal(status), status)
        yield* wellFormed(yield* collect(run.events))
      }
      yield* host.stop
    })
  ),

  law("recovers nothing that this host has under way", ({ plane, work }) =>
    Effect.gen(function* () {
      const runs = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        fork(Effect.flatMap(plane.registerRun({ workflow: items(1) }), (run) => Effect.as(run.result, run)))
      )
      yield* work.open
      for (let i = 0; i < 50; i++) {
        yield* equal("there is nothing to recover", yield* plane.recover, [])
        yield* Effect.yieldNow()
      }
      for (const fiber of runs) yield* wellFormed(yield* collect((yield* fiber).events))
      yield* equal("each was done once", work.calls.length, 20)
    })
  ),

  law("fails a step of which an item had failed for good when its host was gone", ({ log, work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: items(2) })
      yield* work.reached(2)
      yield* host.stop
      const metrics = { durationMillis: 1, usage: Usage.zero, retries: 0 }
      const error = { kind: "Failed", message: "for good" }
      const stepId = StepId.make("each")
      yield* log.append(run.runId, [
        { _tag: "RunRecovered" },
        { _tag: "ItemFailed", stepId, item: "0", index: 0, attempt: 1, error, metrics }
      ])
      const next = yield* Host.start()
      const [again] = yield* next.plane.recover
      const { failure, status } = yield* (again ?? run).result
      yield* equal("it fails", [status, failure?.message], ["Failed", "for good"])
      yield* equal("nothing was done for that", work.calls.length, 2)
      yield* next.stop
    })
  )
]
