import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

/**
 * Has everything in this process take a sync for done that was not: what remains is what a log costs without waiting for the
 * disk. SQLite has calls of its own, and goes on as it is set.
 */
export const forgetSyncs = (): void => {
  const later = (_: number, callback: (error: Error | null) => void) => process.nextTick(callback, null)
  Object.assign(fs, {
    fdatasync: later,
    fsync: later,
    fdatasyncSync: () => undefined,
    fsyncSync: () => undefined
  })
  syncBuiltinESMExports()
}
