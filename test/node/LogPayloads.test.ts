import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import type { Range, Service } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import { decode } from "@switchyard/node/internal/line"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import type * as LogCompaction from "@switchyard/node/LogCompaction"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { errno, failingAt, makeFaultyDisk, realDisk } from "./faultyDisk.js"
import { onLog } from "./onLog.js"
import { temporaryDirectory } from "./temporary.js"

const run = (n: number) => RunId.make(`run-${n}`)
const runs = (...numbers: ReadonlyArray<number>) => new Set(numbers.map(run))
const small = (n: number): Event => ({ _tag: "StepSkipped", stepId: "s" as never, reason: `note ${n}` })
const large = (letter: string, size = 70_000): Event => ({
  _tag: "StepSkipped",
  stepId: "s" as never,
  reason: letter.repeat(size)
})
const ended = { _tag: "RunCancelled", summary: {} } as Event

const withLog = <A, E>(
  directory: string,
  use: (log: Service, compaction: LogCompaction.Service) => Effect.Effect<A, E>,
  disk = makeFaultyDisk(),
  options: Partial<JsonlEventLog.Options> = {}
) => onLog({ ...options, directory }, use, disk)

const read = (log: Service, range: Range = {}) =>
  Effect.map(
    Stream.runCollect(log.read(range)),
    (found): ReadonlyArray<Entry> => Chunk.toReadonlyArray(found)
  )

const reopened = (directory: string) => withLog(directory, (log) => read(log))
/** Of the host's clock, since what is waited for happens on a disk. */
const milliseconds = (n: number) => Effect.promise(() => new Promise((resume) => setTimeout(resume, n)))
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
const contentOf = (event: Event) => JSON.stringify(event)
const nameOf = (event: Event) => `${sha256(contentOf(event))}.json`
const fileOf = (directory: string, event: Event) => path.join(directory, "payloads", nameOf(event))
const kept = (directory: string) => {
  const own = path.join(directory, "payloads")
  return fs.existsSync(own) ? fs.readdirSync(own).sort() : []
}
const names = (...events: ReadonlyArray<Event>) => events.map(nameOf).sort()
const segment = (directory: string) => path.join(directory, "0000000000000001.jsonl")
const linesOf = (file: string) => fs.readFileSync(file, "utf8").split("\n").filter(Boolean)

