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

const newestOf = (ask: Ask, from: string, values: ReadonlyArray<Value>): ReadonlyArray<number> =>
  ask(`SELECT first_seq FROM ${from} AND first_seq < ? ORDER BY first_seq DESC LIMIT ?`, values).map(
    ({ first_seq }) => Number(first_seq)
  )

/**
 * The latest runs that a filter lets through. For every set of facets there is an index that ends in the status and the
 * position of the run; where any status will do, the latest of each are taken together.
 */
const latest = (ask: Ask, filter: Query.RunFilter, before: number, limit: number): ReadonlyArray<number> => {
  const { status, tag } = filter
  const by = facets.filter((facet) => filter[facet] !== undefined)
  if (status === undefined && tag === undefined && by.length === 0)
    return newestOf(ask, "runs WHERE true", [before, limit])
  const conditions = [...(tag === undefined ? [] : ["tag = ?"]), ...by.map((facet) => `${facet} = ?`)]
  const wanted = [...(tag === undefined ? [] : [tag]), ...by.flatMap((facet) => filter[facet] ?? [])]
  const table = tag === undefined ? "runs" : "run_tags"
  const indexed = tag !== undefined && by.length === 0 ? "" : `INDEXED BY ${listIndex(table, by)}`
  const from = `${table} ${indexed} WHERE ${[...conditions, "status = ?"].join(" AND ")}`
  return (status === undefined ? statuses : [status])
    .flatMap((each) => newestOf(ask, from, [...wanted, each, before, limit]))
    .sort((a, b) => b - a)
    .slice(0, limit)
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
        const rows = latest(ask, filter, cursorOf(paging, beyond), limit + 1).flatMap((firstSeq) =>
          ask("SELECT * FROM runs WHERE first_seq = ?", [firstSeq]).map(runOf)
        )
        return pageOf(rows, limit, ({ firstSeq }) => firstSeq)
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
