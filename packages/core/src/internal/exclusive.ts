import * as Effect from "effect/Effect"
import { semaphore } from "./compat.js"

/** Lets what has the same name happen one after the other, and everything else beside it. */
export const makeExclusive = () => {
  const locks = new Map<string, { readonly lock: Effect.Semaphore; users: number }>()
  return (name: string) =>
    <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const known = locks.get(name) ?? { lock: semaphore(1), users: 0 }
        locks.set(name, known)
        known.users++
        return Effect.ensuring(
          known.lock.withPermits(1)(effect),
          Effect.sync(() => {
            known.users--
            if (known.users === 0) locks.delete(name)
          })
        )
      })
}
