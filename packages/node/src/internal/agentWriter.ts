import { window } from "@switchyard/core/AgentMetrics"
import type { AgentRecord } from "@switchyard/core/AgentRoster"
import { type Answer, addSums, merged, type Tally } from "@switchyard/core/AgentTally"
import type Database from "better-sqlite3"
import type { AgentChanges } from "./agentChanges.js"
import {
  agentValues,
  answersColumn,
  answersFrom,
  failuresColumn,
  recordOf,
  skillColumn,
  tallyFrom
} from "./agentRows.js"
import { bucketOf, historyNames } from "./agentTables.js"
import type { Columns, Value } from "./rows.js"

/** Writes the rows of agents; both ways of writing have to be called within a transaction. */
export interface AgentWriter {
  /** What the tables have of an agent, by its id in lower case. */
  readonly record: (key: string) => AgentRecord | undefined
  /** Puts all that changed. */
  readonly write: (changes: AgentChanges) => void
}

/** A writer to the tables of a database; statements are prepared once. */
export const makeAgentWriter = (database: Database.Database): AgentWriter => {
  const prepare = (sql: string) => database.prepare<Array<Value>, Columns>(sql)
  const findAgent = prepare("SELECT record FROM agents WHERE agent = ?")
  const putAgent = prepare("INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?, ?)")
  const addAgent = prepare("INSERT OR IGNORE INTO agents VALUES (?, ?, ?, ?, ?, ?)")
  const removeSkills = prepare("DELETE FROM agent_skills WHERE agent = ?")
  const putSkill = prepare("INSERT OR IGNORE INTO agent_skills VALUES (?, ?)")
  const findHistory = prepare("SELECT * FROM agent_history WHERE agent = ? AND skill = ?")
  const putHistory = prepare(
    `INSERT OR REPLACE INTO agent_history (${historyNames.join(", ")}) VALUES (${historyNames.map(() => "?").join(", ")})`
  )
  const findLatest = prepare("SELECT * FROM agent_latest WHERE agent = ? AND skill = ? AND bucket = ?")
  const putLatest = prepare("INSERT OR REPLACE INTO agent_latest VALUES (?, ?, ?, ?, ?)")
  const oldest = prepare(
    "SELECT bucket, kept FROM agent_latest WHERE agent = ? AND skill = ? ORDER BY bucket LIMIT 1"
  )
  const removeLatest = prepare("DELETE FROM agent_latest WHERE agent = ? AND skill = ? AND bucket = ?")

  const putRecord = (key: string, record: AgentRecord): void => {
    putAgent.run(...agentValues(key, record))
    removeSkills.run(key)
    for (const { skill } of record.capabilities) putSkill.run(key, skill)
  }

  /** Puts answers into their rows, and says how many of them were not there. */
  const addAnswers = (agent: string, skill: string, answers: ReadonlyArray<Answer>): number => {
    let added = 0
    for (let from = 0; from < answers.length; ) {
      const bucket = bucketOf(answers[from]?.seq ?? 0)
      let to = from + 1
      while (to < answers.length && bucketOf(answers[to]?.seq ?? 0) === bucket) to++
      const row = findLatest.get(agent, skill, bucket)
      const before = row === undefined ? [] : answersFrom(row)
      const after = merged(before, answers.slice(from, to))
      if (after.length > before.length)
        putLatest.run(agent, skill, bucket, after.length, answersColumn(bucket, after))
      added += after.length - before.length
      from = to
    }
    return added
  }

  /** Removes the oldest rows that are not needed for the latest answers, and says how many are kept. */
  const trim = (agent: string, skill: string, kept: number): number => {
    let left = kept
    while (left > window) {
      const row = oldest.get(agent, skill)
      if (row === undefined || left - Number(row.kept) < window) break
      removeLatest.run(agent, skill, row.bucket ?? 0)
      left -= Number(row.kept)
    }
    return left
  }

  const putTally = (tally: Tally): void => {
    const { agentId: agent, latest } = tally
    const skill = skillColumn(tally.skill)
    const row = findHistory.get(agent, skill)
    const sums =
      row === undefined ? { ...tally, failuresByKind: { ...tally.failuresByKind } } : tallyFrom(row)
    if (row === undefined) addAgent.run(...agentValues(agent, undefined))
    else addSums(sums, tally, 1)
    const added = addAnswers(agent, skill, latest)
    putHistory.run(
      ...[agent, skill, sums.successes, failuresColumn(sums.failuresByKind), sums.totalMillis],
      ...[sums.tokens, sums.costMicroUsd, Math.max(sums.lastInvocation, tally.lastInvocation)],
      trim(agent, skill, Number(row?.kept ?? 0) + added)
    )
  }

  return {
    record: (key) => {
      const row = findAgent.get(key)
      return row === undefined ? undefined : recordOf(row)
    },
    write: (changes) => {
      for (const [key, record] of changes.records()) putRecord(key, record)
      for (const ofAgent of changes.tallies().values()) for (const tally of ofAgent.values()) putTally(tally)
    }
  }
}
