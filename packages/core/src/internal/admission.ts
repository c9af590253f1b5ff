import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { async, type Fork } from "./compat.js"

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

/** The slot of one run, which may ask for it and give it back several times. */
export interface Slot {
  /** Asks for the slot, unless that was done already. */
  readonly request: () => void
  readonly held: () => boolean
  /** Gives the slot back, or leaves the queue, and waits until that is done. */
  readonly release: Effect.Effect<void>
}

/** A slot that is asked for by `admit` and held by a fiber of its own, so that giving it back is interrupting that fiber. */
export const makeSlot = (
  admit: Effect.Effect<void, never, Scope.Scope>,
  fork: Fork,
  admitted: () => void
): Slot => {
  let holder: Fiber.RuntimeFiber<void> | undefined
  let current: symbol | undefined
  let held = false
  return {
    request: () => {
      if (current !== undefined) return
      const request = Symbol()
      current = request
      holder = fork(
        Effect.scoped(
          Effect.zipRight(
            admit,
            Effect.suspend(() => {
              // A run that was paused meanwhile waits for another slot than the one that it is given now.
              if (current === request) {
                held = true
                admitted()
              }
              return Effect.never
            })
          )
        )
      )
    },
    held: () => held,
    release: Effect.suspend(() => {
      const fiber = holder
      holder = undefined
      current = undefined
      held = false
      return fiber === undefined ? Effect.void : Fiber.interrupt(fiber)
    })
  }
}
