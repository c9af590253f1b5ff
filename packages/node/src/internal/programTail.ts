import { stripVTControlCharacters } from "node:util"

/** The last bytes of a stream, in bounded memory. */
export interface Tail {
  readonly push: (chunk: Uint8Array) => void
  /** How many bytes at the beginning are not kept. */
  readonly omitted: () => number
  /** What is kept, as text; bytes that are not UTF-8 are replaced. */
  readonly text: () => string
}

/** Keeps the last `limit` bytes, and not more than twice as many at any time. */
export const makeTail = (limit: number): Tail => {
  let kept = Buffer.alloc(0)
  let pending: Array<Uint8Array> = []
  let pendingBytes = 0
  let total = 0
  const merge = () => {
    const all = Buffer.concat([kept, ...pending])
    // A copy, because a slice would keep the whole of it in memory.
    kept = all.length > limit ? Buffer.from(all.subarray(all.length - limit)) : all
    pending = []
    pendingBytes = 0
  }
  return {
    push: (chunk) => {
      total += chunk.length
      pending.push(chunk)
      pendingBytes += chunk.length
      if (pendingBytes >= limit || pending.length >= 1024) merge()
    },
    omitted: () => Math.max(0, total - limit),
    text: () => {
      merge()
      let start = 0
      // The cut may have split a character.
      if (total > limit) while (start < 3 && ((kept[start] ?? 0) & 0xc0) === 0x80) start++
      return kept.subarray(start).toString("utf8")
    }
  }
}

/** The last 2,000 characters of a text without what is meant for terminals, for an error message. */
export const ending = (text: string): string =>
  stripVTControlCharacters(text)
    .trim()
    .slice(-2000)
    .replace(/^[\uDC00-\uDFFF]/, "")

/** Lines, however the chunks are cut. */
export interface Lines {
  readonly push: (chunk: Uint8Array) => void
  readonly end: () => void
}

/** Calls `onLine` with each line, however the chunks are cut; a line of more than `limit` characters is left out. */
export const makeLines = (limit: number, onLine: (line: string) => void): Lines => {
  const decoder = new TextDecoder()
  let parts: Array<string> = []
  let length = 0
  const close = () => {
    if (length > 0 && length <= limit) onLine(parts.join(""))
    parts = []
    length = 0
  }
  const add = (text: string) => {
    if (text === "") return
    length += text.length
    if (length > limit) parts = []
    else parts.push(text)
  }
  const feed = (text: string) => {
    const pieces = text.split("\n")
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) close()
      add(piece)
    }
  }
  return {
    push: (chunk) => feed(decoder.decode(chunk, { stream: true })),
    end: () => {
      feed(decoder.decode())
      close()
    }
  }
}

/** Notices bytes that are not UTF-8. */
export interface Utf8Check {
  readonly push: (chunk: Uint8Array) => void
  /** Whether there was such a byte so far. */
  readonly failed: () => boolean
}

/** A check of one stream, whose characters may be cut anywhere. */
export const makeUtf8Check = (): Utf8Check => {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  let failed = false
  return {
    push: (chunk) => {
      if (failed) return
      try {
        decoder.decode(chunk, { stream: true })
      } catch {
        failed = true
      }
    },
    failed: () => failed
  }
}
