import type { Tallies } from "@switchyard/core/AgentTally"
import type { RunId } from "@switchyard/core/Ids"
import { itemRow, runRow, stepRow } from "@switchyard/core/QueryService"
import { isTerminal, type Run, type RunStatus } from "@switchyard/core/Run"
import * as Usage from "@switchyard/core/Usage"
import type Database from "better-sqlite3"
import { doneColumn, doneFrom } from "./agentRows.js"
import { type ChangedRun, type ChangedStep, type Standing, standing } from "./changes.js"
import {
  type Columns,
  itemValues,
  runValues,
  stepValues,
  usageOf,
  type Value,
  waitingValues
} from "./rows.js"
import { anybody, itemNames, named, runNames, stepNames, waitingNames } from "./tables.js"

/** Writes rows; both ways of writing have to be called within a transaction. */
export interface TableWriter {
  /** Whether there is a row of a run. */
  readonly has: (runId: RunId) => boolean
  /** What agents did in a run, as far as it is written. */
  readonly done: (runId: RunId) => Tallies
  /** Removes the rows of some runs, where there are any, and puts those that changed of others. */
  readonly write: (forgotten: Iterable<RunId>, changed: Iterable<ChangedRun>) => void
}

/** How the totals change, by status. */
type Deltas = Map<RunStatus, Array<number>>

/** Counts a run among those of its status, or no longer. */
const count = (deltas: Deltas, { status, usage }: Standing, sign: 1 | -1): void => {
  const { cachedTokens, costMicroUsd, inputTokens, outputTokens } = usage
  const known = deltas.get(status) ?? [0, 0, 0, 0, 0]
  const added = [1, inputTokens, outputTokens, cachedTokens, costMicroUsd]
  deltas.set(
    status,
    known.map((value, index) => value + sign * (added[index] ?? 0))
  )
}

const insert = (table: string, names: ReadonlyArray<string>): string =>
  `INSERT OR REPLACE INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`

/** Whether a run may have steps that wait and to which no answer is taken any more. */
const leavesWaiting = ({ cancel, status, steps }: Run): boolean => {
  if (cancel === undefined && !isTerminal(status)) return false
  for (const step of steps.values()) if (step.status === "Waiting") return true
  return false
}

const sum = (columns: ReadonlyArray<string>): string =>
  columns.map((name) => `${name} = ${name} + ?`).join(", ")

