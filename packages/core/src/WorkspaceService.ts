import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { RunId } from "./Ids.js"
import { semaphore } from "./internal/compat.js"
import { behind } from "./internal/guarding.js"
import { holdInScope } from "./internal/held.js"
import { copyOf } from "./internal/jsonValue.js"
import { makeFileTree } from "./internal/memoryWorkspace.js"
import { findNotJson, type Json } from "./Json.js"
import { Permission } from "./Permission.js"

/** The directories of a run. */
export const Area = Schema.Literal("state", "reports", "outputs", "temp")
export type Area = typeof Area.Type

/**
 * Something that the file system refused, with the path and what can be done about it; or what the run does not grant, and
 * then the permission is there.
 */
export class WorkspaceError extends Schema.TaggedError<WorkspaceError>()("WorkspaceError", {
  operation: Schema.String,
  path: Schema.String,
  reason: Schema.String,
  permission: Schema.optionalWith(Permission, { exact: true })
}) {
  override get message() {
    return `Cannot ${this.operation} ${this.path}: ${this.reason}`
  }
}

/** A workspace that does not exist, or does not any more. */
export class WorkspaceNotFound extends Schema.TaggedError<WorkspaceNotFound>()("WorkspaceNotFound", {
  runId: RunId
}) {
  override get message() {
    return `Run ${this.runId} has no workspace; it was not started, or its workspace was cleaned up`
  }
}

/** A path that would leave the directory it belongs to, symbolic links included. */
export class PathOutsideWorkspace extends Schema.TaggedError<PathOutsideWorkspace>()("PathOutsideWorkspace", {
  path: Schema.String,
  root: Schema.String
}) {
  override get message() {
    return `${JSON.stringify(this.path)} is outside ${this.root}; use a relative path that stays inside`
  }
}

/**
 * The files of one run. Every path is relative to one of its directories and resolves inside it, symbolic links included;
 * what would leave is an error and touches nothing.
 */
export interface Workspace {
  readonly runId: RunId
  readonly root: string
  readonly stateDir: string
  readonly reportsDir: string
  readonly outputsDir: string
  readonly tempDir: string
  /** What the run was started with. */
  readonly config: Json
  /** The absolute path of a file in one of the directories; it need not exist. */
  readonly resolve: (area: Area, path: string) => Effect.Effect<string, PathOutsideWorkspace | WorkspaceError>
  /** Writes a file as a whole, atomically, and creates the directories it needs. */
  readonly write: (
    area: Area,
    path: string,
    content: string | Uint8Array
  ) => Effect.Effect<string, PathOutsideWorkspace | WorkspaceError>
  /** Reads a file as text. */
  readonly read: (area: Area, path: string) => Effect.Effect<string, PathOutsideWorkspace | WorkspaceError>
  /** The files in a directory and below it, as relative paths with `/`, sorted. */
  readonly list: (area: Area) => Effect.Effect<ReadonlyArray<string>, WorkspaceError>
}

/**
 * The workspace behind what guards it, for what a host does itself where an agent has something done: it keeps the output of
 * a program in files also where the run may not write any. It is never handed to an agent.
 */
export const unguarded = (workspace: Workspace): Workspace => behind(workspace)

/** What becomes of a workspace when its run has ended, by outcome. `temp` is always removed. */
export interface Retention {
  readonly completed: "keep" | "remove"
  readonly failed: "keep" | "remove"
  readonly cancelled: "keep" | "remove"
}

/** Keeps everything: reports and partial outputs are what a run was for. */
export const keepAll: Retention = { completed: "keep", failed: "keep", cancelled: "keep" }

/** Removes everything. */
export const removeAll: Retention = { completed: "remove", failed: "remove", cancelled: "remove" }

/**
 * Close the scope of a workspace with this failure to keep it as it is, `temp` included, for a run that will go on later.
 */
export class Suspended extends Schema.TaggedError<Suspended>()("Suspended", {}) {}

/** Which entry of a retention policy an exit of the scope stands for, or `undefined` where it was suspended. */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): keyof Retention | undefined => {
  if (Exit.isSuccess(exit)) return "completed"
  for (const failure of Cause.failures(exit.cause)) if (failure instanceof Suspended) return undefined
  return Cause.isInterrupted(exit.cause) ? "cancelled" : "failed"
}

/**
 * Gives every run its own directories.
 *
 * @example
 * ```ts
 * import * as WorkspaceService from "@switchyard/core/WorkspaceService"
 * import * as Effect from "effect/Effect"
 *
 * export const active = Effect.flatMap(WorkspaceService.WorkspaceService, (workspaces) => workspaces.listActive)
 * ```
 */
