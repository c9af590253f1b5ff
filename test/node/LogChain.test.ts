import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { crc32 } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import type { Event } from "@switchyard/core/Event"
import type { Service } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import type * as LogCompaction from "@switchyard/node/LogCompaction"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { errno, makeFaultyDisk } from "./faultyDisk.js"
import { onLog } from "./onLog.js"
import { temporaryDirectory } from "./temporary.js"

const run = (n: number) => RunId.make(`run-${n}`)
const event = (n: number, size = 0): Event => ({
  _tag: "StepSkipped",
  stepId: "s" as never,
  reason: `note ${n}${"x".repeat(size)}`
})
const ended = { _tag: "RunCancelled", summary: {} } as Event

const withLog = <A, E>(
  directory: string,
  audit: boolean | undefined,
  use: (log: Service, compaction: LogCompaction.Service) => Effect.Effect<A, E>,
  disk = makeFaultyDisk()
) =>
  onLog({ directory, maxSegmentBytes: 4096, ...(audit === undefined ? {} : { audit }) }, use, disk).pipe(
    Logger.withMinimumLogLevel(LogLevel.None)
  )

const append = (from: number, count: number) => (log: Service) =>
  Effect.forEach(Array.from({ length: count }), (_, i) => log.append(run(1), [event(from + i)]), {
    discard: true
  })

const segments = (directory: string) =>
  fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => path.join(directory, name))

const linesOf = (file: string) => fs.readFileSync(file, "utf8").split("\n").filter(Boolean)
const allLines = (directory: string) => segments(directory).flatMap(linesOf)
const rewrite = (file: string, lines: ReadonlyArray<string>) =>
  fs.writeFileSync(file, lines.map((line) => `${line}\n`).join(""))

/** The line with a checksum that fits it, as somebody would write it who knows the format. */
const signed = (line: string) =>
  `{"crc":"${crc32(line.slice(18)).toString(16).padStart(8, "0")}",${line.slice(18)}`

const hashIn = (line: string) => /"hash":"([0-9a-f]{64})"/.exec(line)?.[1]

/** What the hash of a line has to be, by the words of the design. */
const hashAfter = (previous: string, line: string) =>
  createHash("sha256")
    .update(previous + line.slice(line.indexOf('"hash":"') + '"hash":"'.length + 64))
    .digest("hex")

const zeros = "0".repeat(64)
const expectChained = (lines: ReadonlyArray<string>) => {
  let previous = zeros
  for (const line of lines) {
    const hash = hashIn(line)
    expect(hash).toBe(hashAfter(previous, line))
    previous = hash ?? ""
  }
}

/** A chained log of three segments, closed. */
const chained = Effect.gen(function* () {
  const directory = yield* temporaryDirectory
  yield* withLog(directory, true, append(1, 50))
  expect(segments(directory).length).toBeGreaterThan(2)
  return directory
})

const verify = JsonlEventLog.verify

