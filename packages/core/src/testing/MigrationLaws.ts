import * as Effect from "effect/Effect"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import * as DefinitionHash from "../DefinitionHash.js"
import { RunId, StepId } from "../Ids.js"
import { QueryService } from "../QueryService.js"
import * as Workflow from "../Workflow.js"
import type { Definition, StepDefinition } from "../WorkflowDefinition.js"
import { collect, law, type Plane, tags, wellFormed } from "./ControlPlaneLaws.js"
import { becomes } from "./CrashedHost.js"
import type { GatedAgent } from "./GatedAgent.js"
import * as Host from "./Host.js"
import { equal, fails, holds, type Law } from "./Law.js"
import { seen } from "./WaitingLaws.js"

const pause: ControlCommand = { _tag: "Pause" }
const resume: ControlCommand = { _tag: "Resume" }
const cancel: ControlCommand = { _tag: "Cancel" }

const step = Workflow.stepDefinition

const workflow = (steps: ReadonlyArray<StepDefinition>, more: Partial<Definition> = {}): Definition => ({
  name: "report",
  ...more,
  steps
})

const collecting = step("collect", { skill: "work", input: "facts" })
const writing = step("write", { skill: "work", after: ["collect"], input: "{{ steps.collect.output }}" })
const before = workflow([collecting, writing])
const after = workflow([
  step("check", { skill: "work", after: ["collect"], input: "{{ steps.collect.output + ', checked' }}" }),
  collecting,
  step("publish", { skill: "work", after: ["check"], input: "{{ steps.check.output }}" })
])

/** A run that is paused when its first call has ended. */
const pausedAfterOne = (run: RunHandle, work: GatedAgent) =>
  Effect.gen(function* () {
    yield* work.reached(1)
    yield* run.control(pause)
    yield* work.release()
    yield* becomes(run, "Paused")
  })

/** The reasons of a refusal, one a line. */
const reasons = (error: { readonly message: string }, runId: string): ReadonlyArray<string> =>
  error.message
    .split("\n")
    .slice(1)
    .map((line) => line.trim().replaceAll(runId, "x"))

