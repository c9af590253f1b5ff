import type { RunId } from "@switchyard/core/Ids"
import { isTerminal } from "@switchyard/core/Run"
import * as Effect from "effect/Effect"
import type { Ask } from "./indexConnection.js"
import type { Columns } from "./rows.js"
import { childrenIndex, statuses } from "./tables.js"

/** A run that has ended, as far as its removal is concerned; times are milliseconds since 1970, UTC. */
export interface FinishedRun {
  readonly runId: RunId
  readonly firstSeq: number
  readonly registeredAt: number
  readonly endedAt: number
}

const terminal = statuses.filter(isTerminal)
const names = terminal.map((status) => `'${status}'`).join(", ")

const finishedRun = (row: Columns): FinishedRun => ({
  runId: String(row.run_id) as RunId,
  firstSeq: Number(row.first_seq),
  registeredAt: Number(row.registered_at),
  endedAt: Number(row.ended_at)
})

/** The runs that have ended and are items of no other, registered after a position of the log, the oldest first; so many at most. */
export const oldestFinished = (ask: Ask, after: number, limit: number) =>
  Effect.map(
    Effect.forEach(terminal, (status) =>
      ask(
        `SELECT run_id, first_seq, registered_at, ended_at FROM runs
           WHERE child = 0 AND status = ? AND first_seq > ? ORDER BY first_seq LIMIT ?`,
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

/**
 * A run with all that are items of it and of these, an item before the run that it is an item of; none where one of them has
 * not ended.
 */
export const familyOf = (ask: Ask, { firstSeq }: FinishedRun) =>
  Effect.map(
    ask(
      `WITH RECURSIVE family (first_seq, run_id, status) AS (
         SELECT first_seq, run_id, status FROM runs WHERE first_seq = ?
         UNION SELECT c.first_seq, c.run_id, c.status FROM family JOIN runs AS c INDEXED BY ${childrenIndex}
           ON c.parent = family.run_id
       )
       SELECT run_id, status IN (${names}) AS ended FROM family ORDER BY first_seq DESC`,
      [firstSeq],
      (row) => row
    ),
    (family): ReadonlyArray<RunId> =>
      family.every(({ ended }) => ended === 1) ? family.map((row) => String(row.run_id) as RunId) : []
  )

/** How many runs there are. */
export const countRuns = (ask: Ask) =>
  Effect.map(
    ask("SELECT runs FROM totals WHERE runs > 0", [], ({ runs }) => Number(runs)),
    (found) => found.reduce((all, runs) => all + runs, 0)
  )

/** How many runs have ended that are items of no other: all but those that are, which have to be counted. */
export const countFinished = (ask: Ask) =>
  Effect.map(
    Effect.forEach(terminal, (status) =>
      ask(
        `SELECT runs - (SELECT COUNT(*) FROM runs WHERE child = 1 AND status = totals.status) AS runs
           FROM totals WHERE status = ?`,
        [status],
        ({ runs }) => Number(runs)
      )
    ),
    (found) => found.flat().reduce((all, runs) => all + runs, 0)
  )

/** Those of some runs that the index has. */
export const knownOf = (ask: Ask, runs: ReadonlyArray<RunId>) =>
  Effect.map(
    Effect.forEach(runs, (runId) => ask("SELECT 1 FROM runs WHERE run_id = ?", [runId], () => runId)),
    (found): ReadonlySet<RunId> => new Set(found.flat())
  )
