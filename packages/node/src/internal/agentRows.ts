import type { AgentRecord } from "@switchyard/core/AgentRoster"
import { searchedIn } from "@switchyard/core/AgentRow"
import { type AgentTally, type Answer, type Tallies, type Tally, tallyOf } from "@switchyard/core/AgentTally"
import type { AgentId } from "@switchyard/core/Ids"
import { bucketSize } from "./agentTables.js"
import type { Columns, Value } from "./rows.js"

/** What stands for a skill in a column. */
export const skillColumn = (skill: string | undefined): string => skill ?? ""

const skillOf = (column: Value | undefined): string | undefined =>
  column === "" ? undefined : String(column)

/** The values of an agent, in the order of its columns. */
export const agentValues = (key: string, record: AgentRecord | undefined): ReadonlyArray<Value> => [
  key,
  record?.registered === true ? 1 : 0,
  record?.enabled === false ? 0 : 1,
  record?.health._tag ?? "Unknown",
  searchedIn(key, record),
  record === undefined ? null : JSON.stringify(record)
]

/** What columns say of an agent; they are this package's own. */
export const recordOf = (columns: Columns): AgentRecord | undefined =>
  columns.record === null ? undefined : (JSON.parse(String(columns.record)) as AgentRecord)

/** Failures by their kind, those that there are, in an order that does not depend on which came first. */
export const failuresColumn = (failures: Readonly<Record<string, number>>): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(failures)
        .filter(([, times]) => times !== 0)
        .sort(([a], [b]) => (a < b ? -1 : 1))
    )
  )

/** What columns say that an agent did with one skill, without its latest answers; they are this package's own. */
export const tallyFrom = (columns: Columns): Tally => ({
  agentId: columns.agent as AgentId,
  skill: skillOf(columns.skill),
  successes: Number(columns.successes),
  failuresByKind: JSON.parse(String(columns.failures)),
  totalMillis: Number(columns.total_millis),
  tokens: Number(columns.tokens),
  costMicroUsd: Number(columns.cost_micro_usd),
  lastInvocation: Number(columns.last_invocation),
  latest: []
})

/** The answers of one row; each is a list that begins with how far into the row it is. */
export const answersColumn = (bucket: number, answers: ReadonlyArray<Answer>): string =>
  JSON.stringify(
    answers.map(({ costMicroUsd, durationMillis, failure, seq, time }) => {
      const plain = [seq - bucket * bucketSize, time, durationMillis, costMicroUsd]
      return failure === undefined ? plain : [...plain, failure]
    })
  )

/** The answers that a row has. */
export const answersFrom = (columns: Columns): Array<Answer> => {
  const lists: ReadonlyArray<readonly [number, number, number, number, string?]> = JSON.parse(
    String(columns.answers)
  )
  return lists.map(([at, time, durationMillis, costMicroUsd, failure]) => ({
    seq: Number(columns.bucket) * bucketSize + at,
    time,
    durationMillis,
    costMicroUsd,
    ...(failure === undefined ? {} : { failure })
  }))
}

type Done = readonly [string, string, number, number, number, number, Readonly<Record<string, number>>?]

/** What agents did in one run, for its row; nothing where no agent did anything. */
export const doneColumn = (tallies: Tallies): string | null => {
  if (tallies.size === 0) return null
  const done: Array<Done> = []
  for (const ofAgent of tallies.values())
    for (const {
      agentId,
      costMicroUsd,
      failuresByKind,
      skill,
      successes,
      tokens,
      totalMillis
    } of ofAgent.values()) {
      const sums = [agentId, skillColumn(skill), successes, totalMillis, tokens, costMicroUsd] as const
      done.push(Object.keys(failuresByKind).length === 0 ? sums : [...sums, failuresByKind])
    }
  return JSON.stringify(done)
}

/** What agents did in one run, from its row. */
export const doneFrom = (column: Value | undefined): Tallies => {
  const tallies: Tallies = new Map()
  if (typeof column !== "string") return tallies
  const done: ReadonlyArray<Done> = JSON.parse(column)
  for (const [agent, skill, successes, totalMillis, tokens, costMicroUsd, failures] of done) {
    const tally = tallyOf(tallies, agent, skillOf(skill))
    Object.assign(tally, { successes, totalMillis, tokens, costMicroUsd })
    Object.assign(tally.failuresByKind, failures)
  }
  return tallies
}

/** A tally as an event has it. */
export const plainTally = ({ skill, ...tally }: Tally): AgentTally => ({
  ...tally,
  ...(skill === undefined ? {} : { skill })
})
