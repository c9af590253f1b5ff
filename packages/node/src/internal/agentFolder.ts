import { createHash } from "node:crypto"
import { lstat, readdir, realpath } from "node:fs/promises"
import { extname, join, sep } from "node:path"
import * as Effect from "effect/Effect"
import type { AgentFileError, FileAgent, Options } from "../AgentFile.js"
import { AgentFileUnreadable, mostBytes, parse } from "../AgentFile.js"
import { catchAll } from "./compat.js"
import { instead, reasonOf } from "./fileSystem.js"
import { textOf } from "./sourceFile.js"

/** What was found in one file; equal marks mean equal content. */
export interface Sight {
  readonly mark: string
  readonly found: FileAgent | AgentFileError
}

/** What was found in a directory, by the names of the files in their order. */
export type Sights = ReadonlyMap<string, Sight>

/** Whether a file has an agent. */
export const isAgent = (found: Sight["found"]): found is FileAgent => "agent" in found

const extensions: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"])

const isCandidate = (name: string): boolean =>
  !name.startsWith(".") && extensions.has(extname(name).toLowerCase())

/** Where a file really is; nowhere where it is gone, and an error where that is outside of the directory. */
const placeOf = async (root: string, file: string): Promise<string | undefined> => {
  const place = await instead(realpath(file), ["ENOENT"], undefined)
  if (place === undefined) {
    if ((await instead(lstat(file), ["ENOENT"], undefined)) === undefined) return undefined
    throw new Error("it is a symbolic link to a file that does not exist")
  }
  if (!place.startsWith(root.endsWith(sep) ? root : `${root}${sep}`))
    throw new Error("it is a symbolic link that leads out of the directory; put a copy of the file there")
  return place
}

/** What is in one file, or nothing where it has gone meanwhile. */
const lookInto = (
  root: string,
  file: string,
  options: Options,
  before: Sight | undefined
): Effect.Effect<Sight | undefined> =>
  Effect.gen(function* () {
    const place = yield* Effect.tryPromise({ try: () => placeOf(root, file), catch: reasonOf })
    if (place === undefined) return undefined
    const text = yield* textOf(place, mostBytes, "agent")
    const mark = createHash("sha256").update(text).digest("base64")
    if (before?.mark === mark) return before
    const found = yield* Effect.merge(parse(text, { ...options, file }))
    return { mark, found }
  }).pipe(
    catchAll((reason): Effect.Effect<Sight> => {
      const mark = `unreadable: ${reason}`
      return Effect.succeed(
        before?.mark === mark ? before : { mark, found: new AgentFileUnreadable({ file, reason }) }
      )
    })
  )

/**
 * Looks at all files of a directory that may have agents: those that end with `.yaml`, `.yml` or `.json` and do not begin with
 * a dot. What has not changed since an earlier look is not parsed again.
 */
export const look = (
  directory: string,
  options: Options,
  before: Sights = new Map()
): Effect.Effect<Sights, AgentFileUnreadable> =>
  Effect.gen(function* () {
    const { names, root } = yield* Effect.tryPromise({
      try: async () => ({ names: await readdir(directory), root: await realpath(directory) }),
      catch: (error) => new AgentFileUnreadable({ file: directory, reason: reasonOf(error) })
    })
    const candidates = names.filter(isCandidate).sort()
    const sights = yield* Effect.forEach(
      candidates,
      (name) =>
        Effect.map(
          lookInto(root, join(directory, name), options, before.get(name)),
          (sight) => [name, sight] as const
        ),
      { concurrency: 16 }
    )
    return new Map(sights.flatMap(([name, sight]) => (sight === undefined ? [] : [[name, sight] as const])))
  })

/** Whether two looks at a directory found the same. */
export const isSame = (a: Sights, b: Sights): boolean =>
  a.size === b.size && [...a].every(([name, { mark }]) => b.get(name)?.mark === mark)
