import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as AgentBook from "../AgentBook.js"
import { historyOf } from "../AgentTally.js"
import { attemptOf } from "../Attempt.js"
import type { Entry } from "../Event.js"
import type { EventLogError, Reader } from "../EventLog.js"
import type { RunId } from "../Ids.js"
import * as Run from "../Run.js"

/** Everything that a log says: the runs that it has, and its agents. */
export interface LogFold {
  readonly runs: Map<RunId, Run.Run>
  readonly book: AgentBook.AgentBook
}

const note = (fold: LogFold, entry: Entry): LogFold => {
  const { book, runs } = fold
  const known = runs.get(entry.runId)
  if (known !== undefined) {
    const attempt = attemptOf(known, entry)
    if (Run.apply(known, entry) === undefined && attempt !== undefined) AgentBook.note(book, entry, attempt)
    return fold
  }
  if (entry.event._tag === "RunsRemoved") for (const runId of entry.event.runs) runs.delete(runId)
  const run = Run.register(entry)
  if (run === undefined) AgentBook.note(book, entry)
  else runs.set(run.id, run)
  return fold
}

/** Folds entries, from the first one of a log on. */
export const foldOf = (entries: Iterable<Entry>): LogFold => {
  const fold: LogFold = { runs: new Map(), book: AgentBook.empty() }
  for (const entry of entries) note(fold, entry)
  return fold
}

/** Folds a whole log as of now. Runs are folded in place, so that everybody who asks needs a fold of his own. */
export const foldLog = (log: Pick<Reader, "read">): Effect.Effect<LogFold, EventLogError> =>
  Effect.suspend(() => Stream.runFold(log.read({}), foldOf([]), note))

/** The agents that a log knows, by id in lower case, sorted. */
export const agentsOf = ({ book }: LogFold) =>
  [...new Set([...book.roster.agents.keys(), ...book.tallies.keys()])].sort().map((key) => ({
    key,
    record: book.roster.agents.get(key),
    history: () => historyOf(book.tallies.get(key)?.values() ?? [])
  }))
