import type { RunId } from "@switchyard/core/Ids"
import type { Ask } from "./indexConnection.js"

/** A run that has ended, as far as its removal is concerned; times are milliseconds since 1970, UTC. */
export interface FinishedRun {
  readonly runId: RunId
  readonly firstSeq: number
  readonly registeredAt: number
  readonly endedAt: number
}

const terminal = ["Completed", "Failed", "Cancelled"]

/** The runs that have ended, registered after a position of the log, the oldest first; so many at most. */
export const oldestFinished = (ask: Ask, after: number, limit: number): ReadonlyArray<FinishedRun> =>
  terminal
    .flatMap((status) =>
      ask(
        "SELECT run_id, first_seq, registered_at, ended_at FROM runs WHERE status = ? AND first_seq > ? ORDER BY first_seq LIMIT ?",
        [status, after, limit]
      )
    )
    .map((row) => ({
      runId: String(row.run_id) as RunId,
      firstSeq: Number(row.first_seq),
      registeredAt: Number(row.registered_at),
      endedAt: Number(row.ended_at)
    }))
    .sort((a, b) => a.firstSeq - b.firstSeq)
    .slice(0, limit)

/** How many runs have ended, and how many there are. */
export const countRuns = (ask: Ask): { readonly finished: number; readonly all: number } => {
  let finished = 0
  let all = 0
  for (const row of ask("SELECT status, runs FROM totals WHERE runs > 0", [])) {
    all += Number(row.runs)
    if (terminal.includes(String(row.status))) finished += Number(row.runs)
  }
  return { finished, all }
}

/** Those of some runs that the index has. */
export const knownOf = (ask: Ask, runs: ReadonlyArray<RunId>): ReadonlySet<RunId> =>
  new Set(runs.filter((runId) => ask("SELECT 1 FROM runs WHERE run_id = ?", [runId]).length > 0))
