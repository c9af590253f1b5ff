import { constants } from "node:fs"
import { mkdir, mkdtemp, open, readdir, readFile, realpath, rename, rmdir, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import type { RunId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import {
  type Area,
  type Backend,
  make,
  PathOutsideWorkspace,
  type Retention,
  type Workspace,
  WorkspaceError,
  WorkspaceService
} from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerScoped } from "./internal/compat.js"
import { attempt, errnoOf, instead, makeDirectory } from "./internal/fileSystem.js"
import {
  discard,
  isPartial,
  partialName,
  removeTree,
  sweep,
  sweepPartials,
  transientName
} from "./internal/removal.js"
import { type Located, locate } from "./internal/rootedPath.js"

const areas: ReadonlyArray<Area> = ["state", "reports", "outputs", "temp"]

const makeAreas = async (root: string): Promise<void> => {
  for (const area of areas) await instead(mkdir(join(root, area)), ["EEXIST"], undefined)
}

const readRegular = async (real: string): Promise<string> => {
  // Without O_NONBLOCK the opening of a named pipe would wait for a writer for ever.
  await using file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const found = await file.stat()
  if (found.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" })
  if (!found.isFile()) throw new Error("it is not a regular file")
  return file.readFile("utf8")
}

const writeWhole = async (path: string, content: string | Uint8Array): Promise<string> => {
  const partial = join(dirname(path), partialName())
  const publish = async () => {
    await writeFile(partial, content, { flag: "wx" })
    await rename(partial, path)
    return path
  }
  return publish().catch(async (error: unknown) => {
    await removeTree(partial).catch(() => undefined)
    throw error
  })
}

/** Makes the directories above a file one by one from the root on, so that a workspace that is gone does not come back. */
const makeParents = async (root: string, path: string): Promise<void> => {
  const names = dirname(path)
    .slice(root.length + 1)
    .split("/")
  for (let end = 1; end <= names.length; end++) {
    await instead(mkdir(join(root, ...names.slice(0, end))), ["EEXIST"], undefined)
  }
}

const listFiles = async (directory: string): Promise<ReadonlyArray<string>> => {
  const files: Array<string> = []
  const pending = [""]
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    for (const entry of await instead(
      readdir(join(directory, below), { withFileTypes: true }),
      ["ENOENT"],
      []
    )) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) pending.push(path)
      else if (entry.isFile() && !isPartial(entry.name)) files.push(path)
    }
  }
  return files.sort()
}

const workspaceAt = (root: string, runId: RunId, config: Json): Workspace => {
  const within = <A>(
    operation: string,
    area: Area,
    path: string,
    use: (located: Located) => Effect.Effect<A, WorkspaceError>
  ) =>
    Effect.flatMap(
      attempt(operation, join(root, area, path), () => locate(root, area, path)),
      (located): Effect.Effect<A, PathOutsideWorkspace | WorkspaceError> =>
        located === undefined
          ? Effect.fail(new PathOutsideWorkspace({ path, root: join(root, area) }))
          : use(located)
    )
  return {
    runId,
    root,
    stateDir: join(root, "state"),
    reportsDir: join(root, "reports"),
    outputsDir: join(root, "outputs"),
    tempDir: join(root, "temp"),
    config,
    resolve: (area, path) => within("resolve", area, path, (located) => Effect.succeed(located.path)),
    write: (area, path, content) =>
      within("write", area, path, (located) =>
        attempt("write", located.path, async () => {
          const target = located.path
          return writeWhole(target, content).catch(async (error: unknown) => {
            if (errnoOf(error) !== "ENOENT") throw error
            await makeParents(root, target)
            return writeWhole(target, content)
          })
        })
      ).pipe(Effect.uninterruptible),
    read: (area, path) =>
      within("read", area, path, ({ path: target, real }) =>
        attempt("read", target, () => readRegular(real ?? target))
      ),
    list: (area) =>
      attempt("list", join(root, area), async () => {
        // Any name does: what matters is that the directory itself is neither a link nor gone with the workspace.
        if ((await locate(root, area, "any")) === undefined) throw new Error("it leads outside the workspace")
        return listFiles(join(root, area))
      })
  }
}

const configText = (config: Json): string => `${JSON.stringify(config, null, 2)}\n`

/** The content of a file that was created and never reached the disk before the power failed. */
const blank = /^\0*$/

/** Reads the configuration of a workspace; one that a power failure took is made again where it is known. */
const readConfig = async (directory: string, known: Json | undefined): Promise<Json> => {
  const file = join(directory, "config.json")
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error
    throw new Error("it has no config.json, so it is not a whole workspace; move it away or remove it")
  })
  if (known !== undefined && blank.test(text)) {
    await writeWhole(file, configText(known))
    return known
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new Error(`its config.json is damaged (${detail}); restore the file, or remove the directory`)
  }
}

