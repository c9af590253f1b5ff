/**
 * The names of Effect 3 that Effect 4 renames, in one place, so that a port changes this file only.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"

/** Handles every typed failure. */
export const catchAll = Effect.catchAll
/** Starts a child fiber, which ends with its parent at the latest. */
export const fork = Effect.fork
/** Starts a fiber that outlives the one that starts it. */
export const forkDaemon = Effect.forkDaemon
/** Permits, given out in no particular order. */
export const makeSemaphore = Effect.makeSemaphore
/** Permits, given out in no particular order, made outside of an effect. */
export const semaphore = Effect.unsafeMakeSemaphore
/** An effect from a callback. */
export const async = Effect.async
/** Turns a typed failure into a value. */
export const either = Effect.either
/** A layer whose service lives as long as the layer's scope. */
export const layerScoped = Layer.scoped

/** The time in milliseconds, read outside of an effect. */
export const currentTimeMillis = (clock: Clock.Clock): number => clock.unsafeCurrentTimeMillis()

/** Starts a fiber that nobody supervises, from outside of any fiber; it runs at once until it first has to wait. */
export type Fork = <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>

/**
 * What forks with the services, the clock and the loggers of the fiber that asks; what it forks can be interrupted. The
 * record of the flags is left out, which only counts where fibers are joined, and would be compared for each of them.
 */
export const forker: Effect.Effect<Fork> = Effect.map(Effect.runtime<never>(), (runtime) =>
  Runtime.runFork(
    Runtime.deleteFiberRef(
      Runtime.enableRuntimeFlag(runtime, RuntimeFlags.Interruption),
      FiberRef.currentRuntimeFlags
    )
  )
)

/** What the fiber that asks is scheduled by. */
export const currentScheduler: Effect.Effect<Scheduler.Scheduler> = FiberRef.get(FiberRef.currentScheduler)

/** Runs a task once input, output and timers of this process had their turn. */
export const afterOthers: Scheduler.Scheduler = Scheduler.timer(0)

/** Interrupts a fiber without waiting for its end. */
export const interruptNow = (fiber: Fiber.RuntimeFiber<unknown, unknown>): void =>
  fiber.unsafeInterruptAsFork(FiberId.none)

/** A scope, made outside of an effect. */
export const makeScope = (): Scope.CloseableScope => Effect.runSync(Scope.make())

/** Completes a deferred at once; the first completion counts. */
export const completeDeferred = <A, E>(deferred: Deferred.Deferred<A, E>, exit: Exit.Exit<A, E>): void =>
  Deferred.unsafeDone(deferred, exit)

/** What an effect failed with that was run as a promise; anything else as it is. */
export const thrownBy = (error: unknown): unknown =>
  Runtime.isFiberFailure(error) ? Cause.squash(error[Runtime.FiberFailureCauseId]) : error

/** A chunk that shares an array, which is not changed any more. */
export const chunkOf: <A>(items: ReadonlyArray<A>) => Chunk.Chunk<A> = Chunk.unsafeFromArray
