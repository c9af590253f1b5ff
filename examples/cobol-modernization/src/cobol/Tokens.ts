import type { LogicalText } from "./LogicalText.js"
import type { Diagnostic } from "./Position.js"

/** The kinds of tokens; `entry` is the comment text of AUTHOR and the like, `exec` a whole EXEC block. */
export type TokenKind =
  | "word"
  | "number"
  | "text"
  | "picture"
  | "pseudo"
  | "exec"
  | "entry"
  | "period"
  | "symbol"
  | "end"

/**
 * One token. `text` is what counts: upper case for words, the value for literals, the inner text for EXEC
 * blocks and pseudo-text. `raw` is what was written. `glued` tells that no space came before it,
 * `afterComma` that a comma or semicolon did, `first` that it opens its line.
 */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly raw: string
  readonly file: string
  readonly line: number
  readonly glued: boolean
  readonly afterComma: boolean
  readonly first: boolean
  readonly literal?: "text" | "hex" | "national"
}

/** The tokens of one text with what was wrong with its literals and blocks. */
export interface Tokens {
  readonly tokens: readonly Token[]
  readonly diagnostics: readonly Diagnostic[]
}

const spaces = /[ \t\u00a0\ufeff\u3000]+/y
const wordRun = /(?:[A-Za-z0-9_$#@\-\u00c0-\uffef]|:[A-Za-z0-9_-]{1,30}:)+/y
const numberRun = /[+-]?(?:\d+\.\d+|\.\d+|\d+)(?:E[+-]?\d{1,3})?(?![A-Za-z0-9_-])/iy
const commaNumberRun = /[+-]?(?:\d+,\d+|,\d+|\d+)(?:E[+-]?\d{1,3})?(?![A-Za-z0-9_-])/iy
const pictureRun = /\s+(?:IS\s+)?(\S+)/iy
const literalPrefix = /^(?:X|N|NX|NC|Z|G|B|BX|H|U|UX)$/i
const endExec = /\bEND-EXEC\b/gi
const innerExec = /\bEXEC(?:UTE)?\s+(?:SQL|CICS|DLI)\b/i
const execStart = /\s+([A-Za-z][A-Za-z0-9-]*)/y
const commentEntries = new Set([
  "AUTHOR",
  "INSTALLATION",
  "DATE-WRITTEN",
  "DATE-COMPILED",
  "SECURITY",
  "REMARKS"
])
const endOfEntry =
  /^\s*(?:AUTHOR|INSTALLATION|DATE-WRITTEN|DATE-COMPILED|SECURITY|REMARKS|PROGRAM-ID)\s*\.|^\s*(?:ENVIRONMENT|DATA|PROCEDURE|IDENTIFICATION|ID)\s+DIVISION\b|^\s*(?:CONFIGURATION|INPUT-OUTPUT|FILE|WORKING-STORAGE|LOCAL-STORAGE|LINKAGE)\s+SECTION\b/i
const twoCharacters = new Set(["<=", ">=", "<>", "**", "=>", "=<"])

const literalKind = (prefix: string): "text" | "hex" | "national" => {
  const upper = prefix.toUpperCase()
  if (upper === "X" || upper === "H" || upper === "BX" || upper === "NX" || upper === "UX") return "hex"
  return upper === "N" || upper === "NC" || upper === "G" || upper === "U" ? "national" : "text"
}

const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** Splits a logical text into tokens in one pass; text that is no token becomes a symbol, never an exception. */
export const tokenize = (logical: LogicalText, file: string, decimalComma: boolean): Tokens => {
  const { text, starts, numbers } = logical
  const tokens: Token[] = []
  const diagnostics: Diagnostic[] = []
  const numberPattern = decimalComma ? commaNumberRun : numberRun
  let at = 0
  let segment = 0
  let first = true
  let glued = false
  let afterComma = false
  let inIdentification = false
  let nextExecEnd = -1
  let morePseudo = true

  const lineAt = (offset: number): number => {
    while (segment + 1 < starts.length && (starts[segment + 1] ?? 0) <= offset) segment++
    return numbers[segment] ?? 1
  }
  const report = (message: string) => {
    diagnostics.push({ severity: "error", file, line: lineAt(at), message })
  }
  const push = (kind: TokenKind, value: string, end: number, literal?: Token["literal"]) => {
    const raw = text.slice(at, end)
    const base = { kind, text: value, raw, file, line: lineAt(at), glued, afterComma, first }
    tokens.push(literal === undefined ? base : { ...base, literal })
    at = end
    first = false
    glued = true
    afterComma = false
  }

  const readLiteral = (quoteAt: number, prefix: string) => {
    const quote = text[quoteAt] ?? '"'
    let value = ""
    let from = quoteAt + 1
    let lineEnd = text.indexOf("\n", from)
    if (lineEnd < 0) lineEnd = text.length
    for (;;) {
      const close = text.indexOf(quote, from)
      if (close < 0 || close >= lineEnd) {
        report("The literal is not closed on its line.")
        value += text.slice(from, lineEnd).trimEnd()
        push("text", value, lineEnd, literalKind(prefix))
        return
      }
      value += text.slice(from, close)
      if (text[close + 1] === quote) {
        value += quote
        from = close + 2
        continue
      }
      // Free format continues a literal with a hyphen right after the closing quote.
      const continued = /^-[ \t]*\n\s*(["'])/.exec(text.slice(close + 1, close + 300))
      if (continued !== null && continued[1] === quote) {
        from = close + 1 + continued[0].length
        lineEnd = text.indexOf("\n", from)
        if (lineEnd < 0) lineEnd = text.length
        continue
      }
      const kind = literalKind(prefix)
      push("text", kind === "hex" ? value.toUpperCase() : value, close + 1, kind)
      return
    }
  }

  const readExec = (wordEnd: number): boolean => {
    const dialect = matchAt(execStart, text, wordEnd)
    if (dialect === null) return false
    if (nextExecEnd < wordEnd) {
      const found = matchAt(endExec, text, wordEnd)
      nextExecEnd = found === null ? Number.POSITIVE_INFINITY : found.index
    }
    if (nextExecEnd < text.length && !innerExec.test(text.slice(wordEnd, nextExecEnd))) {
      push("exec", text.slice(wordEnd, nextExecEnd).trim(), nextExecEnd + "END-EXEC".length)
      return true
    }
    report("The EXEC block has no END-EXEC.")
    const lineEnd = text.indexOf("\n", wordEnd)
    const end = lineEnd < 0 ? text.length : lineEnd
    push("exec", text.slice(wordEnd, end).trim().replace(/\.$/, ""), end)
    return true
  }

  const readPicture = (wordEnd: number) => {
    const run = matchAt(pictureRun, text, wordEnd)
    const picture = run?.[1]
    if (run === null || picture === undefined) return
    const string = picture.replace(/[.,;]+$/, "")
    if (string === "") return
    const start = wordEnd + run[0].length - picture.length
    at = start
    glued = false
    push("picture", string.toUpperCase(), start + string.length)
  }

  const readCommentEntry = () => {
    while (text[at] === " ") at++
    if (text[at] !== ".") return
    push("period", ".", at + 1)
    let end = text.indexOf("\n", at)
    if (end < 0) end = text.length
    while (end < text.length) {
      const next = text.indexOf("\n", end + 1)
      const lineEnd = next < 0 ? text.length : next
      if (endOfEntry.test(text.slice(end + 1, Math.min(lineEnd, end + 120)))) break
      end = lineEnd
    }
    while (text[at] === " ") at++
    if (at < end) push("entry", text.slice(at, end).replace(/\s+/g, " ").trim().replace(/\.$/, ""), end)
  }

  const readWord = (run: string) => {
    if (/^\d[\d-]*$/.test(run)) {
      const digits = run.split("-", 1)[0] ?? run
      push("number", digits, at + digits.length)
      return
    }
    const trimmed = run.replace(/-+$/, "")
    const word = trimmed === "" ? run : trimmed
    const upper = word.toUpperCase()
    const wordEnd = at + word.length
    const opensLine = first
    if ((upper === "EXEC" || upper === "EXECUTE") && readExec(wordEnd)) return
    push("word", upper, wordEnd)
    if (upper === "PIC" || upper === "PICTURE") readPicture(wordEnd)
    if (upper === "PROGRAM-ID" || upper === "IDENTIFICATION" || upper === "CLASS-ID") inIdentification = true
    if (upper === "DIVISION" && tokens.at(-2)?.text !== "IDENTIFICATION") {
      inIdentification = tokens.at(-2)?.text === "ID"
    }
    if (inIdentification && opensLine && commentEntries.has(upper)) readCommentEntry()
  }

  while (at < text.length) {
    const char = text[at] ?? ""
    const gap = matchAt(spaces, text, at)
    if (gap !== null) {
      at += gap[0].length
      glued = false
      continue
    }
    if (char === "\n") {
      at++
      first = true
      glued = false
      continue
    }
    if (char === '"' || char === "'") {
      readLiteral(at, "")
      continue
    }
    if (char === "=" && text[at + 1] === "=" && morePseudo) {
      const close = text.indexOf("==", at + 2)
      if (close >= 0) {
        push("pseudo", text.slice(at + 2, close).trim(), close + 2)
        continue
      }
      morePseudo = false
    }
    const signMayStart =
      (char !== "+" && char !== "-") || !glued || /[(=<>*/,]/.test(tokens.at(-1)?.raw ?? "(")
    const decimalMayStart = char !== "." || !glued || tokens.at(-1)?.kind === "symbol"
    if (/[0-9+.-]/.test(char) || (decimalComma && char === "," && !glued)) {
      const number = signMayStart && decimalMayStart ? matchAt(numberPattern, text, at) : null
      if (number !== null) {
        const value = number[0].replace(",", ".").replace(/^\+/, "").toUpperCase()
        push("number", value, at + number[0].length)
        continue
      }
    }
    if (char === "," || char === ";") {
      at++
      glued = false
      afterComma = true
      continue
    }
    if (char === ".") {
      push("period", ".", at + 1)
      continue
    }
    const run = char === "-" ? null : matchAt(wordRun, text, at)
    if (run !== null) {
      const quoteAt = at + run[0].length
      const quote = text[quoteAt]
      if ((quote === '"' || quote === "'") && literalPrefix.test(run[0])) readLiteral(quoteAt, run[0])
      else readWord(run[0])
      continue
    }
    const pair = text.slice(at, at + 2)
    if (char === "\u00ac" && pair.length > 1) {
      push("symbol", pair === "\u00ac=" ? "<>" : "NOT", pair === "\u00ac=" ? at + 2 : at + 1)
      continue
    }
    if (twoCharacters.has(pair)) {
      push("symbol", pair === "=>" ? ">=" : pair === "=<" ? "<=" : pair, at + 2)
      continue
    }
    push("symbol", char, at + 1)
  }
  return { tokens, diagnostics }
}

/** The source words of tokens put together again for a reader, on one line. */
export const rawText = (tokens: readonly Token[]): string => {
  let text = ""
  for (const token of tokens) {
    const raw = token.raw.replace(/\s+/g, " ")
    text += text === "" || token.glued ? raw : token.afterComma ? `, ${raw}` : ` ${raw}`
  }
  return text
}
