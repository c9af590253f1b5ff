import type { Payload } from "./payload.js"

/** Lines that are written together; `bytes` has room for more than `length`. */
export interface Lines {
  bytes: Buffer
  length: number
  /** What the lines refer to. */
  readonly payloads: Array<Payload>
  /** The hash of the line before the next one, in hex; `undefined` where lines are not chained. */
  chain: string | undefined
}

/** No lines as yet, with room for some. */
export const makeLines = (chain?: string): Lines => ({
  bytes: Buffer.allocUnsafe(64 * 1024),
  length: 0,
  payloads: [],
  chain
})

/** Takes all lines away, so that others can have their room. */
export const clear = (lines: Lines): void => {
  lines.length = 0
  lines.payloads.length = 0
}

const reserve = (lines: Lines, size: number): void => {
  if (lines.length + size <= lines.bytes.length) return
  const larger = Buffer.allocUnsafe(Math.max(2 * lines.bytes.length, lines.length + size))
  lines.bytes.copy(larger, 0, 0, lines.length)
  lines.bytes = larger
}

/** A text that is the same each time, as bytes. */
export const fixed = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** Adds bytes as they are. */
export const put = (lines: Lines, bytes: Uint8Array): void => {
  reserve(lines, bytes.length)
  lines.bytes.set(bytes, lines.length)
  lines.length += bytes.length
}

/** Adds a text as it is. */
export const putText = (lines: Lines, text: string): void => {
  reserve(lines, 3 * text.length)
  lines.length += lines.bytes.write(text, lines.length)
}

const zero = 0x30
const longestInteger = 16

/** Adds a number as JSON; it must be one that JSON can say. */
export const putNumber = (lines: Lines, value: number): void => {
  if (!Number.isSafeInteger(value) || value < 0) {
    putText(lines, `${value}`)
    return
  }
  reserve(lines, longestInteger)
  let digits = 1
  for (let power = 10; power <= value; power *= 10) digits++
  lines.length += digits
  let at = lines.length
  let rest = value
  // Whole numbers of 31 bits are divided several times as fast as others.
  for (; rest > 0x3fffffff; digits--) {
    const tenth = Math.floor(rest / 10)
    lines.bytes[--at] = zero + (rest - 10 * tenth)
    rest = tenth
  }
  for (let small = rest | 0; digits > 0; digits--) {
    const tenth = (small / 10) | 0
    lines.bytes[--at] = zero + (small - 10 * tenth)
    small = tenth
  }
}

const quote = 0x22
const backslash = 0x5c

/** Adds a text as JSON. */
export const putString = (lines: Lines, text: string): void => {
  if (typeof text !== "string") throw new TypeError(`${String(text)} stands where a text has to be`)
  const begin = lines.length
  reserve(lines, text.length + 2)
  const { bytes } = lines
  let at = begin
  bytes[at++] = quote
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e || code === quote || code === backslash) {
      putText(lines, JSON.stringify(text))
      return
    }
    bytes[at++] = code
  }
  bytes[at++] = quote
  lines.length = at
}

const known = new Map<string, Uint8Array>()

/** Adds, as JSON, a text that comes again and again, such as an id. */
export const putId = (lines: Lines, text: string): void => {
  let bytes = known.get(text)
  if (bytes === undefined) {
    if (typeof text !== "string") throw new TypeError(`${String(text)} stands where an id has to be`)
    if (known.size >= 4096) known.clear()
    bytes = fixed(JSON.stringify(text))
    known.set(text, bytes)
  }
  put(lines, bytes)
}
