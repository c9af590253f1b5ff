import * as Effect from "effect/Effect"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import { catchAll, fork } from "../internal/compat.js"
import * as Run from "../Run.js"
import * as Workflow from "../Workflow.js"
import { WorkspaceService } from "../WorkspaceService.js"
import { collect, items, law, type Plane, tags, wellFormed } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal, eventually, fails, holds, type Law } from "./Law.js"

const pause: ControlCommand = { _tag: "Pause" }
const interrupt: ControlCommand = { _tag: "Pause", mode: "interrupt" }
const resume: ControlCommand = { _tag: "Resume" }
const cancel: ControlCommand = { _tag: "Cancel", reason: "enough" }
const limit = (count: number): ControlCommand => ({ _tag: "SetConcurrency", limit: count })

/** Waits until a run has a status, as its handle sees it. */
const becomes = (run: RunHandle, status: Run.RunStatus) =>
  Effect.gen(function* () {
    let now: Run.RunStatus = yield* run.status
    while (now !== status) {
      yield* holds(`the run becomes ${status}`, !Run.isTerminal(now), now)
      yield* Effect.yieldNow()
      now = yield* run.status
    }
  })

/** No item starts between the entry that says that the run is paused and the one that says that it goes on. */
const quietWhilePaused = (events: ReadonlyArray<string>) => {
  let paused = false
  return Effect.forEach(
    events,
    (tag) => {
      if (tag === "RunPaused") paused = true
      if (tag === "RunResumed" || tag === "RunStarted") paused = false
      return holds("nothing starts while the run is paused", !(paused && tag === "ItemStarted"), events)
    },
    { discard: true }
  )
}

const active = (run: RunHandle) =>
  Effect.flatMap(WorkspaceService, (service) =>
    Effect.map(service.listActive, (all) => all.some(({ runId }) => runId === run.runId))
  )

