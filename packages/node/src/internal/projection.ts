import type { Entry } from "@switchyard/core/Event"
import type { RunId } from "@switchyard/core/Ids"
import { isTerminal } from "@switchyard/core/Run"
import Database from "better-sqlite3"
import { makeAgentWriter } from "./agentWriter.js"
import { makeChanges } from "./changes.js"
import * as Schema from "./schemaUpgrade.js"
import { statuses } from "./tables.js"
import { makeTableWriter } from "./tableWriter.js"

/** The writing side of the index: folds entries and puts the rows that changed into the tables. */
export interface Projection {
  /** The position up to which the tables are complete. */
  readonly watermark: () => number
  /**
   * Whether the tables can have been made from the log that has this entry at the watermark. Where the tables do not say
   * what stood there, they are told.
   */
  readonly standsAt: (entry: Entry) => boolean
  /** The runs that had not ended at the watermark: their entries up to there have to be remembered before anything is projected. */
  readonly openRuns: ReadonlyArray<{ readonly runId: RunId; readonly firstSeq: number }>
  /** Folds an entry that the tables have already. */
  readonly remember: (entry: Entry) => void
  /**
   * Folds entries, in order, and writes the rows that changed, in one transaction; entries that were folded before change
   * nothing. Where it throws, nothing is written, and what was folded is written the next time.
   */
  readonly project: (entries: ReadonlyArray<Entry>) => void
  /** Removes all that the tables have of a run, in one transaction; a run that they do not have is no error. */
  readonly forget: (runId: RunId) => void
  /** Marks the tables as damaged, so that they are built anew when the file is opened again. */
  readonly spoil: () => void
  readonly close: () => void
}

/** A position in the log, and the time of the entry there. */
interface Place {
  readonly seq: number
  readonly time: number | undefined
}

const open = statuses.filter((status) => !isTerminal(status))

const readMeta = (database: Database.Database, key: string): number | undefined =>
  database.prepare<[string], number>("SELECT value FROM meta WHERE key = ?").pluck().get(key)

/** Opens the database of an index, or makes an empty one where there is none or one of a version that is not known. */
export const openProjection = (file: string, anew = false): Projection => {
  const database = new Database(file)
  database.pragma("journal_mode = WAL")
  database.pragma("synchronous = NORMAL")
  // A checkpoint waits for the disk twice, however little it moves, so it had better come rarely: every 16 MiB.
  database.pragma("wal_autocheckpoint = 4000")
  if (anew) Schema.reset(database)
  else Schema.upgrade(database)
  // From here on only a foreign program can be in the way, and the host does not stand still for it: what failed is tried again.
  database.pragma("busy_timeout = 50")
  const tables = makeTableWriter(database)
  const agents = makeAgentWriter(database)
  const changes = makeChanges({ ...tables, ...agents })
  const putMeta = database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
  /** Where the tables stand, and how far entries are folded: further only while writing fails. */
  let written: Place = {
    seq: readMeta(database, "watermark") ?? 0,
    time: readMeta(database, "watermark_time")
  }
  let folded = written
  const openRuns = database
    .prepare<Array<string>, { runId: RunId; firstSeq: number }>(
      `SELECT run_id AS runId, first_seq AS firstSeq FROM runs WHERE child IN (0, 1) AND status IN (${open.map(() => "?").join(", ")})`
    )
    .all(...open)
  const write = database.transaction(() => {
    tables.write(changes.forgotten(), changes.dirty())
    agents.write(changes.agents)
    putMeta.run("watermark", folded.seq)
    if (folded.time !== undefined) putMeta.run("watermark_time", folded.time)
  })
  const settle = (): void => {
    write()
    written = folded
    changes.written()
  }

  return {
    watermark: () => written.seq,
    standsAt: ({ time }) => {
      if (written.time === undefined) {
        putMeta.run("watermark_time", time)
        written = folded = { ...written, time }
      }
      return written.time === time
    },
    openRuns,
    remember: changes.remember,
    project: (entries) => {
      for (const entry of entries) {
        if (entry.seq <= folded.seq) continue
        changes.note(entry)
        folded = entry
      }
      if (folded.seq > written.seq) settle()
    },
    forget: (runId) => {
      changes.forget(runId)
      settle()
    },
    spoil: () => {
      try {
        database.pragma("user_version = 0")
      } catch {
        // A file that cannot even take this is found to be damaged when it is opened.
      }
    },
    close: () => {
      try {
        // A file in this mode can be read without one being created beside it. It stays in the other where readers have it open.
        database.pragma("journal_mode = DELETE")
      } catch (error) {
        if (!Schema.isLocked(error)) throw error
      } finally {
        database.close()
      }
    }
  }
}
