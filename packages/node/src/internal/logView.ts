import * as fs from "node:fs"
import type { Entry } from "@switchyard/core/Event"
import {
  type Batch,
  LogDamaged,
  type OpenRun,
  track,
  type Unfinished,
  unfinishedOf
} from "@switchyard/core/EventLog"
import { origin, type RunId, type Seq } from "@switchyard/core/Ids"
import { decode } from "./line.js"
import { readBatch } from "./logReader.js"
import { outOfPlace } from "./openLog.js"
import { readPublishedHead } from "./publishedHead.js"
import { packedPlaces } from "./runPlaces.js"
import { emptySegment, lineAt, listSegments, mark, readLines } from "./segment.js"
import { describe, isReplaced, type ViewedSegment, viewed } from "./viewedSegment.js"

/** A log that another process writes, as far as it was read here; nothing is created or changed. */
export interface LogView {
  /** The last entry that was read. */
  readonly last: () => Seq
  readonly unfinished: () => ReadonlyArray<Unfinished>
  /** Reads on to what is durable, so much that it takes a few milliseconds; says whether that was anything. */
  readonly readOn: () => boolean | LogDamaged
  /** As the log's own, up to the last entry that was read. */
  readonly readAfter: (after: Seq, runs: ReadonlySet<RunId> | undefined) => Batch | LogDamaged
  readonly close: () => void
}

/** How much is read on at once: so many entries, in windows that are wider only where one line needs it. */
const mostEntries = 1024
const window = 64 * 1024

/** How often a segment is read again that was replaced meanwhile. */
const mostAttempts = 10

/**
 * Opens a view of the log in a directory, at the beginning of its last segment: what is there is read on like what comes
 * later. `noted` is told of all of it.
 */
