import { stripVTControlCharacters } from "node:util"
import * as Agent from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import type * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import type { Format } from "../OutputMapping.js"
import { isFields, makeOwnRecords, type Records, type SaidError } from "./programRecords.js"
import { ending, makeLines, makeTail, makeUtf8Check } from "./programTail.js"
import { makeMappedRecords, type Prices, type Rules } from "./recordMapping.js"

export { ending, makeTail } from "./programTail.js"

/** How the standard output of one program is read. */
export interface Reading {
  readonly format: Format
  /** How many bytes of it, and how many characters of a line, are held in memory. */
  readonly limit: number
  /** What its records mean; without rules those of this project. */
  readonly rules: Rules | undefined
  /** What tokens cost where the program does not say what it costs. */
  readonly prices: Prices | undefined
  /** Whether it was written for a terminal. */
  readonly terminal: boolean
}

/** Reads the standard output of one program while it runs. */
export interface Reader {
  readonly push: (chunk: Uint8Array) => void
  /** Takes note of what is left once the output has ended. */
  readonly end: () => void
  /**
   * The result, after the program ended well and `end`; `file` is where the whole output is, and `complaint` what the program
   * said on its standard error.
   */
  readonly result: (file: string, complaint: string) => Effect.Effect<Agent.Output, Agent.AgentError>
  /** What the program reported to have consumed so far. */
  readonly usage: () => Usage.Usage | undefined
  /** What the program said of an error. */
  readonly error: () => SaidError | undefined
  /** The end of the output, for an error message. */
  readonly ending: () => string
  /** Whether there were bytes that are not UTF-8, which are replaced. */
  readonly replaced: () => boolean
}

const invalid = (reason: string, usage?: Usage.Usage) =>
  Effect.fail(
    new Agent.AgentError({ kind: "InvalidOutput", reason, ...(usage === undefined ? {} : { usage }) })
  )

const quoted = (text: string, complaint: string): string => {
  const output = text === "" ? "it is empty" : `it ends with:\n${text}`
  return complaint === "" ? output : `${output}\nThe standard error ends with:\n${complaint}`
}

const parsed = (text: string): { readonly value: Json } | { readonly detail: string } => {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, "")) as Json }
  } catch (error) {
    return { detail: error instanceof Error ? error.message : String(error) }
  }
}

/** A reader whose memory is bounded by a small multiple of the limit, however much the program writes. */
export const makeReader = (
  { format, limit, prices, rules, terminal }: Reading,
  report: (progress: Agent.Progress) => void
): Reader => {
  const tail = makeTail(format === "jsonl" ? Math.min(limit, 8192) : limit)
  const utf8 = makeUtf8Check()
  const records: Records =
    rules === undefined ? makeOwnRecords(report) : makeMappedRecords(rules, limit, prices, report)
  const plain = terminal ? stripVTControlCharacters : (text: string) => text

  const acceptLine = (written: string) => {
    const line = plain(written)
    if (format === "text") return records.accept({ line: line.replace(/\r+$/, "") })
    const record = parsed(line)
    // Programs print banners and warnings between their records; the whole output is in its file.
    if ("value" in record && isFields(record.value)) records.accept(record.value)
  }
  const byLine = format === "jsonl" || (format === "text" && rules !== undefined)
  const lines = byLine ? makeLines(limit, acceptLine) : undefined
  const said = () => ending(tail.text())

  const asText = (file: string) => {
    // A terminal puts a return before each line end, whatever was there before it.
    const text = terminal ? plain(tail.text()).replace(/\r+\n/g, "\n") : tail.text()
    const whole = text.replace(/(\r?\n)+$/, "")
    const omitted = tail.omitted()
    return omitted === 0 ? whole : `[${omitted} bytes before this are only in ${file}]\n${whole}`
  }
  const missing = (file: string, complaint: string) => {
    const why = records.trouble()
    const what =
      rules === undefined
        ? `The output has no line with a "result" of at most ${limit} characters (see ${file})`
        : `No record of at most ${limit} characters gave a result${why === undefined ? "" : ` (${why})`}; see ${file}`
    return invalid(`${what}; ${quoted(said(), complaint)}`, records.usage())
  }
  const fromRecords = (file: string, complaint: string) => {
    const found = records.result()
    return found === undefined
      ? missing(file, complaint)
      : Effect.succeed(Agent.output(found.value, records.usage()))
  }

  let whole: ReturnType<typeof parsed> | undefined
  const results: { readonly [F in Format]: Reader["result"] } = {
    text: (file, complaint) =>
      Effect.suspend(() =>
        rules !== undefined && (records.result() !== undefined || records.trouble() !== undefined)
          ? fromRecords(file, complaint)
          : Effect.succeed(Agent.output(asText(file), records.usage()))
      ),
    json: (file, complaint) =>
      Effect.suspend(() => {
        if (tail.omitted() > 0) {
          return invalid(
            `The output is longer than ${limit} bytes; raise maxOutputBytes, or read it from ${file}`
          )
        }
        if (whole === undefined || "detail" in whole) {
          const detail = whole?.detail ?? "it was not read"
          return invalid(`The output is not JSON (${detail}); ${quoted(said(), complaint)}`)
        }
        return rules === undefined ? Effect.succeed(Agent.output(whole.value)) : fromRecords(file, complaint)
      }),
    jsonl: (file, complaint) => Effect.suspend(() => fromRecords(file, complaint))
  }
  return {
    push: (chunk) => {
      tail.push(chunk)
      utf8.push(chunk)
      lines?.push(chunk)
    },
    end: () => {
      lines?.end()
      if (format !== "json") return
      whole = parsed(plain(tail.text()))
      if (rules !== undefined && tail.omitted() === 0 && "value" in whole) records.accept(whole.value)
    },
    result: results[format],
    usage: records.usage,
    error: records.error,
    ending: said,
    replaced: utf8.failed
  }
}
