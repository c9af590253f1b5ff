import { readdir } from "node:fs/promises"
import { QueryService } from "@switchyard/core/QueryService"
import type { WorkspaceError } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { attempt, instead } from "./fileSystem.js"

/** How many workspaces are looked at, those with the latest names first, and how many are named in the warning. */
const mostLookedAt = 10_000
const mostNamed = 5

const prefix = "run-"

/**
 * Lists the workspaces there are now, and warns later, without holding anybody up, of those whose runs the log does not
 * know, nor the archive of removed runs: the log was restored from a backup or moved aside, or they were made by hand. Nothing is done to them.
 */
export const reportUnknown = (
  workspaces: string,
  archive: string
): Effect.Effect<void, WorkspaceError, QueryService | Scope.Scope> =>
  Effect.gen(function* () {
    const names = yield* attempt("list", workspaces, () => instead(readdir(workspaces), ["ENOENT"], []))
    const there = names.filter((name) => name.startsWith(prefix))
    if (there.length === 0) return
    const queries = yield* QueryService
    const latest = there.sort().slice(-mostLookedAt)
    const look = Effect.gen(function* () {
      yield* queries.sync
      const unknown: Array<string> = []
      const archived = new Set(
        yield* attempt("list", archive, () => instead(readdir(archive), ["ENOENT"], []))
      )
      for (const name of latest) {
        if (archived.has(`${name.slice(prefix.length)}.jsonl`)) continue
        yield* queries
          .getRun(name.slice(prefix.length))
          .pipe(Effect.catchTag("RunUnknown", () => Effect.sync(() => void unknown.push(name))))
        yield* Effect.yieldNow()
      }
      if (unknown.length === 0) return
      const more = unknown.length > mostNamed ? `, and ${unknown.length - mostNamed} more` : ""
      yield* Effect.logWarning(
        `The log does not know the runs of these workspaces in ${workspaces}, so they are left as they are: ` +
          `${unknown.slice(0, mostNamed).join(", ")}${more}. Restore the log that they belong to, or move them away`
      )
    })
    yield* Effect.forkScoped(Effect.ignore(look))
  })
