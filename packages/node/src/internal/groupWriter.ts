import type { Entry } from "@switchyard/core/Event"
import type { Seq } from "@switchyard/core/Ids"
import type { Operations } from "./disk.js"
import { reasonOf } from "./fileSystem.js"
import { addEntries } from "./line.js"
import { clear, type Lines, makeLines } from "./lineBytes.js"
import type { PayloadWriter } from "./payloadWriter.js"
import { emptySegment, type Marks, mark, type Segment } from "./segment.js"
import { makeSegmentWriter, type SegmentWriter, type WriteFailure } from "./segmentWriter.js"

/** Entries that are written and made durable together, and who waits for that. */
interface Group {
  readonly entries: Array<Entry>
  readonly waiting: Array<(failure: string | undefined) => void>
  readonly lines: Lines
  /** Where some of the entries begin within the group, which may be as long as everything that came during one sync. */
  readonly marks: Marks
}

const makeGroup = (lines: Lines): Group => ({
  entries: [],
  waiting: [],
  lines,
  marks: { seqs: [], offsets: [] }
})

/**
 * How long entries that nobody waits for may stay in memory for the next append to take them along: without it the end of
 * a short step would wait for the disk to take in its start, and a chain of steps would cost two fdatasyncs a step.
 */
const lingerMillis = 20

/** Up to this size the memory of a group is used again for the one after the next. */
const largestSpare = 4 * 1024 * 1024

/** What a writer tells its owner; `durable` and `failed` are called before anybody who waits is. */
export interface Owner {
  readonly durable: (entries: ReadonlyArray<Entry>) => void
  /** Nothing of these entries is in the log; they are the last ones that were added. */
  readonly failed: (entries: ReadonlyArray<Entry>) => void
  /** A segment has got its last entry, whose hash is given where entries are chained, and another one follows it. */
  readonly sealed: (segment: Segment, hash: string | undefined) => void
}

/** Appends lines to the last segment of a log, one write and one fdatasync for everything that came meanwhile. */
interface GroupWriter {
  /**
   * Puts entries in line and calls back when they are durable, or with the reason why they are not. Those that are not
   * urgent wait a moment for others. Throws, and takes none of them, where one of them is not JSON.
   */
  readonly add: (
    entries: ReadonlyArray<Entry>,
    urgent: boolean,
    settled: (failure: string | undefined) => void
  ) => void
  /** Has a new segment begin before anything else is written, where the last one holds something; says why it could not. */
  readonly rotate: (callback: (failure: string | undefined) => void) => void
  /** Calls back when nothing is under way. */
  readonly idle: (callback: () => void) => void
  readonly close: () => void
}

/** What a writer works on: the segments of a directory, the last of which it goes on with. */
export interface Target {
  readonly disk: Operations
  readonly directory: string
  readonly segments: Array<Segment>
  /** The last entry that is there. */
  readonly last: Seq
  /** The hash of it; `undefined` where the entries that follow are not to be chained. */
  readonly chain: string | undefined
  /** A segment that has reached this size is followed by a new one. */
  readonly maxSegmentBytes: number
  /** Where the JSON of events goes that is larger than `maxInlineBytes`. */
  readonly payloads: PayloadWriter
  readonly maxInlineBytes: number
}

/**
 * A writer at the end of a log. After a failed write later groups are tried afresh; after a failure that is final nothing
 * is written any more until the log is opened again.
 */
