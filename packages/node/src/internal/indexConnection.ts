import * as fs from "node:fs"
import { QueryFailed } from "@switchyard/core/QueryService"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { errnoOf, reasonOf } from "./fileSystem.js"
import type { Columns, Value } from "./rows.js"
import { isDamage, isLocked, versionOf } from "./schemaUpgrade.js"
import { schemaVersion } from "./tables.js"

/** Asks for the rows of one statement; values take their places by position. */
export type Ask = (sql: string, values: ReadonlyArray<Value>) => ReadonlyArray<Columns>

/** A connection to an index that reads and never writes. */
export interface IndexConnection {
  /** Answers from one state of the tables, however many statements that takes. */
  readonly answer: <A>(question: (ask: Ask) => A) => Effect.Effect<A, QueryFailed>
  readonly close: () => void
}

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
const explained = (filename: string, error: unknown): QueryFailed => {
  if (error instanceof QueryFailed) return error
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

interface Opened {
  readonly identity: string
  readonly answer: <A>(question: (ask: Ask) => A) => A
  readonly close: () => void
}

const identityOf = (filename: string): string => {
  const { dev, ino } = fs.statSync(filename, { bigint: true })
  return `${dev}/${ino}`
}

const open = (filename: string): Opened => {
  const identity = identityOf(filename)
  const database = new Database(filename, { readonly: true, fileMustExist: true, timeout: busyMillis })
  const statements = new Map<string, Database.Statement<[ReadonlyArray<Value>], Columns>>()
  const ask: Ask = (sql, values) => {
    let statement = statements.get(sql)
    if (statement === undefined) {
      statement = database.prepare<[ReadonlyArray<Value>], Columns>(sql)
      statements.set(sql, statement)
    }
    return statement.all(values)
  }
  return {
    identity,
    answer: (question) =>
      database.transaction(() => {
        const version = versionOf(database)
        if (version !== schemaVersion) throw otherVersion(filename, version)
        return question(ask)
      })(),
    close: () => database.close()
  }
}

/**
 * A connection that is made when the first question is asked, and anew when the file has been replaced. It creates no
 * file; where there is none, a question fails, and the next one finds it when it is there.
 */
export const connect = (filename: string): IndexConnection => {
  let opened: Opened | undefined
  const close = (): void => {
    opened?.close()
    opened = undefined
  }
  const current = (): Opened => {
    if (opened !== undefined && opened.identity !== identityOf(filename)) close()
    opened ??= open(filename)
    return opened
  }
  return {
    answer: (question) =>
      Effect.suspend(() => {
        try {
          return Effect.succeed(current().answer(question))
        } catch (error) {
          close()
          return Effect.fail(explained(filename, error))
        }
      }),
    close
  }
}
