import type { Graph } from "../cobol/Graph.js"
import type { ProgramSummary } from "../cobol/ProgramSummary.js"
import { graphReport } from "./GraphReport.js"
import { type InventoryEntry, inventoryReport } from "./Inventory.js"
import { migrationPlan } from "./MigrationPlan.js"
import { programFileName } from "./ProgramFileName.js"
import { programReport } from "./ProgramReport.js"
import { summaryReport } from "./SummaryReport.js"

/** A report with the file name it wants, which holds no directory. */
export interface Report {
  readonly fileName: string
  readonly content: string
}

/** All reports about a set of files. */
export const reports = (
  entries: readonly InventoryEntry[],
  programs: readonly ProgramSummary[],
  graph: Graph
): readonly Report[] => {
  const fileName = programFileName(programs)
  return [
    { fileName: "summary.md", content: summaryReport(entries, programs, graph) },
    { fileName: "inventory.md", content: inventoryReport(entries) },
    { fileName: "dependency-graph.md", content: graphReport(graph) },
    { fileName: "migration-plan.md", content: migrationPlan(graph, programs) },
    ...programs.map((program) => ({ fileName: fileName(program), content: programReport(program) }))
  ]
}
