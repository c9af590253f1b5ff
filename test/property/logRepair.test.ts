import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import { EventLog, type Service } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-repair-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const withLog = <A, E>(directory: string, use: (log: Service) => Effect.Effect<A, E>, audit = false) =>
  Effect.runPromise(
    Effect.provide(Effect.flatMap(EventLog, use), JsonlEventLog.layer({ directory, audit })).pipe(
      Logger.withMinimumLogLevel(LogLevel.None)
    )
  )

const readAll = (log: Service): Effect.Effect<ReadonlyArray<Entry>, unknown> =>
  Effect.map(Stream.runCollect(log.read({})), Chunk.toReadonlyArray)

const eventOf = (size: number): Event => ({
  _tag: "StepSkipped",
  stepId: "s" as never,
  reason: "x".repeat(size)
})

/** A log of groups, each given by the sizes of its events, and what is in its only segment. */
const written = async (groups: ReadonlyArray<ReadonlyArray<number>>, audit = false) => {
  const directory = fs.mkdtempSync(path.join(root, "log-"))
  const file = path.join(directory, "0000000000000001.jsonl")
  const entries = await withLog(
    directory,
    (log) =>
      Effect.zipRight(
        Effect.forEach(groups, (sizes) => log.append(RunId.make("run-1"), sizes.map(eventOf))),
        readAll(log)
      ),
    audit
  )
  const bytes = fs.readFileSync(file)
  const lastGroup = bytes.lastIndexOf('{"crc":"', bytes.lastIndexOf('"group":1,'))
  const durable = entries.length - (groups.at(-1)?.length ?? 0)
  return { directory, file, entries, bytes, lastGroup, durable }
}

const groups = fc.array(fc.array(fc.nat(900), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 })
const page = 512

/** What becomes of each page of the group that was being written, and where the file ends. */
const crash = fc.record({
  pages: fc.array(fc.constantFrom("kept", "kept", "zero", "blank", "garbage"), {
    minLength: 16,
    maxLength: 16
  }),
  cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  filled: fc.nat(3000)
})

describe("repair", () => {
  it("keeps everything before the group that a crash interrupted, and never gives a number twice", async () => {
    await fc.assert(
      fc.asyncProperty(groups, crash, fc.boolean(), async (sizes, { cut, filled, pages }, audit) => {
        const { bytes, directory, durable, entries, file, lastGroup } = await written(sizes, audit)
        const image = Buffer.concat([bytes, Buffer.alloc(filled, "\n")])
        for (let at = lastGroup; at < image.length; ) {
          const end = Math.min(image.length, (Math.floor(at / page) + 1) * page)
          const fate = pages[Math.floor(at / page) % pages.length]
          if (fate === "zero") image.fill(0, at, end)
          if (fate === "blank") image.fill("\n", at, end)
          if (fate === "garbage") for (let i = at; i < end; i++) image[i] = (i * 7919) % 256
          at = end
        }
        const left =
          cut === null ? image : image.subarray(0, lastGroup + Math.floor(cut * (image.length - lastGroup)))
        fs.writeFileSync(file, left)
        const kept = await withLog(directory, readAll)
        expect(kept.length).toBeGreaterThanOrEqual(durable)
        expect(kept).toEqual(entries.slice(0, kept.length))
        const [next] = await withLog(directory, (log) => log.append(RunId.make("run-1"), [eventOf(1)]))
        expect(next).toMatchObject({ seq: kept.length + 1, runSeq: kept.length + 1 })
        expect((await withLog(directory, readAll)).length).toBe(kept.length + 1)
        const { chain } = await Effect.runPromise(JsonlEventLog.verify(directory))
        expect(chain?.from).toBe(audit && kept.length > 0 ? 1 : undefined)
      }),
      { numRuns: 150 }
    )
  }, 120_000)

  it("reports damage before the last group by segment, line and byte, and changes nothing", async () => {
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      length: fc.integer({ min: 1, max: 1500 }),
      kind: fc.constantFrom("changed", "zero", "blank", "removed")
    })
    await fc.assert(
      fc.asyncProperty(
        groups.filter(({ length }) => length > 1),
        damage,
        async (sizes, { at, kind, length }) => {
          const { bytes, directory, file, lastGroup } = await written(sizes)
          const from = Math.floor(at * lastGroup)
          const to = Math.min(lastGroup, from + length)
          const image = Buffer.from(bytes)
          if (kind === "changed") for (let i = from; i < to; i++) image[i] = (image[i] ?? 0) ^ 0x15
          if (kind === "zero") image.fill(0, from, to)
          if (kind === "blank") image.fill("\n", from, to)
          const left =
            kind === "removed" ? Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]) : image
          if (left.equals(bytes)) return
          fs.writeFileSync(file, left)
          let first = from
          while (left[first] === bytes[first]) first++
          const offset = bytes.subarray(0, first).lastIndexOf("\n") + 1
          const line = bytes.subarray(0, offset).toString().split("\n").length
          const error = await withLog(directory, (log) => Effect.flip(readAll(log))).catch(
            (thrown: unknown) => thrown
          )
          expect(String(error)).toContain(`${file}, line ${line} (byte ${offset})`)
          expect(fs.readFileSync(file).equals(left)).toBe(true)
          expect(fs.readdirSync(directory).filter((name) => name.includes("torn"))).toEqual([])
        }
      ),
      { numRuns: 150 }
    )
  }, 120_000)
})
