import type { Seq, StepId } from "@switchyard/core/Ids"
import * as Query from "@switchyard/core/QueryService"
import { pendingStep, type RunStatus } from "@switchyard/core/Run"
import * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import type { Ask, IndexConnection } from "./indexConnection.js"
import { itemOf, runOf, stepOf, usageOf, type Value } from "./rows.js"
import { facets, listIndex, statuses } from "./tables.js"

/** What is answered from the tables alone. */
export type IndexQueries = Pick<
  Query.Service,
  "watermark" | "listRuns" | "getRun" | "getSteps" | "getItems" | "totals"
>

/** A bound where there is none, so that every list is a search from a place in an index. */
const beyond = Number.MAX_SAFE_INTEGER

/** The statement that lists the runs a filter lets through: each set of conditions has an index that ends in the order of the list. */
const listing = (
  filter: Query.RunFilter,
  before: number,
  limit: number
): readonly [string, ReadonlyArray<Value>] => {
  const { tag } = filter
  const by = facets.filter((facet) => filter[facet] !== undefined)
  const table = tag === undefined ? "runs" : "run_tags"
  const conditions = [
    ...(tag === undefined ? [] : ["listed.tag = ?"]),
    ...by.map((facet) => `listed.${facet} = ?`),
    "listed.first_seq < ?"
  ]
  const indexed = by.length === 0 ? "" : `INDEXED BY ${listIndex(table, by)}`
  const joined = tag === undefined ? "" : "CROSS JOIN runs ON runs.first_seq = listed.first_seq"
  return [
    `SELECT ${tag === undefined ? "listed" : "runs"}.* FROM ${table} AS listed ${indexed} ${joined}
     WHERE ${conditions.join(" AND ")} ORDER BY listed.first_seq DESC LIMIT ?`,
    [...(tag === undefined ? [] : [tag]), ...by.flatMap((facet) => filter[facet] ?? []), ...[before, limit]]
  ]
}

const cursorOf = (paging: Query.Paging | undefined, start: number): number =>
  paging?.cursor === undefined ? start : Number(paging.cursor)

/** One row more than a page has is asked for: where it comes, there is a next page, from the last row on. */
const pageOf = <A>(rows: ReadonlyArray<A>, limit: number, place: (last: A) => number): Query.Page<A> => {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? String(place(last)) : undefined }
}

const findRun = (ask: Ask, runId: string) => {
  const [row] = ask("SELECT * FROM runs WHERE run_id = ?", [runId])
  return row === undefined ? undefined : runOf(row)
}

const findSteps = (ask: Ask, runId: string): ReadonlyArray<Query.StepRow> | undefined => {
  const run = findRun(ask, runId)
  if (run === undefined) return undefined
  const [plan] = ask("SELECT step_ids FROM plans WHERE first_seq = ?", [run.firstSeq])
  const steps = JSON.parse(String(plan?.step_ids ?? "[]")).map((id: StepId, position: number) =>
    Query.stepRow({ id: run.runId }, position, id, pendingStep())
  )
  for (const row of ask("SELECT * FROM steps WHERE first_seq = ?", [run.firstSeq]))
    steps[Number(row.position)] = stepOf(runId, row)
  return steps
}

/** The answers to questions about an index, whoever asks them: no statement looks at more rows than its answer has. */
export const makeQueries = ({ answer }: IndexConnection): IndexQueries => {
  const found = <A>(runId: string, question: (ask: Ask) => A | undefined) =>
    Effect.flatMap(answer(question), (value) =>
      value === undefined ? Effect.fail(new Query.RunUnknown({ runId })) : Effect.succeed(value)
    )
  return {
    watermark: answer((ask) => {
      const [row] = ask("SELECT value FROM meta WHERE key = 'watermark'", [])
      return Number(row?.value ?? 0) as Seq
    }),
    listRuns: (filter = {}, paging) =>
      answer((ask) => {
        const limit = Query.pageLimit(paging)
        const [sql, values] = listing(filter, cursorOf(paging, beyond), limit + 1)
        return pageOf(ask(sql, values).map(runOf), limit, ({ firstSeq }) => firstSeq)
      }),
    getRun: (runId) => found(runId, (ask) => findRun(ask, runId)),
    getSteps: (runId) => found(runId, (ask) => findSteps(ask, runId)),
    getItems: (runId, stepId, paging) =>
      answer((ask) => {
        const limit = Query.pageLimit(paging)
        const rows = ask(
          `SELECT * FROM items WHERE first_seq = (SELECT first_seq FROM runs WHERE run_id = ?)
             AND step_id = ? AND item_index > ? ORDER BY item_index LIMIT ?`,
          [runId, stepId, cursorOf(paging, -1), limit + 1]
        )
        return pageOf(
          rows.map((row) => itemOf(runId, row)),
          limit,
          ({ index }) => index
        )
      }),
    totals: answer((ask) => {
      const rows = ask(
        `SELECT * FROM totals WHERE status IN (${statuses.map(() => "?").join(", ")})`,
        statuses
      )
      const runs: Partial<Record<RunStatus, number>> = {}
      for (const row of rows) if (row.runs !== 0) runs[row.status as RunStatus] = Number(row.runs)
      return { runs, usage: rows.map(usageOf).reduce(Usage.add, Usage.zero) }
    })
  }
}
