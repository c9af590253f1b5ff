import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** Waits until something is as it is expected to be; after ten seconds it shows the difference. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>, expected: A): Effect.Effect<void, E, R> =>
  Effect.flatMap(effect, (found) => Effect.sync(() => expect(found).toEqual(expected))).pipe(
    Effect.sandbox,
    Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.upTo("10 seconds"))),
    Effect.unsandbox
  )