export const makeGroupWriter = (target: Target, owner: Owner): GroupWriter => {
  const { directory, disk, maxInlineBytes, maxSegmentBytes, payloads, segments } = target
  let end: SegmentWriter = makeSegmentWriter(
    disk,
    segments.at(-1) ?? startSegment(target, 1 as Seq),
    maxSegmentBytes
  )
  let chain = target.chain
  let current = makeGroup(makeLines(chain))
  let spare: Lines = makeLines()
  let busy = false
  let broken: string | undefined
  let idlers: Array<() => void> = []
  let rotations: Array<(failure: string | undefined) => void> = []
  let last: number = target.last
  let lingering: NodeJS.Timeout | undefined

  const finish = (group: Group, failure: string | undefined): void => {
    for (const resume of group.waiting) resume(failure)
  }

  const fail = (group: Group, { final, reason }: WriteFailure): void => {
    if (final) broken = reason
    const next = current
    current = makeGroup(makeLines(chain))
    owner.failed([...group.entries, ...next.entries])
    finish(group, reason)
    finish(next, reason)
    turn()
  }

  const rotate = (nextSeq: Seq): void => {
    const segment = emptySegment(directory, nextSeq)
    const next = makeSegmentWriter(disk, segment, maxSegmentBytes)
    try {
      disk.syncDirectory(directory)
    } catch (error) {
      next.close()
      throw error
    }
    const { segment: full } = end
    end.close()
    end = next
    segments.push(segment)
    owner.sealed(full, chain)
  }

  const reuse = (lines: Lines): void => {
    clear(lines)
    spare = lines.bytes.length <= largestSpare ? lines : makeLines()
  }

  const write = (group: Group, first: Seq): void => {
    const { segment } = end
    const begin = segment.size
    const { lines } = group
    end.write(lines.bytes.subarray(0, lines.length), (failure) => {
      if (lines.payloads.length > 0) {
        if (failure === undefined) for (const { sha256 } of lines.payloads) segment.payloads.add(sha256)
        // After a failure that is final the lines may be there all the same when the log is opened again.
        if (failure?.final !== true) payloads.release()
      }
      if (failure === undefined) chain = lines.chain
      reuse(lines)
      if (failure === undefined) {
        for (const [index, seq] of group.marks.seqs.entries())
          mark(segment.marks, seq, begin + (group.marks.offsets[index] ?? 0))
        for (const { runId } of group.entries) segment.places.note(runId, begin, segment.size)
        last = first + group.entries.length - 1
        owner.durable(group.entries)
        finish(group, undefined)
        turn()
      } else fail(group, failure)
    })
  }

  const rotateFirst = (): void => {
    const callbacks = rotations
    rotations = []
    let failure = broken
    try {
      if (failure === undefined && end.segment.size > 0) rotate((last + 1) as Seq)
    } catch (error) {
      failure = reasonOf(error)
    }
    for (const callback of callbacks) callback(failure)
  }

  const turn = (): void => {
    if (rotations.length > 0) rotateFirst()
    const first = current.entries[0]
    if (first === undefined) {
      busy = false
      const callbacks = idlers
      idlers = []
      for (const callback of callbacks) callback()
      return
    }
    busy = true
    if (broken !== undefined) {
      fail(makeGroup(makeLines()), { reason: broken, final: true })
      return
    }
    const group = current
    spare.chain = group.lines.chain
    current = makeGroup(spare)
    try {
      if (end.segment.size >= maxSegmentBytes) rotate(first.seq)
    } catch (error) {
      fail(group, { reason: reasonOf(error), final: false })
      return
    }
    if (group.lines.payloads.length === 0) {
      write(group, first.seq)
      return
    }
    // A line must never be durable before what it refers to.
    payloads.write(group.lines.payloads, (reason) => {
      if (reason === undefined) {
        write(group, first.seq)
        return
      }
      reuse(group.lines)
      fail(group, { reason, final: false })
    })
  }

  const begin = (): void => {
    busy = true
    clearTimeout(lingering)
    lingering = undefined
  }

  const hurry = (): void => {
    begin()
    turn()
  }

  return {
    add: (entries, urgent, settled) => {
      const group = current
      const offset = group.lines.length
      addEntries(group.lines, entries, maxInlineBytes)
      if (entries[0] !== undefined) mark(group.marks, entries[0].seq, offset)
      for (const entry of entries) group.entries.push(entry)
      group.waiting.push(settled)
      if (busy) return
      if (urgent) {
        begin()
        // Whoever runs in the same turn joins the group instead of waiting for the next one.
        queueMicrotask(turn)
      } else lingering ??= setTimeout(hurry, lingerMillis)
    },
    rotate: (callback) => {
      rotations.push(callback)
      if (!busy) hurry()
    },
    idle: (callback) => {
      if (lingering !== undefined) hurry()
      if (busy) idlers.push(callback)
      else callback()
    },
    close: () => end.close()
  }
}

const startSegment = ({ directory, disk, segments }: Target, firstSeq: Seq): Segment => {
  const segment = emptySegment(directory, firstSeq)
  disk.close(disk.open(segment.file))
  disk.syncDirectory(directory)
  segments.push(segment)
  return segment
}
