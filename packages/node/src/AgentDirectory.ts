import { stat } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import type { LogWriteFailed } from "@switchyard/core/EventLog"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AgentFile from "./AgentFile.js"
import { type Claimant, claim } from "./internal/agentClaims.js"
import { isAgent, isSame, look, type Sights } from "./internal/agentFolder.js"
import { settle } from "./internal/agentKeeping.js"
import { catchAllCause, layerScoped, makeSemaphore } from "./internal/compat.js"
import { type DirectoryWatch, watchDirectory } from "./internal/directoryWatch.js"
import { reasonOf } from "./internal/fileSystem.js"

/** The agents of a directory, and what is wrong with its other files. */
export interface Loaded {
  readonly agents: ReadonlyArray<AgentFile.FileAgent>
  readonly problems: ReadonlyArray<AgentFile.AgentFileError>
}

/** Which directory is kept to, and how. */
export interface Options extends AgentFile.Options {
  /** Where the files are: those that end with `.yaml`, `.yml` or `.json` and do not begin with a dot; not those below. */
  readonly directory: string
  /**
   * Whether changes of the directory are followed, as they are by default. `polling` looks at the files again and again, for
   * file systems that tell of no changes, such as those of networks.
   */
  readonly watch?: boolean | "polling"
}

const problemsIn = (sights: Sights): ReadonlyArray<AgentFile.AgentFileError> =>
  [...sights.values()].flatMap(({ found }) => (isAgent(found) ? [] : [found]))

const byFile = (a: AgentFile.AgentFileError, b: AgentFile.AgentFileError): number =>
  a.file < b.file ? -1 : a.file > b.file ? 1 : 0

/**
 * Reads all agents of a directory; a file that is wrong is a problem and harms no other one. Ids are compared without case, and
 * of several files with the same one the first by name has it. Symbolic links that lead out of the directory are not followed.
 *
 * @example
 * ```ts
 * import * as AgentDirectory from "@switchyard/node/AgentDirectory"
 * import * as Effect from "effect/Effect"
 *
 * export const check = Effect.flatMap(AgentDirectory.load("agents"), ({ agents, problems }) =>
 *   Effect.log(`${agents.length} agents`, ...problems.map(({ message }) => message))
 * )
 * ```
 */
export const load = (
  directory: string,
  options: AgentFile.Options = {}
): Effect.Effect<Loaded, AgentFile.AgentFileUnreadable> =>
  Effect.map(look(directory, options), (sights) => {
    const claims = claim(
      [...sights.values()].map(({ found }) => ({
        current: isAgent(found) ? found : undefined,
        serving: undefined
      }))
    )
    return {
      agents: [...claims.holders.values()],
      problems: [...problemsIn(sights), ...claims.problems].sort(byFile)
    }
  })

/** What was made of files by a registry. */
export interface Registered {
  /** The ids of the agents that are registered now. */
  readonly agents: ReadonlyArray<string>
  readonly problems: ReadonlyArray<AgentFile.AgentFileError>
}

/**
 * Keeps a registry to the files of a directory. A file that comes has its agent registered, one that changes has it replaced, and
 * one that goes has it unregistered. A file that becomes wrong is a problem, and what it was before goes on serving.
 */
