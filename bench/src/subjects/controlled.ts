import * as Effect from "effect/Effect"
import { type Gate, loadOf, makeGate, underLoad, whileHeld } from "../Held.js"
import type { SubjectModule } from "../Subject.js"
import { atOnce, chainOf, openYard } from "../Yard.js"

/** Steps that take their time, through the control plane. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  let gate: Gate | undefined
  let millis = 0
  const yard = await openYard(directory, settings, (index) => gate?.step(index) ?? Effect.sleep(millis))
  return {
    run: async (task) => {
      const load = loadOf(task)
      const workflow = chainOf(load.steps)
      const run = yard.execute(workflow)
      millis = load.millis
      if (task.hold !== true) return underLoad(load, () => yard.runPromise(run))
      const held = makeGate(load)
      gate = held
      const outcome = await whileHeld(load.runs, held, () => yard.runPromise(atOnce(load.runs, run)))
      gate = undefined
      return outcome
    },
    close: yard.close
  }
}
