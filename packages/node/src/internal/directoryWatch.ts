import { resolve } from "node:path"
import { type FSWatcher, watch } from "chokidar"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import { async, offerNow } from "./compat.js"
import { reasonOf } from "./fileSystem.js"

/** What tells that something in a directory may have changed. */
export interface DirectoryWatch {
  /** Waits until something may have changed since it was called before; sooner or later it also says so where nothing has. */
  readonly changed: Effect.Effect<void>
  /** Begins anew where the directory has been another one meanwhile. */
  readonly renew: Effect.Effect<void>
  /** Makes it look whether something has changed each second, where nobody would tell. */
  readonly doubt: (isDoubtful: boolean) => void
}

const interval = "1 second"

/** A directory that is asked about again and again. */
const polled: DirectoryWatch = {
  changed: Effect.sleep(interval),
  renew: Effect.void,
  doubt: () => undefined
}

/**
 * Watches a directory, not those below, until the scope is closed. When this is done every later change is told. Where the system
 * refuses to watch any further, for instance because it watches too much already, the directory is polled and a warning says so.
 */
const told = (directory: string): Effect.Effect<DirectoryWatch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const bell = yield* Mailbox.make<void>({ capacity: 1, strategy: "sliding" })
    let isGone = false
    let isDoubtful = false
    let failure: string | undefined
    let warned = false

    const open = (): FSWatcher => {
      isGone = false
      const watcher = watch(directory, { ignoreInitial: true, depth: 0, followSymlinks: false })
      watcher.on("all", (event, path) => {
        if (event === "unlinkDir" && resolve(path) === resolve(directory)) isGone = true
        offerNow(bell, undefined)
      })
      watcher.on("error", (error) => {
        failure = reasonOf(error)
        offerNow(bell, undefined)
      })
      return watcher
    }
    const ready = (watcher: FSWatcher) =>
      async<void>((resume) => {
        watcher.once("ready", () => resume(Effect.void))
      }).pipe(Effect.timeoutOption("10 seconds"), Effect.asVoid)

    const held: { watcher: FSWatcher } = { watcher: open() }
    yield* Effect.addFinalizer(() => Effect.promise(() => held.watcher.close()))
    yield* ready(held.watcher)

    const renew = Effect.suspend(() => {
      const previous = held.watcher
      held.watcher = open()
      return Effect.zipRight(
        Effect.promise(() => previous.close()),
        ready(held.watcher)
      )
    })
    const warn = Effect.suspend(() => {
      if (failure === undefined || warned) return Effect.void
      warned = true
      return Effect.logWarning(`${directory} cannot be watched, and is looked at each second: ${failure}`)
    })
    return {
      changed: Effect.suspend(() =>
        isGone || isDoubtful || failure !== undefined ? Effect.timeoutOption(bell.take, interval) : bell.take
      ).pipe(Effect.ignore, Effect.zipRight(bell.clear), Effect.zipRight(warn)),
      renew: Effect.suspend(() => (isGone || isDoubtful ? renew : Effect.void)),
      doubt: (given) => {
        isDoubtful = given
      }
    }
  })

/** Watches a directory, or asks about it again and again. */
export const watchDirectory = (
  directory: string,
  polling: boolean
): Effect.Effect<DirectoryWatch, never, Scope.Scope> => (polling ? Effect.succeed(polled) : told(directory))
