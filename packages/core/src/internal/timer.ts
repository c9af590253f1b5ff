import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { type Fork, interruptNow } from "./compat.js"

/** Counts down while it runs; it can be stopped, and goes on from there when it is started again. */
export interface Timer {
  readonly start: () => void
  readonly stop: () => void
  /** Whether it was started and not stopped since; so it stays when its time is over. */
  readonly isRunning: () => boolean
}

/** Timers of the platform take no more than 2³¹ − 1 ms. */
const longestSleep = 2 ** 30

const sleep = (millis: number): Effect.Effect<void> =>
  millis <= longestSleep
    ? Effect.sleep(millis)
    : Effect.andThen(
        Effect.sleep(longestSleep),
        Effect.suspend(() => sleep(millis - longestSleep))
      )

/** A timer that is not running yet. */
export const makeTimer = (millis: number, fork: Fork, now: () => number, over: () => void): Timer => {
  let remaining = millis
  let deadline = 0
  let fiber: Fiber.RuntimeFiber<void> | undefined
  return {
    start: () => {
      if (fiber !== undefined) return
      deadline = now() + remaining
      fiber = fork(Effect.andThen(sleep(remaining), Effect.sync(over)))
    },
    stop: () => {
      if (fiber === undefined) return
      interruptNow(fiber)
      fiber = undefined
      remaining = Math.max(1, deadline - now())
    },
    isRunning: () => fiber !== undefined
  }
}
