import type { ProgramSummary } from "./ProgramSummary.js"
import { stronglyConnected } from "./StronglyConnected.js"

/** A call from one program to another by name. */
export interface CallEdge {
  readonly from: string
  readonly to: string
  readonly by: "CALL" | "LINK" | "XCTL" | "START"
  readonly kind: "static" | "dynamic"
  readonly line: number
}

/** A copybook in use by a program, directly or through another copybook. */
export interface CopyEdge {
  readonly program: string
  readonly copyBook: string
  readonly isMissing: boolean
}

/** A dynamic call for which no target, or not every target, is known. */
export interface OpenCall {
  readonly program: string
  readonly identifier: string
  readonly targets: readonly string[]
  readonly line: number
}

/** A program that is called but was not given; `isSystem` marks names of the runtime, databases and queues. */
export interface MissingProgram {
  readonly name: string
  readonly calledBy: readonly string[]
  readonly isSystem: boolean
}

/** Sums over all programs. */
export interface Totals {
  readonly programs: number
  readonly codeLines: number
  readonly commentLines: number
  readonly blankLines: number
  readonly paragraphs: number
  readonly statements: number
  readonly complexity: number
  readonly goTos: number
  readonly dataItems: number
  readonly calls: number
  readonly dynamicCalls: number
  readonly copies: number
  readonly sqlTables: number
  readonly unknownStatements: number
}

/**
 * What the programs have to do with each other. `order` lists groups to migrate one after the other, callees
 * first; programs that call each other share a group, and those groups are `cycles` too. `roots` are called
 * by no other program. `duplicates` are names that more than one file claims.
 */
export interface Graph {
  readonly programs: readonly string[]
  readonly calls: readonly CallEdge[]
  readonly copies: readonly CopyEdge[]
  readonly openCalls: readonly OpenCall[]
  readonly missing: readonly MissingProgram[]
  readonly missingCopyBooks: readonly { readonly name: string; readonly usedBy: readonly string[] }[]
  readonly roots: readonly string[]
  readonly cycles: readonly (readonly string[])[]
  readonly order: readonly (readonly string[])[]
  readonly duplicates: readonly string[]
  readonly totals: Totals
}

const systemNames =
  /^(?:CEE|CBL_|DSN|DFH|IGZ|ILBO|MQ|AIB|CBLTDLI|ASMTDLI|PLITDLI|SYSTEM$|C\$|X"|ISP|BPX|EXCI|IKJ|IEF|IDC|ABEND$)/

const suppliedBySql = new Set(["SQLCA", "SQLDA"])

const collected = (
  pairs: Iterable<readonly [string, string]>
): readonly (readonly [string, readonly string[]])[] => {
  const byKey = new Map<string, Set<string>>()
  for (const [key, value] of pairs) byKey.set(key, (byKey.get(key) ?? new Set()).add(value))
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, values]) => [key, [...values].sort()])
}

const sum = (programs: readonly ProgramSummary[], of: (program: ProgramSummary) => number): number =>
  programs.reduce((total, program) => total + of(program), 0)

const totalsOf = (programs: readonly ProgramSummary[]): Totals => {
  const files = [...new Map(programs.map((program) => [program.path, program])).values()]
  return {
    programs: programs.length,
    codeLines: sum(files, ({ reading }) => reading.lines.code),
    commentLines: sum(files, ({ reading }) => reading.lines.comment),
    blankLines: sum(files, ({ reading }) => reading.lines.blank),
    paragraphs: sum(programs, ({ metrics }) => metrics.paragraphs),
    statements: sum(programs, ({ metrics }) => metrics.statementCount),
    complexity: sum(programs, ({ metrics }) => metrics.complexity),
    goTos: sum(programs, ({ metrics }) => metrics.goTos),
    dataItems: sum(programs, ({ metrics }) => metrics.dataItems),
    calls: sum(programs, ({ calls }) => calls.length),
    dynamicCalls: sum(programs, ({ calls }) => calls.filter((call) => call.kind === "dynamic").length),
    copies: sum(programs, ({ copies }) => copies.length),
    sqlTables: new Set(programs.flatMap(({ metrics }) => metrics.sqlTables.map((table) => table.name))).size,
    unknownStatements: sum(programs, ({ metrics }) => metrics.unknownStatements)
  }
}

/** Builds the graph of the given programs; the result does not depend on their order. */
export const buildGraph = (summaries: readonly ProgramSummary[]): Graph => {
  const sorted = [...summaries].sort((a, b) => (a.name + a.path < b.name + b.path ? -1 : 1))
  const names = [...new Set(sorted.map((program) => program.name))]
  const position = new Map(names.map((name, index) => [name, index]))
  // An ENTRY is another way into its program, so a call of it is a call of the program.
  const owner = new Map(sorted.flatMap(({ name, entries }) => entries.map((entry) => [entry, name] as const)))
  for (const name of names) owner.set(name, name)
  const calls: CallEdge[] = sorted.flatMap((program) =>
    program.calls.flatMap(({ targets, by, kind, line }) =>
      targets.map((target) => ({ from: program.name, to: owner.get(target) ?? target, by, kind, line }))
    )
  )
  const copies: CopyEdge[] = sorted.flatMap((program) =>
    [...new Map(program.copies.map((copy) => [copy.name, copy])).values()].map((copy) => ({
      program: program.name,
      copyBook: copy.name,
      isMissing: copy.path === undefined && !suppliedBySql.has(copy.name)
    }))
  )
  const isKnown = (name: string) => position.has(name)
  const missing = collected(calls.filter(({ to }) => !isKnown(to)).map(({ to, from }) => [to, from] as const))
  const missingCopyBooks = collected(
    copies.filter(({ isMissing }) => isMissing).map(({ copyBook, program }) => [copyBook, program] as const)
  )
  const callees = new Map(names.map((name) => [name, new Set<number>()]))
  for (const { from, to } of calls) {
    const index = position.get(to)
    if (index !== undefined) callees.get(from)?.add(index)
  }
  const successors = names.map((name) => [...(callees.get(name) ?? [])])
  const order = stronglyConnected(successors).map((group) => group.map((index) => names[index] ?? ""))
  const callsItself = new Set(calls.flatMap(({ from, to }) => (from === to ? [from] : [])))
  const called = new Set(calls.filter(({ from, to }) => from !== to).map(({ to }) => to))
  const paths = collected(sorted.map(({ name, path }) => [name, path] as const))
  return {
    programs: names,
    calls,
    copies,
    openCalls: sorted.flatMap((program) =>
      program.calls.flatMap(({ kind, isComplete, identifier, targets, line }) =>
        kind === "dynamic" && !isComplete
          ? [{ program: program.name, identifier: identifier ?? "", targets, line }]
          : []
      )
    ),
    missing: missing.map(([name, calledBy]) => ({ name, calledBy, isSystem: systemNames.test(name) })),
    missingCopyBooks: missingCopyBooks.map(([name, usedBy]) => ({ name, usedBy })),
    roots: sorted
      .filter(({ name, within }) => !called.has(name) && within === undefined)
      .map(({ name }) => name),
    cycles: order.filter((group) => group.length > 1 || group.some((name) => callsItself.has(name))),
    order,
    duplicates: paths.filter(([, files]) => files.length > 1).map(([name]) => name),
    totals: totalsOf(sorted)
  }
}
