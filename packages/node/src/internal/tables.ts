import type { ItemRow, RunRow, StepRow } from "@switchyard/core/QueryService"

/** Raised whenever a table changes: an index of another version is discarded and built anew from the log. */
export const schemaVersion = 1

/** The tables of the index. Every column is a function of the log, so that an index can always be built anew from it. */
export const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY, first_seq INTEGER NOT NULL UNIQUE, last_seq INTEGER NOT NULL,
  workflow TEXT NOT NULL, status TEXT NOT NULL, owner TEXT, tags TEXT NOT NULL,
  registered_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER, workspace TEXT,
  succeeded_items INTEGER NOT NULL, failed_items INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL,
  failure TEXT, failed_step TEXT
) WITHOUT ROWID;
CREATE INDEX runs_by_status ON runs (status, first_seq);
CREATE INDEX runs_by_workflow ON runs (workflow, first_seq);
CREATE INDEX runs_by_owner ON runs (owner, first_seq);
CREATE TABLE run_tags (tag TEXT NOT NULL, first_seq INTEGER NOT NULL, PRIMARY KEY (tag, first_seq)) WITHOUT ROWID;
CREATE TABLE steps (
  run_id TEXT NOT NULL, position INTEGER NOT NULL, step_id TEXT NOT NULL, status TEXT NOT NULL,
  total_items INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, retries INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL,
  started_at INTEGER, duration_millis INTEGER NOT NULL, failure TEXT, reason TEXT,
  PRIMARY KEY (run_id, position)
) WITHOUT ROWID;
CREATE TABLE items (
  run_id TEXT NOT NULL, step_id TEXT NOT NULL, item_index INTEGER NOT NULL, item TEXT NOT NULL, status TEXT NOT NULL,
  attempt INTEGER NOT NULL, agent_id TEXT,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL,
  retries INTEGER NOT NULL, duration_millis INTEGER NOT NULL, failure TEXT, result TEXT NOT NULL,
  PRIMARY KEY (run_id, step_id, item_index)
) WITHOUT ROWID;
`

/** A row as SQLite holds it. */
export type Columns = Record<string, string | number | null>

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
const parsed = <A>(value: string | number | null | undefined): A =>
  (typeof value === "string" ? JSON.parse(value) : null) as A
const usageColumns = (usage: RunRow["usage"]): Columns => ({
  input_tokens: usage.inputTokens,
  output_tokens: usage.outputTokens,
  cached_tokens: usage.cachedTokens,
  cost_micro_usd: usage.costMicroUsd
})
/** The usage that columns stand for. */
export const usageOf = (columns: Columns): RunRow["usage"] => ({
  inputTokens: Number(columns.input_tokens),
  outputTokens: Number(columns.output_tokens),
  cachedTokens: Number(columns.cached_tokens),
  costMicroUsd: Number(columns.cost_micro_usd)
})

/** The columns of a run. */
export const runColumns = (row: RunRow): Columns => ({
  run_id: row.runId,
  first_seq: row.firstSeq,
  last_seq: row.lastSeq,
  workflow: row.workflow,
  status: row.status,
  owner: row.owner,
  tags: JSON.stringify(row.tags),
  registered_at: row.registeredAt,
  started_at: row.startedAt,
  ended_at: row.endedAt,
  workspace: row.workspace,
  succeeded_items: row.succeededItems,
  failed_items: row.failedItems,
  ...usageColumns(row.usage),
  failure: json(row.failure),
  failed_step: row.failedStep
})

/** The run that columns stand for; they are this module's own. */
export const runOf = (columns: Columns): RunRow =>
  ({
    runId: columns.run_id,
    workflow: columns.workflow,
    status: columns.status,
    owner: columns.owner,
    tags: parsed(columns.tags),
    registeredAt: columns.registered_at,
    startedAt: columns.started_at,
    endedAt: columns.ended_at,
    workspace: columns.workspace,
    succeededItems: columns.succeeded_items,
    failedItems: columns.failed_items,
    usage: usageOf(columns),
    failure: parsed(columns.failure),
    failedStep: columns.failed_step,
    firstSeq: columns.first_seq,
    lastSeq: columns.last_seq
  }) as RunRow

/** The columns of a step. */
export const stepColumns = (row: StepRow): Columns => ({
  run_id: row.runId,
  position: row.position,
  step_id: row.stepId,
  status: row.status,
  total_items: row.totalItems,
  succeeded: row.succeeded,
  failed: row.failed,
  retries: row.retries,
  ...usageColumns(row.usage),
  started_at: row.startedAt,
  duration_millis: row.durationMillis,
  failure: json(row.failure),
  reason: row.reason
})

/** The step that columns stand for; they are this module's own. */
export const stepOf = (columns: Columns): StepRow =>
  ({
    runId: columns.run_id,
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
    reason: columns.reason
  }) as StepRow

/** The columns of a item. */
export const itemColumns = (row: ItemRow): Columns => ({
  run_id: row.runId,
  step_id: row.stepId,
  item_index: row.index,
  item: row.item,
  status: row.status,
  attempt: row.attempt,
  agent_id: row.agentId,
  ...usageColumns(row.usage),
  retries: row.retries,
  duration_millis: row.durationMillis,
  failure: json(row.failure),
  result: JSON.stringify(row.result)
})

/** The item that columns stand for; they are this module's own. */
export const itemOf = (columns: Columns): ItemRow =>
  ({
    runId: columns.run_id,
    stepId: columns.step_id,
    index: columns.item_index,
    item: columns.item,
    status: columns.status,
    attempt: columns.attempt,
    agentId: columns.agent_id,
    usage: usageOf(columns),
    retries: columns.retries,
    durationMillis: columns.duration_millis,
    failure: parsed(columns.failure),
    result: parsed(columns.result)
  }) as ItemRow
