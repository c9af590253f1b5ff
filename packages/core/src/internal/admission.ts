import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { async } from "./compat.js"

/**
 * Slots that are given out first come, first served. A waiter that is interrupted leaves the queue, and a slot is given
 * back when its scope closes.
 */
export const makeAdmission = (slots: number): { readonly admit: Effect.Effect<void, never, Scope.Scope> } => {
  let free = slots
  const waiting = new Set<() => void>()
  const release = Effect.sync(() => {
    const [next] = waiting
    if (next === undefined) {
      free++
      return
    }
    waiting.delete(next)
    next()
  })
  const acquire = async<void>((resume) => {
    const wake = () => resume(Effect.void)
    if (free > 0) {
      free--
      wake()
    } else waiting.add(wake)
    // A slot that was given just before the interruption goes on to the next one.
    return Effect.suspend(() => (waiting.delete(wake) ? Effect.void : release))
  })
  return { admit: Effect.acquireRelease(Effect.interruptible(acquire), () => release) }
}
