import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { copyResolver } from "../src/cobol/CopyBooks.js"
import { buildGraph } from "../src/cobol/Graph.js"
import { parseProgram } from "../src/cobol/Parser.js"
import { analyse } from "../src/cobol/ProgramSummary.js"
import { readSource } from "../src/cobol/SourceFile.js"

const sample = fileURLToPath(new URL("../sample", import.meta.url))

const files = (directory: string): readonly string[] =>
  readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? files(path) : [path]
  })

const isCobol = (path: string) => /\.(?:cbl|cob|cpy|copy)$/i.test(path)

describe.skipIf(!existsSync(sample))("the sample", () => {
  const sources = existsSync(sample)
    ? files(sample)
        .filter(isCobol)
        .map((path) => readSource(path.slice(sample.length + 1), readFileSync(path)))
    : []
  const readable = sources.flatMap((source) => (source._tag === "Source" ? [source] : []))
  const resolveCopy = copyResolver(readable)
  const results = readable.map(({ path, text }) => parseProgram({ path, source: text, resolveCopy }))

  it("is read without a diagnostic and without an unknown statement", () => {
    expect(readable).toHaveLength(sources.length)
    expect(results.flatMap((result) => result.diagnostics)).toEqual([])
    expect(results.filter((result) => result._tag === "NotCobol")).toEqual([])
    const programs = results.flatMap((result) => (result._tag === "Parsed" ? analyse(result) : []))
    expect(programs.length).toBeGreaterThan(10)
    expect(programs.flatMap((program) => program.unknown)).toEqual([])
    expect(programs.flatMap((program) => program.flow.unresolved)).toEqual([])
    expect(buildGraph(programs).missingCopyBooks).toEqual([])
  })
})
