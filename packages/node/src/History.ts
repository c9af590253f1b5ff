import { readdir, stat } from "node:fs/promises"
import * as path from "node:path"
import type { EventOf } from "@switchyard/core/Event"
import { EventLog, type EventLogError, LogWriteFailed } from "@switchyard/core/EventLog"
import { logId, type RunId } from "@switchyard/core/Ids"
import { type QueryFailed, QueryService } from "@switchyard/core/QueryService"
import { type WorkspaceError, WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { catchAll, layerScoped, makeSemaphore } from "./internal/compat.js"
import { instead, reasonOf } from "./internal/fileSystem.js"
import { countFinished, countRuns, familyOf, knownOf, oldestFinished } from "./internal/finishedRuns.js"
import { connect } from "./internal/indexConnection.js"
import { removedAgents } from "./internal/removedAgents.js"
import { LogCompaction } from "./LogCompaction.js"

/**
 * How much is kept of runs that have ended; everything where nothing is said. What is under way always stays. Runs that are
 * items of another one stay as long as it does, and go with it: it would do them again if it were recovered without them.
 */
export interface Policy {
  /** Runs that ended longer ago are removed. */
  readonly maxAge?: Duration.DurationInput
  /** So many runs that have ended are kept, those that were registered last; items of others do not count. */
  readonly maxRuns?: number
  /** While the log takes more bytes on the disk, the oldest runs that have ended are removed. */
  readonly maxBytes?: number
  /**
   * `delete`, the default, removes the entries and the workspace of a run for good; `archive` puts its entries into a file
   * of their own, `archive/<run>.jsonl` beside the log, and leaves the workspace to whoever keeps the archive.
   */
  readonly removed?: "archive" | "delete"
  /** How often the policy is applied, beside when the directory is opened; every hour by default. */
  readonly every?: Duration.DurationInput
}

/** What was removed: runs, their entries in the log, and bytes on the disk. */
export interface Removed {
  readonly runs: number
  readonly entries: number
  readonly bytes: number
}

/** Why a policy could not be applied. What was removed until then is, and the next time goes on. */
export type HistoryError = QueryFailed | EventLogError | WorkspaceError

/** Keeps a log bounded. */
export class History extends Context.Tag("@switchyard/node/History")<
  History,
  {
    /** Removes what a policy does not keep. Each removal is in the log before anything of the run goes. */
    readonly apply: (policy: Policy) => Effect.Effect<Removed, HistoryError>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof History>

/** Where the log and the index of the directory are, and what is kept. */
export interface Options {
  readonly log: string
  readonly index: string
  readonly policy?: Policy
}

/** How many runs are removed at once: one entry of the log names them. */
const mostAtOnce = 1000

const nothing: Removed = { runs: 0, entries: 0, bytes: 0 }

const sum = (a: Removed, b: Removed): Removed => ({
  runs: a.runs + b.runs,
  entries: a.entries + b.entries,
  bytes: a.bytes + b.bytes
})

/** The bytes that the segments and payloads of a log take; what is archived does not count. */
const sizeOf = (log: string): Effect.Effect<number, LogWriteFailed> =>
  Effect.tryPromise({
    try: async () => {
      let size = 0
      for (const directory of [log, path.join(log, "payloads")]) {
        for (const entry of await instead(readdir(directory, { withFileTypes: true }), ["ENOENT"], [])) {
          if (!entry.isFile()) continue
          const found = await instead(stat(path.join(directory, entry.name)), ["ENOENT"], undefined)
          size += found?.size ?? 0
        }
      }
      return size
    },
    catch: (error) => new LogWriteFailed({ path: log, reason: reasonOf(error) })
  })

const make = (options: Options) =>
  Effect.gen(function* () {
    const log = yield* EventLog
    const compaction = yield* LogCompaction
    const query = yield* QueryService
    const workspaces = yield* WorkspaceService
    const oneAtATime = yield* makeSemaphore(1)
    const answer = yield* connect(options.index)

    /** Removes what is left of runs whose removal is in the log. */
    const finish = ({ archived, runs }: EventOf<"RunsRemoved">) =>
      Effect.gen(function* () {
        yield* query.sync
        // An id may have been given to another run since.
        const again = yield* answer((ask) => knownOf(ask, runs))
        const gone = runs.filter((runId) => !again.has(runId))
        if (!archived) {
          yield* Effect.forEach(gone, workspaces.cleanup, { concurrency: 8, discard: true })
        }
        const compacted = yield* compaction.compact(new Set(gone), archived ? "archive" : "delete")
        return { runs: gone.length, ...compacted }
      })

    const remove = (runs: ReadonlyArray<RunId>, archived: boolean) =>
      Effect.gen(function* () {
        if (runs.length === 0) return nothing
        // They have ended, so that what agents did in them is whole since they were chosen.
        const agents = yield* answer((ask) => removedAgents(ask, runs))
        const event: EventOf<"RunsRemoved"> = { _tag: "RunsRemoved", runs, archived, agents }
        yield* log.append(logId, [event])
        return yield* finish(event)
      })

    /** The oldest runs that have ended and are to go, until they are enough, each with the runs that are items of it. */
    const oldest = (
      enough: (families: number, runs: number) => boolean,
      goes: (run: { readonly endedAt: number }) => boolean,
      before: number
    ) =>
      answer((ask) =>
        Effect.gen(function* () {
          const found: Array<RunId> = []
          let families = 0
          let after = 0
          for (;;) {
            const page = yield* oldestFinished(ask, after, mostAtOnce)
            for (const run of page) {
              // What was registered later cannot have ended before.
              if (run.registeredAt >= before || enough(families, found.length)) return found
              const family = goes(run) ? yield* familyOf(ask, run) : []
              if (family.length === 0) continue
              families++
              for (const runId of family) found.push(runId)
            }
            const last = page.at(-1)
            if (last === undefined) return found
            after = last.firstSeq
          }
        })
      )

    const removeAll = (runs: ReadonlyArray<RunId>, archived: boolean) =>
      Effect.gen(function* () {
        let removed = nothing
        for (let from = 0; from < runs.length; from += mostAtOnce) {
          removed = sum(removed, yield* remove(runs.slice(from, from + mostAtOnce), archived))
        }
        return removed
      })

    const apply = ({ maxAge, maxBytes, maxRuns, removed: mode }: Policy) =>
      Effect.gen(function* () {
        const archived = mode === "archive"
        const forever = Number.MAX_SAFE_INTEGER
        const always = () => true
        const never = () => false
        yield* query.sync
        let removed = nothing
        if (maxAge !== undefined) {
          const before = (yield* Clock.currentTimeMillis) - Duration.toMillis(maxAge)
          const old = yield* oldest(never, ({ endedAt }) => endedAt < before, before)
          removed = sum(removed, yield* removeAll(old, archived))
        }
        if (maxRuns !== undefined) {
          const excess = (yield* answer(countFinished)) - Math.max(0, Math.floor(maxRuns))
          const old = yield* oldest((families) => families >= excess, always, forever)
          removed = sum(removed, yield* removeAll(old, archived))
        }
        while (maxBytes !== undefined) {
          const size = yield* sizeOf(options.log)
          if (size <= maxBytes) break
          const all = yield* answer(countRuns)
          // How long a run is, is only known when it is gone: it is taken to be as long as others, and then looked again.
          const wanted = Math.ceil(((size - maxBytes) / size) * all)
          const most = Math.min(mostAtOnce, Math.max(1, wanted))
          const runs = yield* oldest((_, found) => found >= most, always, forever)
          if (runs.length === 0) break
          removed = sum(removed, yield* removeAll(runs, archived))
        }
        return removed
      }).pipe(oneAtATime.withPermits(1))

    /** Only the last removal can be unfinished, since each one is finished before the next one begins. */
    const takeUp = Effect.flatMap(
      Stream.runFold(
        log.read({ runs: [logId] }),
        undefined as EventOf<"RunsRemoved"> | undefined,
        (last, { event }) => (event._tag === "RunsRemoved" ? event : last)
      ),
      (last) => (last === undefined ? Effect.succeed(nothing) : finish(last))
    ).pipe(oneAtATime.withPermits(1))

    const { policy = {} } = options
    const warned = <A>(what: Effect.Effect<A, HistoryError>) =>
      catchAll(what, (error) =>
        Effect.logWarning(`The runs that are to go could not be removed. ${error.message}`)
      )
    yield* Effect.forkScoped(
      Effect.zipRight(
        warned(takeUp),
        Effect.repeat(warned(apply(policy)), Schedule.spaced(policy.every ?? "1 hour"))
      )
    )
    return History.of({ apply })
  })

/**
 * Bounded storage for a directory: applies the policy when it is opened and every so often, beside whatever else goes on.
 * What fails is logged as a warning and tried again the next time.
 */
export const layer = (
  options: Options
): Layer.Layer<History, never, EventLog | LogCompaction | QueryService | WorkspaceService> =>
  layerScoped(History, make(options))
