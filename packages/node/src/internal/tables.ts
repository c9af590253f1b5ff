import { RunStatus } from "@switchyard/core/Run"
import { agentTables } from "./agentTables.js"

const usage =
  "input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL"

/** Every status of a run has a row in the totals. */
export const statuses = RunStatus.literals

/** What runs may be listed by beside their status and their tags, in the order in which it stands in an index. */
export const facets = ["workflow", "owner"] as const

/** Something that runs may be listed by beside their status and their tags. */
export type Facet = (typeof facets)[number]

/** The index that lists the runs of one status by these facets, children or not, the latest last, with or without a tag. */
export const listIndex = (table: "runs" | "run_tags", by: ReadonlyArray<Facet>): string =>
  [table, "by", ...by, "status"].join("_")

const runsIndex = (...by: ReadonlyArray<Facet>) =>
  `CREATE INDEX ${listIndex("runs", by)} ON runs (${[...by, "status"].join(", ")});`
const tagsIndex = (...by: ReadonlyArray<Facet>) =>
  `CREATE INDEX ${listIndex("run_tags", by)} ON run_tags (${["tag", ...by, "status", "first_seq"].join(", ")});`

/** The index that lists waiting steps, or those that somebody may decide, by these facets, the longest first. */
export const waitIndex = (table: "waiting" | "waiting_approvers", by: ReadonlyArray<Facet>): string =>
  [table, "by", ...by, "since"].join("_")

const waitingIndex = (...by: ReadonlyArray<Facet>) =>
  `CREATE INDEX ${waitIndex("waiting", by)} ON waiting (${["kind", ...by, "since"].join(", ")});`
const approversIndex = (...by: ReadonlyArray<Facet>) =>
  `CREATE INDEX ${waitIndex("waiting_approvers", by)} ON waiting_approvers (${["who", ...by, "since"].join(", ")});`

