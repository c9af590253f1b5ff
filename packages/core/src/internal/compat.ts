/**
 * The names of Effect 3 that Effect 4 renames, in one place, so that a port changes this file only.
 */
import * as Chunk from "effect/Chunk"
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Mailbox from "effect/Mailbox"

/** Handles every typed failure. */
export const catchAll = Effect.catchAll
/** Starts a child fiber, which ends with its parent at the latest. */
export const fork = Effect.fork
/** Permits, given out in no particular order. */
export const makeSemaphore = Effect.makeSemaphore
/** An effect from a callback. */
export const async = Effect.async
/** Turns a typed failure into a value. */
export const either = Effect.either
/** A layer whose service lives as long as the layer's scope. */
export const layerScoped = Layer.scoped

/** The time in milliseconds, read outside of an effect. */
export const currentTimeMillis = (clock: Clock.Clock): number => clock.unsafeCurrentTimeMillis()

/** Puts a message in an unbounded mailbox at once; one that has ended does not take it. */
export const offer = <A, E>(mailbox: Mailbox.Mailbox<A, E>, message: A): boolean =>
  mailbox.unsafeOffer(message)

/** Completes a deferred at once; the first completion counts. */
export const completeDeferred = <A, E>(deferred: Deferred.Deferred<A, E>, exit: Exit.Exit<A, E>): void =>
  Deferred.unsafeDone(deferred, exit)

/** A chunk that shares an array, which is not changed any more. */
export const chunkOf: <A>(items: ReadonlyArray<A>) => Chunk.Chunk<A> = Chunk.unsafeFromArray
