import type { Program } from "./Ast.js"
import type { DataItem } from "./DataItem.js"
import type { SqlTable } from "./ExecStatement.js"
import type { Condition } from "./Expression.js"
import { paragraphsOf } from "./ProcedureDivision.js"
import type { Statement } from "./Statement.js"
import { branchesOf, conditionsOf, statementsOf, walk, walkProcedure } from "./Walk.js"

/** What can be counted in one program; `statements` counts by kind of statement. */
export interface Metrics {
  readonly paragraphs: number
  readonly sections: number
  readonly statementCount: number
  readonly statements: Readonly<Record<string, number>>
  readonly complexity: number
  readonly goTos: number
  readonly dataItems: number
  readonly conditionNames: number
  readonly unknownStatements: number
  readonly sqlTables: readonly SqlTable[]
  readonly sqlCommands: Readonly<Record<string, number>>
  readonly cicsCommands: Readonly<Record<string, number>>
}

const connectives = (condition: Condition): number => {
  if (condition._tag === "Not") return connectives(condition.condition)
  if (condition._tag !== "And" && condition._tag !== "Or") return 0
  return condition.conditions.reduce((sum, part) => sum + connectives(part), condition.conditions.length - 1)
}

const optionalBranches = (statement: Statement): number =>
  branchesOf(statement).filter(
    ({ name }) => name.startsWith("on") || name === "atEnd" || name === "invalidKey" || name === "atEndOfPage"
  ).length

const decisions = (statement: Statement): number => {
  const logical = conditionsOf(statement).reduce((sum, condition) => sum + connectives(condition), 0)
  switch (statement._tag) {
    case "If":
      return 1 + logical
    case "Evaluate":
      return statement.branches.reduce((sum, branch) => sum + branch.whens.length, 0) + logical
    case "Search":
      return statement.whens.length + optionalBranches(statement) + logical
    case "Perform":
    case "PerformInline":
      return statement.loop._tag === "Once" ? 0 : 1 + logical
    case "GoTo":
      return statement.dependingOn === undefined ? 0 : statement.targets.length
    default:
      return optionalBranches(statement)
  }
}

/** The cyclomatic complexity of statements: one plus their decisions, AND and OR included. */
export const complexityOf = (statements: readonly Statement[]): number => {
  let complexity = 1
  for (const statement of walk(statements)) complexity += decisions(statement)
  return complexity
}

/** Every data item of a program in source order, the members of a group after the group. */
export const allItems = (program: Program): readonly DataItem[] => {
  const { files, workingStorage, localStorage, linkage } = program.data
  const flat = (items: readonly DataItem[]): readonly DataItem[] =>
    items.flatMap((item) => [item, ...flat(item.children)])
  return flat([...files.flatMap((file) => file.records), ...workingStorage, ...localStorage, ...linkage])
}

const counted = (names: Iterable<string>): Readonly<Record<string, number>> => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Counts what is in one program, without the programs nested in it. */
export const metricsOf = (program: Program): Metrics => {
  const statements = [...walkProcedure(program.procedure)]
  const paragraphs = paragraphsOf(program.procedure).filter((paragraph) => paragraph.name !== "")
  const blocks = [...program.data.embedded, ...statements]
  const tables = new Map<string, SqlTable>()
  for (const block of blocks) {
    for (const table of block._tag === "ExecSql" ? block.tables : []) {
      if (tables.get(table.name)?.access !== "write") tables.set(table.name, table)
    }
  }
  const items = allItems(program)
  const topLevel = paragraphsOf(program.procedure).flatMap(statementsOf)
  return {
    paragraphs: paragraphs.length,
    sections: (program.procedure?.sections ?? []).filter((section) => section.name !== "").length,
    statementCount: statements.length,
    statements: counted(statements.map((statement) => statement._tag)),
    complexity: complexityOf(topLevel),
    goTos: statements.filter((statement) => statement._tag === "GoTo").length,
    dataItems: items.length,
    conditionNames: items.reduce((sum, item) => sum + item.conditions.length, 0),
    unknownStatements: statements.filter((statement) => statement._tag === "Unknown").length,
    sqlTables: [...tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    sqlCommands: counted(blocks.flatMap((block) => (block._tag === "ExecSql" ? [block.command] : []))),
    cicsCommands: counted(blocks.flatMap((block) => (block._tag === "ExecCics" ? [block.command] : [])))
  }
}
