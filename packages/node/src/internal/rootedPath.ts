import { lstat, realpath } from "node:fs/promises"
import { dirname, join, sep } from "node:path"
import { normalize } from "@switchyard/core/WorkspaceService"
import { errnoOf, instead } from "./fileSystem.js"

/** Where a path leads: its place below the directory, and what is really there, `undefined` where nothing is yet. */
export interface Located {
  readonly path: string
  readonly real: string | undefined
}

/** What is at a path that could not be followed: nothing, a link that leads nowhere, or what was made just now. */
const unresolved = async (path: string): Promise<"nothing" | "link" | "made"> => {
  const found = await instead(lstat(path), ["ENOENT"], undefined)
  if (found === undefined) return "nothing"
  return found.isSymbolicLink() ? "link" : "made"
}

/**
 * Locates a path in a directory below `root`, which has to be a real path: `undefined` where it would leave the directory,
 * by its text or through a symbolic link, also one that leads nowhere. Rejects as the file system does, and with
 * `ENOENT` when the root itself is gone.
 */
export const locate = async (root: string, directory: string, path: string): Promise<Located | undefined> => {
  const inside = normalize(path)
  if (inside === undefined) return undefined
  const base = join(root, directory)
  const target = join(base, inside)
  let at = target
  while (true) {
    try {
      const real = await realpath(at)
      const contained = at === root ? real === root : real === base || real.startsWith(base + sep)
      if (!contained) return undefined
      return { path: target, real: at === target ? real : undefined }
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || at === root) throw error
      const found = await unresolved(at)
      if (found === "link") return undefined
      if (found === "nothing") at = dirname(at)
    }
  }
}
