import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Entry, Event } from "../Event.js"
import { EventLog, type EventLogError, type LogWriteFailed, type Range, type Service } from "../EventLog.js"
import { generateRunId, origin, type RunId, type Seq } from "../Ids.js"
import { completeDeferred, fork } from "../internal/compat.js"
import { kindsOfEvents, note, sign } from "./EventSamples.js"
import { equal, holds, type Law } from "./Law.js"

const law = (
  name: string,
  check: (log: Service, runId: RunId, other: RunId) => Effect.Effect<void, unknown>
): Law<EventLog> => ({
  name,
  check: Effect.gen(function* () {
    yield* check(yield* EventLog, yield* generateRunId, yield* generateRunId)
  })
})

const collect = (entries: Stream.Stream<Entry, EventLogError>) =>
  Effect.map(Stream.runCollect(entries), (chunk) => Chunk.toReadonlyArray(chunk))

const seqs = (entries: ReadonlyArray<Entry>): ReadonlyArray<number> => entries.map(({ seq }) => seq)

const numbers = (from: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => from + i)

const at = (seq: number): Seq => seq as Seq

/** Gives other fibers a turn, a number of times. */
const turns = (count: number) => Effect.forEach(numbers(0, count), () => Effect.yieldNow(), { discard: true })

/** Follows until the entry at a position has come, and gives everything seen. */
const followUntil = (log: Service, range: Range, last: number) =>
  collect(Stream.takeUntil(log.follow(range), ({ seq }) => seq >= last))

/** Every entry has the number after the one before, over the log and within its run. */
const gapless = (entries: ReadonlyArray<Entry>) =>
  Effect.gen(function* () {
    yield* equal("seq grows by 1", seqs(entries), numbers(entries[0]?.seq ?? 1, entries.length))
    const runs = new Map<RunId, number>()
    for (const { runId, runSeq } of entries) {
      yield* equal("runSeq grows by 1 within its run", runSeq, (runs.get(runId) ?? 0) + 1)
      runs.set(runId, runSeq)
    }
  })

/** Appends and enqueues a number of events in batches of random sizes, leaving others a turn in between. */
/** Enqueues at once, and gives an effect that waits until the entries are durable. */
const enqueue = (log: Service, runId: RunId, events: ReadonlyArray<Event>) =>
  Effect.map(Deferred.make<ReadonlyArray<Entry>, LogWriteFailed>(), (durable) => {
    log.enqueue(runId, events, (exit) => completeDeferred(durable, exit))
    return Deferred.await(durable)
  })