export const openView = (
  directory: string,
  noted: (entries: ReadonlyArray<Entry>) => void
): LogView | LogDamaged => {
  const segments: Array<ViewedSegment> = []
  let openRuns = new Map<RunId, OpenRun>()
  let last: Seq = origin
  // The file that is written is kept open, so that it can be read to its end although compaction takes it away.
  let fd: number | undefined

  const enter = (segment: ViewedSegment): void => {
    const opened = fs.openSync(segment.file, "r")
    if (fd !== undefined) fs.closeSync(fd)
    fd = opened
    segment.inode = fs.fstatSync(fd).ino
    const full = segments.at(-1)
    if (full !== undefined) full.places = packedPlaces(full.places.pack())
    segments.push(segment)
  }

  /** Goes on to the segment that begins with the next entry, where there is one. */
  const enterNext = (): boolean => {
    const next = viewed(emptySegment(directory, (last + 1) as Seq))
    if (segments.at(-1)?.firstSeq === next.firstSeq || !fs.existsSync(next.file)) return false
    enter(next)
    return true
  }

  const damaged = (reason: string, offset?: number): LogDamaged => {
    const { file, size } = segments.at(-1) ?? emptySegment(directory, (last + 1) as Seq)
    const at = offset ?? size
    return new LogDamaged({ segment: file, offset: at, line: fd === undefined ? 1 : lineAt(fd, at), reason })
  }

  /** Takes a line as the next one, or says in words why it is not. */
  const take = (segment: ViewedSegment, bytes: Buffer, offset: number): Entry | string | undefined => {
    const decoded = decode(bytes)
    if (typeof decoded === "string") return decoded
    const { entry, first } = decoded
    if (first !== last + 1) return `entry ${last + 1} is missing, entry ${first} stands in its place`
    mark(segment.marks, first, offset)
    last = decoded.last as Seq
    segment.size = offset + bytes.length + 1
    if (entry === undefined) return undefined
    track(openRuns, entry)
    segment.places.note(entry.runId, offset, segment.size)
    return entry
  }

  /** Reads the open file on up to an entry. What is behind it may be half written; where no bound is known, that is the end. */
  const readFile = (bound: number, entries: Array<Entry>): LogDamaged | undefined => {
    const segment = segments.at(-1)
    if (segment === undefined || fd === undefined) return undefined
    const end = fs.fstatSync(fd).size
    const before = last
    for (let wide = window; ; wide *= 4) {
      const to = Math.min(end, segment.size + wide)
      let isCut = false
      for (const { bytes, complete, offset } of readLines(fd, segment.size, to)) {
        if (last >= bound || entries.length >= mostEntries) return undefined
        isCut = !complete
        if (isCut || bytes.length === 0 || bytes[0] === 0) break
        const taken = take(segment, bytes, offset)
        if (typeof taken === "string") {
          return Number.isFinite(bound) ? damaged(taken, offset) : undefined
        }
        if (taken !== undefined) entries.push(taken)
      }
      if (!isCut || to === end || last > before) return undefined
    }
  }

  const readSome = (entries: Array<Entry>): LogDamaged | undefined => {
    // Before the files, since what is published by now is in them.
    const bound = readPublishedHead(directory) ?? last
    while (last < bound && entries.length < mostEntries) {
      const before = last
      const found = readFile(bound, entries)
      if (found !== undefined) return found
      if (last > before || enterNext()) continue
      return Number.isFinite(bound)
        ? damaged(`entry ${last + 1} is missing, although those up to ${bound} are durable`)
        : undefined
    }
    return undefined
  }

  const readOn = (): boolean | LogDamaged => {
    const before = last
    const entries: Array<Entry> = []
    const found = readSome(entries)
    if (entries.length > 0) noted(entries)
    return last > before ? true : (found ?? false)
  }

  /** Learns anew what is in segments that were replaced since they were read, and says whether there were any. */
  const renew = (from: number, to: number): boolean | LogDamaged => {
    let isRenewed = false
    for (let index = 0; index < segments.length; index++) {
      const segment = segments[index]
      if (segment === undefined || segment.firstSeq > to) break
      const followedBy = () => segments[index + 1]?.firstSeq
      if ((followedBy() ?? Number.POSITIVE_INFINITY) <= from || !isReplaced(segment)) continue
      // It is written no more, and its end is in the file that is open.
      while (followedBy() === undefined) {
        const found = readOn()
        if (found instanceof LogDamaged) return found
        if (!found && followedBy() === undefined && !enterNext()) return damaged("it is not what was written")
      }
      const found = describe(segment, followedBy() ?? last, openRuns)
      if (found instanceof LogDamaged) return found
      isRenewed = true
    }
    return isRenewed
  }

  const readAfter: LogView["readAfter"] = (after, runs) => {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const batch = readBatch(segments, after, last, runs)
      // Looking afterwards tells of files that were replaced before and meanwhile, for the old ones never come back.
      const isRenewed = renew(after + 1, batch instanceof LogDamaged ? last : batch.through)
      if (isRenewed === false) return batch
      if (isRenewed !== true) return isRenewed
    }
    return damaged("other files take the place of its segments again and again")
  }

  const listed = listSegments(directory)
  for (const [index, each] of listed.entries()) {
    const misplaced = outOfPlace(each, last)
    if (misplaced !== undefined) return misplaced
    const next = listed[index + 1]
    if (next === undefined) {
      enter(viewed(emptySegment(directory, each.firstSeq)))
      break
    }
    const segment = viewed(each)
    const open = describe(segment, next.firstSeq, openRuns)
    if (open instanceof LogDamaged) return open
    segments.push(segment)
    openRuns = new Map(open)
    last = (next.firstSeq - 1) as Seq
  }

  return {
    last: () => last,
    // Where compaction was stopped half way, the end of a run is there without its registration.
    unfinished: () =>
      unfinishedOf(openRuns).filter(({ firstSeq, runId }) => {
        const segment = segments.findLast((each) => each.firstSeq <= firstSeq)
        return segment?.places.find(runId) !== undefined
      }),
    readOn,
    readAfter,
    close: () => {
      if (fd !== undefined) fs.closeSync(fd)
      fd = undefined
    }
  }
}