describe("a log whose entries are chained", () => {
  it.scoped("has in each line a hash of itself and of the one before, over segments and restarts", () =>
    Effect.gen(function* () {
      const directory = yield* chained
      // Left out later, it is not broken off.
      yield* withLog(directory, false, append(51, 20))
      yield* withLog(directory, undefined, (log) => log.append(run(2), [event(71), event(72, 70_000)]))
      const lines = allLines(directory)
      expect(lines).toHaveLength(72)
      expectChained(lines)
      expect(yield* verify(directory)).toMatchObject({ chain: { from: 1, hash: hashIn(lines.at(-1) ?? "") } })
      for (const name of fs.readdirSync(directory)) {
        if (name.endsWith(".snapshot")) fs.rmSync(path.join(directory, name))
      }
      yield* withLog(directory, false, append(73, 3))
      expectChained(allLines(directory))
    })
  )

  it.scoped("begins with the next entry of a log that was not", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, undefined, append(1, 40))
      expect(allLines(directory).join("")).not.toContain("hash")
      expect(yield* verify(directory)).toMatchObject({ chain: undefined })
      yield* withLog(directory, true, append(41, 10))
      expect(yield* verify(directory)).toMatchObject({ entries: 50, chain: { from: 41 } })
      expectChained(allLines(directory).slice(40))
    })
  )

  it.scoped("shows the line that somebody rewrote, with a checksum that fits", () =>
    Effect.gen(function* () {
      const directory = yield* chained
      for (const file of segments(directory)) {
        const lines = linesOf(file)
        for (const [index, line] of lines.entries()) {
          rewrite(file, lines.with(index, signed(line.replace('"note', '"Note'))))
          expect(yield* Effect.flip(verify(directory))).toMatchObject({
            _tag: "LogDamaged",
            segment: file,
            line: index + 1,
            offset: lines.slice(0, index).join("\n").length + (index === 0 ? 0 : 1),
            reason: expect.stringContaining("hash")
          })
        }
        rewrite(file, lines)
      }
      yield* verify(directory)
      // Without a chain nobody can tell.
      const other = yield* temporaryDirectory
      yield* withLog(other, false, append(1, 5))
      const [file = ""] = segments(other)
      rewrite(
        file,
        linesOf(file).map((line) => signed(line.replace('"note', '"Note')))
      )
      expect(yield* verify(other)).toMatchObject({ entries: 5 })
    })
  )

  it.scoped("shows the line after one that was rewritten with its hash, and another hash at the end", () =>
    Effect.gen(function* () {
      const directory = yield* chained
      const [file = ""] = segments(directory)
      const lines = linesOf(file)
      const forged = (line: string, previous: string) => {
        const changed = line.replace('"note', '"Note')
        return signed(changed.replace(hashIn(changed) ?? "", hashAfter(previous, changed)))
      }
      rewrite(file, lines.with(3, forged(lines[3] ?? "", hashIn(lines[2] ?? "") ?? "")))
      expect(yield* Effect.flip(verify(directory))).toMatchObject({ segment: file, line: 5 })
      rewrite(file, lines)
      const { chain } = yield* verify(directory)
      const last = segments(directory).at(-1) ?? ""
      const end = linesOf(last)
      rewrite(last, end.with(-1, forged(end.at(-1) ?? "", hashIn(end.at(-2) ?? "") ?? "")))
      expect((yield* verify(directory)).chain).not.toEqual(chain)
    })
  )

  it.scoped("shows a line that is gone and two that changed places, also where all numbers fit", () =>
    Effect.gen(function* () {
      const directory = yield* chained
      const file = segments(directory).at(-1) ?? ""
      const lines = linesOf(file)
      const seqOf = (line: string) => Number(/"seq":(\d+)/.exec(line)?.[1])
      const numbered = (line: string, seq: number) =>
        signed(line.replace(/"seq":\d+/, `"seq":${seq}`).replace(/"runSeq":\d+/, `"runSeq":${seq}`))
      const first = seqOf(lines[0] ?? "")
      rewrite(
        file,
        lines.toSpliced(2, 1).map((line, index) => numbered(line, first + index))
      )
      expect(yield* Effect.flip(verify(directory))).toMatchObject({ segment: file, line: 3 })
      const [, , third = "", fourth = ""] = lines
      rewrite(file, lines.toSpliced(2, 2, numbered(fourth, first + 2), numbered(third, first + 3)))
      expect(yield* Effect.flip(verify(directory))).toMatchObject({ segment: file, line: 3 })
    })
  )

  it.scoped("shows hashes that were taken away, at the beginning and later", () =>
    Effect.gen(function* () {
      const directory = yield* chained
      const without = (line: string) => signed(line.replace(/"hash":"\w{64}",/, ""))
      for (const file of segments(directory)) {
        const lines = linesOf(file)
        rewrite(file, lines.with(0, without(lines[0] ?? "")))
        const isFirst = file === segments(directory)[0]
        expect(yield* Effect.flip(verify(directory))).toMatchObject({ segment: file, line: isFirst ? 2 : 1 })
        rewrite(file, lines)
      }
    })
  )

  it.scoped("goes on after a torn tail, a failed write, and an append that is not JSON", () =>
    Effect.gen(function* () {
      const directory = yield* chained
      const file = segments(directory).at(-1) ?? ""
      fs.truncateSync(file, fs.statSync(file).size - 20)
      const disk = makeFaultyDisk()
      yield* withLog(
        directory,
        true,
        (log) =>
          Effect.gen(function* () {
            yield* append(50, 2)(log)
            disk.break({
              writeNow: () => {
                throw errno("ENOSPC")
              }
            })
            yield* Effect.flip(log.append(run(1), [event(99), event(98)]))
            disk.break({ write: (_fd, _bytes, _position, done) => done(errno("ENOSPC"), 0) })
            yield* Effect.flip(log.append(run(1), [event(97, 70_000)]))
            disk.break()
            const bad = { ...event(1), reason: 1n } as never
            expect(yield* Effect.exit(log.append(run(1), [event(96), bad]))).toMatchObject({
              _tag: "Failure"
            })
            yield* Effect.forEach([52, 53, 54, 55], (n) => log.append(run(1), [event(n)]), {
              concurrency: "unbounded"
            })
          }),
        disk
      )
      expect(yield* verify(directory)).toMatchObject({ entries: 55, chain: { from: 1 } })
      expectChained(allLines(directory))
    })
  )

  it.scoped("can be verified after runs were removed, and goes on", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, true, (log, { compact }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 60; n++) yield* log.append(run(n % 3), [event(n)])
          for (let n = 0; n < 3; n++) yield* log.append(run(n), [ended])
          yield* compact(new Set([run(0)]), "delete")
          expect(yield* verify(directory)).toMatchObject({ entries: 42, removed: 21, chain: { from: 1 } })
          yield* compact(new Set([run(1)]), "archive")
          expect(yield* verify(directory)).toMatchObject({ entries: 21, removed: 42 })
          // Gaps are merged with their neighbours, and the segment that is written next is empty.
          yield* compact(new Set([run(2)]), "delete")
          expect(yield* verify(directory)).toMatchObject({ entries: 0, removed: 63 })
        })
      )
      const before = yield* verify(directory)
      yield* withLog(directory, undefined, append(1, 3))
      const after = yield* verify(directory)
      expect(after).toMatchObject({ entries: 3, removed: 63, chain: { from: before.chain?.from } })
      const file = segments(directory).at(-1) ?? ""
      expect(hashIn(linesOf(file)[0] ?? "")).toBe(hashAfter(before.chain?.hash ?? "", linesOf(file)[0] ?? ""))
    })
  )

  it.scoped("shows a gap that somebody made wider than what was removed", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withLog(directory, true, (log, { compact }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 12; n++) yield* log.append(run(Math.floor(n / 4)), [event(n)])
          yield* log.append(run(1), [ended])
          yield* compact(new Set([run(1)]), "delete")
        })
      )
      const [file = ""] = segments(directory)
      const lines = linesOf(file)
      const gap = lines.findIndex((line) => line.includes('"gap"'))
      const wider = signed((lines[gap] ?? "").replace('"to":8', '"to":9'))
      rewrite(file, lines.toSpliced(gap, 2, wider))
      expect(yield* Effect.flip(verify(directory))).toMatchObject({ segment: file, line: gap + 2 })
    })
  )
})
