import type { CopyUse, ParsedProgram, Program, SourceReading } from "./Ast.js"
import { type ControlFlow, controlFlow } from "./ControlFlow.js"
import type { DataItem } from "./DataItem.js"
import { complexityOf, type Metrics, metricsOf } from "./Metrics.js"
import type { Diagnostic } from "./Position.js"
import { callsOf, type ProgramCall } from "./ProgramCalls.js"
import { statementsOf, walk, walkProcedure } from "./Walk.js"

/** One data item on one line, for tables; `depth` is 0 for the record itself. */
export interface DataRow {
  readonly depth: number
  readonly level: number
  readonly name: string
  readonly picture: string
  readonly usage: string
  readonly occurs: string
  readonly redefines: string
  readonly offset: number
  readonly size: number
  readonly line: number
  readonly conditions: readonly string[]
}

/** The rows of one storage area; `area` names it as COBOL does, with the file for records of files. */
export interface DataArea {
  readonly area: string
  readonly rows: readonly DataRow[]
}

/** A paragraph without its statements. */
export interface ParagraphSummary {
  readonly name: string
  readonly section: string
  readonly line: number
  readonly endLine: number
  readonly file: string
  readonly statements: number
  readonly complexity: number
}

/** A file the program uses and how it opens it. */
export interface FileUse {
  readonly name: string
  readonly assign: string
  readonly organization: string
  readonly modes: readonly string[]
}

/**
 * What documentation and planning need to know of one program, as plain JSON without the tree. `within`
 * names the program that contains it; diagnostics and copies are listed with the first program of a file only.
 */
export interface ProgramSummary {
  readonly _tag: "ProgramSummary"
  readonly name: string
  readonly path: string
  readonly line: number
  readonly endLine: number
  readonly within?: string
  readonly reading: SourceReading
  readonly identification: Program["identification"]
  readonly parameters: readonly string[]
  readonly entries: readonly string[]
  readonly metrics: Metrics
  readonly paragraphs: readonly ParagraphSummary[]
  readonly flow: ControlFlow
  readonly calls: readonly ProgramCall[]
  readonly copies: readonly CopyUse[]
  readonly files: readonly FileUse[]
  readonly data: readonly DataArea[]
  readonly unknown: readonly { readonly verb: string; readonly text: string; readonly line: number }[]
  readonly diagnostics: readonly Diagnostic[]
}

const occursText = (item: DataItem): string => {
  if (item.occurs === undefined) return ""
  const { min, max, dependingOn } = item.occurs
  const range = min === max ? `${max}` : `${min}–${max}`
  return dependingOn === undefined ? range : `${range} by ${dependingOn.name}`
}

const rowsOf = (items: readonly DataItem[], depth: number): readonly DataRow[] =>
  items.flatMap((item) => [
    {
      depth,
      level: item.level,
      name: item.name,
      picture: item.picture?.text ?? "",
      usage: item.children.length > 0 ? "group" : item.usage,
      occurs: occursText(item),
      redefines: item.redefines ?? "",
      offset: item.offset,
      size: item.totalSize,
      line: item.at.line,
      conditions: item.conditions.map((condition) => condition.name)
    },
    ...rowsOf(item.children, depth + 1)
  ])

const areasOf = (program: Program): readonly DataArea[] => {
  const { files, workingStorage, localStorage, linkage } = program.data
  const areas = [
    ...files.map((file) => ({ area: `${file.kind} ${file.name}`, rows: rowsOf(file.records, 0) })),
    { area: "WORKING-STORAGE", rows: rowsOf(workingStorage, 0) },
    { area: "LOCAL-STORAGE", rows: rowsOf(localStorage, 0) },
    { area: "LINKAGE", rows: rowsOf(linkage, 0) }
  ]
  return areas.filter((area) => area.rows.length > 0)
}

const filesOf = (program: Program): readonly FileUse[] => {
  const modes = new Map<string, Set<string>>()
  for (const statement of walkProcedure(program.procedure)) {
    if (statement._tag !== "Open") continue
    for (const { file, mode } of statement.files) modes.set(file, (modes.get(file) ?? new Set()).add(mode))
  }
  return program.fileControl.map(({ name, assign, organization }) => ({
    name,
    assign,
    organization,
    modes: [...(modes.get(name) ?? [])]
  }))
}

const paragraphSummaries = (program: Program): readonly ParagraphSummary[] =>
  (program.procedure?.sections ?? []).flatMap((section) =>
    section.paragraphs.map((paragraph) => ({
      name: paragraph.name,
      section: section.name,
      line: paragraph.at.line,
      endLine: paragraph.endLine,
      file: paragraph.at.file,
      statements: [...walk(statementsOf(paragraph))].length,
      complexity: complexityOf(statementsOf(paragraph))
    }))
  )

const summaryOf = (
  program: Program,
  reading: SourceReading,
  within: string | undefined,
  diagnostics: readonly Diagnostic[]
): ProgramSummary => {
  const statements = [...walkProcedure(program.procedure)]
  const base = {
    _tag: "ProgramSummary" as const,
    name: program.name,
    path: program.path,
    line: program.at.line,
    endLine: program.endLine,
    reading,
    identification: program.identification,
    parameters: (program.procedure?.using ?? []).map((parameter) => parameter.name),
    entries: statements.flatMap((statement) => (statement._tag === "Entry" ? [statement.name] : [])),
    metrics: metricsOf(program),
    paragraphs: paragraphSummaries(program),
    flow: controlFlow(program.procedure),
    calls: callsOf(program),
    copies: program.copies,
    files: filesOf(program),
    data: areasOf(program),
    unknown: statements.flatMap((statement) =>
      statement._tag === "Unknown"
        ? [{ verb: statement.verb, text: statement.text, line: statement.at.line }]
        : []
    ),
    diagnostics
  }
  return within === undefined ? base : { ...base, within }
}

/** Summaries of every program of a parsed file: the first one, then nested and following ones in source order. */
export const analyse = (parsed: ParsedProgram): readonly ProgramSummary[] => {
  const summaries: ProgramSummary[] = []
  const add = (program: Program, within: string | undefined) => {
    const diagnostics = summaries.length === 0 ? parsed.diagnostics : []
    summaries.push(summaryOf(program, parsed.reading, within, diagnostics))
    for (const nested of program.nested) add(nested, program.name)
  }
  for (const program of [parsed.program, ...parsed.others]) add(program, undefined)
  return summaries
}
