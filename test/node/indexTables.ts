import * as fs from "node:fs"
import Database from "better-sqlite3"

/** Every table of an index with every row, and what the tables and their indexes are made of. */
export const dump = (file: string): Record<string, ReadonlyArray<unknown>> => {
  const database = new Database(file, { readonly: true })
  const schema = database
    .prepare<[], { type: string; name: string; sql: string }>(
      "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    )
    .all()
  const rows = schema
    .filter(({ type }) => type === "table")
    .map(({ name }) => {
      const columns = database.pragma(`table_info(${name})`) as ReadonlyArray<unknown>
      const order = columns.map((_, index) => index + 1).join(", ")
      return [name, database.prepare(`SELECT * FROM ${name} ORDER BY ${order}`).all()] as const
    })
  const version = database.pragma("user_version")
  database.close()
  return { ...Object.fromEntries(rows), schema, version: [version] }
}

/** Removes an index, as a user may while no host is running. */
export const discard = (file: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) fs.rmSync(`${file}${suffix}`, { force: true })
}

/** Copies an index as it is on disk at this moment, which is what a crash of its process leaves. */
export const copyOf = (file: string, to: string): void => {
  for (const suffix of ["", "-wal"])
    if (fs.existsSync(file + suffix)) fs.copyFileSync(file + suffix, to + suffix)
}
