import * as fs from "node:fs"
import { Disk, type Operations } from "@switchyard/node/internal/disk"
import * as Context from "effect/Context"
import { chanceOf } from "./chance.js"
import type { Cycle, Fault } from "./plan.js"
import { makeUnsynced } from "./unsynced.js"

const real: Operations = Context.get(Context.empty(), Disk)

const errno = (code: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: the disk was told to fail`), { code })

/** What the owner of a disk wants to be told. */
export interface Owner {
  /** Right before the process dies. */
  readonly dying: (where: string) => void
  /** The disk begins to refuse. */
  readonly failing: (kind: Fault["kind"]) => void
  /** The disk works again. */
  readonly working: () => void
}

/** Ends this process as nothing else does: no handler, no finalizer and no other thread gets a turn. */
const die = (): never => {
  process.kill(process.pid, "SIGKILL")
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
}

/** The disk of a host, with the faults and the death that its cycle wants; `durable` is known to be so from earlier hosts. */
export const makeDisk = ({ death, fault, seed }: Cycle, durable: number, owner: Owner): Operations => {
  const chance = chanceOf(seed)
  const unsynced = death.by === "power" ? makeUnsynced(durable) : undefined
  const at = death.by === "power" ? death.at : undefined
  const files = new Map<number, string>()
  let operations = 0
  let failing: Fault | undefined
  let isShort = false

  const losePower = (where: string): never => {
    owner.dying(where)
    unsynced?.lose(chance)
    return die()
  }

  const losePowerSince = (event: "go" | "fault"): void => {
    if (at === undefined || !("since" in at) || at.since !== event) return
    setTimeout(() => losePower("at a random instant"), at.millis)
  }
  losePowerSince("go")

  const fileOf = (fd: number): string => files.get(fd) ?? ""

  /** The published head is written once for each group and never synced; only the log itself is counted. */
  const counts = (file: string): boolean => !file.endsWith("head")

  const begin = (name: string, file: string): void => {
    if (!counts(file)) return
    operations++
    if (fault !== undefined && operations === fault.operation) {
      failing = fault
      isShort = fault.short
      owner.failing(fault.kind)
      losePowerSince("fault")
      setTimeout(() => {
        failing = undefined
        owner.working()
      }, fault.millis)
    }
    if (at !== undefined && "operation" in at && operations === at.operation && at.phase === "before") {
      losePower(`before ${name}`)
    }
  }

  const end = (name: string, file: string): void => {
    if (!counts(file)) return
    if (at !== undefined && "operation" in at && operations === at.operation && at.phase === "after") {
      losePower(`after ${name}`)
    }
  }

  const operation = <A>(name: string, file: string, use: () => A): A => {
    begin(name, file)
    const result = use()
    end(name, file)
    return result
  }

  const put = (fd: number, bytes: Uint8Array, position: number): number => {
    const file = fileOf(fd)
    let written = 0
    const write = () => {
      written = real.writeNow(fd, bytes, position)
    }
    if (unsynced === undefined) write()
    else unsynced.writing(file, position, bytes.length, write)
    return written
  }

  const partOf = (bytes: Uint8Array): Uint8Array =>
    bytes.subarray(0, Math.max(1, chance.between(0, bytes.length - 1)))

  /** How much of a write the disk takes while it fails. */
  const room = (fd: number, bytes: Uint8Array, position: number): Uint8Array => {
    if (failing === undefined || failing.kind === "sync" || failing.kind === "syncs") return bytes
    if (failing.kind === "grow") {
      const left = bytes.subarray(0, Math.max(0, fs.fstatSync(fd).size - position))
      if (left.length === 0) throw errno("ENOSPC")
      return left
    }
    if (isShort && bytes.length > 1) {
      isShort = false
      return partOf(bytes)
    }
    throw errno(failing.kind)
  }

  const writeNow: Operations["writeNow"] = (fd, bytes, position) => {
    const file = fileOf(fd)
    begin("a write", file)
    if (counts(file) && death.by === "short" && operations >= death.operation && bytes.length > 1) {
      owner.dying("in the middle of a write")
      put(fd, partOf(bytes), position)
      die()
    }
    const isPartly =
      at !== undefined && "operation" in at && at.phase === "partly" && operations >= at.operation
    if (isPartly && counts(file) && bytes.length > 1) {
      put(fd, partOf(bytes), position)
      losePower("in the middle of a write")
    }
    const written = put(fd, room(fd, bytes, position), position)
    end("a write", file)
    return written
  }

  const refuseSync = (file: string): NodeJS.ErrnoException | undefined => {
    if (failing?.kind !== "sync" && failing?.kind !== "syncs") return undefined
    if (failing.kind === "sync") failing = undefined
    unsynced?.syncFailed(file)
    return errno("EIO")
  }

  return {
    open: (file) =>
      operation("an opening", file, () => {
        const isFull = failing?.kind === "ENOSPC" || failing?.kind === "grow"
        if (isFull && !fs.existsSync(file)) throw errno("ENOSPC")
        unsynced?.opening(file)
        const fd = real.open(file)
        files.set(fd, file)
        return fd
      }),
    write: (fd, bytes, position, done) => {
      let written: number
      try {
        written = writeNow(fd, bytes, position)
      } catch (error) {
        setImmediate(() => done(error as Error, 0))
        return
      }
      setImmediate(() => done(null, written))
    },
    writeNow,
    datasync: (fd, done) => {
      const file = fileOf(fd)
      begin("a sync", file)
      const refused = refuseSync(file)
      if (refused !== undefined) {
        setImmediate(() => done(refused))
        return
      }
      real.datasync(fd, (error) => {
        if (error === null) unsynced?.synced(file)
        end("a sync", file)
        done(error)
      })
    },
    datasyncNow: (fd) =>
      operation("a sync", fileOf(fd), () => {
        const refused = refuseSync(fileOf(fd))
        if (refused !== undefined) throw refused
        real.datasyncNow(fd)
        unsynced?.synced(fileOf(fd))
      }),
    truncate: (fd, size) =>
      operation("a truncation", fileOf(fd), () => {
        const truncate = () => real.truncate(fd, size)
        if (unsynced === undefined) truncate()
        else unsynced.truncating(fileOf(fd), size, truncate)
      }),
    close: (fd) => {
      files.delete(fd)
      real.close(fd)
    },
    rename: (from, to) =>
      operation("a renaming", to, () => {
        const rename = () => real.rename(from, to)
        if (unsynced === undefined) rename()
        else unsynced.renaming(from, to, rename)
      }),
    remove: (file) =>
      operation("a removal", file, () => {
        unsynced?.removing(file)
        real.remove(file)
      }),
    syncDirectory: (directory) =>
      operation("a sync of the directory", directory, () => {
        real.syncDirectory(directory)
        unsynced?.directorySynced(directory)
      }),
    syncDirectoryLater: (directory, done) => {
      begin("a sync of the directory", directory)
      real.syncDirectoryLater(directory, (error) => {
        if (error === null) unsynced?.directorySynced(directory)
        end("a sync of the directory", directory)
        done(error)
      })
    }
  }
}
