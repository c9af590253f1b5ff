import * as fs from "node:fs"
import { LogDamaged, type OpenRun, track } from "@switchyard/core/EventLog"
import type { RunId, Seq } from "@switchyard/core/Ids"
import { checked } from "./repair.js"
import { growingPlaces, packedPlaces } from "./runPlaces.js"
import type { Segment } from "./segment.js"
import { readSnapshot } from "./snapshot.js"

/** A segment that another process writes or compacts, and the file that it was read from. */
export interface ViewedSegment extends Segment {
  inode: number
}

/** A segment whose file was not looked at yet. */
export const viewed = (segment: Segment): ViewedSegment => ({ ...segment, inode: 0 })

/** The runs that have not ended at some place of the log. */
export type OpenRuns = ReadonlyMap<RunId, OpenRun>

/** Whether compaction has put another file in the place of the one that was read: it has fewer bytes, and is another file. */
export const isReplaced = ({ file, inode, size }: ViewedSegment): boolean => {
  const found = fs.statSync(file)
  return found.ino !== inode || found.size < size
}

const scan = (segment: ViewedSegment, nextSeq: Seq, openRuns: OpenRuns): OpenRuns | LogDamaged => {
  const open = new Map(openRuns)
  const lines = checked(segment, false)
  let last = segment.firstSeq - 1
  let step = lines.next()
  for (; !step.done; step = lines.next()) {
    const { entry, from, to } = step.value
    last = step.value.last
    if (entry === undefined) continue
    track(open, entry)
    segment.places.note(entry.runId, from, to)
  }
  if (step.value instanceof LogDamaged) return step.value
  segment.size = step.value.end
  segment.places = packedPlaces(segment.places.pack())
  if (last + 1 === nextSeq) return open
  const reason = `entry ${last + 1} is missing, the segment ends before it`
  return new LogDamaged({ segment: segment.file, offset: segment.size, line: 1, reason })
}

/** How often a segment is looked at again whose file was replaced meanwhile. */
const mostAttempts = 10

/**
 * Finds out what is in a segment that is written no more and is followed by the entry `nextSeq`, from its snapshot where one
 * fits it. Gives the runs that are open at its end; `openRuns` are those at its beginning.
 */
export const describe = (segment: ViewedSegment, nextSeq: Seq, openRuns: OpenRuns): OpenRuns | LogDamaged => {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const { ino, size } = fs.statSync(segment.file)
    segment.inode = ino
    segment.size = size
    segment.marks = { seqs: [], offsets: [] }
    segment.places = growingPlaces()
    const known = readSnapshot(segment)
    // One that does not lead to the next segment is of another time, before the segment was restored perhaps.
    const fits = known !== undefined && known.last + 1 === nextSeq
    const found = fits ? known.openRuns : scan(segment, nextSeq, openRuns)
    if (fs.statSync(segment.file).ino === ino) return found
  }
  const reason = "another file takes its place again and again"
  return new LogDamaged({ segment: segment.file, offset: 0, line: 1, reason })
}