const backend = (root: string): Backend => {
  const directoryOf = (runId: RunId) => join(root, `run-${runId}`)

  const find = async (runId: RunId, config?: Json): Promise<Workspace | undefined> => {
    const directory = directoryOf(runId)
    const real = await instead(realpath(directory), ["ENOENT"], undefined)
    if (real === undefined) return undefined
    if (real !== directory) {
      throw new Error(`it leads to ${real}; remove the link, or use ids that differ in more than case`)
    }
    return workspaceAt(directory, runId, await readConfig(directory, config))
  }

  const build = async (runId: RunId, config: Json): Promise<void> => {
    const staging = join(root, transientName("new", runId))
    const publish = async () => {
      await mkdir(staging)
      await makeAreas(staging)
      // Not synced: the log has the configuration, and what a power failure takes of it is written again.
      await writeFile(join(staging, "config.json"), configText(config))
      await rename(staging, directoryOf(runId))
    }
    await publish().catch(async (error: unknown) => {
      // Why it failed matters more than what could not be removed, which the next start sweeps.
      await removeTree(staging).catch(() => undefined)
      throw error
    })
  }

  const openOrBuild = async (runId: RunId, config: Json, rounds: number): Promise<Workspace> => {
    const found = await find(runId, config)
    if (found !== undefined) {
      await makeAreas(found.root)
      await sweepPartials(found.root)
      return found
    }
    // Another process may create the same workspace, and win, or remove it meanwhile.
    await instead(build(runId, config), rounds > 1 ? ["EEXIST", "ENOTEMPTY"] : [], undefined)
    return openOrBuild(runId, config, rounds - 1)
  }

  return {
    open: (runId, config) => attempt("create", directoryOf(runId), () => openOrBuild(runId, config, 10)),
    find: (runId) => attempt("open", directoryOf(runId), () => find(runId)),
    removeTemp: (runId) =>
      attempt("remove", join(directoryOf(runId), "temp"), () =>
        discard(join(directoryOf(runId), "temp"), root, runId)
      ),
    remove: (runId) => attempt("remove", directoryOf(runId), () => discard(directoryOf(runId), root, runId))
  }
}

const openDirectory = (directory: string): Effect.Effect<string, WorkspaceError> =>
  Effect.gen(function* () {
    if (directory === "") {
      return yield* new WorkspaceError({ operation: "open", path: '""', reason: "no directory is named" })
    }
    const wanted = yield* Effect.sync(() => resolve(directory))
    const { root, stuck } = yield* attempt("open", wanted, async () => {
      await makeDirectory(wanted)
      const real = await realpath(wanted)
      // Only an attempt tells whether it can be written: rights, quotas and read-only mounts all have their say.
      const probe = join(real, transientName("new", "probe"))
      await mkdir(probe)
      await rmdir(probe)
      return { root: real, stuck: await sweep(real) }
    })
    if (stuck.length > 0) {
      yield* Effect.logWarning(`Cannot remove what an earlier process left in ${root}: ${stuck.join(", ")}`)
    }
    return root
  })

/**
 * Workspaces as directories `run-<id>` below one directory, which is created where it is missing and resolved once, when
 * the layer starts. A workspace appears and disappears by a rename, so that nobody sees half of one, several processes
 * creating the same one agree, and kept ones are found again after a restart. What a process that is gone left
 * unfinished is removed when the layer starts. Without a policy all workspaces are kept.
 *
 * Links are checked before each access. A program that swaps a directory for a link between the check and the access is
 * not held back by this: it runs with the rights of its user anyway.
 */
export const layer = (options: {
  readonly directory: string
  readonly retention?: Partial<Retention>
}): Layer.Layer<WorkspaceService, WorkspaceError> =>
  Layer.effect(
    WorkspaceService,
    Effect.map(openDirectory(options.directory), (root) => make(backend(root), options.retention))
  )

/** The same in a fresh directory for temporary files, which is removed with all workspaces when the layer's scope closes. */
export const layerTemp = (options?: {
  readonly retention?: Partial<Retention>
}): Layer.Layer<WorkspaceService, WorkspaceError> =>
  layerScoped(
    WorkspaceService,
    Effect.acquireRelease(
      attempt("create", tmpdir(), () => mkdtemp(join(tmpdir(), "switchyard-"))),
      (directory) =>
        Effect.catchTag(
          attempt("remove", directory, () => removeTree(directory)),
          "WorkspaceError",
          (error) => Effect.logWarning(error.message)
        )
    ).pipe(
      Effect.flatMap(openDirectory),
      Effect.map((root) => make(backend(root), options?.retention))
    )
  )
