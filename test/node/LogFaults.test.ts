import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import { EventLog, type Service } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import { readPublishedHead } from "@switchyard/node/internal/publishedHead"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { errno, type FaultyDisk, makeFaultyDisk, realDisk, withLimit } from "./faultyDisk.js"
import { temporaryDirectory } from "./temporary.js"

const runId = RunId.make("run-1")
const skipped = (n: number, reason = `note ${n}`) => ({ _tag: "StepSkipped", stepId: "s", reason }) as Event

const withLog = <A, E>(
  directory: string,
  disk: FaultyDisk,
  use: (log: Service) => Effect.Effect<A, E>,
  options: Partial<JsonlEventLog.Options> = {}
) =>
  Effect.provide(
    Effect.flatMap(EventLog, use),
    Layer.provide(JsonlEventLog.layer({ ...options, directory }), disk.layer)
  )

const append = (log: Service, from: number, count = 1) =>
  Effect.forEach(Array.from({ length: count }), (_, i) => log.append(runId, [skipped(from + i)]), {
    discard: true
  })

const readAll = (log: Service): Effect.Effect<ReadonlyArray<Entry>, unknown> =>
  Effect.map(Stream.runCollect(log.read({})), Chunk.toReadonlyArray)

const reasons = (entries: ReadonlyArray<Entry>) =>
  entries.map(({ event }) => (event._tag === "StepSkipped" ? event.reason : event._tag))

const notes = (count: number) => Array.from({ length: count }, (_, i) => `note ${i + 1}`)

/** Everything that is there is what was acknowledged, numbered without a gap, now and when it is opened again. */
const holds = (directory: string, log: Service, expected: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const entries = yield* readAll(log)
    expect(reasons(entries)).toEqual(expected)
    expect(entries.map(({ seq }) => Number(seq))).toEqual(expected.map((_, i) => i + 1))
    expect(readPublishedHead(directory)).toBe(expected.length)
  })

const reopened = (directory: string, expected: ReadonlyArray<string>) =>
  withLog(directory, makeFaultyDisk(), (log) => holds(directory, log, expected))

