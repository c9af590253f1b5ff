import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type Entry, isLifecycle } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import { origin, type RunId } from "@switchyard/core/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { create, DirectoryUnusable } from "./DataDirectory.js"
import { compactSegments, sweepPayloads } from "./internal/compaction.js"
import { async, currentTimeMillis, layerScopedContext, makeSemaphore } from "./internal/compat.js"
import { Disk, withoutSyncs } from "./internal/disk.js"
import { reasonOf } from "./internal/fileSystem.js"
import { makeGroupWriter } from "./internal/groupWriter.js"
import { chainStart } from "./internal/line.js"
import { readBatch } from "./internal/logReader.js"
import { openLog } from "./internal/openLog.js"
import { makePayloadWriter } from "./internal/payloadWriter.js"
import { makePublishedHead } from "./internal/publishedHead.js"
import { packedPlaces } from "./internal/runPlaces.js"
import { writeSnapshot } from "./internal/snapshot.js"
import { type Totals, verifyLog } from "./internal/verification.js"
import * as LogCompaction from "./LogCompaction.js"

/** Where the log is and how it is laid out. */
export interface Options {
  /** The directory of the log; it is created where it does not exist, and belongs to one writing process at a time. */
  readonly directory: string
  /** A segment that has reached this size is followed by a new one: 16 MiB by default, from 4 KiB to 1 GiB. */
  readonly maxSegmentBytes?: number
  /**
   * An event whose JSON is larger than this is kept in a file of its own, in `payloads`, and only its hash stands in the
   * segment, so that reading other events stays fast: 64 KiB by default, 16 MiB at most.
   */
  readonly maxInlineBytes?: number
  /**
   * Chains the entries from now on: each line holds a SHA-256 over itself and the hash of the line before, so that `verify`
   * finds what somebody rewrote, checksums included. A log that is chained stays so whatever is said here.
   */
  readonly audit?: boolean
  /** How many of the latest entries are kept in memory for followers; 8,192 by default. */
  readonly tailEntries?: number
  /**
   * Whether an append waits for the disk, which is the default. Without it an entry survives a crash of the process as soon as it
   * is acknowledged, but not a loss of power, which may even damage the log: for what can be thrown away.
   */
  readonly sync?: boolean
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** A number of bytes within bounds: places in a segment are kept as 32-bit numbers. */
const between = (bytes: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, Math.floor(bytes) || least))

/** How many entries of those in memory are handed on at once. */
const batchSize = 1024

/** What a directory gives to the process that writes it. */
export type Services = EventLog.EventLog | LogCompaction.LogCompaction

