import type { Program } from "../cobol/Ast.js"
import type { Position } from "../cobol/Position.js"
import type { Statement } from "../cobol/Statement.js"

/** Gives the text of a 1-based line of a file, or undefined where the original is not at hand. */
export type SourceLine = (file: string, line: number) => string | undefined

const isStatement = (value: object): value is Statement => "_tag" in value && "at" in value

/** The statements inside a value, at any depth and in source order; the value itself counts too. */
export const statementsIn = (value: unknown): readonly Statement[] => {
  if (typeof value !== "object" || value === null) return []
  const nested = Object.values(value).flatMap(statementsIn)
  return isStatement(value) ? [value, ...nested] : nested
}

const meaningful = (text: string): string => text.replace(/\s+/g, " ").trim()

/** Finds the original text of statements: from the line where one starts to the line before the next one. */
export class SourceText {
  readonly #line: SourceLine
  readonly #starts = new Map<string, readonly number[]>()

  constructor(program: Program, line: SourceLine) {
    this.#line = line
    const places: Position[] = []
    for (const section of program.procedure?.sections ?? []) {
      for (const paragraph of section.paragraphs) {
        places.push(paragraph.at, { file: paragraph.at.file, line: paragraph.endLine + 1 })
        for (const statement of statementsIn(paragraph.sentences)) places.push(statement.at)
      }
    }
    for (const { file } of places) {
      if (this.#starts.has(file)) continue
      const lines = new Set(places.filter((place) => place.file === file).map((place) => place.line))
      this.#starts.set(
        file,
        [...lines].sort((left, right) => left - right)
      )
    }
  }

  /** The text of a statement on one line, as far as it can be told from its position. */
  of(statement: Statement): string {
    if (statement._tag === "ExecSql") return meaningful(`EXEC SQL ${statement.text} END-EXEC`)
    if (statement._tag === "ExecCics") return meaningful(`EXEC CICS ${statement.text} END-EXEC`)
    if (statement._tag === "ExecOther")
      return meaningful(`EXEC ${statement.dialect} ${statement.text} END-EXEC`)
    if (statement._tag === "Unknown") return meaningful(statement.text)
    const { file, line } = statement.at
    const next = this.#starts.get(file)?.find((start) => start > line) ?? line + 1
    const lines: string[] = []
    for (let each = line; each < Math.min(next, line + 20); each += 1) {
      const text = this.#line(file, each)
      if (text !== undefined) lines.push(text)
    }
    const text = meaningful(lines.join(" "))
    return text === "" ? statement._tag.toUpperCase() : text
  }
}

/** Reads the lines of source texts by path, without the sequence numbers and identification of fixed format. */
export const sourceLines = (texts: ReadonlyMap<string, string>): SourceLine => {
  const split = new Map<string, readonly string[]>()
  return (file, line) => {
    const lines = split.get(file) ?? texts.get(file)?.split(/\r?\n/)
    if (lines === undefined) return undefined
    split.set(file, lines)
    const raw = lines[line - 1]
    if (raw === undefined) return undefined
    const text = /^\d{6}/.test(raw) ? raw.slice(6, 72) : raw
    return /^\s*\*/.test(text) ? undefined : text
  }
}