export class AgentDirectory extends Context.Tag("@switchyard/node/AgentDirectory")<
  AgentDirectory,
  {
    /** What is wrong now, in the order of the names of the files; each is logged once as a warning, and gone when it is mended. */
    readonly problems: Effect.Effect<ReadonlyArray<AgentFile.AgentFileError>>
    /** Looks at the directory now; when this is done the registry says what the files say. */
    readonly refresh: Effect.Effect<void, LogWriteFailed>
    /**
     * Registers the agents of a file, or of a directory, as they are now. Agents that were read from the same files before are
     * replaced; nobody else is, and nothing is unregistered.
     */
    readonly load: (path: string) => Effect.Effect<Registered, AgentFile.AgentFileUnreadable | LogWriteFailed>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof AgentDirectory>

const claimantsOf = (
  sights: Sights,
  kept: ReadonlyMap<string, AgentFile.FileAgent>
): ReadonlyArray<Claimant> => {
  const serving = new Map([...kept.values()].map((each) => [each.file, each] as const))
  return [...sights.values()].map(({ found }) => ({
    current: isAgent(found) ? found : undefined,
    serving: serving.get(found.file)
  }))
}

const registerFrom =
  (registry: typeof AgentRegistry.Service, options: AgentFile.Options) =>
  (path: string): Effect.Effect<Registered, AgentFile.AgentFileUnreadable | LogWriteFailed> =>
    Effect.gen(function* () {
      const stats = yield* Effect.tryPromise({
        try: () => stat(path),
        catch: (error) => new AgentFile.AgentFileUnreadable({ file: path, reason: reasonOf(error) })
      })
      const single = Effect.matchEffect(AgentFile.load(path, options), {
        onFailure: (error): Effect.Effect<Loaded, AgentFile.AgentFileUnreadable> =>
          error._tag === "AgentFileUnreadable"
            ? Effect.fail(error)
            : Effect.succeed({ agents: [], problems: [error] }),
        onSuccess: (agent) => Effect.succeed<Loaded>({ agents: [agent], problems: [] })
      })
      const { agents, problems } = yield* stats.isDirectory() ? load(path, options) : single
      const sources = new Set(agents.map(({ file }) => resolve(file)))
      const kept = new Map<string, AgentFile.FileAgent>()
      const files = agents.map((current) => ({ current, serving: undefined }))
      const claims = yield* settle(registry, files, (source) => sources.has(source), kept)
      return {
        agents: [...kept.values()].map(({ agent }) => agent.id),
        problems: [...problems, ...claims.problems].sort(byFile)
      }
    })

const quiet = "100 millis"
const mostLooks = 50

/** What keeps a registry to a directory: one look at it, and one after it has come to rest. */
const keeper = (registry: typeof AgentRegistry.Service, { directory, ...options }: Options) => {
  const kept = new Map<string, AgentFile.FileAgent>()
  const inside = resolve(directory)
  const isOurs = (source: string) => dirname(source) === inside
  let sights: Sights = new Map()
  let problems: ReadonlyArray<AgentFile.AgentFileError> = []

  const report = (found: ReadonlyArray<AgentFile.AgentFileError>) =>
    Effect.suspend(() => {
      const known = new Set(problems.map(({ message }) => message))
      problems = [...found].sort(byFile)
      const fresh = problems.filter(({ message }) => !known.has(message))
      return Effect.forEach(fresh, ({ message }) => Effect.logWarning(message), { discard: true })
    })
  const lookAgain = Effect.suspend(() => look(directory, options, sights))
  const accept = (seen: Sights) =>
    Effect.gen(function* () {
      const claims = yield* settle(registry, claimantsOf(seen, kept), isOurs, kept)
      sights = seen
      yield* report([...problemsIn(seen), ...claims.problems])
    })
  /** Where the directory cannot be read nobody knows what became of its files, so that all agents serve on. */
  const lose = (error: AgentFile.AgentFileUnreadable) =>
    report([...problems.filter(({ file }) => file !== error.file), error])
  /** The directory once two looks have found the same, so that no file is taken that is being written. */
  const atRest = Effect.gen(function* () {
    let seen = yield* lookAgain
    for (let looks = 1; looks < mostLooks; looks++) {
      yield* Effect.sleep(quiet)
      const before = seen
      seen = yield* lookAgain
      if (isSame(before, seen)) return seen
    }
    return seen
  })
  const first = Effect.flatMap(lookAgain, accept)
  return {
    first,
    problems: Effect.sync(() => problems),
    refresh: Effect.catchTag(first, "AgentFileUnreadable", lose),
    /** Takes what the directory has come to; gives whether it could be read. */
    follow: Effect.matchEffect(atRest, {
      onFailure: (error) => Effect.as(lose(error), false),
      onSuccess: (seen) => Effect.as(accept(seen), true)
    })
  }
}

const make = (options: Options) =>
  Effect.gen(function* () {
    const registry = yield* AgentRegistry
    const keep = keeper(registry, options)
    const lock = yield* makeSemaphore(1)
    const { watch = true } = options
    const follow = (changes: DirectoryWatch) =>
      Effect.gen(function* () {
        yield* changes.changed
        yield* changes.renew
        changes.doubt(!(yield* lock.withPermits(1)(keep.follow)))
      }).pipe(
        catchAllCause((cause) =>
          Effect.zipRight(
            Effect.logError(`The agents in ${options.directory} could not be followed`, cause),
            Effect.sleep(quiet)
          )
        ),
        Effect.forever
      )
    // It is watched before it is read, so that no change falls between.
    const changes =
      watch === false ? undefined : yield* watchDirectory(options.directory, watch === "polling")
    yield* keep.first
    if (changes !== undefined) yield* Effect.forkScoped(follow(changes))
    return {
      problems: keep.problems,
      refresh: lock.withPermits(1)(keep.refresh),
      load: registerFrom(registry, options)
    }
  })

/**
 * The service for one directory, which is read before anything else is done with the layer, and watched until its scope is
 * closed. It fails where the directory cannot be read; a file that is wrong is a problem and no failure.
 */
export const layer = (
  options: Options
): Layer.Layer<AgentDirectory, AgentFile.AgentFileUnreadable | LogWriteFailed, AgentRegistry> =>
  layerScoped(AgentDirectory, make(options))

/** The service without a directory: agents of files are there when `load` registers them. */
export const layerOnDemand = (
  options: AgentFile.Options = {}
): Layer.Layer<AgentDirectory, never, AgentRegistry> =>
  Layer.effect(
    AgentDirectory,
    Effect.map(AgentRegistry, (registry) => ({
      problems: Effect.succeed([]),
      refresh: Effect.void,
      load: registerFrom(registry, options)
    }))
  )
