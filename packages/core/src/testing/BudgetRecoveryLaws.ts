import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type { RunHandle } from "../ControlPlane.js"
import { QueryService } from "../QueryService.js"
import * as Workflow from "../Workflow.js"
import { collect, law, type Plane, wellFormed } from "./ControlPlaneLaws.js"
import { becomes } from "./CrashedHost.js"
import * as Host from "./Host.js"
import { equal, eventually, fails, holds, type Law } from "./Law.js"
import * as ScriptedAgent from "./ScriptedAgent.js"
import { ended, eventsOf, fanOut, makeSpender, numbers, raise, registered, until, usedBy } from "./Spender.js"

/** What every control plane promises about budgets of time and of owners, and about those of runs that go on elsewhere. */
export const BudgetRecoveryLaws: ReadonlyArray<Law<Plane>> = [
  law("takes the budget that a run is registered with, shows it, and keeps it over a restart", () =>
    Effect.gen(function* () {
      const spender = makeSpender()
      yield* registered(spender.agent)
      const host = yield* Host.start()
      const nothing = host.plane.registerRun({ workflow: fanOut(6, { tokens: 1 }), budget: {} })
      const { problems } = yield* fails("a budget without a ceiling", "InvalidWorkflow", nothing)
      yield* equal(
        "where it is wrong",
        problems.map(({ path, rule }) => [path, rule]),
        [["budget", "budget"]]
      )
      const run = yield* host.plane.registerRun({
        workflow: fanOut(6, { tokens: 1 }),
        budget: { tokens: 500, costMicroUsd: 7 }
      })
      yield* until(run, "OverBudget")
      const query = yield* QueryService
      yield* query.sync
      const row = yield* query.getRun(run.runId)
      yield* equal("the budget", row.budget, { tokens: 500, costMicroUsd: 7 })
      yield* equal("the breach", row.breach?.spent, 500)
      yield* host.stop
      const next = yield* Host.start()
      const [again] = yield* next.plane.recover
      if (again === undefined) return yield* holds("it is recovered", false)
      yield* becomes(again, "OverBudget")
      yield* again.control(raise({ tokens: 600 }))
      yield* ended(again, "Completed")
      yield* equal("nothing is done twice", spender.agent.calls.length, 6)
      const warnings = yield* eventsOf(again, "BudgetWarning")
      yield* equal(
        "each warning is given once",
        warnings.map(({ limit }) => limit),
        [500, 600]
      )
      yield* wellFormed(yield* collect(again.events))
      yield* next.stop
    })
  ),

  law("counts the running time of a run and of its steps, and not that of pauses", ({ plane }) =>
    Effect.gen(function* () {
      const slow = yield* registered(
        ScriptedAgent.make("slow", ({ input }) => [ScriptedAgent.wait(40_000), ScriptedAgent.give(input)])
      )
      const workflow = Workflow.make("slow", { budget: { wallMillis: 60_000, warnAt: 0.5 } }).pipe(
        Workflow.step("first", { skill: "slow" }),
        Workflow.step("second", { skill: "slow", after: ["first"], budget: { wallMillis: 50_000 } })
      )
      const run = yield* plane.registerRun({ workflow })
      yield* eventually("it begins", () => slow.running() === 1)
      yield* TestClock.adjust(10_000)
      yield* run.control({ _tag: "Pause" })
      yield* TestClock.adjust(30_000)
      yield* becomes(run, "Paused")
      yield* TestClock.adjust(1_000_000)
      yield* run.control({ _tag: "Resume" })
      yield* until(run, "OverBudget", 1_000)
      yield* equal("what was under way is interrupted", slow.interrupted(), 1)
      yield* run.control(raise({ wallMillis: 200_000 }))
      yield* until(run, "OverBudget", 1_000)
      const breaches = yield* eventsOf(run, "BudgetExceeded")
      const ceilings = breaches.map(({ dimension, limit, spent, stepId }) => [
        stepId,
        dimension,
        limit,
        spent
      ])
      yield* equal("the breaches", ceilings, [
        [undefined, "wallMillis", 60_000, 60_000],
        ["second", "wallMillis", 50_000, 50_000]
      ])
      yield* run.control(raise({ wallMillis: 100_000 }, "second"))
      yield* equal("it completes", (yield* ended(run, "Completed", 1_000)).status, "Completed")
      const warnings = yield* eventsOf(run, "BudgetWarning")
      const told = warnings.map(({ limit, scope }) => [scope, limit])
      yield* equal("the warnings", told, [
        ["run", 60_000],
        ["step", 50_000],
        ["run", 200_000],
        ["step", 100_000]
      ])
      yield* wellFormed(yield* collect(run.events))
    })
  ),

  law("keeps all runs of an owner within one budget, also over a restart", () =>
    Effect.gen(function* () {
      const spender = makeSpender()
      yield* registered(spender.agent)
      const owners = (count: number) => ({ budgets: { owners: { ann: { tokens: count } } } })
      const workflow = Workflow.make("owned").pipe(
        Workflow.step("each", { skill: "spend", forEach: numbers(8) })
      )
      const host = yield* Host.start(owners(1_000))
      const mine = yield* Effect.forEach([1, 2], () => host.plane.registerRun({ workflow, owner: "ann" }))
      const other = yield* host.plane.registerRun({ workflow, owner: "bob" })
      yield* ended(other, "Completed")
      const used = Effect.map(Effect.forEach(mine, usedBy), (all) => all.reduce((sum, each) => sum + each))
      const over = (runs: ReadonlyArray<RunHandle>) =>
        Effect.forEach(runs, (run) => Effect.map(run.status, (status) => status === "OverBudget"))
      for (let turn = 0; turn < 50; turn++) yield* TestClock.adjust(10)
      yield* holds("one stands still", (yield* over(mine)).includes(true))
      yield* equal("what both have used", yield* used, 1_000)
      yield* host.stop
      const next = yield* Host.start(owners(1_200))
      const again = yield* next.plane.recover
      for (let turn = 0; turn < 50; turn++) yield* TestClock.adjust(10)
      yield* equal("it goes on as far as the new one goes", yield* used, 1_200)
      yield* next.plane.setOwnerBudget("ann", { tokens: 1_300 })
      for (let turn = 0; turn < 50; turn++) yield* TestClock.adjust(10)
      yield* equal("and further", yield* used, 1_300)
      yield* next.plane.setOwnerBudget("ann", undefined)
      for (const run of again) yield* ended(run, "Completed")
      yield* equal("everything is done once", spender.agent.calls.length, 24)
      for (const run of again) yield* wellFormed(yield* collect(run.events))
      yield* next.stop
    })
  )
]
