import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { AgentError } from "../Agent.js"
import type { ControlCommand } from "../Command.js"
import type { RunResult } from "../RunResult.js"
import * as Workflow from "../Workflow.js"
import { WorkspaceError, WorkspaceService } from "../WorkspaceService.js"
import { asked, ended, gated, statusesOf, trip, underWay, upTo } from "./CompensatedTrip.js"
import { law, type Plane } from "./ControlPlaneLaws.js"
import { becomes, crashed, only } from "./CrashedHost.js"
import * as Host from "./Host.js"
import { equal, holds, type Law } from "./Law.js"

const cancel: ControlCommand = { _tag: "Cancel", reason: "enough" }
const wrong = new AgentError({ kind: "InvalidInput", reason: "no room" })

/** What every control plane promises about undoing what runs did that were stopped, crashed or wait for a slot. */
export const CompensationRecoveryLaws: ReadonlyArray<Law<Plane>> = [
  law("asks for a slot to undo what a paused run did, and for none where there is nothing", () =>
    Effect.gen(function* () {
      const work = yield* gated("worker")
      const other = yield* gated("other")
      const host = yield* Host.start({ maxConcurrentRuns: 1 })
      const workflow = Workflow.make("short").pipe(
        Workflow.step("do", { skill: "worker", input: "x" }),
        Workflow.step("ask", { approval: {}, after: ["do"] }),
        Workflow.step("undo", { skill: "worker", compensates: "do" })
      )
      const run = yield* host.plane.registerRun({ workflow, params: {} })
      yield* underWay(work, "do")
      yield* run.control({ _tag: "Pause", mode: "drain" })
      yield* work.release()
      yield* becomes(run, "Paused")
      const busy = yield* host.plane.registerRun({
        workflow: Workflow.make("busy").pipe(Workflow.step("hold", { skill: "other", input: 1 }))
      })
      yield* other.reached(1)
      const queued = yield* host.plane.registerRun({ workflow, params: {} })
      yield* queued.control(cancel)
      yield* equal("what never began ends at once", statusesOf(yield* ended(queued)).undo, "Skipped")
      yield* run.control(cancel)
      yield* equal("it waits for its slot", yield* run.status, "Cancelling")
      yield* equal("nothing is undone yet", asked(work), ["do"])
      yield* other.open
      yield* busy.result
      yield* underWay(work, "undo")
      yield* work.open
      yield* equal("it is cancelled", (yield* ended(run)).status, "Cancelled")
      yield* host.stop
    })
  ),

  law("goes on to undo where a host that stopped left it, in the same order", ({ work }) =>
    Effect.gen(function* () {
      const first = yield* Host.start()
      const { runId, ...run } = yield* first.plane.registerRun({ workflow: trip })
      yield* upTo(work, "pay")
      yield* work.fail(wrong)
      yield* underWay(work, "unhotel")
      yield* work.release()
      yield* underWay(work, "unflight")
      yield* first.stop
      yield* equal("it stands interrupted", yield* run.status, "Interrupted")
      const next = yield* Host.start()
      const again = yield* only(next, runId)
      yield* underWay(work, "unflight")
      yield* work.open
      const result = yield* ended(again)
      yield* equal("it fails for the same reason", [result.status, result.failedStep], ["Failed", "pay"])
      yield* equal("what is done", asked(work).slice(3), ["unhotel", "unflight", "unflight"])
      const keys = work.calls.slice(-2).map(({ task }) => task.idempotencyKey)
      yield* equal("the key is the same", keys[0], keys[1])
      yield* next.stop
    })
  ),

  law("undoes what a run did that is cancelled while it stands interrupted", ({ work }) =>
    Effect.gen(function* () {
      const first = yield* Host.start()
      const { runId } = yield* first.plane.registerRun({ workflow: trip })
      yield* upTo(work, "hotel")
      yield* first.stop
      const next = yield* Host.start()
      yield* work.open
      yield* next.plane.sendCommand(runId, cancel)
      const result = yield* ended(yield* next.plane.get(runId))
      yield* equal("it is cancelled", result.status, "Cancelled")
      yield* equal("what is done", asked(work), ["flight", "hotel", "unhotel", "unflight"])
      yield* next.stop
    })
  ),

  law("undoes what a run did that took too long, however long that takes, also after a crash", (bench) =>
    Effect.gen(function* () {
      const { log } = bench
      const work = yield* gated("slow")
      const host = yield* Host.start()
      const workflow = Workflow.make("hasty", { timeout: "1 second" }).pipe(
        Workflow.step("do", { skill: "slow", input: "x" }),
        Workflow.step("more", { skill: "slow", after: ["do"] }),
        Workflow.step("undo", { skill: "slow", compensates: "do" }),
        Workflow.step("undo-more", { skill: "slow", compensates: "more", attemptTimeout: "2 seconds" })
      )
      const run = yield* host.plane.registerRun({ workflow, params: {} })
      yield* underWay(work, "do")
      yield* work.release()
      yield* underWay(work, "more")
      yield* TestClock.adjust("1 second")
      yield* underWay(work, "undo-more")
      yield* TestClock.adjust("2 seconds")
      yield* underWay(work, "undo")
      yield* TestClock.adjust("1 hour")
      const copy = yield* crashed(log, run.runId)
      yield* work.release()
      const expected = ["Failed", "Timeout", "the run took longer than 1000 ms", "Failed", "Succeeded"]
      const seen = ({ failure, status, steps }: RunResult) => [
        status,
        failure?.kind,
        failure?.message,
        steps[3]?.status,
        steps[2]?.status
      ]
      yield* equal("it fails for that", seen(yield* ended(run)), expected)
      yield* host.stop
      const next = yield* Host.start()
      const again = yield* only(next, copy)
      yield* underWay(work, "undo")
      yield* work.release()
      yield* equal("so it does after a crash", seen(yield* ended(again)), expected)
      yield* equal("what is done", asked(work), ["do", "more", "undo-more", "undo", "undo"])
      yield* next.stop
    })
  ),

  law("parks a run whose host crashes while it undoes, and leaves the rest when it is cancelled", ({ log }) =>
    Effect.gen(function* () {
      const work = yield* gated("deadly")
      const workflow = Workflow.make("deadly").pipe(
        Workflow.step("do", { skill: "deadly", input: "x" }),
        Workflow.step("more", { skill: "deadly", after: ["do"] }),
        Workflow.step("undo", { skill: "deadly", compensates: "do" })
      )
      const host = yield* Host.start({ maxRecoveryAttempts: 1 })
      const run = yield* host.plane.registerRun({ workflow, params: {} })
      yield* underWay(work, "do")
      yield* work.release()
      yield* underWay(work, "more")
      yield* run.control(cancel)
      yield* underWay(work, "undo")
      const copy = yield* crashed(log, run.runId)
      yield* work.release()
      yield* run.result
      yield* host.stop
      const next = yield* Host.start({ maxRecoveryAttempts: 1 })
      yield* equal("it is not recovered", yield* next.plane.recover, [])
      const parked = yield* next.plane.get(copy)
      yield* equal(
        "why",
        (yield* parked.result).interruption,
        "its host crashed once while what it did was undone; send Cancel to leave the rest as it is"
      )
      yield* next.plane.sendCommand(copy, cancel)
      const result = yield* ended(yield* next.plane.get(copy))
      yield* equal("it ends", result.status, "Cancelled")
      yield* holds("the rest is left", statusesOf(result).undo !== "Succeeded", statusesOf(result))
      yield* equal("nothing is done for that", asked(work), ["do", "more", "undo"])
      yield* next.stop
    })
  ),

  law("says of what it cannot undo that there is no workspace for it", ({ work }) =>
    Effect.gen(function* () {
      const first = yield* Host.start()
      const { runId } = yield* first.plane.registerRun({ workflow: trip })
      yield* upTo(work, "pay")
      yield* first.stop
      const workspaces = yield* WorkspaceService
      const lost = new WorkspaceError({ operation: "open", path: "its directory", reason: "it is gone" })
      const next = yield* Effect.provideService(Host.start(), WorkspaceService, {
        ...workspaces,
        create: () => Effect.fail(lost)
      })
      const result = yield* ended(yield* only(next, runId))
      yield* equal("why it fails", [result.status, result.failure?.kind], ["Failed", "WorkspaceError"])
      yield* equal("how the steps ended", statusesOf(result), {
        flight: "Succeeded",
        hotel: "Succeeded",
        pay: "Cancelled",
        unflight: "Failed",
        unhotel: "Failed"
      })
      yield* equal("why", result.steps[4]?.failure, {
        kind: "WorkspaceError",
        message: "Cannot open its directory: it is gone"
      })
      yield* next.stop
    })
  )
]
