import * as fs from "node:fs"
import * as path from "node:path"
import { origin, type Seq } from "@switchyard/core/Ids"
import type { Operations } from "./disk.js"
import { errnoOf } from "./fileSystem.js"

/** How far a log is durable, in a file that other processes read: what is behind it they must not show. */
export interface PublishedHead {
  readonly publish: (seq: Seq) => void
  readonly close: () => void
}

const width = 16

/** The name of the file, by which a change of it is told from others in the directory. */
export const publishedHeadFile = "head"

const fileOf = (directory: string): string => path.join(directory, publishedHeadFile)

/**
 * Publishes by writing one number twice, so that a reader who comes in the middle of it sees two. It is not synced: after
 * a crash the log is opened before anything else is shown, and the number is set anew then.
 */
export const makePublishedHead = (disk: Operations, directory: string): PublishedHead => {
  const fd = disk.open(fileOf(directory))
  const bytes = Buffer.alloc(2 * width + 2)
  return {
    publish: (seq) => {
      const digits = String(seq).padStart(width, "0")
      bytes.write(`${digits} ${digits}\n`, "latin1")
      try {
        disk.writeNow(fd, bytes, 0)
      } catch {
        // Readers in other processes lag until the next group; what is durable stays so.
      }
    },
    close: () => disk.close(fd)
  }
}

/**
 * How far other processes may read: the number that was published last, no bound where none ever was, and `undefined` while
 * it is being written.
 */
export const readPublishedHead = (directory: string): number | undefined => {
  let text: string
  try {
    text = fs.readFileSync(fileOf(directory), "latin1")
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return Number.POSITIVE_INFINITY
    throw error
  }
  if (text === "") return origin
  const [, one, other] = /^(\d{16}) (\d{16})\n$/.exec(text) ?? []
  return one === undefined || one !== other ? undefined : Number(one)
}
