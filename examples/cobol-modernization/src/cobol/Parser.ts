import type { Configuration, CopyUse, ParseResult, Program } from "./Ast.js"
import { type CopyResolver, expandCopies } from "./CopyBooks.js"
import { Cursor } from "./Cursor.js"
import { dataDivision, noData, startsDivision } from "./DataDivision.js"
import { startsEntry } from "./DataEntry.js"
import { environmentDivision, fileControls, noConfiguration } from "./EnvironmentDivision.js"
import { layout } from "./LogicalText.js"
import type { Diagnostic, Position } from "./Position.js"
import { procedureBody, procedureDivision } from "./ProcedureDivision.js"
import { detectFormat } from "./SourceFormat.js"
import { type Token, tokenize } from "./Tokens.js"
import { verbs } from "./Words.js"

/** What the parser needs: the decoded text of one file and a way to its copybooks. */
export interface ParseRequest {
  readonly path: string
  readonly source: string
  readonly resolveCopy: CopyResolver
}

interface Unit {
  readonly program: Program
  readonly contained: Program[]
}

const startsUnit = (cursor: Cursor): boolean =>
  (cursor.isAnyWord("IDENTIFICATION", "ID") && cursor.isWord("DIVISION", 1)) ||
  (cursor.isAnyWord("PROGRAM-ID", "FUNCTION-ID") && cursor.isPeriod(1))

interface Identification {
  readonly name: string
  readonly isInitial: boolean
  readonly entries: Program["identification"]
}

const identification = (cursor: Cursor): Identification => {
  if (cursor.acceptAll("IDENTIFICATION", "DIVISION") || cursor.acceptAll("ID", "DIVISION"))
    cursor.acceptPeriod()
  let name = ""
  let isInitial = false
  const entries: { name: string; text: string }[] = []
  while (!startsDivision(cursor) || (cursor.isWord("PROGRAM-ID") && name === "")) {
    const token = cursor.next()
    if ((token.text === "PROGRAM-ID" || token.text === "FUNCTION-ID") && name === "") {
      cursor.acceptPeriod()
      if (cursor.peek().kind !== "period") name = cursor.next().text.toUpperCase()
      while (!cursor.isPeriod() && !startsDivision(cursor))
        isInitial = cursor.next().text === "INITIAL" || isInitial
      cursor.acceptPeriod()
    } else if (cursor.isPeriod() && cursor.peek(1).kind === "entry") {
      cursor.next()
      entries.push({ name: token.text, text: cursor.next().text })
    }
  }
  return { name, isInitial, entries }
}

const unit = (cursor: Cursor, path: string, copies: readonly CopyUse[]): Program => {
  const { at } = cursor
  const { name, isInitial, entries } = identification(cursor)
  if (name === "") cursor.report("warning", "The program has no PROGRAM-ID.", at)
  let configuration: Configuration = noConfiguration
  let fileControl: Program["fileControl"] = []
  let data = noData
  let procedure: Program["procedure"]
  const isDataSection = () =>
    cursor.isWord("SECTION", 1) && cursor.isAnyWord("FILE", "WORKING-STORAGE", "LOCAL-STORAGE", "LINKAGE")
  while (!cursor.isAtEnd && !startsUnit(cursor) && !(cursor.isWord("END") && cursor.isWord("PROGRAM", 1))) {
    if (cursor.acceptAll("ENVIRONMENT", "DIVISION")) {
      cursor.acceptPeriod()
      const environment = environmentDivision(cursor)
      configuration = environment.configuration
      fileControl = environment.fileControl
    } else if (cursor.acceptAll("DATA", "DIVISION") || isDataSection()) {
      cursor.acceptPeriod()
      data = dataDivision(cursor, {
        decimalComma: configuration.decimalPointIsComma,
        currencySign: configuration.currencySign ?? "$"
      })
    } else if (cursor.isWord("PROCEDURE") && cursor.isWord("DIVISION", 1)) {
      const read = procedureDivision(cursor, path)
      procedure =
        procedure === undefined ? read : { ...procedure, sections: [...procedure.sections, ...read.sections] }
    } else cursor.next()
  }
  const endLine = cursor.lastLineIn(path) ?? at.line
  const base = { _tag: "Program" as const, name, path, at, endLine, isInitial, identification: entries }
  const whole = { ...base, configuration, fileControl, data, copies, nested: [] }
  return procedure === undefined ? whole : { ...whole, procedure }
}

/**
 * Programs that are closed by END PROGRAM hold the ones opened inside them; without END PROGRAM the next
 * program in the file is a sibling.
 */
const units = (cursor: Cursor, path: string, copies: readonly CopyUse[]): readonly Program[] => {
  const open: Unit[] = []
  const done: Program[] = []
  const close = (index: number) => {
    const [outer, ...inner] = open.splice(index)
    if (outer === undefined) return
    const nested = [...outer.contained, ...inner.flatMap((one) => [one.program, ...one.contained])]
    const program = { ...outer.program, nested, endLine: cursor.lastLineIn(path) ?? outer.program.endLine }
    const parent = open.at(-1)
    if (parent === undefined) done.push(program)
    else parent.contained.push(program)
  }
  let isFirst = true
  while (!cursor.isAtEnd) {
    if (cursor.acceptAll("END", "PROGRAM")) {
      const name = cursor.isPeriod() ? "" : cursor.next().text.toUpperCase()
      cursor.acceptPeriod()
      const named = open.findLastIndex((one) => one.program.name === name)
      close(named < 0 ? open.length - 1 : named)
    } else if (isFirst || startsUnit(cursor)) {
      open.push({ program: unit(cursor, path, isFirst ? copies : []), contained: [] })
      isFirst = false
    } else cursor.next()
  }
  return [...done, ...open.flatMap((one) => [one.program, ...one.contained])]
}

