import * as fs from "node:fs"
import * as path from "node:path"
import type { Chance } from "./chance.js"

/** What a disk writes as a whole or not at all. */
const pageSize = 512

/** What a page may hold after a loss of power; one that is not dirty will not be written by the next sync. */
interface Page {
  readonly versions: Array<Buffer>
  dirty: boolean
}

interface File {
  readonly pages: Map<number, Page>
  sizes: Array<number>
}

/** A change of a directory that is not durable. */
interface Change {
  readonly directory: string
  readonly undo: () => void
}

/**
 * What of some files is in the page cache only. After a loss of power each page that was not synced is as it was at any time
 * since, each size too, and the latest changes of names may not have happened.
 */
export interface Unsynced {
  /** A file is opened, or made. */
  readonly opening: (file: string) => void
  /** Bytes are about to be written, and have been. */
  readonly writing: (file: string, position: number, length: number, write: () => void) => void
  readonly truncating: (file: string, size: number, truncate: () => void) => void
  readonly synced: (file: string) => void
  /** A sync failed: what it was to write is taken for written from now on, and is not. */
  readonly syncFailed: (file: string) => void
  readonly renaming: (from: string, to: string, rename: () => void) => void
  readonly removing: (file: string) => void
  readonly directorySynced: (directory: string) => void
  /** Makes the files what a loss of power leaves of them. */
  readonly lose: (chance: Chance) => void
}

const contentOf = (file: string): Buffer | undefined => {
  try {
    return fs.readFileSync(file)
  } catch {
    return undefined
  }
}

const sizeOf = (file: string): number => fs.statSync(file).size

const readPages = (file: string, first: number, last: number): ReadonlyArray<Buffer> => {
  const bytes = Buffer.alloc((last - first + 1) * pageSize)
  const fd = fs.openSync(file, "r")
  try {
    for (let done = 0; done < bytes.length; ) {
      const read = fs.readSync(fd, bytes, done, bytes.length - done, first * pageSize + done)
      if (read === 0) break
      done += read
    }
  } finally {
    fs.closeSync(fd)
  }
  return Array.from({ length: last - first + 1 }, (_, i) => bytes.subarray(i * pageSize, (i + 1) * pageSize))
}

/**
 * Where what may not be durable begins in the last segment: a group of lines is written only after the one before it is
 * durable, so it is a part of the last group, namely what follows an entry that is known to be durable.
 */
const endOfDurable = (bytes: Buffer, firstSeq: number, durable: number): number => {
  const text = bytes.toString("latin1")
  const groups = [...text.matchAll(/^\{"crc":"[0-9a-f]{8}",("hash":"[0-9a-f]{64}",)?"group":1,/gm)]
  const entry = firstSeq > durable ? -1 : text.indexOf(`"seq":${durable},"time"`)
  return Math.max(groups.at(-1)?.index ?? 0, entry < 0 ? 0 : text.indexOf("\n", entry) + 1)
}

/** Nothing is unsynced but what earlier hosts may have left so, given the last entry that is known to be durable. */
export const makeUnsynced = (durable: number): Unsynced => {
  const files = new Map<string, File>()
  let changes: ReadonlyArray<Change> = []

  const change = (file: string, undo: () => void): void => {
    changes = [...changes, { directory: path.dirname(file), undo }]
  }

  const of = (file: string): File => {
    const known = files.get(file)
    if (known !== undefined) return known
    const found: File = { pages: new Map(), sizes: [sizeOf(file)] }
    files.set(file, found)
    return found
  }

  const note = ({ pages }: File, file: string, position: number, length: number, dirty: boolean): void => {
    if (length === 0) return
    const first = Math.floor(position / pageSize)
    const last = Math.floor((position + length - 1) / pageSize)
    for (const [i, content] of readPages(file, first, last).entries()) {
      const page = pages.get(first + i)
      if (page === undefined) pages.set(first + i, { versions: [content], dirty })
      else {
        page.versions.push(content)
        page.dirty ||= dirty
      }
    }
  }

  /** An earlier host may have written this and never synced it; blank is what it has written over. */
  const distrust = (file: string): void => {
    const bytes = fs.readFileSync(file)
    const from = endOfDurable(bytes, Number(path.basename(file, ".jsonl")), durable)
    if (from >= bytes.length) return
    const state = of(file)
    state.sizes.push(from)
    for (let at = from - (from % pageSize); at < bytes.length; at += pageSize) {
      const now = Buffer.alloc(pageSize)
      bytes.copy(now, 0, at, at + pageSize)
      const [lines, holes] = [0x0a, 0].map((blank) =>
        Buffer.from(now).fill(blank, Math.max(0, from - at), Math.min(pageSize, bytes.length - at))
      )
      state.pages.set(at / pageSize, { versions: [lines ?? now, holes ?? now, now], dirty: false })
    }
  }

  return {
    opening: (file) => {
      if (!fs.existsSync(file)) change(file, () => fs.rmSync(file, { force: true }))
      else if (file.endsWith(".jsonl") && !files.has(file)) distrust(file)
    },
    writing: (file, position, length, write) => {
      const state = of(file)
      note(state, file, position, length, true)
      write()
      note(state, file, position, length, true)
      state.sizes.push(sizeOf(file))
    },
    truncating: (file, size, truncate) => {
      const state = of(file)
      const before = sizeOf(file)
      const cut = Math.max(0, before - size)
      note(state, file, size, cut, true)
      truncate()
      note(state, file, size, cut, true)
      state.sizes.push(size)
    },
    synced: (file) => {
      const state = of(file)
      for (const [index, { dirty }] of state.pages) if (dirty) state.pages.delete(index)
      state.sizes = [sizeOf(file)]
    },
    syncFailed: (file) => {
      for (const page of of(file).pages.values()) page.dirty = false
    },
    renaming: (from, to, rename) => {
      const [state, before] = [files.get(from), contentOf(to)]
      rename()
      files.delete(from)
      if (state === undefined) files.delete(to)
      else files.set(to, state)
      change(to, () => {
        fs.renameSync(to, from)
        if (before !== undefined) fs.writeFileSync(to, before)
        const moved = files.get(to)
        files.delete(to)
        if (moved !== undefined) files.set(from, moved)
      })
    },
    removing: (file) => {
      const before = contentOf(file)
      files.delete(file)
      if (before !== undefined) change(file, () => fs.writeFileSync(file, before))
    },
    directorySynced: (directory) => {
      changes = changes.filter((each) => each.directory !== directory)
    },
    lose: (chance) => {
      const kept = chance.between(0, changes.length)
      for (const { undo } of changes.slice(kept).reverse()) undo()
      for (const [file, { pages, sizes }] of files) {
        if (!fs.existsSync(file)) continue
        const size = chance.pick([sizeOf(file), ...sizes])
        // Most of what was written at once is there or not as a whole; the rest is torn.
        const share = chance.pick([0, 0.1, 0.5, 0.9, 1])
        const fd = fs.openSync(file, "r+")
        for (const [index, { versions }] of pages) {
          const [first, ...rest] = versions
          if (first === undefined) continue
          const version = chance.happens(share) ? (rest.at(-1) ?? first) : chance.pick([first, ...versions])
          fs.writeSync(fd, version, 0, pageSize, index * pageSize)
        }
        fs.ftruncateSync(fd, size)
        fs.closeSync(fd)
      }
    }
  }
}