export class WorkspaceService extends Context.Tag("@switchyard/core/WorkspaceService")<
  WorkspaceService,
  {
    /**
     * Creates the workspace of a run, or opens the one it has; it appears whole or not at all. When the scope closes, it
     * is kept or removed as the retention policy says: a success is `completed`, an interruption `cancelled`, any other
     * failure `failed`, and `Suspended` leaves it alone.
     */
    readonly create: (runId: RunId, config: Json) => Effect.Effect<Workspace, WorkspaceError, Scope.Scope>
    /** Removes the workspace of a run, whatever the policy says; without one it does nothing. */
    readonly cleanup: (runId: RunId) => Effect.Effect<void, WorkspaceError>
    /** The workspace of a run, active or kept. */
    readonly get: (runId: RunId) => Effect.Effect<Workspace, WorkspaceNotFound | WorkspaceError>
    /** The workspaces whose scope is open, sorted by run id. */
    readonly listActive: Effect.Effect<ReadonlyArray<Workspace>>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof WorkspaceService>

/** What an implementation supplies; `make` calls it for one run at a time, with a valid id, and never interrupts it. */
export interface Backend {
  /** Makes the whole workspace or opens the one there is, with all four directories; a failure leaves nothing behind. */
  readonly open: (runId: RunId, config: Json) => Effect.Effect<Workspace, WorkspaceError>
  /** The workspace as it is, `undefined` where there is none. */
  readonly find: (runId: RunId) => Effect.Effect<Workspace | undefined, WorkspaceError>
  /** Removes the `temp` directory, and without one does nothing. */
  readonly removeTemp: (runId: RunId) => Effect.Effect<void, WorkspaceError>
  /** Removes the workspace, and without one does nothing. */
  readonly remove: (runId: RunId) => Effect.Effect<void, WorkspaceError>
}

/** What a run holds while scopes are open on its workspace. */
interface Held {
  readonly workspace: Workspace
  readonly scopes: number
}

interface Slot {
  readonly lock: Effect.Semaphore
  held: Held | undefined
  users: number
}

const isRunId = Schema.is(RunId)

const validId = (operation: string, runId: RunId): Effect.Effect<RunId, WorkspaceError> =>
  isRunId(runId)
    ? Effect.succeed(runId)
    : Effect.fail(
        new WorkspaceError({
          operation,
          path: String(runId),
          reason: "it is not a run id, so it cannot name a directory"
        })
      )

const validConfig = (runId: RunId, config: Json): Effect.Effect<Json, WorkspaceError> => {
  const found = findNotJson(config)
  return found === undefined
    ? Effect.succeed(copyOf(config))
    : Effect.fail(
        new WorkspaceError({
          operation: "create",
          path: runId,
          reason: `its configuration holds ${found.found} at ${found.path}, which JSON cannot carry`
        })
      )
}

/**
 * The service on a backend: it checks ids and configurations, shares one workspace between the scopes of a run, and lets
 * the scope that closes last decide by the policy what becomes of it. What cannot be removed then is logged as a warning,
 * because the run has its result already.
 */
export const make = (backend: Backend, retention: Partial<Retention> = {}): Service => {
  const policy: Retention = { ...keepAll, ...retention }
  const slots = new Map<RunId, Slot>()

  const exclusively = <A, E>(
    runId: RunId,
    change: (held: Held | undefined) => Effect.Effect<readonly [A, Held | undefined], E>
  ): Effect.Effect<A, E> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const slot = slots.get(runId) ?? { lock: semaphore(1), held: undefined, users: 0 }
        slot.users++
        slots.set(runId, slot)
        return slot
      }),
      (slot) =>
        slot.lock.withPermits(1)(
          Effect.uninterruptible(
            Effect.suspend(() =>
              Effect.map(change(slot.held), ([result, held]) => {
                slot.held = held
                return result
              })
            )
          )
        ),
      (slot) =>
        Effect.sync(() => {
          slot.users--
          if (slot.users === 0 && slot.held === undefined) slots.delete(runId)
        })
    )

  const settle = (runId: RunId, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void, WorkspaceError> => {
    const outcome = outcomeOf(exit)
    if (outcome === undefined) return Effect.void
    return policy[outcome] === "keep" ? backend.removeTemp(runId) : backend.remove(runId)
  }

  const release = (workspace: Workspace, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
    exclusively(workspace.runId, (held) => {
      // It was cleaned up meanwhile, and what the run has now belongs to a later scope.
      if (held?.workspace !== workspace) return Effect.succeed([undefined, held])
      if (held.scopes > 1) return Effect.succeed([undefined, { workspace, scopes: held.scopes - 1 }])
      return settle(workspace.runId, exit).pipe(
        Effect.catchTag("WorkspaceError", (error) => Effect.logWarning(error.message)),
        Effect.as([undefined, undefined])
      )
    })

  return {
    create: (id, given) =>
      holdInScope(
        Effect.gen(function* () {
          const runId = yield* validId("create", id)
          const config = yield* validConfig(runId, given)
          return yield* exclusively(runId, (held) =>
            held === undefined
              ? Effect.map(
                  backend.open(runId, config),
                  (workspace) => [workspace, { workspace, scopes: 1 }] as const
                )
              : Effect.succeed([held.workspace, { ...held, scopes: held.scopes + 1 }] as const)
          )
        }),
        release
      ),
    cleanup: (id) =>
      Effect.flatMap(validId("clean up", id), (runId) =>
        exclusively(runId, () => Effect.as(backend.remove(runId), [undefined, undefined] as const))
      ),
    get: (id) =>
      Effect.gen(function* () {
        const runId = yield* validId("open", id)
        const found = yield* exclusively(runId, (held) =>
          held === undefined
            ? Effect.map(backend.find(runId), (workspace) => [workspace, undefined] as const)
            : Effect.succeed([held.workspace, held] as const)
        )
        return found ?? (yield* new WorkspaceNotFound({ runId }))
      }),
    listActive: Effect.sync(() =>
      [...slots.values()]
        .flatMap(({ held }) => (held === undefined ? [] : [held.workspace]))
        .sort((a, b) => (a.runId < b.runId ? -1 : 1))
    )
  }
}

/**
 * The shortest form of a path below a directory, with `/`, or `undefined` where it names nothing below it: empty, absolute,
 * climbing out (with `/` or `\`), or holding a NUL. It looks at the text only; symbolic links are the backend's to check.
 */
export const normalize = (path: string): string | undefined => {
  if (path.includes("\0") || /^([/\\]|[A-Za-z]:[/\\])/.test(path)) return undefined
  if (path.includes("\\") && path.split(/[/\\]/).includes("..")) return undefined
  const segments: Array<string> = []
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue
    if (segment !== "..") segments.push(segment)
    else if (segments.pop() === undefined) return undefined
  }
  return segments.length === 0 ? undefined : segments.join("/")
}

