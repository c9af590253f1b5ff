import { createHash } from "node:crypto"
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
  /** How many entries have their event in a file of its own. */
  readonly payloads: number
  /** How many entries are chained by their hashes. */
  readonly chained: number
  /** How many unfinished tails were put aside. */
  readonly torn: number
}

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex")

/** An entry with its event, which may be kept in a file that is named by its hash; throws where that is not there. */
export const wholeEntry = (directory: string, entry: Found): Found => {
  const payload = entry.event.payload as { readonly sha256: string; readonly bytes: number } | undefined
  if (payload === undefined || "commandId" in entry.event) return entry
  const content = fs.readFileSync(path.join(directory, "payloads", `${payload.sha256}.json`))
  if (content.length !== payload.bytes || sha256(content) !== payload.sha256) {
    throw new Error(`the payload of entry ${entry.seq} is another one`)
  }
  return { ...entry, event: JSON.parse(content.toString()) }
}

/** A line is an object whose first member is the CRC-32 of the text after it, and whose second may be a hash of a chain. */
const line = /^\{"crc":"([0-9a-f]{8})",((?:"hash":"([0-9a-f]{64}))?(.*))$/s

/** Reads all segments of a log; what is wrong with them is added to the violations. */
export const readLogFiles = (directory: string, violations: Array<string>): LogFiles => {
  const names = fs.readdirSync(directory)
  const segments = names.filter((name) => name.endsWith(".jsonl")).sort()
  const entries: Array<Found> = []
  const last = new Map<string, number>()
  let payloads = 0
  let chained = 0
  let chain = "0".repeat(64)

  const take = (text: string, where: string): void => {
    const [, crc, rest = "", hash, hashed = ""] = line.exec(text) ?? []
    if (crc32(rest).toString(16).padStart(8, "0") !== crc) {
      violations.push(`${where} is no entry, or its checksum is wrong: ${text.slice(0, 80)}`)
      return
    }
    if (hash === undefined ? chained > 0 : sha256(chain + hashed) !== hash) {
      violations.push(`${where} does not follow from the line before by its hash`)
    }
    if (hash !== undefined) {
      chained++
      chain = hash
    }
    const found: Found = JSON.parse(`{${rest}`)
    if (found.seq !== entries.length + 1) {
      violations.push(`${where} is entry ${found.seq} after ${entries.length}`)
    }
    const runSeq = (last.get(found.runId) ?? 0) + 1
    if (found.runSeq !== runSeq) {
      violations.push(`entry ${found.seq} is ${found.runSeq} of its run, not ${runSeq}`)
    }
    last.set(found.runId, found.runSeq)
    if (found.event.payload !== undefined) payloads++
    try {
      entries.push(wholeEntry(directory, found))
    } catch (error) {
      violations.push(String(error))
      entries.push(found)
    }
  }

  for (const name of segments) {
    if (Number(name.slice(0, -".jsonl".length)) !== entries.length + 1) {
      violations.push(`segment ${name} does not follow entry ${entries.length}`)
    }
    const lines = fs.readFileSync(path.join(directory, name), "utf8").split("\n")
    for (const [index, text] of lines.entries()) if (text !== "") take(text, `line ${index + 1} of ${name}`)
  }
  const torn = names.filter((name) => name.includes("torn-")).length
  return { entries, segments: segments.length, payloads, chained, torn }
}
