import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry } from "@switchyard/core/Event"
import {
  EventLog,
  EventReader,
  LogDamaged,
  type Range,
  type Reader,
  type Service
} from "@switchyard/core/EventLog"
import { RunId, type Seq } from "@switchyard/core/Ids"
import { completed, note, registered } from "@switchyard/core/testing/EventSamples"
import { eventually } from "@switchyard/core/testing/Law"
import { openView } from "@switchyard/node/internal/logView"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as JsonlEventReader from "@switchyard/node/JsonlEventReader"
import * as LogCompaction from "@switchyard/node/LogCompaction"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { errno, type FaultyDisk, makeFaultyDisk, realDisk } from "./faultyDisk.js"
import { temporaryDirectory } from "./temporary.js"

const [one, two, three] = ["one", "two", "three"].map((id) => RunId.make(id)) as [RunId, RunId, RunId]

const openLog = (directory: string, disk: FaultyDisk = makeFaultyDisk()) =>
  Layer.build(
    Layer.provide(JsonlEventLog.layer({ directory, maxSegmentBytes: 4096, tailEntries: 16 }), disk.layer)
  )

const withLog = <A, E>(directory: string, use: (log: Service) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(openLog(directory), (services) => use(Context.get(services, EventLog))))

/** A log in a directory of its own, for as long as the test. */
const withLogIn = <A, E>(
  use: (
    log: Service,
    compaction: LogCompaction.Service,
    directory: string
  ) => Effect.Effect<A, E, Scope.Scope>
) =>
  Effect.flatMap(temporaryDirectory, (directory) =>
    Effect.flatMap(openLog(directory), (services) =>
      use(Context.get(services, EventLog), Context.get(services, LogCompaction.LogCompaction), directory)
    )
  )

const openReader = (directory: string) =>
  Effect.map(Layer.build(JsonlEventReader.layer({ directory })), (services) =>
    Context.get(services, EventReader)
  )

const read = (reader: Reader, range: Range = {}) =>
  Effect.map(
    Stream.runCollect(reader.read(range)),
    (found): ReadonlyArray<Entry> => Chunk.toReadonlyArray(found)
  )

const fill = (log: Service, count: number) =>
  Effect.gen(function* () {
    for (let n = 0; n < count; n++) yield* log.append(n % 2 === 0 ? one : two, [note(n)])
  })

/** Follows into an array, until the scope closes or it fails. */
const followInto = (reader: Reader, seen: Array<Entry>, after = 0) =>
  Effect.forkScoped(
    Stream.runForEach(reader.follow({ after: after as Seq }), (entry) => Effect.sync(() => seen.push(entry)))
  )

const seqs = (entries: ReadonlyArray<Entry>) => entries.map(({ seq }) => Number(seq))
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

const segmentsOf = (directory: string) =>
  fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => path.join(directory, name))

/** Everything in a directory that a change of it would change. */
const stateOf = (directory: string) =>
  fs.readdirSync(directory).map((name) => {
    const file = path.join(directory, name)
    const { ino, mtimeMs, size } = fs.statSync(file)
    return {
      name,
      ino,
      mtimeMs,
      size,
      hash: crypto.createHash("sha1").update(fs.readFileSync(file)).digest("hex")
    }
  })

