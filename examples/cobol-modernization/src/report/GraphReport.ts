import type { CallEdge, Graph } from "../cobol/Graph.js"
import { code, list, page, table } from "./Markdown.js"

// Mermaid refuses charts of more than 500 edges unless the page configures it otherwise.
const mostEdges = 400

/** A label for Mermaid in its own entity notation, so that no character can end it. */
export const mermaidLabel = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/[^A-Za-z0-9 .,:()+-]/gu, (character) => `#${character.codePointAt(0) ?? 63};`)

const callLabel = (edge: CallEdge): string =>
  [edge.by === "CALL" ? "" : edge.by, edge.kind === "dynamic" ? "dynamic" : ""]
    .filter((part) => part !== "")
    .join(", ")

const uniqueCalls = (calls: readonly CallEdge[]): readonly CallEdge[] => [
  ...new Map(calls.map((call) => [`${call.from}\n${call.to}\n${callLabel(call)}`, call])).values()
]

/** A Mermaid flowchart of calls and copies; node ids are numbered, so that no name can break it. */
export const mermaidChart = (graph: Graph): string => {
  const calls = uniqueCalls(graph.calls).slice(0, mostEdges)
  const copies = calls.length + graph.copies.length <= mostEdges ? graph.copies : []
  const missing = graph.missing.map(({ name }) => name)
  const copyBooks = [...new Set(copies.map(({ copyBook }) => copyBook))].sort()
  const absent = new Set(copies.filter(({ isMissing }) => isMissing).map(({ copyBook }) => copyBook))
  const programIds = new Map([...graph.programs, ...missing].map((name, index) => [name, `p${index}`]))
  const copyIds = new Map(copyBooks.map((name, index) => [name, `c${index}`]))
  const lines = ["flowchart LR"]
  for (const name of graph.programs)
    lines.push(`  ${programIds.get(name)}["${mermaidLabel(name || "unnamed")}"]`)
  for (const name of missing) lines.push(`  ${programIds.get(name)}(["${mermaidLabel(name)}"]):::missing`)
  for (const name of copyBooks) {
    lines.push(
      `  ${copyIds.get(name)}[/"${mermaidLabel(name)}"/]${absent.has(name) ? ":::missing" : ":::copybook"}`
    )
  }
  for (const call of calls) {
    const label = callLabel(call)
    const arrow = label === "" ? "-->" : `-- "${mermaidLabel(label)}" -->`
    lines.push(`  ${programIds.get(call.from)} ${arrow} ${programIds.get(call.to)}`)
  }
  for (const { program, copyBook } of copies) {
    lines.push(`  ${programIds.get(program)} -.-> ${copyIds.get(copyBook)}`)
  }
  lines.push("  classDef missing stroke:#c00,stroke-dasharray:4")
  lines.push("  classDef copybook stroke:#888")
  return lines.join("\n")
}

/** `dependency-graph.md`: the chart of calls and copies with what is missing from it. */
export const graphReport = (graph: Graph): string => {
  const calls = uniqueCalls(graph.calls)
  const isCut = calls.length > mostEdges
  const lacksCopies = Math.min(calls.length, mostEdges) + graph.copies.length > mostEdges
  return page(
    "# Dependency graph",
    "Solid arrows are calls, dotted arrows are copies. Names with a dashed red border are not among the files.",
    graph.programs.length === 0 ? "There is no program." : `\`\`\`mermaid\n${mermaidChart(graph)}\n\`\`\``,
    isCut
      ? `The chart shows the first ${mostEdges} of ${calls.length} calls; the table below has them all.`
      : "",
    lacksCopies
      ? "The copies are left out of the chart because there are too many; the table below has them."
      : "",
    "## Calls",
    table(
      ["Program", "Calls", "By", "Kind", "Line"],
      graph.calls.map((call) => [code(call.from), code(call.to), call.by, call.kind, call.line])
    ),
    "## Copies",
    table(
      ["Program", "Copybook", "State"],
      graph.copies.map((copy) => [
        code(copy.program),
        code(copy.copyBook),
        copy.isMissing ? "not found" : "found"
      ])
    ),
    "## Programs that are called but missing",
    table(
      ["Program", "Called by", "Kind"],
      graph.missing.map((one) => [
        code(one.name),
        one.calledBy.map(code).join(", "),
        one.isSystem ? "system routine" : "application"
      ])
    ),
    "## Cycles",
    list(graph.cycles.map((group) => group.map(code).join(" ↔ "))),
    "## Entry points",
    list(graph.roots.map(code))
  )
}
