import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Entry, Event } from "../Event.js"
import {
  EventLog,
  type EventLogError,
  type FollowOptions,
  type LogWriteFailed,
  type Reader,
  type Service
} from "../EventLog.js"
import { generateRunId, type RunId, type Seq } from "../Ids.js"
import { completeDeferred } from "../internal/compat.js"
import { note, sign } from "./EventSamples.js"
import { equal, type Law } from "./Law.js"

/** A law of a log, checked with two runs that are not in it yet. */
export const law = (
  name: string,
  check: (log: Service, runId: RunId, other: RunId) => Effect.Effect<void, unknown>
): Law<EventLog> => ({
  name,
  check: Effect.gen(function* () {
    yield* check(yield* EventLog, yield* generateRunId, yield* generateRunId)
  })
})

/** All entries of a stream that ends. */
export const collect = (entries: Stream.Stream<Entry, EventLogError>) =>
  Effect.map(Stream.runCollect(entries), (chunk) => Chunk.toReadonlyArray(chunk))

/** The positions of entries. */
export const seqs = (entries: ReadonlyArray<Entry>): ReadonlyArray<number> => entries.map(({ seq }) => seq)

/** So many numbers, beginning with one. */
export const numbers = (from: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => from + i)

/** A position. */
export const at = (seq: number): Seq => seq as Seq

/** Gives other fibers a turn, a number of times. */
export const turns = (count: number) =>
  Effect.forEach(numbers(0, count), () => Effect.yieldNow(), { discard: true })

/** Follows until the entry at a position has come, and gives everything seen. */
export const followUntil = (log: Reader, range: FollowOptions, last: number) =>
  collect(Stream.takeUntil(log.follow(range), ({ seq }) => seq >= last))

/** Every entry has the number after the one before, over the log and within its run. */
export const gapless = (entries: ReadonlyArray<Entry>) =>
  Effect.gen(function* () {
    yield* equal("seq grows by 1", seqs(entries), numbers(entries[0]?.seq ?? 1, entries.length))
    const runs = new Map<RunId, number>()
    for (const { runId, runSeq } of entries) {
      yield* equal("runSeq grows by 1 within its run", runSeq, (runs.get(runId) ?? 0) + 1)
      runs.set(runId, runSeq)
    }
  })

/** Enqueues at once, and gives an effect that waits until the entries are durable. */
export const enqueue = (log: Service, runId: RunId, events: ReadonlyArray<Event>) =>
  Effect.map(Deferred.make<ReadonlyArray<Entry>, LogWriteFailed>(), (durable) => {
    log.enqueue(runId, events, (exit) => completeDeferred(durable, exit))
    return Deferred.await(durable)
  })

/** Appends and enqueues a number of events in batches of random sizes, leaving others a turn in between. */
export const produce = (log: Service, runId: RunId, count: number) =>
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
