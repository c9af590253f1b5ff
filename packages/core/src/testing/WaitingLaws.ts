import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import type { Event } from "../Event.js"
import { StepId } from "../Ids.js"
import * as Workflow from "../Workflow.js"
import { collect, law, type Plane, wellFormed } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal, fails, type Law } from "./Law.js"

const decide = (
  stepId: string,
  decision: "approve" | "reject",
  more: { readonly by?: string; readonly comment?: string } = {}
): ControlCommand => ({ _tag: "Decide", stepId: StepId.make(stepId), decision, ...more })

const signal = (name: string, payload: string): ControlCommand => ({ _tag: "Signal", name, payload })

/** Waits until it is durable that something has happened in so many steps. */
export const seen = (run: RunHandle, tag: Event["_tag"], times = 1) =>
  run.events.pipe(
    Stream.filter(({ event }) => event._tag === tag),
    Stream.take(times),
    Stream.runDrain
  )

const gate = Workflow.make("gate", { onStepFailure: "drain" }).pipe(
  Workflow.step("ask", { approval: { message: "Deploy {{ params.what }}?", approvers: ["ann", "bob"] } }),
  Workflow.step("other", { approval: {}, onFailure: "continue" }),
  Workflow.step("beside", { skill: "work" }),
  Workflow.step("deploy", { skill: "work", after: ["ask"], input: "{{ steps.ask.output.by }}" })
)

const listeners = Workflow.make("listeners").pipe(
  Workflow.step("first", { wait: { signal: "go" } }),
  Workflow.step("second", { wait: { signal: "go" } }),
  Workflow.step("third", { wait: { signal: "go" }, after: ["first"] }),
  Workflow.step("late", { wait: { signal: "never", timeoutMillis: 60_000 }, onFailure: "continue" })
)

const sleepers = Workflow.make("sleepers").pipe(
  Workflow.step("long", { wait: { millis: "{{ params.days * 24 * 60 * 60 * 1000 }}" } }),
  Workflow.step("until", { wait: { until: "1970-01-02T00:00:00Z" } }),
  Workflow.step("past", { wait: { until: 0 } })
)

