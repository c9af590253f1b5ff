import type { ItemRow, RunRow, StepRow } from "@switchyard/core/QueryService"
import type { Run } from "@switchyard/core/Run"
import type { Usage } from "@switchyard/core/Usage"
import type { Waiting, WaitingRow } from "@switchyard/core/WaitingStep"

/** What SQLite holds in a column. */
export type Value = string | number | null

/** A row as SQLite gives it. */
export type Columns = Readonly<Record<string, Value>>

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
const parsed = <A>(value: Value | undefined): A => (typeof value === "string" ? JSON.parse(value) : null) as A

/** The usage that columns stand for. */
export const usageOf = (columns: Columns): RunRow["usage"] => ({
  inputTokens: Number(columns.input_tokens),
  outputTokens: Number(columns.output_tokens),
  cachedTokens: Number(columns.cached_tokens),
  costMicroUsd: Number(columns.cost_micro_usd)
})

/**
 * The values of a run, in the order of `runNames`; `ofChildren` is how much of its usage is that of runs that are its items,
 * and `done` what agents did in it.
 */
export const runValues = (
  row: RunRow,
  ofChildren: Usage | null,
  done: string | null
): ReadonlyArray<Value> => [
  row.firstSeq,
  row.runId,
  row.lastSeq,
  row.workflow,
  row.status,
  row.owner,
  JSON.stringify(row.tags),
  row.registeredAt,
  row.startedAt,
  row.endedAt,
  row.workspace,
  row.succeededItems,
  row.failedItems,
  row.usage.inputTokens,
  row.usage.outputTokens,
  row.usage.cachedTokens,
  row.usage.costMicroUsd,
  json(row.failure),
  row.failedStep,
  json(row.budget),
  json(row.breach),
  json(ofChildren),
  row.parent === null ? 0 : 1,
  row.parent?.runId ?? null,
  row.parent?.stepId ?? null,
  row.parent?.index ?? null,
  json(row.origin),
  done
]

/** The run that columns stand for; they are this package's own. */
export const runOf = (columns: Columns): RunRow =>
  ({
    runId: columns.run_id,
    workflow: columns.workflow,
    definitionHash: columns.hash,
    status: columns.status,
    owner: columns.owner,
    tags: parsed(columns.tags),
    parent:
      columns.parent === null
        ? null
        : { runId: columns.parent, stepId: columns.parent_step, index: columns.parent_index },
    origin: parsed(columns.origin),
    registeredAt: columns.registered_at,
    startedAt: columns.started_at,
    endedAt: columns.ended_at,
    workspace: columns.workspace,
    succeededItems: columns.succeeded_items,
    failedItems: columns.failed_items,
    usage: usageOf(columns),
    failure: parsed(columns.failure),
    failedStep: columns.failed_step,
    budget: parsed(columns.budget),
    breach: parsed(columns.breach),
    firstSeq: columns.first_seq,
    lastSeq: columns.last_seq
  }) as RunRow

/** The values of a step, in the order of `stepNames` and after that of its run. */
export const stepValues = (firstSeq: number, row: StepRow): ReadonlyArray<Value> => [
  firstSeq,
  row.position,
  row.stepId,
  row.status,
  row.totalItems,
  row.succeeded,
  row.failed,
  row.retries,
  row.usage.inputTokens,
  row.usage.outputTokens,
  row.usage.cachedTokens,
  row.usage.costMicroUsd,
  row.startedAt,
  row.durationMillis,
  json(row.failure),
  row.reason
]

/** What a step waits for, as columns stand for it; they are this package's own. */
export const waitingOf = (columns: Columns): Waiting =>
  ({
    for: columns.kind,
    since: columns.since,
    until: columns.until,
    message: columns.message,
    approvers: parsed(columns.approvers),
    signal: columns.signal
  }) as Waiting

/** The values of a step that waits, in the order of `waitingNames`. */
export const waitingValues = (run: Run, step: StepRow, waiting: Waiting): ReadonlyArray<Value> => [
  run.firstSeq,
  step.position,
  step.stepId,
  waiting.for,
  waiting.since,
  waiting.until,
  waiting.message,
  json(waiting.approvers),
  waiting.signal,
  run.definition.name,
  run.owner ?? null
]

/** The step that waits, as the columns of it and of its run stand for it. */
export const waitingRowOf = (columns: Columns): WaitingRow =>
  ({
    runId: columns.run_id,
    firstSeq: columns.first_seq,
    workflow: columns.workflow,
    owner: columns.owner,
    runStatus: columns.run_status,
    stepId: columns.step_id,
    position: columns.position,
    ...waitingOf(columns)
  }) as WaitingRow

/** The step that columns stand for, without what it waits for and what it came to; they are this package's own. */
export const stepOf = (runId: string, columns: Columns): StepRow =>
  ({
    runId,
    position: columns.position,
    stepId: columns.step_id,
    status: columns.status,
    totalItems: columns.total_items,
    succeeded: columns.succeeded,
    failed: columns.failed,
    retries: columns.retries,
    usage: usageOf(columns),
    startedAt: columns.started_at,
    durationMillis: columns.duration_millis,
    failure: parsed(columns.failure),
    reason: columns.reason,
    waiting: null,
    output: null,
    outputLength: null
  }) as StepRow

/** The values of an item, in the order of `itemNames` and after that of its run. */
export const itemValues = (firstSeq: number, row: ItemRow): ReadonlyArray<Value> => [
  firstSeq,
  row.stepId,
  row.index,
  row.item,
  row.status,
  row.attempt,
  row.agentId,
  row.usage.inputTokens,
  row.usage.outputTokens,
  row.usage.cachedTokens,
  row.usage.costMicroUsd,
  row.retries,
  row.durationMillis,
  json(row.failure),
  JSON.stringify(row.result),
  row.childId
]

/** The item that columns stand for; they are this package's own. */
export const itemOf = (runId: string, columns: Columns): ItemRow =>
  ({
    runId,
    stepId: columns.step_id,
    index: columns.item_index,
    item: columns.item,
    status: columns.status,
    attempt: columns.attempt,
    agentId: columns.agent_id,
    childId: columns.child_id,
    usage: usageOf(columns),
    retries: columns.retries,
    durationMillis: columns.duration_millis,
    failure: parsed(columns.failure),
    result: parsed(columns.result)
  }) as ItemRow