describe("payloads of the log", () => {
  it.scoped("are files of their own, once for each content, and are read as if they stood in the line", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const events = [small(1), large("a"), small(2), large("é"), large("a")]
      const all = yield* withLog(directory, (log) =>
        Effect.gen(function* () {
          const appended = yield* Effect.forEach(events, (event, n) => log.append(run(n), [event]), {
            concurrency: "unbounded"
          })
          expect(yield* read(log)).toEqual(appended.flat())
          return appended.flat()
        })
      )
      expect(all.map(({ event }) => event)).toEqual(events)
      expect(yield* reopened(directory)).toEqual(all)
      expect(kept(directory)).toEqual(names(large("a"), large("é")))
      expect(fs.readFileSync(fileOf(directory, large("é")), "utf8")).toBe(contentOf(large("é")))
      const found = linesOf(segment(directory)).map((line) => JSON.parse(line).event)
      const reference = (event: Event) => ({
        _tag: event._tag,
        payload: { sha256: sha256(contentOf(event)), bytes: Buffer.byteLength(contentOf(event)) }
      })
      expect(found).toEqual([
        small(1),
        reference(large("a")),
        small(2),
        reference(large("é")),
        reference(large("a"))
      ])
      expect(yield* JsonlEventLog.verify(directory)).toMatchObject({ entries: 5, payloads: 3 })
    })
  )

  it.scoped("begin where the host says, by the bytes of the event", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const of = (bytes: number) => large("x", bytes - contentOf(large("x", 0)).length)
      const options = { maxInlineBytes: 500 }
      yield* withLog(directory, (log) => log.append(run(1), [of(500), of(501)]), makeFaultyDisk(), options)
      expect(kept(directory)).toEqual(names(of(501)))
    })
  )

  it.scoped("are never taken for an event that looks like one", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const payload = { sha256: "0".repeat(64), bytes: 3 }
      const event = { _tag: "OfAnotherTime", payload } as unknown as Event
      yield* withLog(directory, (log) => log.append(run(1), [event]))
      expect((yield* reopened(directory)).map((entry) => entry.event)).toEqual([event])
    })
  )

  it.scoped("that are missing or changed are damage that names their file; other runs are read as ever", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, (log) =>
        Effect.andThen(log.append(run(1), [small(1), large("a")]), log.append(run(2), [small(2)]))
      )
      const file = fileOf(directory, large("a"))
      const whole = fs.readFileSync(file)
      const damage: ReadonlyArray<readonly [string, () => void]> = [
        ["it does not exist (ENOENT)", () => fs.rmSync(file)],
        ["instead of", () => fs.writeFileSync(file, whole.subarray(1))],
        ["its content was changed", () => fs.writeFileSync(file, Buffer.from(whole).fill("b", 100, 101))]
      ]
      for (const [reason, damaged] of damage) {
        damaged()
        const expected = { _tag: "LogDamaged", segment: file, reason: expect.stringContaining(reason) }
        expect(yield* Effect.flip(reopened(directory))).toMatchObject(expected)
        expect(yield* Effect.flip(JsonlEventLog.verify(directory))).toMatchObject(expected)
        const error = yield* Effect.flip(reopened(directory))
        expect(error.message).toContain("entry 2 in 0000000000000001.jsonl")
        const other = yield* withLog(directory, (log) => read(log, { runs: [run(2)] }))
        expect(other.map(({ event }) => event)).toEqual([small(2)])
      }
      // The content that is appended again takes the place of what was damaged.
      yield* withLog(directory, (log) => log.append(run(3), [large("a")]))
      expect(yield* reopened(directory)).toHaveLength(4)
    })
  )

  it.scoped(
    "are durable before the line that refers to them is written, and in the order of the appends",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const disk = makeFaultyDisk()
        const done: Array<string> = []
        yield* withLog(
          directory,
          (log) =>
            Effect.gen(function* () {
              yield* log.append(run(1), [small(1)])
              disk.break({
                datasync: (fd, settled) =>
                  realDisk.datasync(fd, (error) => {
                    done.push("synced")
                    settled(error)
                  }),
                rename: (from, to) => {
                  done.push("renamed")
                  realDisk.rename(from, to)
                },
                syncDirectoryLater: (each, settled) =>
                  realDisk.syncDirectoryLater(each, (error) => {
                    done.push(`${path.basename(each)} synced`)
                    settled(error)
                  }),
                writeNow: (fd, bytes, position) => {
                  if (Buffer.from(bytes).includes('"seq"')) done.push("lines")
                  return realDisk.writeNow(fd, bytes, position)
                }
              })
              yield* Effect.all([log.append(run(1), [large("a")]), log.append(run(1), [small(2)])], {
                concurrency: "unbounded"
              })
              disk.break()
            }),
          disk
        )
        expect(done).toEqual(["synced", "renamed", "payloads synced", "lines", "synced"])
        expect((yield* reopened(directory)).map(({ event }) => event)).toEqual([
          small(1),
          large("a"),
          small(2)
        ])
      })
  )

  for (const name of [
    "open",
    "write",
    "datasync",
    "rename",
    "syncDirectory",
    "syncDirectoryLater"
  ] as const) {
    it.scoped(`that cannot be kept fail the append and leave nothing: ${name}`, () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const disk = makeFaultyDisk()
        const fail = () => {
          throw errno("ENOSPC")
        }
        const settle = (...given: ReadonlyArray<unknown>) =>
          (given.at(-1) as (error: Error, count: number) => void)(errno("ENOSPC"), 0)
        const later = ["write", "datasync", "syncDirectoryLater"].includes(name)
        yield* withLog(
          directory,
          (log) =>
            Effect.gen(function* () {
              yield* log.append(run(1), [small(1)])
              disk.break({ [name]: later ? settle : fail })
              const both = yield* Effect.all(
                [
                  Effect.flip(log.append(run(1), [small(98), large("a")])),
                  Effect.flip(log.append(run(2), [large("b"), small(99)]))
                ],
                { concurrency: "unbounded" }
              )
              for (const error of both) {
                expect(error).toMatchObject({ _tag: "LogWriteFailed", path: directory })
                expect(error.message).toContain("no space is left on the device")
              }
              expect(kept(directory)).toEqual([])
              disk.break()
              const [again] = yield* log.append(run(1), [small(2)])
              expect(again).toMatchObject({ seq: 2, runSeq: 2 })
              const [third] = yield* log.append(run(2), [large("b")])
              expect(third).toMatchObject({ seq: 3, runSeq: 1 })
            }),
          disk
        )
        expect((yield* reopened(directory)).map(({ event }) => event)).toEqual([
          small(1),
          small(2),
          large("b")
        ])
      })
    )
  }

  it.scoped("fail whatever was put in line behind them, and nothing of that turns up later", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      yield* withLog(
        directory,
        (log) =>
          Effect.gen(function* () {
            let release = () => {}
            disk.break({
              write: (_fd, _bytes, _position, done) => {
                release = () => done(errno("EIO"), 0)
              }
            })
            const first = yield* Effect.fork(Effect.flip(log.append(run(1), [large("a")])))
            yield* milliseconds(20)
            const second = yield* Effect.fork(Effect.flip(log.append(run(1), [small(99)])))
            yield* Effect.yieldNow()
            release()
            disk.break()
            expect(yield* Fiber.join(first)).toMatchObject({ _tag: "LogWriteFailed" })
            expect(yield* Fiber.join(second)).toMatchObject({ _tag: "LogWriteFailed" })
            for (let n = 1; n <= 4; n++) yield* log.append(run(1), [small(n)])
          }),
        disk
      )
      const entries = yield* reopened(directory)
      expect(entries.map(({ event }) => event)).toEqual([small(1), small(2), small(3), small(4)])
      expect(entries.map(({ seq }) => Number(seq))).toEqual([1, 2, 3, 4])
    })
  )

  it.scoped("go with the last line that refers to them, and an archive has them in its lines", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const stray = path.join(directory, "payloads", `${"0".repeat(64)}.json`)
      yield* withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          yield* log.append(run(1), [large("a"), large("b"), small(1), ended])
          yield* log.append(run(2), [large("b"), large("c"), ended])
          yield* log.append(run(3), [large("d")])
          const all = yield* read(log)
          fs.writeFileSync(stray, "{}")
          fs.writeFileSync(`${fileOf(directory, large("d"))}.new`, "{")
          yield* compact(runs(1), "archive")
          expect(kept(directory)).toEqual(names(large("b"), large("c"), large("d")))
          const file = path.join(directory, "archive", "run-1.jsonl")
          const archived = linesOf(file).map((line) => {
            const decoded = decode(Buffer.from(line))
            return typeof decoded === "string" ? decoded : decoded.entry
          })
          expect(archived).toEqual(all.filter(({ runId }) => runId === run(1)))
          yield* compact(runs(2), "delete")
          expect(kept(directory)).toEqual(names(large("d")))
        })
      )
      expect((yield* reopened(directory)).map(({ event }) => event)).toEqual([large("d")])
      yield* JsonlEventLog.verify(directory)
      yield* withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          yield* log.append(run(4), [large("e"), ended])
          yield* compact(runs(4), "delete")
          // What is known from a snapshot and from the lines of the last segment counts alike.
          expect(kept(directory)).toEqual(names(large("d")))
        })
      )
    })
  )

  it.scoped("are not removed between being kept and the line that refers to them", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const disk = makeFaultyDisk()
      yield* withLog(
        directory,
        (log, { compact }) =>
          Effect.gen(function* () {
            yield* log.append(run(1), [large("a"), ended])
            yield* log.append(run(2), [ended])
            // The segment of the first run is written no more from here on, so that its removal waits for no write.
            yield* compact(runs(2), "delete")
            let release: (() => void) | undefined
            disk.break({
              syncDirectoryLater: (_, done) => {
                release = () => done(null)
              }
            })
            const appending = yield* Effect.fork(log.append(run(3), [large("a"), small(1)]))
            while (release === undefined) yield* milliseconds(1)
            expect(yield* compact(runs(1), "delete")).toMatchObject({ entries: 2 })
            release()
            yield* Fiber.join(appending)
          }),
        disk
      )
      expect((yield* reopened(directory)).map(({ event }) => event)).toEqual([large("a"), small(1)])
    })
  )

  it.scoped("are written again where the same content is removed while it is appended", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          for (let n = 1; n < 25; n++) {
            yield* log.append(run(n), [large("a"), ended])
            yield* Effect.all(
              [
                compact(runs(n), "delete"),
                Effect.andThen(milliseconds(n % 8), log.append(run(100), [large("a"), small(n)]))
              ],
              { concurrency: "unbounded" }
            )
            yield* log.append(run(100), [ended])
            expect(kept(directory)).toEqual(names(large("a")))
            yield* compact(runs(100), "delete")
            expect(kept(directory)).toEqual([])
          }
        })
      )
    })
  )

  it.scoped(
    "are left without a reference at most, whatever operation compaction failed at, and go with the next",
    () =>
      Effect.gen(function* () {
        const original = yield* temporaryDirectory
        yield* withLog(original, (log) =>
          Effect.gen(function* () {
            for (let n = 1; n <= 3; n++) yield* log.append(run(n), [large("abc".charAt(n - 1)), large("d")])
            for (let n = 1; n <= 2; n++) yield* log.append(run(n), [ended])
          })
        )
        const all = yield* reopened(original)
        let failures = 0
        for (const name of [
          "open",
          "writeNow",
          "datasyncNow",
          "rename",
          "remove",
          "syncDirectory"
        ] as const) {
          for (let at = 1; at < 20; at++) {
            const directory = yield* temporaryDirectory
            fs.cpSync(original, directory, { recursive: true })
            const disk = makeFaultyDisk()
            const failed = yield* withLog(
              directory,
              (log, { compact }) =>
                Effect.gen(function* () {
                  disk.break(failingAt(name, at, "EIO"))
                  const exit = yield* Effect.exit(compact(runs(1, 2), "archive"))
                  disk.break()
                  expect(yield* read(log, { runs: [run(3)] })).toEqual(
                    all.filter(({ runId }) => runId === run(3))
                  )
                  return exit._tag === "Failure"
                }),
              disk
            )
            yield* JsonlEventLog.verify(directory)
            yield* withLog(directory, (log, { compact }) =>
              Effect.gen(function* () {
                yield* compact(runs(1, 2), "archive")
                expect(yield* read(log)).toEqual(all.filter(({ runId }) => runId === run(3)))
              })
            )
            expect(kept(directory)).toEqual(names(large("c"), large("d")))
            if (!failed) break
            failures++
          }
        }
        expect(failures).toBeGreaterThan(8)
      }),
    60_000
  )
})
