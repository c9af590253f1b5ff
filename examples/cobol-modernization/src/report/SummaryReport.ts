import type { Graph } from "../cobol/Graph.js"
import type { ProgramSummary } from "../cobol/ProgramSummary.js"
import type { InventoryEntry } from "./Inventory.js"
import { code, page, table } from "./Markdown.js"
import { migrationRisks } from "./MigrationPlan.js"
import { programFileName } from "./ProgramFileName.js"

/** `summary.md`: the totals and one line for each program with a link to its page. */
export const summaryReport = (
  entries: readonly InventoryEntry[],
  programs: readonly ProgramSummary[],
  graph: Graph
): string => {
  const { totals } = graph
  const copybooks = entries.filter((entry) => entry.kind === "copybook").length
  const failures = entries.filter((entry) => entry.reason !== undefined).length
  const rows: readonly (readonly [string, number])[] = [
    ["Files", entries.length],
    ["Programs", totals.programs],
    ["Copybooks", copybooks],
    ["Files that could not be used", failures],
    ["Lines of code in programs", totals.codeLines],
    ["Comment lines in programs", totals.commentLines],
    ["Blank lines in programs", totals.blankLines],
    ["Paragraphs", totals.paragraphs],
    ["Statements", totals.statements],
    ["Statements that could not be read", totals.unknownStatements],
    ["Cyclomatic complexity", totals.complexity],
    ["GO TO", totals.goTos],
    ["Data items", totals.dataItems],
    ["Calls", totals.calls],
    ["Dynamic calls", totals.dynamicCalls],
    ["Missing programs", graph.missing.filter(({ isSystem }) => !isSystem).length],
    ["Missing copybooks", graph.missingCopyBooks.length],
    ["Copies", totals.copies],
    ["SQL tables", totals.sqlTables],
    ["Call cycles", graph.cycles.length],
    ["Risks", migrationRisks(graph, programs).length]
  ]
  const fileNames = programFileName(programs)
  return page(
    "# Summary",
    table(["What", "Total"], rows),
    "## Programs",
    table(
      ["Program", "Statements", "Complexity", "Paragraphs", "GO TO", "Calls", "Copies", "Unknown"],
      programs.map((program) => [
        `[${code(program.name)}](${encodeURI(fileNames(program))})`,
        program.metrics.statementCount,
        program.metrics.complexity,
        program.metrics.paragraphs,
        program.metrics.goTos,
        program.calls.length,
        program.copies.length,
        program.metrics.unknownStatements
      ])
    )
  )
}
