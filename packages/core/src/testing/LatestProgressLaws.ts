import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { Entry } from "../Event.js"
import type { EventLog } from "../EventLog.js"
import { fork } from "../internal/compat.js"
import { note, progressOf } from "./EventSamples.js"
import { equal, holds, type Law } from "./Law.js"
import { at, collect, enqueue, followUntil, law, numbers, seqs, turns } from "./LogChecks.js"

const withoutProgress = (entries: ReadonlyArray<Entry>): ReadonlyArray<number> =>
  seqs(entries.filter(({ event }) => event._tag !== "ItemProgress"))

const itemOf = ({ event, runId }: Entry): string =>
  "index" in event ? `${runId} ${event.stepId} ${event.index}` : ""

/** Where the last progress of each item is. */
const lastProgress = (entries: ReadonlyArray<Entry>): ReadonlyMap<string, number> =>
  new Map(
    entries.filter(({ event }) => event._tag === "ItemProgress").map((entry) => [itemOf(entry), entry.seq])
  )

/** What followers are promised that ask for the latest progress only, for a layer that gives an empty log. */
export const LatestProgressLaws: ReadonlyArray<Law<EventLog>> = [
  law("gives who asks for the latest progress everything else, each once, in order", (log, runId) =>
    Effect.gen(function* () {
      const follower = yield* fork(followUntil(log, { progress: "latest" }, 3_001))
      for (const n of numbers(0, 1_000)) {
        yield* enqueue(log, runId, [progressOf(n % 5, n), note(n), progressOf(n % 3, n)])
        if (n % 50 === 0) yield* turns(n % 4)
      }
      yield* log.append(runId, [note(1_000)])
      const seen = yield* Fiber.join(follower)
      const all = yield* collect(log.read({}))
      yield* equal("everything but progress", withoutProgress(seen), withoutProgress(all))
      yield* equal(
        "in order",
        seqs(seen),
        [...new Set(seqs(seen))].sort((a, b) => a - b)
      )
      const there = new Map(all.map((entry) => [entry.seq, entry]))
      yield* equal(
        "as it is in the log",
        seen,
        seen.map(({ seq }) => there.get(seq))
      )
      yield* equal(
        "the last progress of each item",
        [...lastProgress(seen)].sort(),
        [...lastProgress(all)].sort()
      )
    })
  ),

  law(
    "gives a slow follower only the latest of the progress that waits, over all that waits",
    (log, one, two) =>
      Effect.gen(function* () {
        const taken = yield* Deferred.make<void>()
        const gate = yield* Deferred.make<void>()
        const seen: Array<Entry> = []
        const last = 1 + 3 * 6_000 + 1
        const slow = yield* fork(
          Stream.runForEach(
            Stream.takeUntil(log.follow({ progress: "latest" }), ({ seq }) => seq >= last),
            (entry) =>
              Effect.suspend(() => {
                seen.push(entry)
                return Effect.andThen(Deferred.succeed(taken, undefined), Deferred.await(gate))
              })
          )
        )
        yield* log.append(one, [note(0)])
        yield* Deferred.await(taken)
        for (let n = 0; n < 6_000; n += 100) {
          for (const each of numbers(n, 100)) {
            yield* enqueue(log, one, [progressOf(each % 4, each), progressOf(each % 2, each)])
            yield* enqueue(log, two, [each % 100 === 50 ? note(each) : progressOf(each % 3, each)])
          }
          yield* turns(1)
        }
        yield* log.append(one, [note(6_000)])
        yield* equal("all of it is there", yield* log.head, last)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(slow)
        const all = yield* collect(log.read({}))
        const latest = lastProgress(all)
        yield* equal(
          "what is not progress, and the latest of what is",
          seen,
          all.filter(
            (entry) => entry.event._tag !== "ItemProgress" || latest.get(itemOf(entry)) === entry.seq
          )
        )
      })
  ),

  law("replaces the progress that waits until shortly before it is given", (log, runId) =>
    Effect.gen(function* () {
      const stops = yield* Effect.all(
        numbers(0, 2).map(() => Effect.all({ reached: Deferred.make<void>(), left: Deferred.make<void>() }))
      )
      const seen: Array<number> = []
      const slow = yield* fork(
        Stream.runForEach(
          Stream.takeUntil(log.follow({ progress: "latest" }), ({ seq }) => seq >= 402),
          ({ seq }) =>
            Effect.gen(function* () {
              const stop = stops[seen.push(seq) - 1]
              if (stop === undefined) return
              yield* Deferred.succeed(stop.reached, undefined)
              yield* Deferred.await(stop.left)
            })
        )
      )
      yield* log.append(runId, [note(0)])
      for (const [round, { left, reached }] of stops.entries()) {
        yield* Deferred.await(reached)
        yield* log.append(
          runId,
          numbers(0, 200).map((n) => progressOf(n, round))
        )
        if (round === 1) yield* log.append(runId, [note(1)])
        yield* Deferred.succeed(left, undefined)
      }
      yield* Fiber.join(slow)
      const old = seen.filter((seq) => seq > 1 && seq <= 201)
      yield* holds("few of them are old", old.length > 0 && old.length <= 20, old)
      yield* equal("all of the new ones are there", seen.slice(-201), numbers(202, 201))
    })
  ),

  law(
    "gives who asks for the latest progress also more other entries than it keeps waiting",
    (log, one, two) =>
      Effect.gen(function* () {
        for (let n = 0; n < 10_000; n += 100) {
          yield* log.append(
            n % 200 === 0 ? one : two,
            numbers(n, 100).map((each) => (each % 10 === 0 ? progressOf(each % 30, each) : note(each)))
          )
        }
        yield* log.append(two, [note(10_000)])
        const all = yield* collect(log.read({}))
        const seen = yield* followUntil(log, { progress: "latest" }, 10_001)
        yield* equal("everything but progress", withoutProgress(seen), withoutProgress(all))
        yield* equal(
          "the last progress of each item",
          [...lastProgress(seen)].sort(),
          [...lastProgress(all)].sort()
        )
        const ofTwo = yield* followUntil(log, { progress: "latest", runs: [two], after: at(50) }, 10_001)
        yield* equal(
          "and of one run after a position",
          withoutProgress(ofTwo),
          withoutProgress(all.filter(({ runId, seq }) => runId === two && seq > 50))
        )
      })
  )
]
