import type { Reader } from "@switchyard/core/EventLog"
import type { Seq } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as Query from "@switchyard/core/QueryService"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Answer, Ask } from "./indexConnection.js"
import type { Columns, Value } from "./rows.js"

const same = (row: Columns): Columns => row
const first = (ask: Ask, sql: string, values: ReadonlyArray<Value>) =>
  Effect.map(ask(sql, values, same), ([row]) => row)
const parsed = (value: Value | undefined): Json => JSON.parse(String(value))

/** What the tables have of the output of a step: all of it, or the results of its items. */
type Known =
  | { readonly _tag: "Whole"; readonly output: Json }
  | {
      readonly _tag: "Items"
      readonly run: Query.RunRow["runId"]
      /** Where its definition stands. */
      readonly definedAt: number
      readonly results: Array<Json>
    }

const nothing: Known = { _tag: "Whole", output: null }

const known = (ask: Ask, runId: string, stepId: string) =>
  Effect.gen(function* () {
    const run = yield* first(
      ask,
      `SELECT run_id, first_seq, step_ids, seq FROM runs JOIN plans USING (first_seq)
         LEFT JOIN definitions USING (first_seq) WHERE run_id = ?`,
      [runId]
    )
    if (run === undefined) return undefined
    const firstSeq = Number(run.first_seq)
    const position = (JSON.parse(String(run.step_ids)) as ReadonlyArray<string>).indexOf(stepId)
    const at = [firstSeq, position]
    const step = yield* first(ask, "SELECT status FROM steps WHERE first_seq = ? AND position = ?", at)
    if (step?.status !== "Succeeded") return nothing
    const own = yield* first(ask, "SELECT output FROM outputs WHERE first_seq = ? AND position = ?", at)
    if (own !== undefined) return { _tag: "Whole", output: parsed(own.output) } satisfies Known
    const results = yield* ask(
      "SELECT status, result FROM items WHERE first_seq = ? AND step_id = ? ORDER BY item_index",
      [firstSeq, stepId],
      ({ result, status }) => (status === "Succeeded" ? [parsed(result)] : [])
    )
    return {
      _tag: "Items",
      run: String(run.run_id) as Query.RunRow["runId"],
      definedAt: Number(run.seq ?? firstSeq),
      results: results.flat()
    } satisfies Known
  })

/**
 * The whole output of a step. Whether the results of an agent are a list is not in the tables, which say nothing of
 * definitions, so that the registration of the run, or what gave it another one, is looked up in the log.
 */
export const outputQuery =
  (answer: Answer, log: Pick<Reader, "read">): Query.Service["getOutput"] =>
  (runId, stepId) =>
    Effect.gen(function* () {
      const found = yield* answer((ask) => known(ask, runId, stepId))
      if (found === undefined) return yield* Effect.fail(new Query.RunUnknown({ runId }))
      if (found._tag === "Whole") return found.output
      const range = { after: (found.definedAt - 1) as Seq, runs: [found.run] }
      const entry = yield* Effect.mapError(
        Stream.runHead(log.read(range)),
        ({ message }) => new Query.QueryFailed({ problem: "failed", reason: message })
      )
      const event = Option.isSome(entry) ? entry.value.event : undefined
      // The run was removed since the tables were asked.
      if (event?._tag !== "RunRegistered" && event?._tag !== "RunMigrated")
        return yield* Effect.fail(new Query.RunUnknown({ runId }))
      const isForEach = event.workflow.steps.some(({ forEach, id }) => id === stepId && forEach !== undefined)
      return isForEach ? found.results : (found.results[0] ?? null)
    })
