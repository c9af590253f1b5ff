import * as fs from "node:fs"
import * as path from "node:path"
import { fill, filledBytes, line } from "../GroupCommit.js"
import { type SubjectModule, timed, verify } from "../Subject.js"

const write = (fd: number, bytes: Buffer, position: number): Promise<void> =>
  new Promise((resolve, reject) => {
    fs.write(fd, bytes, 0, bytes.length, position, (error) => {
      if (error !== null) reject(error)
      else fs.fdatasync(fd, (unsynced) => (unsynced === null ? resolve() : reject(unsynced)))
    })
  })

/** The disk itself: one write and one fdatasync for so many lines, one after the other, of bytes that are ready. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const [blocking, overwrite] = [settings.blocking === true, settings.overwrite === true]
  const fd = fs.openSync(path.join(directory, "file"), "w+")
  if (overwrite) fill(fd)
  let position = 0
  return {
    run: async ({ batch, groups }) => {
      const bytes = Buffer.from(Array.from({ length: Number(batch) }, (_, n) => line(n)).join(""))
      const before = position
      const outcome = await timed(Number(batch) * Number(groups), async () => {
        for (let n = 0; n < Number(groups); n++) {
          if (overwrite && position + bytes.length > filledBytes) position = 0
          if (blocking) {
            fs.writeSync(fd, bytes, 0, bytes.length, position)
            fs.fdatasyncSync(fd)
          } else await write(fd, bytes, position)
          position += bytes.length
        }
      })
      if (!overwrite) verify("bytes written", fs.fstatSync(fd).size - before, bytes.length * Number(groups))
      return outcome
    },
    close: async () => fs.closeSync(fd)
  }
}
