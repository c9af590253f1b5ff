import * as Effect from "effect/Effect"
import { CommandId } from "../Ids.js"
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
  ),

  law(
    "stands still with the run that it belongs to where a crash came between their pauses",
    ({ log, work }) =>
      Effect.gen(function* () {
        const host = yield* Host.start()
        const run = yield* host.plane.registerRun({ workflow: outer })
        yield* work.reached(1)
        yield* host.stop
        yield* log.append(run.runId, [
          { _tag: "RunRecovered" },
          { _tag: "PauseRequested", commandId: CommandId.make("pause"), mode: "interrupt" }
        ])
        const next = yield* Host.start()
        yield* next.plane.recover
        const [again, child] = [yield* next.plane.get(run.runId), yield* next.plane.get(`${run.runId}.child`)]
        yield* becomes(again, "Paused")
        yield* equal("its child", [yield* child.status, work.running()], ["Paused", 0])
        yield* again.control({ _tag: "Signal", name: "go", payload: null })
        yield* again.control({ _tag: "Resume" })
        yield* work.open
        yield* equal("both go on", (yield* again.result).status, "Completed")
        yield* next.stop
      })
  )
]
