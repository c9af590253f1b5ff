import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import type { Entry } from "@switchyard/core/Event"
import { EventLog, EventReader, type Range, type Reader } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import { completed, note, registered } from "@switchyard/core/testing/EventSamples"
import { eventually } from "@switchyard/core/testing/Law"
import { at, collect, turns } from "@switchyard/core/testing/LogChecks"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as JsonlEventReader from "@switchyard/node/JsonlEventReader"
import * as LogCompaction from "@switchyard/node/LogCompaction"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { temporaryDirectory } from "../node/temporary.js"

/** Something that happens in the process that writes, or in one that reads. */
type Step =
  | { readonly _tag: "Append"; readonly run: number; readonly count: number; readonly waits: boolean }
  | { readonly _tag: "End"; readonly run: number }
  | { readonly _tag: "Compact"; readonly runs: ReadonlyArray<number> }
  | { readonly _tag: "Reopen" }
  | { readonly _tag: "Read"; readonly part: number; readonly runs: ReadonlyArray<number> | undefined }
  | { readonly _tag: "Follow"; readonly part: number }
  | { readonly _tag: "Yield"; readonly count: number }

const tag = <const Tag extends string>(name: Tag) => fc.constant(name)
const run = fc.nat({ max: 4 })
const part = fc.double({ min: 0, max: 1, noNaN: true })
const someRuns = fc.uniqueArray(run, { minLength: 1 })

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: tag("Append"),
      run,
      count: fc.integer({ min: 1, max: 40 }),
      waits: fc.boolean()
    })
  },
  { weight: 2, arbitrary: fc.record({ _tag: tag("End"), run }) },
  { weight: 2, arbitrary: fc.record({ _tag: tag("Compact"), runs: someRuns }) },
  { weight: 1, arbitrary: fc.record({ _tag: tag("Reopen") }) },
  {
    weight: 3,
    arbitrary: fc.record({ _tag: tag("Read"), part, runs: fc.option(someRuns, { nil: undefined }) })
  },
  { weight: 1, arbitrary: fc.record({ _tag: tag("Follow"), part }) },
  { weight: 3, arbitrary: fc.record({ _tag: tag("Yield"), count: fc.integer({ min: 1, max: 20 }) }) }
)

const openWriter = (directory: string) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* Layer.buildWithScope(
      JsonlEventLog.layer({ directory, maxSegmentBytes: 4096, tailEntries: 16 }),
      scope
    )
    return {
      log: Context.get(services, EventLog),
      compaction: Context.get(services, LogCompaction.LogCompaction),
      close: Scope.close(scope, Exit.void)
    }
  })

const openReader = (directory: string) =>
  Effect.map(Layer.build(JsonlEventReader.layer({ directory })), (services) =>
    Context.get(services, EventReader)
  )

const interpret = (directory: string, steps: ReadonlyArray<Step>) =>
  Effect.gen(function* () {
    let writer = yield* openWriter(directory)
    yield* Effect.addFinalizer(() => Effect.suspend(() => writer.close))
    const reader = yield* openReader(directory)
    // Each number stands for one run after the other: a new one begins when the one before has ended.
    const ids = ["a", "b", "c", "d", "e"].map((letter) => ({ letter, count: 0, isOpen: false }))
    const idOf = (index: number, back = 0) =>
      RunId.make(`${ids[index]?.letter}-${(ids[index]?.count ?? 0) - back}`)
    const ever: Array<Entry> = []
    const followers: Array<{ readonly after: number; readonly seen: Array<Entry> }> = []

    const compare = (range: Range, other: Reader) =>
      Effect.gen(function* () {
        // What becomes durable while it is read may be in one and not in the other.
        const head = yield* writer.log.head
        const readFrom = (log: Reader) =>
          Effect.map(collect(log.read(range)), (entries) => entries.filter(({ seq }) => seq <= head))
        expect(yield* readFrom(other)).toEqual(yield* readFrom(writer.log))
      })

    for (const each of steps) {
      switch (each._tag) {
        case "Append": {
          const state = ids[each.run]
          if (state === undefined) break
          if (!state.isOpen) state.count++
          const events = Array.from({ length: each.count }, (_, n) => note(n))
          const all = state.isOpen ? events : [registered, ...events]
          state.isOpen = true
          if (each.waits) yield* writer.log.append(idOf(each.run), all)
          else writer.log.enqueue(idOf(each.run), all, () => {})
          break
        }
        case "End": {
          const state = ids[each.run]
          if (state?.isOpen !== true) break
          state.isOpen = false
          yield* writer.log.append(idOf(each.run), [completed])
          break
        }
        case "Compact": {
          ever.push(...(yield* collect(writer.log.read({ after: at(ever.at(-1)?.seq ?? 0) }))))
          const runs = each.runs.map((index) => idOf(index, ids[index]?.isOpen === true ? 1 : 0))
          yield* writer.compaction.compact(new Set(runs), "delete")
          break
        }
        case "Reopen":
          yield* writer.close
          writer = yield* openWriter(directory)
          break
        case "Read": {
          const head = yield* writer.log.head
          const range = {
            after: at(Math.floor(head * each.part)),
            ...(each.runs === undefined
              ? {}
              : { runs: each.runs.flatMap((index) => [idOf(index), idOf(index, 1)]) })
          }
          yield* compare(range, reader)
          break
        }
        case "Follow": {
          const after = Math.floor((yield* reader.head) * each.part)
          const seen: Array<Entry> = []
          followers.push({ after, seen })
          yield* Effect.forkScoped(
            Stream.runForEach(reader.follow({ after: at(after) }), (entry) =>
              Effect.sync(() => seen.push(entry))
            )
          )
          break
        }
        case "Yield":
          yield* turns(each.count)
      }
    }
    yield* writer.log.append(RunId.make("last"), [registered])
    for (const other of [reader, yield* openReader(directory)]) {
      yield* compare({}, other)
      expect(yield* other.unfinished).toEqual(yield* writer.log.unfinished)
    }
    const left = yield* collect(writer.log.read({}))
    const last = left.at(-1)?.seq ?? 0
    ever.push(...left.filter(({ seq }) => seq > (ever.at(-1)?.seq ?? 0)))
    for (const { after, seen } of followers) {
      yield* eventually("a follower comes to the end", () => (seen.at(-1)?.seq ?? 0) >= last)
      // What was removed it may have seen before that, but nothing else may be missing, and nothing twice.
      const positions = new Set(seen.map(({ seq }) => seq))
      expect(seen).toEqual(ever.filter(({ seq }) => positions.has(seq)))
      expect(left.filter(({ seq }) => seq > after && !positions.has(seq))).toEqual([])
      expect(seen.filter(({ seq }) => seq <= after)).toEqual([])
    }
  })

describe("following elsewhere", () => {
  it(
    "sees what the writer sees, whatever is appended, compacted and opened again meanwhile",
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 50 }), (steps) =>
          Effect.flatMap(temporaryDirectory, (root) => interpret(path.join(root, "log"), steps)).pipe(
            Effect.scoped,
            Effect.runPromise
          )
        ),
        { numRuns: 60 }
      ),
    120_000
  )
})
