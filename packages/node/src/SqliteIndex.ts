import * as fs from "node:fs"
import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { EventLog, type EventLogError } from "@switchyard/core/EventLog"
import type { RunId, Seq } from "@switchyard/core/Ids"
import * as Query from "@switchyard/core/QueryService"
import type { RunStatus } from "@switchyard/core/Run"
import * as Usage from "@switchyard/core/Usage"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { DirectoryUnusable } from "./DataDirectory.js"
import { async, catchAllCause, layerScoped } from "./internal/compat.js"
import { reasonOf } from "./internal/fileSystem.js"
import { makeIndexer } from "./internal/indexer.js"
import { openProjection, type Projection } from "./internal/projection.js"
import { type Columns, itemOf, runOf, stepOf, usageOf } from "./internal/tables.js"

/** Where the index is. */
export interface Options {
  /** The SQLite file; it may be deleted at any time when no host is running, and is then built anew from the log. */
  readonly filename: string
}

const discard = (filename: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) fs.rmSync(`${filename}${suffix}`, { force: true })
}

/** The projection in a file. One that is no database, or that is ahead of the log, belongs to another log and is built anew. */
const openFile = (filename: string, head: Seq): Projection => {
  try {
    const projection = openProjection(filename)
    if (projection.watermark() <= head) return projection
    projection.close()
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : ""
    if (!code.startsWith("SQLITE_CORRUPT") && code !== "SQLITE_NOTADB") throw error
  }
  discard(filename)
  return openProjection(filename)
}

const make = ({ filename }: Options) =>
  Effect.gen(function* () {
    const log = yield* EventLog
    const head = yield* log.head
    const projection = yield* Effect.acquireRelease(
      Effect.try({
        try: () => openFile(filename, head),
        catch: (error) => new DirectoryUnusable({ directory: filename, reason: reasonOf(error) })
      }),
      (opened) => Effect.sync(() => opened.close())
    )
    const { openRuns } = projection
    if (openRuns.size > 0) {
      const watermark = projection.watermark()
      yield* log.read({ runs: [...openRuns] as Array<RunId> }).pipe(
        Stream.takeWhile((entry) => entry.seq <= watermark),
        Stream.runForEach((entry) => Effect.sync(() => projection.remember(entry)))
      )
    }

    const indexer = yield* Effect.acquireRelease(
      Effect.sync(() => makeIndexer(projection, filename)),
      (running) => Effect.sync(() => running.flush())
    )
    yield* log.follow({ after: projection.watermark() as Seq }).pipe(
      Stream.chunks,
      Stream.runForEach((entries) => Effect.sync(() => indexer.add(Chunk.toReadonlyArray(entries)))),
      catchAllCause((cause) => Effect.sync(() => indexer.stop(Cause.squash(cause)))),
      Effect.forkScoped
    )

    const sql = yield* Effect.provide(
      SqliteClient.make({ filename, readonly: true, disableWAL: true }),
      Reactivity.layer
    )
    const query = (text: string, parameters: ReadonlyArray<string | number>) =>
      sql
        .unsafe<Columns>(text, parameters)
        .pipe(Effect.mapError((error: SqlError) => new Query.QueryFailed({ reason: reasonOf(error.cause) })))
    const answerable = Effect.suspend(() => {
      const reason = indexer.failure()
      return reason === undefined ? Effect.void : Effect.fail(new Query.QueryFailed({ reason }))
    })

    const getRun: Query.Service["getRun"] = (runId) =>
      Effect.flatMap(query("SELECT * FROM runs WHERE run_id = ?", [runId]), ([row]) =>
        row === undefined ? Effect.fail(new Query.RunUnknown({ runId })) : Effect.succeed(runOf(row))
      )

    return Query.QueryService.of({
      watermark: Effect.map(answerable, () => projection.watermark() as Seq),
      sync: Effect.flatMap(log.head, (seq) =>
        async<void>((resume) => indexer.reached(seq, () => resume(Effect.void))).pipe(
          Effect.andThen(answerable),
          Effect.map(() => projection.watermark() as Seq)
        )
      ),
      listRuns: (filter = {}, paging) => {
        const limit = Query.pageLimit(paging)
        const conditions: Array<string> = []
        const parameters: Array<string | number> = []
        const where = (condition: string, value: string | number | undefined) => {
          if (value === undefined) return
          conditions.push(condition)
          parameters.push(value)
        }
        where("first_seq < ?", paging?.cursor === undefined ? undefined : Number(paging.cursor))
        where("status = ?", filter.status)
        where("workflow = ?", filter.workflow)
        where("owner = ?", filter.owner)
        where("first_seq IN (SELECT first_seq FROM run_tags WHERE tag = ?)", filter.tag)
        const clause = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`
        return Effect.map(
          query(`SELECT * FROM runs ${clause} ORDER BY first_seq DESC LIMIT ?`, [...parameters, limit + 1]),
          (rows) => {
            const items = rows.slice(0, limit).map(runOf)
            return { items, next: rows.length > limit ? String(items.at(-1)?.firstSeq) : undefined }
          }
        )
      },
      getRun,
      getSteps: (runId) =>
        Effect.flatMap(getRun(runId), () =>
          Effect.map(query("SELECT * FROM steps WHERE run_id = ? ORDER BY position", [runId]), (rows) =>
            rows.map(stepOf)
          )
        ),
      getItems: (runId, stepId, paging) => {
        const limit = Query.pageLimit(paging)
        const after = paging?.cursor === undefined ? -1 : Number(paging.cursor)
        return Effect.map(
          query(
            "SELECT * FROM items WHERE run_id = ? AND step_id = ? AND item_index > ? ORDER BY item_index LIMIT ?",
            [runId, stepId, after, limit + 1]
          ),
          (rows) => {
            const items = rows.slice(0, limit).map(itemOf)
            return { items, next: rows.length > limit ? String(items.at(-1)?.index) : undefined }
          }
        )
      },
      events: log.read,
      totals: Effect.map(
        query(
          `SELECT status, COUNT(*) AS runs, SUM(input_tokens) AS input_tokens, SUM(output_tokens) AS output_tokens,
             SUM(cached_tokens) AS cached_tokens, SUM(cost_micro_usd) AS cost_micro_usd FROM runs GROUP BY status`,
          []
        ),
        (rows) => {
          const runs: Partial<Record<RunStatus, number>> = {}
          for (const row of rows) runs[row.status as RunStatus] = Number(row.runs)
          return { runs, usage: rows.map(usageOf).reduce(Usage.add, Usage.zero) }
        }
      )
    })
  })

/**
 * The read side on SQLite: tables derived from the log, behind it by a moment, and built anew where they are missing or
 * of another version. Queries have a connection of their own that cannot write.
 */
export const layer = (
  options: Options
): Layer.Layer<Query.QueryService, DirectoryUnusable | EventLogError, EventLog> =>
  layerScoped(Query.QueryService, make(options))
