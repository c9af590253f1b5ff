import * as fs from "node:fs"
import * as path from "node:path"
import { LogDamaged, type OpenRun, track } from "@switchyard/core/EventLog"
import { origin, type RunId, type Seq } from "@switchyard/core/Ids"
import type { Operations } from "./disk.js"
import { checked, keepTorn, settle } from "./repair.js"
import { packedPlaces } from "./runPlaces.js"
import { listSegments, type Segment } from "./segment.js"
import { readSnapshot, writeSnapshot } from "./snapshot.js"

/** A log as it was found, and repaired. */
export interface OpenedLog {
  readonly segments: Array<Segment>
  readonly last: Seq
  /** The hash of the last entry, where it is chained. */
  readonly hash: string | undefined
  readonly openRuns: Map<RunId, OpenRun>
  /** The file that a torn tail was put into. */
  readonly kept: string | undefined
}

/** Why a segment cannot follow an entry. */
export const outOfPlace = (segment: Segment, last: Seq): LogDamaged | undefined =>
  segment.firstSeq === last + 1
    ? undefined
    : new LogDamaged({
        segment: segment.file,
        offset: 0,
        line: 1,
        reason: `the log goes on with entry ${segment.firstSeq}, but entry ${last + 1} is next`
      })

/**
 * Opens the segments of a directory for writing. Only the last one is read, and repaired where it is torn; of the others
 * it is enough to know what their snapshots say, which are made anew where they are missing.
 */
export const openLog = (disk: Operations, directory: string): OpenedLog | LogDamaged => {
  const segments = listSegments(directory)
  let openRuns = new Map<RunId, OpenRun>()
  let last: Seq = origin
  let hash: string | undefined
  let kept: string | undefined
  const missing: Array<() => void> = []
  for (const [index, segment] of segments.entries()) {
    const misplaced = outOfPlace(segment, last)
    if (misplaced !== undefined) return misplaced
    const isLast = index === segments.length - 1
    const known = isLast ? undefined : readSnapshot(segment)
    // One that does not lead to the next segment is of another time, before the segment was restored perhaps.
    if (known !== undefined && known.last + 1 === segments[index + 1]?.firstSeq) {
      last = known.last
      hash = known.hash
      openRuns = new Map(known.openRuns)
      continue
    }
    const lines = checked(segment, isLast)
    let step = lines.next()
    for (; !step.done; step = lines.next()) {
      const { entry, from, payload, to } = step.value
      last = step.value.last as Seq
      hash = step.value.hash
      if (entry === undefined) continue
      track(openRuns, entry)
      segment.places.note(entry.runId, from, to)
      if (payload !== undefined) segment.payloads.add(payload.sha256)
    }
    const found = step.value
    if (found instanceof LogDamaged) return found
    if (isLast) {
      if (found.torn) kept = keepTorn(disk, segment, found.end)
      settle(disk, segment, found)
    } else {
      segment.size = found.end
      segment.places = packedPlaces(segment.places.pack())
      const atEnd = { last, hash, openRuns: new Map(openRuns) }
      missing.push(() => writeSnapshot(segment, atEnd))
    }
  }
  for (const [runId, { firstSeq }] of openRuns) {
    // Its registration was removed on purpose, and only a crash kept the rest of it from going too.
    const segment = segments.findLast((each) => each.firstSeq <= firstSeq)
    if (segment?.places.find(runId) === undefined) openRuns.delete(runId)
  }
  for (const write of missing) write()
  for (const name of fs.readdirSync(directory)) {
    if (name.endsWith(".new")) disk.remove(path.join(directory, name))
  }
  return { segments, last, hash, openRuns, kept }
}
