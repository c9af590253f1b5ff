import { randomBytes } from "node:crypto"
import { chmod, lstat, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { errnoOf, instead } from "./fileSystem.js"
import { alive, startTicks } from "./processTable.js"

const ownTicks = startTicks(process.pid)

const unique = (): string => `${process.pid}-${ownTicks}-${randomBytes(8).toString("hex")}`

const leftover = /^\.(?:new|gone)-(\d+)-(\d+)-[0-9a-f]{16}-/
const partial = /^\.new-(\d+)-(\d+)-[0-9a-f]{16}$/

/** A fresh name for something unfinished or being removed; it says which process it belongs to. */
export const transientName = (kind: "new" | "gone", subject: string): string =>
  `.${kind}-${unique()}-${subject}`

/** A fresh name for a file that is being written. */
export const partialName = (): string => `.new-${unique()}`

/** Whether a file is one that is being written, or that a crash left half written. */
export const isPartial = (name: string): boolean => partial.test(name)

const makeWritable = async (path: string): Promise<void> => {
  const found = await instead(lstat(path), ["ENOENT"], undefined)
  if (found === undefined || !found.isDirectory()) return
  await instead(chmod(path, 0o700), ["ENOENT"], undefined)
  for (const entry of await instead(readdir(path, { withFileTypes: true }), ["ENOENT"], [])) {
    if (entry.isDirectory()) await makeWritable(join(path, entry.name))
  }
}

/**
 * Removes a file or a whole tree; what does not exist is removed already. Read-only directories are made writable, and
 * what another process still writes into it is removed in a few more rounds. Symbolic links are removed, not followed.
 */
export const removeTree = async (path: string, rounds = 5): Promise<void> => {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 })
  } catch (error) {
    const again = ["EACCES", "EPERM", "ENOTEMPTY", "EBUSY"].includes(errnoOf(error) ?? "")
    if (!again || rounds <= 1) throw error
    await makeWritable(path)
    await removeTree(path, rounds - 1)
  }
}

/** Removes a tree so that observers see it whole or not at all: it is renamed into `root` first, then removed there. */
export const discard = async (path: string, root: string, subject: string): Promise<void> => {
  const gone = join(root, transientName("gone", subject))
  const move = () =>
    rename(path, gone).then(
      () => true,
      (error: unknown) => {
        if (errnoOf(error) === "ENOENT") return false
        throw error
      }
    )
  const moved = await move().catch(async (error: unknown) => {
    // Moving a directory to another parent writes into it.
    if (errnoOf(error) !== "EACCES") throw error
    await makeWritable(path)
    return move()
  })
  if (moved) await removeTree(gone)
}

/** Whether a name was given by a process that does not live any more. */
const isAbandoned = (match: RegExpExecArray | null): boolean =>
  match !== null && !alive(Number(match[1]), Number(match[2]))

/** Removes the files below a directory that processes which do not live any more left half written; links are not followed. */
export const sweepPartials = async (directory: string): Promise<void> => {
  for (const entry of await instead(readdir(directory, { withFileTypes: true }), ["ENOENT", "EACCES"], [])) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await sweepPartials(path)
    else if (isAbandoned(partial.exec(entry.name)))
      await instead(rm(path, { force: true }), ["EACCES"], undefined)
  }
}

/** Removes what processes that do not live any more left unfinished in `root`; gives the names that it could not remove. */
export const sweep = async (root: string): Promise<ReadonlyArray<string>> => {
  const stuck: Array<string> = []
  for (const name of await readdir(root)) {
    if (!isAbandoned(leftover.exec(name))) continue
    await removeTree(join(root, name)).catch(() => stuck.push(name))
  }
  return stuck
}
