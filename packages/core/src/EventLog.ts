import type * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Entry, type Event, isTerminal } from "./Event.js"
import { origin, type RunId, type Seq } from "./Ids.js"
import { chunkOf, currentTimeMillis } from "./internal/compat.js"

/** The log could not be written; what was acknowledged before is safe, what was being appended is not in the log. */
export class LogWriteFailed extends Schema.TaggedError<LogWriteFailed>()("LogWriteFailed", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Cannot write the event log at ${this.path}: ${this.reason}`
  }
}

/** The log is damaged where it must not be; nothing is repaired or skipped silently. */
export class LogDamaged extends Schema.TaggedError<LogDamaged>()("LogDamaged", {
  segment: Schema.String,
  offset: Schema.NonNegativeInt,
  line: Schema.NonNegativeInt,
  reason: Schema.String
}) {
  override get message() {
    return (
      `The event log is damaged in ${this.segment}, line ${this.line} (byte ${this.offset}): ${this.reason}. ` +
      `Restore the segment from a backup, or move it and the later ones aside to open the log without them`
    )
  }
}

/** What can go wrong with a log, writing or reading. */
export const EventLogError = Schema.Union(LogWriteFailed, LogDamaged)
/** What can go wrong with a log, writing or reading. */
export type EventLogError = typeof EventLogError.Type

/** Which entries to read: those after a position, and of one run where one is named. */
export interface Range {
  readonly after?: Seq
  readonly runId?: RunId
}

/**
 * The one ordered log that every other state is a fold of. Sequence numbers are assigned by appending, without gaps;
 * readers and followers see only what is durable.
 *
 * @example
 * ```ts
 * import * as EventLog from "@switchyard/core/EventLog"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const audit = Effect.flatMap(EventLog.EventLog, (log) =>
 *   Stream.runForEach(log.follow({}), (entry) => Console.log(entry.seq, entry.event._tag))
 * )
 * ```
 */
export class EventLog extends Context.Tag("@switchyard/core/EventLog")<
  EventLog,
  {
    /** Appends events of one run, in order and next to each other; once it succeeds they survive a crash of process and machine. */
    readonly append: (
      runId: RunId,
      events: ReadonlyArray<Event>
    ) => Effect.Effect<ReadonlyArray<Entry>, LogWriteFailed>
    /**
     * Puts events in their place at once; the effect that it gives waits until they are durable, and need not be run. What
     * is appended or enqueued later never becomes durable earlier.
     */
    readonly enqueue: (
      runId: RunId,
      events: ReadonlyArray<Event>
    ) => Effect.Effect<Effect.Effect<ReadonlyArray<Entry>, LogWriteFailed>>
    /** The position of the last durable entry; `origin` while there is none. */
    readonly head: Effect.Effect<Seq>
    /** The durable entries of a range as of now, in order; ends at the head. */
    readonly read: (range: Range) => Stream.Stream<Entry, EventLogError>
    /** The durable entries of a range and then every later one: no gap, no duplicate, however slow the reader. Never ends. */
    readonly follow: (range: Range) => Stream.Stream<Entry, EventLogError>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof EventLog>

/** What an implementation supplies; `make` derives reading and following from it. */
export interface Backend {
  /** As the service promises it. */
  readonly enqueue: Service["enqueue"]
  /** The position of the last durable entry. */
  readonly head: () => Seq
  /** Durable entries after a position, in order; empty only when there are none, and as many at once as is convenient. */
  readonly readAfter: (after: Seq) => Effect.Effect<ReadonlyArray<Entry>, EventLogError>
  /** Rung after entries have become durable: a bell, not a mailbag, so its capacity is one and nobody waits for it. */
  readonly bell: PubSub.PubSub<void>
}

const select = (entries: ReadonlyArray<Entry>, until: Seq, runId: RunId | undefined): ReadonlyArray<Entry> =>
  runId === undefined && (entries.at(-1)?.seq ?? until) <= until
    ? entries
    : entries.filter((entry) => entry.seq <= until && (runId === undefined || entry.runId === runId))

/** The service on a backend: followers subscribe to the bell first, then read from the log, so that nothing falls between. */
export const make = (backend: Backend): Service => ({
  append: (runId, events) => Effect.flatten(backend.enqueue(runId, events)),
  enqueue: backend.enqueue,
  head: Effect.sync(backend.head),
  read: ({ after = origin, runId }) =>
    Stream.suspend(() => {
      const until = backend.head()
      return Stream.paginateChunkEffect(after, (position) =>
        Effect.map(position >= until ? Effect.succeed([]) : backend.readAfter(position), (entries) => {
          const last = entries.at(-1)?.seq ?? until
          return [
            chunkOf(select(entries, until, runId)),
            last >= until ? Option.none() : Option.some(last)
          ] as const
        })
      )
    }),
  follow: ({ after = origin, runId }) =>
    Stream.unwrapScoped(
      Effect.map(PubSub.subscribe(backend.bell), (bell) => {
        const all = Number.MAX_SAFE_INTEGER as Seq
        let position = after
        const pull: Effect.Effect<Chunk.Chunk<Entry>, EventLogError> = Effect.suspend(() =>
          position >= backend.head()
            ? Effect.flatMap(Queue.take(bell), () => pull)
            : Effect.flatMap(backend.readAfter(position), (entries) => {
                const last = entries.at(-1)
                if (last === undefined) return pull
                position = last.seq
                const selected = select(entries, all, runId)
                return selected.length === 0 ? pull : Effect.succeed(chunkOf(selected))
              })
        )
        return Stream.repeatEffectChunk(pull)
      })
    )
})

/** Numbers entries as they are appended: globally, and per run until its terminal event. */
export interface Sequencer {
  /** The next entry: of all, and of its run. */
  readonly number: (runId: RunId, event: Event, time: number) => Entry
  /** Takes back the numbers of entries that did not become durable; they must be the last ones given, in order. */
  readonly takeBack: (entries: ReadonlyArray<Entry>) => void
}

/** A sequencer that goes on after `last`, and in each run after the run sequence it is given with. */
export const makeSequencer = (last: Seq, lastOfRuns: Iterable<readonly [RunId, number]>): Sequencer => {
  let seq: number = last
  const runs = new Map(lastOfRuns)
  return {
    number: (runId, event, time) => {
      const runSeq = (runs.get(runId) ?? 0) + 1
      if (isTerminal(event)) runs.delete(runId)
      else runs.set(runId, runSeq)
      seq++
      return { seq: seq as Seq, time, runId, runSeq, event }
    },
    takeBack: (entries) => {
      for (let i = entries.length - 1; i >= 0; i--) {
        const entry = entries[i]
        if (entry === undefined) continue
        if (entry.runSeq === 1) runs.delete(entry.runId)
        else runs.set(entry.runId, entry.runSeq - 1)
        seq--
      }
    }
  }
}

/** A log in memory, for tests and for hosts that need no durability: everything is kept until the layer's scope closes. */
export const layerMemory: Layer.Layer<EventLog> = Layer.effect(
  EventLog,
  Effect.map(PubSub.sliding<void>(1), (bell) => {
    const entries: Array<Entry> = []
    const { number } = makeSequencer(origin, [])
    return make({
      // Interrupted between the two, it would leave entries that nobody is told of.
      enqueue: (runId, events) =>
        Effect.uninterruptible(
          Effect.clockWith((clock) => {
            const time = currentTimeMillis(clock)
            const added = events.map((event) => number(runId, event, time))
            for (const entry of added) entries.push(entry)
            return Effect.as(PubSub.publish(bell, undefined), Effect.succeed(added))
          })
        ),
      head: () => entries.length as Seq,
      readAfter: (after) => Effect.sync(() => entries.slice(after, after + 1024)),
      bell
    })
  })
)