/** A writer to the tables of a database; statements are prepared once and take their values by position. */
export const makeTableWriter = (database: Database.Database): TableWriter => {
  const prepare = (sql: string) => database.prepare<Array<Value>, Columns>(sql)
  const findRun = prepare("SELECT * FROM runs WHERE run_id = ?")
  const hasRun = prepare("SELECT 1 FROM runs WHERE run_id = ?").pluck()
  const doneIn = prepare("SELECT agents FROM runs WHERE run_id = ?")
  const putRun = prepare(insert("runs", runNames))
  // No index has any of these columns, so that a run under way is written without one being touched.
  const moveRun = prepare(
    `UPDATE runs SET last_seq = ?, started_at = ?, workspace = ?, succeeded_items = ?, failed_items = ?,
       input_tokens = ?, output_tokens = ?, cached_tokens = ?, cost_micro_usd = ?, of_children = ?, budget = ?, breach = ?, agents = ? WHERE first_seq = ?`
  )
  const turnRun = prepare(
    `UPDATE runs SET status = ?, last_seq = ?, started_at = ?, ended_at = ?, workspace = ?, succeeded_items = ?, failed_items = ?,
       input_tokens = ?, output_tokens = ?, cached_tokens = ?, cost_micro_usd = ?, failure = ?, failed_step = ?, of_children = ?, budget = ?, breach = ?, agents = ? WHERE first_seq = ?`
  )
  const putTag = prepare(insert("run_tags", ["tag", "child", "first_seq", "status", "workflow", "owner"]))
  const oneTag = "tag = ? AND child = ? AND status = ? AND first_seq = ?"
  const turnTag = prepare(`UPDATE run_tags SET status = ? WHERE ${oneTag}`)
  const putPlan = prepare(insert("plans", ["first_seq", "step_ids"]))
  const putDefinition = prepare(insert("definitions", ["first_seq", "seq", "hash"]))
  const putStep = prepare(insert("steps", ["first_seq", ...stepNames]))
  const putItem = prepare(insert("items", ["first_seq", ...itemNames]))
  const removeTag = prepare(`DELETE FROM run_tags WHERE ${oneTag}`)
  const putWaiting = prepare(insert("waiting", waitingNames))
  const approverNames = ["first_seq", "position", "who", "since", "workflow", "owner"]
  const putApprover = prepare(insert("waiting_approvers", approverNames))
  const putOutput = prepare(insert("outputs", ["first_seq", "position", "length", "output"]))
  const waitingTables = ["waiting_approvers", "waiting"]
  const answered = waitingTables.map((table) =>
    prepare(`DELETE FROM ${table} WHERE first_seq = ? AND position = ?`)
  )
  const removalFrom = (table: string) => prepare(`DELETE FROM ${table} WHERE first_seq = ?`)
  const left = waitingTables.map(removalFrom)
  const removals = [
    ...["runs", "plans", "definitions", "steps", "items", "outputs"].map(removalFrom),
    ...left
  ]
  const placed = [...["steps", "outputs"].map(removalFrom), ...left]
  const removeItems = prepare("DELETE FROM items WHERE first_seq = ? AND step_id = ?")
  const addTotals = prepare(
    `UPDATE totals SET ${sum(["runs", "input_tokens", "output_tokens", "cached_tokens", "cost_micro_usd"])} WHERE status = ?`
  )
  const putDefinitionOf = ({ definedAt, run }: ChangedRun): void => {
    putPlan.run(run.firstSeq, JSON.stringify(run.definition.steps.map(({ id }) => id)))
    if (run.definitionHash !== undefined) putDefinition.run(run.firstSeq, definedAt, run.definitionHash)
  }

  /** Makes room for the steps of another definition, whose positions are others. */
  const makeRoom = ({ dropped, run }: ChangedRun): void => {
    for (const removal of placed) removal.run(run.firstSeq)
    for (const stepId of dropped ?? []) removeItems.run(run.firstSeq, stepId)
  }

  const putRow = (changed: ChangedRun): void => {
    const { run, written } = changed
    const { firstSeq } = run
    const row = runRow(run)
    const { endedAt, failedItems, lastSeq, startedAt, status, succeededItems, workspace } = row
    const { cachedTokens, costMicroUsd, inputTokens, outputTokens } = row.usage
    const tokens = [inputTokens, outputTokens, cachedTokens, costMicroUsd]
    const child = row.parent === null ? 0 : 1
    const ofChildren = run.hasChildren ? run.ofChildren : null
    const plain = [ofChildren, row.budget, row.breach].map((each) =>
      each === null ? null : JSON.stringify(each)
    )
    const done = doneColumn(changed.done)
    const more = [...plain, done]
    if (written === undefined) {
      putRun.run(...runValues(row, ofChildren, done))
      putDefinitionOf(changed)
      for (const tag of new Set(run.tags)) putTag.run(tag, child, firstSeq, status, row.workflow, row.owner)
    } else if (written.status === status) {
      moveRun.run(lastSeq, startedAt, workspace, succeededItems, failedItems, ...tokens, ...more, firstSeq)
    } else {
      const failure = row.failure === null ? null : JSON.stringify(row.failure)
      turnRun.run(
        ...[status, lastSeq, startedAt, endedAt, workspace, succeededItems, failedItems],
        ...[...tokens, failure, row.failedStep, ...more, firstSeq]
      )
      for (const tag of new Set(run.tags)) turnTag.run(status, tag, child, written.status, firstSeq)
    }
  }

  const putStepRows = (run: Run, { id, items, position, state }: ChangedStep): void => {
    const row = stepRow(run, position, id, state)
    putStep.run(...stepValues(run.firstSeq, row))
    for (const index of items) {
      const item = state.items[index]
      if (item !== undefined) putItem.run(...itemValues(run.firstSeq, itemRow(run, id, item)))
    }
    if (row.outputLength !== null)
      putOutput.run(run.firstSeq, position, row.outputLength, JSON.stringify(state.output))
    // Most steps never wait, and need not be looked for among those that do.
    if (state.wait === undefined) return
    for (const removal of answered) removal.run(run.firstSeq, position)
    const { waiting } = row
    if (waiting === null) return
    putWaiting.run(...waitingValues(run, row, waiting))
    if (waiting.for !== "approval") return
    for (const who of waiting.approvers?.map(named) ?? [anybody])
      putApprover.run(run.firstSeq, position, who, waiting.since, run.definition.name, run.owner ?? null)
  }

  const put = (changed: ChangedRun, deltas: Deltas): void => {
    const { dirty, run, written } = changed
    putRow(changed)
    if (changed.dropped !== undefined && written !== undefined) {
      putDefinitionOf(changed)
      makeRoom(changed)
    }
    if (written !== undefined) count(deltas, written, -1)
    count(deltas, standing(run), 1)
    for (const step of dirty) putStepRows(run, step)
    if (leavesWaiting(run)) for (const removal of left) removal.run(run.firstSeq)
  }

  const remove = (runId: RunId, deltas: Deltas): void => {
    const row = findRun.get(runId)
    if (row === undefined) return
    const firstSeq = Number(row.first_seq)
    const status = row.status as RunStatus
    for (const tag of new Set<string>(JSON.parse(String(row.tags))))
      removeTag.run(tag, row.child ?? 0, status, firstSeq)
    for (const removal of removals) removal.run(firstSeq)
    const ofChildren = row.of_children === null ? Usage.zero : JSON.parse(String(row.of_children))
    count(deltas, { status, usage: Usage.subtract(usageOf(row), ofChildren) }, -1)
  }

  return {
    has: (runId) => hasRun.get(runId) !== undefined,
    done: (runId) => doneFrom(doneIn.get(runId)?.agents),
    write: (forgotten, changed) => {
      const deltas: Deltas = new Map()
      for (const runId of forgotten) remove(runId, deltas)
      for (const each of changed) put(each, deltas)
      for (const [status, delta] of deltas)
        if (delta.some((value) => value !== 0)) addTotals.run(...delta, status)
    }
  }
}
