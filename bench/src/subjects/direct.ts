import * as Effect from "effect/Effect"
import { loadOf, makeGate, underLoad, whileHeld } from "../Held.js"
import type { SubjectModule } from "../Subject.js"
// What is not used is loaded all the same, so that both processes hold the same code.
import "../Yard.js"

const sleep = (millis: number): Promise<null> => new Promise((resolve) => setTimeout(resolve, millis, null))

/** The same steps without a control plane: a loop of promises, or of effects. */
export const open: SubjectModule["open"] = async (_, { effects }) => ({
  run: (task) => {
    const load = loadOf(task)
    const chainOf =
      effects === true
        ? (work: Effect.Effect<unknown>) => () => Effect.runPromise(Effect.repeatN(work, load.steps - 1))
        : (work: Effect.Effect<unknown>) => async () => {
            for (let n = 0; n < load.steps; n++) await Effect.runPromise(work)
          }
    if (task.hold === true) {
      const gate = makeGate(load.runs)
      const chain = chainOf(gate.wait)
      return whileHeld(load.runs, gate, () => Promise.all(Array.from({ length: load.runs }, chain)))
    }
    if (effects === true) return underLoad(load, chainOf(Effect.sleep(load.millis)))
    return underLoad(load, async () => {
      for (let n = 0; n < load.steps; n++) await sleep(load.millis)
    })
  },
  close: async () => undefined
})
