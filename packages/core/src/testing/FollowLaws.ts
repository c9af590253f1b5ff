import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { EventLog } from "../EventLog.js"
import { generateRunId, type RunId } from "../Ids.js"
import { fork } from "../internal/compat.js"
import { note, sign } from "./EventSamples.js"
import { equal, holds, type Law } from "./Law.js"
import { at, collect, followUntil, gapless, law, numbers, produce, seqs, turns } from "./LogChecks.js"

/**
 * What following promises, for a layer that gives an empty log. No law depends on a clock, so they hold under a test clock
 * and for a log on a disk alike.
 */
export const FollowLaws: ReadonlyArray<Law<EventLog>> = [
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

  law("follows several runs among many, also those that are silent for long", (log, one, two) =>
    Effect.gen(function* () {
      const others = yield* Effect.all(Array.from({ length: 20 }, () => generateRunId))
      const both = yield* fork(collect(Stream.take(log.follow({ runs: [one, two] }), 20)))
      const silent = yield* fork(collect(Stream.take(log.follow({ runs: [two] }), 10)))
      const late = yield* fork(collect(Stream.take(log.follow({ runs: [two], after: at(2_000) }), 1)))
      yield* turns(5)
      for (const n of numbers(1, 10)) {
        for (const [index, other] of others.entries()) {
          yield* log.append(other, numbers(0, 10).map(note))
          if (index === 10) yield* log.append(one, [note(n)])
          yield* turns(index % 3)
        }
        yield* log.append(two, [note(n)])
      }
      const all = yield* collect(log.read({}))
      const of = (...runs: ReadonlyArray<RunId>) => all.filter(({ runId }) => runs.includes(runId))
      yield* equal("those of both, in order", yield* Fiber.join(both), of(one, two))
      yield* equal("those of the silent one", yield* Fiber.join(silent), of(two))
      yield* equal("and after a position", yield* Fiber.join(late), of(two).slice(-1))
      const after = at(all.length - 50)
      yield* collect(Stream.take(log.follow({ runs: [one, two], after }), 1))
      yield* equal(
        "and who follows all has all",
        yield* followUntil(log, { after }, all.length),
        all.slice(-50)
      )
    })
  ),

  law("follows each of many runs, and all of them, while all of them append at once", (log) =>
    Effect.gen(function* () {
      const runs = yield* Effect.all(Array.from({ length: 20 }, () => generateRunId))
      const last = runs.length * 41
      const ofEach = yield* Effect.forEach(runs, (runId) =>
        fork(collect(Stream.take(log.follow({ runs: [runId] }), 41)))
      )
      const ofAll = yield* Effect.forEach(numbers(0, 5), () => fork(followUntil(log, {}, last)))
      yield* Effect.forEach(runs, (runId) => produce(log, runId, 40), { concurrency: "unbounded" })
      const all = yield* collect(log.read({}))
      for (const [index, follower] of ofEach.entries()) {
        const own = all.filter(({ runId }) => runId === runs[index])
        yield* equal("those of its run", yield* Fiber.join(follower), own)
      }
      for (const follower of ofAll) yield* equal("all of them", yield* Fiber.join(follower), all)
    })
  ),

  law("hands over from what is there to what comes without a gap, while many append", (log) =>
    Effect.gen(function* () {
      const runs = yield* Effect.all(Array.from({ length: 8 }, () => generateRunId))
      const last = runs.length * 61
      const follower = Effect.gen(function* () {
        yield* turns(yield* Random.nextIntBetween(0, 300))
        const head = yield* log.head
        const after = yield* Random.nextIntBetween(0, Math.min(head + 1, last))
        // It gives way often, so that whatever can come in between does.
        const operations = yield* Random.nextIntBetween(16, 80)
        const seen = yield* Effect.withMaxOpsBeforeYield(
          followUntil(log, { after: at(after) }, last),
          operations
        )
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

  law(
    "takes appends and serves the quick ones while half of many followers are stalled for ever",
    (log, runId) =>
      Effect.gen(function* () {
        const last = 2_000
        const stalled = yield* Effect.forEach(numbers(0, 100), (n) =>
          fork(Stream.runForEach(log.follow({ after: at(n % 7) }), () => Effect.never))
        )
        const quick = yield* Effect.forEach(numbers(0, 100), (n) =>
          fork(followUntil(log, { after: at(n % 7) }, last))
        )
        yield* turns(5)
        for (let n = 0; n < last; n += 20) yield* log.append(runId, numbers(n, 20).map(note))
        for (const [n, follower] of quick.entries()) {
          const after = n % 7
          yield* equal(`after ${after}`, seqs(yield* Fiber.join(follower)), numbers(after + 1, last - after))
        }
        for (const follower of stalled) {
          yield* holds("it is still stalled", Option.isNone(yield* Fiber.poll(follower)))
        }
        yield* Fiber.interruptAll(stalled)
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

  law("wakes a follower for the one entry that comes while it is about to wait", (log, runId) =>
    Effect.gen(function* () {
      // A fiber that gives way after few operations is found at each of them by one of the sweeps.
      for (const operations of numbers(16, 24)) {
        for (const count of numbers(0, 12)) {
          const head = yield* log.head
          const follower = yield* fork(
            Effect.withMaxOpsBeforeYield(followUntil(log, { after: head }, head + 1), operations)
          )
          yield* turns(count)
          yield* log.append(runId, [note(count)])
          let seen = yield* Fiber.poll(follower)
          for (let turn = 0; Option.isNone(seen); turn++) {
            yield* holds("it is woken", turn < 100_000, { operations, count })
            yield* Effect.yieldNow()
            seen = yield* Fiber.poll(follower)
          }
          yield* equal("it has the entry", seqs(yield* Fiber.join(follower)), [head + 1])
        }
      }
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
