import * as Agent from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import { catchAll } from "./compat.js"

/** How the standard output of a program is read. */
export type Format = "text" | "json" | "jsonl"

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

/** The last 2,000 characters of a text, for an error message. */
export const ending = (text: string): string =>
  text
    .trim()
    .slice(-2000)
    .replace(/^[\uDC00-\uDFFF]/, "")

interface Lines {
  readonly push: (chunk: Uint8Array) => void
  readonly end: () => void
}

/** Calls `onLine` with each line, however the chunks are cut; a line of more than `limit` characters is left out. */
const makeLines = (limit: number, onLine: (line: string) => void): Lines => {
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

type Fields = { readonly [key: string]: unknown }

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const amount = (value: unknown): number =>
  typeof value === "number" ? Math.min(value, Number.MAX_SAFE_INTEGER / 1e6) : 0

const readUsage = (value: unknown): Usage.Usage | undefined =>
  isFields(value)
    ? Usage.make({
        inputTokens: amount(value.inputTokens),
        outputTokens: amount(value.outputTokens),
        cachedTokens: amount(value.cachedTokens),
        costUsd: typeof value.costUsd === "number" ? amount(value.costUsd) : amount(value.costMicroUsd) / 1e6
      })
    : undefined

const readProgress = (fields: Fields): Agent.Progress | undefined => {
  const { message, progress, remainingMillis } = fields
  const usage = readUsage(fields.usage)
  const read = Agent.progress({
    ...(typeof progress === "number" ? { progress: Math.min(1, Math.max(0, progress)) } : {}),
    ...(typeof message === "string" ? { message: message.slice(0, 2000) } : {}),
    ...(typeof remainingMillis === "number" && remainingMillis >= 0
      ? { remainingMillis: Math.round(amount(remainingMillis)) }
      : {}),
    ...(usage === undefined ? {} : { usage })
  })
  return Object.keys(read).length > 1 ? read : undefined
}

/** Reads the standard output of one program while it runs. */
export interface Reader {
  readonly push: (chunk: Uint8Array) => void
  /** The result, after the program ended well; `file` is where the whole output is. */
  readonly result: (file: string) => Effect.Effect<Agent.Output, Agent.AgentError>
  /** What the program reported to have consumed so far. */
  readonly usage: () => Usage.Usage | undefined
  /** The end of the output, for an error message. */
  readonly ending: () => string
}

const invalid = (reason: string, usage?: Usage.Usage) =>
  Effect.fail(
    new Agent.AgentError({ kind: "InvalidOutput", reason, ...(usage === undefined ? {} : { usage }) })
  )

const quoted = (text: string): string => (text === "" ? "it is empty" : `it ends with:\n${text}`)

/** A reader whose memory is bounded by a small multiple of `limit` bytes, however much the program writes. */
export const makeReader = (
  format: Format,
  limit: number,
  report: (progress: Agent.Progress) => void
): Reader => {
  const tail = makeTail(format === "jsonl" ? Math.min(limit, 8192) : limit)
  let usage: Usage.Usage | undefined
  let result: { readonly value: Json } | undefined
  const lines = makeLines(limit, (line) => {
    let fields: unknown
    try {
      fields = JSON.parse(line)
    } catch {
      // Programs print banners and warnings between their records; the whole output is in its file.
      return
    }
    if (!isFields(fields)) return
    usage = readUsage(fields.usage) ?? usage
    if (Object.hasOwn(fields, "result")) result = { value: fields.result as Json }
    else {
      const progress = readProgress(fields)
      if (progress !== undefined) report(progress)
    }
  })
  const results: { readonly [F in Format]: (file: string) => Effect.Effect<Agent.Output, Agent.AgentError> } =
    {
      text: (file) =>
        Effect.sync(() => {
          const text = tail.text().replace(/(\r?\n)+$/, "")
          const omitted = tail.omitted()
          return Agent.output(
            omitted === 0 ? text : `[${omitted} bytes before this are only in ${file}]\n${text}`
          )
        }),
      json: (file) =>
        tail.omitted() > 0
          ? invalid(`The output is longer than ${limit} bytes; raise maxOutputBytes, or read it from ${file}`)
          : catchAll(
              Effect.try({
                try: () => Agent.output(JSON.parse(tail.text().replace(/^\uFEFF/, "")) as Json),
                catch: (error) => (error instanceof Error ? error.message : String(error))
              }),
              (detail) => invalid(`The output is not JSON (${detail}); ${quoted(ending(tail.text()))}`)
            ),
      jsonl: (file) =>
        Effect.suspend(() => {
          lines.end()
          return result === undefined
            ? invalid(
                `The output has no line with a "result" of at most ${limit} characters (see ${file}); ${quoted(ending(tail.text()))}`,
                usage
              )
            : Effect.succeed(Agent.output(result.value, usage))
        })
    }
  return {
    push: (chunk) => {
      tail.push(chunk)
      if (format === "jsonl") lines.push(chunk)
    },
    result: results[format],
    usage: () => usage,
    ending: () => ending(tail.text())
  }
}
