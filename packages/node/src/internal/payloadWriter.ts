import * as fs from "node:fs"
import { setImmediate } from "node:timers/promises"
import type { Operations } from "./disk.js"
import { errnoOf, reasonOf } from "./fileSystem.js"
import { type Payload, payloadDirectory, payloadFile } from "./payload.js"

/** Puts payloads into files of their own, of which lines may refer to afterwards. */
export interface PayloadWriter {
  /**
   * Makes payloads durable, and says why it could not; then none is there that was not there before. Until `release` is
   * called none of them is removed; one call at a time.
   */
  readonly write: (payloads: ReadonlyArray<Payload>, done: (failure: string | undefined) => void) => void
  /** Says that nothing but what the segments say decides any more which of them are needed. */
  readonly release: () => void
  /** Removes what neither a line refers to nor a write is under way for. */
  readonly sweep: (isReferred: (sha256: string) => boolean) => Promise<void>
}

/** How many files are written at a time, since a group may have any number of payloads. */
const filesAtOnce = 8

/** How many files are looked at before everybody else gets a turn. */
const filesPerTurn = 256

const writeAll = (disk: Operations, fd: number, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    const from = (begin: number): void => {
      if (begin === bytes.length) {
        disk.datasync(fd, (error) => (error === null ? resolve() : reject(error)))
        return
      }
      disk.write(fd, bytes.subarray(begin), begin, (error, count) => {
        if (error !== null) reject(error)
        else if (count === 0) reject(new Error("the device takes no more bytes"))
        else from(begin + count)
      })
    }
    from(0)
  })

/** Whether a file holds just these bytes; one that was damaged is written anew. */
const holds = (file: string, { bytes, content }: Payload): boolean => {
  try {
    return fs.statSync(file).size === bytes && fs.readFileSync(file).equals(content)
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false
    throw error
  }
}

/** A writer of the payloads of the log in a directory. */
export const makePayloadWriter = (disk: Operations, directory: string): PayloadWriter => {
  const own = payloadDirectory(directory)
  let isMade = false
  let held: ReadonlySet<string> = new Set()

  const make = (): void => {
    if (isMade) return
    fs.mkdirSync(own, { recursive: true })
    disk.syncDirectory(directory)
    isMade = true
  }

  /** Gives whether the file is a new one. */
  const writeOne = async (payload: Payload): Promise<boolean> => {
    const file = payloadFile(directory, payload.sha256)
    if (holds(file, payload)) return false
    const isNew = !fs.existsSync(file)
    const unfinished = `${file}.new`
    disk.remove(unfinished)
    const fd = disk.open(unfinished)
    try {
      try {
        await writeAll(disk, fd, payload.content)
      } finally {
        disk.close(fd)
      }
      disk.rename(unfinished, file)
    } catch (error) {
      disk.remove(unfinished)
      throw error
    }
    return isNew
  }

  const writeEach = async (payloads: ReadonlyArray<Payload>): Promise<void> => {
    const added: Array<string> = []
    try {
      make()
      for (let at = 0; at < payloads.length; at += filesAtOnce) {
        const some = payloads.slice(at, at + filesAtOnce)
        const results = await Promise.allSettled(some.map(writeOne))
        for (const [index, result] of results.entries()) {
          const sha256 = some[index]?.sha256
          if (result.status === "fulfilled" && result.value && sha256 !== undefined) added.push(sha256)
        }
        const failed = results.find((result) => result.status === "rejected")
        if (failed !== undefined) throw failed.reason
      }
      // Also for those that are there already: the crash of an earlier process may have come before its sync.
      await new Promise<void>((resolve, reject) => {
        disk.syncDirectoryLater(own, (error) => (error === null ? resolve() : reject(error)))
      })
    } catch (error) {
      for (const sha256 of added) disk.remove(payloadFile(directory, sha256))
      throw error
    }
  }

  const isRemovable = (name: string, isReferred: (sha256: string) => boolean): boolean => {
    const [, sha256, unfinished] = /^([0-9a-f]{64})\.json(\.new)?$/.exec(name) ?? []
    if (sha256 === undefined || held.has(sha256)) return false
    return unfinished !== undefined || !isReferred(sha256)
  }

  return {
    write: (payloads, done) => {
      const distinct = new Map(payloads.map((payload) => [payload.sha256, payload]))
      held = new Set(distinct.keys())
      writeEach([...distinct.values()]).then(
        () => done(undefined),
        (error) => {
          held = new Set()
          done(`the payload of an event could not be kept: ${reasonOf(error)}`)
        }
      )
    },
    release: () => {
      held = new Set()
    },
    sweep: async (isReferred) => {
      if (!fs.existsSync(own)) return
      // A line that refers to a payload must not come back once the payload is gone.
      disk.syncDirectory(directory)
      for (const [index, name] of fs.readdirSync(own).entries()) {
        if (index % filesPerTurn === filesPerTurn - 1) await setImmediate()
        if (isRemovable(name, isReferred)) disk.remove(`${own}/${name}`)
      }
    }
  }
}
