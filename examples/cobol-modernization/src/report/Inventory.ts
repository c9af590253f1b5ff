import type { ParseResult } from "../cobol/Ast.js"
import type { LineCounts } from "../cobol/LogicalText.js"
import type { Diagnostic } from "../cobol/Position.js"
import type { SourceText, UnreadableSource } from "../cobol/SourceFile.js"
import { code, page, plain, table } from "./Markdown.js"

/** One file of the inventory; a failure has a reason, and only files that could be read have lines. */
export interface InventoryEntry {
  readonly path: string
  readonly kind: "program" | "copybook" | "not COBOL" | "unreadable"
  readonly programs: readonly string[]
  readonly encoding: string
  readonly format: string
  readonly lines?: LineCounts
  readonly errors: number
  readonly warnings: number
  readonly reason?: string
}

const bySeverity = (diagnostics: readonly Diagnostic[], severity: Diagnostic["severity"]): number =>
  diagnostics.filter((diagnostic) => diagnostic.severity === severity).length

/** The entry of a file that could not be decoded. */
export const unreadableEntry = (source: UnreadableSource): InventoryEntry => ({
  path: source.path,
  kind: "unreadable",
  programs: [],
  encoding: "",
  format: "",
  errors: 1,
  warnings: 0,
  reason: `${source.message} ${source.hint}`
})

/** The entry of a file that was decoded and parsed. */
export const parsedEntry = (source: SourceText, result: ParseResult): InventoryEntry => {
  const base = {
    path: source.path,
    encoding: source.encoding,
    format: result.reading.format,
    lines: result.reading.lines,
    errors: bySeverity(result.diagnostics, "error"),
    warnings: bySeverity(result.diagnostics, "warning")
  }
  switch (result._tag) {
    case "Parsed":
      return {
        ...base,
        kind: "program",
        programs: [result.program, ...result.others].map(({ name }) => name)
      }
    case "CopyBook":
      return { ...base, kind: "copybook", programs: [] }
    case "NotCobol":
      return { ...base, kind: "not COBOL", programs: [], reason: result.reason }
  }
}

const kinds = ["program", "copybook", "not COBOL", "unreadable"] as const

/** `inventory.md`: every file that was looked at, and why some of them could not be used. */
export const inventoryReport = (entries: readonly InventoryEntry[]): string => {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))
  const failures = sorted.filter((entry) => entry.reason !== undefined)
  return page(
    "# Inventory",
    table(
      ["Kind", "Files"],
      kinds.map((kind) => [kind, entries.filter((entry) => entry.kind === kind).length])
    ),
    "## Files",
    table(
      ["File", "Kind", "Programs", "Encoding", "Format", "Code", "Comments", "Blank", "Errors", "Warnings"],
      sorted.map((entry) => [
        code(entry.path),
        entry.kind,
        plain(entry.programs.join(", ")),
        entry.encoding,
        entry.format,
        entry.lines?.code ?? 0,
        entry.lines?.comment ?? 0,
        entry.lines?.blank ?? 0,
        entry.errors,
        entry.warnings
      ]),
      "No file was given."
    ),
    "## Files that could not be used",
    table(
      ["File", "Reason"],
      failures.map((entry) => [code(entry.path), plain(entry.reason ?? "")]),
      "Every file could be used."
    )
  )
}
