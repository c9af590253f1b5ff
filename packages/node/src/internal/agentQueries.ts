import * as Agents from "@switchyard/core/AgentRow"
import { historyOf, type Tally } from "@switchyard/core/AgentTally"
import type { AgentId } from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import { answersFrom, recordOf, tallyFrom } from "./agentRows.js"
import type { Ask } from "./indexConnection.js"
import type { Columns, Value } from "./rows.js"

/** What an agent did, by skill, with its latest answers. */
export const talliesOf = (ask: Ask, key: string) =>
  Effect.gen(function* () {
    const tallies = yield* ask("SELECT * FROM agent_history WHERE agent = ?", [key], tallyFrom)
    const bySkill = new Map<string | undefined, Tally>(tallies.map((tally) => [tally.skill ?? "", tally]))
    yield* ask(
      "SELECT skill, bucket, answers FROM agent_latest WHERE agent = ? ORDER BY skill, bucket",
      [key],
      (row) => {
        const latest = bySkill.get(String(row.skill))?.latest
        for (const answer of answersFrom(row)) latest?.push(answer)
      }
    )
    return tallies
  })

const found = (ask: Ask, row: Columns) => {
  const key = String(row.agent)
  return Effect.map(talliesOf(ask, key), (tallies) => [key, recordOf(row), historyOf(tallies)] as const)
}

/** The agents that a filter lets through, after an id, so many at most. */
export const listAgents = (ask: Ask, filter: Agents.AgentFilter, after: string, limit: number) => {
  const { enabled, health, registered, skill, text } = filter
  const conditions: Array<readonly [sql: string, value: Value]> = [["agents.agent > ?", after]]
  if (skill !== undefined) conditions.push(["skill = ?", skill])
  if (registered !== undefined) conditions.push(["registered = ?", registered ? 1 : 0])
  if (enabled !== undefined) conditions.push(["enabled = ?", enabled ? 1 : 0])
  if (health !== undefined) conditions.push(["health = ?", health])
  if (text !== undefined) conditions.push(["instr(search, ?) > 0", text.toLowerCase()])
  const from =
    skill === undefined
      ? "agents"
      : "agent_skills INDEXED BY agent_skills_by_skill CROSS JOIN agents ON agents.agent = agent_skills.agent"
  const order = skill === undefined ? "agents.agent" : "agent_skills.agent"
  return Effect.flatMap(
    ask(
      `SELECT agents.agent, record FROM ${from} WHERE ${conditions.map(([sql]) => sql).join(" AND ")} ORDER BY ${order} LIMIT ?`,
      [...conditions.map(([, value]) => value), limit],
      (row) => row
    ),
    (rows) =>
      Effect.forEach(rows, (row) =>
        Effect.map(found(ask, row), (of) => ({ key: of[0], row: Agents.agentRow(...of) }))
      )
  )
}

/** One agent, or the ids of those that there are. */
export const findAgent = (ask: Ask, agentId: string) =>
  Effect.gen(function* () {
    const [row] = yield* ask(
      "SELECT agent, record FROM agents WHERE agent = ?",
      [agentId.toLowerCase()],
      (one) => one
    )
    if (row !== undefined) return { details: Agents.agentDetails(...(yield* found(ask, row))), known: [] }
    const known = yield* ask(
      "SELECT agent, record FROM agents ORDER BY agent",
      [],
      (each) => recordOf(each)?.agentId ?? String(each.agent)
    )
    return { details: undefined, known }
  })

/** What every agent did that did anything. */
export const allHistories = (ask: Ask) =>
  Effect.flatMap(
    ask("SELECT DISTINCT agent FROM agent_history", [], ({ agent }) => String(agent)),
    (keys) =>
      Effect.forEach(keys, (key) =>
        Effect.map(talliesOf(ask, key), (tallies) => [key as AgentId, historyOf(tallies)] as const)
      )
  )
