import * as fs from "node:fs"
import * as path from "node:path"
import { setImmediate } from "node:timers/promises"
import { LogDamaged } from "@switchyard/core/EventLog"
import type { RunId } from "@switchyard/core/Ids"
import type { Compacted, Mode } from "../LogCompaction.js"
import type { Operations } from "./disk.js"
import { addGap, addLine, addWhole, type Decoded, decode } from "./line.js"
import { type Lines, makeLines } from "./lineBytes.js"
import { readPayload } from "./payload.js"
import type { PayloadWriter } from "./payloadWriter.js"
import { checked, type Placed } from "./repair.js"
import { growingPlaces, packedPlaces } from "./runPlaces.js"
import { lineAt, mark, readLines, type Segment, withFile } from "./segment.js"
import { readSnapshot, writeSnapshot } from "./snapshot.js"

/** How many lines are read before everybody else gets a turn. */
const linesPerTurn = 1024
const bytesPerWrite = 1024 * 1024

/** Makes a file that comes into being with all of its content, or not at all; its directory is left to be synced. */
const replaceFile = async (
  disk: Operations,
  file: string,
  write: (put: (bytes: Uint8Array) => void) => Promise<boolean>
): Promise<boolean> => {
  const unfinished = `${file}.new`
  disk.remove(unfinished)
  const fd = disk.open(unfinished)
  let size = 0
  const put = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; ) {
      const written = disk.writeNow(fd, bytes.subarray(done), size)
      if (written === 0) throw new Error("the device takes no more bytes")
      done += written
      size += written
    }
  }
  try {
    let wanted = false
    try {
      wanted = await write(put)
      if (wanted) disk.datasyncNow(fd)
    } finally {
      disk.close(fd)
    }
    if (wanted) disk.rename(unfinished, file)
    else disk.remove(unfinished)
    return wanted
  } catch (error) {
    disk.remove(unfinished)
    throw error
  }
}

const flush = (lines: Lines, put: (bytes: Uint8Array) => void): void => {
  put(lines.bytes.subarray(0, lines.length))
  lines.length = 0
}

/** Adds a line of a run as it is kept for itself, with its payload in it. */
const addArchived = (
  lines: Lines,
  segment: Segment,
  line: Buffer,
  { entry, payload }: Decoded
): LogDamaged | undefined => {
  if (entry === undefined || payload === undefined) {
    addLine(lines, line)
    return undefined
  }
  const content = readPayload(segment.file, entry, payload)
  if (content instanceof LogDamaged) return content
  addWhole(lines, line, content)
  return undefined
}

/**
 * Puts the lines of a run into a file of their own. It is complete before anything of the run is removed, so where there is
 * one already, the run may be removed in part and the file is left as it is.
 */
const archiveRun = async (
  disk: Operations,
  directory: string,
  segments: ReadonlyArray<Segment>,
  runId: RunId
): Promise<LogDamaged | undefined> => {
  const target = path.join(directory, "archive", `${runId}.jsonl`)
  if (fs.existsSync(target)) return undefined
  const holding = segments.filter(({ places }) => places.find(runId) !== undefined)
  if (holding.length === 0) return undefined
  fs.mkdirSync(path.dirname(target), { recursive: true })
  disk.syncDirectory(directory)
  let damaged: LogDamaged | undefined
  const isMade = await replaceFile(disk, target, async (put) => {
    const lines = makeLines()
    let isEmpty = true
    const take = (segment: Segment): LogDamaged | undefined =>
      withFile(segment.file, (fd) => {
        const place = segment.places.find(runId)
        for (const { bytes, offset } of readLines(fd, place?.from ?? 0, place?.to ?? 0)) {
          const decoded = decode(bytes)
          if (typeof decoded === "string") {
            const line = lineAt(fd, offset)
            return new LogDamaged({ segment: segment.file, offset, line, reason: decoded })
          }
          if (decoded.entry?.runId !== runId) continue
          isEmpty = false
          const without = addArchived(lines, segment, bytes, decoded)
          if (without !== undefined) return without
          if (lines.length >= bytesPerWrite) flush(lines, put)
        }
        return undefined
      })
    for (const segment of holding) {
      damaged = take(segment)
      if (damaged !== undefined) return false
      await setImmediate()
    }
    flush(lines, put)
    return !isEmpty
  })
  if (isMade) disk.syncDirectory(path.dirname(target))
  return damaged
}

/** A segment without the entries of some runs: `gap` stands for those that followed each other just now. */
interface Rest {
  readonly segment: Segment
  readonly lines: Lines
  gap: { readonly first: number; readonly last: number; readonly hash: string | undefined } | undefined
  removed: number
  flushed: number
}

