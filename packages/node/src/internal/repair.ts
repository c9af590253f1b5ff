import * as fs from "node:fs"
import * as path from "node:path"
import { LogDamaged } from "@switchyard/core/EventLog"
import type { Operations } from "./disk.js"
import { type Decoded, decode, lineHead } from "./line.js"
import { beside, mark, readLines, type Segment, withFile } from "./segment.js"

/** What a segment holds: its lines end at `end`, its last group begins at `group`, and what follows may be torn. */
export interface Scanned {
  readonly end: number
  readonly group: number
  readonly torn: boolean
}

/** Bytes that a file is filled with ahead of its lines, or that a hole in it is read as. */
const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0x0a || byte === 0)

const restIsBlank = (fd: number, from: number, to: number): boolean => {
  const chunk = Buffer.allocUnsafe(64 * 1024)
  for (let at = from; at < to; ) {
    const read = fs.readSync(fd, chunk, 0, Math.min(chunk.length, to - at), at)
    if (read === 0) return true
    if (!isBlank(chunk.subarray(0, read))) return false
    at += read
  }
  return true
}

/** The entry that a line holds if it is the one that comes next, or in words why not. */
const read = (bytes: Buffer, complete: boolean, expected: number): Decoded | string => {
  if (!complete) return "it has no end"
  if (bytes.length === 0) return `entry ${expected} is missing, a blank line stands in its place`
  const decoded = decode(bytes)
  return typeof decoded === "string" || decoded.first === expected
    ? decoded
    : `entry ${expected} is missing, entry ${decoded.first} stands in its place`
}

/** Whether an entry that begins a group stands anywhere in the bytes after a place, also behind garbage without a newline. */
const groupFollows = (fd: number, from: number, to: number): boolean => {
  for (const { bytes, complete } of readLines(fd, from, to)) {
    if (!complete) return false
    for (let at = bytes.indexOf(lineHead); at >= 0; at = bytes.indexOf(lineHead, at + 1)) {
      const decoded = decode(bytes.subarray(at))
      if (typeof decoded !== "string" && decoded.beginsGroup) return true
    }
  }
  return false
}

/** What a line says, and its bytes without the newline, which stand before `to`. */
export interface Placed extends Decoded {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

/**
 * Reads a whole segment and checks every line: checksums, and sequence numbers without a gap. A group is written only after
 * the one before is durable. So where a line is bad and a later one begins a group, the bad one was durable, and that is
 * damage; otherwise it belongs to the last group, which nobody was told of, and is torn. Only the last segment may be torn.
 */
export function* checked(segment: Segment, isLast: boolean): Generator<Placed, Scanned | LogDamaged> {
  const fd = fs.openSync(segment.file, "r")
  try {
    let expected: number = segment.firstSeq
    let line = 0
    let end = 0
    let group = 0
    for (const { bytes, complete, offset } of readLines(fd, 0, segment.size)) {
      line++
      const found = read(bytes, complete, expected)
      if (typeof found !== "string") {
        mark(segment.marks, expected, offset)
        expected = found.last + 1
        end = offset + bytes.length + 1
        if (found.beginsGroup) group = offset
        yield { ...found, bytes, from: offset, to: end }
        continue
      }
      if (isBlank(bytes) && restIsBlank(fd, offset, segment.size)) break
      if (isLast && !groupFollows(fd, offset, segment.size)) return { end, group, torn: true }
      return new LogDamaged({ segment: segment.file, offset, line, reason: found })
    }
    return { end, group, torn: false }
  } finally {
    fs.closeSync(fd)
  }
}

/** Keeps what follows the lines of a segment in a file of its own beside it, so that nothing is ever thrown away. */
export const keepTorn = (disk: Operations, { file, size }: Segment, end: number): string => {
  const fragment = withFile(file, (fd) => {
    const bytes = Buffer.alloc(size - end)
    return bytes.subarray(0, fs.readSync(fd, bytes, 0, bytes.length, end))
  })
  const kept = beside(file, `torn-${end}`)
  fs.writeFileSync(kept, fragment, { flush: true })
  disk.syncDirectory(path.dirname(file))
  return kept
}

/**
 * Makes what is in a segment durable and removes what follows. The lines that a killed process left may be in the page cache
 * only, and a sync that failed before may have left them there marked as written, so the last group is written once more.
 */
export const settle = (disk: Operations, segment: Segment, { end, group }: Scanned): void => {
  const fd = disk.open(segment.file)
  try {
    disk.truncate(fd, end)
    const bytes = Buffer.alloc(end - group)
    fs.readSync(fd, bytes, 0, bytes.length, group)
    for (let done = 0; done < bytes.length; ) {
      done += disk.writeNow(fd, bytes.subarray(done), group + done)
    }
    disk.datasyncNow(fd)
  } finally {
    disk.close(fd)
  }
  segment.size = end
}
