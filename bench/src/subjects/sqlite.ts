import * as path from "node:path"
import Database from "better-sqlite3"
import { event, runId } from "../GroupCommit.js"
import { type SubjectModule, timed, verify } from "../Subject.js"

/** SQLite itself: so many rows in a transaction, one transaction after the other. */
export const open: SubjectModule["open"] = async (directory, { synchronous }) => {
  const database = new Database(path.join(directory, "store.sqlite"))
  database.pragma("journal_mode = WAL")
  database.pragma(`synchronous = ${String(synchronous)}`)
  database.exec("CREATE TABLE events (seq INTEGER PRIMARY KEY, run_id TEXT, run_seq INTEGER, event TEXT)")
  const insert = database.prepare("INSERT INTO events VALUES (?, ?, ?, ?)")
  const count = database.prepare<[], { n: number }>("SELECT COUNT(*) AS n FROM events")
  const body = JSON.stringify(event)
  let seq = 0
  const insertAll = database.transaction((rows: number) => {
    for (let n = 0; n < rows; n++) {
      seq++
      insert.run(seq, runId, seq, body)
    }
  })
  return {
    run: async ({ batch, groups }) => {
      const outcome = await timed(Number(batch) * Number(groups), async () => {
        for (let n = 0; n < Number(groups); n++) insertAll(Number(batch))
      })
      verify("rows", count.get()?.n, seq)
      return outcome
    },
    close: async () => void database.close()
  }
}