/** What every control plane promises about commands. */
export const CommandLaws: ReadonlyArray<Law<Plane>> = [
  law("pauses at item boundaries, and goes on with what is left", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(6), concurrency: 2 })
      yield* work.reached(2)
      yield* run.control(pause)
      yield* equal("it runs until what is under way has ended", yield* run.status, "Running")
      yield* work.release(2)
      yield* becomes(run, "Paused")
      yield* equal("what was under way has finished", [work.calls.length, work.running()], [2, 0])
      yield* fails("paused already", "IllegalCommand", run.control(pause))
      yield* run.control(resume)
      yield* work.reached(2)
      yield* work.open
      yield* equal("all is done", (yield* run.result).outputs, { each: [0, 1, 2, 3, 4, 5] })
      yield* equal("each once", work.calls.length, 6)
      const entries = yield* collect(run.events)
      yield* wellFormed(entries)
      yield* quietWhilePaused(tags(entries))
    })
  ),

  law("interrupts what is under way where it is asked to, and repeats the same attempt", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(4), concurrency: 3 })
      yield* work.reached(3)
      yield* run.control(interrupt)
      yield* becomes(run, "Paused")
      yield* equal("nothing is under way", work.running(), 0)
      yield* run.control(resume)
      yield* work.reached(3)
      const keys = work.calls.map(({ task }) => task.idempotencyKey)
      yield* equal("the same attempts", keys.slice(3).sort(), keys.slice(0, 3).sort())
      yield* work.open
      const result = yield* run.result
      yield* equal("all is done", result.outputs, { each: [0, 1, 2, 3] })
      yield* equal("a repetition is no retry", result.steps[0]?.retries, 0)
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law("goes on where it is resumed before the pause has come", ({ plane, work }) =>
    Effect.gen(function* () {
      for (const how of [pause, interrupt]) {
        const run = yield* plane.registerRun({ workflow: items(4), concurrency: 2 })
        yield* work.reached(2)
        yield* run.control(how)
        yield* run.control(resume).pipe(catchAll(() => Effect.void))
        yield* becomes(run, "Running")
        yield* work.reached(2)
        while ((yield* run.status) === "Running") {
          yield* work.release()
          yield* Effect.yieldNow()
        }
        yield* equal("it completes", (yield* run.result).status, "Completed")
        yield* wellFormed(yield* collect(run.events))
      }
    })
  ),

  law("completes a run whose last item ends while it is to pause", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(1) })
      yield* work.reached(1)
      yield* run.control(pause)
      yield* work.release()
      yield* equal("it is completed", (yield* run.result).status, "Completed")
      yield* fails("there is nothing to resume", "IllegalCommand", run.control(resume))
    })
  ),

  law("cancels while running, and nothing is under way afterwards", ({ plane, work }) =>
    Effect.gen(function* () {
      const workflow = items(5).pipe(Workflow.step("next", { skill: "work", after: ["each"] }))
      const run = yield* plane.registerRun({ workflow, concurrency: 3 })
      yield* work.reached(3)
      yield* work.release()
      yield* eventually("one is done", () => work.calls.length === 4)
      yield* run.control(cancel)
      const result = yield* run.result
      yield* equal("it is cancelled", result.status, "Cancelled")
      yield* equal("nothing is under way", work.running(), 0)
      yield* equal("what was done stays", result.steps[0]?.succeeded, 1)
      const [each, next] = result.steps
      yield* equal("each step is settled", [each?.status, next?.status], ["Cancelled", "Skipped"])
      const entries = yield* collect(run.events)
      yield* wellFormed(entries)
      const last = entries.at(-1)?.event
      yield* equal("the reason is kept", last?._tag === "RunCancelled" && last.reason, "enough")
      yield* equal("the workspace is not active", yield* active(run), false)
    })
  ),

  law("cancels while paused", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(2), concurrency: 1 })
      yield* work.reached(1)
      yield* run.control(interrupt)
      yield* becomes(run, "Paused")
      yield* run.control(cancel)
      yield* equal("it is cancelled", (yield* run.result).status, "Cancelled")
      yield* wellFormed(yield* collect(run.events))
      yield* equal("the workspace is not active", yield* active(run), false)
    })
  ),

  law("cancels while queued, before anything was done", ({ work }) =>
    Effect.gen(function* () {
      const { plane, stop } = yield* Host.start({ maxConcurrentRuns: 1 })
      const first = yield* plane.registerRun({ workflow: items(1) })
      yield* work.reached(1)
      const second = yield* plane.registerRun({ workflow: items(1) })
      const third = yield* plane.registerRun({ workflow: items(1) })
      yield* second.control(cancel)
      yield* equal("it is cancelled", (yield* second.result).status, "Cancelled")
      yield* equal("without having started", work.calls.length, 1)
      yield* equal("it has no workspace", (yield* second.result).workspace, undefined)
      yield* wellFormed(yield* collect(second.events))
      yield* work.open
      yield* equal("the first goes on", (yield* first.result).status, "Completed")
      yield* equal("and so does the third", (yield* third.result).status, "Completed")
      yield* stop
    })
  ),

  law("takes a second cancel while the first is under way, and ends once", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(20), concurrency: 10 })
      yield* work.reached(10)
      const sent = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, i) => i),
        (i) => fork(run.control({ _tag: "Cancel", reason: `${i}` })),
        { concurrency: "unbounded" }
      )
      const result = yield* run.result
      yield* equal("it is cancelled", result.status, "Cancelled")
      // Each one is either taken or comes after the end; none is left without an answer.
      for (const fiber of sent)
        yield* catchAll(fiber, (error) => equal("too late", error._tag, "IllegalCommand"))
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law("changes the concurrency up and down while items are under way", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(30), concurrency: 2 })
      yield* work.reached(2)
      yield* run.control(limit(5))
      yield* work.reached(5)
      yield* equal("never more than asked for", work.peak(), 5)
      yield* run.control(limit(1))
      yield* work.release(4)
      for (let i = 0; i < 20; i++) yield* Effect.yieldNow()
      yield* equal("one is left, and none is started", [work.running(), work.calls.length], [1, 5])
      yield* work.release(1)
      yield* work.reached(1)
      yield* equal("one more was started", work.calls.length, 6)
      yield* run.control(limit(3))
      yield* work.reached(3)
      yield* equal("no permit was lost", work.calls.length, 8)
      yield* work.open
      yield* equal("all is done", (yield* run.result).summary.items.succeeded, 30)
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law("answers a command again and does not execute it again", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(3), concurrency: 1 })
      yield* work.reached(1)
      yield* Effect.all(
        Array.from({ length: 20 }, () => run.control(limit(2), "once")),
        {
          concurrency: "unbounded"
        }
      )
      yield* work.reached(2)
      yield* run.control(limit(1), "other")
      yield* run.control(limit(2), "once")
      yield* plane.sendCommand(run.runId, limit(2), "once")
      yield* fails("other content", "CommandConflict", run.control(limit(3), "once"))
      yield* fails("another command", "CommandConflict", run.control(pause, "once"))
      yield* fails("what is no id", "InvalidId", run.control(pause, "../x"))
      yield* work.open
      yield* run.result
      const entries = yield* collect(run.events)
      yield* equal("recorded once", tags(entries).filter((tag) => tag === "ConcurrencySet").length, 2)
      yield* plane.sendCommand(run.runId, limit(2), "once")
      yield* run.control(limit(2), "once")
      const late = plane.sendCommand(run.runId, limit(3), "once")
      yield* fails("other content after the end", "CommandConflict", late)
      yield* equal("nothing was recorded", (yield* collect(run.events)).length, entries.length)
    })
  ),

  law("refuses what does not apply, and changes nothing", ({ log, plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(2), concurrency: 1 })
      yield* work.reached(1)
      const { head } = log
      const refused = (name: string, command: ControlCommand) =>
        Effect.gen(function* () {
          const error = yield* fails(name, "IllegalCommand", run.control(command))
          yield* holds("it says why", error.reason.length > 0 && error.runId === run.runId, error)
        })
      yield* refused("resume while running", resume)
      for (const count of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        yield* refused(`concurrency ${count}`, limit(count))
      }
      yield* refused("no command", { _tag: "Explode" } as never)
      yield* refused("nothing", undefined as never)
      yield* refused("a mode that is none", { _tag: "Pause", mode: "soon" } as never)
      yield* fails("an unknown run", "RunNotFound", plane.sendCommand("unknown", pause))
      yield* equal("it runs", yield* run.status, "Running")
      yield* work.open
      yield* run.result
      const recorded = tags(yield* collect(run.events))
      yield* equal(
        "nothing was recorded",
        recorded.filter((tag) => /Requested|Set/.test(tag)),
        []
      )
      const after = yield* head
      for (const command of [pause, resume, cancel, limit(2)]) {
        yield* refused("after the end", command)
        const late = plane.sendCommand(run.runId, command)
        const error = yield* fails("after the end", "IllegalCommand", late)
        yield* equal("it says where the run stands", error.status, "Completed")
      }
      yield* equal("nothing was recorded", yield* head, after)
    })
  ),

  law("answers every command that races with the end", ({ plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      for (let delay = 0; delay < 40; delay++) {
        const run = yield* plane.registerRun({ workflow: items(2) })
        const sender = yield* fork(
          Effect.forEach([pause, limit(1), cancel, resume], (command) =>
            run.control(command).pipe(
              Effect.as(command._tag),
              catchAll((error) => Effect.as(equal("typed", error._tag, "IllegalCommand"), undefined))
            )
          )
        )
        for (let i = 0; i < delay * 5; i++) yield* Effect.yieldNow()
        const accepted = yield* sender
        // A pause that was accepted last may hold the run.
        yield* catchAll(run.control(resume), () => Effect.void)
        const result = yield* run.result
        if (accepted.includes("Cancel")) yield* equal("accepted is done", result.status, "Cancelled")
        yield* wellFormed(yield* collect(run.events))
        yield* equal("nothing is under way", work.running(), 0)
      }
    })
  ),

  law("executes as many runs at once as it may, first come, first served", ({ work }) =>
    Effect.gen(function* () {
      const { plane, stop } = yield* Host.start({ maxConcurrentRuns: 2 })
      const runs = yield* Effect.forEach(
        Array.from({ length: 6 }, (_, n) => n),
        (n) => plane.registerRun({ workflow: items(1), id: `run-${n}` })
      )
      const begun = () => work.calls.map(({ task }) => task.runId)
      yield* work.reached(2)
      // Which of two that have their slots begins first is up to their workspaces.
      yield* equal("the first two", begun().sort(), ["run-0", "run-1"])
      yield* work.release()
      yield* eventually("the third begins", () => begun().length === 3)
      yield* equal("in order", begun().at(2), "run-2")
      const paused = runs.find(({ runId }) => runId === begun().at(1))
      if (paused === undefined) return
      yield* paused.control(interrupt)
      yield* eventually("a paused run gives its slot back", () => begun().length === 4)
      yield* becomes(paused, "Paused")
      yield* equal("to the next one", begun().at(3), "run-3")
      yield* paused.control(resume)
      yield* equal("it waits again", yield* paused.status, "Queued")
      yield* work.release(2)
      yield* eventually("the last ones begin", () => begun().length === 6)
      yield* equal("it goes to the end of the line", begun().slice(4).sort(), ["run-4", "run-5"])
      yield* equal("two at once", work.peak(), 2)
      yield* work.open
      for (const run of runs) yield* equal("all end", (yield* run.result).status, "Completed")
      yield* stop
    })
  )
]
