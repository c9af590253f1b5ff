/**
 * The names of Effect 3 that Effect 4 renames, in one place, so that a port changes this file only.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Mailbox from "effect/Mailbox"
import type * as EffectRuntime from "effect/Runtime"

/** An effect from a callback. */
export const async = Effect.async
/** Handles every typed failure. */
export const catchAll = Effect.catchAll
/** Handles failures and defects. */
export const catchAllCause = Effect.catchAllCause
/** A layer whose service lives as long as the layer's scope. */
export const layerScoped = Layer.scoped

/** A layer of several services that live as long as the layer's scope. */
export const layerScopedContext = Layer.scopedContext
/** Permits that are given to effects while they run. */
export const makeSemaphore = Effect.makeSemaphore

/** Offers from outside of any fiber; the mailbox must be one that never makes its producers wait. */
export const offerNow = <A, E>(mailbox: Mailbox.Mailbox<A, E>, message: A): boolean =>
  mailbox.unsafeOffer(message)

/** What is needed to run effects that use the services `R`. */
export type Runtime<R> = EffectRuntime.Runtime<R>

/** The time in milliseconds, read outside of an effect. */
export const currentTimeMillis = (clock: Clock.Clock): number => clock.unsafeCurrentTimeMillis()
