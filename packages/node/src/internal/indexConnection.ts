import * as fs from "node:fs"
import * as Reactivity from "@effect/experimental/Reactivity"
import { SafeIntegers } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { QueryFailed } from "@switchyard/core/QueryService"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
import * as ScopedRef from "effect/ScopedRef"
import { catchAllCause, makeSemaphore } from "./compat.js"
import { errnoOf, reasonOf } from "./fileSystem.js"
import type { Columns, Value } from "./rows.js"
import { isDamage, isLocked } from "./schemaUpgrade.js"
import { schemaVersion } from "./tables.js"

/** Asks one statement, whose values take their places by position, and reads each of its rows. */
export type Ask = <A>(
  sql: string,
  values: ReadonlyArray<Value>,
  read: (row: Columns) => A
) => Effect.Effect<ReadonlyArray<A>, SqlError>

/** Answers a question from one state of the tables, however many statements that takes, and one question after the other. */
export type Answer = <A>(question: (ask: Ask) => Effect.Effect<A, SqlError>) => Effect.Effect<A, QueryFailed>

/** How long a question waits for another process that holds the file for itself; it holds up the event loop meanwhile. */
const busyMillis = 250

const otherVersion = (filename: string, version: number): QueryFailed =>
  version === 0
    ? new QueryFailed({
        problem: "missing",
        reason: `the index ${filename} is not built yet; open its directory with a host, which builds it`
      })
    : new QueryFailed({
        problem: "version",
        reason:
          `the index ${filename} is of version ${version} and this program reads version ${schemaVersion}; ` +
          (version < schemaVersion
            ? "open its directory with a host of this version, which brings it up to date"
            : "use the version of this program that the host has")
      })

/** What it means that a question could not be answered, and what to do about it. */
const explained = (filename: string, thrown: unknown): QueryFailed => {
  if (thrown instanceof QueryFailed) return thrown
  const error = thrown instanceof SqlError ? thrown.cause : thrown
  const why = (problem: QueryFailed["problem"], reason: string) => new QueryFailed({ problem, reason })
  const because = reasonOf(error)
  if (errnoOf(error) === "ENOENT")
    return why("missing", `there is no index ${filename}; open its directory with a host, which builds it`)
  if (isLocked(error))
    return why("locked", `another program holds the index ${filename} for itself; try again when it is done`)
  if (isDamage(error))
    return why(
      "damaged",
      `the index ${filename} is damaged (${because}); stop the host, delete the file and open the directory again, ` +
        "which builds it anew from the log"
    )
  return why("failed", `the index ${filename} cannot be read: ${because}`)
}

const checkVersion = (filename: string, ask: Ask): Effect.Effect<void, SqlError | QueryFailed> =>
  Effect.flatMap(
    ask("PRAGMA user_version", [], (row) => Number(row.user_version)),
    ([version = 0]) =>
      version === schemaVersion ? Effect.void : Effect.fail(otherVersion(filename, version))
  )

const identityOf = (filename: string): string => {
  const { dev, ino } = fs.statSync(filename, { bigint: true })
  return `${dev}/${ino}`
}

/** A connection to the file that has an identity. */
interface Opened {
  readonly identity: string
  readonly ask: Ask
}

const closed: Opened = { identity: "", ask: () => Effect.succeed([]) }

const open = (filename: string, identity: string): Effect.Effect<Opened, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* SqliteClient.make({ filename, readonly: true, disableWAL: true })
    // A statement of the client itself would go to the database of a transaction that the asker may be in.
    const connection = yield* client.reserve
    yield* connection.execute(`PRAGMA busy_timeout = ${busyMillis}`, [], undefined)
    const ask: Ask = (sql, values, read) =>
      Effect.map(connection.execute(sql, values, undefined), (rows) => rows.map(read))
    return { identity, ask }
  }).pipe(Effect.provide(Reactivity.layer))

/**
 * A connection that reads and never writes. It is made when the first question is asked, and anew when the file has been
 * replaced. It creates no file; where there is none, a question fails, and the next one finds it when it is there.
 */
export const connect = (filename: string): Effect.Effect<Answer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const current = yield* ScopedRef.make(() => closed)
    const close = ScopedRef.set(current, Effect.succeed(closed))
    const opened = Effect.flatMap(ScopedRef.get(current), (before) => {
      const identity = identityOf(filename)
      if (before.identity === identity) return Effect.succeed(before)
      return Effect.zipRight(ScopedRef.set(current, open(filename, identity)), ScopedRef.get(current))
    })
    const oneAtATime = yield* makeSemaphore(1)
    return (question) =>
      Effect.flatMap(opened, ({ ask }) =>
        Effect.acquireUseRelease(
          ask("BEGIN", [], constVoid),
          () => Effect.zipRight(checkVersion(filename, ask), question(ask)),
          // Where the disk failed, SQLite has ended it already, and the failure of the question says why.
          () => Effect.ignore(ask("COMMIT", [], constVoid))
        )
      ).pipe(
        // Whoever wants bigints of his own databases does not want them here.
        Effect.provideService(SafeIntegers, false),
        // What cannot be opened, and a row that cannot be read, are thrown.
        catchAllCause((cause) =>
          Effect.zipRight(close, Effect.fail(explained(filename, Cause.squash(cause))))
        ),
        oneAtATime.withPermits(1)
      )
  })
