import type { Paragraph, Parameter, ProcedureDivision, Section, Sentence } from "./Ast.js"
import type { Cursor } from "./Cursor.js"
import { startsDivision } from "./DataDivision.js"
import type { Position } from "./Position.js"
import { sentence } from "./Statements.js"

interface ParagraphDraft {
  readonly name: string
  readonly at: Position
  endLine: number
  readonly sentences: Sentence[]
}

interface SectionDraft {
  readonly name: string
  readonly at: Position
  readonly declarative: boolean
  readonly paragraphs: ParagraphDraft[]
}

const parameters = (cursor: Cursor): readonly Parameter[] => {
  const found: Parameter[] = []
  let byValue = false
  while (!cursor.isPeriod() && !startsDivision(cursor)) {
    cursor.accept("BY")
    const mode = cursor.accept("VALUE", "REFERENCE")
    if (mode !== undefined) byValue = mode === "VALUE"
    cursor.accept("OPTIONAL")
    const name = cursor.name()
    if (name === undefined) break
    found.push({ name, byValue })
  }
  return found
}

const isNameToken = (cursor: Cursor): boolean =>
  cursor.isName() || (cursor.peek().kind === "number" && /^\d+$/.test(cursor.peek().raw))

const startsSection = (cursor: Cursor): boolean =>
  isNameToken(cursor) &&
  cursor.isWord("SECTION", 1) &&
  (cursor.isPeriod(2) || (cursor.peek(2).kind === "number" && cursor.isPeriod(3)))

const startsParagraph = (cursor: Cursor): boolean => isNameToken(cursor) && cursor.isPeriod(1)

const finished = (section: SectionDraft): Section => ({
  ...section,
  paragraphs: section.paragraphs.filter(
    (paragraph) => paragraph.name !== "" || paragraph.sentences.length > 0
  )
})

/** Reads sections, paragraphs and sentences up to the end of the program, whatever stands in between. */
export const procedureBody = (cursor: Cursor, path: string): readonly Section[] => {
  const sections: SectionDraft[] = []
  let isDeclarative = false
  const openSection = (name: string, at: Position) => {
    const section: SectionDraft = { name, at, declarative: isDeclarative, paragraphs: [] }
    sections.push(section)
    return section
  }
  const openParagraph = (name: string, at: Position): ParagraphDraft => {
    const paragraph: ParagraphDraft = { name, at, endLine: at.line, sentences: [] }
    const section = sections.at(-1) ?? openSection("", at)
    section.paragraphs.push(paragraph)
    return paragraph
  }
  let current: ParagraphDraft | undefined
  while (!startsDivision(cursor)) {
    const { at } = cursor
    if (cursor.acceptPeriod()) continue
    if (cursor.isWord("DECLARATIVES") && cursor.isPeriod(1)) {
      cursor.next()
      cursor.next()
      isDeclarative = true
    } else if (cursor.acceptAll("END", "DECLARATIVES")) {
      cursor.acceptPeriod()
      isDeclarative = false
      current = undefined
      // What follows without a section header of its own must not count as declarative.
      openSection("", cursor.at)
    } else if (startsSection(cursor)) {
      const name = cursor.next().text
      while (!cursor.acceptPeriod()) cursor.next()
      openSection(name, at)
      current = undefined
    } else if (startsParagraph(cursor)) {
      const name = cursor.next().text
      cursor.next()
      current = openParagraph(name, at)
    } else {
      current = current ?? openParagraph("", at)
      const before = cursor.index
      const statements = sentence(cursor)
      if (statements.length > 0) current.sentences.push({ at, statements })
      if (cursor.index === before) cursor.next()
      current.endLine = cursor.lastLineIn(path) ?? current.endLine
    }
  }
  return sections.filter((section) => section.name !== "" || section.paragraphs.length > 0).map(finished)
}

/** Reads the PROCEDURE DIVISION from its header on. */
export const procedureDivision = (cursor: Cursor, path: string): ProcedureDivision => {
  const { at } = cursor
  cursor.acceptAll("PROCEDURE", "DIVISION")
  const using = cursor.accept("USING", "CHAINING") === undefined ? [] : parameters(cursor)
  const returning = cursor.accept("RETURNING", "GIVING") === undefined ? undefined : cursor.name()
  if (!cursor.acceptPeriod()) {
    cursor.report("warning", "The header of the PROCEDURE DIVISION does not end with a period.")
  }
  const sections: readonly Section[] = procedureBody(cursor, path)
  return returning === undefined ? { at, using, sections } : { at, using, returning, sections }
}

/** All paragraphs of a division in source order. */
export const paragraphsOf = (division: ProcedureDivision | undefined): readonly Paragraph[] =>
  (division?.sections ?? []).flatMap((section) => section.paragraphs)
