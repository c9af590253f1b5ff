import * as Effect from "effect/Effect"
import { AgentError } from "../Agent.js"
import { AgentRegistry } from "../AgentRegistry.js"
import type { ControlCommand } from "../Command.js"
import * as Workflow from "../Workflow.js"
import { asked, ended, reasonsOf, statusesOf, trip, underWay, upTo } from "./CompensatedTrip.js"
import { collect, law, type Plane, tags } from "./ControlPlaneLaws.js"
import { equal, fails, holds, type Law } from "./Law.js"
import * as ScriptedAgent from "./ScriptedAgent.js"

const cancel: ControlCommand = { _tag: "Cancel", reason: "enough" }
const wrong = new AgentError({ kind: "InvalidInput", reason: "no room" })

/** What every control plane promises about steps that undo what others did. */
export const CompensationLaws: ReadonlyArray<Law<Plane>> = [
  law("undoes nothing as long as all goes well", ({ plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const run = yield* plane.registerRun({ workflow: trip })
      const result = yield* ended(run)
      yield* equal("it completes", result.status, "Completed")
      yield* equal("what is done", asked(work), ["flight", "hotel", "pay"])
      yield* equal(
        "the others are skipped",
        [result.summary.steps.skipped, reasonsOf(result)],
        [2, Array.from({ length: 2 }, () => "the run completed, so nothing is to be undone")]
      )
    })
  ),

  law("undoes what was begun when a run fails, the last one first, and fails then", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: trip })
      yield* upTo(work, "pay")
      yield* work.fail(wrong)
      yield* work.open
      const result = yield* ended(run)
      yield* equal(
        "it fails for the same reason",
        [result.status, result.failedStep, result.failure?.kind],
        ["Failed", "pay", "InvalidInput"]
      )
      yield* equal("what is done", asked(work), ["flight", "hotel", "pay", "unhotel", "unflight"])
      yield* equal(
        "what is undone",
        [result.outputs.unhotel, result.outputs.unflight],
        [{ cancel: "H1", of: "F1" }, { cancel: "F1" }]
      )
      const history = tags(yield* collect(run.events))
      yield* holds(
        "that it undoes is recorded before it begins",
        history.indexOf("RunCompensating") < history.lastIndexOf("StepStarted") - 3,
        history
      )
    })
  ),

  law("undoes in the reverse order of the ends of steps, one after the other", ({ plane, work }) =>
    Effect.gen(function* () {
      const priorities = { a: 0, b: 2, c: 1 }
      const workflow = Workflow.fromDefinition({
        name: "parallel",
        steps: [
          ...Object.entries(priorities).flatMap(([id, priority]) => [
            Workflow.stepDefinition(id, { skill: "work", priority, input: id }),
            Workflow.stepDefinition(`un-${id}`, { skill: "work", compensates: id, forEach: [1, 2] })
          ]),
          Workflow.stepDefinition("last", { skill: "work", after: ["a", "b", "c"] })
        ]
      })
      const run = yield* plane.registerRun({ workflow, params: {} })
      yield* underWay(work, "b", "c", "a")
      yield* work.release(3)
      yield* underWay(work, "last")
      yield* work.fail(wrong)
      for (const id of ["un-a", "un-c", "un-b"]) {
        yield* underWay(work, id, id)
        yield* work.release(2)
      }
      yield* equal("it fails", (yield* ended(run)).failedStep, "last")
    })
  ),

  law("undoes what was begun and did not succeed, unless a condition says otherwise", ({ plane, work }) =>
    Effect.gen(function* () {
      const workflow = Workflow.make("half").pipe(
        Workflow.step("some", { skill: "work", forEach: ["a", "b"], concurrency: 1 }),
        Workflow.step("other", { skill: "work", input: "o" }),
        Workflow.step("never", { skill: "work", after: ["some"] }),
        Workflow.step("un-some", {
          skill: "work",
          compensates: "some",
          input: "{{ steps.some.items.filter(i, i.status == 'Succeeded').map(i, i.output) }}"
        }),
        Workflow.step("un-other", {
          skill: "work",
          compensates: "other",
          when: "steps.other.status == 'Succeeded'"
        }),
        Workflow.step("un-never", { skill: "work", compensates: "never" })
      )
      const run = yield* plane.registerRun({ workflow, params: {} })
      yield* underWay(work, "some", "other")
      yield* work.release()
      yield* underWay(work, "other", "some")
      yield* run.control(cancel)
      yield* underWay(work, "un-some")
      yield* work.open
      const result = yield* ended(run)
      yield* equal("what had succeeded of it", result.outputs["un-some"], ["a"])
      yield* equal("how the steps ended", statusesOf(result), {
        some: "Cancelled",
        other: "Cancelled",
        never: "Skipped",
        "un-some": "Succeeded",
        "un-other": "Skipped",
        "un-never": "Skipped"
      })
      yield* equal("why not", reasonsOf(result), [
        "the run was cancelled",
        "its condition `steps.other.status == 'Succeeded'` is false",
        '"never" has done nothing that is to be undone'
      ])
    })
  ),

  law("shows what could not be undone, and goes on with the rest", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: trip })
      yield* upTo(work, "pay")
      yield* work.fail(wrong)
      yield* underWay(work, "unhotel")
      yield* work.fail(new AgentError({ kind: "PermissionDenied", reason: "too late" }))
      yield* work.open
      const result = yield* ended(run)
      yield* equal(
        "why the run failed",
        [result.status, result.failedStep, result.failure?.kind],
        ["Failed", "pay", "InvalidInput"]
      )
      const { failure } = result.steps.find(({ stepId }) => stepId === "unhotel") ?? {}
      yield* equal("what could not be undone", failure?.kind, "PermissionDenied")
      yield* equal("the rest is undone", statusesOf(result).unflight, "Succeeded")
    })
  ),

  law(
    "undoes what was begun when a run is cancelled, and another cancel changes nothing",
    ({ plane, work }) =>
      Effect.gen(function* () {
        const run = yield* plane.registerRun({ workflow: trip })
        yield* upTo(work, "hotel")
        yield* run.control(cancel, "first")
        yield* underWay(work, "unhotel")
        yield* run.control(cancel, "first")
        yield* run.control(cancel, "second")
        const paused = yield* fails(
          "a pause",
          "IllegalCommand",
          run.control({ _tag: "Pause", mode: "drain" })
        )
        yield* equal("why it is refused", paused.reason, "it is about to end")
        yield* work.release()
        yield* underWay(work, "unflight")
        yield* equal("it is being cancelled", yield* run.status, "Cancelling")
        yield* work.release()
        const result = yield* ended(run)
        yield* equal("it is cancelled", result.status, "Cancelled")
        yield* equal("how the steps ended", statusesOf(result), {
          flight: "Succeeded",
          hotel: "Cancelled",
          pay: "Skipped",
          unflight: "Succeeded",
          unhotel: "Succeeded"
        })
        yield* equal(
          "what was interrupted",
          work.calls.filter(({ state }) => state === "interrupted").length,
          1
        )
      })
  ),

  law("goes on to undo when a failing run is cancelled meanwhile", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: trip })
      yield* upTo(work, "pay")
      yield* work.fail(wrong)
      yield* underWay(work, "unhotel")
      yield* run.control(cancel)
      yield* underWay(work, "unhotel")
      yield* work.open
      const result = yield* ended(run)
      yield* equal("it is cancelled", result.status, "Cancelled")
      yield* equal("what is undone", asked(work).slice(3), ["unhotel", "unflight"])
    })
  ),

  law("does again what was undone, and undoes nothing that another run did", ({ plane }) =>
    Effect.gen(function* () {
      let broken = true
      const agent = ScriptedAgent.make("mended", ({ input, stepId }) =>
        broken && stepId === "last" ? [ScriptedAgent.fail("InvalidInput")] : [ScriptedAgent.give(input)]
      )
      yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(agent))
      const workflow = Workflow.make("again").pipe(
        Workflow.step("keep", { skill: "mended", input: "k" }),
        Workflow.step("do", { skill: "mended", after: ["keep"], input: "d" }),
        Workflow.step("last", { skill: "mended", after: ["do"], input: "l" }),
        Workflow.step("un-keep", { skill: "mended", compensates: "keep", when: "false" }),
        Workflow.step("undo", { skill: "mended", compensates: "do" })
      )
      const asked = () => agent.calls.map(({ stepId }) => String(stepId))
      const run = yield* plane.registerRun({ workflow, params: {} })
      yield* run.result
      yield* equal("what is done first", asked(), ["keep", "do", "last", "undo"])
      const second = yield* plane.rerun(run.runId)
      const failed = yield* ended(second)
      yield* equal("what is done again", asked().slice(4), ["do", "last", "undo"])
      yield* equal(
        "what stays",
        failed.steps.find(({ stepId }) => stepId === "un-keep")?.reason,
        `"keep" was done by run ${run.runId}, which keeps it`
      )
      broken = false
      const third = yield* plane.rerun(second.runId)
      yield* equal("it completes", (yield* ended(third)).status, "Completed")
      yield* equal("what is done at last", asked().slice(7), ["do", "last"])
      const refused = yield* fails(
        "from a compensation",
        "RerunRefused",
        plane.rerun(run.runId, { from: { step: "undo" } })
      )
      yield* holds(
        "what helps",
        refused.message.includes(
          '"undo" only undoes what "do" does; do "do" again, or go on from the failure'
        ),
        refused.message
      )
    })
  )
]
