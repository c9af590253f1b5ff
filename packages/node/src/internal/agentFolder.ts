import { createHash } from "node:crypto"
import type { BigIntStats } from "node:fs"
import { lstat, readdir, realpath } from "node:fs/promises"
import { extname, join, sep } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AgentFileError, FileAgent, Options } from "../AgentFile.js"
import { AgentFileUnreadable, mostBytes, parse } from "../AgentFile.js"
import { catchAll } from "./compat.js"
import { instead, reasonOf } from "./fileSystem.js"
import { textOf } from "./sourceFile.js"

/** What was found in one file; equal marks mean equal content. */
export interface Sight {
  readonly mark: string
  /** By what the file system tells that nothing has been written since, where it can tell. */
  readonly unchanged: string | undefined
  readonly found: FileAgent | AgentFileError
}

/** What was found in a directory, by the names of the files in their order. */
export type Sights = ReadonlyMap<string, Sight>

/** Whether a file has an agent. */
export const isAgent = (found: Sight["found"]): found is FileAgent => "agent" in found

const extensions: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"])

const isCandidate = (name: string): boolean =>
  !name.startsWith(".") && extensions.has(extname(name).toLowerCase())

/** What the file system knows of a file, and what is nowhere where it is gone. */
const statsOf = (file: string): Promise<BigIntStats | undefined> =>
  instead<BigIntStats | undefined>(lstat(file, { bigint: true }), ["ENOENT"], undefined)

// File systems tell times no finer than this, so that what was written just now may be written again at the same time.
const coarse = 2000

/** What changes whenever a file is written; nothing for links, and for files that were written just now. */
const unchangedSince = (stats: BigIntStats, now: number): string | undefined =>
  !stats.isFile() || Number(stats.ctimeMs) > now - coarse
    ? undefined
    : [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(" ")

/** Where the target of a link really is; an error where that is outside of the directory. */
const targetOf = async (root: string, file: string): Promise<string> => {
  const place = await instead(realpath(file), ["ENOENT"], undefined)
  if (place === undefined) throw new Error("it is a symbolic link to a file that does not exist")
  if (!place.startsWith(root.endsWith(sep) ? root : `${root}${sep}`))
    throw new Error("it is a symbolic link that leads out of the directory; put a copy of the file there")
  return place
}

const attempt = <A>(thunk: () => Promise<A>): Effect.Effect<A, string> =>
  Effect.tryPromise({ try: thunk, catch: reasonOf })

/** What is in one file, or nothing where it has gone meanwhile. */
const lookInto = (
  root: string,
  file: string,
  options: Options,
  before: Sight | undefined
): Effect.Effect<Sight | undefined> =>
  Effect.gen(function* () {
    const stats = yield* attempt(() => statsOf(file))
    if (stats === undefined) return undefined
    const unchanged = unchangedSince(stats, yield* Clock.currentTimeMillis)
    if (unchanged !== undefined && before?.unchanged === unchanged) return before
    const place = stats.isSymbolicLink() ? yield* attempt(() => targetOf(root, file)) : file
    const text = yield* textOf(place, mostBytes, "agent")
    const mark = createHash("sha256").update(text).digest("base64")
    if (before?.mark === mark) return { ...before, unchanged }
    const found = yield* Effect.merge(parse(text, { ...options, file }))
    return { mark, unchanged, found }
  }).pipe(
    catchAll((reason) =>
      Effect.map(Effect.option(attempt(() => statsOf(file))), (stats): Sight | undefined => {
        if (Option.contains(stats, undefined)) return undefined
        const mark = `unreadable: ${reason}`
        const found = new AgentFileUnreadable({ file, reason })
        return before?.mark === mark ? before : { mark, unchanged: undefined, found }
      })
    )
  )

/**
 * Looks at all files of a directory that may have agents: those that end with `.yaml`, `.yml` or `.json` and do not begin with
 * a dot. What has not changed since an earlier look is not read again.
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
