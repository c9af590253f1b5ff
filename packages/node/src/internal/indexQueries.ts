import type { SqlError } from "@effect/sql/SqlError"
import { AgentUnknown } from "@switchyard/core/AgentRow"
import type { Seq, StepId } from "@switchyard/core/Ids"
import * as Query from "@switchyard/core/QueryService"
import { pendingStep } from "@switchyard/core/Run"
import * as Usage from "@switchyard/core/Usage"
import { cursorAfter, placeAt } from "@switchyard/core/WaitingStep"
import * as Effect from "effect/Effect"
import { findAgent, listAgents } from "./agentQueries.js"
import type { Answer, Ask } from "./indexConnection.js"
import { type Columns, itemOf, runOf, stepOf, usageOf, type Value, waitingOf } from "./rows.js"
import { childrenIndex, facets, listIndex, statuses } from "./tables.js"
import { listWaiting } from "./waitingQueries.js"

/** What is answered from the tables alone. */
export type IndexQueries = Pick<
  Query.Service,
  | "watermark"
  | "listRuns"
  | "getRun"
  | "getSteps"
  | "getItems"
  | "waiting"
  | "listAgents"
  | "getAgent"
  | "totals"
>

/** A bound where there is none, so that every list is a search from a place in an index. */
const beyond = Number.MAX_SAFE_INTEGER

const newestOf = (ask: Ask, from: string, values: ReadonlyArray<Value>) =>
  ask(
    `SELECT first_seq FROM ${from} AND first_seq < ? ORDER BY first_seq DESC LIMIT ?`,
    values,
    ({ first_seq }) => Number(first_seq)
  )

/**
 * The latest runs that are items of one run. An index has them by their status; what else there is to be is looked up, since
 * they have most of it from that run.
 */
const latestChildren = (ask: Ask, parent: string, filter: Query.RunFilter, before: number, limit: number) => {
  const { status, tag } = filter
  const by = facets.filter((facet) => filter[facet] !== undefined)
  const tagged =
    "EXISTS (SELECT 1 FROM run_tags AS t WHERE t.tag = ? AND t.child = 1 AND t.status = runs.status AND t.first_seq = runs.first_seq)"
  const more = [...by.map((facet) => `${facet} = ?`), ...(tag === undefined ? [] : [tagged])]
  const values = [...by.flatMap((facet) => filter[facet] ?? []), ...(tag === undefined ? [] : [tag])]
  const from = `runs INDEXED BY ${childrenIndex} WHERE ${["parent = ?", "status = ?", ...more].join(" AND ")}`
  return Effect.forEach(status === undefined ? statuses : [status], (each) =>
    newestOf(ask, from, [parent, each, ...values, before, limit])
  )
}

/**
 * The latest runs that a filter lets through. For every set of facets there is an index that ends in whether a run is a
 * child, its status and its position; where any of these will do, the latest of each are taken together.
 */
const latest = (ask: Ask, filter: Query.RunFilter, before: number, limit: number) => {
  const { parent, status, tag } = filter
  const newest = (found: ReadonlyArray<ReadonlyArray<number>>) =>
    found
      .flat()
      .sort((a, b) => b - a)
      .slice(0, limit)
  if (typeof parent === "string")
    return Effect.map(latestChildren(ask, parent, filter, before, limit), newest)
  const by = facets.filter((facet) => filter[facet] !== undefined)
  if (parent === undefined && status === undefined && tag === undefined && by.length === 0)
    return newestOf(ask, "runs WHERE true", [before, limit])
  const conditions = [...(tag === undefined ? [] : ["tag = ?"]), ...by.map((facet) => `${facet} = ?`)]
  const wanted = [...(tag === undefined ? [] : [tag]), ...by.flatMap((facet) => filter[facet] ?? [])]
  const table = tag === undefined ? "runs" : "run_tags"
  const indexed = tag !== undefined && by.length === 0 ? "" : `INDEXED BY ${listIndex(table, by)}`
  const from = `${table} ${indexed} WHERE ${[...conditions, "child = ?", "status = ?"].join(" AND ")}`
  const kinds = (parent === null ? [0] : [0, 1]).flatMap((child) =>
    (status === undefined ? statuses : [status]).map((each) => [child, each] as const)
  )
  return Effect.map(
    Effect.forEach(kinds, (kind) => newestOf(ask, from, [...wanted, ...kind, before, limit])),
    newest
  )
}

const places = (values: ReadonlyArray<Value>): string => values.map(() => "?").join(", ")

/** Runs with the hashes of their definitions. */
const runsOf = "runs LEFT JOIN definitions USING (first_seq)"

const runsAt = (ask: Ask, positions: ReadonlyArray<number>) =>
  ask(
    `SELECT * FROM ${runsOf} WHERE first_seq IN (${places(positions)}) ORDER BY first_seq DESC`,
    positions,
    runOf
  )

const cursorOf = (paging: Query.Paging | undefined, start: number): number =>
  paging?.cursor === undefined ? start : Number(paging.cursor)

