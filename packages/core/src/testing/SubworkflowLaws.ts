import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { AgentError } from "../Agent.js"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import * as DefinitionHash from "../DefinitionHash.js"
import type { Entry } from "../Event.js"
import type { EventLog } from "../EventLog.js"
import { RunId } from "../Ids.js"
import type { Json } from "../Json.js"
import type * as Run from "../Run.js"
import * as Workflow from "../Workflow.js"
import { type Bench, collect, law, type Plane, tags, wellFormed } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal, fails, holds, type Law } from "./Law.js"

const cancel: ControlCommand = { _tag: "Cancel", reason: "enough" }

/** What is done with one file. */
const review = Workflow.make("review", {
  params: Schema.Struct({
    file: Schema.String,
    strict: Schema.optionalWith(Schema.Boolean, { default: () => true })
  }),
  output: { file: "{{ params.file }}", strict: "{{ params.strict }}", by: "{{ steps.read.output }}" }
}).pipe(
  Workflow.step("read", { skill: "work", input: "{{ params.file }}" }),
  Workflow.step("judge", { skill: "work", after: ["read"], input: "{{ steps.read.output + '!' }}" })
)

/** One run for each of two files, and a step that takes what they give. */
const batch = Workflow.make("batch").pipe(
  Workflow.step("each", {
    subworkflow: review,
    forEach: ["a", "b"],
    input: { file: "{{ item }}" },
    concurrency: 2
  }),
  Workflow.step("sum", { skill: "work", after: ["each"], input: "{{ steps.each.output.map(e, e.by) }}" })
)

const one = (options: Partial<Workflow.StepOptions<never>> = {}) =>
  Workflow.make("one").pipe(
    Workflow.step("child", { subworkflow: review, input: { file: "x" }, ...options }),
    Workflow.step("beside", { map: { over: [1], value: "{{ item }}" } })
  )

const childOf = (run: { readonly runId: string }, suffix = "child") => RunId.make(`${run.runId}.${suffix}`)

const history = (log: EventLog["Type"], runId: RunId) => collect(log.read({ runs: [runId] }))

const status = (plane: Bench["plane"], runId: RunId) =>
  Effect.flatMap(plane.get(runId), (handle) => handle.status)

const becomes = (plane: Bench["plane"], runId: RunId, expected: Run.RunStatus) =>
  Effect.gen(function* () {
    while ((yield* status(plane, runId)) !== expected) yield* Effect.yieldNow()
  })

/** The steps that a run began, and how often. */
const begun = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> =>
  entries.flatMap(({ event }) => (event._tag === "ItemStarted" ? [event.stepId] : []))

const ended = (run: RunHandle) =>
  Effect.tap(run.result, () => Effect.flatMap(collect(run.events), wellFormed))

const failureOf = (run: RunHandle) =>
  Effect.map(ended(run), ({ failure }) => [failure?.kind, failure?.message])

