import type { Entry } from "@switchyard/core/Event"
import type { Seq } from "@switchyard/core/Ids"
import type { Operations } from "./disk.js"
import { reasonOf } from "./fileSystem.js"
import { encode } from "./line.js"
import { mark, type Segment, segmentFile } from "./segment.js"

/** Entries that are written and made durable together, and who waits for that. */
interface Group {
  readonly entries: Array<Entry>
  readonly lines: Array<string>
  readonly waiting: Array<(failure: string | undefined) => void>
}

const makeGroup = (): Group => ({ entries: [], lines: [], waiting: [] })

/**
 * How long entries that nobody waits for may stay in memory for the next append to take them along: without it the end of
 * a short step would wait for the disk to take in its start, and a chain of steps would cost two fdatasyncs a step.
 */
const lingerMillis = 5

/** What a writer tells its owner; both are called before anybody who waits is. */
export interface Owner {
  readonly durable: (entries: ReadonlyArray<Entry>) => void
  /** Nothing of these entries is in the log; they are the last ones that were added. */
  readonly failed: (entries: ReadonlyArray<Entry>) => void
}

/** Appends lines to the last segment of a log, one write and one fdatasync for everything that came meanwhile. */
interface GroupWriter {
  /** Puts entries in line and calls back when they are durable, or with the reason why they are not. Those that are not urgent wait a moment for others. */
  readonly add: (
    entries: ReadonlyArray<Entry>,
    urgent: boolean,
    settled: (failure: string | undefined) => void
  ) => void
  /** Calls back when nothing is under way. */
  readonly idle: (callback: () => void) => void
  readonly close: () => void
}

/**
 * A writer at the end of a segment. A failed write is cut off again and later groups are tried afresh; after a failed
 * fdatasync nobody knows what the disk holds (https://wiki.postgresql.org/wiki/Fsync_Errors), so nothing is written any
 * more until the log is opened again.
 */
export const makeGroupWriter = (
  disk: Operations,
  directory: string,
  segments: Array<Segment>,
  maxSegmentBytes: number,
  owner: Owner
): GroupWriter => {
  let segment = segments.at(-1) ?? startSegment(disk, directory, 1 as Seq)
  if (segments.length === 0) segments.push(segment)
  let fd = disk.open(segment.file)
  let current = makeGroup()
  let busy = false
  let broken: string | undefined
  let idlers: Array<() => void> = []
  let lingering: NodeJS.Timeout | undefined

  const finish = (group: Group, failure: string | undefined): void => {
    if (failure === undefined) owner.durable(group.entries)
    for (const resume of group.waiting) resume(failure)
  }

  const fail = (group: Group, failure: string): void => {
    const next = current
    current = makeGroup()
    owner.failed([...group.entries, ...next.entries])
    finish(group, failure)
    finish(next, failure)
    turn()
  }

  const rotate = (nextSeq: Seq): void => {
    const next = startSegment(disk, directory, nextSeq)
    const nextFd = disk.open(next.file)
    disk.close(fd)
    segments.push(next)
    segment = next
    fd = nextFd
  }

  const undo = (): void => {
    try {
      disk.truncate(fd, segment.size)
    } catch (error) {
      broken = `a failed write could not be undone: ${reasonOf(error)}`
    }
  }

  const write = (group: Group, bytes: Buffer, from: number): void => {
    disk.write(fd, bytes.subarray(from), segment.size + from, (error, written) => {
      if (error !== null) {
        undo()
        fail(group, reasonOf(error))
        return
      }
      if (from + written < bytes.length) {
        write(group, bytes, from + written)
        return
      }
      disk.datasync(fd, (unsynced) => {
        if (unsynced !== null) {
          broken = `${reasonOf(unsynced)}; close the log and open it again`
          // Who waits is told that it is not in the log, so it must not be found there when the log is opened again.
          undo()
          fail(group, broken)
          return
        }
        let position = segment.size
        for (let i = 0; i < group.entries.length; i++) {
          const entry = group.entries[i]
          if (entry !== undefined) mark(segment, entry.seq, position)
          position += Buffer.byteLength(group.lines[i] ?? "")
        }
        segment.size = position
        finish(group, undefined)
        turn()
      })
    })
  }

  const turn = (): void => {
    const first = current.entries[0]
    if (first === undefined) {
      busy = false
      const callbacks = idlers
      idlers = []
      for (const callback of callbacks) callback()
      return
    }
    busy = true
    const group = current
    if (broken !== undefined) {
      fail(makeGroup(), broken)
      return
    }
    current = makeGroup()
    try {
      if (segment.size >= maxSegmentBytes) rotate(first.seq)
    } catch (error) {
      fail(group, reasonOf(error))
      return
    }
    write(group, Buffer.from(group.lines.join("")), 0)
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
      for (const entry of entries) {
        group.entries.push(entry)
        group.lines.push(encode(entry))
      }
      group.waiting.push(settled)
      if (busy) return
      if (urgent) {
        begin()
        // Whoever runs in the same turn joins the group instead of waiting for the next one.
        queueMicrotask(turn)
      } else lingering ??= setTimeout(hurry, lingerMillis)
    },
    idle: (callback) => {
      if (lingering !== undefined) hurry()
      if (busy) idlers.push(callback)
      else callback()
    },
    close: () => disk.close(fd)
  }
}

const startSegment = (disk: Operations, directory: string, firstSeq: Seq): Segment => {
  const file = segmentFile(directory, firstSeq)
  disk.close(disk.open(file))
  disk.syncDirectory(directory)
  return { file, firstSeq, positions: [], size: 0 }
}