describe("JsonlEventLog on a faulty disk", () => {
  for (const code of ["ENOSPC", "EIO"]) {
    it.scoped(`loses nothing when a write fails with ${code}, and goes on when it works again`, () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const disk = makeFaultyDisk()
        yield* withLog(directory, disk, (log) =>
          Effect.gen(function* () {
            yield* append(log, 1, 3)
            disk.break({
              writeNow: () => {
                throw errno(code)
              }
            })
            const error = yield* Effect.flip(log.append(runId, [skipped(99)]))
            expect(error).toMatchObject({ _tag: "LogWriteFailed", path: directory })
            expect(error.message).toContain(`(${code})`)
            yield* Effect.flip(log.append(runId, [skipped(98)]))
            disk.break()
            yield* append(log, 4, 2)
            yield* holds(directory, log, notes(5))
          })
        )
        yield* reopened(directory, notes(5))
      })
    )
  }

  it.scoped("undoes a write that was short and then failed, also when the process dies right after", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      yield* withLog(directory, disk, (log) =>
        Effect.gen(function* () {
          yield* append(log, 1, 3)
          const file = path.join(directory, "0000000000000001.jsonl")
          const before = fs.readFileSync(file, "utf8").trimEnd()
          disk.break(withLimit(before.length + 100))
          yield* Effect.flip(log.append(runId, [skipped(98), skipped(99)]))
          expect(fs.readFileSync(file, "utf8").trimEnd()).toBe(before)
          disk.break()
          yield* append(log, 4)
        })
      )
      yield* reopened(directory, notes(4))
    })
  )

  it.scoped("takes lines for written though there is no room to fill the file ahead of them", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      disk.break(withLimit(1000))
      yield* withLog(directory, disk, (log) =>
        Effect.gen(function* () {
          yield* append(log, 1, 5)
          yield* Effect.flip(append(log, 6, 5))
          const written = (yield* readAll(log)).length
          expect(written).toBeGreaterThan(4)
          disk.break()
          yield* append(log, written + 1, 10)
          yield* holds(directory, log, notes(written + 10))
        })
      )
    })
  )

  it.scoped("loops over short writes", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      disk.break({
        writeNow: (fd, bytes, position) => realDisk.writeNow(fd, bytes.subarray(0, 7), position),
        write: (fd, bytes, position, done) => realDisk.write(fd, bytes.subarray(0, 1000), position, done)
      })
      const long = "x".repeat(400_000)
      yield* withLog(directory, disk, (log) =>
        Effect.gen(function* () {
          yield* append(log, 1, 3)
          yield* log.append(runId, [skipped(4, long)])
        })
      )
      yield* reopened(directory, [...notes(3), long])
    })
  )

  it.scoped("loses nothing when a new segment cannot be made, and goes on in it later", () =>
    Effect.gen(function* () {
      for (const fault of ["open", "syncDirectory"] as const) {
        const directory = yield* temporaryDirectory
        const disk = makeFaultyDisk()
        const options = { maxSegmentBytes: 4096 }
        yield* withLog(
          directory,
          disk,
          (log) =>
            Effect.gen(function* () {
              yield* append(log, 1, 30)
              disk.break({
                [fault]: () => {
                  throw errno("ENOSPC")
                }
              })
              yield* Effect.flip(append(log, 31, 20))
              const written = (yield* readAll(log)).length
              disk.break()
              yield* append(log, written + 1, 8)
              yield* holds(directory, log, notes(written + 8))
            }),
          options
        )
        const segments = fs.readdirSync(directory).filter((name) => name.endsWith(".jsonl"))
        expect(segments.length).toBeGreaterThan(1)
      }
    })
  )

  it.scoped("writes nothing after a failed fdatasync until the log is opened again", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      yield* withLog(directory, disk, (log) =>
        Effect.gen(function* () {
          yield* append(log, 1, 3)
          disk.break({ datasync: (_, done) => done(errno("EIO")) })
          const first = yield* Effect.flip(log.append(runId, [skipped(99)]))
          expect(first.message).toContain("close the log and open it again")
          disk.break()
          const second = yield* Effect.flip(log.append(runId, [skipped(99)]))
          expect(second.message).toContain("close the log and open it again")
          yield* holds(directory, log, notes(3))
        })
      )
      yield* withLog(directory, makeFaultyDisk(), (log) => append(log, 4))
      yield* reopened(directory, notes(4))
    })
  )

  it.scoped("writes the last group once more before it shows it, in case it is in memory only", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, makeFaultyDisk(), (log) => append(log, 1, 3))
      const disk = makeFaultyDisk()
      const written: Array<string> = []
      disk.break({
        writeNow: (fd, bytes, position) => {
          written.push(Buffer.from(bytes).toString())
          return realDisk.writeNow(fd, bytes, position)
        },
        datasyncNow: (fd) => {
          written.push("sync")
          realDisk.datasyncNow(fd)
        }
      })
      yield* withLog(directory, disk, () => Effect.void)
      expect(written.slice(0, 2)).toEqual([expect.stringContaining('"reason":"note 3"'), "sync"])
      disk.break({
        datasyncNow: () => {
          throw errno("EIO")
        }
      })
      expect(yield* Effect.flip(withLog(directory, disk, readAll))).toMatchObject({
        _tag: "DirectoryUnusable"
      })
    })
  )

  it.scoped("syncs once for one append, and once for all that come while it is at it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      yield* withLog(directory, disk, (log) =>
        Effect.gen(function* () {
          yield* append(log, 1, 10)
          expect(disk.calls.get("datasync")).toBe(10)
          yield* Effect.forEach(notes(500), (_, i) => log.append(runId, [skipped(11 + i)]), {
            concurrency: "unbounded"
          })
          expect(disk.calls.get("datasync")).toBeLessThan(16)
        })
      )
      yield* reopened(directory, notes(510))
    })
  )

  it.scoped(
    "fills the file ahead of its lines while it is written, and cuts that off when it is closed",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const file = path.join(directory, "0000000000000001.jsonl")
        yield* withLog(directory, makeFaultyDisk(), (log) =>
          Effect.gen(function* () {
            yield* append(log, 1, 2)
            const text = fs.readFileSync(file, "utf8")
            expect(text.length).toBeGreaterThan(60_000)
            expect(text.split("\n").filter((line) => line !== "").length).toBe(2)
          })
        )
        expect(fs.readFileSync(file, "utf8")).toMatch(/[^\n]\n$/)
      })
  )

  it.scoped("takes none of the events of an append that holds what is not JSON, and goes on", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const bad = { _tag: "StepSkipped", stepId: "s", reason: 1n } as never
      yield* withLog(directory, makeFaultyDisk(), (log) =>
        Effect.gen(function* () {
          yield* append(log, 1)
          expect(yield* Effect.exit(log.append(runId, [skipped(2), bad]))).toMatchObject({ _tag: "Failure" })
          yield* append(log, 2)
        })
      )
      yield* reopened(directory, notes(2))
    })
  )

  it.scoped("is not asked to sync where the log is opened without", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      disk.break({
        datasync: () => expect.unreachable("a sync"),
        datasyncNow: () => expect.unreachable("a sync")
      })
      yield* withLog(directory, disk, (log) => append(log, 1, 3), { sync: false })
      disk.break()
      yield* reopened(directory, notes(3))
    })
  )
})
