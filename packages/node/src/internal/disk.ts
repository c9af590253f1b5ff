import * as fs from "node:fs"
import * as Context from "effect/Context"

/** What a log's writer asks of the file system; everything that is synchronous throws as `node:fs` does. */
export interface Operations {
  /** Opens a file for reading and writing, creates it where it does not exist, and gives its descriptor. */
  readonly open: (file: string) => number
  /** Writes at a byte and says how many bytes were written, which may be fewer than were given. */
  readonly write: (
    fd: number,
    bytes: Uint8Array,
    position: number,
    done: (error: Error | null, written: number) => void
  ) => void
  /** As `write`, before it returns: for what is small enough that the page cache takes it at once. */
  readonly writeNow: (fd: number, bytes: Uint8Array, position: number) => number
  /** Makes the content of a file durable, and so much of its metadata as is needed to find it again. */
  readonly datasync: (fd: number, done: (error: Error | null) => void) => void
  /** As `datasync`, before it returns. */
  readonly datasyncNow: (fd: number) => void
  /** Cuts a file off at a size, or extends it with zeros. */
  readonly truncate: (fd: number, size: number) => void
  readonly close: (fd: number) => void
  /** Gives a file another name, in the place of whatever has that name. */
  readonly rename: (from: string, to: string) => void
  /** Removes a file where it exists. */
  readonly remove: (file: string) => void
  /** Makes the entries of a directory durable: a new, renamed or removed file is not before its directory is. */
  readonly syncDirectory: (directory: string) => void
  /** As `syncDirectory`, on another thread. */
  readonly syncDirectoryLater: (directory: string, done: (error: Error | null) => void) => void
}

const node: Operations = {
  open: (file) => fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o666),
  write: (fd, bytes, position, done) => fs.write(fd, bytes, 0, bytes.length, position, done),
  writeNow: (fd, bytes, position) => fs.writeSync(fd, bytes, 0, bytes.length, position),
  datasync: fs.fdatasync,
  datasyncNow: fs.fdatasyncSync,
  truncate: fs.ftruncateSync,
  close: fs.closeSync,
  rename: fs.renameSync,
  remove: (file) => fs.rmSync(file, { force: true }),
  syncDirectory: (directory) => {
    const fd = fs.openSync(directory, "r")
    try {
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  },
  syncDirectoryLater: (directory, done) => {
    fs.open(directory, "r", (unopened, fd) => {
      if (unopened !== null) done(unopened)
      else fs.fsync(fd, (error) => fs.close(fd, () => done(error)))
    })
  }
}

/**
 * The disk that a log writes to. It is Node's unless a layer provides another one, which is how a test makes writes short,
 * the disk full, or a sync fail.
 */
export class Disk extends Context.Reference<Disk>()("@switchyard/node/Disk", {
  defaultValue: (): Operations => node
}) {}

/** A disk that takes every sync for done. */
export const withoutSyncs = (disk: Operations): Operations => ({
  ...disk,
  datasync: (_, done) => queueMicrotask(() => done(null)),
  datasyncNow: () => undefined,
  syncDirectory: () => undefined,
  syncDirectoryLater: (_, done) => queueMicrotask(() => done(null))
})
