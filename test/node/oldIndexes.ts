import type { Entry } from "@switchyard/core/Event"
import type { StepId } from "@switchyard/core/Ids"
import { itemRow, runRow, stepRow } from "@switchyard/core/QueryService"
import type { Usage } from "@switchyard/core/Usage"
import { openProjection } from "@switchyard/node/internal/projection"
import Database from "better-sqlite3"
import { foldsOf } from "../property/histories.js"
import { discard } from "./indexTables.js"

const version1 = `
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
PRAGMA user_version = 1;
`

const usageOf = (usage: Usage) => [
  usage.inputTokens,
  usage.outputTokens,
  usage.cachedTokens,
  usage.costMicroUsd
]
const json = (value: unknown) => (value === null ? null : JSON.stringify(value))

/** A file as the first version of the schema had it, with the rows of a log. */
export const makeVersion1 = (file: string, log: ReadonlyArray<Entry>): void => {
  const database = new Database(file)
  database.exec(`${version1}; BEGIN`)
  const put = (table: string, values: ReadonlyArray<unknown>) =>
    database
      .prepare(`INSERT OR REPLACE INTO ${table} VALUES (${values.map(() => "?").join(", ")})`)
      .run(values)
  for (const run of foldsOf(log).values()) {
    const { tags, usage, ...row } = runRow(run)
    put("runs", [
      ...[row.runId, row.firstSeq, row.lastSeq, row.workflow, row.status, row.owner, json(tags)],
      ...[row.registeredAt, row.startedAt, row.endedAt, row.workspace, row.succeededItems, row.failedItems],
      ...[...usageOf(usage), json(row.failure), row.failedStep]
    ])
    for (const tag of tags) put("run_tags", [tag, run.firstSeq])
    let position = 0
    for (const [id, state] of run.steps) {
      const step = stepRow(run, position++, id as StepId, state)
      put("steps", [
        ...[
          run.id,
          step.position,
          id,
          step.status,
          step.totalItems,
          step.succeeded,
          step.failed,
          step.retries
        ],
        ...[...usageOf(step.usage), step.startedAt, step.durationMillis, json(step.failure), step.reason]
      ])
      for (const each of state.items) {
        if (each === undefined) continue
        const item = itemRow(run, id as StepId, each)
        put("items", [
          ...[
            run.id,
            id,
            item.index,
            item.item,
            item.status,
            item.attempt,
            item.agentId,
            ...usageOf(item.usage)
          ],
          ...[item.retries, item.durationMillis, json(item.failure), JSON.stringify(item.result)]
        ])
      }
    }
  }
  const last = log.at(-1)?.seq
  if (last !== undefined) put("meta", ["watermark", last])
  database.exec("COMMIT")
  database.close()
}

const version2Tags = `
CREATE TABLE run_tags (
  tag TEXT NOT NULL, first_seq INTEGER NOT NULL, status TEXT NOT NULL, workflow TEXT NOT NULL, owner TEXT,
  PRIMARY KEY (tag, status, first_seq)
) WITHOUT ROWID;
`

const version2Indexes = `
CREATE INDEX runs_by_status ON runs (status);
CREATE INDEX runs_by_workflow_status ON runs (workflow, status);
CREATE INDEX runs_by_owner_status ON runs (owner, status);
CREATE INDEX runs_by_workflow_owner_status ON runs (workflow, owner, status);
CREATE INDEX run_tags_by_workflow_status ON run_tags (tag, workflow, status, first_seq);
CREATE INDEX run_tags_by_owner_status ON run_tags (tag, owner, status, first_seq);
CREATE INDEX run_tags_by_workflow_owner_status ON run_tags (tag, workflow, owner, status, first_seq);
`

