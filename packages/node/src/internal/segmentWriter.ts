import type { Operations } from "./disk.js"
import { reasonOf } from "./fileSystem.js"
import type { Segment } from "./segment.js"

/** Why bytes are not in a segment; `final` where nothing more can be written to it. */
export interface WriteFailure {
  readonly reason: string
  readonly final: boolean
}

/** The end of a segment that is being written. */
export interface SegmentWriter {
  readonly segment: Segment
  /** Makes lines durable with one write and one fdatasync; one call at a time. After a failure nothing of them is there. */
  readonly write: (lines: Buffer, done: (failure: WriteFailure | undefined) => void) => void
  /** Cuts off what the file was filled with and lets go of it. */
  readonly close: () => void
}

const newline = 0x0a
const smallestFill = 64 * 1024
const largestFill = 1024 * 1024

/** A group of this size takes the disk longer than the metadata of a file that grows, so that nothing is gained by a fill. */
const largestFilled = 128 * 1024

/** Up to here the page cache takes bytes sooner than another thread could be asked to. */
const writtenAtOnce = 256 * 1024

/** How far a file is filled with blank lines when it has to grow, in proportion to what it holds already. */
const fillFor = (end: number, limit: number): number =>
  Math.max(end, Math.min(limit, end + Math.max(smallestFill, Math.min(largestFill, end))))

/**
 * A writer at the end of a segment. The file is filled with newlines ahead of its lines, with the same write as the lines
 * that need the room: writing over blocks that exist leaves fdatasync no metadata to sync. A write that fails is cut off
 * again, durably, so that it can be tried afresh. After a failed fdatasync nobody knows what the disk holds
 * (https://wiki.postgresql.org/wiki/Fsync_Errors), so the failure is final.
 */
export const makeSegmentWriter = (disk: Operations, segment: Segment, limit: number): SegmentWriter => {
  const fd = disk.open(segment.file)
  let filled = segment.size

  const undo = (): string | undefined => {
    try {
      disk.truncate(fd, segment.size)
      filled = segment.size
      disk.datasyncNow(fd)
      return undefined
    } catch (error) {
      return `a failed write could not be undone: ${reasonOf(error)}`
    }
  }

  return {
    segment,
    write: (lines, done) => {
      const begin = segment.size
      const end = begin + lines.length
      let bytes = lines
      if (end > filled && lines.length < largestFilled) {
        bytes = Buffer.alloc(fillFor(end, limit) - begin, newline)
        lines.copy(bytes)
      }

      const fail = (reason: string): void => {
        const stuck = undo()
        done(stuck === undefined ? { reason, final: false } : { reason: stuck, final: true })
      }

      const sync = (written: number): void => {
        filled = Math.max(filled, begin + written)
        disk.datasync(fd, (error) => {
          if (error !== null) {
            // Who waits is told that it is not in the log, so it must not be found there when the log is opened again.
            undo()
            done({ reason: `${reasonOf(error)}; close the log and open it again`, final: true })
            return
          }
          segment.size = end
          done(undefined)
        })
      }

      // The fill is a convenience: where there is no room for it, the lines are there all the same.
      const write = (from: number): void => {
        let written = from
        try {
          while (written < lines.length && bytes.length - written <= writtenAtOnce) {
            const count = disk.writeNow(fd, bytes.subarray(written), begin + written)
            if (count === 0) throw new Error("the device takes no more bytes")
            written += count
          }
        } catch (error) {
          fail(reasonOf(error))
          return
        }
        if (written >= lines.length) {
          sync(written)
          return
        }
        disk.write(fd, bytes.subarray(written), begin + written, (error, count) => {
          if (error !== null) fail(reasonOf(error))
          else if (count === 0) fail("the device takes no more bytes")
          else if (written + count >= lines.length) sync(written + count)
          else write(written + count)
        })
      }

      write(0)
    },
    close: () => {
      try {
        if (filled > segment.size) disk.truncate(fd, segment.size)
      } catch {
        // Blank lines at the end of a segment say nothing.
      }
      disk.close(fd)
    }
  }
}
