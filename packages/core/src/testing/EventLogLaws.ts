import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { EventLog, Range } from "../EventLog.js"
import { generateRunId, origin, type RunId } from "../Ids.js"
import { fork } from "../internal/compat.js"
import { completed, kindsOfEvents, note, registered, sign } from "./EventSamples.js"
import { equal, holds, type Law } from "./Law.js"
import { at, collect, enqueue, followUntil, gapless, law, numbers, seqs } from "./LogChecks.js"

/**
 * What every log promises, for a layer that gives an empty one. No law depends on a clock, so they hold under a test clock
 * and for a log on a disk alike.
 */
export const EventLogLaws: ReadonlyArray<Law<EventLog>> = [
  law("is empty at first", (log) =>
    Effect.gen(function* () {
      yield* equal("the head is the origin", yield* log.head, origin)
      yield* equal("there is nothing to read", yield* collect(log.read({})), [])
    })
  ),

  law("numbers entries from 1 without gaps, and those of each run as well", (log, one, two) =>
    Effect.gen(function* () {
      for (const n of numbers(0, 10)) {
        yield* log.append(n % 3 === 0 ? two : one, [note(n), sign(n)].slice(0, 1 + (n % 2)))
      }
      const all = yield* collect(log.read({}))
      yield* equal("the first has the number 1", all[0]?.seq, 1)
      yield* equal("there are all of them", all.length, 15)
      yield* gapless(all)
      yield* equal("the head is the last", yield* log.head, 15)
    })
  ),

  law("gives the entries of an append in order, and they are readable at once", (log, runId) =>
    Effect.gen(function* () {
      const events = [note(1), sign(2), note(3)]
      const given = yield* log.append(runId, events)
      yield* equal(
        "the events in order",
        given.map(({ event }) => event),
        events
      )
      yield* equal(
        "all are of the run",
        given.map((entry) => entry.runId),
        [runId, runId, runId]
      )
      yield* equal("the head is the last of them", yield* log.head, given[2]?.seq)
      yield* equal("reading gives the same", yield* collect(log.read({})), given)
    })
  ),

  law("keeps the content of every kind of event", (log, runId) =>
    Effect.gen(function* () {
      yield* log.append(runId, kindsOfEvents)
      const kept = yield* collect(log.read({ runs: [runId] }))
      for (const [index, event] of kindsOfEvents.entries()) {
        yield* equal(`${event._tag} comes back`, kept[index]?.event, event)
      }
    })
  ),

  law("appends nothing where there is nothing to append", (log, runId) =>
    Effect.gen(function* () {
      yield* equal("no entry", yield* log.append(runId, []), [])
      yield* equal("no entry is durable", yield* Effect.flatten(enqueue(log, runId, [])), [])
      yield* equal("the head stays", yield* log.head, origin)
      yield* log.append(runId, [note(1)])
      yield* log.append(runId, [])
      yield* equal("the numbers stay", seqs(yield* collect(log.read({}))), [1])
    })
  ),

  law("has what was enqueued before what is appended later, whether or not it was waited for", (log, runId) =>
    Effect.gen(function* () {
      const waited = yield* enqueue(log, runId, [note(1), sign(2)])
      yield* enqueue(log, runId, [sign(3)])
      yield* log.append(runId, [note(4)])
      const kept = yield* collect(log.read({}))
      yield* equal(
        "in the order of their coming",
        kept.map(({ event }) => event),
        [note(1), sign(2), sign(3), note(4)]
      )
      yield* gapless(kept)
      yield* equal("waiting gives the entries", yield* waited, kept.slice(0, 2))
      yield* equal("also when it is done again", yield* waited, kept.slice(0, 2))
    })
  ),

  law("makes what is enqueued readable once it was waited for", (log, runId) =>
    Effect.gen(function* () {
      for (const n of numbers(1, 20)) {
        const given = yield* Effect.flatten(enqueue(log, runId, [n % 2 === 0 ? sign(n) : note(n)]))
        yield* equal("it is the next one", seqs(given), [n])
        yield* equal("it is readable", yield* collect(log.read({ after: at(n - 1) })), given)
      }
    })
  ),

  law("makes enqueued events durable in the end, though nobody waits", (log, runId) =>
    Effect.gen(function* () {
      yield* enqueue(log, runId, [note(1)])
      yield* enqueue(log, runId, [sign(2)])
      yield* equal("both come", seqs(yield* followUntil(log, {}, 2)), [1, 2])
    })
  ),

  law("reads a range by position and by run", (log, one, two) =>
    Effect.gen(function* () {
      for (const n of numbers(1, 12)) yield* log.append(n % 2 === 0 ? two : one, [note(n)])
      const read = (range: Range) => Effect.map(collect(log.read(range)), seqs)
      yield* equal("all", yield* read({}), numbers(1, 12))
      yield* equal("from the origin", yield* read({ after: origin }), numbers(1, 12))
      yield* equal("after a position", yield* read({ after: at(9) }), [10, 11, 12])
      yield* equal("of a run", yield* read({ runs: [two] }), [2, 4, 6, 8, 10, 12])
      yield* equal("of a run after a position", yield* read({ runs: [one], after: at(5) }), [7, 9, 11])
      yield* equal("after the head", yield* read({ after: at(12) }), [])
      yield* equal("after what is not there yet", yield* read({ after: at(99) }), [])
      yield* equal("of a run that is not there", yield* read({ runs: [yield* generateRunId] }), [])
    })
  ),

  law("reads several runs in one pass, in the order of the log", (log, one, two) =>
    Effect.gen(function* () {
      const three = yield* generateRunId
      const runs = [one, two, three]
      for (const n of numbers(0, 3_000)) yield* enqueue(log, runs[n % 3] ?? one, [note(n)])
      yield* log.append(two, [note(3_000)])
      const all = yield* collect(log.read({}))
      const read = (range: Range) => collect(log.read(range))
      const of = (...chosen: ReadonlyArray<string>) => all.filter(({ runId }) => chosen.includes(runId))
      yield* equal("of two", yield* read({ runs: [three, one] }), of(one, three))
      yield* equal("of all", yield* read({ runs }), all)
      yield* equal("of one that is named twice", yield* read({ runs: [two, two] }), of(two))
      yield* equal(
        "of one that is not there and one that is",
        yield* read({ runs: [yield* generateRunId, two] }),
        of(two)
      )
      yield* equal("of none", yield* read({ runs: [] }), [])
      const later = of(one, two).filter(({ seq }) => seq > 2_000)
      yield* equal("after a position", yield* read({ runs: [one, two], after: at(2_000) }), later)
    })
  ),

  law("says which runs have not ended, and where they begin", (log, one, two) =>
    Effect.gen(function* () {
      const three = yield* generateRunId
      const unfinished = (promise: string, expected: ReadonlyArray<readonly [RunId, number]>) =>
        Effect.flatMap(log.unfinished, (found) =>
          equal(
            promise,
            found,
            expected.map(([runId, firstSeq]) => ({ runId, firstSeq }))
          )
        )
      yield* unfinished("none at first", [])
      yield* log.append(one, [registered])
      yield* log.append(two, [registered, note(1)])
      yield* log.append(one, [note(2), sign(3)])
      yield* unfinished("both, in the order of their registration", [
        [one, 1],
        [two, 2]
      ])
      yield* log.append(one, [completed])
      yield* unfinished("not the one that has ended", [[two, 2]])
      yield* log.append(three, [registered, completed])
      yield* log.append(three, [])
      yield* unfinished("nor one that ended at once", [[two, 2]])
      yield* log.append(two, [{ _tag: "RunInterrupted", reason: "the host stopped" }])
      yield* unfinished("an interrupted one has not ended", [[two, 2]])
      yield* log.append(two, [{ _tag: "RunCancelled", summary: completed.summary }])
      yield* unfinished("none when all have ended", [])
    })
  ),

  law("reads a long log in order, and ends although more is appended", (log, one, two) =>
    Effect.gen(function* () {
      for (let n = 0; n < 5_000; n += 100) {
        yield* log.append(
          n % 200 === 0 ? one : two,
          numbers(n, 100).map((each) => note(each))
        )
      }
      const appending = yield* fork(
        Effect.forever(Effect.andThen(log.append(one, [note(0)]), Effect.yieldNow()))
      )
      const kept = yield* collect(log.read({}))
      yield* Fiber.interrupt(appending)
      yield* gapless(kept)
      yield* holds("at least what was there is read", kept.length >= 5_000, kept.length)
      const ofOne = yield* collect(Stream.take(log.read({ runs: [two], after: at(4_000) }), 500))
      yield* equal(
        "a run is read from the middle",
        seqs(ofOne),
        kept.filter(({ runId, seq }) => runId === two && seq > 4_000).map(({ seq }) => seq)
      )
    })
  ),

  law("takes appends from a hundred producers at once", (log) =>
    Effect.gen(function* () {
      const runs = yield* Effect.all(Array.from({ length: 100 }, () => generateRunId))
      const given = yield* Effect.forEach(
        runs,
        (runId) =>
          Effect.forEach(numbers(0, 20), (n) =>
            log.append(runId, [note(n), sign(n), note(n)].slice(0, 1 + (n % 3)))
          ),
        { concurrency: "unbounded" }
      )
      const kept = yield* collect(log.read({}))
      yield* gapless(kept)
      for (const batch of given.flat()) {
        const first = batch[0]?.seq ?? 0
        yield* equal("the events of one append stand together", seqs(batch), numbers(first, batch.length))
        yield* equal("what was acknowledged is there", kept.slice(first - 1, first - 1 + batch.length), batch)
      }
      const acknowledged = given.flat(2).length
      yield* equal("and nothing else", kept.length, acknowledged)
    })
  )
]
