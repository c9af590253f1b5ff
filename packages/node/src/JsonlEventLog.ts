import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type Entry, isLifecycle } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import { origin, type RunId, type Seq } from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import { create, DirectoryUnusable } from "./DataDirectory.js"
import { async, currentTimeMillis, layerScoped, ring } from "./internal/compat.js"
import { Disk } from "./internal/disk.js"
import { reasonOf } from "./internal/fileSystem.js"
import { makeGroupWriter } from "./internal/groupWriter.js"
import { decode } from "./internal/line.js"
import { cutTail, listSegments, readLines, type Segment, scan, startFor } from "./internal/segment.js"

/** Where the log is and how it is laid out. */
export interface Options {
  /** The directory of the log; it is created where it does not exist, and belongs to one writing process at a time. */
  readonly directory: string
  /** A segment that has reached this size is followed by a new one; 64 MiB by default. */
  readonly maxSegmentBytes?: number
  /** How many of the latest entries are kept in memory for followers; 8,192 by default. */
  readonly tailEntries?: number
}

/** How many entries are handed on at once when they are read from a file. */
const batchSize = 1024

interface Opened {
  readonly segments: Array<Segment>
  readonly last: Seq
  readonly openRuns: Map<RunId, EventLog.OpenRun>
  readonly repaired: string | undefined
}

const openSegments = (directory: string): Opened | EventLog.LogDamaged => {
  const segments = [...listSegments(directory)]
  const openRuns = new Map<RunId, EventLog.OpenRun>()
  let last: Seq = origin
  let repaired: string | undefined
  for (const [index, segment] of segments.entries()) {
    if (segment.firstSeq !== last + 1) {
      const reason = `the log goes on with entry ${segment.firstSeq}, but entry ${last + 1} is next`
      return new EventLog.LogDamaged({ segment: segment.file, offset: 0, line: 1, reason })
    }
    const found = scan(segment, index === segments.length - 1, (entry) => {
      last = entry.seq
      EventLog.track(openRuns, entry)
    })
    if (found instanceof EventLog.LogDamaged) return found
    if (found !== undefined) repaired = cutTail(segment, found)
  }
  return { segments, last, openRuns, repaired }
}

const readBatch = (
  segments: ReadonlyArray<Segment>,
  after: Seq,
  until: Seq
): ReadonlyArray<Entry> | EventLog.LogDamaged => {
  const entries: Array<Entry> = []
  const index = segments.findLastIndex(({ firstSeq }) => firstSeq <= after + 1)
  for (const segment of segments.slice(Math.max(0, index))) {
    for (const { offset, text } of readLines(segment.file, startFor(segment, after), segment.size)) {
      const entry = decode(text)
      if (typeof entry === "string") {
        return new EventLog.LogDamaged({ segment: segment.file, offset, line: 0, reason: entry })
      }
      if (entry.seq > until) return entries
      if (entry.seq > after) entries.push(entry)
      if (entries.length >= batchSize) return entries
    }
  }
  return entries
}

const batchOf = (
  entries: ReadonlyArray<Entry>,
  after: Seq,
  runs: ReadonlySet<RunId> | undefined
): EventLog.Batch => ({ entries: EventLog.ofRuns(entries, runs), through: entries.at(-1)?.seq ?? after })

const make = (
  options: Options
): Effect.Effect<EventLog.Service, DirectoryUnusable | EventLog.LogDamaged, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = path.resolve(options.directory)
    yield* create(directory)
    const opened = yield* Effect.try({
      try: () => openSegments(directory),
      catch: (error) => new DirectoryUnusable({ directory, reason: reasonOf(error) })
    })
    if (opened instanceof EventLog.LogDamaged) return yield* opened
    if (opened.repaired !== undefined) {
      yield* Effect.logWarning(
        `The event log ended in the middle of a line; the fragment is kept in ${opened.repaired}`
      )
    }
    const { segments } = opened
    const clock = yield* Effect.clock
    const disk = yield* Disk
    const bell = yield* PubSub.sliding<void>(1)
    const sequencer = EventLog.makeSequencer(opened.last, opened.openRuns)
    const tailEntries = options.tailEntries ?? 8192
    let tail: Array<Entry> = []
    let durableSeq = opened.last

    const writer = yield* Effect.acquireRelease(
      Effect.try({
        try: () =>
          makeGroupWriter(disk, directory, segments, options.maxSegmentBytes ?? 64 * 1024 * 1024, {
            durable: (entries) => {
              for (const entry of entries) {
                tail.push(entry)
                EventLog.track(opened.openRuns, entry)
              }
              if (tail.length > 2 * tailEntries) tail = tail.slice(-tailEntries)
              durableSeq = entries.at(-1)?.seq ?? durableSeq
              ring(bell)
            },
            failed: sequencer.takeBack
          }),
        catch: (error) => new DirectoryUnusable({ directory, reason: reasonOf(error) })
      }),
      (writer) =>
        Effect.andThen(
          async<void>((resume) => writer.idle(() => resume(Effect.void))),
          Effect.sync(() => writer.close())
        )
    )

    const failure = (reason: string) => Exit.fail(new EventLog.LogWriteFailed({ path: directory, reason }))

    return EventLog.make({
      bell,
      head: () => durableSeq,
      enqueue: (runId, events, settled) => {
        const time = currentTimeMillis(clock)
        const entries = events.map((event) => sequencer.number(runId, event, time))
        if (entries.length === 0) {
          settled(Exit.succeed(entries))
          return
        }
        writer.add(entries, events.some(isLifecycle), (reason) =>
          settled(reason === undefined ? Exit.succeed(entries) : failure(reason))
        )
      },
      unfinished: () => EventLog.unfinishedOf(opened.openRuns),
      readAfter: (after, runs) =>
        Effect.suspend(() => {
          const first = tail[0]
          if (first !== undefined && first.seq <= after + 1) {
            const from = after + 1 - first.seq
            return Effect.succeed(batchOf(tail.slice(from, from + batchSize), after, runs))
          }
          return Effect.flatMap(
            Effect.try({
              try: () => readBatch(segments, after, durableSeq),
              catch: (error) =>
                new EventLog.LogDamaged({ segment: directory, offset: 0, line: 0, reason: reasonOf(error) })
            }),
            (read) =>
              read instanceof EventLog.LogDamaged
                ? Effect.fail(read)
                : Effect.succeed(batchOf(read, after, runs))
          )
        })
    })
  })

/**
 * The log in a directory: one JSON object per line with its CRC-32, made durable with one fdatasync for everything that
 * was appended meanwhile. A line that a crash left unfinished is set aside before anything is appended; damage anywhere
 * else is an error that names the segment, and nothing is changed then.
 */
export const layer = (
  options: Options
): Layer.Layer<EventLog.EventLog, DirectoryUnusable | EventLog.LogDamaged> =>
  layerScoped(EventLog.EventLog, make(options))

/** A log in a directory of its own that goes with the layer's scope, for tests. */
export const layerTempWith = (
  options: Omit<Options, "directory">
): Layer.Layer<EventLog.EventLog, DirectoryUnusable | EventLog.LogDamaged> =>
  layerScoped(
    EventLog.EventLog,
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-log-"))),
        (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true }))
      ),
      (directory) => make({ ...options, directory })
    )
  )

/** A log in a directory of its own, laid out as a host's is. */
export const layerTemp = layerTempWith({})
