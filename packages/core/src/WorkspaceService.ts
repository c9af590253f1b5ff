import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { RunId } from "./Ids.js"
import type { Json } from "./Json.js"

/** The directories of a run. */
export const Area = Schema.Literal("state", "reports", "outputs", "temp")
export type Area = typeof Area.Type

/** Something that the file system refused, with the path and what can be done about it. */
export class WorkspaceError extends Schema.TaggedError<WorkspaceError>()("WorkspaceError", {
  operation: Schema.String,
  path: Schema.String,
  reason: Schema.String
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
