import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry } from "@switchyard/core/Event"
import { EventLog, LogDamaged, layerMemory, type Service } from "@switchyard/core/EventLog"
import { RunId, type Seq } from "@switchyard/core/Ids"
import { QueryService } from "@switchyard/core/QueryService"
import { note } from "@switchyard/core/testing/EventSamples"
import { makeIndexer } from "@switchyard/node/internal/indexer"
import { openProjection, type Projection } from "@switchyard/node/internal/projection"
import * as SqliteIndex from "@switchyard/node/SqliteIndex"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { sampleLog } from "./indexSamples.js"
import { dump } from "./indexTables.js"
import { temporaryDirectory } from "./temporary.js"

const runId = RunId.make("run-1")

/** Holds up the event loop. */
const spin = (millis: number): void => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

/** Works for as long, whatever else the machine does. */
const work = (millis: number): void => {
  const spent = () => process.cpuUsage().user + process.cpuUsage().system
  const until = spent() + millis * 1000
  while (spent() < until);
}

/** A projection that only keeps what it is given, and takes its time over each entry. */
const makeRecorder = (millisPerEntry = 0) => {
  const batches: Array<{ readonly at: number; readonly size: number; readonly took: number }> = []
  const seqs: Array<number> = []
  let trouble: Error | undefined
  let withheld = 0
  const projection: Projection = {
    watermark: () => seqs.length - withheld,
    standsAt: () => true,
    openRuns: [],
    remember: () => undefined,
    project: (entries: ReadonlyArray<Entry>) => {
      const at = performance.now()
      for (const { seq } of entries) seqs.push(seq)
      work(entries.length * millisPerEntry)
      withheld = trouble === undefined ? 0 : withheld + entries.length
      if (trouble !== undefined) throw trouble
      batches.push({ at, size: entries.length, took: performance.now() - at })
    },
    forget: () => undefined,
    spoil: () => undefined,
    close: () => undefined
  }
  const fail = (error: Error | undefined) => {
    trouble = error
  }
  return { projection, batches, seqs, fail }
}

/** An indexer that follows a log in memory until the scope closes. */
const indexing = (projection: Projection, log: Service) =>
  Effect.gen(function* () {
    const indexer = makeIndexer(projection, log, "index.sqlite")
    yield* Effect.forkScoped(indexer.run)
    return indexer
  })

const append = (log: Service, count: number) =>
  Effect.forEach(Array.from({ length: count }), (_, n) => log.append(runId, [note(n)]), { discard: true })

/** Waits until something has come about, for five seconds at most; what was expected then is for the test to say. */
const until = (condition: () => boolean) =>
  Effect.gen(function* () {
    for (let turn = 0; turn < 500 && !condition(); turn++) yield* Effect.sleep("10 millis")
  })

const inOrder = (length: number) => Array.from({ length }, (_, n) => n + 1)

