import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import type { Range, Service } from "@switchyard/core/EventLog"
import { RunId, type Seq } from "@switchyard/core/Ids"
import { decode } from "@switchyard/node/internal/line"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import type * as LogCompaction from "@switchyard/node/LogCompaction"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { failingAt, makeFaultyDisk } from "./faultyDisk.js"
import { onLog } from "./onLog.js"
import { temporaryDirectory } from "./temporary.js"

const options = { maxSegmentBytes: 4096, tailEntries: 50 }

const withLog = <A, E>(
  directory: string,
  use: (log: Service, compaction: LogCompaction.Service) => Effect.Effect<A, E>,
  disk = makeFaultyDisk()
) => onLog({ ...options, directory }, use, disk)

const read = (log: Service, range: Range = {}) =>
  Effect.map(
    Stream.runCollect(log.read(range)),
    (found): ReadonlyArray<Entry> => Chunk.toReadonlyArray(found)
  )

const run = (n: number) => RunId.make(`run-${n}`)
const runs = (...numbers: ReadonlyArray<number>) => new Set(numbers.map(run))
const ended = { _tag: "RunCancelled", summary: {} } as Event
const event = (n: number): Event => ({ _tag: "StepSkipped", stepId: "s" as never, reason: `note ${n}` })

/** Ten runs in turns, and then one after the other; the last two have not ended. */
const fill = (log: Service) =>
  Effect.gen(function* () {
    for (let n = 0; n < 200; n++) yield* log.append(run(n % 10), [event(n)])
    for (let n = 0; n < 8; n++) {
      for (let i = 0; i < 20; i++) yield* log.append(run(n), [event(i)])
      yield* log.append(run(n), [ended])
    }
    return yield* read(log)
  })

const without = (entries: ReadonlyArray<Entry>, gone: ReadonlySet<RunId>) =>
  entries.filter(({ runId }) => !gone.has(runId))

const sizeOf = (directory: string) =>
  fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .reduce((sum, name) => sum + fs.statSync(path.join(directory, name)).size, 0)

