import type { Entry } from "@switchyard/core/Event"
import type { RunId, StepId } from "@switchyard/core/Ids"
import * as QueryService from "@switchyard/core/QueryService"
import * as Run from "@switchyard/core/Run"
import Database from "better-sqlite3"
import { type Columns, itemColumns, runColumns, schema, schemaVersion, stepColumns } from "./tables.js"

/** The writing side of the index: folds entries and puts the rows that changed into the tables. */
export interface Projection {
  /** The position up to which the tables are complete. */
  readonly watermark: () => number
  /** Runs that had not ended at the watermark: their entries up to there have to be folded before anything is projected. */
  readonly openRuns: ReadonlySet<string>
  /** Folds an entry that the tables have already. */
  readonly remember: (entry: Entry) => void
  /** Folds entries, in order, and writes the rows that changed, in one transaction. Entries up to the watermark change nothing. */
  readonly project: (entries: ReadonlyArray<Entry>) => void
  readonly close: () => void
}

interface Dirty {
  readonly steps: Set<string>
  readonly items: Map<string, Set<number>>
  isNew: boolean
}

/** A run that has not ended, and where its steps stand in the definition. */
interface Folded {
  readonly run: Run.Run
  readonly positions: ReadonlyMap<string, number>
}

const upsert = (database: Database.Database, table: string, names: ReadonlyArray<string>) =>
  database.prepare<Array<Columns>>(
    `INSERT OR REPLACE INTO ${table} (${names.join(", ")}) VALUES (${names.map((name) => `@${name}`).join(", ")})`
  )

const columnNames = (database: Database.Database, table: string): ReadonlyArray<string> =>
  database
    .prepare<[], { name: string }>(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => name)

const version = (database: Database.Database): number =>
  Number(database.pragma("user_version", { simple: true }))

/** Opens the database of an index, or makes an empty one where there is none or one of another schema version. */
export const openProjection = (file: string): Projection => {
  const database = new Database(file)
  database.pragma("journal_mode = WAL")
  database.pragma("synchronous = NORMAL")
  if (version(database) !== schemaVersion) {
    const names = database
      .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all()
    database.transaction(() => {
      for (const { name } of names) database.exec(`DROP TABLE "${name}"`)
      database.exec(schema)
      database.pragma(`user_version = ${schemaVersion}`)
    })()
  }
  const putRun = upsert(database, "runs", columnNames(database, "runs"))
  const putStep = upsert(database, "steps", columnNames(database, "steps"))
  const putItem = upsert(database, "items", columnNames(database, "items"))
  const putTag = database.prepare("INSERT OR REPLACE INTO run_tags (tag, first_seq) VALUES (?, ?)")
  const putWatermark = database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('watermark', ?)")
  const stored = database
    .prepare<[], { value: number }>("SELECT value FROM meta WHERE key = 'watermark'")
    .get()
  let watermark = stored?.value ?? 0
  const open = database
    .prepare<[], { run_id: string }>(
      "SELECT run_id FROM runs WHERE status NOT IN ('Completed', 'Failed', 'Cancelled')"
    )
    .all()

  const runs = new Map<RunId, Folded>()
  const dirty = new Map<RunId, Dirty>()

  const fold = (entry: Entry): Run.Run | undefined => {
    const known = runs.get(entry.runId)
    if (known !== undefined) {
      Run.apply(known.run, entry)
      return known.run
    }
    const run = Run.register(entry)
    if (run !== undefined) {
      const positions = new Map(run.definition.steps.map(({ id }, position) => [id as string, position]))
      runs.set(entry.runId, { run, positions })
    }
    return run
  }

  const touch = (run: Run.Run, entry: Entry): void => {
    let changes = dirty.get(run.id)
    if (changes === undefined) {
      changes = { steps: new Set(), items: new Map(), isNew: false }
      dirty.set(run.id, changes)
    }
    const { event } = entry
    if (event._tag === "RunRegistered") {
      changes.isNew = true
      for (const { id } of run.definition.steps) changes.steps.add(id)
    } else if ("stepId" in event && event.stepId !== undefined) {
      changes.steps.add(event.stepId)
      let items = changes.items.get(event.stepId)
      if (items === undefined) {
        items = new Set()
        changes.items.set(event.stepId, items)
      }
      if ("index" in event) items.add(event.index)
      else if (event._tag === "StepFailed" || event._tag === "StepCancelled") {
        // The end of a step cancels those of its items that were under way.
        for (const item of run.steps.get(event.stepId)?.items ?? [])
          if (item?.status === "Cancelled") items.add(item.index)
      }
    }
  }

  const write = ({ positions, run }: Folded, changes: Dirty): void => {
    const row = QueryService.runRow(run)
    putRun.run(runColumns(row))
    if (changes.isNew) for (const tag of new Set(run.tags)) putTag.run(tag, run.firstSeq)
    for (const id of changes.steps) {
      const step = run.steps.get(id)
      const position = positions.get(id)
      if (step === undefined || position === undefined) continue
      putStep.run(stepColumns(QueryService.stepRow(run, position, id as StepId, step)))
      for (const index of changes.items.get(id) ?? []) {
        const item = step.items[index]
        if (item !== undefined) putItem.run(itemColumns(QueryService.itemRow(run, id as StepId, item)))
      }
    }
  }

  const writeAll = database.transaction((last: number) => {
    for (const [id, changes] of dirty) {
      const folded = runs.get(id)
      if (folded !== undefined) write(folded, changes)
    }
    putWatermark.run(last)
  })

  return {
    watermark: () => watermark,
    openRuns: new Set(open.map(({ run_id }) => run_id)),
    remember: (entry) => void fold(entry),
    project: (entries) => {
      for (const entry of entries) {
        if (entry.seq <= watermark) continue
        const run = fold(entry)
        if (run !== undefined) touch(run, entry)
      }
      const last = entries.at(-1)?.seq ?? watermark
      if (last <= watermark) return
      writeAll(last)
      watermark = last
      for (const id of dirty.keys())
        if (Run.isTerminal(runs.get(id)?.run.status ?? "Completed")) runs.delete(id)
      dirty.clear()
    },
    close: () => database.close()
  }
}
