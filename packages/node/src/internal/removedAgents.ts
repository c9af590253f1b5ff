import type { SqlError } from "@effect/sql/SqlError"
import { type AgentTally, addSums, type Tallies, tallyOf } from "@switchyard/core/AgentTally"
import type { RunId } from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import { answersFrom, doneFrom, plainTally, skillColumn } from "./agentRows.js"
import { bucketOf } from "./agentTables.js"
import type { Ask } from "./indexConnection.js"

/**
 * What agents did in runs that are to go, as their removal records it. Of their latest answers it has those that lie between
 * the first and the last entry of these runs; that some are of others is no harm, since an answer counts once.
 */
export const removedAgents = (
  ask: Ask,
  runs: ReadonlyArray<RunId>
): Effect.Effect<ReadonlyArray<AgentTally>, SqlError> =>
  Effect.gen(function* () {
    const done: Tallies = new Map()
    let [first, last] = [Number.POSITIVE_INFINITY, 0]
    for (const runId of runs) {
      yield* ask(
        "SELECT first_seq, last_seq, agents FROM runs WHERE run_id = ?",
        [runId],
        ({ agents, first_seq, last_seq }) => {
          first = Math.min(first, Number(first_seq))
          last = Math.max(last, Number(last_seq))
          for (const ofAgent of doneFrom(agents).values())
            for (const tally of ofAgent.values()) addSums(tallyOf(done, tally.agentId, tally.skill), tally, 1)
        }
      )
    }
    const tallies = [...done.values()].flatMap((ofAgent) => [...ofAgent.values()])
    for (const tally of tallies) {
      const of = [tally.agentId, skillColumn(tally.skill)]
      yield* ask("SELECT last_invocation FROM agent_history WHERE agent = ? AND skill = ?", of, (row) => {
        tally.lastInvocation = Number(row.last_invocation)
      })
      yield* ask(
        "SELECT bucket, answers FROM agent_latest WHERE agent = ? AND skill = ? AND bucket BETWEEN ? AND ? ORDER BY bucket",
        [...of, bucketOf(first), bucketOf(last)],
        (row) => {
          for (const answer of answersFrom(row))
            if (answer.seq >= first && answer.seq <= last) tally.latest.push(answer)
        }
      )
    }
    return tallies.map(plainTally)
  })
