import { describe, expect, it } from "@effect/vitest"
import type { Entry } from "@switchyard/core/Event"
import { EventLog, type EventLogError, layerMemory, type Service } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import { note, progressOf } from "@switchyard/core/testing/EventSamples"
import { eventually } from "@switchyard/core/testing/Law"
import { at, collect, enqueue, numbers, turns } from "@switchyard/core/testing/LogChecks"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"

const runs = ["one", "two", "three"].map((id) => RunId.make(id))
const followers = 4

/** Something that is done to the log or to one of its followers. */
type Step =
  | {
      readonly _tag: "Append"
      readonly run: number
      readonly items: ReadonlyArray<number>
      readonly waits: boolean
    }
  | {
      readonly _tag: "Follow"
      readonly follower: number
      readonly part: number
      readonly runs: ReadonlyArray<number> | undefined
      readonly progress: "all" | "latest"
    }
  | { readonly _tag: "Allow"; readonly follower: number; readonly count: number }
  | { readonly _tag: "Restart"; readonly follower: number }
  | { readonly _tag: "Yield"; readonly count: number }

const tag = <const Tag extends string>(name: Tag) => fc.constant(name)
const follower = fc.nat({ max: followers - 1 })

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: tag("Append"),
      run: fc.nat({ max: runs.length - 1 }),
      // A negative number is a lifecycle event, another one is progress of that item.
      items: fc.array(fc.integer({ min: -2, max: 3 }), { minLength: 1, maxLength: 30 }),
      waits: fc.boolean()
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: tag("Follow"),
      follower,
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      runs: fc.option(fc.uniqueArray(fc.nat({ max: runs.length - 1 }), { minLength: 1 }), { nil: undefined }),
      progress: fc.constantFrom<"all" | "latest">("all", "latest")
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({ _tag: tag("Allow"), follower, count: fc.integer({ min: 1, max: 60 }) })
  },
  { weight: 2, arbitrary: fc.record({ _tag: tag("Restart"), follower }) },
  { weight: 4, arbitrary: fc.record({ _tag: tag("Yield"), count: fc.integer({ min: 1, max: 20 }) }) }
)

interface Options {
  readonly after: number
  readonly runs: ReadonlyArray<RunId> | undefined
  readonly progress: "all" | "latest"
}

/** A follower that handles an entry when it is allowed to, and goes on from the last one that it handled. */
const makeFollower = (log: Service, options: Options) =>
  Effect.gen(function* () {
    const allowed = yield* Queue.unbounded<void>()
    const seen: Array<Entry> = []
    let free = false
    const start = Effect.suspend(() =>
      Effect.forkScoped(
        Stream.runForEach(
          log.follow({
            after: at(seen.at(-1)?.seq ?? options.after),
            progress: options.progress,
            ...(options.runs === undefined ? {} : { runs: options.runs })
          }),
          (entry) =>
            Effect.andThen(
              Effect.suspend(() => (free ? Effect.void : Queue.take(allowed))),
              Effect.sync(() => seen.push(entry))
            )
        )
      )
    )
    let fiber = yield* start
    const stop = Effect.suspend(() => Fiber.interrupt(fiber))
    return {
      options,
      seen,
      stop,
      allow: (count: number) =>
        Queue.offerAll(
          allowed,
          numbers(0, count).map(() => undefined)
        ),
      restart: Effect.andThen(
        stop,
        Effect.map(start, (next) => {
          fiber = next
        })
      ),
      release: Effect.suspend(() => {
        free = true
        return Queue.offer(allowed, undefined)
      })
    }
  })

type Follower = Effect.Effect.Success<ReturnType<typeof makeFollower>>

const isProgress = ({ event }: Entry): boolean => event._tag === "ItemProgress"

const lastProgress = (entries: ReadonlyArray<Entry>) =>
  new Set(
    new Map(
      entries.flatMap(({ event, runId, seq }) =>
        event._tag === "ItemProgress" ? [[`${runId} ${event.index}`, seq] as const] : []
      )
    ).values()
  )

/** What a follower must have seen of everything that is in the log. */
const check = ({ options, seen }: Follower, all: ReadonlyArray<Entry>): void => {
  const range = all.filter(({ runId, seq }) => seq > options.after && (options.runs?.includes(runId) ?? true))
  if (options.progress === "all") {
    expect(seen).toEqual(range)
    return
  }
  expect(seen.filter((entry) => !isProgress(entry))).toEqual(range.filter((entry) => !isProgress(entry)))
  const positions = new Set(seen.map(({ seq }) => seq))
  expect(seen).toEqual(range.filter(({ seq }) => positions.has(seq)))
  for (const seq of lastProgress(range)) expect(positions.has(seq), `the progress at ${seq}`).toBe(true)
}

const interpret = (log: Service, steps: ReadonlyArray<Step>) =>
  Effect.gen(function* () {
    const running = new Map<number, Follower>()
    const all: Array<Follower> = []
    let n = 0
    for (const each of steps) {
      switch (each._tag) {
        case "Append": {
          const events = each.items.map((item) => (item < 0 ? note(n++) : progressOf(item, n++)))
          const durable = yield* enqueue(log, runs[each.run] ?? RunId.make("one"), events)
          if (each.waits) yield* durable
          break
        }
        case "Follow": {
          const head = yield* log.head
          const made = yield* makeFollower(log, {
            after: Math.floor(head * each.part),
            runs: each.runs?.flatMap((run) => runs[run] ?? []),
            progress: each.progress
          })
          running.set(each.follower, made)
          all.push(made)
          break
        }
        case "Allow":
          yield* running.get(each.follower)?.allow(each.count) ?? Effect.void
          break
        case "Restart":
          yield* running.get(each.follower)?.restart ?? Effect.void
          break
        case "Yield":
          yield* turns(each.count)
      }
    }
    for (const runId of runs) yield* log.append(runId, [note(n++)])
    const entries = yield* collect(log.read({}))
    for (const made of all) {
      yield* made.release
      const last = entries.findLast(({ runId }) => made.options.runs?.includes(runId) ?? true)?.seq ?? 0
      yield* eventually("a follower comes to the end", () => (made.seen.at(-1)?.seq ?? 0) >= last)
    }
    yield* turns(5)
    for (const made of all) yield* made.stop
    for (const made of all) check(made, entries)
  })

const layers: ReadonlyArray<readonly [string, Layer.Layer<EventLog, EventLogError>, number]> = [
  ["memory", layerMemory, 300],
  ["jsonl", Layer.orDie(JsonlEventLog.layerTempWith({ maxSegmentBytes: 4096, tailEntries: 16 })), 60]
]

describe.each(layers)("following: %s", (_, layer, numRuns) => {
  it(
    "gives each follower everything after where it began, once and in order, however slow and often restarted",
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) =>
          Effect.flatMap(EventLog, (log) => interpret(log, steps)).pipe(
            Effect.scoped,
            Effect.provide(layer),
            Effect.runPromise
          )
        ),
        { numRuns }
      ),
    120_000
  )
})