const memoryBackend = (): Backend => {
  const runs = new Map<RunId, { readonly workspace: Workspace; readonly clear: (area: Area) => void }>()
  const create = (runId: RunId, config: Json) => {
    const root = `/memory/run-${runId}`
    const files = makeFileTree()
    const within = <A>(
      operation: string,
      area: Area,
      path: string,
      use: (key: string, absolute: string) => Effect.Effect<A, WorkspaceError>
    ) =>
      Effect.suspend((): Effect.Effect<A, PathOutsideWorkspace | WorkspaceError> => {
        const inside = normalize(path)
        const directory = `${root}/${area}`
        if (inside === undefined) return Effect.fail(new PathOutsideWorkspace({ path, root: directory }))
        const absolute = `${directory}/${inside}`
        return runs.get(runId)?.workspace === workspace
          ? use(`${area}/${inside}`, absolute)
          : refuse(operation, absolute, "the workspace does not exist any more")
      })
    const refuse = (operation: string, path: string, reason: string) =>
      Effect.fail(new WorkspaceError({ operation, path, reason }))
    const workspace: Workspace = {
      runId,
      root,
      stateDir: `${root}/state`,
      reportsDir: `${root}/reports`,
      outputsDir: `${root}/outputs`,
      tempDir: `${root}/temp`,
      config,
      resolve: (area, path) => within("resolve", area, path, (_, absolute) => Effect.succeed(absolute)),
      write: (area, path, content) =>
        within("write", area, path, (key, absolute) => {
          const reason = files.write(key, content)
          return reason === undefined ? Effect.succeed(absolute) : refuse("write", absolute, reason)
        }),
      read: (area, path) =>
        within("read", area, path, (key, absolute) => {
          const text = files.read(key)
          return text === undefined ? refuse("read", absolute, "it does not exist") : Effect.succeed(text)
        }),
      list: (area) =>
        Effect.suspend(() =>
          runs.get(runId)?.workspace === workspace
            ? Effect.succeed(files.list(area))
            : refuse("list", `${root}/${area}`, "the workspace does not exist any more")
        )
    }
    return { workspace, clear: files.clear }
  }
  return {
    open: (runId, config) =>
      Effect.sync(() => {
        const run = runs.get(runId) ?? create(runId, config)
        runs.set(runId, run)
        return run.workspace
      }),
    find: (runId) => Effect.sync(() => runs.get(runId)?.workspace),
    removeTemp: (runId) => Effect.sync(() => runs.get(runId)?.clear("temp")),
    remove: (runId) => Effect.sync(() => void runs.delete(runId))
  }
}

/**
 * Workspaces in memory, for tests and dry runs: paths begin with `/memory/run-<id>` and exist nowhere else, so a program
 * cannot be started in them. Kept workspaces are there until the layer's scope closes; without a policy all are kept.
 */
export const layerMemory = (options?: {
  readonly retention?: Partial<Retention>
}): Layer.Layer<WorkspaceService> =>
  Layer.sync(WorkspaceService, () => make(memoryBackend(), options?.retention))
