import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { ControlCommand } from "../Command.js"
import { EventLog, LogWriteFailed } from "../EventLog.js"
import { generateRunId } from "../Ids.js"
import * as Run from "../Run.js"
import { stepDefinition } from "../Workflow.js"
import { WorkspaceService } from "../WorkspaceService.js"
import { type Bench, collect, items, law, type Plane, tags, wellFormed } from "./ControlPlaneLaws.js"
import { becomes, crash, left, made, only, parked } from "./CrashedHost.js"
import * as Host from "./Host.js"
import { equal, fails, holds, type Law } from "./Law.js"

const pause: ControlCommand = { _tag: "Pause", mode: "interrupt" }
const resume: ControlCommand = { _tag: "Resume" }
const cancel: ControlCommand = { _tag: "Cancel", reason: "enough" }

/** What every control plane promises about runs that stand interrupted, and about those that crash their hosts. */
export const InterruptionLaws: ReadonlyArray<Law<Plane>> = [
  law("parks a run whose host crashes three times while it runs, and says why", (bench) =>
    Effect.gen(function* () {
      const { log } = bench
      const { host, id } = yield* parked(bench, 3)
      const run = yield* host.plane.get(id)
      const { interruption, status } = yield* run.result
      yield* equal("it stands interrupted", [status, yield* run.status], ["Interrupted", "Interrupted"])
      yield* holds("the reason is told", interruption?.includes("crashed 3 times") ?? false, interruption)
      const entries = yield* collect(host.plane.subscribe(id))
      yield* equal("its entries end with that", entries.at(-1)?.event, {
        _tag: "RunInterrupted",
        reason: interruption,
        crash: true
      })
      const head = yield* log.head
      const refused = yield* fails("a pause", "IllegalCommand", run.control(pause))
      yield* holds("it says what helps", /Resume.*Cancel/.test(refused.reason), refused.reason)
      yield* host.stop
      const next = yield* Host.start()
      yield* equal("it stays parked", yield* next.plane.recover, [])
      yield* equal("nothing was recorded", yield* log.head, head)
      yield* next.stop
    })
  ),

  law("goes on with a parked run when it is resumed, with as many crashes as at first", (bench) =>
    Effect.gen(function* () {
      const { log, work } = bench
      const { host, id } = yield* parked(bench, 3)
      const run = yield* host.plane.get(id)
      yield* run.control(resume, "again")
      yield* work.reached(1)
      yield* equal("it is under way", yield* run.status, "Running")
      yield* host.plane.sendCommand(id, resume, "again")
      yield* fails("other content", "CommandConflict", run.control(cancel, "again"))
      const copy = yield* crash(log, host, run)
      const next = yield* Host.start()
      const again = yield* only(next, copy)
      yield* again.control(resume, "again")
      yield* work.open
      yield* equal("it completes", (yield* again.result).outputs, { each: [0, 1] })
      const entries = yield* collect(again.events)
      yield* wellFormed(entries)
      yield* equal("resumed once", tags(entries).filter((tag) => tag === "ResumeRequested").length, 1)
      yield* next.stop
    })
  ),

  law("ends a parked run when it is cancelled, with its workspace", (bench) =>
    Effect.gen(function* () {
      const { host, id } = yield* parked(bench, 3)
      const workspaces = yield* WorkspaceService
      yield* made(id)
      yield* host.plane.sendCommand(id, cancel, "end")
      const run = yield* host.plane.get(id)
      yield* equal("it is cancelled", (yield* run.result).status, "Cancelled")
      const entries = yield* collect(run.events)
      yield* wellFormed(entries)
      yield* holds("its workspace is released", tags(entries).includes("WorkspaceReleased"), tags(entries))
      yield* equal("and not active", yield* workspaces.listActive, [])
      const kept = yield* workspaces.get(id)
      yield* equal("what is temporary is removed", yield* kept.list("temp"), [])
      yield* host.plane.sendCommand(id, cancel, "end")
      yield* equal("nothing is under way", bench.work.running(), 0)
      yield* host.stop
    })
  ),

  law("parks as early and as late as it is told", (bench) =>
    Effect.gen(function* () {
      for (const times of [1, 5]) {
        const { host, id } = yield* parked(bench, times, { maxRecoveryAttempts: times })
        yield* host.stop
        const patient = yield* Host.start({ maxRecoveryAttempts: times + 1 })
        const run = yield* only(patient, id)
        yield* run.control(cancel)
        yield* run.result
        yield* patient.stop
      }
    })
  ),

  law("counts no crash that a run had no part in, and none before progress", ({ log, work }) =>
    Effect.gen(function* () {
      for (const how of ["queued", "paused", "progress"]) {
        const options = how === "queued" ? { maxConcurrentRuns: 0 } : {}
        let host = yield* Host.start(options)
        let run = yield* host.plane.registerRun({ workflow: items(8), concurrency: 1 })
        for (let turn = 0; turn < 6; turn++) {
          if (how !== "queued" && (turn === 0 || how === "progress")) yield* work.reached(1)
          if (how === "progress") {
            yield* work.release()
            yield* run.events.pipe(
              Stream.filter(({ event }) => event._tag === "ItemCompleted" && event.index === turn),
              Stream.runHead
            )
          }
          if (how === "paused" && turn === 0) yield* run.control(pause)
          if (how === "paused") yield* becomes(run, "Paused")
          const id = yield* crash(log, host, run)
          host = yield* Host.start(options)
          run = yield* only(host, id)
        }
        yield* run.control(cancel)
        yield* run.result
        yield* host.stop
      }
    })
  ),

  law("takes Resume and Cancel for whatever an earlier host left, where nothing was recovered", (bench) =>
    Effect.gen(function* () {
      for (const command of [cancel, resume]) {
        const runs = yield* left(bench)
        const host = yield* Host.start({ maxConcurrentRuns: 10 })
        const expected = command === cancel ? "Cancelled" : "Completed"
        if (command === resume) yield* bench.work.open
        for (const [status, id] of Object.entries(runs)) {
          const run = yield* host.plane.get(id)
          yield* equal("where it stands", yield* run.status, status)
          yield* fails("nothing else", "IllegalCommand", run.control(pause))
          if (status === "Cancelling" && command === resume) {
            const refused = yield* fails("it is to end", "IllegalCommand", run.control(command))
            yield* holds("it says what helps", refused.reason.includes("send Cancel"), refused.reason)
            continue
          }
          yield* run.control(command, "wake")
          yield* run.control(command, "wake")
          yield* equal(`${status} ends`, (yield* run.result).status, expected)
          const entries = yield* collect(run.events)
          yield* wellFormed(entries)
          const sent = entries.filter(({ event }) => "commandId" in event && event.commandId === "wake")
          yield* equal("recorded once", sent.length, 1)
        }
        yield* host.plane.sendCommand(runs.Cancelling, cancel, "c")
        const ended = yield* host.plane.get(runs.Cancelling)
        yield* equal("a cancel that was accepted is done", (yield* ended.result).status, "Cancelled")
        yield* host.stop
      }
    })
  ),

  law("goes on when a command is sent again that was recorded just before a crash", (bench) =>
    Effect.gen(function* () {
      const { log, work } = bench
      const { host, id } = yield* parked(bench, 3)
      yield* host.stop
      yield* log.append(id, [{ _tag: "ResumeRequested", commandId: "again" as never }])
      const next = yield* Host.start()
      yield* work.open
      yield* next.plane.sendCommand(id, resume, "again")
      const run = yield* next.plane.get(id)
      yield* equal("it completes", (yield* run.result).status, "Completed")
      yield* wellFormed(yield* collect(run.events))
      yield* next.stop
      const last = yield* Host.start()
      yield* last.plane.recover
      yield* last.plane.sendCommand(id, resume, "again")
      yield* fails("other content", "CommandConflict", last.plane.sendCommand(id, cancel, "again"))
      yield* fails("a new one", "IllegalCommand", last.plane.sendCommand(id, resume, "new"))
      const done = yield* last.plane.get(id)
      yield* equal("it stays as it ended", (yield* done.result).status, "Completed")
      yield* last.stop
    })
  ),

  law(
    "goes on with a run that was about to pause when its host crashed, however soon it is resumed",
    (bench) =>
      Effect.gen(function* () {
        const { log, work } = bench
        const host = yield* Host.start()
        const run = yield* host.plane.registerRun({ workflow: items(2), concurrency: 1 })
        yield* work.reached(1)
        const id = yield* crash(log, host, run)
        yield* log.append(id, [{ _tag: "PauseRequested", commandId: "pause" as never, mode: "drain" }])
        const next = yield* Host.start()
        const again = yield* only(next, id)
        yield* again.control(resume)
        yield* work.open
        yield* equal("it completes", (yield* again.result).status, "Completed")
        yield* wellFormed(yield* collect(again.events))
        yield* next.stop
      })
  ),

  law("counts the first crash of a run, too, from the moment that its first item starts", ({ log, work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: items(2), concurrency: 1 })
      yield* work.reached(1)
      const entries = yield* collect(log.read({ runs: [run.runId] }))
      yield* holds(
        "that it started is durable",
        entries.some(({ event }) => event._tag === "RunStarted"),
        entries
      )
      yield* host.stop
    })
  ),

  law("ends a parked run whose cancel was recorded just before a crash", (bench) =>
    Effect.gen(function* () {
      const { host, id } = yield* parked(bench, 3)
      yield* host.stop
      yield* bench.log.append(id, [{ _tag: "CancelRequested", commandId: "end" as never }])
      const next = yield* Host.start()
      const run = yield* only(next, id)
      yield* equal("it is cancelled", (yield* run.result).status, "Cancelled")
      yield* wellFormed(yield* collect(run.events))
      yield* next.stop
    })
  ),

  law("settles the workspace that was made just before a crash, though the log does not say so", (bench) =>
    Effect.gen(function* () {
      const { log, plane } = bench
      const { definition } = items(1)
      const id = yield* generateRunId
      const workflow = JSON.parse(JSON.stringify(definition))
      yield* log.append(id, [
        { _tag: "RunRegistered", workflow, params: {}, tags: [] },
        { _tag: "RunStarted" }
      ])
      yield* made(id)
      const host = yield* Host.start()
      yield* host.plane.sendCommand(id, cancel)
      const run = yield* host.plane.get(id)
      const { status, workspace } = yield* run.result
      const workspaces = yield* WorkspaceService
      const kept = yield* workspaces.get(id)
      yield* equal("it is told of", [status, workspace], ["Cancelled", kept.root])
      yield* equal("what is temporary is removed", yield* kept.list("temp"), [])
      const entries = yield* collect(plane.subscribe(id))
      yield* wellFormed(entries)
      yield* holds("the workspace is released", tags(entries).includes("WorkspaceReleased"), tags(entries))
      yield* host.stop
    })
  ),

  law("ends, but does not continue, a run whose workflow is not valid any more", ({ log }) =>
    Effect.gen(function* () {
      const id = yield* generateRunId
      const broken = stepDefinition("a", { skill: "work", after: ["nowhere"] })
      const workflow = { name: "old", steps: [broken] }
      yield* log.append(id, [
        { _tag: "RunRegistered", workflow, params: {}, tags: [] },
        { _tag: "RunStarted" }
      ])
      const host = yield* Host.start()
      yield* equal("it is not recovered", yield* host.plane.recover, [])
      const refused = host.plane.sendCommand(id, resume)
      const { reason } = yield* fails("nor resumed", "IllegalCommand", refused)
      yield* holds("it says why", reason.includes("nowhere"), reason)
      yield* host.plane.sendCommand(id, cancel)
      const run = yield* host.plane.get(id)
      yield* equal("it is cancelled", (yield* run.result).status, "Cancelled")
      yield* wellFormed(yield* collect(run.events))
      yield* host.stop
    })
  ),

  law("starts nothing of an interrupted run before it is durable that it goes on", (bench) =>
    Effect.gen(function* () {
      const { log, work } = bench
      const { host, id } = yield* parked(bench, 1, { maxRecoveryAttempts: 1 })
      yield* host.stop
      const waiting: Array<() => void> = []
      const slow: Bench["log"] = {
        ...log,
        enqueue: (runId, events, settled) =>
          log.enqueue(runId, events, (exit) => {
            // What comes later never becomes durable earlier.
            if (waiting.length > 0 || events.some(({ _tag }) => _tag === "RunResumed"))
              waiting.push(() => settled(exit))
            else settled(exit)
          })
      }
      const next = yield* Effect.provideService(Host.start(), EventLog, slow)
      const calls = work.calls.length
      const run = yield* only(next, id)
      yield* becomes(run, "Running")
      const workspaces = yield* WorkspaceService
      while ((yield* workspaces.listActive).length === 0 || waiting.length === 0) yield* Effect.yieldNow()
      for (let i = 0; i < 100; i++) yield* Effect.yieldNow()
      yield* equal("nothing has started", work.calls.length, calls)
      for (const settle of waiting.splice(0)) settle()
      yield* work.reached(1)
      yield* work.open
      yield* equal("it completes", (yield* run.result).status, "Completed")
      yield* next.stop
    })
  ),

  law("starts nothing where the log cannot be written, and recovers when it can be again", (bench) =>
    Effect.gen(function* () {
      const { log, work } = bench
      const runs = Object.values(yield* left(bench))
      const full = new LogWriteFailed({ path: "log", reason: "no space is left on the disk" })
      let isFull = true
      const limited: Bench["log"] = {
        ...log,
        append: (runId, events) => (isFull ? Effect.fail(full) : log.append(runId, events)),
        enqueue: (runId, events, settled) =>
          isFull ? settled(Exit.fail(full)) : log.enqueue(runId, events, settled)
      }
      const calls = work.calls.length
      const head = yield* log.head
      const host = yield* Effect.provideService(Host.start(), EventLog, limited)
      yield* fails("recovery", "LogWriteFailed", host.plane.recover)
      for (const id of runs) {
        yield* fails("a command", "LogWriteFailed", host.plane.sendCommand(id, cancel, "full"))
      }
      yield* equal("nothing was recorded", yield* log.head, head)
      yield* equal("nothing was started", work.calls.length, calls)
      isFull = false
      yield* work.open
      for (const run of yield* host.plane.recover) {
        yield* run.control(resume).pipe(Effect.ignore)
        const { status } = yield* run.result
        yield* holds("it ends", Run.isTerminal(status), status)
        yield* wellFormed(yield* collect(run.events))
      }
      yield* equal("nothing is left", yield* log.unfinished, [])
      yield* host.stop
    })
  )
]
