import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry } from "@switchyard/core/Event"
import type { RunId, StepId } from "@switchyard/core/Ids"
import { itemRow, runRow, stepRow } from "@switchyard/core/QueryService"
import * as Run from "@switchyard/core/Run"
import type { Usage } from "@switchyard/core/Usage"
import { openProjection } from "@switchyard/node/internal/projection"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { histories } from "../property/histories.js"
import { sampleLog } from "./indexSamples.js"
import { discard, dump } from "./indexTables.js"
import { temporaryDirectory } from "./temporary.js"

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
const makeVersion1 = (file: string, log: ReadonlyArray<Entry>): void => {
  const database = new Database(file)
  database.exec(`${version1}; BEGIN`)
  const put = (table: string, values: ReadonlyArray<unknown>) =>
    database
      .prepare(`INSERT OR REPLACE INTO ${table} VALUES (${values.map(() => "?").join(", ")})`)
      .run(values)
  const runs = new Map<RunId, Run.Run>()
  for (const entry of log) {
    const known = runs.get(entry.runId)
    if (known !== undefined) Run.apply(known, entry)
    const run = known ?? Run.register(entry)
    if (run !== undefined) runs.set(entry.runId, run)
  }
  for (const run of runs.values()) {
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

const version = (file: string): unknown => {
  const database = new Database(file, { readonly: true })
  const found = database.pragma("user_version", { simple: true })
  database.close()
  return found
}

/** The tables after opening a file of version 1, and those that a log gives anew. */
const both = (directory: string, log: ReadonlyArray<Entry>) => {
  const [file, other] = [path.join(directory, "old.sqlite"), path.join(directory, "new.sqlite")]
  makeVersion1(file, log)
  expect(version(file)).toBe(1)
  const migrated = openProjection(file)
  expect(migrated.watermark()).toBe(log.length)
  const last = log.at(-1)
  if (last !== undefined) expect(migrated.standsAt(last)).toBe(true)
  const rebuilt = openProjection(other)
  rebuilt.project(log)
  return { file, other, migrated, rebuilt }
}

describe("an index of an older version", () => {
  it.scoped("is brought up to date without the log, to the rows that a rebuild has", () =>
    Effect.gen(function* () {
      const log = [...sampleLog(300)].flat()
      const { file, migrated, other, rebuilt } = both(yield* temporaryDirectory, log)
      expect(migrated.openRuns.length).toBe(10)
      migrated.close()
      rebuilt.close()
      const tables = dump(file)
      expect(tables.items?.length).toBe(300)
      expect(tables.run_tags?.length).toBeGreaterThan(600)
      expect(tables).toEqual(dump(other))
    })
  )

  it.scoped("goes on with what comes next", () =>
    Effect.gen(function* () {
      const log = [...sampleLog(300)].flat()
      const { file, migrated, other, rebuilt } = both(yield* temporaryDirectory, log.slice(0, 2_501))
      for (const entry of log.slice(0, 2_501)) {
        if (migrated.openRuns.some(({ runId }) => runId === entry.runId)) migrated.remember(entry)
      }
      for (const each of [migrated, rebuilt]) {
        each.project(log)
        each.close()
      }
      expect(dump(file)).toEqual(dump(other))
    })
  )

  it.scoped("is brought up to date whatever runs it has", () =>
    Effect.map(temporaryDirectory, (directory) =>
      fc.assert(
        fc.property(histories, (log) => {
          // A step that only has items without having begun is no matter of a real log.
          const started = new Set<string>()
          const real = log.filter(({ event, runId }) => {
            if (event._tag === "StepStarted") started.add(`${runId}/${event.stepId}`)
            return !("index" in event) || started.has(`${runId}/${event.stepId}`)
          })
          const renumbered = real.map((entry, index) => ({ ...entry, seq: (index + 1) as Entry["seq"] }))
          const { file, migrated, other, rebuilt } = both(directory, renumbered)
          migrated.close()
          rebuilt.close()
          expect(dump(file)).toEqual(dump(other))
          for (const each of [file, other]) discard(each)
        }),
        { numRuns: 30 }
      )
    )
  )

  it.scoped("is built anew where its tables are not what its version says", () =>
    Effect.gen(function* () {
      const file = path.join(yield* temporaryDirectory, "old.sqlite")
      makeVersion1(file, [...sampleLog(20)].flat())
      const database = new Database(file)
      database.exec("ALTER TABLE steps DROP COLUMN retries")
      database.close()
      const projection = openProjection(file)
      expect(projection.watermark()).toBe(0)
      for (const entries of sampleLog(20)) projection.project(entries)
      projection.close()
      expect(dump(file).runs?.length).toBe(20)
    })
  )
})
