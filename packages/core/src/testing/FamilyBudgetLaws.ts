import * as Effect from "effect/Effect"
import type { RunHandle } from "../ControlPlane.js"
import { RunId } from "../Ids.js"
import { QueryService } from "../QueryService.js"
import * as Usage from "../Usage.js"
import * as Workflow from "../Workflow.js"
import { type Bench, collect, law, type Plane, wellFormed } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal, holds, type Law } from "./Law.js"
import { ended, eventsOf, fanOut, makeSpender, raise, registered, until } from "./Spender.js"

/** Two steps that use 100 tokens each. */
const inner = Workflow.make("inner").pipe(
  Workflow.step("first", { skill: "spend" }),
  Workflow.step("second", { skill: "spend", after: ["first"] })
)

/** Five runs of it, which need 1,000 tokens together. */
const family = (budget: Workflow.Definition["budget"], options: Partial<Workflow.StepOptions<never>> = {}) =>
  Workflow.make("family", budget === undefined ? {} : { budget }).pipe(
    Workflow.step("each", { subworkflow: inner, forEach: [0, 1, 2, 3, 4], ...options })
  )

const childrenOf = (plane: Bench["plane"], run: RunHandle) =>
  Effect.forEach([0, 1, 2, 3, 4], (index) => plane.get(RunId.make(`${run.runId}.each.${index}`)))

const statuses = (plane: Bench["plane"], run: RunHandle) =>
  Effect.flatMap(childrenOf(plane, run), (children) => Effect.all(children.map((child) => child.status)))

/** What every control plane promises about budgets of runs whose items are runs. */
export const FamilyBudgetLaws: ReadonlyArray<Law<Plane>> = [
  law(
    "charges what children use to the run that they belong to, and has all of them stand still",
    ({ plane }) =>
      Effect.gen(function* () {
        const spender = yield* registered(makeSpender().agent)
        const run = yield* plane.registerRun({ workflow: family({ tokens: 600 }) })
        yield* until(run, "OverBudget")
        yield* equal("how many attempts were made", spender.calls.length, 6)
        const standing = yield* statuses(plane, run)
        yield* holds(
          "all stand still",
          standing.every((status) => status === "Paused" || status === "Completed"),
          standing
        )
        const [breach] = yield* eventsOf(run, "BudgetExceeded")
        yield* equal("what is exceeded", [breach?.scope, breach?.limit, breach?.spent], ["run", 600, 600])
        yield* run.control(raise({ tokens: 1_000 }))
        const { summary } = yield* ended(run, "Completed")
        yield* equal("what is used in all", Usage.totalTokens(summary.usage), 1_000)
        const query = yield* QueryService
        yield* query.sync
        yield* equal("it counts once", Usage.totalTokens((yield* query.totals).usage), 1_000)
        yield* equal("nothing is done twice", spender.calls.length, 10)
        yield* wellFormed(yield* collect(run.events))
        for (const child of yield* childrenOf(plane, run)) yield* wellFormed(yield* collect(child.events))
      })
  ),

  law("fails the step whose children use more than it may, and ends them", ({ plane }) =>
    Effect.gen(function* () {
      const spender = yield* registered(makeSpender().agent)
      const workflow = family(undefined, { budget: { tokens: 300, onBreach: "fail" } })
      const run = yield* plane.registerRun({ workflow })
      const { failure } = yield* ended(run, "Failed")
      yield* equal("why", failure?.kind, "BudgetExceeded")
      yield* equal("how many attempts were made", spender.calls.length, 3)
      const left = yield* statuses(plane, run)
      yield* holds(
        "all have ended",
        left.every((status) => status === "Cancelled" || status === "Completed"),
        left
      )
    })
  ),

  law("counts what children used before their host stopped", () =>
    Effect.gen(function* () {
      const spender = yield* registered(makeSpender().agent)
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({
        workflow: family({ tokens: 600 }, { concurrency: 2 }),
        id: "family"
      })
      yield* until(run, "OverBudget")
      yield* host.stop
      const next = yield* Host.start()
      const again = (yield* next.plane.recover).find(({ runId }) => runId === run.runId) ?? run
      yield* until(again, "OverBudget")
      yield* equal("nothing more was done", spender.calls.length, 6)
      yield* next.plane.sendCommand(run.runId, raise({ tokens: 800 }))
      yield* until(again, "OverBudget")
      yield* equal("what there was more", spender.calls.length, 8)
      yield* next.plane.sendCommand(run.runId, raise({ tokens: 1_000 }))
      yield* ended(again, "Completed")
      yield* equal("what was done in all", spender.calls.length, 10)
      yield* next.stop
    })
  ),

  law("counts what children use once for their owner, also over a restart", () =>
    Effect.gen(function* () {
      const spender = yield* registered(makeSpender().agent)
      const options = { budgets: { owners: { ann: { tokens: 1_500 } } } }
      const host = yield* Host.start(options)
      yield* ended(yield* host.plane.registerRun({ workflow: family(undefined), owner: "ann" }), "Completed")
      yield* host.stop
      const next = yield* Host.start(options)
      const workflow = fanOut(20, { tokens: 100_000 })
      yield* until(yield* next.plane.registerRun({ workflow, owner: "ann" }), "OverBudget")
      yield* equal("what was left", spender.calls.length, 15)
      yield* next.stop
    })
  )
]