/** What every control plane promises about steps that are runs of their own. */
export const SubworkflowLaws: ReadonlyArray<Law<Plane>> = [
  law(
    "does each item as a linked run, and takes what its workflow says that it gives",
    ({ log, plane, work }) =>
      Effect.gen(function* () {
        yield* work.open
        const run = yield* plane.registerRun({ workflow: batch, id: "batch", owner: "ann", tags: ["t"] })
        const { outputs, status, summary } = yield* ended(run)
        yield* equal("it completes", status, "Completed")
        const expected: Json = [
          { file: "a", strict: true, by: "a" },
          { file: "b", strict: true, by: "b" }
        ]
        yield* equal("what the runs give", outputs.each, expected)
        yield* equal("what comes after sees it", outputs.sum, ["a", "b"])
        yield* equal("its own items", summary.items.succeeded, 3)
        const child = childOf(run, "each.1")
        const entries = yield* history(log, child)
        yield* wellFormed(entries)
        const [first] = entries
        const event = first?.event
        if (event?._tag !== "RunRegistered") return yield* holds("it is registered", false, event)
        yield* equal("its definition is pinned", event.hash, DefinitionHash.make(event.workflow))
        yield* equal(
          "its link",
          [event.parent, event.owner, event.tags, event.params],
          [{ runId: run.runId, stepId: "each", index: 1 }, "ann", ["t"], { file: "b", strict: true }]
        )
        const started = (yield* collect(run.events)).flatMap(({ event }) =>
          event._tag === "ItemStarted" && event.stepId === "each" ? [event.childId] : []
        )
        yield* equal("the link back", [...started].sort(), [childOf(run, "each.0"), child])
      })
  ),

  law(
    "gives the outputs of the last steps where the workflow does not say what it gives",
    ({ plane, work }) =>
      Effect.gen(function* () {
        yield* work.open
        const plain = Workflow.make("plain").pipe(
          Workflow.step("first", { skill: "work", input: 1 }),
          Workflow.step("left", { skill: "work", after: ["first"], input: 2 }),
          Workflow.step("right", { skill: "work", after: ["first"], input: 3 })
        )
        const outer = Workflow.make("outer").pipe(Workflow.step("inner", { subworkflow: plain }))
        const run = yield* plane.registerRun({ workflow: outer })
        const { output } = yield* ended(run)
        yield* equal("what it gives", output, { inner: { left: 2, right: 3 } })
      })
  ),

  law("fails where the output of the workflow cannot be made", ({ plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const wrong = Workflow.make("wrong", { output: "{{ steps.a.output.missing }}" }).pipe(
        Workflow.step("a", { skill: "work", input: { there: 1 } })
      )
      const [kind, message] = yield* failureOf(yield* plane.registerRun({ workflow: wrong }))
      yield* equal("its kind", kind, "ExpressionError")
      yield* holds("its place", message?.startsWith("its output: ") ?? false, message)
    })
  ),

  law("nests, and needs no slot for a run that only waits for others", (bench) =>
    Effect.gen(function* () {
      yield* bench.work.open
      const deep = (level: number): Workflow.Definition =>
        level === 0
          ? { name: "leaf", steps: [Workflow.stepDefinition("leaf", { skill: "work", input: "leaf" })] }
          : {
              name: `level ${level}`,
              steps: [Workflow.stepDefinition("down", { subworkflow: deep(level - 1) })]
            }
      const host = yield* Host.start({ maxConcurrentRuns: 1 })
      const runs = yield* Effect.forEach([1, 2, 3], () => host.plane.registerRun({ workflow: deep(4) }))
      for (const run of runs) yield* equal("it completes", (yield* ended(run)).status, "Completed")
      yield* host.stop
    })
  ),

  law(
    "leaves its slot to the runs that it waits for also where it may do no more at once, or fails",
    (bench) =>
      Effect.gen(function* () {
        yield* bench.work.open
        const host = yield* Host.start({ maxConcurrentRuns: 1 })
        const { steps } = one().pipe(Workflow.step("line", { skill: "work", forEach: [1, 2] })).definition
        const full = yield* host.plane.registerRun({ workflow: { name: "full", concurrency: 1, steps } })
        yield* equal("one that may do one thing at a time", (yield* ended(full)).status, "Completed")
        const bad = Workflow.stepDefinition("bad", {
          map: { over: "{{ params.nothing }}", value: "{{ item }}" }
        })
        const drains = yield* host.plane.registerRun({
          workflow: { name: "drains", onStepFailure: "drain", steps: [bad, ...steps] }
        })
        yield* equal("one that fails", (yield* ended(drains)).status, "Failed")
        yield* equal("its child", yield* status(host.plane, childOf(drains)), "Completed")
        yield* host.stop
      })
  ),

  law("fails an item whose run fails, and says which run that is", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: one() })
      yield* work.reached(1)
      yield* work.fail(new AgentError({ kind: "Failed", reason: "no" }))
      const child = childOf(run)
      const [kind, message] = yield* failureOf(run)
      const { failure } = yield* Effect.flatMap(plane.get(child), (handle) => handle.result)
      yield* equal("why", [kind, message], [failure?.kind, `run ${child} failed: ${failure?.message}`])
    })
  ),

  law("fails an item whose run is cancelled alone, and ends the others where one fails the step", (bench) =>
    Effect.gen(function* () {
      const { plane, work } = bench
      const run = yield* plane.registerRun({ workflow: batch })
      yield* work.reached(2)
      yield* plane.sendCommand(childOf(run, "each.0"), cancel)
      const [kind, message] = yield* failureOf(run)
      yield* equal("why", [kind, message], ["Cancelled", `run ${childOf(run, "each.0")} was cancelled`])
      yield* equal("the other one", yield* status(plane, childOf(run, "each.1")), "Cancelled")
      yield* equal("what was under way", work.running(), 0)
    })
  ),

  law("goes on with other items where failures of items do not matter", ({ plane, work }) =>
    Effect.gen(function* () {
      const lenient = Workflow.make("lenient").pipe(
        Workflow.step("each", {
          subworkflow: review,
          forEach: ["a", "b", "c"],
          input: { file: "{{ item }}" },
          concurrency: 1,
          onItemFailure: "continue"
        })
      )
      const run = yield* plane.registerRun({ workflow: lenient })
      yield* work.reached(1)
      yield* plane.sendCommand(childOf(run, "each.0"), cancel)
      yield* work.open
      const { outputs, summary } = yield* ended(run)
      yield* equal("items", summary.items, { succeeded: 2, failed: 1 })
      yield* equal("outputs", (outputs.each as ReadonlyArray<Json>).length, 2)
    })
  ),

  law("is cancelled with the run that it belongs to, which ends after it", ({ log, plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: one() })
      yield* work.reached(1)
      yield* run.control(cancel)
      yield* equal("it is cancelled", (yield* ended(run)).status, "Cancelled")
      yield* equal("what was under way", work.running(), 0)
      const last = (yield* history(log, childOf(run))).at(-1)
      yield* equal("its child", last?.event._tag, "RunCancelled")
      const end = (yield* collect(run.events)).at(-1)
      yield* holds("in this order", (last?.seq ?? 0) < (end?.seq ?? 0))
    })
  ),

  law("stands still and goes on with the run that it belongs to", ({ log, plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: one() })
      const child = childOf(run)
      yield* work.reached(1)
      yield* run.control({ _tag: "Pause", mode: "interrupt" })
      yield* becomes(plane, run.runId, "Paused")
      yield* equal("its child", yield* status(plane, child), "Paused")
      yield* equal("nothing is under way", work.running(), 0)
      yield* run.control({ _tag: "Resume" })
      yield* work.reached(1)
      yield* run.control({ _tag: "Pause" })
      yield* work.release()
      yield* becomes(plane, run.runId, "Paused")
      yield* equal("its child again", yield* status(plane, child), "Paused")
      yield* run.control({ _tag: "Resume" })
      yield* work.open
      yield* equal("it completes", (yield* ended(run)).status, "Completed")
      yield* equal("every step once", begun(yield* history(log, child)), ["read", "read", "judge"])
    })
  ),

  law("is cancelled also while it stands still, or is about to", ({ plane, work }) =>
    Effect.gen(function* () {
      const paused = yield* plane.registerRun({ workflow: one() })
      yield* work.reached(1)
      yield* paused.control({ _tag: "Pause", mode: "interrupt" })
      yield* becomes(plane, paused.runId, "Paused")
      yield* paused.control(cancel)
      yield* equal("it is cancelled", (yield* ended(paused)).status, "Cancelled")
      yield* equal("its child", yield* status(plane, childOf(paused)), "Cancelled")
      const draining = yield* plane.registerRun({ workflow: one() })
      yield* work.reached(1)
      yield* draining.control({ _tag: "Pause" })
      yield* draining.control(cancel)
      yield* equal("it is cancelled", (yield* ended(draining)).status, "Cancelled")
      yield* equal("its child", yield* status(plane, childOf(draining)), "Cancelled")
    })
  ),

  law("goes on after its host stopped, as the same run, without repeating what is done", (bench) =>
    Effect.gen(function* () {
      const { log, work } = bench
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: batch })
      yield* work.reached(2)
      yield* work.release()
      yield* work.reached(2)
      yield* host.stop
      const next = yield* Host.start({ maxConcurrentRuns: 1 })
      const again = yield* next.plane.recover
      yield* equal("all three go on", again.length, 3)
      yield* work.open
      const [parent] = again.filter(({ runId }) => runId === run.runId)
      const result = yield* (parent ?? run).result
      yield* equal("it completes", [result.status, result.outputs.sum], ["Completed", ["a", "b"]])
      for (const suffix of ["each.0", "each.1"]) {
        const entries = yield* history(log, childOf(run, suffix))
        yield* wellFormed(entries)
        yield* equal("registered once", tags(entries).filter((tag) => tag === "RunRegistered").length, 1)
      }
      const reads = work.calls.filter(({ state, task }) => state === "done" && task.stepId === "read")
      yield* equal("nothing that was done is repeated", reads.length, 2)
      yield* next.stop
    })
  ),

  law("is cancelled with a run that is to be cancelled when its host stops", (bench) =>
    Effect.gen(function* () {
      const { work } = bench
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: one() })
      yield* work.reached(1)
      yield* host.stop
      const next = yield* Host.start()
      yield* next.plane.sendCommand(run.runId, cancel)
      yield* becomes(next.plane, run.runId, "Cancelled")
      yield* equal("its child", yield* status(next.plane, childOf(run)), "Cancelled")
      yield* equal("nothing is left", yield* next.plane.recover, [])
      yield* next.stop
    })
  ),

  law("takes no run for its own that somebody registered", ({ plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const params = { file: "x", strict: true }
      const other = yield* plane.registerRun({ workflow: review, params, id: "own.child" })
      yield* ended(other)
      const run = yield* plane.registerRun({ workflow: one(), id: "own" })
      const [kind] = yield* failureOf(run)
      yield* equal("why", kind, "RunExists")
    })
  ),

  law("leaves a run alone that somebody else had stand still", (bench) =>
    Effect.gen(function* () {
      const { log, work } = bench
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: one() })
      const child = childOf(run)
      yield* work.reached(1)
      yield* host.plane.sendCommand(child, { _tag: "Pause", mode: "interrupt" })
      yield* becomes(host.plane, child, "Paused")
      yield* host.stop
      const next = yield* Host.start()
      yield* next.plane.recover
      yield* becomes(next.plane, run.runId, "Running")
      yield* equal("it stands still", yield* status(next.plane, child), "Paused")
      yield* work.open
      yield* next.plane.sendCommand(child, { _tag: "Resume" })
      yield* becomes(next.plane, run.runId, "Completed")
      const resumed = tags(yield* history(log, child)).filter((tag) => tag === "ResumeRequested")
      yield* equal("nobody else had it go on", resumed.length, 1)
      yield* next.stop
    })
  ),

  law("is cancelled when the time of its step is over", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: one({ stepTimeout: "1 minute" }) })
      yield* work.reached(1)
      yield* TestClock.adjust("1 minute")
      const [kind] = yield* failureOf(run)
      yield* equal("why", kind, "Timeout")
      yield* equal("its child", yield* status(plane, childOf(run)), "Cancelled")
    })
  ),

  law("fails where the parameters that it is given do not fit", ({ plane }) =>
    Effect.gen(function* () {
      const odd = one({ input: "{{ {'file': 7} }}" })
      const [kind, message] = yield* failureOf(yield* plane.registerRun({ workflow: odd }))
      yield* equal("its kind", kind, "InvalidParams")
      yield* holds("what is wrong", message?.includes("file: this must be a text, not 7") ?? false, message)
    })
  ),

  law("does a step with a run again as another run", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: one() })
      yield* work.reached(1)
      yield* work.fail(new AgentError({ kind: "Failed", reason: "no" }))
      yield* ended(run)
      yield* work.open
      const again = yield* plane.rerun(run.runId, { from: { step: "child", input: { file: "y" } } })
      const { output } = yield* ended(again)
      yield* equal("what it gives", output, {
        child: { file: "y", strict: true, by: "y" },
        beside: [1]
      })
      yield* fails(
        "its id is its own",
        "RunExists",
        plane.registerRun({ workflow: review, id: childOf(again), params: { file: "z" } })
      )
    })
  )
]
