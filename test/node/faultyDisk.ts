import { Disk, type Operations } from "@switchyard/node/internal/disk"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** A disk whose operations can be made to fail; what is not given is done by the real one. */
export interface FaultyDisk {
  readonly layer: Layer.Layer<Disk>
  /** Replaces operations until the next call; without any the disk is whole again. */
  readonly break: (operations?: Partial<Operations>) => void
  /** How often each operation was called. */
  readonly calls: Map<keyof Operations, number>
}

/** What the real disk does, for operations that fail only now and then. */
export const realDisk: Operations = Context.get(Context.empty(), Disk)

/** An error as the operating system reports it. */
export const errno = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

/** A disk without faults, as yet. */
export const makeFaultyDisk = (): FaultyDisk => {
  let broken: Partial<Operations> = {}
  const calls = new Map<keyof Operations, number>()
  const disk: Operations = new Proxy(realDisk, {
    get: (_, name: keyof Operations) => {
      calls.set(name, (calls.get(name) ?? 0) + 1)
      return broken[name] ?? realDisk[name]
    }
  })
  return {
    layer: Layer.succeed(Disk, disk),
    break: (operations = {}) => {
      broken = operations
    },
    calls
  }
}

/** Operations of a disk on which every file can hold so many bytes only; the write that exceeds it is short, or fails. */
export const withLimit = (bytes: number): Partial<Operations> => {
  const room = (wanted: Uint8Array, position: number) => {
    const part = wanted.subarray(0, Math.max(0, bytes - position))
    if (part.length === 0) throw errno("ENOSPC")
    return part
  }
  return {
    writeNow: (fd, wanted, position) => realDisk.writeNow(fd, room(wanted, position), position),
    write: (fd, wanted, position, done) => {
      try {
        realDisk.write(fd, room(wanted, position), position, done)
      } catch (error) {
        done(error as Error, 0)
      }
    }
  }
}

/** An operation that fails once, when it is called for the `at`th time. */
export const failingAt = (name: keyof Operations, at: number, code: string): Partial<Operations> => {
  let left = at
  const operation = realDisk[name] as (...given: ReadonlyArray<unknown>) => unknown
  return {
    [name]: (...given: ReadonlyArray<unknown>) => {
      if (left-- === 1) throw errno(code)
      return operation(...given)
    }
  }
}