const version2 = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('watermark', 0);
CREATE TABLE totals (status TEXT PRIMARY KEY, runs INTEGER NOT NULL, ${usage}) WITHOUT ROWID;
INSERT INTO totals VALUES ${statuses.map((status) => `('${status}', 0, 0, 0, 0, 0)`).join(", ")};
CREATE TABLE runs (
  first_seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, last_seq INTEGER NOT NULL,
  workflow TEXT NOT NULL, status TEXT NOT NULL, owner TEXT, tags TEXT NOT NULL,
  registered_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER, workspace TEXT,
  succeeded_items INTEGER NOT NULL, failed_items INTEGER NOT NULL, ${usage}, failure TEXT, failed_step TEXT
);
CREATE TABLE run_tags (
  tag TEXT NOT NULL, first_seq INTEGER NOT NULL, status TEXT NOT NULL, workflow TEXT NOT NULL, owner TEXT,
  PRIMARY KEY (tag, status, first_seq)
) WITHOUT ROWID;
${[runsIndex(), runsIndex("workflow"), runsIndex("owner"), runsIndex("workflow", "owner")].join("\n")}
${[tagsIndex("workflow"), tagsIndex("owner"), tagsIndex("workflow", "owner")].join("\n")}
CREATE TABLE plans (first_seq INTEGER PRIMARY KEY, step_ids TEXT NOT NULL);
CREATE TABLE steps (
  first_seq INTEGER NOT NULL, position INTEGER NOT NULL, step_id TEXT NOT NULL, status TEXT NOT NULL,
  total_items INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, retries INTEGER NOT NULL, ${usage},
  started_at INTEGER, duration_millis INTEGER NOT NULL, failure TEXT, reason TEXT,
  PRIMARY KEY (first_seq, position)
) WITHOUT ROWID;
CREATE TABLE items (
  first_seq INTEGER NOT NULL, step_id TEXT NOT NULL, item_index INTEGER NOT NULL, item TEXT NOT NULL, status TEXT NOT NULL,
  attempt INTEGER NOT NULL, agent_id TEXT, ${usage}, retries INTEGER NOT NULL, duration_millis INTEGER NOT NULL,
  failure TEXT, result TEXT NOT NULL,
  PRIMARY KEY (first_seq, step_id, item_index)
) WITHOUT ROWID;
`

/** Whom a row of `waiting_approvers` is about where anybody may decide; a name has a colon before it. */
export const anybody = ""

/** Whom a row of `waiting_approvers` is about that names somebody. */
export const named = (approver: string): string => `:${approver}`

/** Only steps that wait now have rows there, so that its size is that of what is to be done. */
const waitingTables = `
CREATE TABLE waiting (
  first_seq INTEGER NOT NULL, position INTEGER NOT NULL, step_id TEXT NOT NULL, kind TEXT NOT NULL, since INTEGER NOT NULL,
  until INTEGER, message TEXT, approvers TEXT, signal TEXT, workflow TEXT NOT NULL, owner TEXT,
  PRIMARY KEY (first_seq, position)
) WITHOUT ROWID;
CREATE TABLE waiting_approvers (
  first_seq INTEGER NOT NULL, position INTEGER NOT NULL, who TEXT NOT NULL, since INTEGER NOT NULL,
  workflow TEXT NOT NULL, owner TEXT,
  PRIMARY KEY (first_seq, position, who)
) WITHOUT ROWID;
${[waitingIndex(), waitingIndex("workflow"), waitingIndex("owner"), waitingIndex("workflow", "owner")].join("\n")}
${[approversIndex(), approversIndex("workflow"), approversIndex("owner"), approversIndex("workflow", "owner")].join("\n")}
`

/** Only steps that have an output of their own have a row there. */
const outputsTable = `
CREATE TABLE outputs (
  first_seq INTEGER NOT NULL, position INTEGER NOT NULL, length INTEGER NOT NULL, output TEXT NOT NULL,
  PRIMARY KEY (first_seq, position)
) WITHOUT ROWID;
`

/** Where the definition of a run stands in the log, for runs that recorded its hash or were migrated. */
const definitionsTable = `
CREATE TABLE definitions (first_seq INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL);
`

/** No step of version 2 waited or had an output of its own, so that there is nothing to fill these tables with. */
const fromVersion2 = `${waitingTables}${outputsTable}`

/** The index of the runs that are items of one run, by their status, the latest last; other runs are not in it. */
export const childrenIndex = "runs_by_parent_status"

const familyIndex = (table: "runs" | "run_tags", by: ReadonlyArray<Facet>) => {
  const columns = [...(table === "runs" ? [] : ["tag"]), ...by, "child", "status"]
  const place = table === "runs" ? [] : ["first_seq"]
  return `CREATE INDEX ${listIndex(table, by)} ON ${table} (${[...columns, ...place].join(", ")});`
}
const some: ReadonlyArray<ReadonlyArray<Facet>> = [["workflow"], ["owner"], ["workflow", "owner"]]

/** Lists leave out the runs that are items of others, or do not, so that every index has which of both a run is. */
const families = `
ALTER TABLE runs ADD COLUMN child INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN parent TEXT;
ALTER TABLE runs ADD COLUMN parent_step TEXT;
ALTER TABLE runs ADD COLUMN parent_index INTEGER;
ALTER TABLE runs ADD COLUMN origin TEXT;
ALTER TABLE items ADD COLUMN child_id TEXT;
${[[], ...some].map((by) => `DROP INDEX ${listIndex("runs", by)};`).join("\n")}
${[[], ...some].map((by) => familyIndex("runs", by)).join("\n")}
CREATE INDEX ${childrenIndex} ON runs (parent, status) WHERE parent IS NOT NULL;
ALTER TABLE run_tags RENAME TO old_run_tags;
CREATE TABLE run_tags (
  tag TEXT NOT NULL, child INTEGER NOT NULL, first_seq INTEGER NOT NULL, status TEXT NOT NULL, workflow TEXT NOT NULL,
  owner TEXT, PRIMARY KEY (tag, child, status, first_seq)
) WITHOUT ROWID;
INSERT INTO run_tags (tag, child, first_seq, status, workflow, owner)
  SELECT tag, 0, first_seq, status, workflow, owner FROM old_run_tags;
