import { describe, expect, it } from "vitest"
import { buildGraph, type Graph } from "../src/cobol/Graph.js"
import { parseProgram } from "../src/cobol/Parser.js"
import { analyse } from "../src/cobol/ProgramSummary.js"
import { readSource } from "../src/cobol/SourceFile.js"
import { mermaidChart, mermaidLabel } from "../src/report/GraphReport.js"
import { inventoryReport, parsedEntry, unreadableEntry } from "../src/report/Inventory.js"
import { code, plain, table } from "../src/report/Markdown.js"
import { reports } from "../src/report/Reports.js"
import { parse, program } from "./cobol-program.js"

const [summary] = analyse(
  parse(
    program(
      "COPY GONE.\n01 REC.\n   05 A PIC X(3) VALUE '|`|'.\n   05 PGM PIC X(8).",
      "    CALL PGM. CALL 'SUB'. GO TO P2.\n    FROBNICATE `A` | B.\nP2.\n    EXEC SQL DELETE FROM T END-EXEC.\n    GOBACK."
    )
  )
)
const programs = summary === undefined ? [] : [summary]
const graph = buildGraph(programs)

const cells = (row: string) => row.replace(/\\\|/g, "").split("|").length

describe("Markdown", () => {
  it("escapes what would break a table", () => {
    expect(plain("a|b `c` <d> *e*\nf")).toBe("a\\|b \\`c\\` &lt;d> \\*e\\* f")
    expect(code("a`b|c")).toBe("`` a`b\\|c ``")
    expect(code("")).toBe("")
    expect(table(["A", "B"], [["x", 1]])).toBe("| A | B |\n| --- | ---: |\n| x | 1 |")
    expect(table(["A"], [])).toBe("None.")
  })
})

describe("reports", () => {
  const source = readSource("T.txt", new TextEncoder().encode("hello | world"))
  const parsed =
    source._tag === "Source"
      ? parseProgram({ path: "T.txt", source: source.text, resolveCopy: () => undefined })
      : undefined
  const unreadable = readSource("B.bin", new Uint8Array(10))
  const entries = [
    ...(source._tag === "Source" && parsed !== undefined ? [parsedEntry(source, parsed)] : []),
    ...(unreadable._tag === "UnreadableSource" ? [unreadableEntry(unreadable)] : [])
  ]
  const all = reports(entries, programs, graph)

  it("has one page for each subject, and tables whose rows all have the same width", () => {
    expect(all.map(({ fileName }) => fileName)).toEqual([
      "summary.md",
      "inventory.md",
      "dependency-graph.md",
      "migration-plan.md",
      "program-TEST1.md"
    ])
    for (const { content } of all) {
      for (const block of content.split("\n\n")) {
        const rows = block.split("\n").filter((line) => line.startsWith("|"))
        expect(new Set(rows.map(cells)).size).toBeLessThan(2)
      }
      expect(content).not.toMatch(/undefined|NaN|\[object/)
    }
  })

  it("lists failures with their reasons", () => {
    const text = inventoryReport(entries)
    expect(text).toContain("it has no PROGRAM-ID and no division")
    expect(text).toContain("nothing but NUL bytes")
  })

  it("names the risks of the plan", () => {
    const plan = all.find(({ fileName }) => fileName === "migration-plan.md")?.content ?? ""
    for (const risk of [
      "1 GO TO",
      "1 dynamic call",
      "1 statement that could not",
      "SUB, which is missing",
      "GONE"
    ]) {
      expect(plan).toContain(risk)
    }
  })

  it("gives programs of the same name different pages", () => {
    const twice = reports([], [...programs, ...programs.map((one) => ({ ...one, path: "other.cbl" }))], graph)
    expect(twice.map(({ fileName }) => fileName).slice(4)).toEqual(["program-TEST1.md", "program-TEST1-2.md"])
  })
})

describe("the Mermaid chart", () => {
  it("numbers its nodes and escapes its labels", () => {
    expect(mermaidLabel('a"b]`c`<end>')).toBe("a#34;b#93;#96;c#96;#60;end#62;")
    const chart = mermaidChart(graph)
    expect(chart.split("\n")[0]).toBe("flowchart LR")
    expect(chart).toContain('p0["TEST1"]')
    expect(chart).toContain('p1(["SUB"]):::missing')
    expect(chart).toContain("p0 --> p1")
    expect(chart).toContain("p0 -.-> c0")
    expect(chart).not.toContain("undefined")
  })

  it("stays below the number of edges Mermaid accepts", () => {
    const names = Array.from({ length: 700 }, (_, index) => `P${index}`)
    const large: Graph = {
      ...graph,
      programs: names,
      missing: [],
      calls: names.slice(1).map((to) => ({ from: "P0", to, by: "CALL", kind: "static", line: 1 }))
    }
    expect(mermaidChart(large).match(/-->/g)?.length).toBeLessThanOrEqual(500)
  })
})
