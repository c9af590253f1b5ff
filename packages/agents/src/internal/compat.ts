/**
 * The names of Effect 3 that Effect 4 renames, in one place, so that a port changes this file only.
 */
import * as Effect from "effect/Effect"
import type * as Mailbox from "effect/Mailbox"

/** An effect from a callback. */
export const async = Effect.async
/** Handles every typed failure. */
export const catchAll = Effect.catchAll
/** Starts a fiber that outlives the one that starts it. */
export const forkDaemon = Effect.forkDaemon

/** Offers from outside of any fiber; the mailbox must be one that never makes its producers wait. */
export const offerNow = <A, E>(mailbox: Mailbox.Mailbox<A, E>, message: A): boolean =>
  mailbox.unsafeOffer(message)
