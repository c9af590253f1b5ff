import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import type { Event } from "../Event.js"
import type { Json } from "../Json.js"
import * as Workflow from "../Workflow.js"
import { collect, law, type Plane, wellFormed } from "./ControlPlaneLaws.js"
import { equal, eventually, fails, holds, type Law } from "./Law.js"
import * as ScriptedAgent from "./ScriptedAgent.js"
import {
  ended,
  eventsOf,
  fanOut,
  makeSpender,
  numbers,
  raise,
  registered,
  tokens,
  until,
  usedBy
} from "./Spender.js"

const seen = (run: RunHandle, tag: Event["_tag"]) =>
  run.events.pipe(
    Stream.filter(({ event }) => event._tag === tag),
    Stream.runHead
  )

/** What every control plane promises about budgets. */
export const BudgetLaws: ReadonlyArray<Law<Plane>> = [
  law("never lets a fan-out use more than there is, and goes on once there is more", ({ plane }) =>
    Effect.gen(function* () {
      const spender = makeSpender()
      yield* registered(spender.agent)
      const run = yield* plane.registerRun({ workflow: fanOut(50, { tokens: 1_000 }) })
      yield* until(run, "OverBudget")
      yield* equal("what is used", yield* usedBy(run), 1_000)
      yield* equal("how many were made", spender.agent.calls.length, 10)
      yield* equal("one alone at first, then what fits", spender.most(), 9)
      yield* equal("what is recorded", yield* eventsOf(run, "BudgetExceeded"), [
        {
          _tag: "BudgetExceeded",
          scope: "run",
          dimension: "tokens",
          limit: 1_000,
          spent: 1_000,
          onBreach: "pause"
        }
      ])
      yield* run.control(raise({ tokens: 1_650 }))
      yield* eventually("it goes on", () => spender.agent.calls.length > 10)
      yield* until(run, "OverBudget")
      yield* equal("what is used then", yield* usedBy(run), 1_600)
      yield* run.control(raise({ tokens: 5_000 }), "more")
      yield* run.control(raise({ tokens: 5_000 }), "more")
      const result = yield* ended(run, "Completed")
      yield* equal("everything is done once", result.outputs.each, numbers(50))
      yield* equal("calls", spender.agent.calls.length, 50)
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law("warns once for each ceiling when its share is reached", ({ plane }) =>
    Effect.gen(function* () {
      yield* registered(makeSpender().agent)
      const workflow = fanOut(
        20,
        { tokens: 1_000, warnAt: 0.5 },
        { budget: { tokens: 10_000, warnAt: 0.1, estimate: { tokens: 100 } } }
      )
      const run = yield* plane.registerRun({ workflow })
      yield* until(run, "OverBudget")
      yield* run.control(raise({ tokens: 2_000 }))
      yield* ended(run, "Completed")
      const warnings = yield* eventsOf(run, "BudgetWarning")
      const told = warnings.map(({ limit, scope, spent }) => [scope, limit, spent])
      yield* equal("the warnings", told, [
        ["run", 1_000, 500],
        ["step", 10_000, 1_000],
        ["run", 2_000, 1_100]
      ])
    })
  ),

  law("interrupts what goes on using more than there is, and counts what it has used", ({ plane }) =>
    Effect.gen(function* () {
      const loop = yield* registered(
        ScriptedAgent.make("spend", ({ index }) =>
          index === 0
            ? [ScriptedAgent.give(0, tokens(100))]
            : numbers(100).flatMap((n) => [
                ScriptedAgent.say({ usage: tokens(50 * n) }),
                ScriptedAgent.wait(10)
              ])
        )
      )
      const run = yield* plane.registerRun({ workflow: fanOut(3, { tokens: 1_000 }) })
      yield* until(run, "OverBudget")
      yield* equal("nothing is under way", loop.running(), 0)
      yield* equal("both were interrupted", loop.interrupted(), 2)
      const used = yield* usedBy(run)
      yield* holds("it stops at once", used > 1_000 && used <= 1_050, used)
      const [breach] = yield* eventsOf(run, "BudgetExceeded")
      yield* equal("the breach", [breach?.limit, breach?.spent], [1_000, used])
      yield* run.control({ _tag: "Cancel" })
      yield* equal("it can be cancelled", (yield* run.result).status, "Cancelled")
      yield* equal("what was used stays counted", yield* usedBy(run), used)
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law("fails the run or the step where the budget says so, without a retry or another agent", ({ plane }) =>
    Effect.gen(function* () {
      const spender = makeSpender()
      yield* registered(spender.agent)
      const retry = { attempts: 5, initial: 0 }
      const run = yield* plane.registerRun({
        workflow: fanOut(10, { tokens: 300, onBreach: "fail" }, { retry })
      })
      const result = yield* ended(run, "Failed")
      yield* equal("why the run fails", result.failure, {
        kind: "BudgetExceeded",
        message: "the budget of the run is 300 tokens, and 300 tokens are used"
      })
      yield* equal("calls", spender.agent.calls.length, 3)
      const budget = { costMicroUsd: 1, tokens: 250, onBreach: "fail" } as const
      const beside = yield* plane.registerRun({
        workflow: Workflow.make("beside").pipe(
          Workflow.step("each", {
            skill: "spend",
            forEach: numbers(9),
            budget,
            retry,
            onFailure: "continue"
          }),
          Workflow.step("other", { skill: "spend", input: "fine" }),
          Workflow.step("last", { skill: "spend", after: ["each", "other"], join: "allSettled", input: 1 })
        )
      })
      const { outputs, status, steps } = yield* ended(beside, "Completed")
      yield* equal("the others go on", [status, outputs.other, outputs.last], ["Completed", "fine", 1])
      yield* equal("why the step fails", steps.map(({ failure }) => [failure?.kind, failure?.message])[0], [
        "BudgetExceeded",
        'the budget of step "each" is 250 tokens, and 200 tokens are used'
      ])
      yield* wellFormed(yield* collect(beside.events))
    })
  ),

  law("keeps steps within their own budgets, and raises those", ({ plane }) =>
    Effect.gen(function* () {
      const spender = makeSpender()
      yield* registered(spender.agent)
      const workflow = Workflow.make("steps").pipe(
        Workflow.step("small", {
          skill: "spend",
          forEach: numbers(4),
          budget: { tokens: 200, estimate: { tokens: 100 } }
        }),
        Workflow.step("free", { skill: "spend", forEach: numbers(4), concurrency: 1 })
      )
      const run = yield* plane.registerRun({ workflow })
      yield* until(run, "OverBudget")
      const [breach] = yield* eventsOf(run, "BudgetExceeded")
      yield* equal("the breach", [breach?.scope, breach?.stepId, breach?.spent], ["step", "small", 200])
      const refused = (command: ControlCommand) =>
        Effect.map(fails("it is refused", "IllegalCommand", run.control(command)), ({ reason }) => reason)
      yield* equal(
        "resuming",
        yield* refused({ _tag: "Resume" }),
        "it is over its budget; send RaiseBudget with a higher ceiling to go on with it, or Cancel to end it"
      )
      yield* equal(
        "an unknown step",
        yield* refused(raise({ tokens: 500 }, "smal")),
        'there is no step "smal"; did you mean "small"?'
      )
      yield* equal(
        "too little",
        yield* refused(raise({ tokens: 200 }, "small")),
        'step "small" has used 200 tokens already; give more than that'
      )
      yield* equal(
        "nothing to raise",
        yield* refused(raise({ costMicroUsd: 1 }, "small")),
        'step "small" has no ceiling of costMicroUsd to be raised'
      )
      const none = "it gives no ceiling; give tokens, costMicroUsd or wallMillis"
      yield* equal("nothing", yield* refused(raise({}, "small")), none)
      yield* run.control(raise({ tokens: 400 }, "small"))
      yield* equal("it completes", (yield* ended(run, "Completed")).status, "Completed")
      yield* equal("calls", spender.agent.calls.length, 8)
    })
  ),

  law("gives what is left to the higher priority, and lets go on what has room", ({ plane }) =>
    Effect.gen(function* () {
      const began: Array<Json> = []
      const atOnce: Array<number> = []
      const agent: ScriptedAgent.ScriptedAgent = yield* registered(
        ScriptedAgent.make("spend", ({ stepId }) => {
          began.push(stepId)
          atOnce.push(agent.running())
          return [ScriptedAgent.wait(10), ScriptedAgent.give(1, tokens(100))]
        })
      )
      const estimate = { estimate: { tokens: 100 } }
      const workflow = Workflow.make("shared", { budget: { tokens: 500 } }).pipe(
        Workflow.step("low", { skill: "spend", forEach: numbers(3), budget: estimate }),
        Workflow.step("high", { skill: "spend", forEach: numbers(4), priority: 5, budget: estimate })
      )
      const run = yield* plane.registerRun({ workflow })
      yield* until(run, "OverBudget")
      yield* equal("as many at once as are estimated to fit", Math.max(...atOnce), 5)
      yield* equal("who began", began.filter((stepId) => stepId === "high").length, 4)
      yield* run.control(raise({ tokens: 700 }))
      yield* ended(run, "Completed")
    })
  ),

  law("turns back what waits for its share when the run is paused", ({ plane }) =>
    Effect.gen(function* () {
      const spender = makeSpender()
      yield* registered(spender.agent)
      const workflow = fanOut(5, { tokens: 1_000 }, { budget: { estimate: { tokens: 600 } } })
      const run = yield* plane.registerRun({ workflow })
      yield* eventually("one begins", () => spender.agent.running() === 1)
      yield* seen(run, "ItemStarted")
      yield* run.control({ _tag: "Pause" })
      yield* until(run, "Paused")
      yield* equal("no other one began", spender.agent.calls.length, 1)
      yield* run.control(raise({ tokens: 9_000 }))
      yield* run.control({ _tag: "Resume" })
      yield* ended(run, "Completed")
      yield* equal("calls", spender.agent.calls.length, 5)
    })
  )
]
