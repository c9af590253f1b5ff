import * as fs from "node:fs"
import { setImmediate } from "node:timers/promises"
import { LogDamaged } from "@switchyard/core/EventLog"
import { origin, type Seq } from "@switchyard/core/Ids"
import { type Chain, makeChainCheck } from "./hashChain.js"
import { outOfPlace } from "./openLog.js"
import { readPayload } from "./payload.js"
import { checked, type Placed } from "./repair.js"
import { listSegments, type Segment } from "./segment.js"

/** What a log holds, after every byte of it was checked. */
export interface Totals {
  readonly segments: number
  readonly entries: number
  /** How many entries were removed on purpose. */
  readonly removed: number
  /** The bytes of the entries, without what files are filled with. */
  readonly bytes: number
  /** How many of the entries are kept in files of their own, which were checked too. */
  readonly payloads: number
  /** Which entries are chained by their hashes; `undefined` where none are. */
  readonly chain: Chain | undefined
  /** The bytes at the end that a crash in the middle of a write left, which opening the log sets aside. */
  readonly tornBytes: number
}

/** How many lines are checked before everybody else gets a turn. */
const linesPerTurn = 1024

/** What is wrong with the payload that a line refers to, if the line is still there: its run may be removed meanwhile. */
const payloadDamage = (segment: Segment, { bytes, entry, payload }: Placed): LogDamaged | undefined => {
  if (entry === undefined || payload === undefined) return undefined
  const content = readPayload(segment.file, entry, payload)
  if (!(content instanceof LogDamaged)) return undefined
  return fs.readFileSync(segment.file).includes(bytes) ? content : undefined
}

/** Checks every line of a directory's segments in order, as long as nobody gives up, and stops at the first damage. */
export const verifyLog = async (directory: string, signal: AbortSignal): Promise<Totals | LogDamaged> => {
  const segments = listSegments(directory)
  let last: Seq = origin
  const chain = makeChainCheck()
  let lines = 0
  let entries = 0
  let removed = 0
  let bytes = 0
  let payloads = 0
  let tornBytes = 0
  for (const [index, segment] of segments.entries()) {
    const misplaced = outOfPlace(segment, last)
    if (misplaced !== undefined) return misplaced
    const found = checked(segment, index === segments.length - 1)
    let step = found.next()
    for (let line = 1; !step.done; step = found.next(), line++) {
      const reason = chain.follow(step.value)
      if (reason !== undefined) {
        return new LogDamaged({ segment: segment.file, offset: step.value.from, line, reason })
      }
      last = step.value.last as Seq
      if (step.value.entry === undefined) removed += step.value.last + 1 - step.value.first
      else entries++
      if (step.value.payload !== undefined) payloads++
      const damaged = payloadDamage(segment, step.value)
      if (damaged !== undefined) return damaged
      if (++lines % linesPerTurn === 0) await setImmediate(undefined, { signal })
    }
    if (step.value instanceof LogDamaged) return step.value
    bytes += step.value.end
    if (step.value.torn) tornBytes = segment.size - step.value.end
  }
  return { segments: segments.length, entries, removed, bytes, payloads, chain: chain.chain(), tornBytes }
}