const make = (
  options: Options
): Effect.Effect<Context.Context<Services>, DirectoryUnusable | EventLog.LogDamaged, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = path.resolve(options.directory)
    const disk = options.sync === false ? withoutSyncs(yield* Disk) : yield* Disk
    const clock = yield* Effect.clock
    yield* create(directory)
    const usable = <A>(use: () => A) =>
      Effect.try({
        try: use,
        catch: (error) => new DirectoryUnusable({ directory, reason: reasonOf(error) })
      })
    const opened = yield* usable(() => openLog(disk, directory))
    if (opened instanceof EventLog.LogDamaged) return yield* opened
    if (opened.kept !== undefined) {
      yield* Effect.logWarning(
        `The event log ended in a group that was not written wholly; the rest of it is kept in ${opened.kept}`
      )
    }
    const { openRuns, segments } = opened
    const bell = EventLog.makeBell(setImmediate)
    const sequencer = EventLog.makeSequencer(opened.last, openRuns)
    const tailEntries = options.tailEntries ?? 8192
    const maxSegmentBytes = between(options.maxSegmentBytes ?? 16 * mebibyte, 4 * kibibyte, 1024 * mebibyte)
    const maxInlineBytes = between(options.maxInlineBytes ?? 64 * kibibyte, 0, 16 * mebibyte)
    const payloads = makePayloadWriter(disk, directory)
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
          {
            disk,
            directory,
            segments,
            maxSegmentBytes,
            maxInlineBytes,
            payloads,
            last: opened.last,
            chain: opened.hash ?? (options.audit === true ? chainStart : undefined)
          },
          {
            durable: (entries) => {
              for (const entry of entries) {
                tail.push(entry)
                EventLog.track(openRuns, entry)
              }
              if (tail.length > 2 * tailEntries) tail = tail.slice(-tailEntries)
              durableSeq = entries.at(-1)?.seq ?? durableSeq
              published.publish(durableSeq)
              bell.ring(entries)
            },
            failed: sequencer.takeBack,
            sealed: (segment, hash) => {
              writeSnapshot(segment, { last: durableSeq, openRuns, hash })
              segment.places = packedPlaces(segment.places.pack())
            }
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
    const enqueue: EventLog.Backend["enqueue"] = (runId, events, settled) => {
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
    }

    const oneAtATime = yield* makeSemaphore(1)
    const compact = async (wanted: ReadonlySet<RunId>, mode: LogCompaction.Mode) => {
      const runs = new Set([...wanted].filter((runId) => !openRuns.has(runId)))
      const written = segments.at(-1)
      if ([...runs].some((runId) => written?.places.find(runId) !== undefined)) {
        const failure = await new Promise<string | undefined>(writer.rotate)
        if (failure !== undefined) throw new Error(failure)
      }
      const closed = segments.slice(0, -1)
      const found = await compactSegments(disk, directory, closed, runs, mode)
      if (!(found instanceof EventLog.LogDamaged)) await sweepPayloads(payloads, segments)
      // What was removed must not be read from memory either.
      const kept = segments[closed.length]?.firstSeq ?? origin
      tail = tail.filter(({ seq }) => seq >= kept)
      bell.ring()
      return found
    }

    const compaction: LogCompaction.Service = {
      compact: (runs, mode) =>
        oneAtATime.withPermits(1)(
          Effect.uninterruptible(
            Effect.flatMap(
              Effect.tryPromise({
                try: () => compact(runs, mode),
                catch: (error) => new EventLog.LogWriteFailed({ path: directory, reason: reasonOf(error) })
              }),
              (found) => (found instanceof EventLog.LogDamaged ? Effect.fail(found) : Effect.succeed(found))
            )
          )
        )
    }

    const log = EventLog.make({
      bell,
      head: () => durableSeq,
      enqueue,
      unfinished: () => EventLog.unfinishedOf(openRuns),
      readAfter: (after, runs) =>
        Effect.suspend(() => {
          const first = tail[0]
          if (first !== undefined && first.seq <= after + 1) {
            const from = after + 1 - first.seq
            const entries = tail.slice(from, from + batchSize)
            return Effect.succeed({
              entries: EventLog.ofRuns(entries, runs),
              through: entries.at(-1)?.seq ?? after
            })
          }
          // Everybody else gets a turn between two batches, since the files are read on this thread.
          return async<EventLog.Batch, EventLog.LogDamaged>((resume) => {
            setImmediate(() => {
              const read = readBatch(segments, after, durableSeq, runs)
              resume(read instanceof EventLog.LogDamaged ? Effect.fail(read) : Effect.succeed(read))
            })
          })
        })
    })
    return Context.make(EventLog.EventLog, log).pipe(Context.add(LogCompaction.LogCompaction, compaction))
  })

/**
 * The log in a directory: one JSON object per line with its CRC-32, made durable with one fdatasync for everything that
 * was appended meanwhile. A line that a crash left unfinished is set aside before anything is appended; damage anywhere
 * else is an error that names the segment, and nothing is changed then.
 */
export const layer = (options: Options): Layer.Layer<Services, DirectoryUnusable | EventLog.LogDamaged> =>
  layerScopedContext(make(options))

/** What a log holds, after every byte of it was checked. */
export interface Verified extends Totals {}

/**
 * Reads every byte of a log and checks what can be checked: checksums, the order of the entries, that none is missing, their
 * hashes where they are chained, and the events that are kept in files of their own. What was cut off at the end of a chain
 * shows only to those who kept its hash.
 * Fails with the first damage. It changes nothing, and the log may be in use meanwhile.
 */
export const verify = (directory: string): Effect.Effect<Verified, DirectoryUnusable | EventLog.LogDamaged> =>
  Effect.flatMap(
    Effect.tryPromise({
      try: (signal) => verifyLog(path.resolve(directory), signal),
      catch: (error) => new DirectoryUnusable({ directory, reason: reasonOf(error) })
    }),
    (found) => (found instanceof EventLog.LogDamaged ? Effect.fail(found) : Effect.succeed(found))
  )

/** A log in a directory of its own that goes with the layer's scope, for tests. */
export const layerTempWith = (
  options: Omit<Options, "directory">
): Layer.Layer<Services, DirectoryUnusable | EventLog.LogDamaged> =>
  layerScopedContext(
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
