/** Takes the chunks of a stream, however they are cut. */
export interface Lines {
  readonly push: (chunk: Uint8Array) => void
  /** Takes what there is as the last line. */
  readonly end: () => void
}

/**
 * Calls `onLine` with each line that has something in it, without its end. A line of more than `limit` bytes is never held:
 * `onTooLong` is called as soon as it is that long, and what is left of it passed over.
 */
export const makeLines = (limit: number, onLine: (line: string) => void, onTooLong: () => void): Lines => {
  let parts: Array<Uint8Array> = []
  let length = 0
  const add = (bytes: Uint8Array) => {
    const before = length
    length += bytes.length
    if (length <= limit) {
      // A copy, because a part would keep the whole chunk in memory.
      if (bytes.length > 0) parts.push(Uint8Array.from(bytes))
    } else if (before <= limit) {
      parts = []
      onTooLong()
    }
  }
  const close = () => {
    const line = length <= limit ? Buffer.concat(parts).toString("utf8").trim() : ""
    parts = []
    length = 0
    if (line !== "") onLine(line)
  }
  return {
    push: (chunk) => {
      let start = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        add(chunk.subarray(start, end))
        close()
        start = end + 1
      }
      add(chunk.subarray(start))
    },
    end: close
  }
}

/** The JSON object that a line is, or `undefined` where it is something else. */
export const objectIn = (line: string): Readonly<Record<string, unknown>> | undefined => {
  if (!line.startsWith("{")) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
