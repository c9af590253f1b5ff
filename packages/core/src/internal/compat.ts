/**
 * The names of Effect 3 that Effect 4 renames, in one place, so that a port changes this file only.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export const catchAll = Effect.catchAll
export const fork = Effect.fork
export const makeSemaphore = Effect.makeSemaphore
export const forkDaemon = Effect.forkDaemon
export const async = Effect.async
export const either = Effect.either
export const layerScoped = Layer.scoped
