import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import { type SubjectModule, verify } from "../Subject.js"
import { openYard, type Yard } from "../Yard.js"

const day = 86_400_000

/** Steps that wait side by side: for an approval, or each for another time. */
const workflowOf = (what: string, size: number): Workflow.Definition => ({
  name: what,
  steps: Array.from({ length: size }, (_, n) =>
    Workflow.stepDefinition(`s${n}`, what === "approval" ? { approval: {} } : { wait: { millis: day + n } })
  )
})

/** Waits until as many steps of a run wait, and the log has nothing left to do. */
const settled = async ({ plane, runPromise }: Yard, runId: string) => {
  while ((await runPromise(Effect.flatMap(plane.get(runId), ({ status }) => status))) !== "Running")
    await sleep(1)
  await sleep(50)
}

const cpuMillis = async (millis: number): Promise<number> => {
  globalThis.gc?.()
  const before = process.cpuUsage()
  await sleep(millis)
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1000
}

/** What steps cost that wait, beside the same process without them, and how long it takes to open what was left waiting. */
export const open: SubjectModule["open"] = async (directory) => {
  let times = 0
  return {
    run: async ({ millis, size, what }) => {
      const place = path.join(directory, String(++times))
      const workflow = workflowOf(String(what), Number(size))
      let yard = await openYard(place, { form: "log", sync: false })
      const idle = await cpuMillis(Number(millis))
      const { runId } = await yard.runPromise(yard.plane.registerRun({ workflow }))
      await settled(yard, runId)
      await sleep(500)
      const waiting = await cpuMillis(Number(millis))
      await yard.close()
      const before = performance.now()
      yard = await openYard(place, { form: "log", sync: false })
      await yard.runPromise(Effect.flatMap(yard.plane.get(runId), ({ status }) => status))
      const restart = performance.now() - before
      await settled(yard, runId)
      await sleep(500)
      const again = await cpuMillis(Number(millis))
      const handle = await yard.runPromise(yard.plane.get(runId))
      await yard.runPromise(handle.control({ _tag: "Cancel" }))
      const { status, steps } = await yard.runPromise(handle.result)
      verify("status", status, "Cancelled")
      verify("steps that waited", steps.filter((step) => step.status === "Cancelled").length, Number(size))
      await yard.close()
      return {
        millis: restart,
        operations: Number(size),
        figures: {
          "idle cpu ms": idle,
          "waiting cpu ms": waiting,
          "after a restart cpu ms": again,
          "restart ms": restart
        }
      }
    },
    close: () => Promise.resolve()
  }
}
