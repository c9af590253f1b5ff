import * as fs from "node:fs"
import * as path from "node:path"
import { line } from "../GroupCommit.js"
import { type Settings, type SubjectModule, timed, verify } from "../Subject.js"

const write = (fd: number, bytes: Buffer, position: number): Promise<void> =>
  new Promise((resolve, reject) => {
    fs.write(fd, bytes, 0, bytes.length, position, (error) => {
      if (error !== null) reject(error)
      else fs.fdatasync(fd, (unsynced) => (unsynced === null ? resolve() : reject(unsynced)))
    })
  })

const prefill = (fd: number, size: number): void => {
  const block = Buffer.alloc(1 << 20, "\n")
  for (let position = 0; position < size; position += block.length)
    fs.writeSync(fd, block, 0, block.length, position)
  fs.fsyncSync(fd)
}

/** The size up to which a file is written before it is begun again at its start, where blocks are overwritten. */
const filled = 16 << 20

const wordsOf = (settings: Settings) => ({
  overwrite: settings.overwrite === true,
  blocking: settings.blocking === true
})

/** The disk itself: one write and one fdatasync for so many lines, one after the other, of bytes that are ready. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const { blocking, overwrite } = wordsOf(settings)
  const fd = fs.openSync(path.join(directory, "file"), "w+")
  if (overwrite) prefill(fd, filled)
  let position = 0
  return {
    run: async ({ batch, groups }) => {
      const bytes = Buffer.from(Array.from({ length: Number(batch) }, (_, n) => line(n)).join(""))
      const before = position
      const outcome = await timed(Number(batch) * Number(groups), async () => {
        for (let n = 0; n < Number(groups); n++) {
          if (overwrite && position + bytes.length > filled) position = 0
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
