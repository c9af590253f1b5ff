import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentRegistry } from "../AgentRegistry.js"
import type { ControlCommand } from "../Command.js"
import * as Workflow from "../Workflow.js"
import { collect, law, type Plane, tags, wellFormed } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal, fails, type Law } from "./Law.js"
import * as ScriptedAgent from "./ScriptedAgent.js"

const cancel: ControlCommand = { _tag: "Cancel" }

/** An agent that fails in one step as long as it is told to, and gives what it is asked otherwise. */
const makeWorker = () => {
  let broken = true
  const agent = ScriptedAgent.make("worker", ({ input, stepId }) =>
    broken && stepId === "test" ? [ScriptedAgent.fail("Failed", "broken")] : [ScriptedAgent.give(input)]
  )
  return {
    agent,
    mend: () => {
      broken = false
    },
    /** The steps that it was asked for since this was last said. */
    asked: () => agent.calls.map(({ index, stepId }) => `${stepId}/${index}`)
  }
}

const workflow = Workflow.make("build", {
  params: Schema.Struct({ files: Schema.Array(Schema.String) })
}).pipe(
  Workflow.step("compile", { skill: "worker", forEach: "{{ params.files }}" }),
  Workflow.step("docs", { skill: "worker", input: "docs" }),
  Workflow.step("never", { skill: "worker", when: "size(params.files) > 9" }),
  Workflow.step("test", {
    skill: "worker",
    after: ["compile"],
    input: { files: "{{ steps.compile.items.map(i, i.item) }}" }
  }),
  Workflow.step("publish", {
    skill: "worker",
    after: ["test", "docs"],
    input: "{{ [steps.test.output, steps.docs.output] }}"
  })
)
const params = { files: ["a", "b"] }

const bench = Effect.gen(function* () {
  const worker = makeWorker()
  yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(worker.agent))
  return worker
})

/** What every control plane promises about runs that are done again. */
export const RerunLaws: ReadonlyArray<Law<Plane>> = [
  law("goes on from what failed, with what came before, as a run of its own", ({ plane }) =>
    Effect.gen(function* () {
      const worker = yield* bench
      const run = yield* plane.registerRun({ workflow, params, owner: "ann", tags: ["t"] })
      yield* equal("it fails", (yield* run.result).status, "Failed")
      worker.mend()
      const before = worker.asked().length
      const again = yield* plane.rerun(run.runId)
      const result = yield* again.result
      yield* equal("it completes", result.status, "Completed")
      yield* equal("what is done", worker.asked().slice(before), ["test/0", "publish/0"])
      yield* equal("the outputs", result.outputs, {
        compile: ["a", "b"],
        docs: "docs",
        test: { files: ["a", "b"] },
        publish: [{ files: ["a", "b"] }, "docs"]
      })
      const entries = yield* collect(again.events)
      const [registered] = entries.flatMap(({ event }) => (event._tag === "RunRegistered" ? [event] : []))
      yield* equal("it is linked", registered?.origin, { runId: run.runId, from: "failure" })
      yield* equal("whose it is", [registered?.owner, registered?.tags], ["ann", ["t"]])
      yield* equal("what is reused is free", result.summary.items, { succeeded: 2, failed: 0 })
      const reused = entries.flatMap(({ event }) => (event._tag === "StepReused" ? [event.stepId] : []))
      yield* equal("what is reused", reused, ["compile", "docs"])
      yield* equal(
        "the first one stays as it was",
        (yield* (yield* plane.get(run.runId)).result).status,
        "Failed"
      )
    })
  ),

  law("goes on from a step with another input, and does again what follows it", ({ plane }) =>
    Effect.gen(function* () {
      const worker = yield* bench
      worker.mend()
      const run = yield* plane.registerRun({ workflow, params })
      yield* run.result
      const before = worker.asked().length
      const input = { text: "{{ not an expression }}" }
      const again = yield* plane.rerun(run.runId, { from: { step: "test", input } })
      const result = yield* again.result
      yield* equal("what is done", worker.asked().slice(before), ["test/0", "publish/0"])
      yield* equal("the input", result.outputs.publish, [input, "docs"])
      const all = yield* plane.rerun(run.runId, { from: "start" })
      yield* equal("from the start", (yield* all.result).outputs, (yield* run.result).outputs)
      yield* equal("everything is done", worker.asked().length, before + 2 + 5)
    })
  ),

  law("keeps the input and what is reused over a restart, and over doing it again", () =>
    Effect.gen(function* () {
      const worker = yield* bench
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow, params })
      yield* run.result
      worker.mend()
      const again = yield* host.plane.rerun(run.runId, { from: { step: "docs", input: "new" }, id: "again" })
      yield* host.stop
      const next = yield* Host.start()
      yield* next.plane.recover
      const same = yield* next.plane.rerun(run.runId, { from: { step: "docs", input: "new" }, id: "again" })
      yield* equal("the same id is the same run", same.runId, again.runId)
      yield* fails(
        "with another input",
        "RunExists",
        next.plane.rerun(run.runId, { from: { step: "docs" }, id: "again" })
      )
      const result = yield* same.result
      yield* equal("the outputs", [result.outputs.compile, result.outputs.docs], [["a", "b"], "new"])
      const before = worker.asked().length
      const third = yield* next.plane.rerun(same.runId, { from: { step: "publish" } })
      yield* equal("of a run that reused itself", (yield* third.result).outputs, result.outputs)
      yield* equal("only that is done", worker.asked().slice(before), ["publish/0"])
      yield* wellFormed(yield* collect(same.events))
      yield* next.stop
    })
  ),

  law("refuses what cannot be done again, and records nothing then", ({ log, plane, work }) =>
    Effect.gen(function* () {
      const running = yield* plane.registerRun({
        workflow: Workflow.make("w").pipe(
          Workflow.step("a", { skill: "work" }),
          Workflow.step("each", { skill: "work", forEach: [1] }),
          Workflow.step("sum", { reduce: { over: [1], initial: 0, value: "{{ acc }}" } })
        )
      })
      yield* work.reached(2)
      const head = yield* log.head
      const refused = (name: string, from: Parameters<typeof plane.rerun>[1], id: string = running.runId) =>
        Effect.map(fails(name, "RerunRefused", plane.rerun(id, from)), ({ message }) =>
          message.replace(id, "x")
        )
      yield* equal(
        "one that is running",
        yield* refused("running", {}),
        "Cannot do run x again: it is running; wait for its end, or cancel it"
      )
      yield* equal(
        "nothing was recorded",
        (yield* collect(log.read({ after: head }))).filter(({ event }) => event._tag === "RunRegistered"),
        []
      )
      yield* running.control(cancel)
      yield* running.result
      const unknown = 'Cannot do run x again: it has no step "summ"; did you mean "sum"?'
      yield* equal("an unknown step", yield* refused("unknown", { from: { step: "summ" } }), unknown)
      for (const step of ["each", "sum"]) {
        const none = `Cannot do run x again: "${step}" has no input of its own to be changed`
        yield* equal("no input", yield* refused(step, { from: { step, input: 1 } }), none)
      }
      yield* fails("an unknown run", "RunNotFound", plane.rerun("nobody"))
      yield* work.open
      const again = yield* plane.rerun(running.runId)
      yield* equal("a cancelled one goes on", (yield* again.result).status, "Completed")
      const complete = "Cannot do run x again: it has completed, so it has no failure to go on from"
      yield* equal("one without a failure", yield* refused("completed", {}, again.runId), complete)
      yield* equal("the entries end", tags(yield* collect(again.events)).at(-1), "RunCompleted")
    })
  )
]
