import type { Event } from "@switchyard/core/Event"
import type { Reader } from "@switchyard/core/EventLog"
import type { RunId, Seq } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as Query from "@switchyard/core/QueryService"
import { lastSteps } from "@switchyard/core/RunResult"
import type { Definition } from "@switchyard/core/WorkflowDefinition"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Answer, Ask } from "./indexConnection.js"
import type { Columns, Value } from "./rows.js"

const same = (row: Columns): Columns => row
const first = (ask: Ask, sql: string, values: ReadonlyArray<Value>) =>
  Effect.map(ask(sql, values, same), ([row]) => row)
const parsed = (value: Value | undefined): Json => JSON.parse(String(value))

/** What the tables have of the output of a step: nothing where it did not succeed, all of it, or the results of its items. */
type Known =
  | { readonly _tag: "None" }
  | { readonly _tag: "Whole"; readonly output: Json }
  | { readonly _tag: "Items"; readonly results: ReadonlyArray<Json> }

/** A run, as far as its outputs are concerned. */
interface Found {
  readonly runId: RunId
  readonly firstSeq: number
  readonly lastSeq: number
  readonly status: Value
  readonly stepIds: ReadonlyArray<string>
  /** Where its definition stands. */
  readonly definedAt: number
}

const findRun = (ask: Ask, runId: string) =>
  Effect.map(
    first(
      ask,
      `SELECT run_id, first_seq, last_seq, status, step_ids, seq FROM runs JOIN plans USING (first_seq)
         LEFT JOIN definitions USING (first_seq) WHERE run_id = ?`,
      [runId]
    ),
    (row): Found | undefined =>
      row && {
        runId: String(row.run_id) as RunId,
        firstSeq: Number(row.first_seq),
        lastSeq: Number(row.last_seq),
        status: row.status ?? null,
        stepIds: JSON.parse(String(row.step_ids)),
        definedAt: Number(row.seq ?? row.first_seq)
      }
  )

const knownOf = (ask: Ask, { firstSeq, stepIds }: Found, stepId: string) =>
  Effect.gen(function* () {
    const at = [firstSeq, stepIds.indexOf(stepId)]
    const step = yield* first(ask, "SELECT status FROM steps WHERE first_seq = ? AND position = ?", at)
    if (step?.status !== "Succeeded") return { _tag: "None" } satisfies Known
    const own = yield* first(ask, "SELECT output FROM outputs WHERE first_seq = ? AND position = ?", at)
    if (own !== undefined) return { _tag: "Whole", output: parsed(own.output) } satisfies Known
    const results = yield* ask(
      "SELECT status, result FROM items WHERE first_seq = ? AND step_id = ? ORDER BY item_index",
      [firstSeq, stepId],
      ({ result, status }) => (status === "Succeeded" ? [parsed(result)] : [])
    )
    return { _tag: "Items", results: results.flat() } satisfies Known
  })

const outputOf = (known: Known, { steps }: Definition, stepId: string): Json => {
  if (known._tag !== "Items") return known._tag === "None" ? null : known.output
  const isForEach = steps.some(({ forEach, id }) => id === stepId && forEach !== undefined)
  return isForEach ? known.results : (known.results[0] ?? null)
}

/**
 * The whole outputs of steps and runs. What a workflow says that a run gives, and whether the results of an agent are a list,
 * is not in the tables, which say nothing of definitions, so that it is looked up in the log.
 */
export const outputQueries = (
  answer: Answer,
  log: Pick<Reader, "read">
): Pick<Query.Service, "getOutput" | "getRunOutput"> => {
  const unknown = (runId: string) => Effect.fail(new Query.RunUnknown({ runId }))

  /** The event of a run at a position; there is none where the run was removed since the tables were asked. */
  const eventAt = (runId: RunId, seq: number): Effect.Effect<Event | undefined, Query.QueryFailed> =>
    Effect.mapBoth(Stream.runHead(log.read({ after: (seq - 1) as Seq, runs: [runId] })), {
      onFailure: ({ message }) => new Query.QueryFailed({ problem: "failed", reason: message }),
      onSuccess: (entry) => (Option.isSome(entry) ? entry.value.event : undefined)
    })

  const definitionOf = ({ definedAt, runId }: Found) =>
    Effect.flatMap(eventAt(runId, definedAt), (event) =>
      event?._tag === "RunRegistered" || event?._tag === "RunMigrated"
        ? Effect.succeed(event.workflow)
        : unknown(runId)
    )

  return {
    getOutput: (runId, stepId) =>
      Effect.gen(function* () {
        const found = yield* answer((ask) =>
          Effect.gen(function* () {
            const run = yield* findRun(ask, runId)
            return run && { run, known: yield* knownOf(ask, run, stepId) }
          })
        )
        if (found === undefined) return yield* unknown(runId)
        const { known, run } = found
        if (known._tag === "None") return null
        return known._tag === "Whole" ? known.output : outputOf(known, yield* definitionOf(run), stepId)
      }),
    getRunOutput: (runId) =>
      Effect.gen(function* () {
        const run = yield* answer((ask) => findRun(ask, runId))
        if (run === undefined) return yield* unknown(runId)
        if (run.status !== "Completed") return null
        const end = yield* eventAt(run.runId, run.lastSeq)
        if (end?._tag !== "RunCompleted") return yield* unknown(runId)
        if (end.output !== undefined) return end.output
        const definition = yield* definitionOf(run)
        const outputs = yield* answer((ask) =>
          Effect.forEach(lastSteps(definition), (stepId) =>
            Effect.map(knownOf(ask, run, stepId), (known) =>
              known._tag === "None" ? [] : [[stepId, outputOf(known, definition, stepId)] as const]
            )
          )
        )
        return Object.fromEntries(outputs.flat())
      })
  }
}
