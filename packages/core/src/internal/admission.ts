import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { async, type Fork, makeScope } from "./compat.js"
import { holdInScope } from "./held.js"

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
  return { admit: holdInScope(Effect.interruptible(acquire), () => release) }
}

/** The slot of one run, which may ask for it and give it back several times. */
export interface Slot {
  /** Asks for the slot, unless that was done already. */
  readonly request: () => void
  readonly held: () => boolean
  /** Gives the slot back, or leaves the queue, and waits until that is done. */
  readonly release: Effect.Effect<void>
}

/** A slot that is asked for by `admit`; what it holds is a scope, and a fiber only while it waits. */
export const makeSlot = (
  admit: Effect.Effect<void, never, Scope.Scope>,
  fork: Fork,
  admitted: () => void
): Slot => {
  let asked: { readonly waiter: Fiber.RuntimeFiber<void>; readonly scope: Scope.CloseableScope } | undefined
  let held = false
  return {
    request: () => {
      if (asked !== undefined) return
      const scope = makeScope()
      const waiter = fork(Scope.extend(admit, scope))
      const mine = { waiter, scope }
      asked = mine
      waiter.addObserver((exit) => {
        // A run that was paused meanwhile waits for another slot than the one that it is given now.
        if (asked !== mine || !Exit.isSuccess(exit)) return
        held = true
        admitted()
      })
    },
    held: () => held,
    release: Effect.suspend(() => {
      if (asked === undefined) return Effect.void
      const { scope, waiter } = asked
      asked = undefined
      if (held) {
        held = false
        return Scope.close(scope, Exit.void)
      }
      return Effect.zipRight(Fiber.interrupt(waiter), Scope.close(scope, Exit.void))
    })
  }
}