const endOf = ({ flushed, lines }: Rest): number => flushed + lines.length

const closeGap = (rest: Rest): void => {
  if (rest.gap === undefined) return
  const { first, hash, last } = rest.gap
  mark(rest.segment.marks, first, endOf(rest))
  addGap(rest.lines, first, last, hash)
  rest.gap = undefined
}

const take = (
  rest: Rest,
  { bytes, entry, first, hash, last, payload }: Placed,
  runs: ReadonlySet<RunId>
): void => {
  if (entry === undefined || runs.has(entry.runId)) {
    rest.gap = { first: rest.gap?.first ?? first, last, hash }
    if (entry !== undefined) rest.removed++
    return
  }
  closeGap(rest)
  const from = endOf(rest)
  mark(rest.segment.marks, first, from)
  addLine(rest.lines, bytes)
  rest.segment.places.note(entry.runId, from, endOf(rest))
  if (payload !== undefined) rest.segment.payloads.add(payload.sha256)
}

const fresh = (segment: Segment): Segment => ({
  ...segment,
  marks: { seqs: [], offsets: [] },
  places: growingPlaces(),
  payloads: new Set()
})

/**
 * Writes a segment anew without the entries of some runs; one line stands for those that followed each other. The file takes
 * the place of the old one at once, and always is the smaller one, so that a snapshot of the old one does not fit it. Gives
 * how many entries were removed.
 */
const compactSegment = async (
  disk: Operations,
  segment: Segment,
  runs: ReadonlySet<RunId>
): Promise<number | LogDamaged> => {
  const rest: Rest = { segment: fresh(segment), lines: makeLines(), gap: undefined, removed: 0, flushed: 0 }
  const known = readSnapshot(fresh(segment))
  let damaged: LogDamaged | undefined
  const replaced = await replaceFile(disk, segment.file, async (put) => {
    const flushRest = (): void => {
      rest.flushed += rest.lines.length
      flush(rest.lines, put)
    }
    const lines = checked(fresh(segment), false)
    let count = 0
    let step = lines.next()
    for (; !step.done; step = lines.next()) {
      take(rest, step.value, runs)
      if (rest.lines.length >= bytesPerWrite) flushRest()
      if (++count % linesPerTurn === 0) await setImmediate()
    }
    if (step.value instanceof LogDamaged) damaged = step.value
    closeGap(rest)
    flushRest()
    return damaged === undefined && rest.removed > 0
  })
  if (damaged !== undefined) return damaged
  if (!replaced) return 0
  segment.size = rest.flushed
  segment.marks = rest.segment.marks
  segment.places = packedPlaces(rest.segment.places.pack())
  segment.payloads = rest.segment.payloads
  disk.syncDirectory(path.dirname(segment.file))
  if (known !== undefined) {
    writeSnapshot(segment, {
      ...known,
      openRuns: new Map([...known.openRuns].filter(([runId]) => !runs.has(runId)))
    })
  }
  return rest.removed
}

/**
 * Removes runs from the segments that are written no more, the oldest first: so the registration of a run is gone before its
 * end is, and what is left of it after a crash is never taken for a run that goes on.
 */
export const compactSegments = async (
  disk: Operations,
  directory: string,
  segments: ReadonlyArray<Segment>,
  runs: ReadonlySet<RunId>,
  mode: Mode
): Promise<Compacted | LogDamaged> => {
  if (mode === "archive") {
    for (const runId of runs) {
      const damaged = await archiveRun(disk, directory, segments, runId)
      if (damaged !== undefined) return damaged
    }
  }
  let entries = 0
  let bytes = 0
  for (const segment of segments) {
    if (![...runs].some((runId) => segment.places.find(runId) !== undefined)) continue
    const before = segment.size
    const removed = await compactSegment(disk, segment, runs)
    if (removed instanceof LogDamaged) return removed
    entries += removed
    bytes += before - segment.size
  }
  return { entries, bytes }
}

/** Removes the payloads that no line of the segments refers to any more; the last of them, and later ones, may grow meanwhile. */
export const sweepPayloads = (payloads: PayloadWriter, segments: ReadonlyArray<Segment>): Promise<void> => {
  const growing = segments.length - 1
  const referred = new Set(segments.slice(0, growing).flatMap((segment) => [...segment.payloads]))
  return payloads.sweep(
    (sha256) =>
      referred.has(sha256) || segments.slice(growing).some((segment) => segment.payloads.has(sha256))
  )
}
