import * as Effect from "effect/Effect"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import { logId, StepId } from "../Ids.js"
import { longestOutput, type Paging, type Service } from "../QueryService.js"
import type { WaitingFilter } from "../WaitingStep.js"
import * as Workflow from "../Workflow.js"
import type { Plane } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal, fails, holds, type Law } from "./Law.js"
import { agrees, law } from "./QueryLaws.js"
import { seen } from "./WaitingLaws.js"

const decide = (stepId: string, decision: "approve" | "reject", by = "ann"): ControlCommand => ({
  _tag: "Decide",
  stepId: StepId.make(stepId),
  decision,
  by
})

const desk = Workflow.make("desk", { onStepFailure: "drain" }).pipe(
  Workflow.step("ask", { approval: { message: "Deploy {{ params.what }}?", approvers: ["ann", "bob"] } }),
  Workflow.step("open", { approval: { expiresMillis: 90_000_000 }, onFailure: "continue" }),
  Workflow.step("hear", { wait: { signal: "go" } }),
  Workflow.step("sleep", { wait: { until: "2100-01-01T00:00:00Z" } }),
  Workflow.step("beside", { skill: "work" })
)

const question = Workflow.make("question").pipe(
  Workflow.step("ask", { approval: { approvers: ["bob"] } }),
  Workflow.step("again", { approval: {}, after: ["ask"] })
)

/** What is listed, a page at a time, as `run/step`. */
const listed = (query: Service, filter?: WaitingFilter, limit = 2) =>
  Effect.gen(function* () {
    yield* query.sync
    const found: Array<string> = []
    let paging: Paging = { limit }
    for (;;) {
      const { items, next } = yield* query.waiting(filter, paging)
      yield* holds("a page is no longer than asked for", items.length <= limit, items)
      found.push(...items.map(({ runId, stepId }) => `${runId}/${stepId}`))
      if (next === undefined) return found
      paging = { limit, cursor: next }
    }
  })

const waitingIn = (query: Service, run: RunHandle, stepId: string) =>
  Effect.gen(function* () {
    yield* query.sync
    const steps = yield* query.getSteps(run.runId)
    return steps.find((step) => step.stepId === stepId)
  })

