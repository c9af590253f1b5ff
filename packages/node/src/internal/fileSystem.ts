import { mkdir, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { WorkspaceError } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"

/** What each errno means for the person who has to do something about it. */
const sentences: Readonly<Record<string, string>> = {
  EACCES: "permission is denied; give this user the right to read and write there",
  EPERM: "the operation is not permitted; give this user the right to read and write there",
  EROFS: "the file system is read-only; use a directory on a writable one",
  ENOSPC: "no space is left on the device; free some, or use a directory on another one",
  EDQUOT: "the disk quota is used up; free some space, or have the quota raised",
  EMFILE: "too many files are open in this process; raise the limit with ulimit -n",
  ENFILE: "too many files are open on this machine; raise the limit of the system",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is a file where a directory has to be",
  EISDIR: "it is a directory",
  EEXIST: "something else is there already",
  ENOTEMPTY: "the directory is not empty, so something is still writing to it",
  EBUSY: "it is in use by another program",
  ELOOP: "its symbolic links lead in a circle, or to a place that must not be followed",
  ENAMETOOLONG: "the name is too long for the file system",
  EXDEV: "it lies on another file system",
  EIO: "the device reports an input/output error; check the disk"
}

/** The errno name of whatever was thrown, such as `ENOENT`; `undefined` where it has none. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined

/** Whatever was thrown as a reason that a person can act on, the errno included. */
export const reasonOf = (error: unknown): string => {
  const code = errnoOf(error)
  const sentence = code === undefined ? undefined : sentences[code]
  if (sentence !== undefined) return `${sentence} (${code})`
  return error instanceof Error ? error.message : String(error)
}

/** One operation on the file system, whose rejection becomes a `WorkspaceError` that names the path. */
export const attempt = <A>(
  operation: string,
  path: string,
  thunk: () => Promise<A>
): Effect.Effect<A, WorkspaceError> =>
  Effect.tryPromise({
    try: thunk,
    catch: (error) => new WorkspaceError({ operation, path, reason: reasonOf(error) })
  })

/** Gives `value` instead of a rejection with one of the errno names; any other rejection stays one. */
export const instead = <A>(promise: Promise<A>, codes: ReadonlyArray<string>, value: A): Promise<A> =>
  promise.catch((error: unknown) => {
    if (codes.includes(errnoOf(error) ?? "")) return value
    throw error
  })

/** Makes a directory and those above it; the recursive mkdir of Node.js does not return where one cannot be made in /proc. */
export const makeDirectory = async (path: string): Promise<void> => {
  try {
    await mkdir(path)
  } catch (error) {
    const code = errnoOf(error)
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return
    if (code !== "ENOENT" || dirname(path) === path) throw error
    await makeDirectory(dirname(path))
    await instead(mkdir(path), ["EEXIST"], undefined)
  }
}
