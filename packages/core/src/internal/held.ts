import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/**
 * As `Effect.acquireRelease`, for what every run acquires: the release runs as part of whoever closes the scope, with the
 * references of that fiber. That saves comparing all of them twice, which costs more than everything else here.
 */
export const holdInScope = <A, E, R>(
  acquire: Effect.Effect<A, E, R>,
  release: (held: A, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) =>
    Effect.uninterruptible(
      Effect.tap(acquire, (held) =>
        Scope.addFinalizerExit(scope, (exit) => Effect.uninterruptible(release(held, exit)))
      )
    )
  )
