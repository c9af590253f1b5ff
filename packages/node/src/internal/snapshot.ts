import * as fs from "node:fs"
import { crc32 } from "node:zlib"
import type { OpenRun } from "@switchyard/core/EventLog"
import type { RunId, Seq } from "@switchyard/core/Ids"
import { packedPlaces } from "./runPlaces.js"
import { beside, type Segment, withFile } from "./segment.js"

/** What is known at the end of a segment without reading it. */
export interface AtEnd {
  /** The last entry of the segment. */
  readonly last: Seq
  /** The runs that have not ended by then. */
  readonly openRuns: ReadonlyMap<RunId, OpenRun>
  /** The hash of the last entry, where it is chained. */
  readonly hash: string | undefined
}

interface Header {
  readonly version: number
  readonly last: Seq
  readonly size: number
  readonly hash?: string | undefined
  readonly open: ReadonlyArray<readonly [RunId, Seq, number]>
  readonly payloads: ReadonlyArray<string>
  readonly columns: ReadonlyArray<number>
}

const version = 2
const newline = 0x0a
const fileOf = (segment: Segment): string => beside(segment.file, "snapshot")

/**
 * Keeps beside a segment what opening the log would read it for: a line of JSON, then columns of 32-bit numbers, then the
 * CRC-32 of it all. Nothing is lost with it, so it is neither synced nor missed.
 */
export const writeSnapshot = (segment: Segment, { hash, last, openRuns }: AtEnd): void => {
  const { froms, hashes, tos } = segment.places.pack()
  const seqs = Uint32Array.from(segment.marks.seqs, (seq) => seq - segment.firstSeq)
  const columns = [seqs, Uint32Array.from(segment.marks.offsets), hashes, froms, tos]
  const header: Header = {
    version,
    last,
    size: segment.size,
    hash,
    open: [...openRuns].map(([runId, { firstSeq, runSeq }]) => [runId, firstSeq, runSeq]),
    payloads: [...segment.payloads],
    columns: columns.map(({ length }) => length)
  }
  const content = Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    ...columns.map(({ buffer, byteLength, byteOffset }) => Buffer.from(buffer, byteOffset, byteLength))
  ])
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32(content))
  const file = fileOf(segment)
  try {
    fs.writeFileSync(`${file}.new`, Buffer.concat([content, sum]))
    fs.renameSync(`${file}.new`, file)
  } catch {
    // It is made anew from the segment when the log is opened.
  }
}

/** Whether the lines of a segment can end at a byte: a line does, and nothing or something blank follows. */
const endsAt = ({ file }: Segment, size: number): boolean =>
  withFile(file, (fd) => {
    const around = Buffer.from([0, 0])
    const read = fs.readSync(fd, around, 0, 2, size - 1)
    return read > 0 && around[0] === newline && (around[1] === newline || around[1] === 0)
  })

const parse = (segment: Segment, bytes: Buffer): AtEnd | undefined => {
  if (bytes.length < 5) return undefined
  const content = bytes.subarray(0, -4)
  if (crc32(content) !== bytes.readUInt32LE(content.length)) return undefined
  const begin = content.indexOf("\n") + 1
  const header: Header = JSON.parse(content.toString("utf8", 0, begin))
  if (header.version !== version || !endsAt(segment, header.size)) return undefined
  // Copied, since a column may begin anywhere and 32-bit numbers may not.
  const numbers = new Uint32Array(new Uint8Array(content.subarray(begin)).buffer)
  let at = 0
  const [seqs, offsets, hashes, froms, tos] = header.columns.map((length) => {
    at += length
    return numbers.slice(at - length, at)
  })
  if (!seqs || !offsets || !hashes || !froms || !tos) return undefined
  segment.size = header.size
  segment.marks = {
    seqs: Array.from(seqs, (seq) => seq + segment.firstSeq),
    offsets: Array.from(offsets)
  }
  segment.places = packedPlaces({ hashes, froms, tos })
  segment.payloads = new Set(header.payloads)
  return {
    last: header.last,
    hash: header.hash,
    openRuns: new Map(header.open.map(([runId, firstSeq, runSeq]) => [runId, { firstSeq, runSeq }]))
  }
}

/** Takes what is known of a segment from its snapshot; `undefined` where there is none that fits it. */
export const readSnapshot = (segment: Segment): AtEnd | undefined => {
  try {
    return parse(segment, fs.readFileSync(fileOf(segment)))
  } catch {
    return undefined
  }
}
