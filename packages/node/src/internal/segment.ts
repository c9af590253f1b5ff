import * as fs from "node:fs"
import * as path from "node:path"
import type { Entry } from "@switchyard/core/Event"
import { LogDamaged } from "@switchyard/core/EventLog"
import type { Seq } from "@switchyard/core/Ids"
import { decode } from "./line.js"

/** How many entries apart the remembered positions of a segment are. */
const stride = 256

/** A file of the log. `positions[i]` is the byte at which the entry `firstSeq + i * 256` begins. */
export interface Segment {
  readonly file: string
  readonly firstSeq: Seq
  readonly positions: Array<number>
  size: number
}

const suffix = ".jsonl"

/** The file of the segment that begins with an entry: names sort like the positions they stand for. */
export const segmentFile = (directory: string, firstSeq: number): string =>
  path.join(directory, `${String(firstSeq).padStart(16, "0")}${suffix}`)

/** The segments of a directory in order, as far as their names tell. */
export const listSegments = (directory: string): ReadonlyArray<Segment> =>
  fs
    .readdirSync(directory)
    .filter((name) => /^\d{16}\.jsonl$/.test(name))
    .sort()
    .map((name) => ({
      file: path.join(directory, name),
      firstSeq: Number(name.slice(0, 16)) as Seq,
      positions: [],
      size: fs.statSync(path.join(directory, name)).size
    }))

/** Remembers where an entry begins, every so often. */
export const mark = (segment: Segment, seq: Seq, position: number): void => {
  if ((seq - segment.firstSeq) % stride === 0) segment.positions.push(position)
}

/** Where to begin reading for the first entry after a position. */
export const startFor = (segment: Segment, after: Seq): number =>
  segment.positions[Math.floor(Math.max(0, after + 1 - segment.firstSeq) / stride)] ?? 0

const newline = 0x0a
const chunkSize = 256 * 1024

/** A line of a segment, and the byte it begins at. `complete` is false for a last line without its newline. */
export interface RawLine {
  readonly text: string
  readonly offset: number
  readonly complete: boolean
}

/** The lines of a file from a byte up to another, read in chunks; a line may be of any length. */
export function* readLines(file: string, from: number, to: number): Generator<RawLine> {
  const fd = fs.openSync(file, "r")
  try {
    let rest: Buffer = Buffer.alloc(0)
    let offset = from
    let position = from
    while (position < to) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkSize, to - position))
      const read = fs.readSync(fd, chunk, 0, chunk.length, position)
      if (read === 0) break
      position += read
      const data =
        rest.length === 0 ? chunk.subarray(0, read) : Buffer.concat([rest, chunk.subarray(0, read)])
      let begin = 0
      for (let end = data.indexOf(newline, begin); end >= 0; end = data.indexOf(newline, begin)) {
        yield { text: data.toString("utf8", begin, end), offset, complete: true }
        offset += end + 1 - begin
        begin = end + 1
      }
      rest = data.subarray(begin)
    }
    if (rest.length > 0) yield { text: rest.toString("utf8"), offset, complete: false }
  } finally {
    fs.closeSync(fd)
  }
}

/** What was found at the end of the last segment and is no entry: what a crash in the middle of a write leaves. */
export interface TornTail {
  readonly offset: number
}

/**
 * Reads a whole segment and checks every line: checksums, and sequence numbers without a gap. Damage in the last line of
 * the last segment is a torn tail; damage anywhere else is an error.
 */
export const scan = (
  segment: Segment,
  isLast: boolean,
  visit: (entry: Entry) => void
): TornTail | LogDamaged | undefined => {
  let expected: number = segment.firstSeq
  let bad: { readonly reason: string; readonly line: number; readonly offset: number } | undefined
  let line = 0
  for (const { complete, offset, text } of readLines(segment.file, 0, segment.size)) {
    line++
    if (bad !== undefined) return new LogDamaged({ segment: segment.file, ...bad })
    const entry = complete ? decode(text) : "it has no end"
    if (typeof entry === "string") {
      bad = { reason: entry, line, offset }
    } else if (entry.seq !== expected) {
      const reason = `entry ${expected} is missing, entry ${entry.seq} stands in its place`
      return new LogDamaged({ segment: segment.file, offset, line, reason })
    } else {
      mark(segment, entry.seq, offset)
      expected++
      visit(entry)
    }
  }
  if (bad === undefined) return undefined
  return isLast ? { offset: bad.offset } : new LogDamaged({ segment: segment.file, ...bad })
}

/** Makes the entries of a directory durable: a new or renamed file is not before its directory is. */
export const syncDirectory = (directory: string): void => {
  const fd = fs.openSync(directory, "r")
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Cuts a torn tail off and keeps it in a file of its own beside the segment, so that nothing is ever thrown away. */
export const cutTail = (segment: Segment, { offset }: TornTail): string => {
  const fragment = fs.readFileSync(segment.file).subarray(offset)
  const kept = `${segment.file.slice(0, -suffix.length)}.torn-${offset}`
  fs.writeFileSync(kept, fragment, { flush: true })
  const fd = fs.openSync(segment.file, "r+")
  try {
    fs.ftruncateSync(fd, offset)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  syncDirectory(path.dirname(segment.file))
  segment.size = offset
  return kept
}
