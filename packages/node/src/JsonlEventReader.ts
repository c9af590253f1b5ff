import * as fs from "node:fs"
import * as path from "node:path"
import * as EventLog from "@switchyard/core/EventLog"
import type { Seq } from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { DirectoryUnusable } from "./DataDirectory.js"
import { async, layerScoped } from "./internal/compat.js"
import { reasonOf } from "./internal/fileSystem.js"
import { type LogView, openView } from "./internal/logView.js"
import { publishedHeadFile, readPublishedHead } from "./internal/publishedHead.js"

/** Where the log is that is read. */
export interface Options {
  /** The directory of the log, as it was given to the layer that writes it: `log` in the directory of a host. */
  readonly directory: string
}

/** How often is looked whether there is something new, where the file system does not tell. */
const pollMillis = 250

/** Calls back when a log may have got further, and every now and then, until the scope closes. */
const watch = (directory: string, callback: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const poll = setInterval(callback, pollMillis)
        try {
          const watcher = fs.watch(directory, (_, name) => {
            if (name === null || name === publishedHeadFile) callback()
          })
          // Whoever cannot be told, because there are too many to tell or the directory is gone, still looks.
          watcher.on("error", () => watcher.close())
          return { poll, watcher }
        } catch {
          return { poll, watcher: undefined }
        }
      }),
      ({ poll, watcher }) =>
        Effect.sync(() => {
          clearInterval(poll)
          watcher?.close()
        })
    )
  )

const make = (
  options: Options
): Effect.Effect<EventLog.Reader, DirectoryUnusable | EventLog.LogDamaged, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = path.resolve(options.directory)
    const bell = EventLog.makeBell(setImmediate)
    const view = yield* Effect.acquireRelease(
      Effect.flatMap(
        Effect.try({
          try: (): LogView | EventLog.LogDamaged => openView(directory, bell.ring),
          catch: (error) => new DirectoryUnusable({ directory, reason: reasonOf(error) })
        }),
        (opened) => (opened instanceof EventLog.LogDamaged ? Effect.fail(opened) : Effect.succeed(opened))
      ),
      ({ close }) => Effect.sync(close)
    )

    const unreadable = (error: unknown) =>
      new EventLog.LogDamaged({ segment: directory, offset: 0, line: 1, reason: reasonOf(error) })
    const attempt = <A>(read: () => A): A | EventLog.LogDamaged => {
      try {
        return read()
      } catch (error) {
        return unreadable(error)
      }
    }

    let damage: EventLog.LogDamaged | undefined
    const readOn = (): boolean => {
      const found = attempt(view.readOn)
      const isNew = found instanceof EventLog.LogDamaged && damage === undefined
      damage = found instanceof EventLog.LogDamaged ? found : undefined
      if (isNew) bell.ring()
      return found === true
    }

    let isDue = false
    const turn = (): void => {
      isDue = false
      if (readOn()) wake()
    }
    const wake = (): void => {
      if (isDue) return
      isDue = true
      setImmediate(turn)
    }
    yield* watch(directory, wake)
    wake()

    /** How far the log is durable, as far as can be told; where nothing says so, everything is. */
    const published = (): number => {
      const seq = attempt(() => readPublishedHead(directory))
      return typeof seq === "number" ? seq : view.last()
    }
    /** Reads on to what was durable when it began, if it can be read. */
    const caughtUp = Effect.suspend(() => {
      const head = published()
      const step: Effect.Effect<void> = Effect.suspend(() =>
        view.last() < head && readOn()
          ? Effect.flatMap(
              async<void>((resume) => void setImmediate(() => resume(Effect.void))),
              () => step
            )
          : Effect.void
      )
      return step
    })

    const reader = EventLog.makeReader({
      bell,
      // Whoever has read everything that can be read is woken for the damage behind it.
      head: () => (damage === undefined ? view.last() : ((view.last() + 1) as Seq)),
      unfinished: view.unfinished,
      readAfter: (after, runs) =>
        Effect.suspend(() => {
          if (damage !== undefined && after >= view.last()) return Effect.fail(damage)
          const read = attempt(() => view.readAfter(after, runs))
          return read instanceof EventLog.LogDamaged ? Effect.fail(read) : Effect.succeed(read)
        })
    })
    return {
      head: Effect.map(caughtUp, view.last),
      unfinished: Effect.andThen(caughtUp, reader.unfinished),
      read: (range) => Stream.unwrap(Effect.as(caughtUp, reader.read(range))),
      follow: reader.follow
    }
  })

/**
 * The log that another process writes, for a process that does not: it reads the segments and follows what is made durable,
 * and sees nothing before that. It creates and changes nothing and holds no lock, so any number of processes may read. A
 * directory that does not exist is an error when the layer is made; damage is one where it is read.
 *
 * @example
 * ```ts
 * import { EventReader } from "@switchyard/core/EventLog"
 * import * as JsonlEventReader from "@switchyard/node/JsonlEventReader"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const watch = Effect.flatMap(EventReader, (log) =>
 *   Stream.runForEach(log.follow({}), (entry) => Console.log(entry.seq, entry.event._tag))
 * ).pipe(Effect.provide(JsonlEventReader.layer({ directory: ".switchyard/log" })))
 * ```
 */
export const layer = (
  options: Options
): Layer.Layer<EventLog.EventReader, DirectoryUnusable | EventLog.LogDamaged> =>
  layerScoped(EventLog.EventReader, make(options))
