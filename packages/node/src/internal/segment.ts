import * as fs from "node:fs"
import * as path from "node:path"
import type { Seq } from "@switchyard/core/Ids"
import { growingPlaces, type RunPlaces } from "./runPlaces.js"

/** A file of the log, up to the end of its last line; what may follow is blank. */
export interface Segment {
  readonly file: string
  readonly firstSeq: Seq
  marks: Marks
  places: RunPlaces
  /** The SHA-256 of the payloads that its lines refer to. */
  payloads: Set<string>
  size: number
}

/** Where some of the entries of a segment begin: `offsets[i]` is the byte of the entry `seqs[i]`, both ascending. */
export interface Marks {
  readonly seqs: Array<number>
  readonly offsets: Array<number>
}

/** How many bytes the remembered places are apart at least. */
const stride = 16 * 1024

/** Remembers where an entry begins, every so often. */
export const mark = ({ offsets, seqs }: Marks, seq: number, offset: number): void => {
  if (offset - (offsets.at(-1) ?? -stride) < stride) return
  seqs.push(seq)
  offsets.push(offset)
}

/** The last remembered place that is not behind an entry. */
export const startFor = ({ offsets, seqs }: Marks, seq: number): number => {
  let low = 0
  let high = seqs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((seqs[middle] ?? 0) <= seq) low = middle + 1
    else high = middle
  }
  return offsets[low - 1] ?? 0
}

const suffix = ".jsonl"

/** The file of the segment that begins with an entry: names sort like the positions they stand for. */
export const segmentFile = (directory: string, firstSeq: number): string =>
  path.join(directory, `${String(firstSeq).padStart(16, "0")}${suffix}`)

/** The file of another kind that belongs to a segment. */
export const beside = (file: string, kind: string): string => `${file.slice(0, -suffix.length)}.${kind}`

/** A segment without any entry as yet. */
export const emptySegment = (directory: string, firstSeq: Seq): Segment => ({
  file: segmentFile(directory, firstSeq),
  firstSeq,
  marks: { seqs: [], offsets: [] },
  places: growingPlaces(),
  payloads: new Set(),
  size: 0
})

/** The segments of a directory in order, as far as their names tell; `size` is that of the file. */
export const listSegments = (directory: string): Array<Segment> =>
  fs
    .readdirSync(directory)
    .filter((name) => /^\d{16}\.jsonl$/.test(name))
    .sort()
    .map((name) => ({
      ...emptySegment(directory, Number(name.slice(0, 16)) as Seq),
      size: fs.statSync(path.join(directory, name)).size
    }))

const newline = 0x0a
const chunkSize = 256 * 1024

/** A line without its newline, and the byte it begins at; `complete` is false for a last line without a newline. */
export interface RawLine {
  readonly bytes: Buffer
  readonly offset: number
  readonly complete: boolean
}

/** The lines of an open file from a byte up to another, read in chunks; a line may be of any length. */
export function* readLines(fd: number, from: number, to: number): Generator<RawLine> {
  let rest: Array<Buffer> = []
  let offset = from
  let position = from
  while (position < to) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkSize, to - position))
    const read = fs.readSync(fd, chunk, 0, chunk.length, position)
    if (read === 0) break
    position += read
    let begin = 0
    for (let end = chunk.indexOf(newline); end >= 0 && end < read; end = chunk.indexOf(newline, begin)) {
      const part = chunk.subarray(begin, end)
      const bytes = rest.length === 0 ? part : Buffer.concat([...rest, part])
      rest = []
      yield { bytes, offset, complete: true }
      offset += bytes.length + 1
      begin = end + 1
    }
    if (begin < read) rest.push(chunk.subarray(begin, read))
  }
  if (rest.length > 0) yield { bytes: Buffer.concat(rest), offset, complete: false }
}

/** Opens a file for reading, for as long as it is used. */
export const withFile = <A>(file: string, use: (fd: number) => A): A => {
  const fd = fs.openSync(file, "r")
  try {
    return use(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** The number of the line, from 1, that begins at a byte. */
export const lineAt = (fd: number, offset: number): number => {
  let line = 1
  for (const { complete } of readLines(fd, 0, offset)) if (complete) line++
  return line
}
