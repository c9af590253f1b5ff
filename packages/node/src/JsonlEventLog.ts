import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type Entry, type Event, isLifecycle } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import { origin, type RunId, type Seq } from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import { create, DirectoryUnusable } from "./DataDirectory.js"
import { async, currentTimeMillis, layerScoped, ring } from "./internal/compat.js"
import { Disk, type Operations } from "./internal/disk.js"
import { reasonOf } from "./internal/fileSystem.js"
import { makeGroupWriter } from "./internal/groupWriter.js"
import { decode } from "./internal/line.js"
import { makePublishedHead } from "./internal/publishedHead.js"
import { keepTorn, scan, settle } from "./internal/repair.js"
import { lineAt, listSegments, readLines, type Segment, startFor, withFile } from "./internal/segment.js"

/** Where the log is and how it is laid out. */
export interface Options {
  /** The directory of the log; it is created where it does not exist, and belongs to one writing process at a time. */
  readonly directory: string
  /** A segment that has reached this size is followed by a new one; 16 MiB by default. */
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
  readonly kept: string | undefined
}

const openSegments = (disk: Operations, directory: string): Opened | EventLog.LogDamaged => {
  const segments = listSegments(directory)
  const openRuns = new Map<RunId, EventLog.OpenRun>()
  let last: Seq = origin
  let kept: string | undefined
  for (const [index, segment] of segments.entries()) {
    if (segment.firstSeq !== last + 1) {
      const reason = `the log goes on with entry ${segment.firstSeq}, but entry ${last + 1} is next`
      return new EventLog.LogDamaged({ segment: segment.file, offset: 0, line: 1, reason })
    }
    const isLast = index === segments.length - 1
    const found = scan(segment, isLast, (entry) => {
      last = entry.seq
      EventLog.track(openRuns, entry)
    })
    if (found instanceof EventLog.LogDamaged) return found
    if (found.torn) kept = keepTorn(disk, segment, found.end)
    if (isLast) settle(disk, segment, found)
    else segment.size = found.end
  }
  return { segments, last, openRuns, kept }
}

const readBatch = (
  segments: ReadonlyArray<Segment>,
  after: Seq,
  until: Seq
): ReadonlyArray<Entry> | EventLog.LogDamaged => {
  const entries: Array<Entry> = []
  const index = segments.findLastIndex(({ firstSeq }) => firstSeq <= after + 1)
  for (const segment of segments.slice(Math.max(0, index))) {
    const damaged = withFile(segment.file, (fd) => {
      for (const { bytes, offset } of readLines(fd, startFor(segment.marks, after + 1), segment.size)) {
        const decoded = decode(bytes)
        if (typeof decoded === "string") {
          const line = lineAt(fd, offset)
          return new EventLog.LogDamaged({ segment: segment.file, offset, line, reason: decoded })
        }
        if (decoded.entry.seq > until) return undefined
        if (decoded.entry.seq > after) entries.push(decoded.entry)
        if (entries.length >= batchSize) return undefined
      }
      return undefined
    })
    if (damaged !== undefined) return damaged
    if (entries.length >= batchSize) return entries
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
    const disk = yield* Disk
    const clock = yield* Effect.clock
    yield* create(directory)
    const usable = <A>(use: () => A) =>
      Effect.try({
        try: use,
        catch: (error) => new DirectoryUnusable({ directory, reason: reasonOf(error) })
      })
    const opened = yield* usable(() => openSegments(disk, directory))
    if (opened instanceof EventLog.LogDamaged) return yield* opened
    if (opened.kept !== undefined) {
      yield* Effect.logWarning(
        `The event log ended in a group that was not written wholly; the rest of it is kept in ${opened.kept}`
      )
    }
    const { openRuns, segments } = opened
    const bell = yield* PubSub.sliding<void>(1)
    const sequencer = EventLog.makeSequencer(opened.last, openRuns)
    const tailEntries = options.tailEntries ?? 8192
    const maxSegmentBytes = options.maxSegmentBytes ?? 16 * 1024 * 1024
    let tail: Array<Entry> = []
    let durableSeq = opened.last

    const published = yield* Effect.acquireRelease(
      usable(() => makePublishedHead(disk, directory)),
      ({ close }) => Effect.sync(close)
    )
    published.publish(durableSeq)
    const writer = yield* Effect.acquireRelease(
      usable(() =>
        makeGroupWriter(
          { disk, directory, segments, maxSegmentBytes },
          {
            durable: (entries) => {
              for (const entry of entries) {
                tail.push(entry)
                EventLog.track(openRuns, entry)
              }
              if (tail.length > 2 * tailEntries) tail = tail.slice(-tailEntries)
              durableSeq = entries.at(-1)?.seq ?? durableSeq
              published.publish(durableSeq)
              ring(bell)
            },
            failed: sequencer.takeBack,
            sealed: () => {}
          }
        )
      ),
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
        if (events.length === 0) {
          settled(Exit.succeed([]))
          return
        }
        const time = currentTimeMillis(clock)
        const entries = events.map((event) => sequencer.number(runId, event, time))
        try {
          writer.add(entries, events.some(isLifecycle), (reason) =>
            settled(reason === undefined ? Exit.succeed(entries) : failure(reason))
          )
        } catch (error) {
          sequencer.takeBack(entries)
          throw error
        }
      },
      unfinished: () => EventLog.unfinishedOf(openRuns),
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