describe("compaction of the log", () => {
  it.scoped("removes runs, keeps every number of the others, and does nothing the second time", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const gone = runs(0, 3, 7)
      const kept = yield* withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          const all = yield* fill(log)
          const before = sizeOf(directory)
          const { bytes, entries } = yield* compact(gone, "delete")
          expect(entries).toBe(all.length - without(all, gone).length)
          expect(bytes).toBeGreaterThan(before / 5)
          expect(yield* read(log)).toEqual(without(all, gone))
          expect(yield* compact(gone, "delete")).toEqual({ entries: 0, bytes: 0 })
          const more = yield* log.append(run(8), [event(1)])
          expect(more[0]?.seq).toBe(all.length + 1)
          return [...without(all, gone), ...more]
        })
      )
      expect(yield* JsonlEventLog.verify(directory)).toMatchObject({
        entries: kept.length,
        removed: (kept.at(-1)?.seq ?? 0) - kept.length
      })
      for (const snapshots of [true, false]) {
        if (!snapshots) {
          for (const name of fs.readdirSync(directory)) {
            if (name.endsWith(".snapshot")) fs.rmSync(path.join(directory, name))
          }
        }
        yield* withLog(directory, (log) =>
          Effect.gen(function* () {
            expect(yield* read(log)).toEqual(kept)
            expect((yield* log.unfinished).map(({ runId }) => runId)).toEqual([run(8), run(9)])
            for (let after = 0; after <= (kept.at(-1)?.seq ?? 0); after += 7) {
              expect(yield* read(log, { after: after as Seq })).toEqual(kept.filter(({ seq }) => seq > after))
            }
            for (let n = 0; n < 10; n++) {
              expect(yield* read(log, { runs: [run(n)] })).toEqual(
                kept.filter(({ runId }) => runId === run(n))
              )
            }
          })
        )
      }
    })
  )

  it.scoped("keeps an archive of each run, with every entry as it was", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          const all = yield* fill(log)
          yield* compact(runs(1, 2), "archive")
          expect(yield* read(log)).toEqual(without(all, runs(1, 2)))
          for (const n of [1, 2]) {
            const lines = fs.readFileSync(path.join(directory, "archive", `run-${n}.jsonl`), "utf8").trimEnd()
            const archived = lines.split("\n").map((line) => {
              const decoded = decode(Buffer.from(line))
              return typeof decoded === "string" ? decoded : decoded.entry
            })
            expect(archived).toEqual(all.filter(({ runId }) => runId === run(n)))
          }
        })
      )
    })
  )

  it.scoped("leaves runs that have not ended, and leaves one line of a segment that held nothing else", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          const all = yield* fill(log)
          yield* compact(runs(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), "delete")
          expect(yield* read(log)).toEqual(without(all, runs(0, 1, 2, 3, 4, 5, 6, 7)))
          const gaps = fs
            .readdirSync(directory)
            .filter((name) => name.endsWith(".jsonl"))
            .map((name) => fs.readFileSync(path.join(directory, name), "utf8"))
            .filter((text) => /^\{"crc":"\w{8}","gap":\{"from":\d+,"to":\d+\}\}\n$/.test(text))
          expect(gaps.length).toBeGreaterThan(2)
        })
      )
    })
  )

  it.scoped("gives a follower what is left, each once, whenever it comes", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          const all = yield* fill(log)
          const follow = (after: number) =>
            Effect.fork(
              Stream.runCollect(
                Stream.takeUntil(log.follow({ after: after as Seq }), ({ runSeq }) => runSeq === 1_000)
              )
            )
          const early = yield* Effect.forEach([0, 100, 300], follow)
          yield* compact(runs(0, 1, 2, 3), "delete")
          const late = yield* Effect.forEach([0, 100, 300], follow)
          for (let n = 0; n < 1_100; n++) yield* log.append(run(99), [event(n)])
          for (const follower of [...early, ...late]) {
            const seen = Chunk.toReadonlyArray(yield* Fiber.join(follower)).map(({ seq }) => Number(seq))
            expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other))
            const needed = without(all, runs(0, 1, 2, 3)).filter(({ seq }) => seq > 300)
            expect(seen).toEqual(expect.arrayContaining(needed.map(({ seq }) => Number(seq))))
          }
        })
      )
    })
  )

  it.scoped("gives nobody what was removed, although it was given to somebody before", () =>
    Effect.flatMap(temporaryDirectory, (directory) =>
      withLog(directory, (log, { compact }) =>
        Effect.gen(function* () {
          yield* fill(log)
          yield* log.append(run(8), [event(0)])
          const all = yield* read(log)
          const last = all.length
          const followAfter = (after: number) =>
            Effect.map(
              Stream.runCollect(
                Stream.takeUntil(log.follow({ after: after as Seq }), ({ seq }) => seq === last)
              ),
              (found): ReadonlyArray<Entry> => Chunk.toReadonlyArray(found)
            )
          expect(yield* followAfter(last - 30)).toEqual(all.slice(-30))
          yield* compact(runs(7), "delete")
          expect(yield* followAfter(last - 30)).toEqual(without(all.slice(-30), runs(7)))
        })
      )
    )
  )

  it.scoped(
    "is finished by calling it again, whatever operation of the disk it failed at",
    () =>
      Effect.gen(function* () {
        const gone = runs(0, 1, 2)
        const original = yield* temporaryDirectory
        const all = yield* withLog(original, fill)
        const names = ["open", "writeNow", "datasyncNow", "rename", "syncDirectory"] as const
        let failures = 0
        for (const name of names) {
          for (let at = 1; at < 40; at += at < 4 ? 1 : 7) {
            const directory = yield* temporaryDirectory
            fs.cpSync(original, directory, { recursive: true })
            const disk = makeFaultyDisk()
            const failed = yield* withLog(
              directory,
              (log, { compact }) =>
                Effect.gen(function* () {
                  disk.break(failingAt(name, at, "ENOSPC"))
                  const exit = yield* Effect.exit(compact(gone, "archive"))
                  disk.break()
                  const rest = yield* read(log)
                  expect(without(rest, gone)).toEqual(without(all, gone))
                  return exit._tag === "Failure"
                }),
              disk
            )
            yield* withLog(directory, (log, { compact }) =>
              Effect.gen(function* () {
                expect((yield* log.unfinished).map(({ runId }) => runId)).toEqual([run(8), run(9)])
                expect(without(yield* read(log), gone)).toEqual(without(all, gone))
                yield* compact(gone, "archive")
                expect(yield* read(log)).toEqual(without(all, gone))
                for (const n of [0, 1, 2]) {
                  const file = path.join(directory, "archive", `run-${n}.jsonl`)
                  const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n")
                  expect(lines.length).toBe(all.filter(({ runId }) => runId === run(n)).length)
                }
              })
            )
            expect(fs.readdirSync(directory).filter((each) => each.endsWith(".new"))).toEqual([])
            if (!failed) break
            failures++
          }
        }
        expect(failures).toBeGreaterThan(15)
      }),
    60_000
  )
})
