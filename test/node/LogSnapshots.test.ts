import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import { EventLog, type Range, type Service } from "@switchyard/core/EventLog"
import { RunId, type Seq } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { temporaryDirectory } from "./temporary.js"

const runs = 1_000
const perRun = 20
const options = { maxSegmentBytes: 256 * 1024, tailEntries: 100 }

const withLog = <A, E>(directory: string, use: (log: Service) => Effect.Effect<A, E>) =>
  Effect.provide(Effect.flatMap(EventLog, use), JsonlEventLog.layer({ ...options, directory }))

const read = (range: Range) => (log: Service) =>
  Effect.map(
    Stream.runCollect(log.read(range)),
    (found): ReadonlyArray<Entry> => Chunk.toReadonlyArray(found)
  )

const runOf = (n: number) => RunId.make(`run-${n}`)
const ended = { _tag: "RunCancelled", summary: {} } as Event
const event = (n: number): Event =>
  n === perRun - 1
    ? ended
    : { _tag: "StepSkipped", stepId: "s" as never, reason: `{"runId":"run-${(n * 37) % runs}"}` }

/** A log of many segments: every run ends but each hundredth, and ten are always under way at once. */
const fill = (log: Service) =>
  Effect.forEach(
    Array.from({ length: runs }, (_, run) => run),
    (run) =>
      Effect.forEach(
        Array.from({ length: perRun }, (_, n) => n),
        (n) => (run % 100 === 7 && n === perRun - 1 ? Effect.void : log.append(runOf(run), [event(n)])),
        { discard: true }
      ),
    { concurrency: 10, discard: true }
  )

const total = runs * perRun - runs / 100
const names = (directory: string, suffix: string) =>
  fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => path.join(directory, name))

const unfinished = Array.from({ length: runs / 100 }, (_, n) => `run-${100 * n + 7}`)

describe("a log of many segments", () => {
  it.scoped(
    "opens by its snapshots, and as well without them",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* withLog(directory, fill)
        const snapshots = names(directory, ".snapshot")
        expect(snapshots.length).toBe(names(directory, ".jsonl").length - 1)
        expect(snapshots.length).toBeGreaterThan(8)
        const before = snapshots.map((file) => fs.readFileSync(file))
        const holds = withLog(directory, (log) =>
          Effect.gen(function* () {
            expect((yield* log.unfinished).map(({ runId }) => runId)).toEqual(unfinished)
            for (const run of [0, 7, 500, 999]) {
              const entries = yield* read({ runs: [runOf(run)] })(log)
              expect(entries.map(({ runSeq }) => runSeq)).toEqual(
                Array.from({ length: perRun - (run === 7 ? 1 : 0) }, (_, n) => n + 1)
              )
              expect(new Set(entries.map(({ runId }) => runId))).toEqual(new Set([runOf(run)]))
            }
            for (const after of [0, 1, 1023, 1024, 9_999, total - 1]) {
              const entries = yield* read({ after: after as Seq })(log)
              expect(entries.length).toBe(total - after)
              expect(entries[0]?.seq).toBe(after + 1)
            }
            const two = yield* read({ runs: [runOf(3), runOf(998)], after: 100 as Seq })(log)
            const all = yield* read({ after: 100 as Seq })(log)
            expect(two).toEqual(all.filter(({ runId }) => runId === runOf(3) || runId === runOf(998)))
            expect(yield* read({ runs: [RunId.make("nobody")] })(log)).toEqual([])
          })
        )
        yield* holds
        for (const [index, file] of snapshots.entries()) {
          const bytes = fs.readFileSync(file)
          if (index % 4 === 0) fs.rmSync(file)
          if (index % 4 === 1) fs.writeFileSync(file, bytes.subarray(0, bytes.length / 2))
          if (index % 4 === 2) fs.writeFileSync(file, bytes.fill(0x20, 40, 44))
          if (index % 4 === 3) fs.writeFileSync(file, "")
        }
        yield* holds
        // Made anew by the line instead of by the group, so they are other bytes but the same in what they say.
        expect(names(directory, ".snapshot").length).toBe(before.length)
        yield* holds
      }),
    60_000
  )

  it.scoped(
    "finds damage in a segment that is written no more when it is read, and when everything is verified",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* withLog(directory, fill)
        const segments = names(directory, ".jsonl")
        const bytes = segments.reduce((sum, file) => sum + fs.statSync(file).size, 0)
        expect(yield* JsonlEventLog.verify(directory)).toEqual({
          segments: segments.length,
          entries: total,
          removed: 0,
          bytes,
          payloads: 0,
          tornBytes: 0
        })
        const file = segments[2] ?? ""
        const whole = fs.readFileSync(file)
        const lines = whole.toString().split("\n")
        const offset = lines.slice(0, 40).join("\n").length + 1
        const damaged = Buffer.from(whole)
        damaged[offset + 60] = (damaged[offset + 60] ?? 0) ^ 1
        fs.writeFileSync(file, damaged)
        const expected = { _tag: "LogDamaged", segment: file, offset, line: 41 }
        expect(yield* Effect.flip(withLog(directory, read({})))).toMatchObject(expected)
        expect(yield* Effect.flip(JsonlEventLog.verify(directory))).toMatchObject(expected)
        fs.writeFileSync(file, whole.subarray(0, offset))
        expect(yield* Effect.flip(JsonlEventLog.verify(directory))).toMatchObject({ _tag: "LogDamaged" })
        expect(yield* Effect.flip(withLog(directory, read({})))).toMatchObject({ _tag: "LogDamaged" })
        fs.writeFileSync(file, whole)
        expect((yield* withLog(directory, read({}))).length).toBe(total)
        fs.rmSync(file)
        expect(yield* Effect.flip(JsonlEventLog.verify(directory))).toMatchObject({ segment: segments[3] })
      }),
    60_000
  )

  it.scoped("verifies while the log is written, and tells what a crash left", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, (log) =>
        Effect.gen(function* () {
          yield* log.append(runOf(1), [event(1)])
          yield* log.append(runOf(1), [event(2)])
          expect(yield* JsonlEventLog.verify(directory)).toMatchObject({ entries: 2, tornBytes: 0 })
        })
      )
      const [file = ""] = names(directory, ".jsonl")
      fs.truncateSync(file, fs.statSync(file).size - 10)
      const { bytes, entries, tornBytes } = yield* JsonlEventLog.verify(directory)
      expect({ entries, size: bytes + tornBytes }).toEqual({ entries: 1, size: fs.statSync(file).size })
      expect(yield* Effect.flip(JsonlEventLog.verify(path.join(directory, "none")))).toMatchObject({
        _tag: "DirectoryUnusable"
      })
    })
  )
})