/** What every control plane promises about steps that wait for people, times and signals. */
export const WaitingLaws: ReadonlyArray<Law<Plane>> = [
  law("lets those decide who may, while siblings go on", ({ log, plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const run = yield* plane.registerRun({ workflow: gate, params: { what: "it" } })
      yield* seen(run, "StepWaiting", 2)
      yield* seen(run, "StepCompleted")
      const [asked] = (yield* collect(log.read({ runs: [run.runId] }))).flatMap(({ event }) =>
        event._tag === "StepWaiting" && event.stepId === "ask" ? [event] : []
      )
      yield* equal("what is asked", [asked?.message, asked?.approvers], ["Deploy it?", ["ann", "bob"]])
      const refused = (name: string, command: ControlCommand) =>
        Effect.map(fails(name, "IllegalCommand", run.control(command)), ({ reason }) => reason)
      const only = 'only ann, bob may decide about "ask"'
      yield* equal("a stranger", yield* refused("eve", decide("ask", "approve", { by: "eve" })), only)
      yield* equal("nobody", yield* refused("nobody", decide("ask", "approve")), only)
      const hint = 'there is no step "aks"; did you mean "ask"?'
      yield* equal("a typing error", yield* refused("aks", decide("aks", "approve")), hint)
      const wrong = '"deploy" does not await a decision'
      yield* equal("another step", yield* refused("deploy", decide("deploy", "reject")), wrong)
      yield* run.control(decide("ask", "approve", { by: "bob", comment: "fine" }), "yes")
      yield* run.control(decide("ask", "approve", { by: "bob", comment: "fine" }), "yes")
      yield* fails(
        "other content",
        "CommandConflict",
        run.control(decide("ask", "reject", { by: "bob" }), "yes")
      )
      yield* run.control(decide("other", "reject", { comment: "no" }))
      const { outputs, status, steps } = yield* run.result
      yield* equal("it completes", status, "Completed")
      yield* equal("the decision", outputs.ask, { decision: "approve", by: "bob", comment: "fine" })
      yield* equal("the rejection", steps.find(({ stepId }) => stepId === "other")?.failure, {
        kind: "Rejected",
        message: "somebody rejected it: no"
      })
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law("fails where a decision is a rejection, and cancels what still waits", ({ plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const run = yield* plane.registerRun({ workflow: gate, params: { what: "it" } })
      yield* seen(run, "StepWaiting", 2)
      yield* run.control(decide("ask", "reject", { by: "ann" }))
      const { failure, status, steps } = yield* run.result
      yield* equal(
        "it fails",
        [status, failure?.kind, failure?.message],
        ["Failed", "Rejected", "ann rejected it"]
      )
      yield* equal("what waited", steps.find(({ stepId }) => stepId === "other")?.status, "Cancelled")
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law(
    "keeps decisions and waiting steps over a restart, and takes none while nothing executes the run",
    (bench) =>
      Effect.gen(function* () {
        yield* bench.work.open
        const host = yield* Host.start()
        const run = yield* host.plane.registerRun({ workflow: gate, params: { what: "it" } })
        yield* seen(run, "StepWaiting", 2)
        yield* run.control(decide("other", "approve"), "once")
        yield* host.stop
        const next = yield* Host.start()
        yield* fails(
          "a decision",
          "IllegalCommand",
          next.plane.sendCommand(run.runId, decide("ask", "approve", { by: "ann" }))
        )
        const [again] = yield* next.plane.recover
        yield* next.plane.sendCommand(run.runId, decide("other", "approve"), "once")
        yield* next.plane.sendCommand(run.runId, decide("ask", "approve", { by: "ann" }))
        const result = yield* (again ?? run).result
        yield* equal(
          "it completes",
          [result.status, result.outputs.other],
          ["Completed", { decision: "approve", by: null, comment: null }]
        )
        const entries = yield* collect((again ?? run).events)
        yield* equal("it asked once", entries.filter(({ event }) => event._tag === "StepWaiting").length, 2)
        yield* wellFormed(entries)
        yield* next.stop
      })
  ),

  law("expires as the approval says", ({ plane }) =>
    Effect.gen(function* () {
      const expiring = Workflow.make("expiring").pipe(
        Workflow.step("yes", { approval: { expiresMillis: 60_000, default: "approve" } }),
        Workflow.step("no", { approval: { expiresMillis: 30_000 }, onFailure: "continue" })
      )
      const run = yield* plane.registerRun({ workflow: expiring })
      yield* seen(run, "StepWaiting", 2)
      yield* TestClock.adjust(30_000)
      yield* seen(run, "StepFailed")
      yield* equal("the other one waits", yield* run.status, "Running")
      yield* TestClock.adjust(30_000)
      const { outputs, status, steps } = yield* run.result
      yield* equal("it completes", status, "Completed")
      const comment = "nobody decided within 60000 ms"
      yield* equal("the default", outputs.yes, { decision: "approve", by: null, comment })
      yield* equal("without one", steps[1]?.failure, {
        kind: "Rejected",
        message: "nobody decided within 30000 ms"
      })
    })
  ),

  law("hands a signal to all who wait for it, or to the next one who will", ({ plane }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: listeners })
      yield* seen(run, "StepWaiting", 3)
      yield* run.control(signal("go", "a"), "a")
      yield* run.control(signal("go", "a"), "a")
      yield* seen(run, "StepCompleted", 2)
      yield* seen(run, "StepWaiting", 4)
      yield* run.control(signal("go", "b"))
      yield* seen(run, "StepCompleted", 3)
      yield* TestClock.adjust(60_000)
      const { outputs, status, steps } = yield* run.result
      yield* equal("payloads", [outputs.first, outputs.second, outputs.third], ["a", "a", "b"])
      yield* equal("the one that did not come", steps[3]?.failure, {
        kind: "Timeout",
        message: 'no signal "never" came within 60000 ms'
      })
      yield* equal("it completes", status, "Completed")
    })
  ),

  law("keeps signals that come early, over a restart", ({ work }) =>
    Effect.gen(function* () {
      const workflow = Workflow.make("early").pipe(
        Workflow.step("before", { skill: "work" }),
        Workflow.step("first", { wait: { signal: "go" }, after: ["before"] }),
        Workflow.step("second", { wait: { signal: "go" }, after: ["first"] })
      )
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow })
      yield* work.reached(1)
      yield* run.control(signal("go", "a"))
      yield* run.control(signal("go", "b"))
      yield* host.stop
      const next = yield* Host.start()
      yield* work.open
      const [again] = yield* next.plane.recover
      const { outputs } = yield* (again ?? run).result
      yield* equal("in their order", [outputs.first, outputs.second], ["a", "b"])
      yield* next.stop
    })
  ),

  law("waits for times that are fixed when the waiting begins, also over a restart and a pause", () =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: sleepers, params: { days: 40 } })
      yield* seen(run, "StepWaiting", 3)
      yield* seen(run, "StepCompleted")
      yield* TestClock.adjust("12 hours")
      yield* host.stop
      const next = yield* Host.start()
      const [again = run] = yield* next.plane.recover
      yield* TestClock.adjust("12 hours")
      yield* seen(again, "StepCompleted", 2)
      yield* again.control({ _tag: "Pause" })
      yield* seen(again, "RunPaused")
      yield* TestClock.adjust("39 days")
      yield* equal("nothing happens while it is paused", yield* again.status, "Paused")
      yield* again.control({ _tag: "Resume" })
      const result = yield* again.result
      yield* equal("it completes", result.status, "Completed")
      yield* wellFormed(yield* collect(again.events))
      yield* next.stop
    })
  ),

  law("leaves its slot to others while it does nothing but wait", ({ work }) =>
    Effect.gen(function* () {
      yield* work.open
      const host = yield* Host.start({ maxConcurrentRuns: 1 })
      const waiting = yield* host.plane.registerRun({ workflow: gate, params: { what: "it" } })
      yield* seen(waiting, "StepWaiting", 2)
      const quick = yield* host.plane.registerRun({
        workflow: Workflow.make("quick").pipe(Workflow.step("a", { skill: "work" }))
      })
      yield* equal("another one runs meanwhile", (yield* quick.result).status, "Completed")
      yield* waiting.control(decide("other", "approve"))
      yield* waiting.control(decide("ask", "approve", { by: "ann" }))
      yield* equal("it goes on", (yield* waiting.result).status, "Completed")
      yield* host.stop
    })
  ),

  law("leaves its slot to others also where it waits after something was done", ({ work }) =>
    Effect.gen(function* () {
      yield* work.open
      const host = yield* Host.start({ maxConcurrentRuns: 1 })
      const later = Workflow.make("later").pipe(
        Workflow.step("first", { skill: "work" }),
        Workflow.step("ask", { approval: {}, after: ["first"] })
      )
      const waiting = yield* host.plane.registerRun({ workflow: later })
      yield* seen(waiting, "StepWaiting")
      const quick = yield* host.plane.registerRun({
        workflow: Workflow.make("quick").pipe(Workflow.step("a", { skill: "work" }))
      })
      yield* equal("another one runs meanwhile", (yield* quick.result).status, "Completed")
      yield* waiting.control(decide("ask", "approve"))
      yield* equal("it goes on", (yield* waiting.result).status, "Completed")
      yield* host.stop
    })
  )
]