const hasProgram = (tokens: readonly Token[]): boolean =>
  tokens.some((token, index) => {
    if (token.kind !== "word") return false
    if (token.text === "PROGRAM-ID" || token.text === "FUNCTION-ID") return true
    if (tokens[index + 1]?.kind !== "word" || tokens[index + 1]?.text !== "DIVISION") return false
    const isHeader = ["IDENTIFICATION", "ID", "ENVIRONMENT", "DATA", "PROCEDURE"].includes(token.text)
    return isHeader && (token.first || tokens[index - 1]?.kind === "period")
  })

const copyBookPath = /\.(?:cpy|copy|cpb|inc|dcl|cbl|cob)$/i

const statementShare = (tokens: readonly Token[]): number => {
  const starts = tokens.filter((_, index) => index === 0 || tokens[index - 1]?.kind === "period")
  const known = starts.filter((token, index) => verbs.has(token.text) || starts[index + 1]?.kind === "period")
  return starts.length === 0 ? 0 : known.length / starts.length
}

type CopyBookKind = "data" | "files" | "statements"

const dataClauses = new Set(["PIC", "PICTURE", "VALUE", "VALUES", "REDEFINES", "OCCURS", "USAGE"])

const copyBookKind = (cursor: Cursor, tokens: readonly Token[], path: string): CopyBookKind | undefined => {
  const [first, second, third] = tokens
  if (first === undefined) return undefined
  if (cursor.isWord("SELECT") && tokens.some((token) => token.text === "ASSIGN")) return "files"
  if (first.kind === "exec") return "data"
  if ((first.text === "FD" || first.text === "SD") && second?.kind === "word") return "data"
  if (startsEntry(cursor)) {
    const isDescription = second?.kind === "period" || third?.kind === "period"
    if (isDescription || tokens.slice(1, 60).some((token) => dataClauses.has(token.text))) return "data"
  }
  const isStatementLike = verbs.has(first.text) || (first.kind === "word" && second?.kind === "period")
  return copyBookPath.test(path) && isStatementLike && statementShare(tokens) >= 0.5
    ? "statements"
    : undefined
}

const firstWords = (tokens: readonly Token[]): string =>
  tokens
    .slice(0, 6)
    .map((token) => token.raw.replace(/\s+/g, " ").slice(0, 20))
    .join(" ")
    .slice(0, 60)

/** Parses one file. It never throws: whatever is wrong is a diagnostic, and no file is dropped without a reason. */
export const parseProgram = ({ path, source, resolveCopy }: ParseRequest): ParseResult => {
  const format = detectFormat(source)
  const logical = layout(source, format)
  const reading = { format, lines: logical.counts }
  const decimalComma = /\bDECIMAL-POINT\s{1,100}(?:IS\s{1,100})?COMMA\b/i.test(logical.text)
  const read = tokenize(logical, path, decimalComma)
  const expansion = expandCopies(read.tokens, resolveCopy, decimalComma)
  const { tokens, copies } = expansion
  const cursor = new Cursor(tokens, path)
  const start: Position = { file: path, line: 1 }
  const allDiagnostics = (): readonly Diagnostic[] => [
    ...read.diagnostics,
    ...expansion.diagnostics,
    ...cursor.diagnostics
  ]
  if (!hasProgram(tokens)) {
    const kind = copyBookKind(cursor, tokens, path)
    if (kind === undefined && copies.length > 0 && tokens.length === 0) {
      return { _tag: "CopyBook", path, reading, data: noData, copies, diagnostics: allDiagnostics() }
    }
    if (kind === undefined) {
      const reason =
        tokens.length === 0
          ? "The file is not a COBOL program: it has no code, only comments or blank lines."
          : `The file is not a COBOL program: it has no PROGRAM-ID and no division, and starts with "${firstWords(tokens)}".`
      return {
        _tag: "NotCobol",
        path,
        reading,
        reason,
        diagnostics: [{ severity: "error", ...start, message: reason }]
      }
    }
    if (kind === "files") fileControls(cursor)
    const data = kind === "data" ? dataDivision(cursor, { decimalComma, currencySign: "$" }) : noData
    if (kind === "statements") procedureBody(cursor, path)
    return { _tag: "CopyBook", path, reading, data, copies, diagnostics: allDiagnostics() }
  }
  const [program, ...others] = units(cursor, path, copies)
  if (program === undefined) {
    const reason = "The file is not a COBOL program: its divisions could not be found."
    return { _tag: "NotCobol", path, reading, reason, diagnostics: allDiagnostics() }
  }
  for (const other of others) {
    cursor.report("note", `The file also holds the program ${other.name}.`, other.at)
  }
  return { _tag: "Parsed", reading, program, others, diagnostics: allDiagnostics() }
}
