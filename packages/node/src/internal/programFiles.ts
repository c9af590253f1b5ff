import { constants } from "node:fs"
import { access, type FileHandle, open, stat } from "node:fs/promises"
import { delimiter, isAbsolute, join } from "node:path"
import type { AgentError } from "@switchyard/core/Agent"
import { HostSecrets, type Provider } from "@switchyard/core/Secrets"
import {
  type Area,
  type PathOutsideWorkspace,
  unguarded,
  type Workspace,
  type WorkspaceError
} from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { attempt, reasonOf } from "./fileSystem.js"
import { failure } from "./programFailure.js"
import { redactedWriter } from "./redactedWriter.js"

/** What went wrong with a workspace, as the failure of an attempt. */
export const fromWorkspace = (error: WorkspaceError | PathOutsideWorkspace): AgentError =>
  failure("Failed", error.message)

/** A file that takes a whole stream. */
export interface Sink {
  readonly path: string
  /** Appends a chunk; it does not reject. */
  readonly write: (chunk: Uint8Array) => Promise<void>
}

/**
 * A file in `state` that takes a whole stream, without the secrets of the host and of this provider; it is written also where
 * the run lets its agents write none. Where it cannot be written any more, the stream is read on regardless.
 */
export const openSink = (
  workspace: Workspace,
  path: string,
  secrets: Provider
): Effect.Effect<Sink, AgentError, Scope.Scope> =>
  Effect.gen(function* () {
    const absolute = yield* unguarded(workspace).write("state", path, "")
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW
    const providers = [yield* HostSecrets, secrets]
    const opened = (file: FileHandle) => {
      let writable = true
      const writer = redactedWriter(providers, async (chunk) => {
        if (!writable) return
        await file.appendFile(chunk).catch(() => {
          writable = false
        })
      })
      return { ...writer, file }
    }
    const { write } = yield* Effect.acquireRelease(
      Effect.map(
        attempt("open", absolute, () => open(absolute, flags)),
        opened
      ),
      ({ end, file }) => Effect.promise(() => end().then(() => file.close().catch(() => undefined)))
    )
    return { path: absolute, write }
  }).pipe(Effect.mapError(fromWorkspace))

/** A directory of a workspace in which a program can run. */
export const directoryOf = (workspace: Workspace, area: Area): Effect.Effect<string, AgentError> => {
  const path = join(workspace.root, area)
  return Effect.tryPromise({
    try: () => stat(path),
    catch: (error) =>
      failure("Failed", `A program cannot run in ${path}: ${reasonOf(error)}. It needs a workspace on disk`)
  }).pipe(Effect.as(path))
}

/** Where a program is that this user may execute, by its path or by the `PATH` of its environment; it is not started. */
export const findExecutable = (
  command: string,
  env: Readonly<Record<string, string>>
): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    const candidates = isAbsolute(command)
      ? [command]
      : (env.PATH ?? "/usr/bin:/bin").split(delimiter).map((path) => join(path, command))
    for (const candidate of candidates) {
      const found = await access(candidate, constants.X_OK).then(
        () => true,
        () => false
      )
      if (found) return candidate
    }
    return undefined
  })
