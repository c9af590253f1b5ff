import * as Effect from "effect/Effect"
import { loadOf, makeGate, underLoad, whileHeld } from "../Held.js"
import type { SubjectModule } from "../Subject.js"
// What is not used is loaded all the same, so that both processes hold the same code.
import "../Yard.js"

const sleep = (millis: number): Promise<null> => new Promise((resolve) => setTimeout(resolve, millis, null))

const indexes = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, n) => n)

/** The same steps without a control plane: a loop of promises, or of effects. */
export const open: SubjectModule["open"] = async (_, { effects }) => ({
  run: (task) => {
    const load = loadOf(task)
    const chain = (step: (index: number) => Effect.Effect<void>) =>
      Effect.runPromise(Effect.forEach(indexes(load.steps), step, { discard: true }))
    if (task.hold === true) {
      const gate = makeGate(load)
      const one =
        effects === true
          ? () => chain(gate.step)
          : async () => {
              for (const index of indexes(load.steps)) await Effect.runPromise(gate.step(index))
            }
      return whileHeld(load.runs, gate, () => Promise.all(Array.from({ length: load.runs }, one)))
    }
    return underLoad(
      load,
      effects === true
        ? () => chain(() => Effect.sleep(load.millis))
        : async () => {
            for (let n = 0; n < load.steps; n++) await sleep(load.millis)
          }
    )
  },
  close: async () => undefined
})
