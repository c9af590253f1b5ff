import { RunId } from "@switchyard/core/Ids"
import type { Definition } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import { type SubjectModule, timed } from "../Subject.js"
import { stepsOf, type Workload, workloadOf } from "../Workload.js"
import { atOnce, chainOf, definitionOf, openYard, verifyResult } from "../Yard.js"

const workflowOf = ({ length, shape }: Workload): Definition =>
  shape === "chain"
    ? chainOf(length)
    : definitionOf(`fan-out-${length}`, length + 1, (n) =>
        n < length ? [] : Array.from({ length }, (_, each) => each)
      )

/** The control plane, by its own services. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const yard = await openYard(directory, settings)
  const workflows = new Map<string, Definition>()
  return {
    run: (task) => {
      const workload = workloadOf(task)
      const key = JSON.stringify(workload)
      const workflow = workflows.get(key) ?? workflowOf(workload)
      workflows.set(key, workflow)
      return timed(stepsOf(workload), () => yard.runPromise(atOnce(workload.runs, yard.execute(workflow))))
    },
    close: yard.close
  }
}

const id = RunId.make("the-run")

/** Registers a chain. */
export const begin: SubjectModule["begin"] = async (directory, settings, step) => {
  const yard = await openYard(directory, settings, (index) => Effect.promise(() => step(index)))
  const request = { workflow: chainOf(Number(settings.length)), id }
  await yard.runPromise(Effect.flatMap(yard.plane.registerRun(request), ({ result }) => result))
}

/** Opens the directory; recovery begins by itself. */
export const resume: SubjectModule["resume"] = async (directory, settings, step) => {
  const yard = await openYard(directory, settings, (index) => Effect.promise(() => step(index)))
  const result = await yard.runPromise(Effect.flatMap(yard.plane.get(id), (handle) => handle.result))
  verifyResult(result)
  await yard.close()
  return result.steps.length
}
