import type Database from "better-sqlite3"
import { agentsSince, migrations, schema, schemaVersion, workedBefore } from "./tables.js"

const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : ""

/** Whether what was thrown says that the file is damaged, or that it is no database at all. */
export const isDamage = (error: unknown): boolean =>
  errorCode(error).startsWith("SQLITE_CORRUPT") || errorCode(error) === "SQLITE_NOTADB"

/** Whether what was thrown says that another connection is in the way. */
export const isLocked = (error: unknown): boolean => errorCode(error).startsWith("SQLITE_BUSY")

/** Whether tables are not what their version says: no disk and no lock is to blame then. */
const isMismatch = (error: unknown): boolean =>
  errorCode(error) === "SQLITE_ERROR" || errorCode(error).startsWith("SQLITE_CONSTRAINT")

const versionOf = (database: Database.Database): number =>
  Number(database.pragma("user_version", { simple: true }))

/** Throws away whatever is in a database, in one transaction, and leaves empty tables of the present version. */
export const reset = (database: Database.Database): void => {
  database.transaction(() => {
    const names = database
      .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all()
    for (const { name } of names) database.exec(`DROP TABLE "${name}"`)
    database.exec(schema)
    database.pragma(`user_version = ${schemaVersion}`)
  })()
}

const migrate = (database: Database.Database): boolean => {
  let version = versionOf(database)
  if (version > 0 && version < agentsSince && database.prepare(workedBefore).get() !== undefined) return false
  for (let step = migrations.get(version); step !== undefined; step = migrations.get(version)) {
    database.exec(step)
    version++
  }
  database.pragma(`user_version = ${version}`)
  return version === schemaVersion
}

/**
 * Brings a database to the present version of the schema in one transaction. One of an unknown version, newer ones
 * included, is emptied, because everything in it can be built anew; so is one that lacks what only the log can tell.
 */
export const upgrade = (database: Database.Database): void => {
  if (versionOf(database) === schemaVersion) return
  try {
    if (database.transaction(migrate)(database)) return
  } catch (error) {
    if (!isMismatch(error)) throw error
  }
  reset(database)
}