const version2 = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE totals (status TEXT PRIMARY KEY, runs INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
  first_seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, last_seq INTEGER NOT NULL,
  workflow TEXT NOT NULL, status TEXT NOT NULL, owner TEXT, tags TEXT NOT NULL,
  registered_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER, workspace TEXT,
  succeeded_items INTEGER NOT NULL, failed_items INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL, failure TEXT, failed_step TEXT
);
${version2Tags}
${version2Indexes}
CREATE TABLE plans (first_seq INTEGER PRIMARY KEY, step_ids TEXT NOT NULL);
CREATE TABLE steps (
  first_seq INTEGER NOT NULL, position INTEGER NOT NULL, step_id TEXT NOT NULL, status TEXT NOT NULL,
  total_items INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, retries INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL,
  started_at INTEGER, duration_millis INTEGER NOT NULL, failure TEXT, reason TEXT,
  PRIMARY KEY (first_seq, position)
) WITHOUT ROWID;
CREATE TABLE items (
  first_seq INTEGER NOT NULL, step_id TEXT NOT NULL, item_index INTEGER NOT NULL, item TEXT NOT NULL, status TEXT NOT NULL,
  attempt INTEGER NOT NULL, agent_id TEXT, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL, retries INTEGER NOT NULL, duration_millis INTEGER NOT NULL,
  failure TEXT, result TEXT NOT NULL,
  PRIMARY KEY (first_seq, step_id, item_index)
) WITHOUT ROWID;
PRAGMA user_version = 2;
`

/** A file as the second version of the schema had it, with the rows of a log; they are the same in the tables of today. */
export const makeVersion2 = (file: string, log: ReadonlyArray<Entry>): void => {
  const today = `${file}.today`
  const projection = openProjection(today)
  projection.project(log)
  projection.close()
  const database = new Database(file)
  database.exec(version2)
  database.exec(`ATTACH '${today}' AS today`)
  for (const table of ["meta", "totals", "runs", "run_tags", "plans", "steps", "items"]) {
    const names = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all().join(", ")
    database.exec(`INSERT OR REPLACE INTO main.${table} (${names}) SELECT ${names} FROM today.${table}`)
  }
  database.exec("DELETE FROM main.totals WHERE status = 'OverBudget'")
  database.close()
  discard(today)
}

/** A file as the third version of the schema had it, with the rows of a log; most of them are the same in the tables of today. */
export const makeVersion3 = (file: string, log: ReadonlyArray<Entry>): void => {
  const projection = openProjection(file)
  projection.project(log)
  projection.close()
  const database = new Database(file)
  const added = [
    "budget",
    "breach",
    "of_children",
    "child",
    "parent",
    "parent_step",
    "parent_index",
    "origin",
    "agents"
  ]
  database.exec(`
    DROP TABLE agents; DROP TABLE agent_skills; DROP TABLE agent_history; DROP TABLE agent_latest;
    DROP TABLE definitions;
    DROP INDEX runs_by_status; DROP INDEX runs_by_workflow_status; DROP INDEX runs_by_owner_status;
    DROP INDEX runs_by_workflow_owner_status; DROP INDEX runs_by_parent_status;
    ${added.map((name) => `ALTER TABLE runs DROP COLUMN ${name};`).join("\n")}
    ALTER TABLE items DROP COLUMN child_id;
    ALTER TABLE run_tags RENAME TO new_run_tags;
    DROP INDEX run_tags_by_workflow_status; DROP INDEX run_tags_by_owner_status;
    DROP INDEX run_tags_by_workflow_owner_status;
    ${version2Tags}
    INSERT INTO run_tags SELECT tag, first_seq, status, workflow, owner FROM new_run_tags;
    DROP TABLE new_run_tags;
    ${version2Indexes}
    DELETE FROM totals WHERE status = 'OverBudget';
    PRAGMA user_version = 3;
  `)
  database.close()
}

/** A log in which no agent did anything that is known: nobody says who did it. */
export const withoutAgents = (log: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
  log.map((entry) => {
    const { event } = entry
    if (event._tag === "ItemStarted" || event._tag === "ItemCompleted") {
      const { agentId: _, ...rest } = event
      return { ...entry, event: rest }
    }
    if (event._tag !== "ItemFailed") return entry
    const { error, retry: _, ...rest } = event
    return { ...entry, event: { ...rest, error: { kind: error.kind, message: error.message } } }
  })

const ofWaits = ["StepWaiting", "ApprovalDecided", "SignalReceived", "StepReused"]
const ofBudgets = [
  "BudgetWarning",
  "BudgetExceeded",
  "RunOverBudget",
  "BudgetRaised",
  "OwnerBudgetRaised",
  "AgentPinned"
]
const ofVersions = ["RunMigrated", "RunCompensating"]

/**
 * What of a log hosts recorded that had a version: nothing had a budget, was migrated, done again or part of another run, and before the third one no step waited or was reused,
 * and none had an output of its own.
 */
export const oldEntries = (log: ReadonlyArray<Entry>, version: number): ReadonlyArray<Entry> => {
  const later = new Set<string>([...ofBudgets, ...ofVersions, ...(version < 3 ? ofWaits : [])])
  return log
    .filter(({ event }) => !later.has(event._tag) && !/^Agent|^Permission/.test(event._tag))
    .map((entry, index) => {
      const { event } = entry
      if (event._tag === "RunRegistered") {
        const { budget: _, origin: __, parent: ___, ...registered } = event
        return { ...entry, seq: (index + 1) as Entry["seq"], event: registered }
      }
      if (event._tag === "ItemStarted") {
        const { childId: _, ...started } = event
        return { ...entry, seq: (index + 1) as Entry["seq"], event: started }
      }
      if (version === 3) return { ...entry, seq: (index + 1) as Entry["seq"] }
      const { output: _, ...rest } = event._tag === "StepCompleted" ? event : { output: undefined }
      const seq = (index + 1) as Entry["seq"]
      return event._tag === "StepCompleted"
        ? {
            ...entry,
            seq,
            event: { ...rest, _tag: event._tag, stepId: event.stepId, summary: event.summary }
          }
        : { ...entry, seq }
    })
}
