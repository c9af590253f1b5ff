import * as fs from "node:fs"
import * as path from "node:path"
import { crc32 } from "node:zlib"
import type { Content } from "./content.js"

/** An entry as it stands in a file. */
export interface Found extends Content {
  readonly seq: number
  readonly event: { readonly _tag: string } & Readonly<Record<string, unknown>>
}

/** What the files of a log hold, read without any of the code that wrote them. */
export interface LogFiles {
  readonly entries: ReadonlyArray<Found>
  readonly segments: number
  /** How many unfinished tails were put aside. */
  readonly torn: number
}

/** A line is an object whose first member is the CRC-32 of the text after it. */
const parse = (line: string, where: string, violations: Array<string>): Found | undefined => {
  const match = /^\{"crc":"([0-9a-f]{8})",(.*)$/s.exec(line)
  const rest = match?.[2] ?? ""
  if (match === null || crc32(rest).toString(16).padStart(8, "0") !== match[1]) {
    violations.push(`${where} is no entry, or its checksum is wrong: ${line.slice(0, 80)}`)
    return undefined
  }
  return JSON.parse(`{${rest}`)
}

/** Reads all segments of a log; what is wrong with them is added to the violations. */
export const readLogFiles = (directory: string, violations: Array<string>): LogFiles => {
  const names = fs.readdirSync(directory)
  const segments = names.filter((name) => name.endsWith(".jsonl")).sort()
  const entries: Array<Found> = []
  const last = new Map<string, number>()
  for (const name of segments) {
    if (Number(name.slice(0, -".jsonl".length)) !== entries.length + 1) {
      violations.push(`segment ${name} does not follow entry ${entries.length}`)
    }
    const lines = fs.readFileSync(path.join(directory, name), "utf8").split("\n")
    for (const [index, line] of lines.entries()) {
      if (line === "") continue
      const where = `line ${index + 1} of ${name}`
      const entry = parse(line, where, violations)
      if (entry === undefined) continue
      if (entry.seq !== entries.length + 1)
        violations.push(`${where} is entry ${entry.seq} after ${entries.length}`)
      const runSeq = (last.get(entry.runId) ?? 0) + 1
      if (entry.runSeq !== runSeq)
        violations.push(`entry ${entry.seq} is ${entry.runSeq} of its run, not ${runSeq}`)
      last.set(entry.runId, entry.runSeq)
      entries.push(entry)
    }
  }
  return { entries, segments: segments.length, torn: names.filter((name) => name.includes("torn-")).length }
}
