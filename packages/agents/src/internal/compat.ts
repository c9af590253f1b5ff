/**
 * The names of Effect 3 that Effect 4 renames, in one place, so that a port changes this file only.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Mailbox from "effect/Mailbox"
import * as Runtime from "effect/Runtime"

/** An effect from a callback. */
export const async = Effect.async
/** Handles every typed failure. */
export const catchAll = Effect.catchAll
/** Turns a typed failure into a value. */
export const either = Effect.either
/** Starts a fiber that outlives the one that starts it. */
export const forkDaemon = Effect.forkDaemon

/** Offers from outside of any fiber; the mailbox must be one that never makes its producers wait. */
export const offerNow = <A, E>(mailbox: Mailbox.Mailbox<A, E>, message: A): boolean =>
  mailbox.unsafeOffer(message)

/** The time in milliseconds, read outside of an effect. */
export const currentTimeMillis = (clock: Clock.Clock): number => clock.unsafeCurrentTimeMillis()

/** Runs effects for callbacks that want promises. */
export type RunPromise = <A>(effect: Effect.Effect<A>) => Promise<A>

/** What runs effects with the services, the clock and the loggers of the fiber that asks. */
export const promiseRunner: Effect.Effect<RunPromise> = Effect.map(Effect.runtime<never>(), (runtime) =>
  Runtime.runPromise(runtime)
)