describe("the indexer", () => {
  it.scopedLive("gathers what comes one by one", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      const { batches, projection, seqs } = makeRecorder()
      const indexer = yield* indexing(projection, log)
      for (let n = 0; n < 200; n++) {
        yield* append(log, 1)
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* until(() => seqs.length === 200)
      expect(seqs).toEqual(inOrder(200))
      expect(batches.length).toBeLessThan(30)
      expect(indexer.failure()).toBeUndefined()
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("projects less often while the host is busy", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      const { batches, projection, seqs } = makeRecorder()
      yield* indexing(projection, log)
      const begun = performance.now()
      let appended = 0
      while (performance.now() - begun < 1_500) {
        yield* append(log, 1)
        appended++
        spin(4)
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      const gaps = batches.slice(1).map(({ at }, index) => at - (batches[index]?.at ?? 0))
      expect(batches.length).toBeGreaterThan(2)
      expect(Math.max(...gaps), "an idle host has one every 25 ms").toBeGreaterThan(100)
      yield* until(() => seqs.length === appended)
      expect(seqs).toEqual(inOrder(appended))
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("does not keep anybody waiting who asks for it", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      const { projection, seqs } = makeRecorder()
      const indexer = yield* indexing(projection, log)
      for (let n = 1; n <= 40; n++) {
        yield* append(log, 3)
        yield* indexer.reached((3 * n) as Seq)
        expect(seqs.length).toBe(3 * n)
      }
      const waiting = yield* Effect.fork(indexer.reached(121 as Seq))
      yield* Effect.sleep("30 millis")
      expect(waiting.unsafePoll()).toBe(null)
      yield* append(log, 1)
      yield* waiting
      expect(seqs.length).toBe(121)
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("makes batches that take a few milliseconds, and lets the host go on between them", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      yield* log.append(
        runId,
        Array.from({ length: 3_000 }, (_, n) => note(n))
      )
      const { batches, projection, seqs } = makeRecorder(0.2)
      let turns = 0
      const timer = setInterval(() => turns++, 1)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(timer)))
      const indexer = yield* indexing(projection, log)
      yield* indexer.reached(3_000 as Seq)
      expect(seqs).toEqual(inOrder(3_000))
      // The first one is made before it is known how long an entry takes.
      for (const { size } of batches.slice(1)) expect(size).toBeLessThan(64)
      expect(batches.length).toBeGreaterThan(45)
      expect(turns).toBeGreaterThan(batches.length / 2)
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("lets the host go on between batches while it catches up with a long log", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      yield* log.append(
        runId,
        Array.from({ length: 20_000 }, (_, n) => note(n))
      )
      const { batches, projection } = makeRecorder(0.003)
      let turns = 0
      let isOver = false
      const turn = () => {
        turns++
        if (!isOver) setImmediate(turn)
      }
      turn()
      const indexer = yield* indexing(projection, log)
      yield* indexer.reached(20_000 as Seq)
      isOver = true
      expect(batches.length).toBeGreaterThan(10)
      expect(turns).toBeGreaterThanOrEqual(batches.length - 1)
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("makes longer batches where entries take less time", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      yield* log.append(
        runId,
        Array.from({ length: 40_000 }, (_, n) => note(n))
      )
      const { batches, projection, seqs } = makeRecorder()
      const indexer = yield* indexing(projection, log)
      yield* indexer.reached(40_000 as Seq)
      expect(seqs.length).toBe(40_000)
      expect(Math.max(...batches.map(({ size }) => size))).toBeGreaterThan(900)
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("tries again what could not be written, and says so until it is", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      const { fail, projection, seqs } = makeRecorder()
      const indexer = yield* indexing(projection, log)
      fail(Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }))
      yield* append(log, 5)
      yield* indexer.reached(5 as Seq)
      expect(indexer.failure()).toContain("database or disk is full; it is tried again")
      yield* append(log, 5)
      fail(undefined)
      yield* until(() => projection.watermark() === 10)
      expect(indexer.failure()).toBeUndefined()
      expect(seqs).toEqual(inOrder(10))
      expect(projection.watermark()).toBe(10)
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("says why it does not follow a log that cannot be read", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      const { projection } = makeRecorder()
      const damage = new LogDamaged({ segment: "a.jsonl", offset: 1, line: 1, reason: "it is" })
      const indexer = yield* indexing(projection, { ...log, follow: () => Stream.fail(damage) })
      yield* indexer.reached(1 as Seq)
      expect(indexer.failure()).toContain("a.jsonl")
      expect(indexer.failure()).toContain("open the directory again")
    }).pipe(Effect.provide(layerMemory))
  )
})

const sampled = [...sampleLog(60)].flat()

/** A log in memory that has, under their own numbers, the first entries of the sample. */
const recorded = (log: Service, from: number, to: number) =>
  Effect.forEach(sampled.slice(from, to), (entry) => log.append(entry.runId, [entry.event]), {
    discard: true
  })

describe("an index on a file", () => {
  it.scopedLive("gets over a program that locks it, and misses nothing", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const filename = path.join(directory, "index.sqlite")
      const log = yield* EventLog
      yield* Effect.gen(function* () {
        const query = yield* QueryService
        yield* recorded(log, 0, 200)
        expect(yield* query.sync).toBe(200)
        const other = new Database(filename)
        other.exec("BEGIN IMMEDIATE")
        yield* recorded(log, 200, 400)
        const error = yield* Effect.flip(query.sync)
        expect(error.message).toContain("does not follow the log")
        expect((yield* query.listRuns()).items.length).toBeGreaterThan(0)
        other.exec("ROLLBACK")
        other.close()
        yield* Effect.sleep("1200 millis")
        expect(yield* query.sync).toBe(400)
        yield* recorded(log, 400, sampled.length)
      }).pipe(Effect.provide(SqliteIndex.layer({ filename })))
      // What was recorded last is in the tables when the layer has gone.
      const before = dump(filename)
      const other = path.join(directory, "other.sqlite")
      yield* Effect.flatMap(QueryService, ({ sync }) => sync).pipe(
        Effect.provide(SqliteIndex.layer({ filename: other }))
      )
      expect(before.runs?.length).toBe(60)
      expect(before).toEqual(dump(other))
    }).pipe(Effect.provide(layerMemory))
  )

  it.scopedLive("that turns out to be damaged is built anew the next time", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const filename = path.join(directory, "index.sqlite")
      const projection = openProjection(filename)
      projection.project(sampled)
      projection.spoil()
      projection.close()
      const log = yield* EventLog
      yield* recorded(log, 0, sampled.length)
      yield* Effect.gen(function* () {
        const query = yield* QueryService
        expect(yield* query.sync).toBe(sampled.length)
        expect((yield* query.listRuns({}, { limit: 100 })).items.length).toBe(60)
      }).pipe(Effect.provide(SqliteIndex.layer({ filename })))
    }).pipe(Effect.provide(layerMemory))
  )
})
