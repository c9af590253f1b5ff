import type { AgentError, Task } from "@switchyard/core/Agent"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { forkDaemon } from "./compat.js"
import type { StdioWorker } from "./stdioWorker.js"

interface Shared {
  readonly scope: Scope.CloseableScope
  readonly ready: Deferred.Deferred<StdioWorker, AgentError>
  readonly ended: Deferred.Deferred<void>
  ending: boolean
  users: number
}

/** Where a worker works, and what it may do there. */
export type Place = Pick<Task, "workspace" | "permissions">

// One that may do more is never given what may be done with less.
const keyOf = ({ permissions, workspace }: Place): string =>
  JSON.stringify([workspace.root, permissions.granted?.toSorted() ?? null])

/** The workers of one agent, one for each workspace in which it has work and for each set of what may be done there. */
export interface WorkerPool {
  /** The worker of a workspace; it is started for the first one who asks, and has ended when the last one let go of it. */
  readonly get: (place: Place) => Effect.Effect<StdioWorker, AgentError, Scope.Scope>
  /** Workers that run now. */
  readonly running: Effect.Effect<ReadonlyArray<StdioWorker>>
}

const firstDelayMillis = 100
const longestDelayMillis = 10_000

/**
 * A pool of workers. One that died is given to nobody any more and ended at once; after deaths, the next one is started later,
 * 100 ms after the first one and 10 s at most, until one has come up again.
 */
export const makePool = (
  start: (place: Place) => Effect.Effect<StdioWorker, AgentError, Scope.Scope>
): WorkerPool => {
  const workers = new Map<string, Shared>()
  const alive = new Set<StdioWorker>()
  let deaths = 0

  const end = (key: string, shared: Shared): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (workers.get(key) === shared) workers.delete(key)
      if (shared.ending) return Deferred.await(shared.ended)
      shared.ending = true
      return Effect.ensuring(Scope.close(shared.scope, Exit.void), Deferred.succeed(shared.ended, undefined))
    })

  const live = (key: string, shared: Shared, place: Place): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (deaths > 0) yield* Effect.sleep(Math.min(longestDelayMillis, firstDelayMillis * 2 ** (deaths - 1)))
      const worker = yield* start(place)
      alive.add(worker)
      yield* Effect.addFinalizer(() => Effect.sync(() => alive.delete(worker)))
      yield* Deferred.succeed(shared.ready, worker)
      yield* Effect.delay(
        Effect.sync(() => {
          deaths = 0
        }),
        longestDelayMillis
      ).pipe(Effect.forkScoped)
      yield* worker.died
    }).pipe(
      Scope.extend(shared.scope),
      Effect.catchTag("AgentError", (error) =>
        Effect.suspend(() => {
          deaths++
          return Effect.zipRight(
            Deferred.fail(shared.ready, error),
            // The scope interrupts this very fiber, and so cannot be closed by it.
            forkDaemon(end(key, shared))
          )
        })
      ),
      Effect.asVoid
    )

  const enter = (place: Place) =>
    Effect.gen(function* () {
      const key = keyOf(place)
      const scope = yield* Scope.make()
      const ready = yield* Deferred.make<StdioWorker, AgentError>()
      const ended = yield* Deferred.make<void>()
      const shared = yield* Effect.sync(() => {
        const there = workers.get(key)
        const entered = there ?? { scope, ready, ended, ending: false, users: 0 }
        entered.users++
        workers.set(key, entered)
        return entered
      })
      if (shared.scope === scope) yield* Effect.forkIn(Effect.interruptible(live(key, shared, place)), scope)
      return shared
    })

  const isOver = (shared: Shared): Effect.Effect<boolean> =>
    Effect.flatMap(Deferred.poll(shared.ready), (ready) =>
      ready._tag === "None"
        ? Effect.succeed(false)
        : Effect.matchEffect(ready.value, {
            onFailure: () => Effect.succeed(true),
            onSuccess: (worker) => worker.isDead
          })
    )

  const leave = (key: string, shared: Shared): Effect.Effect<void> =>
    Effect.suspend(() => {
      shared.users--
      return shared.users === 0
        ? end(key, shared)
        : Effect.if(isOver(shared), {
            onTrue: () => end(key, shared),
            onFalse: () => Effect.void
          })
    })

  return {
    get: (place) =>
      Effect.flatMap(
        Effect.acquireRelease(enter(place), (shared) => leave(keyOf(place), shared)),
        (shared) => Deferred.await(shared.ready)
      ),
    running: Effect.sync(() => [...alive])
  }
}
