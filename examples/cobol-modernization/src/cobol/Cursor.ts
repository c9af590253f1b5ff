import type { Diagnostic, Position, Severity } from "./Position.js"
import { rawText, type Token } from "./Tokens.js"
import { isReserved, isTerminator, verbs } from "./Words.js"

const deepest = 400
const mostDiagnostics = 500

/** A reading position in a list of tokens, with everything that has been noticed on the way. */
export class Cursor {
  readonly diagnostics: Diagnostic[] = []
  /** Level-88 names and switches, so that abbreviated relations can be told from condition names. */
  readonly conditionNames = new Set<string>()
  /** Data names that would be verbs if the program did not declare them. */
  readonly declaredVerbs = new Set<string>()
  /** Functions that may be written without the word FUNCTION. */
  readonly plainFunctions = new Set<string>()
  readonly #tokens: readonly Token[]
  readonly #end: Token
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], path: string) {
    this.#tokens = tokens
    const line = tokens.findLast((token) => token.file === path)?.line ?? 1
    const text = { text: "", raw: "", glued: false, afterComma: false, first: true }
    this.#end = { kind: "end", file: path, line, ...text }
  }

  /** The token `ahead` places on; beyond the last one there is always an end token. */
  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#end
  }

  /** Takes the current token; at the end it stays where it is. */
  next(): Token {
    const token = this.peek()
    if (this.#at < this.#tokens.length) this.#at++
    return token
  }

  get index(): number {
    return this.#at
  }

  /** Goes back to an index taken before. */
  rewind(index: number): void {
    this.#at = index
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  get at(): Position {
    const { file, line } = this.peek()
    return { file, line }
  }

  /** The source between two indexes on one line. */
  textBetween(start: number, end: number): string {
    return rawText(this.#tokens.slice(start, end))
  }

  /** The line of the last token taken, when it belongs to the given file. */
  lastLineIn(file: string): number | undefined {
    const token = this.#tokens[this.#at - 1]
    return token?.file === file ? token.line : undefined
  }

  isWord(word: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === "word" && token.text === word
  }

  isAnyWord(...words: readonly string[]): boolean {
    const token = this.peek()
    return token.kind === "word" && words.includes(token.text)
  }

  isSymbol(symbol: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === "symbol" && token.text === symbol
  }

  isPeriod(ahead = 0): boolean {
    return this.peek(ahead).kind === "period"
  }

  /** Takes the current word when it is one of these, and says which. */
  accept(...words: readonly string[]): string | undefined {
    return this.isAnyWord(...words) ? this.next().text : undefined
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false
    this.next()
    return true
  }

  acceptPeriod(): boolean {
    if (!this.isPeriod()) return false
    this.next()
    return true
  }

  /** Takes a sequence of words only when all of them are there. */
  acceptAll(...words: readonly string[]): boolean {
    if (!words.every((word, ahead) => this.isWord(word, ahead))) return false
    for (const _ of words) this.next()
    return true
  }

  /** True at a word that a programmer chose: a data, file or procedure name. */
  isName(ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === "word" && !this.isReserved(token.text)
  }

  /** True when the word has a meaning of its own in this program. */
  isReserved(word: string): boolean {
    return isReserved(word) && !this.declaredVerbs.has(word)
  }

  /** True when the word begins a statement in this program. */
  isVerb(word: string): boolean {
    return verbs.has(word) && !this.declaredVerbs.has(word)
  }

  /** Takes a name, or leaves the cursor where it is. */
  name(): string | undefined {
    return this.isName() ? this.next().text : undefined
  }

  /** True where a list of operands must stop: a period, a verb or a scope terminator. */
  isStatementEdge(): boolean {
    const token = this.peek()
    if (token.kind === "end" || token.kind === "period" || token.kind === "exec") return true
    return (
      token.kind === "word" && (this.isVerb(token.text) || isTerminator(token.text) || token.text === "ELSE")
    )
  }

  report(severity: Severity, message: string, at: Position = this.at): void {
    if (this.diagnostics.length < mostDiagnostics) this.diagnostics.push({ severity, ...at, message })
  }

  /** Runs a reader one level deeper; beyond the deepest level it skips to the period and gives the fallback. */
  nested<A>(fallback: A, read: () => A): A {
    if (this.#depth >= deepest) {
      this.report(
        "error",
        `The nesting is deeper than ${deepest} levels; the rest of the sentence is skipped.`
      )
      while (!this.isAtEnd && !this.isPeriod()) this.next()
      return fallback
    }
    this.#depth++
    const result = read()
    this.#depth--
    return result
  }
}