const produce = (log: Service, runId: RunId, count: number) =>
  Effect.gen(function* () {
    for (let done = 0; done < count; ) {
      const size = Math.min(count - done, yield* Random.nextIntBetween(1, 5))
      const events = numbers(done, size).map((n) => (n % 3 === 0 ? sign(n) : note(n)))
      if ((yield* Random.next) < 0.3) yield* enqueue(log, runId, events)
      else yield* log.append(runId, events)
      done += size
      yield* turns(yield* Random.nextIntBetween(0, 4))
    }
    yield* log.append(runId, [note(count)])
  })

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

  law("follows from any position: what is there, then what comes, each once", (log, runId) =>
    Effect.gen(function* () {
      yield* log.append(runId, numbers(1, 10).map(note))
      const followers = yield* Effect.forEach(numbers(0, 16), (after) =>
        fork(followUntil(log, { after: at(after) }, 20))
      )
      yield* turns(5)
      for (const n of numbers(11, 10)) yield* log.append(runId, [n % 2 === 0 ? note(n) : sign(n)])
      yield* log.append(runId, [note(21)])
      for (const [after, follower] of followers.entries()) {
        yield* equal(`after ${after}`, seqs(yield* Fiber.join(follower)), numbers(after + 1, 20 - after))
      }
    })
  ),

  law("follows one run among others", (log, one, two) =>
    Effect.gen(function* () {
      const follow = (runId: RunId) => fork(collect(Stream.take(log.follow({ runs: [runId] }), 30)))
      const followers = yield* Effect.forEach([one, two], follow)
      for (const n of numbers(1, 60)) {
        yield* log.append(n % 2 === 0 ? two : one, [note(n)])
        if (n % 7 === 0) yield* turns(2)
      }
      const [ofOne = [], ofTwo = []] = yield* Effect.forEach(followers, Fiber.join)
      yield* equal(
        "those of the first",
        seqs(ofOne),
        numbers(1, 60).filter((n) => n % 2 === 1)
      )
      yield* equal(
        "those of the second",
        seqs(ofTwo),
        numbers(1, 60).filter((n) => n % 2 === 0)
      )
      yield* equal(
        "each numbered by itself",
        ofTwo.map(({ runSeq }) => runSeq),
        numbers(1, 30)
      )
    })
  ),

  law("hands over from what is there to what comes without a gap, while many append", (log) =>
    Effect.gen(function* () {
      const runs = yield* Effect.all(Array.from({ length: 8 }, () => generateRunId))
      const last = runs.length * 61
      const follower = Effect.gen(function* () {
        yield* turns(yield* Random.nextIntBetween(0, 300))
        const head = yield* log.head
        const after = yield* Random.nextIntBetween(0, head + 1)
        const seen = yield* followUntil(log, { after: at(after) }, last)
        yield* equal("everything after it, each once, in order", seqs(seen), numbers(after + 1, last - after))
      })
      const followers = yield* Effect.forEach(numbers(0, 40), () => fork(follower))
      yield* Effect.forEach(runs, (runId) => produce(log, runId, 60), { concurrency: "unbounded" })
      yield* Effect.forEach(followers, Fiber.join)
      yield* gapless(yield* collect(log.read({})))
    })
  ),

  law("shows followers only what is durable", (log, runId) =>
    Effect.gen(function* () {
      const follower = yield* fork(
        Stream.runForEach(
          Stream.takeUntil(log.follow({}), ({ seq }) => seq >= 61),
          ({ seq }) =>
            Effect.flatMap(log.head, (head) => holds("the head is there already", head >= seq, { head, seq }))
        )
      )
      yield* produce(log, runId, 60)
      yield* Fiber.join(follower)
    })
  ),

  law("lets a stalled follower delay nobody, and gives it everything later", (log, runId) =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const stalled = yield* fork(
        collect(
          Stream.takeUntil(log.follow({}), ({ seq }) => seq >= 5_000).pipe(
            Stream.tap(() => Deferred.await(gate))
          )
        )
      )
      const quick = yield* fork(followUntil(log, {}, 5_000))
      yield* turns(5)
      for (let n = 0; n < 5_000; n += 50) yield* log.append(runId, numbers(n, 50).map(note))
      yield* equal("the quick one has all", (yield* Fiber.join(quick)).length, 5_000)
      yield* Deferred.succeed(gate, undefined)
      yield* equal("so has the stalled one", seqs(yield* Fiber.join(stalled)), numbers(1, 5_000))
    })
  ),

  law("goes on when followers are interrupted", (log, runId) =>
    Effect.gen(function* () {
      const lasting = yield* fork(followUntil(log, {}, 100))
      for (const n of numbers(1, 100)) {
        const short = yield* fork(Stream.runDrain(log.follow({ after: at(n % 5) })))
        yield* turns(n % 4)
        const [appended] = yield* Effect.all([log.append(runId, [note(n)]), Fiber.interrupt(short)], {
          concurrency: 2
        })
        yield* equal("the append went on", seqs(appended), [n])
      }
      yield* equal("the other one has all", seqs(yield* Fiber.join(lasting)), numbers(1, 100))
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
  ),

  law("wakes followers also for what an interrupted producer left", (log, runId) =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const positions = yield* Deferred.make<number>()
      const follower = yield* fork(
        Stream.runForEach(log.follow({}), ({ seq }) =>
          Effect.suspend(() => {
            seen.push(seq)
            return Deferred.isDone(positions)
          })
        )
      )
      // A fiber gives way after 2,048 operations, which is where it can be interrupted: the sweep hits each one of an append.
      for (const operations of numbers(1_900, 150)) {
        let append: Effect.Effect<unknown, unknown> = Effect.suspend(() =>
          log.append(runId, [note(operations)])
        )
        for (let n = 0; n < operations; n++) {
          const next = append
          append = Effect.suspend(() => next)
        }
        const producer = yield* fork(append)
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(producer)
        const head = yield* log.head
        for (let turn = 0; (seen.at(-1) ?? 0) < head; turn++) {
          yield* holds("the follower is woken", turn < 500_000, { seen: seen.at(-1), head })
          yield* Effect.yieldNow()
        }
      }
      yield* Fiber.interrupt(follower)
      const kept = yield* collect(log.read({}))
      yield* gapless(kept)
      yield* equal("the follower saw what is there", seen, seqs(kept).slice(0, seen.length))
    })
  )
]
