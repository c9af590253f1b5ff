import type { RunHandle } from "@switchyard/core/ControlPlane"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { graphOf } from "../Graphs.js"
import type { SubjectModule } from "../Subject.js"
import { openYard, verifyResult } from "../Yard.js"

const heap = (): number => {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const waits = ({ events }: RunHandle) =>
  Stream.runHead(Stream.filter(events, ({ event }) => event._tag === "StepWaiting"))

/** So many steps, or items of one step, and then one that waits until it is seen what the others have left in memory. */
const workflowOf = (what: string, size: number): Workflow.Definition => {
  const gate = (after: ReadonlyArray<string>) =>
    Workflow.stepDefinition("gate", { after, wait: { signal: "go" } })
  if (what === "items") {
    const each = Workflow.stepDefinition("each", { skill: "work", forEach: "{{ params.list }}" })
    return { name: "items", steps: [each, gate(["each"])] }
  }
  const { steps } = graphOf("100 wide", size, false)
  return { name: "steps", steps: [...steps, gate(steps.slice(-100).map(({ id }) => id))] }
}

/** Heap for each step or item that is done, while its run is under way and afterwards. */
export const open: SubjectModule["open"] = async (directory) => {
  const yard = await openYard(directory, { form: "log", sync: false })
  return {
    run: async ({ size, what }) => {
      const count = Number(size)
      const params = what === "items" ? { list: Array.from({ length: count }, (_, i) => i) } : {}
      const began = performance.now()
      const before = heap()
      let workflow: Workflow.Definition | undefined = workflowOf(String(what), count)
      let run: RunHandle | undefined = await yard.runPromise(yard.plane.registerRun({ workflow, params }))
      await yard.runPromise(waits(run))
      const during = heap()
      await yard.runPromise(run.control({ _tag: "Signal", name: "go" }))
      await yard.runPromise(Effect.map(run.result, verifyResult))
      // Whoever keeps a definition keeps its plan with it.
      run = undefined
      workflow = undefined
      const after = heap()
      return {
        millis: performance.now() - began,
        operations: count,
        figures: {
          "bytes each, under way": (during - before) / count,
          "bytes each, ended": (after - before) / count
        }
      }
    },
    close: yard.close
  }
}