DROP TABLE old_run_tags;
${some.map((by) => familyIndex("run_tags", by)).join("\n")}
`

/**
 * No run of version 3 recorded a hash, was migrated, had a budget, stood still because of one, was done again or an item of
 * another one. What agents did is not in its tables: see `workedBefore`.
 */
const fromVersion3 = `${definitionsTable}
ALTER TABLE runs ADD COLUMN budget TEXT;
ALTER TABLE runs ADD COLUMN breach TEXT;
ALTER TABLE runs ADD COLUMN of_children TEXT;
INSERT OR IGNORE INTO totals VALUES ('OverBudget', 0, 0, 0, 0, 0);
${families}${agentTables}
`

/** The first version that has tables of agents. */
export const agentsSince = 4

/**
 * Gives a row where agents did something that tables of an earlier version do not say: what came of attempts that were
 * repeated is only in the log, so that such tables are built anew from it.
 */
export const workedBefore = "SELECT 1 FROM items WHERE agent_id IS NOT NULL LIMIT 1"

/** Raised whenever a table changes, together with a migration from the version before. */
export const schemaVersion = 4

/**
 * The tables of the index. Every column is a function of the log, so that an index can always be built anew from it. What
 * belongs to a run is keyed by the position of its registration, so that whatever ids hosts choose, new rows come last.
 */
export const schema = `${version2}${waitingTables}${outputsTable}${fromVersion3}`

const usageNames = ["input_tokens", "output_tokens", "cached_tokens", "cost_micro_usd"]

const oldRunNames: ReadonlyArray<string> = [
  ...["first_seq", "run_id", "last_seq", "workflow", "status", "owner", "tags"],
  ...["registered_at", "started_at", "ended_at", "workspace", "succeeded_items", "failed_items"],
  ...usageNames,
  ...["failure", "failed_step"]
]

/** The columns of a run, as its values are ordered. */
export const runNames: ReadonlyArray<string> = [
  ...oldRunNames,
  ...["budget", "breach", "of_children", "child", "parent", "parent_step", "parent_index", "origin"],
  "agents"
]

/** The columns of a step, as its values are ordered; before them comes `first_seq` of its run. */
export const stepNames: ReadonlyArray<string> = [
  ...["position", "step_id", "status", "total_items", "succeeded", "failed", "retries"],
  ...usageNames,
  ...["started_at", "duration_millis", "failure", "reason"]
]

/** The columns of a step that waits, as its values are ordered. */
export const waitingNames: ReadonlyArray<string> = [
  ...["first_seq", "position", "step_id", "kind", "since", "until", "message", "approvers", "signal"],
  ...["workflow", "owner"]
]

const oldItemNames: ReadonlyArray<string> = [
  ...["step_id", "item_index", "item", "status", "attempt", "agent_id"],
  ...usageNames,
  ...["retries", "duration_millis", "failure", "result"]
]

/** The columns of an item, as its values are ordered; before them comes `first_seq` of its run. */
export const itemNames: ReadonlyArray<string> = [...oldItemNames, "child_id"]

const version1Tables = ["meta", "runs", "run_tags", "steps", "items"]
const old = (names: ReadonlyArray<string>) => names.map((name) => `old.${name}`).join(", ")

/** Steps of which nothing is recorded have no row any more; their ids are in the plan. */
const untouched = [
  "old.status = 'Pending' AND old.started_at IS NULL AND old.failure IS NULL AND old.reason IS NULL",
  ...["total_items", "succeeded", "failed", "retries", ...usageNames].map((name) => `old.${name} = 0`)
].join(" AND ")

const fromVersion1 = `
DROP INDEX runs_by_status;
DROP INDEX runs_by_workflow;
DROP INDEX runs_by_owner;
${version1Tables.map((name) => `ALTER TABLE ${name} RENAME TO old_${name};`).join("\n")}
${version2}
INSERT OR REPLACE INTO meta SELECT * FROM old_meta;
INSERT INTO runs (${oldRunNames.join(", ")}) SELECT ${old(oldRunNames)} FROM old_runs AS old ORDER BY old.first_seq;
INSERT INTO run_tags (tag, first_seq, status, workflow, owner)
  SELECT old.tag, old.first_seq, runs.status, runs.workflow, runs.owner FROM old_run_tags AS old JOIN runs USING (first_seq);
UPDATE totals SET (runs, ${usageNames.join(", ")}) = (
  SELECT COUNT(*), ${usageNames.map((name) => `COALESCE(SUM(runs.${name}), 0)`).join(", ")}
  FROM runs WHERE runs.status = totals.status
);
INSERT INTO plans (first_seq, step_ids)
  SELECT first_seq, (
    SELECT json_group_array(old.step_id ORDER BY old.position) FROM old_steps AS old WHERE old.run_id = runs.run_id
  ) FROM runs;
INSERT INTO steps (first_seq, ${stepNames.join(", ")})
  SELECT runs.first_seq, ${old(stepNames)} FROM old_steps AS old JOIN runs USING (run_id) WHERE NOT (${untouched});
INSERT INTO items (first_seq, ${oldItemNames.join(", ")})
  SELECT runs.first_seq, ${old(oldItemNames)} FROM old_items AS old JOIN runs USING (run_id);
${version1Tables.map((name) => `DROP TABLE old_${name};`).join("\n")}
`

/** What leads from a version of the schema to the next one; tables of a version that is not here are built anew. */
export const migrations: ReadonlyMap<number, string> = new Map([
  [1, fromVersion1],
  [2, fromVersion2],
  [3, fromVersion3]
])
