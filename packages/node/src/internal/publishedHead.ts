import * as fs from "node:fs"
import * as path from "node:path"
import { origin, type Seq } from "@switchyard/core/Ids"
import type { Operations } from "./disk.js"

/** How far a log is durable, in a file that other processes read: what is behind it they must not show. */
export interface PublishedHead {
  readonly publish: (seq: Seq) => void
  readonly close: () => void
}

const width = 16
const fileOf = (directory: string): string => path.join(directory, "head")

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

/** The number that was published last; `origin` where there is none, and `undefined` where it is being written right now. */
export const readPublishedHead = (directory: string): Seq | undefined => {
  let text: string
  try {
    text = fs.readFileSync(fileOf(directory), "latin1")
  } catch {
    return origin
  }
  if (text === "") return origin
  const [, one, other] = /^(\d{16}) (\d{16})\n$/.exec(text) ?? []
  return one === undefined || one !== other ? undefined : (Number(one) as Seq)
}
