import type { RunId } from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import type { Ask } from "./indexConnection.js"
import type { Columns } from "./rows.js"

/** A run that has ended, as far as its removal is concerned; times are milliseconds since 1970, UTC. */
export interface FinishedRun {
  readonly runId: RunId
  readonly firstSeq: number
  readonly registeredAt: number
  readonly endedAt: number
}

const terminal = ["Completed", "Failed", "Cancelled"]

const finishedRun = (row: Columns): FinishedRun => ({
  runId: String(row.run_id) as RunId,
  firstSeq: Number(row.first_seq),
  registeredAt: Number(row.registered_at),
  endedAt: Number(row.ended_at)
})

/** The runs that have ended, registered after a position of the log, the oldest first; so many at most. */
export const oldestFinished = (ask: Ask, after: number, limit: number) =>
  Effect.map(
    Effect.forEach(terminal, (status) =>
      ask(
        "SELECT run_id, first_seq, registered_at, ended_at FROM runs WHERE status = ? AND first_seq > ? ORDER BY first_seq LIMIT ?",
        [status, after, limit],
        finishedRun
      )
    ),
    (found) =>
      found
        .flat()
        .sort((a, b) => a.firstSeq - b.firstSeq)
        .slice(0, limit)
  )

/** How many runs have ended, and how many there are. */
export const countRuns = (ask: Ask) =>
  Effect.map(
    ask("SELECT status, runs FROM totals WHERE runs > 0", [], (row) => row),
    (rows) => {
      const sum = (of: ReadonlyArray<Columns>) => of.reduce((all, { runs }) => all + Number(runs), 0)
      return { finished: sum(rows.filter(({ status }) => terminal.includes(String(status)))), all: sum(rows) }
    }
  )

/** Those of some runs that the index has. */
export const knownOf = (ask: Ask, runs: ReadonlyArray<RunId>) =>
  Effect.map(
    Effect.forEach(runs, (runId) => ask("SELECT 1 FROM runs WHERE run_id = ?", [runId], () => runId)),
    (found): ReadonlySet<RunId> => new Set(found.flat())
  )
