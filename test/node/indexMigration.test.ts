import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import { StepId } from "@switchyard/core/Ids"
import { openProjection } from "@switchyard/node/internal/projection"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { histories } from "../property/histories.js"
import { sampleLog } from "./indexSamples.js"
import { dump } from "./indexTables.js"
import { makeVersion1, makeVersion2, makeVersion3, oldEntries, withoutAgents } from "./oldIndexes.js"
import { temporaryDirectory } from "./temporary.js"

const version = (file: string): unknown => {
  const database = new Database(file, { readonly: true })
  const found = database.pragma("user_version", { simple: true })
  database.close()
  return found
}

/** What runs that are under way may record next, now that steps can wait: one of them waits, one is done. */
const later = (log: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  const stepId = StepId.make("only")
  const ended = new Set(log.flatMap(({ event, runId }) => (event._tag === "RunCompleted" ? [runId] : [])))
  const open = [...new Set(log.map(({ runId }) => runId))].filter((runId) => !ended.has(runId)).slice(-2)
  const usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 }
  const summary = { totalItems: 1, succeeded: 1, failed: 0, retries: 0, usage, durationMillis: 1 }
  const events: ReadonlyArray<Event> = [
    { _tag: "StepWaiting", stepId, for: "approval", approvers: ["ann", "bob"] },
    { _tag: "StepCompleted", stepId, summary, output: [1] }
  ]
  return events.flatMap((event, index) => {
    const [runId, at] = [open[index], log.length + index + 1]
    return runId === undefined
      ? []
      : [{ seq: at as Entry["seq"], time: 2_000_000, runId, runSeq: 100, event }]
  })
}

describe.each([
  [1, makeVersion1],
  [2, makeVersion2],
  [3, makeVersion3]
] as const)("an index of version %i", (number, make) => {
  /** The tables after opening a file of the old version, and those that a log gives anew. */
  const both = (directory: string, log: ReadonlyArray<Entry>) => {
    const [file, other] = [path.join(directory, "old.sqlite"), path.join(directory, "new.sqlite")]
    make(file, log)
    expect(version(file)).toBe(number)
    const migrated = openProjection(file)
    expect(migrated.watermark()).toBe(log.length)
    const last = log.at(-1)
    if (last !== undefined) expect(migrated.standsAt(last)).toBe(true)
    const rebuilt = openProjection(other)
    rebuilt.project(log)
    return { file, other, migrated, rebuilt }
  }

  it.scoped("is brought up to date without the log, to the rows that a rebuild has", () =>
    Effect.gen(function* () {
      const log = withoutAgents([...sampleLog(300)].flat())
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
      const log = withoutAgents([...sampleLog(300)].flat())
      const { file, migrated, other, rebuilt } = both(yield* temporaryDirectory, log.slice(0, 2_501))
      for (const entry of log.slice(0, 2_501)) {
        if (migrated.openRuns.some(({ runId }) => runId === entry.runId)) migrated.remember(entry)
      }
      for (const each of [migrated, rebuilt]) {
        each.project([...log, ...later(log)])
        each.close()
      }
      const tables = dump(file)
      expect(tables.waiting_approvers?.length).toBe(2)
      expect(tables.outputs?.length).toBe(1)
      expect(tables).toEqual(dump(other))
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
          const place = fs.mkdtempSync(path.join(directory, "drawn-"))
          const { file, migrated, other, rebuilt } = both(place, withoutAgents(oldEntries(real, number)))
          migrated.close()
          rebuilt.close()
          expect(dump(file)).toEqual(dump(other))
          fs.rmSync(place, { recursive: true })
        }),
        { numRuns: 20 }
      )
    )
  )

  it.scoped("is built anew where agents did something, which is not in its tables as it is to be", () =>
    Effect.gen(function* () {
      const file = path.join(yield* temporaryDirectory, "old.sqlite")
      const log = [...sampleLog(20)].flat()
      make(file, log)
      const projection = openProjection(file)
      expect(projection.watermark()).toBe(0)
      projection.project(log)
      projection.close()
      expect(dump(file).agent_history).toMatchObject([{ agent: "agent", skill: "work", successes: 9 }])
    })
  )

  it.scoped("is built anew where its tables are not what its version says", () =>
    Effect.gen(function* () {
      const file = path.join(yield* temporaryDirectory, "old.sqlite")
      make(file, withoutAgents([...sampleLog(20)].flat()))
      const database = new Database(file)
      database.exec("ALTER TABLE steps DROP COLUMN retries; ALTER TABLE runs ADD COLUMN breach TEXT")
      database.exec("CREATE TABLE IF NOT EXISTS waiting (something TEXT)")
      database.exec("CREATE TABLE IF NOT EXISTS definitions (something TEXT)")
      database.close()
      const projection = openProjection(file)
      expect(projection.watermark()).toBe(0)
      for (const entries of sampleLog(20)) projection.project(entries)
      projection.close()
      expect(dump(file).runs?.length).toBe(20)
    })
  )
})