/** What every read side promises about steps that wait, and about what steps come to. */
export const WaitingQueryLaws: ReadonlyArray<Law<Plane>> = [
  law("shows what a step waits for, until that has come", ({ plane, query }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: desk, params: { what: "it" }, id: "a", owner: "o" })
      yield* seen(run, "StepWaiting", 4)
      yield* agrees(query, run.runId)
      const [first] = (yield* query.waiting()).items
      yield* holds("a time", first !== undefined && first.since > -1 && first.firstSeq > 0, first)
      yield* equal(
        "who is asked what",
        [first?.stepId, first?.workflow, first?.owner, first?.runStatus, first?.message, first?.approvers],
        ["ask", "desk", "o", "Running", "Deploy it?", ["ann", "bob"]]
      )
      const open = yield* waitingIn(query, run, "open")
      const millis = (open?.waiting?.until ?? 0) - (open?.waiting?.since ?? 0)
      yield* holds("how long", millis > 89_900_000 && millis <= 90_000_000, millis)
      yield* equal("a time", (yield* waitingIn(query, run, "sleep"))?.waiting?.until, 4_102_444_800_000)
      yield* run.control({ _tag: "Pause", mode: "interrupt" })
      yield* seen(run, "RunPaused")
      yield* run.control(decide("ask", "approve"))
      yield* run.control({ _tag: "Signal", name: "go", payload: { n: 1 } })
      const ask = yield* waitingIn(query, run, "ask")
      yield* equal("it goes on later", [ask?.status, ask?.waiting], ["Waiting", null])
      yield* equal("what is left", yield* listed(query, { for: "any" }), ["a/open", "a/sleep"])
      yield* agrees(query, run.runId)
      yield* run.control({ _tag: "Resume" })
      yield* seen(run, "StepCompleted", 2)
      yield* agrees(query, run.runId)
      const heard = yield* waitingIn(query, run, "hear")
      yield* equal("what came", [heard?.output, heard?.outputLength], [{ n: 1 }, 7])
      yield* run.control(decide("open", "reject", "eve"))
      yield* seen(run, "StepFailed")
      yield* equal("what is left then", yield* listed(query, { for: "any" }), ["a/sleep"])
      yield* run.control({ _tag: "Cancel" })
      yield* run.result
      yield* equal("nothing is left", yield* listed(query, { for: "any" }), [])
      yield* agrees(query, run.runId)
    })
  ),

  law("lists steps that wait by filter and page by page, the longest first", ({ plane, query, work }) =>
    Effect.gen(function* () {
      // Names do not sort as they were made, so that the order is seen to be that of time.
      for (const [index, id] of ["m", "z", "a", "y"].entries()) {
        const workflow = index % 2 === 0 ? desk : question
        const owner = index < 2 ? "early" : "late"
        const run = yield* plane.registerRun({ workflow, params: { what: "it" }, id, owner })
        yield* seen(run, "StepWaiting", index % 2 === 0 ? 4 : 1)
        yield* agrees(query, run.runId)
      }
      const asks = ["m/ask", "m/open", "z/ask", "a/ask", "a/open", "y/ask"]
      yield* equal("for a decision", yield* listed(query), asks)
      yield* equal("in long pages", yield* listed(query, {}, 100), asks)
      yield* equal("for a time", yield* listed(query, { for: "time" }), ["m/sleep", "a/sleep"])
      yield* equal("for a signal", yield* listed(query, { for: "signal" }), ["m/hear", "a/hear"])
      yield* equal("for anything", (yield* listed(query, { for: "any" })).length, 10)
      yield* equal("for ann", yield* listed(query, { approver: "ann" }), [
        "m/ask",
        "m/open",
        "a/ask",
        "a/open"
      ])
      yield* equal("for bob", yield* listed(query, { approver: "bob" }), asks)
      yield* equal("for a stranger", yield* listed(query, { approver: "eve" }), ["m/open", "a/open"])
      yield* equal("nobody decides times", yield* listed(query, { approver: "bob", for: "time" }), [])
      yield* equal("or signals", yield* listed(query, { approver: "eve", for: "any" }), ["m/open", "a/open"])
      yield* equal("by owner", yield* listed(query, { owner: "late" }), ["a/ask", "a/open", "y/ask"])
      yield* equal("by workflow", yield* listed(query, { workflow: "question" }), ["z/ask", "y/ask"])
      const all = { approver: "bob", owner: "late", workflow: "desk", for: "approval" } as const
      yield* equal("by all", yield* listed(query, all), ["a/ask", "a/open"])
      yield* equal("after a cursor of nobody", (yield* query.waiting({}, { cursor: "x" })).items, [])
      yield* work.open
      yield* plane.sendCommand("z", decide("ask", "approve", "bob"))
      yield* plane.sendCommand("m", { _tag: "Cancel" })
      const z = yield* plane.get("z")
      yield* seen(z, "StepWaiting", 2)
      // Where the clock stands still, what waits since the same time is in the order of the runs.
      const rest = [...(yield* listed(query))].sort()
      yield* equal("as it goes on", rest, ["a/ask", "a/open", "y/ask", "z/again"])
    })
  ),

  law("lists what waits while no host executes it, and forgets it with its run", ({ log, query }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: desk, params: { what: "it" }, id: "a" })
      yield* seen(run, "StepWaiting", 4)
      yield* query.sync
      yield* host.stop
      yield* equal("all of it", yield* listed(query, { for: "any" }), [
        "a/ask",
        "a/open",
        "a/hear",
        "a/sleep"
      ])
      yield* equal("where it stands", (yield* query.waiting()).items[0]?.runStatus, "Interrupted")
      yield* agrees(query, run.runId)
      const next = yield* Host.start()
      yield* next.plane.sendCommand("a", { _tag: "Cancel" })
      yield* equal("not where it is to end", yield* listed(query, { for: "any" }), [])
      const other = yield* next.plane.registerRun({ workflow: question, id: "b" })
      yield* seen(other, "StepWaiting")
      yield* next.stop
      yield* equal("another one", yield* listed(query, { approver: "bob" }), ["b/ask"])
      yield* log.append(logId, [{ _tag: "RunsRemoved", runs: [other.runId], archived: false }])
      yield* equal("nothing of it", yield* listed(query, { for: "any" }), [])
      yield* equal("for nobody", yield* listed(query, { approver: "bob" }), [])
    })
  ),

  law("gives what every step came to, whole", ({ plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const long = "é".repeat(longestOutput)
      const fitting = "x".repeat(longestOutput - 4)
      const workflow = Workflow.make("outputs").pipe(
        Workflow.step("one", { skill: "work", input: { a: [1] } }),
        Workflow.step("list", { skill: "work", forEach: ["only"] }),
        Workflow.step("none", { skill: "work", forEach: [] }),
        Workflow.step("doubled", { map: { over: [1, 2], value: "{{ item * 2 }}" } }),
        Workflow.step("long", { map: { over: "{{ params.long }}", value: "{{ item }}" } }),
        Workflow.step("fitting", { map: { over: "{{ params.fitting }}", value: "{{ item }}" } }),
        Workflow.step("bad", { skill: "missing", onFailure: "continue" })
      )
      const params = { long: [long], fitting: [fitting] }
      const run = yield* plane.registerRun({ workflow, params })
      yield* run.result
      yield* agrees(query, run.runId)
      const rows = yield* query.getSteps(run.runId)
      const whole = yield* Effect.forEach(rows, ({ stepId }) => query.getOutput(run.runId, stepId))
      yield* equal("whole", whole, [{ a: [1] }, ["only"], [], [2, 4], [long], [fitting], null])
      yield* equal(
        "those of steps without an agent, in their rows",
        rows.map(({ output }) => output),
        [null, null, null, [2, 4], null, [fitting], null]
      )
      yield* equal(
        "how long they are",
        rows.map(({ outputLength }) => outputLength),
        [null, null, null, 5, longestOutput + 4, longestOutput, null]
      )
      yield* equal("of no step", yield* query.getOutput(run.runId, "other"), null)
      yield* fails("of no run", "RunUnknown", query.getOutput("unknown", "one"))
    })
  )
]
