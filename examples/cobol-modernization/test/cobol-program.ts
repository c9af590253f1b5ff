import type { ParsedProgram, Program } from "../src/cobol/Ast.js"
import { copyResolver } from "../src/cobol/CopyBooks.js"
import { parseProgram } from "../src/cobol/Parser.js"
import type { Statement } from "../src/cobol/Statement.js"
import { walkProcedure } from "../src/cobol/Walk.js"

/** Puts lines into columns 8 to 72 of fixed format; a line that starts with `|` gives columns 7 on itself. */
export const fixed = (text: string): string =>
  text
    .split("\n")
    .map((line) => {
      if (line.length > 65) throw new Error(`longer than the line of a program: ${line}`)
      return line
    })
    .map((line) => (line.startsWith("|") ? `      ${line.slice(1)}` : `       ${line}`))
    .join("\n")

/** Parses a text that must hold a program; copybooks are given by file name. */
export const parse = (text: string, copyBooks: Readonly<Record<string, string>> = {}): ParsedProgram => {
  const books = Object.entries(copyBooks).map(([path, book]) => ({ path, text: book }))
  const result = parseProgram({ path: "TEST.cbl", source: text, resolveCopy: copyResolver(books) })
  if (result._tag !== "Parsed") throw new Error(`not a program: ${JSON.stringify(result)}`)
  return result
}

/** A program around data entries and statements, in fixed format. */
export const program = (data: string, procedure: string): string =>
  fixed(
    `IDENTIFICATION DIVISION.\nPROGRAM-ID. TEST1.\nDATA DIVISION.\nWORKING-STORAGE SECTION.\n${data}\nPROCEDURE DIVISION.\nMAIN-PARA.\n${procedure}`
  )

/** The statements of a program around the given text, nested ones included. */
export const statements = (procedure: string, data = "01 A PIC X."): readonly Statement[] => {
  const parsed = parse(program(data, procedure))
  if (parsed.diagnostics.length > 0) throw new Error(JSON.stringify(parsed.diagnostics))
  return [...walkProcedure(parsed.program.procedure)]
}

/** The first statement of the given text, which must have the given kind. */
export const first = <Tag extends Statement["_tag"]>(
  tag: Tag,
  procedure: string,
  data?: string
): Extract<Statement, { _tag: Tag }> => {
  const [statement] = statements(procedure, data)
  if (statement?._tag !== tag) throw new Error(`${statement?._tag} instead of ${tag}`)
  return statement as Extract<Statement, { _tag: Tag }>
}

/** The working storage of a program with the given entries. */
export const workingStorage = (data: string): Program["data"]["workingStorage"] => {
  const parsed = parse(program(data, "    GOBACK."))
  if (parsed.diagnostics.length > 0) throw new Error(JSON.stringify(parsed.diagnostics))
  return parsed.program.data.workingStorage
}
