import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Entry, type Event, isTerminal } from "./Event.js"
import { logId, origin, type RunId, type Seq } from "./Ids.js"
import { type Bell, makeBell } from "./internal/bell.js"
import { async, chunkOf, currentTimeMillis } from "./internal/compat.js"
import { makeFollow } from "./internal/follow.js"
import { redactEvent } from "./internal/redactEvent.js"
import type { Provider } from "./Secrets.js"

export { type Bell, makeBell }

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

/** Which entries to read: those after a position, and of some runs only where they are named. */
export interface Range {
  readonly after?: Seq
  readonly runs?: ReadonlyArray<RunId>
}

/** Which entries to follow, and how much of the progress among them. */
export interface FollowOptions extends Range {
  /**
   * With `"latest"`, of the progress that waits to be taken only the latest of each item is given, in its place; everything
   * else comes as it does with `"all"`, the default. So a slow follower is as far behind as its last few entries.
   */
  readonly progress?: "all" | "latest"
}

/** A run that has not ended, and the position of its registration. */
export interface Unfinished {
  readonly runId: RunId
  readonly firstSeq: Seq
}

/** What a log is to those who only read it, in the process that writes it and in any other. */
export interface Reader {
  /** The position of the last durable entry; `origin` while there is none. */
  readonly head: Effect.Effect<Seq>
  /** The runs that are registered and have no terminal entry as of now, in the order of their registration. */
  readonly unfinished: Effect.Effect<ReadonlyArray<Unfinished>>
  /** The durable entries of a range as of now, in order; ends at the head. */
  readonly read: (range: Range) => Stream.Stream<Entry, EventLogError>
  /** The durable entries of a range and then every later one: no gap, no duplicate, however slow the reader. Never ends. */
  readonly follow: (options: FollowOptions) => Stream.Stream<Entry, EventLogError>
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
  Reader & {
    /** Appends events of one run, in order and next to each other; once it succeeds they survive a crash of process and machine. */
    readonly append: (
      runId: RunId,
      events: ReadonlyArray<Event>
    ) => Effect.Effect<ReadonlyArray<Entry>, LogWriteFailed>
    /**
     * Puts events in their place at once, without being an effect: it is what an engine calls for every step. It calls back
     * once, perhaps before it returns, when the entries are durable or cannot become so. What is appended or enqueued later
     * never becomes durable earlier.
     */
    readonly enqueue: (
      runId: RunId,
      events: ReadonlyArray<Event>,
      settled: (exit: Exit.Exit<ReadonlyArray<Entry>, LogWriteFailed>) => void
    ) => void
    /**
     * What an event is recorded as, where a log changes events: an engine applies that one to the state of its run, so that
     * the run is the same before and after a restart.
     */
    readonly prepare?: (event: Event) => Event
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof EventLog>

/** The log as a process sees it that does not write it: what another process makes durable appears here too. */
export class EventReader extends Context.Tag("@switchyard/core/EventReader")<EventReader, Reader>() {}

/** Entries as an implementation gives them, and the position up to which nothing else is in the range. */
export interface Batch {
  readonly entries: ReadonlyArray<Entry>
  readonly through: Seq
}

/** What an implementation supplies for reading; `makeReader` derives reading and following from it. */
export interface ReaderBackend {
  /** The position of the last durable entry. */
  readonly head: () => Seq
  /** The runs that have not ended, in the order of their registration. */
  readonly unfinished: () => ReadonlyArray<Unfinished>
  /**
   * Durable entries after a position, in order, of some runs only where they are named; as many at once as is convenient.
   * `through` is after the position whenever the head is, so that a reader always gets on.
   */
  readonly readAfter: (
    after: Seq,
    runs: ReadonlySet<RunId> | undefined
  ) => Effect.Effect<Batch, EventLogError>
  /** Rung after entries have become durable and the head has moved. */
  readonly bell: Bell
}

/** What an implementation supplies; `make` derives the service from it. */
export interface Backend extends ReaderBackend {
  /** As the service promises it. */
  readonly enqueue: Service["enqueue"]
}

const setOf = (runs: ReadonlyArray<RunId> | undefined): ReadonlySet<RunId> | undefined =>
  runs === undefined ? undefined : new Set(runs)

const upTo = (entries: ReadonlyArray<Entry>, until: Seq): ReadonlyArray<Entry> =>
  (entries.at(-1)?.seq ?? until) <= until ? entries : entries.filter((entry) => entry.seq <= until)

/** Reading and following, from what an implementation supplies. */
export const makeReader = (backend: ReaderBackend): Reader => {
  const follow = makeFollow(backend)
  return {
    head: Effect.sync(backend.head),
    unfinished: Effect.sync(backend.unfinished),
    read: ({ after = origin, runs }) =>
      Stream.suspend(() => {
        const until = backend.head()
        const wanted = setOf(runs)
        if (after >= until || wanted?.size === 0) return Stream.empty
        return Stream.paginateChunkEffect(after, (position) =>
          Effect.map(
            backend.readAfter(position, wanted),
            ({ entries, through }) =>
              [
                chunkOf(upTo(entries, until)),
                through >= until ? Option.none() : Option.some(through)
              ] as const
          )
        )
      }),
    follow: ({ after = origin, progress = "all", runs }) => follow(after, setOf(runs), progress)
  }
}

/** The service on a backend. */
export const make = (backend: Backend): Service => ({
  ...makeReader(backend),
  // Whether anybody still waits is nothing to the log.
  append: (runId, events) => async((resume) => backend.enqueue(runId, events, resume)),
  enqueue: backend.enqueue
})

/**
 * The log without the secrets that a provider has given: they are replaced in everything that is recorded from then on. It
 * costs nothing while none was given. What names a step, an agent, a run or a skill is left as it is.
 */
export const withoutSecrets = (log: Service, secrets: Provider): Service => {
  const prepared = new WeakSet<Event>()
  const prepare = (event: Event): Event => {
    if (!secrets.hasGiven() || prepared.has(event)) return event
    const redacted = redactEvent(event, secrets)
    prepared.add(redacted)
    return redacted
  }
  const all = (events: ReadonlyArray<Event>) => (secrets.hasGiven() ? events.map(prepare) : events)
  return {
    ...log,
    prepare,
    append: (runId, events) => Effect.suspend(() => log.append(runId, all(events))),
    enqueue: (runId, events, settled) => log.enqueue(runId, all(events), settled)
  }
}

/** The entries of some runs among those of a batch. */
export const ofRuns = (
  entries: ReadonlyArray<Entry>,
  runs: ReadonlySet<RunId> | undefined
): ReadonlyArray<Entry> => (runs === undefined ? entries : entries.filter(({ runId }) => runs.has(runId)))

/** Where a run that has not ended stands in the log: the position of its registration, and its own last number. */
export interface OpenRun {
  readonly firstSeq: Seq
  readonly runSeq: number
}

/** Numbers entries as they are appended: globally, and per run until its terminal event. */
export interface Sequencer {
  /** The next entry: of all, and of its run. */
  readonly number: (runId: RunId, event: Event, time: number) => Entry
  /** Takes back the numbers of entries that did not become durable; they must be the last ones given, in order. */
  readonly takeBack: (entries: ReadonlyArray<Entry>) => void
}

/** Notes an entry among the runs that have not ended. */
export const track = (open: Map<RunId, OpenRun>, { event, runId, runSeq, seq }: Entry): void => {
  if (isTerminal(event)) open.delete(runId)
  else open.set(runId, { firstSeq: open.get(runId)?.firstSeq ?? seq, runSeq })
}

/** The open runs as a reader is told of them. */
export const unfinishedOf = (open: ReadonlyMap<RunId, OpenRun>): ReadonlyArray<Unfinished> =>
  [...open]
    .flatMap(([runId, { firstSeq }]) => (runId === logId ? [] : [{ runId, firstSeq }]))
    .sort((a, b) => a.firstSeq - b.firstSeq)

/** A sequencer that goes on after `last`, and in each open run after its own last number. */
export const makeSequencer = (last: Seq, openRuns: Iterable<readonly [RunId, OpenRun]>): Sequencer => {
  let seq: number = last
  const runs = new Map<RunId, number>()
  for (const [runId, { runSeq }] of openRuns) runs.set(runId, runSeq)
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
  Effect.map(Effect.clock, (clock) => {
    const entries: Array<Entry> = []
    const open = new Map<RunId, OpenRun>()
    const bell = makeBell()
    const { number } = makeSequencer(origin, [])
    return make({
      enqueue: (runId, events, settled) => {
        const time = currentTimeMillis(clock)
        const added = events.map((event) => number(runId, event, time))
        for (const entry of added) {
          entries.push(entry)
          track(open, entry)
        }
        settled(Exit.succeed(added))
        if (added.length > 0) bell.ring(added)
      },
      head: () => entries.length as Seq,
      unfinished: () => unfinishedOf(open),
      readAfter: (after, runs) =>
        Effect.sync(() => {
          const batch = entries.slice(after, after + 1024)
          return { entries: ofRuns(batch, runs), through: batch.at(-1)?.seq ?? after }
        }),
      bell
    })
  })
)
