import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import { EventLog, type Service } from "@switchyard/core/EventLog"
import { RunId, type Seq } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { temporaryDirectory } from "./temporary.js"

const runId = RunId.make("run-1")
const paused: Event = { _tag: "RunPaused" }

const withLog = <A, E>(
  directory: string,
  use: (log: Service) => Effect.Effect<A, E>,
  options: Partial<JsonlEventLog.Options> = {}
) => Effect.provide(Effect.flatMap(EventLog, use), JsonlEventLog.layer({ ...options, directory }))

const append = (count: number) => (log: Service) =>
  Effect.forEach(Array.from({ length: count }), () => log.append(runId, [paused]), { discard: true })

const readAll = (log: Service): Effect.Effect<ReadonlyArray<Entry>, unknown> =>
  Effect.map(Stream.runCollect(log.read({})), Chunk.toReadonlyArray)

const segments = (directory: string) =>
  fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()

const onlySegment = (directory: string) => {
  const [name] = segments(directory)
  return path.join(directory, name ?? "")
}

const seqs = (entries: ReadonlyArray<Entry>) => entries.map(({ seq }) => Number(seq))

describe("JsonlEventLog", () => {
  it.scoped("goes on numbering where it stopped, globally and per run", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, append(3))
      yield* withLog(directory, append(2))
      const entries = yield* withLog(directory, readAll)
      expect(seqs(entries)).toEqual([1, 2, 3, 4, 5])
      expect(entries.map(({ runSeq }) => runSeq)).toEqual([1, 2, 3, 4, 5])
    })
  )

  it.scoped("writes one JSON object per line", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, append(2))
      const lines = fs.readFileSync(onlySegment(directory), "utf8").trimEnd().split("\n")
      expect(lines.map((line) => JSON.parse(line).event)).toEqual([paused, paused])
    })
  )

  it.scoped(
    "sets a torn tail aside before anything is appended, and loses nothing that was acknowledged",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* withLog(directory, append(3))
        const file = onlySegment(directory)
        const whole = fs.readFileSync(file)
        for (const cut of [1, 2, 20, 60]) {
          fs.writeFileSync(file, whole.subarray(0, whole.length - cut))
          const entries = yield* withLog(directory, (log) => Effect.zipRight(append(1)(log), readAll(log)))
          expect(seqs(entries)).toEqual([1, 2, 3])
          const [fragment] = fs.readdirSync(directory).filter((name) => name.includes(".torn-"))
          expect(fs.statSync(path.join(directory, fragment ?? "")).size).toBeGreaterThan(0)
          fs.rmSync(path.join(directory, fragment ?? ""))
        }
      })
  )

  it.scoped("takes a tail of zeros, as some file systems leave it, for torn", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, append(2))
      fs.appendFileSync(onlySegment(directory), Buffer.alloc(512))
      expect(seqs(yield* withLog(directory, (log) => Effect.zipRight(append(1)(log), readAll(log))))).toEqual(
        [1, 2, 3]
      )
    })
  )

  it.scoped(
    "refuses to open a log with a damaged line, names the place and the way out, and changes nothing",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* withLog(directory, append(5))
        const file = onlySegment(directory)
        const text = fs.readFileSync(file, "utf8")
        const damaged = text.replace('"seq":3', '"seq":8')
        fs.writeFileSync(file, damaged)
        const error = yield* Effect.flip(withLog(directory, readAll))
        expect(error).toMatchObject({ _tag: "LogDamaged", segment: file, line: 3 })
        expect(String(error)).toMatch(
          /line 3 \(byte \d+\): its checksum does not match its content\. Restore/
        )
        expect(fs.readFileSync(file, "utf8")).toBe(damaged)
      })
  )

  it.scoped("notices a line, and a segment, that is missing", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, append(200), { maxSegmentBytes: 2048 })
      const [first, second] = segments(directory)
      const lines = fs.readFileSync(path.join(directory, first ?? ""), "utf8").split("\n")
      fs.writeFileSync(
        path.join(directory, first ?? ""),
        [...lines.slice(0, 2), ...lines.slice(3)].join("\n")
      )
      expect(yield* Effect.flip(withLog(directory, readAll))).toMatchObject({
        _tag: "LogDamaged",
        reason: "entry 3 is missing, entry 4 stands in its place"
      })
      fs.writeFileSync(path.join(directory, first ?? ""), lines.join("\n"))
      fs.rmSync(path.join(directory, second ?? ""))
      expect(yield* Effect.flip(withLog(directory, readAll))).toMatchObject({ _tag: "LogDamaged" })
    })
  )

  it.scoped("rotates without losing anything, and reads over the borders from any place", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const options = { maxSegmentBytes: 2048, tailEntries: 8 }
      yield* withLog(directory, append(700), options)
      expect(segments(directory).length).toBeGreaterThan(10)
      yield* withLog(
        directory,
        (log) =>
          Effect.gen(function* () {
            for (const after of [0, 1, 255, 256, 257, 511, 699]) {
              const read = yield* Stream.runCollect(log.read({ after: after as Seq }))
              expect(seqs(Chunk.toReadonlyArray(read))).toEqual(
                Array.from({ length: 700 - after }, (_, i) => after + 1 + i)
              )
            }
          }),
        options
      )
    })
  )

  it.scoped("commits what comes together as one group, and a lone append by itself", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const entries = yield* withLog(directory, (log) =>
        Effect.zipRight(
          Effect.forEach(
            Array.from({ length: 500 }, (_, i) => i),
            (i) => log.append(RunId.make(`r${i % 7}`), [paused]),
            {
              concurrency: "unbounded"
            }
          ),
          readAll(log)
        )
      )
      expect(seqs(entries)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
    })
  )

  it.scoped("says why a directory cannot be used", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const file = path.join(directory, "file")
      fs.writeFileSync(file, "")
      const error = yield* Effect.flip(withLog(path.join(file, "log"), readAll))
      expect(error).toMatchObject({ _tag: "DirectoryUnusable" })
      expect(String(error)).toContain(path.join(file, "log"))
    })
  )
})
