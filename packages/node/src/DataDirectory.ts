import * as fs from "node:fs"
import { access, constants } from "node:fs/promises"
import * as path from "node:path"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { makeDirectory, reasonOf } from "./internal/fileSystem.js"

/** A directory that cannot be used for data, with the reason and what to do about it. */
export class DirectoryUnusable extends Schema.TaggedError<DirectoryUnusable>()("DirectoryUnusable", {
  directory: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The directory ${this.directory} cannot be used: ${this.reason}`
  }
}

/** A directory that another process writes to. */
export class DirectoryInUse extends Schema.TaggedError<DirectoryInUse>()("DirectoryInUse", {
  directory: Schema.String,
  pid: Schema.optionalWith(Schema.Int, { exact: true })
}) {
  override get message() {
    const holder = this.pid === undefined ? "another process" : `process ${this.pid}`
    return `The directory ${this.directory} is in use by ${holder}; stop it, or choose another directory`
  }
}

/** Creates a directory and its parents where they do not exist, and makes sure that files can be made in it. */
export const create = (directory: string): Effect.Effect<void, DirectoryUnusable> =>
  Effect.tryPromise({
    try: async () => {
      await makeDirectory(directory)
      await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    },
    catch: (error) => new DirectoryUnusable({ directory, reason: reasonOf(error) })
  })

const readHolder = (file: string): number | undefined => {
  try {
    const pid: unknown = JSON.parse(fs.readFileSync(file, "utf8")).pid
    return typeof pid === "number" ? pid : undefined
  } catch {
    return undefined
  }
}

/**
 * Holds a directory for this process until the scope closes or the process dies: the operating system's lock on an
 * exclusively opened SQLite file, which no crash can leave behind.
 */
export const lock = (
  directory: string
): Effect.Effect<void, DirectoryInUse | DirectoryUnusable, Scope.Scope> => {
  const holder = path.join(directory, "holder.json")
  return Effect.asVoid(
    Effect.acquireRelease(
      Effect.try({
        try: () => {
          const database = new Database(path.join(directory, "lock"), { timeout: 0 })
          try {
            database.pragma("locking_mode = EXCLUSIVE")
            database.exec("BEGIN EXCLUSIVE")
            fs.writeFileSync(holder, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }))
          } catch (error) {
            database.close()
            throw error
          }
          return database
        },
        catch: (error) => {
          const code = error instanceof Error && "code" in error ? String(error.code) : ""
          const pid = readHolder(holder)
          return code.startsWith("SQLITE_BUSY")
            ? new DirectoryInUse({ directory, ...(pid === undefined ? {} : { pid }) })
            : new DirectoryUnusable({ directory, reason: reasonOf(error) })
        }
      }),
      (database) =>
        Effect.sync(() => {
          fs.rmSync(holder, { force: true })
          database.close()
        })
    )
  )
}
