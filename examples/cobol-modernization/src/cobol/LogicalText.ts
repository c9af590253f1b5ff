import { expandTabs, formatDirective, type SourceFormat } from "./SourceFormat.js"

/** How many lines of a text carry code, only a comment, or nothing. */
export interface LineCounts {
  readonly code: number
  readonly comment: number
  readonly blank: number
}

/**
 * Source text freed from its columns: sequence numbers, comments and continuation are gone, and each
 * remaining physical line starts at `starts[i]` and came from line `numbers[i]`.
 */
export interface LogicalText {
  readonly text: string
  readonly starts: readonly number[]
  readonly numbers: readonly number[]
  readonly counts: LineCounts
}

interface Content {
  readonly kind: "code" | "comment" | "blank" | "continuation"
  readonly text: string
}

const comment: Content = { kind: "comment", text: "" }
const blank: Content = { kind: "blank", text: "" }
const listingControl = /^(?:EJECT|SKIP[123]|TITLE\s+["'].*)\.?$/i
const leadingCard = /^(?:\d{6})?\s*(?:CBL|PROCESS)\s/i
const compilerControl = /^(?:>>|\$(?:SET|IF|ELSE|END|DISPLAY)\b|@OPTIONS\b)/i

const classify = (kind: "code" | "continuation", text: string): Content => {
  const trimmed = text.trim()
  if (trimmed === "") return blank
  if (trimmed.startsWith("*>")) return comment
  if (trimmed.length < 200 && (listingControl.test(trimmed) || compilerControl.test(trimmed))) return comment
  return { kind, text }
}

const fixedLine = (line: string, margin: number, debugging: boolean): Content => {
  if (line.startsWith("*")) return comment
  if (line.trim() === "") return blank
  if (compilerControl.test(line.trimStart().slice(0, 20))) return comment
  const indicator = line[6] ?? " "
  const content = line.slice(7, margin)
  if (indicator === "*" || indicator === "/" || indicator === "$") return comment
  if ((indicator === "D" || indicator === "d") && !debugging) return comment
  return classify(indicator === "-" ? "continuation" : "code", content)
}

const freeLine = (line: string, debugging: boolean): Content => {
  if (/^(?:\*|\/| {6}\*)/.test(line)) return comment
  const debug = /^\s*>>D\s/i.exec(line)
  if (debug !== null) return debugging ? classify("code", line.slice(debug[0].length)) : comment
  return classify("code", line)
}

interface Scan {
  readonly text: string
  readonly openQuote: string
}

const withoutInlineComment = (text: string, openQuote: string): Scan => {
  let quote = openQuote
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ""
    if (quote !== "") {
      if (char === quote) quote = ""
    } else if (char === '"' || char === "'") quote = char
    else if (char === "*" && text[at + 1] === ">") return { text: text.slice(0, at), openQuote: "" }
  }
  return { text, openQuote: quote }
}

/** Frees a text from its columns; a format directive inside the text switches the reading of the rest. */
export const layout = (source: string, initial: SourceFormat): LogicalText => {
  const debugging = /\bWITH\s{1,100}DEBUGGING\s{1,100}MODE\b/i.test(source)
  const lines = source.split("\n")
  if (lines.at(-1) === "") lines.pop()
  const pieces: string[] = []
  const starts: number[] = []
  const numbers: number[] = []
  const counts = { code: 0, comment: 0, blank: 0 }
  let format = initial
  let length = 0
  let openQuote = ""
  let width = 0
  const push = (text: string, number: number) => {
    starts.push(length)
    numbers.push(number)
    pieces.push(text)
    length += text.length
  }
  lines.forEach((raw, index) => {
    const switched = formatDirective(raw)
    if (switched !== undefined) {
      format = switched
      counts.comment++
      return
    }
    const line = expandTabs(raw)
    // CBL and PROCESS cards may only stand before the program; later they are names like any other.
    if (counts.code === 0 && leadingCard.test(line)) {
      counts.comment++
      return
    }
    const margin = format === "fixed" ? 72 : line.length
    const content = format === "free" ? freeLine(line, debugging) : fixedLine(line, margin, debugging)
    if (content.kind === "comment" || content.kind === "blank") {
      counts[content.kind]++
      return
    }
    counts.code++
    const last = pieces.length - 1
    const previous = pieces[last]
    if (content.kind === "continuation" && previous !== undefined) {
      const before = previous.slice(0, -1)
      const joined = openQuote === "" ? before.trimEnd() : before.padEnd(width)
      const start = content.text.trimStart()
      // The continued part of a literal starts with a quote that belongs to the line, not to the value.
      const rest = openQuote !== "" && /^["']/.test(start) ? start.slice(1) : start
      pieces[last] = joined
      length += joined.length - previous.length
      const scan = withoutInlineComment(rest, openQuote)
      openQuote = scan.openQuote
      width = format === "fixed" ? 65 - (content.text.length - rest.length) : 0
      push(`${scan.text}\n`, index + 1)
      return
    }
    const scan = withoutInlineComment(content.text, "")
    openQuote = scan.openQuote
    width = format === "fixed" ? 65 : 0
    push(`${scan.text}\n`, index + 1)
  })
  return { text: pieces.join(""), starts, numbers, counts }
}
