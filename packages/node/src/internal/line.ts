import { hash } from "node:crypto"
import { crc32 } from "node:zlib"
import type { Entry, Event } from "@switchyard/core/Event"
import { putEvent } from "./eventBytes.js"
import { fixed, type Lines, put, putId, putNumber, putText } from "./lineBytes.js"
import { payloadOf, type Reference, referenceOf } from "./payload.js"

/** What every line begins with, by which lines are found among bytes that are none. */
export const lineHead = '{"crc":"'

const crcEnd = lineHead.length + 8
const restAt = crcEnd + 2
const hashMark = '"hash":"'
const hashAt = restAt + hashMark.length
const hashEnd = hashAt + 64
const groupMark = '"group":1,'
const gapMark = '"gap":'

const hexDigits = Buffer.from("0123456789abcdef")

const unchecked = fixed(`${lineHead}00000000",`)
const hashKey = fixed(hashMark)
const hashClose = fixed('",')
const group = fixed(groupMark)
const gap = fixed(gapMark)
const seqKey = fixed('"seq":')
const timeKey = fixed(',"time":')
const runIdKey = fixed(',"runId":')
const runSeqKey = fixed(',"runSeq":')
const eventKey = fixed(',"event":')
const close = fixed("}\n")

/** What the first line of a chain has in the place of the hash of the one before it. */
export const chainStart = "0".repeat(64)

const putHash = (lines: Lines, text: string | undefined): void => {
  if (text === undefined) return
  put(lines, hashKey)
  putText(lines, text)
  put(lines, hashClose)
}

/** Puts the hash of the line that was just added in the place of that of the line before, which is a part of what is hashed. */
const link = (lines: Lines, begin: number): void => {
  if (lines.chain === undefined) return
  const { bytes, length } = lines
  lines.chain = hash("sha256", bytes.subarray(begin + hashAt, length - 1))
  bytes.write(lines.chain, begin + hashAt, "latin1")
}

/** The hash that a line has if it follows another one: of the hash of that, and of its own bytes behind its hash. */
export const hashAfter = (previous: string, line: Buffer): string =>
  hash("sha256", Buffer.concat([Buffer.from(previous), line.subarray(hashEnd)]))

/** Puts the CRC-32 of the line that was just added in its place. */
const sign = ({ bytes, length }: Lines, begin: number): void => {
  const crc = crc32(bytes.subarray(begin + restAt, length - 1))
  for (let digit = 0; digit < 8; digit++) {
    bytes[begin + lineHead.length + digit] = hexDigits[(crc >>> (28 - 4 * digit)) & 15] ?? 0
  }
}

const putInline = (lines: Lines, event: Event, maxInlineBytes: number): void => {
  const begin = lines.length
  putEvent(lines, event)
  // An event that looks like a reference would be taken for one.
  if (lines.length - begin <= maxInlineBytes && referenceOf(event) === undefined) return
  const payload = payloadOf(Buffer.from(lines.bytes.subarray(begin, lines.length)))
  const { bytes, sha256 } = payload
  lines.payloads.push(payload)
  lines.length = begin
  putText(lines, JSON.stringify({ _tag: event._tag, payload: { sha256, bytes } }))
}

const addEntry = (lines: Lines, { event, runId, runSeq, seq, time }: Entry, maxInlineBytes: number): void => {
  const begin = lines.length
  put(lines, unchecked)
  putHash(lines, lines.chain)
  if (begin === 0) put(lines, group)
  put(lines, seqKey)
  putNumber(lines, seq)
  put(lines, timeKey)
  putNumber(lines, time)
  put(lines, runIdKey)
  putId(lines, runId)
  put(lines, runSeqKey)
  putNumber(lines, runSeq)
  put(lines, eventKey)
  putInline(lines, event, maxInlineBytes)
  put(lines, close)
  link(lines, begin)
  sign(lines, begin)
}

/**
 * Adds the lines of entries, the first of which gets a mark where it is the first line of all; events whose JSON is larger
 * than `maxInlineBytes` become payloads. Throws, and adds none of them, where one of them is not JSON.
 */
export const addEntries = (
  lines: Lines,
  entries: ReadonlyArray<Entry>,
  maxInlineBytes = Number.POSITIVE_INFINITY
): void => {
  const begin = lines.length
  const payloads = lines.payloads.length
  const { chain } = lines
  try {
    for (const entry of entries) addEntry(lines, entry, maxInlineBytes)
  } catch (error) {
    lines.length = begin
    lines.payloads.length = payloads
    lines.chain = chain
    throw error
  }
}

/** Adds the line that stands for entries that were removed on purpose, with the hash of the last of them. */
export const addGap = (lines: Lines, first: number, last: number, hashOfLast: string | undefined): void => {
  const begin = lines.length
  put(lines, unchecked)
  putHash(lines, hashOfLast)
  put(lines, gap)
  putText(lines, `{"from":${first},"to":${last}}`)
  put(lines, close)
  sign(lines, begin)
}

const newline = fixed("\n")

/** Adds a line as it stands in another file, without its newline. */
export const addLine = (lines: Lines, line: Uint8Array): void => {
  put(lines, line)
  put(lines, newline)
}

/** Adds a line that refers to a payload as it would be with the payload in it. */
export const addWhole = (lines: Lines, line: Buffer, payload: Uint8Array): void => {
  const begin = lines.length
  put(lines, line.subarray(0, line.indexOf(eventKey) + eventKey.length))
  put(lines, payload)
  put(lines, close)
  sign(lines, begin)
}

/**
 * What a line says of the positions from `first` to `last`: the one entry there, or that what stood there was removed on
 * purpose.
 */
export interface Decoded {
  readonly first: number
  readonly last: number
  readonly entry: Entry | undefined
  /** What stands in the place of the event of the entry, where that is a payload. */
  readonly payload: Reference | undefined
  /** The hash of the line, in hex, where lines are chained; it was not checked. */
  readonly hash: string | undefined
  readonly beginsGroup: boolean
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

const startsWith = (line: Buffer, text: string, at: number): boolean =>
  line.toString("latin1", at, at + text.length) === text

/** Reads a line without its newline and checks it; gives in words why it is none. */
export const decode = (line: Buffer): Decoded | string => {
  if (line.length <= restAt || !startsWith(line, lineHead, 0)) return "it does not begin as an entry does"
  if (line[crcEnd] !== 0x22 || line[crcEnd + 1] !== 0x2c) return "its checksum does not end where it should"
  if (crc32(line.subarray(restAt)) !== checksumOf(line)) return "its checksum does not match its content"
  const isChained = line[restAt + 1] === hashMark.charCodeAt(1) && startsWith(line, hashMark, restAt)
  const linked = isChained ? line.toString("latin1", hashAt, hashEnd) : undefined
  if (linked !== undefined && !/^[0-9a-f]{64}$/.test(linked)) return "its hash is none"
  const contentAt = isChained ? hashEnd + hashClose.length : restAt
  const beginsGroup = startsWith(line, groupMark, contentAt)
  const rest = line.toString("utf8", beginsGroup ? contentAt + groupMark.length : contentAt)
  try {
    if (rest.startsWith(gapMark)) {
      const { from, to } = JSON.parse(rest.slice(gapMark.length, -1))
      return { first: from, last: to, entry: undefined, payload: undefined, hash: linked, beginsGroup }
    }
    const entry: Entry = JSON.parse(`{${rest}`)
    return {
      first: entry.seq,
      last: entry.seq,
      entry,
      payload: referenceOf(entry.event),
      hash: linked,
      beginsGroup
    }
  } catch {
    return "it is not JSON"
  }
}
