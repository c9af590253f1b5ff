import * as fs from "node:fs"
import { EventLog, type EventLogError, EventReader, type Reader } from "@switchyard/core/EventLog"
import type { Seq } from "@switchyard/core/Ids"
import * as Query from "@switchyard/core/QueryService"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as AgentHistories from "./AgentHistories.js"
import { DirectoryUnusable } from "./DataDirectory.js"
import { allHistories } from "./internal/agentQueries.js"
import { layerScoped } from "./internal/compat.js"
import { reasonOf } from "./internal/fileSystem.js"
import { connect } from "./internal/indexConnection.js"
import { makeIndexer } from "./internal/indexer.js"
import { makeQueries } from "./internal/indexQueries.js"
import { outputQueries } from "./internal/outputQuery.js"
import { openProjection, type Projection } from "./internal/projection.js"
import { isDamage } from "./internal/schemaUpgrade.js"

/** Where the index is. */
export interface Options {
  /** The SQLite file; it may be deleted at any time when no host is running, and is then built anew from the log. */
  readonly filename: string
}

/** Where the index is that another process writes. */
export interface ReaderOptions extends Options {
  /** How long `sync` waits at the most for whoever writes the index; 10 seconds by default. */
  readonly patience?: Duration.DurationInput
}

const remove = (filename: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) fs.rmSync(`${filename}${suffix}`, { force: true })
}

const open = (filename: string, anew: boolean): Effect.Effect<Projection, DirectoryUnusable> =>
  Effect.try({
    try: () => {
      try {
        return openProjection(filename, anew)
      } catch (error) {
        if (!isDamage(error)) throw error
        remove(filename)
        return openProjection(filename)
      }
    },
    catch: (error) => new DirectoryUnusable({ directory: filename, reason: reasonOf(error) })
  })

/** Whether tables were made from a log: they are not ahead of it, and it has the same entry where they stand. */
const isOf = (projection: Projection, log: Reader) =>
  Effect.gen(function* () {
    const watermark = projection.watermark()
    if (watermark === 0) return true
    if (watermark > (yield* log.head)) return false
    const entry = yield* Stream.runHead(log.read({ after: (watermark - 1) as Seq }))
    return Option.isNone(entry) || entry.value.seq !== watermark || projection.standsAt(entry.value)
  })

/** The projection in a file, built anew where it belongs to another log. */
const openFor = (filename: string, log: Reader) =>
  Effect.flatMap(open(filename, false), (projection) =>
    Effect.flatMap(
      Effect.onError(isOf(projection, log), () => Effect.sync(() => projection.close())),
      (isSame) => {
        if (isSame) return Effect.succeed(projection)
        projection.close()
        return open(filename, true)
      }
    )
  )

/** Folds what the tables have of the runs that are open, so that their later entries can follow. */
const recall = (projection: Projection, log: Reader) => {
  const watermark = projection.watermark()
  const first = projection.openRuns.reduce((least, { firstSeq }) => Math.min(least, firstSeq), watermark)
  const runs = projection.openRuns.map(({ runId }) => runId)
  return log.read({ after: (first - 1) as Seq, runs }).pipe(
    Stream.takeWhile((entry) => entry.seq <= watermark),
    Stream.runForEach((entry) => Effect.sync(() => projection.remember(entry)))
  )
}

const make = ({ filename }: Options) =>
  Effect.gen(function* () {
    const log = yield* EventLog
    const projection = yield* Effect.acquireRelease(openFor(filename, log), (opened) =>
      Effect.sync(() => opened.close())
    )
    if (projection.openRuns.length > 0) yield* recall(projection, log)
    const opening = yield* Deferred.make<
      Effect.Effect.Success<AgentHistories.Service["atOpening"]>,
      Query.QueryFailed
    >()
    const indexer = makeIndexer(projection, log, filename, {
      seq: yield* log.head,
      act: Effect.asVoid(
        Deferred.complete(
          opening,
          Effect.scoped(Effect.flatMap(connect(filename), (ask) => ask(allHistories)))
        )
      )
    })
    yield* Effect.addFinalizer(() => indexer.finish)
    yield* Effect.forkScoped(indexer.run)
    const answer = yield* connect(filename)
    const watermark = Effect.suspend(() => {
      const reason = indexer.failure()
      return reason === undefined
        ? Effect.succeed(projection.watermark() as Seq)
        : Effect.fail(new Query.QueryFailed({ problem: "failed", reason }))
    })
    const query = Query.QueryService.of({
      ...makeQueries(answer),
      ...outputQueries(answer, log),
      watermark,
      sync: Effect.flatMap(log.head, (head) => Effect.zipRight(indexer.reached(head), watermark)),
      events: log.read
    })
    return Context.make(Query.QueryService, query).pipe(
      Context.add(AgentHistories.AgentHistories, { atOpening: Deferred.await(opening) })
    )
  })

/** How long a reader waits before it looks again how far an index has come. */
const lookEvery = Duration.millis(10)

const makeReader = ({ filename, patience = "10 seconds" }: ReaderOptions) =>
  Effect.gen(function* () {
    const log = yield* EventReader
    const answer = yield* connect(filename)
    const queries = makeQueries(answer)
    const reached = (head: Seq): Effect.Effect<Seq, Query.QueryFailed> =>
      Effect.flatMap(queries.watermark, (watermark) =>
        watermark >= head ? Effect.succeed(watermark) : Effect.delay(reached(head), lookEvery)
      )
    const behind = (head: Seq) =>
      Effect.flatMap(queries.watermark, (watermark) =>
        Effect.fail(
          new Query.QueryFailed({
            problem: "behind",
            reason:
              `the index ${filename} has come to entry ${watermark} and the log to ${head}; ` +
              "open its directory with a host, which brings it up"
          })
        )
      )
    return Query.QueryService.of({
      ...queries,
      ...outputQueries(answer, log),
      sync: Effect.flatMap(log.head, (head) =>
        Effect.flatMap(
          Effect.timeoutOption(reached(head), patience),
          Option.match({ onNone: () => behind(head), onSome: Effect.succeed })
        )
      ),
      events: log.read
    })
  })

/**
 * The read side on SQLite: tables derived from the log, behind it by a moment, brought up to date where they are of an older
 * version, and built anew where they are missing, damaged, of a newer version or of another log. Queries have a connection
 * of their own that cannot write.
 */
export const layer = (
  options: Options
): Layer.Layer<
  Query.QueryService | AgentHistories.AgentHistories,
  DirectoryUnusable | EventLogError,
  EventLog
> => Layer.scopedContext(make(options))

/**
 * The read side of a process that does not write: it reads the index that a host keeps, also while the host works, and
 * creates and changes nothing. Where there is no index yet, or none that can be read, its questions fail and say why; they
 * are answered as soon as there is one. `sync` waits for the host and fails as `behind` where none brings the index up.
 */
export const layerReader = (options: ReaderOptions): Layer.Layer<Query.QueryService, never, EventReader> =>
  layerScoped(Query.QueryService, makeReader(options))
