import { crc32 } from "node:zlib"
import type { Entry } from "@switchyard/core/Event"
import { eventText, quoted } from "./eventText.js"

/** What every line begins with, by which lines are found among bytes that are none. */
export const lineHead = '{"crc":"'

const crcEnd = lineHead.length + 8
const restAt = crcEnd + 2
const groupMark = '"group":1,'
const gapMark = '"gap":'
const unchecked = `${lineHead}00000000",`

const hexDigits = Buffer.from("0123456789abcdef")

/** Lines that are written together; `bytes` has room for more than `length`. */
export interface Lines {
  bytes: Buffer
  length: number
}

/** No lines as yet, with room for some. */
export const makeLines = (): Lines => ({ bytes: Buffer.allocUnsafe(64 * 1024), length: 0 })

const reserve = (lines: Lines, at: number, size: number): void => {
  if (at + size <= lines.bytes.length) return
  const larger = Buffer.allocUnsafe(Math.max(2 * lines.bytes.length, at + size))
  lines.bytes.copy(larger, 0, 0, at)
  lines.bytes = larger
}

/**
 * Puts a line after a byte and gives the byte after it: a JSON object that is given without its opening brace, whose first
 * key is the CRC-32 of that text.
 */
const putLine = (lines: Lines, at: number, rest: string): number => {
  const text = `${unchecked}${rest}\n`
  reserve(lines, at, 3 * text.length)
  const { bytes } = lines
  const end = at + bytes.write(text, at)
  const crc = crc32(bytes.subarray(at + restAt, end - 1))
  for (let digit = 0; digit < 8; digit++) {
    bytes[at + lineHead.length + digit] = hexDigits[(crc >>> (28 - 4 * digit)) & 15] ?? 0
  }
  return end
}

/**
 * Adds the lines of entries, the first of which gets a mark where it is the first line of all. Throws, and adds none of
 * them, where one of them is not JSON.
 */
export const addEntries = (lines: Lines, entries: ReadonlyArray<Entry>): void => {
  let at = lines.length
  for (const { event, runId, runSeq, seq, time } of entries) {
    const begins = at === 0 ? groupMark : ""
    at = putLine(
      lines,
      at,
      `${begins}"seq":${seq},"time":${time},"runId":${quoted(runId)},"runSeq":${runSeq},"event":${eventText(event)}}`
    )
  }
  lines.length = at
}

/**
 * What a line says of the positions from `first` to `last`: the one entry there, or that what stood there was removed on
 * purpose.
 */
export interface Decoded {
  readonly first: number
  readonly last: number
  readonly entry: Entry | undefined
  readonly beginsGroup: boolean
}

/** Adds the line that stands for entries that were removed on purpose. */
export const addGap = (lines: Lines, first: number, last: number): void => {
  lines.length = putLine(lines, lines.length, `${gapMark}{"from":${first},"to":${last}}}`)
}

const checksumOf = (line: Buffer): number => {
  let crc = 0
  for (let i = lineHead.length; i < crcEnd; i++) {
    const byte = line[i] ?? 0
    crc =
      crc * 16 +
      (byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : NaN)
  }
  return crc
}

/** Adds a line as it stands in another file, without its newline. */
export const addLine = (lines: Lines, line: Uint8Array): void => {
  reserve(lines, lines.length, line.length + 1)
  lines.bytes.set(line, lines.length)
  lines.length += line.length + 1
  lines.bytes[lines.length - 1] = 0x0a
}

const startsWith = (line: Buffer, text: string, at: number): boolean =>
  line.toString("latin1", at, at + text.length) === text

/** Reads a line without its newline and checks it; gives in words why it is none. */
export const decode = (line: Buffer): Decoded | string => {
  if (line.length <= restAt || !startsWith(line, lineHead, 0)) return "it does not begin as an entry does"
  if (line[crcEnd] !== 0x22 || line[crcEnd + 1] !== 0x2c) return "its checksum does not end where it should"
  if (crc32(line.subarray(restAt)) !== checksumOf(line)) return "its checksum does not match its content"
  const beginsGroup = startsWith(line, groupMark, restAt)
  const rest = line.toString("utf8", beginsGroup ? restAt + groupMark.length : restAt)
  try {
    if (rest.startsWith(gapMark)) {
      const { from, to } = JSON.parse(rest.slice(gapMark.length, -1))
      return { first: from, last: to, entry: undefined, beginsGroup }
    }
    const entry: Entry = JSON.parse(`{${rest}`)
    return { first: entry.seq, last: entry.seq, entry, beginsGroup }
  } catch {
    return "it is not JSON"
  }
}