describe("reading the log of another process", () => {
  it.scoped("fails for a directory that does not exist, and does not make it", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporaryDirectory, "none")
      const error = yield* Effect.flip(openReader(directory))
      expect(error).toMatchObject({ _tag: "DirectoryUnusable", directory })
      expect(error.message).toContain("it does not exist")
      expect(fs.existsSync(directory)).toBe(false)
    })
  )

  it.scoped("waits for a log in a directory that has none yet", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const reader = yield* openReader(directory)
      expect(yield* reader.head).toBe(0)
      expect(yield* read(reader)).toEqual([])
      expect(yield* reader.unfinished).toEqual([])
      const seen: Array<Entry> = []
      yield* followInto(reader, seen)
      yield* withLog(directory, (log) => fill(log, 100))
      yield* eventually("all of it comes", () => seen.length === 100)
      expect(seqs(seen)).toEqual(upTo(100))
    })
  )

  it.scoped("creates and changes nothing, though snapshots are missing", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const all = yield* withLog(directory, (log) => Effect.zipRight(fill(log, 200), read(log)))
      for (const { name } of stateOf(directory)) {
        if (name.endsWith(".snapshot")) fs.rmSync(path.join(directory, name))
      }
      const before = stateOf(directory)
      expect(segmentsOf(directory).length).toBeGreaterThan(3)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const reader = yield* openReader(directory)
          const seen: Array<Entry> = []
          yield* followInto(reader, seen, 50)
          expect(yield* read(reader)).toEqual(all)
          expect(yield* read(reader, { runs: [two], after: 100 as Seq })).toEqual(
            all.filter(({ runId, seq }) => runId === two && seq > 100)
          )
          expect((yield* reader.unfinished).length).toBe(2)
          yield* eventually("it follows", () => seen.length === 150)
        })
      )
      expect(stateOf(directory)).toEqual(before)
    })
  )

  it.scoped("shows nothing before it is durable, and nothing that a failed write took back", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      const log = Context.get(yield* openLog(directory, disk), EventLog)
      const reader = yield* openReader(directory)
      const seen: Array<Entry> = []
      yield* followInto(reader, seen)
      yield* fill(log, 3)
      const held: Array<() => void> = []
      disk.break({
        datasync: (fd, done) => {
          held.push(() => realDisk.datasync(fd, done))
        }
      })
      const append = yield* Effect.forkScoped(log.append(one, [note(3), note(4)]))
      yield* eventually("it is written", () => held.length === 1)
      expect(fs.readFileSync(segmentsOf(directory)[0] ?? "", "utf8")).toContain("note 4")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 600)))
      expect(yield* reader.head).toBe(3)
      expect(seqs(yield* read(reader))).toEqual([1, 2, 3])
      expect(seqs(seen)).toEqual([1, 2, 3])
      disk.break()
      held[0]?.()
      yield* Fiber.join(append)
      expect(seqs(yield* read(reader))).toEqual(upTo(5))
      disk.break({
        writeNow: (fd, bytes, position) => {
          realDisk.writeNow(fd, bytes.subarray(0, bytes.length / 2), position)
          throw errno("EIO")
        }
      })
      yield* Effect.flip(log.append(one, [note(5)]))
      expect(yield* reader.head).toBe(5)
      disk.break()
      const kept = yield* log.append(two, [note(6)])
      yield* eventually("it follows", () => seen.length === 6)
      expect(seen.slice(5)).toEqual(kept)
      expect(yield* read(reader)).toEqual(yield* read(log))
    })
  )

  it.scoped("takes every whole line where nothing says how far the log is durable", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const all = yield* withLog(directory, (log) => Effect.zipRight(fill(log, 100), read(log)))
      fs.rmSync(path.join(directory, "head"))
      fs.appendFileSync(segmentsOf(directory).at(-1) ?? "", '{"crc":"0badf00d","seq":101,"ti')
      const reader = yield* openReader(directory)
      expect(yield* reader.head).toBe(100)
      expect(yield* read(reader)).toEqual(all)
      fs.writeFileSync(path.join(directory, "head"), `${"1".padStart(16, "0")} ${"2".padStart(16, "0")}\n`)
      expect(yield* read(reader), "a number that is just being written says nothing").toEqual(all)
    })
  )

  it.scoped("reads lines that are longer than what is read at once", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const writer = JsonlEventLog.layer({ directory, maxInlineBytes: 4 * 1024 * 1024 })
      const log = Context.get(yield* Layer.build(writer), EventLog)
      const reader = yield* openReader(directory)
      for (const size of [10, 65_500, 10, 1_000_000, 10]) {
        const [entry] = yield* log.append(one, [{ _tag: "RunInterrupted", reason: "é".repeat(size) }])
        expect((yield* read(reader)).at(-1)).toEqual(entry)
      }
      const again = yield* openReader(directory)
      expect(yield* read(again)).toEqual(yield* read(log))
    })
  )

  it.scoped("reads events that are kept in files of their own", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const writer = JsonlEventLog.layer({ directory, maxInlineBytes: 256, audit: true })
      const log = Context.get(yield* Layer.build(writer), EventLog)
      const reader = yield* openReader(directory)
      const seen: Array<Entry> = []
      yield* followInto(reader, seen)
      for (const size of [10, 300, 100_000, 10]) {
        yield* log.append(one, [{ _tag: "RunInterrupted", reason: "é".repeat(size) }])
      }
      const all = yield* read(log)
      expect(yield* read(reader, { runs: [one] })).toEqual(all)
      yield* eventually("all of it comes", () => seen.length === all.length)
      expect(seen).toEqual(all)
    })
  )

  for (const [where, index, offset] of [
    ["in an old segment", 1, 200],
    ["in the last segment", -1, 200]
  ] as const) {
    it.scoped(`gives what is before damage ${where}, and then says where the damage is`, () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* withLog(directory, (log) => fill(log, 100))
        const file = segmentsOf(directory).at(index) ?? ""
        const content = fs.readFileSync(file)
        content[offset] = 0x7e
        fs.writeFileSync(file, content)
        const line = content.subarray(0, offset).toString().split("\n").length
        const before = content.subarray(0, offset).lastIndexOf("\n") + 1
        const expected = { _tag: "LogDamaged", segment: file, line, offset: before }
        const reader = yield* openReader(directory)
        for (const entries of [reader.read({}), reader.follow({})]) {
          const seen: Array<Entry> = []
          const error = yield* Effect.flip(
            Stream.runForEach(entries, (entry) => Effect.sync(() => seen.push(entry)))
          )
          expect(error).toMatchObject(expected)
          const firstSeq = Number(path.basename(file).slice(0, 16))
          expect(seqs(seen)).toEqual(upTo(seen.length))
          expect(seen.length).toBeGreaterThanOrEqual(firstSeq - 1)
          expect(seen.length).toBeLessThan(firstSeq + line - 1)
        }
      })
    )
  }

  it.scoped("says that entries are missing that were durable", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const log = Context.get(yield* openLog(directory), EventLog)
      yield* fill(log, 100)
      const file = segmentsOf(directory).at(-1) ?? ""
      const reader = yield* openReader(directory)
      const fiber = yield* followInto(reader, [])
      fs.truncateSync(file, 0)
      yield* log.append(one, [note(100)])
      const error = yield* Effect.flip(Fiber.join(fiber))
      expect(error).toMatchObject({ _tag: "LogDamaged", segment: file })
      expect(error.message).toContain("missing")
    })
  )

  it.scoped("follows on when the writer was stopped in the middle of a write and started again", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const seen: Array<Entry> = []
      yield* withLog(directory, (log) => log.append(one, [registered, note(1)]))
      const reader = yield* openReader(directory)
      yield* followInto(reader, seen)
      for (let n = 0; n < 5; n++) {
        const last = segmentsOf(directory).at(-1) ?? ""
        fs.appendFileSync(last, `{"crc":"0badf00d","seq":${99 + n},"ti\0\0\0`)
        yield* withLog(directory, (log) => fill(log, 37))
        fs.appendFileSync(segmentsOf(directory).at(-1) ?? "", "\n\n\n")
      }
      const log = Context.get(yield* openLog(directory), EventLog)
      yield* log.append(two, [completed])
      const all = yield* read(log)
      yield* eventually("all of it comes", () => seen.length === all.length)
      expect(seen).toEqual(all)
      expect(yield* reader.unfinished).toEqual(yield* log.unfinished)
      expect(yield* (yield* openReader(directory)).unfinished).toEqual([{ runId: one, firstSeq: 1 }])
    })
  )

  it.scoped("reads what is left after compaction, whatever it has read before", () =>
    withLogIn((log, { compact }, directory) =>
      Effect.gen(function* () {
        const reader = yield* openReader(directory)
        yield* fill(log, 100)
        for (let n = 0; n < 100; n++) yield* log.append(three, [note(n)])
        expect(yield* read(reader)).toEqual(yield* read(log))
        yield* log.append(two, [completed])
        yield* compact(new Set([two]), "delete")
        for (const range of [{}, { runs: [one] }, { runs: [two, three] }, { after: 33 as Seq }]) {
          expect(yield* read(reader, range)).toEqual(yield* read(log, range))
        }
        yield* fill(log, 50)
        yield* log.append(one, [completed])
        yield* compact(new Set([one]), "archive")
        for (const range of [{}, { runs: [one] }, { runs: [three] }, { after: 120 as Seq }]) {
          expect(yield* read(reader, range)).toEqual(yield* read(log, range))
        }
        expect(yield* reader.unfinished).toEqual(yield* log.unfinished)
        const seen: Array<Entry> = []
        yield* followInto(reader, seen)
        yield* log.append(three, [note(0)])
        const all = yield* read(log)
        yield* eventually("all that is left comes", () => seen.length === all.length)
        expect(seen).toEqual(all)
      })
    )
  )

  it.scoped("comes to the end of a segment that was compacted while it was being read", () =>
    withLogIn((log, { compact }, directory) =>
      Effect.gen(function* () {
        yield* fill(log, 10)
        const told: Array<Entry> = []
        const view = openView(directory, (entries) => told.push(...entries))
        if (view instanceof LogDamaged) return yield* view
        expect(view.readOn()).toBe(true)
        yield* fill(log, 11)
        yield* log.append(one, [completed])
        yield* compact(new Set([one]), "delete")
        const left = yield* read(log)
        expect(view.last()).toBe(10)
        expect(view.readAfter(0 as Seq, undefined)).toMatchObject({ entries: left })
        while (view.readOn() === true);
        expect(view.last()).toBe(yield* log.head)
        expect(seqs(told)).toEqual(upTo(22))
        const again: Array<Entry> = []
        for (let after = 0 as Seq; after < view.last(); ) {
          const batch = view.readAfter(after, undefined)
          if (batch instanceof LogDamaged) return yield* batch
          again.push(...batch.entries)
          after = batch.through
        }
        expect(again).toEqual(left)
        view.close()
      })
    )
  )
})
