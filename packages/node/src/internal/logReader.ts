import type { Entry } from "@switchyard/core/Event"
import { type Batch, LogDamaged } from "@switchyard/core/EventLog"
import type { RunId, Seq } from "@switchyard/core/Ids"
import { reasonOf } from "./fileSystem.js"
import { decode } from "./line.js"
import { withPayload } from "./payload.js"
import type { Place } from "./runPlaces.js"
import { lineAt, readLines, type Segment, startFor, withFile } from "./segment.js"

/** How much is read at once, so that reading much keeps nobody waiting for long. */
const mostEntries = 1024
const mostBytes = 1024 * 1024

const beforeRun = '"runId":"'
const beforeSeq = '"seq":'
const quote = 0x22

/** Whether a line, as far as it can be read without checking it, is of one of the runs. */
const isOf = (line: Buffer, runs: ReadonlySet<string>): boolean => {
  const at = line.indexOf(beforeRun)
  if (at < 0) return true
  const from = at + beforeRun.length
  return runs.has(line.toString("latin1", from, line.indexOf(quote, from)))
}

/** The position that a line gives, as far as it can be read without checking it. */
const seqIn = (line: Buffer): number => {
  const at = line.indexOf(beforeSeq)
  return at < 0 ? Number.NaN : Number.parseInt(line.toString("latin1", at + beforeSeq.length, at + 24), 10)
}

/** The part of a segment that can hold entries of the runs; all of it where none are named. */
const placeOf = (segment: Segment, runs: ReadonlySet<RunId> | undefined): Place | undefined => {
  if (runs === undefined) return { from: 0, to: segment.size }
  let from = Number.POSITIVE_INFINITY
  let to = 0
  for (const runId of runs) {
    const place = segment.places.find(runId)
    if (place === undefined) continue
    from = Math.min(from, place.from)
    to = Math.max(to, place.to)
  }
  return to === 0 ? undefined : { from, to: Math.min(to, segment.size) }
}

interface Read {
  readonly entries: Array<Entry>
  /** The position up to which everything was read; `undefined` where that is the end of the segment. */
  readonly through: Seq | undefined
}

const readSegment = (
  segment: Segment,
  after: Seq,
  until: Seq,
  runs: ReadonlySet<RunId> | undefined
): Read | LogDamaged => {
  const place = placeOf(segment, runs)
  if (place === undefined) return { entries: [], through: undefined }
  return withFile(segment.file, (fd) => {
    const entries: Array<Entry> = []
    const from = Math.max(place.from, startFor(segment.marks, after + 1))
    const damaged = (offset: number, reason: string) =>
      new LogDamaged({ segment: segment.file, offset, line: lineAt(fd, offset), reason })
    let next = from
    let begin: number | undefined
    let loaded = 0
    for (const { bytes, offset } of readLines(fd, from, place.to)) {
      next = offset + bytes.length + 1
      // A remembered place may be far before the entry that is wanted, and what is passed over does not count.
      if (begin === undefined && seqIn(bytes) <= after) continue
      begin ??= offset
      const isFull = entries.length >= mostEntries - 1 || next - begin + loaded >= mostBytes
      if (runs !== undefined && !isOf(bytes, runs)) {
        const seq = isFull ? seqIn(bytes) : 0
        if (seq > after) return { entries, through: Math.min(seq, until) as Seq }
        continue
      }
      const decoded = decode(bytes)
      if (typeof decoded === "string") return damaged(offset, decoded)
      const { entry } = decoded
      if (decoded.first > until) return { entries, through: until }
      if (entry === undefined || entry.seq <= after) continue
      if (runs === undefined || runs.has(entry.runId)) {
        if (decoded.payload === undefined) entries.push(entry)
        else {
          const whole = withPayload(segment.file, entry, decoded.payload)
          if (whole instanceof LogDamaged) return whole
          entries.push(whole)
          loaded += decoded.payload.bytes
        }
      }
      if (isFull) return { entries, through: entry.seq }
    }
    return next < place.to
      ? damaged(next, "the segment ends before its last entry")
      : { entries, through: undefined }
  })
}

/** The entries after a position up to another, of some runs only where they are named: as many as are read at once. */
export const readBatch = (
  segments: ReadonlyArray<Segment>,
  after: Seq,
  until: Seq,
  runs: ReadonlySet<RunId> | undefined
): Batch | LogDamaged => {
  let index = Math.max(
    0,
    segments.findLastIndex(({ firstSeq }) => firstSeq <= after + 1)
  )
  for (let segment = segments[index]; segment !== undefined; segment = segments[++index]) {
    let read: Read | LogDamaged
    try {
      read = readSegment(segment, after, until, runs)
    } catch (error) {
      return new LogDamaged({ segment: segment.file, offset: 0, line: 1, reason: reasonOf(error) })
    }
    if (read instanceof LogDamaged) return read
    const nextSeq = segments[index + 1]?.firstSeq ?? until + 1
    const through = read.through ?? (Math.min(until, nextSeq - 1) as Seq)
    if (read.entries.length > 0 || read.through !== undefined || through >= until) {
      return { entries: read.entries, through }
    }
  }
  return { entries: [], through: until }
}
