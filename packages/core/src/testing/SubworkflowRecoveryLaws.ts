import * as Effect from "effect/Effect"
import * as Workflow from "../Workflow.js"
import { law, type Plane } from "./ControlPlaneLaws.js"
import { becomes } from "./CrashedHost.js"
import * as Host from "./Host.js"
import { equal, type Law } from "./Law.js"

const inner = Workflow.make("inner").pipe(Workflow.step("work", { skill: "work" }))

const outer = Workflow.make("outer").pipe(
  Workflow.step("child", { subworkflow: inner }),
  Workflow.step("told", { wait: { signal: "go" } })
)

/** What every control plane promises about runs that are items of others, where their host was gone for a while. */
export const SubworkflowRecoveryLaws: ReadonlyArray<Law<Plane>> = [
  law("leaves its slot to its runs also where what a step waits for came before it went on", ({ work }) =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: outer })
      yield* work.reached(1)
      yield* host.stop
      const next = yield* Host.start({ maxConcurrentRuns: 1 })
      yield* next.plane.registerRun({ workflow: inner })
      yield* work.reached(1)
      yield* next.plane.recover
      const again = yield* next.plane.get(run.runId)
      yield* becomes(again, "Queued")
      yield* again.control({ _tag: "Signal", name: "go", payload: null })
      yield* work.open
      yield* equal("it completes", (yield* again.result).status, "Completed")
      yield* next.stop
    })
  )
]