/** One row more than a page has is asked for: where it comes, there is a next page, from the last row on. */
const pageOf = <A>(
  rows: ReadonlyArray<A>,
  limit: number,
  place: (last: A) => number | string
): Query.Page<A> => {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? String(place(last)) : undefined }
}

const stepIdsOf = (row: Columns): ReadonlyArray<StepId> => JSON.parse(String(row.step_ids))

const findRun = (ask: Ask, runId: string) =>
  Effect.map(ask(`SELECT * FROM ${runsOf} WHERE run_id = ?`, [runId], runOf), ([run]) => run)

const findSteps = (ask: Ask, runId: string) =>
  Effect.gen(function* () {
    const run = yield* findRun(ask, runId)
    if (run === undefined) return undefined
    const at = [run.firstSeq]
    const [ids = []] = yield* ask("SELECT step_ids FROM plans WHERE first_seq = ?", at, stepIdsOf)
    const of = { id: run.runId, status: run.status, cancel: undefined }
    const steps = ids.map((id, position) => Query.stepRow(of, position, id, pendingStep()))
    for (const step of yield* ask("SELECT * FROM steps WHERE first_seq = ?", at, (row) => stepOf(runId, row)))
      steps[step.position] = step
    const fill = (position: number, more: Partial<Query.StepRow>) => {
      const step = steps[position]
      if (step !== undefined) steps[position] = { ...step, ...more }
    }
    yield* ask("SELECT * FROM waiting WHERE first_seq = ?", at, (row) =>
      fill(Number(row.position), { waiting: waitingOf(row) })
    )
    yield* ask(
      `SELECT position, length, CASE WHEN length <= ${Query.longestOutput} THEN output ELSE 'null' END AS output
         FROM outputs WHERE first_seq = ?`,
      at,
      (row) =>
        fill(Number(row.position), {
          output: JSON.parse(String(row.output)),
          outputLength: Number(row.length)
        })
    )
    return steps
  })

/**
 * The answers to questions about an index, whoever asks them: no statement looks at more rows than its answer has, or at more
 * than the items of one run where these are asked for.
 */
export const makeQueries = (answer: Answer): IndexQueries => {
  const found = <A>(runId: string, question: (ask: Ask) => Effect.Effect<A | undefined, SqlError>) =>
    Effect.flatMap(answer(question), (value) =>
      value === undefined ? Effect.fail(new Query.RunUnknown({ runId })) : Effect.succeed(value)
    )
  return {
    watermark: Effect.map(
      answer((ask) =>
        ask("SELECT value FROM meta WHERE key = 'watermark'", [], ({ value }) => Number(value))
      ),
      ([value = 0]) => value as Seq
    ),
    listRuns: (filter = {}, paging) => {
      const limit = Query.pageLimit(paging)
      const rows = (ask: Ask) =>
        Effect.flatMap(latest(ask, filter, cursorOf(paging, beyond), limit + 1), (at) => runsAt(ask, at))
      return Effect.map(answer(rows), (runs) => pageOf(runs, limit, ({ firstSeq }) => firstSeq))
    },
    getRun: (runId) => found(runId, (ask) => findRun(ask, runId)),
    getSteps: (runId) => found(runId, (ask) => findSteps(ask, runId)),
    getItems: (runId, stepId, paging) => {
      const limit = Query.pageLimit(paging)
      const rows = (ask: Ask) =>
        ask(
          `SELECT * FROM items WHERE first_seq = (SELECT first_seq FROM runs WHERE run_id = ?)
             AND step_id = ? AND item_index > ? ORDER BY item_index LIMIT ?`,
          [runId, stepId, cursorOf(paging, -1), limit + 1],
          (row) => itemOf(runId, row)
        )
      return Effect.map(answer(rows), (items) => pageOf(items, limit, ({ index }) => index))
    },
    waiting: (filter = {}, paging) => {
      const limit = Query.pageLimit(paging)
      const rows = answer((ask) => listWaiting(ask, filter, placeAt(paging?.cursor), limit + 1))
      return Effect.map(rows, (waiting) => pageOf(waiting, limit, cursorAfter))
    },
    listAgents: (filter = {}, paging) => {
      const limit = Query.pageLimit(paging)
      const rows = answer((ask) => listAgents(ask, filter, paging?.cursor ?? "", limit + 1))
      return Effect.map(rows, (found) => {
        const { items, next } = pageOf(found, limit, ({ key }) => key)
        return { items: items.map(({ row }) => row), next }
      })
    },
    getAgent: (agentId) =>
      Effect.flatMap(
        answer((ask) => findAgent(ask, agentId)),
        ({ details, known }) =>
          details === undefined ? Effect.fail(new AgentUnknown({ agentId, known })) : Effect.succeed(details)
      ),
    totals: Effect.map(
      answer((ask) =>
        ask(`SELECT * FROM totals WHERE status IN (${places(statuses)})`, statuses, (row) => row)
      ),
      (totals) => ({
        runs: Object.fromEntries(totals.flatMap(({ status, runs }) => (runs === 0 ? [] : [[status, runs]]))),
        usage: totals.map(usageOf).reduce(Usage.add, Usage.zero)
      })
    )
  }
}