/** What every control plane promises about runs and the versions of their workflows. */
export const MigrationLaws: ReadonlyArray<Law<Plane>> = [
  law("keeps a run to the definition that it was registered with", ({ log, plane, work }) =>
    Effect.gen(function* () {
      const query = yield* QueryService
      const own = { ...before, steps: [...before.steps] }
      const hash = DefinitionHash.make(before)
      const dry = yield* plane.dryRun({ workflow: own })
      yield* equal("a dry run tells the hash", dry.definitionHash, hash)
      const first = yield* plane.registerRun({ workflow: own, id: "first" })
      yield* work.reached(1)
      own.steps.push(step("more", { skill: "work" }))
      const second = yield* plane.registerRun({ workflow: own, id: "second" })
      yield* plane.registerRun({ workflow: after, id: "third" })
      yield* work.open
      const results = [yield* first.result, yield* second.result]
      const ids = results.map(({ steps }) => steps.map(({ stepId }) => stepId))
      yield* equal("their steps", ids, [
        ["collect", "write"],
        ["collect", "write", "more"]
      ])
      const recorded = (yield* collect(log.read({ runs: [first.runId] }))).flatMap(({ event }) =>
        event._tag === "RunRegistered" ? [event.hash] : []
      )
      yield* equal("the hash is recorded", recorded, [hash])
      yield* query.sync
      const rows = [yield* query.getRun("first"), yield* query.getRun("second")]
      yield* equal(
        "the hashes that are shown",
        rows.map(({ definitionHash }) => definitionHash),
        [hash, DefinitionHash.make(own)]
      )
      const reordered = { steps: before.steps, name: before.name }
      const same = yield* plane.registerRun({ workflow: reordered, id: "first" })
      yield* equal("the same content is the same run", same.runId, first.runId)
    })
  ),

  law("has a paused run go on by another definition, with what was done before", ({ plane, work }) =>
    Effect.gen(function* () {
      const query = yield* QueryService
      const run = yield* plane.registerRun({ workflow: before, id: "run" })
      yield* pausedAfterOne(run, work)
      yield* plane.migrate(run.runId, after)
      yield* equal("it stays paused", yield* run.status, "Paused")
      yield* query.sync
      const row = yield* query.getRun(run.runId)
      yield* equal("what it is pinned to", row.definitionHash, DefinitionHash.make(after))
      yield* equal(
        "its steps",
        (yield* query.getSteps(run.runId)).map(({ position, status, stepId }) => [position, stepId, status]),
        [
          [0, "check", "Pending"],
          [1, "collect", "Succeeded"],
          [2, "publish", "Pending"]
        ]
      )
      yield* work.open
      yield* run.control(resume)
      const { outputs, status } = yield* run.result
      yield* equal(
        "it completes",
        [status, outputs],
        ["Completed", { check: "facts, checked", collect: "facts", publish: "facts, checked" }]
      )
      yield* query.sync
      yield* equal("an output", yield* query.getOutput(run.runId, "publish"), "facts, checked")
      const entries = yield* collect(run.events)
      yield* wellFormed(entries)
      yield* equal(
        "nothing is recorded besides",
        tags(entries).filter((tag) => tag === "RunInterrupted"),
        []
      )
      for (const each of [before, after]) {
        const again = yield* plane.registerRun({ workflow: each, id: "run" })
        yield* equal("it is found by either content", again.runId, run.runId)
      }
      yield* fails(
        "by no other",
        "RunExists",
        plane.registerRun({ workflow: workflow([collecting]), id: "run" })
      )
    })
  ),

  law(
    "goes on with lists and waits that had begun, with limits and parameters of the new plan",
    ({ plane, work }) =>
      Effect.gen(function* () {
        const query = yield* QueryService
        const each = step("each", { skill: "work", forEach: "{{ params.files }}" })
        const ask = step("ask", { approval: { approvers: ["ann"] } })
        const params = (more: object = {}) => ({
          params: { properties: { files: { type: "array" }, ...more } }
        })
        const run = yield* plane.registerRun({
          workflow: workflow([each, ask], { concurrency: 1, ...params() }),
          params: { files: ["a", "b", "c"] }
        })
        yield* seen(run, "StepWaiting")
        yield* pausedAfterOne(run, work)
        const mode = { mode: { type: "string", default: "fast" } }
        const sum = step("sum", {
          skill: "work",
          after: ["each", "ask"],
          forEach: "{{ steps.each.output }}",
          input: "{{ item + params.mode }}"
        })
        yield* plane.migrate(
          run.runId,
          workflow([ask, sum, { ...each, concurrency: 2 }], { concurrency: 2, ...params(mode) })
        )
        yield* run.control({ _tag: "Decide", stepId: StepId.make("ask"), decision: "approve", by: "ann" })
        yield* run.control(resume)
        yield* work.reached(2)
        yield* work.open
        const { outputs, status } = yield* run.result
        yield* equal(
          "it completes",
          [status, outputs.each, outputs.sum],
          ["Completed", ["a", "b", "c"], ["afast", "bfast", "cfast"]]
        )
        yield* equal("each is done once", work.calls.filter(({ task }) => task.stepId === "each").length, 3)
        yield* query.sync
        yield* equal("the items of a new step", yield* query.getOutput(run.runId, "sum"), [
          "afast",
          "bfast",
          "cfast"
        ])
        yield* wellFormed(yield* collect(run.events))
      })
  ),

  law(
    "says everything at once that speaks against a migration, and records nothing then",
    ({ log, plane, work }) =>
      Effect.gen(function* () {
        const steps = [
          collecting,
          step("skipped", { skill: "work", when: "false || params.n > 1", after: ["collect"] }),
          step("broken", { agent: "nobody", onFailure: "continue" }),
          step("each", { skill: "work", after: ["collect"], forEach: [1, 2], concurrency: 1 }),
          step("ask", { approval: { message: "Go on?" }, after: ["collect"] }),
          step("whole", {
            skill: "work",
            after: ["collect"],
            forEach: [1, 2],
            label: "{{ params }}",
            concurrency: 1
          }),
          step("later", { skill: "work", after: ["each", "whole", "ask"] })
        ]
        const run = yield* plane.registerRun({ workflow: workflow(steps), params: { n: 1 } })
        yield* work.release()
        yield* work.reached(1)
        yield* work.release()
        yield* work.reached(2)
        yield* run.control(pause)
        yield* work.release(2)
        yield* seen(run, "RunPaused")
        const head = yield* log.head
        const refused = (definition: Definition, id: string = run.runId) =>
          Effect.map(fails("it is refused", "MigrationRefused", plane.migrate(id, definition)), (error) =>
            reasons(error, id)
          )
        const early = step("early", { skill: "work" })
        const changed = workflow(
          [
            early,
            step("collect", { skill: "work", input: "other facts", after: ["early"] }),
            step("skipped", { skill: "work", when: "true" }),
            step("broken", { agent: "nobody", after: ["collect"], onFailure: "failRun" }),
            step("each", {
              agent: "work",
              after: ["collect", "broken"],
              forEach: [1, 2]
            }),
            step("whole", { skill: "work", after: ["collect"], forEach: [1, 2], label: "{{ params }}" })
          ],
          {
            name: "reports",
            params: { required: ["m"], properties: { n: { type: "string" }, m: { type: "string" } } }
          }
        )
        yield* equal("all reasons", yield* refused(changed), [
          'name: the run is one of "report"; register another one for "reports"',
          'params: "m" is missing; give it a value',
          "params: n: this must be a text, not 1",
          'steps[1].input: "collect" has succeeded, so this has to stay as it was: "facts"',
          'steps[1].after: "collect" has succeeded, so it cannot wait for "early" any more, which is not settled',
          'steps[2].when: "skipped" was skipped, so this has to stay as it was: "false || params.n > 1"',
          'steps[3].onFailure: "broken" has failed, so this has to stay as it was: "continue"',
          'steps[4].skill: "each" is under way, so this has to stay as it was: "work"',
          'steps[4].agent: "each" is under way, so this has to stay as it was: nothing',
          'steps[4].after: "each" is under way; it would be skipped now: dependency broken failed',
          'steps: "ask" waits, and there is no such step any more; keep it'
        ])
        const defaulted = { properties: { n: { type: "integer" }, m: { default: 1 } } }
        yield* equal("more parameters", yield* refused(workflow(steps, { params: defaulted })), [
          'steps[5]: "whole" is under way with all parameters, which would have m besides'
        ])
        yield* fails("no workflow", "InvalidWorkflow", plane.migrate(run.runId, workflow([])))
        yield* fails("an unknown run", "RunNotFound", plane.migrate("nobody", after))
        yield* fails("a bad id", "InvalidId", plane.migrate(run.runId, after, "no id"))
        yield* equal("nothing was recorded", yield* log.head, head)
        yield* run.control(resume)
        yield* work.reached(2)
        const [status] = yield* refused(workflow(steps.slice(0, -1)))
        yield* equal("one that runs", status, "status: the run is running; pause it first")
        yield* plane.migrate(run.runId, workflow(steps))
        yield* run.control(cancel)
        yield* run.result
        yield* equal("one that has ended", yield* refused(after), [
          "status: the run has ended (Cancelled); do it again with rerun, or register another one"
        ])
      })
  ),

  law(
    "takes a migration once, also over a restart, and keeps its id from other commands",
    ({ log, plane, work }) =>
      Effect.gen(function* () {
        const host = yield* Host.start()
        const run = yield* host.plane.registerRun({ workflow: before })
        yield* pausedAfterOne(run, work)
        yield* host.plane.migrate(run.runId, after, "once")
        yield* host.plane.migrate(run.runId, after, "once")
        yield* host.plane.migrate(run.runId, after, "unneeded")
        const count = Effect.map(
          collect(log.read({ runs: [run.runId] })),
          (entries) => tags(entries).filter((tag) => tag === "RunMigrated").length
        )
        yield* equal("it is recorded once", yield* count, 1)
        const other = workflow([collecting, step("other", { skill: "work" })])
        yield* fails("other content", "CommandConflict", host.plane.migrate(run.runId, other, "once"))
        yield* fails("another command", "CommandConflict", run.control(cancel, "once"))
        yield* host.plane.migrate(run.runId, other, "twice")
        yield* host.plane.migrate(run.runId, after, "once")
        yield* host.stop
        const next = yield* Host.start()
        const resting = yield* next.plane.get(run.runId)
        yield* equal("it stands interrupted", yield* resting.status, "Interrupted")
        yield* next.plane.migrate(run.runId, other, "twice")
        yield* fails("other content later", "CommandConflict", next.plane.migrate(run.runId, after, "twice"))
        yield* equal("nothing more was recorded", yield* count, 2)
        yield* work.open
        yield* next.plane.sendCommand(run.runId, resume)
        const { outputs, status } = yield* resting.result
        yield* equal(
          "it goes on by the latest",
          [status, Object.keys(outputs)],
          ["Completed", ["collect", "other"]]
        )
        yield* fails("elsewhere", "RunNotFound", plane.migrate("nobody", other))
        yield* next.stop
      })
  ),

  law("goes by the new definition after a crash, and gives one to a run that crashed", ({ log, work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: before })
      yield* pausedAfterOne(run, work)
      yield* host.plane.migrate(run.runId, after)
      const left = (yield* collect(log.read({ runs: [run.runId] }))).map(({ event }) => event)
      yield* run.control(cancel)
      yield* run.result
      yield* host.stop
      const [paused, running] = [RunId.make("paused"), RunId.make("running")]
      yield* log.append(paused, left)
      yield* log.append(
        running,
        left.slice(
          0,
          left.findIndex(({ _tag }) => _tag === "PauseRequested")
        )
      )
      const next = yield* Host.start()
      const later = workflow([...after.steps, step("last", { skill: "work", input: "end" })])
      yield* next.plane.migrate(running, later)
      yield* next.plane.migrate(paused, later)
      const recovered = yield* next.plane.recover
      yield* holds("both are recovered", recovered.length === 2, recovered.length)
      yield* work.open
      for (const each of recovered) {
        if (each.runId === paused) {
          yield* becomes(each, "Paused")
          yield* each.control(resume)
        }
        const { outputs, status } = yield* each.result
        yield* equal(
          "it completes by the latest",
          [status, outputs.publish, outputs.last],
          ["Completed", "facts, checked", "end"]
        )
        yield* wellFormed(yield* collect(each.events))
      }
      yield* next.stop
    })
  ),

  law("does a migrated run again by the definition that it has", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: before })
      yield* pausedAfterOne(run, work)
      yield* plane.migrate(run.runId, after)
      yield* work.open
      yield* run.control(resume)
      yield* run.result
      const again = yield* plane.rerun(run.runId, { from: { step: "check", input: "edited" } })
      const { outputs } = yield* again.result
      yield* equal("its outputs", outputs, { check: "edited", collect: "facts", publish: "edited" })
    })
  )
]
