import { readdir, readFile, realpath, rm } from "node:fs/promises"
import { join, sep } from "node:path"
import type { RunId } from "@switchyard/core/Ids"
import type { WorkspaceError } from "@switchyard/core/WorkspaceService"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { escalate, kill } from "./escalation.js"
import { attempt, instead } from "./fileSystem.js"
import { type Marked, markedProcesses, signalMarked } from "./processMarker.js"
import { type ProcessRecord, parse } from "./processRecord.js"
import { bootId, groupMember, readable, row } from "./processTable.js"
import { isPartial } from "./removal.js"
import { locate } from "./rootedPath.js"

/** Where processes may have been left behind. */
export interface Abandoned {
  /** The directory of the workspaces. */
  readonly workspaces: string
  /** The runs that have not ended, whose workspaces may have records of processes. */
  readonly runs: ReadonlyArray<RunId>
  /** How long processes may take to end after SIGTERM before SIGKILL. */
  readonly grace: Duration.DurationInput
}

interface Noted extends ProcessRecord {
  readonly path: string
}

/** The records in the workspace of a run; what was being written when its host died is removed. */
const recordsOf = async (root: string, runId: RunId): Promise<ReadonlyArray<Noted>> => {
  const workspace = join(root, `run-${runId}`)
  const found = await instead(locate(workspace, "state", "processes"), ["ENOENT"], undefined)
  if (found?.real === undefined) return []
  const noted: Array<Noted> = []
  for (const name of await instead(readdir(found.real), ["ENOENT", "ENOTDIR"], [])) {
    const path = join(found.real, name)
    if (isPartial(name)) await rm(path, { force: true })
    const record = parse(name, await readFile(path, "utf8").catch(() => ""))
    if (record !== undefined) noted.push({ ...record, path })
  }
  return noted
}

/** Whether the group is the recorded one beyond doubt: its leader, dead or alive, still has the number it was started with. */
const isRecorded = (record: ProcessRecord): boolean => {
  const leader = row(record.pgid)
  return (
    record.bootId === bootId &&
    leader !== undefined &&
    leader.startTicks === record.startTicks &&
    leader.group === record.pgid
  )
}

/** Whether the group may be the recorded one, but nothing proves it: the leader is gone, and another may have had its number since. */
const isDoubtful = (record: ProcessRecord): boolean =>
  !readable ||
  (record.bootId === bootId && row(record.pgid) === undefined && groupMember(record.pgid) !== undefined)

const named = (names: Iterable<string>): string => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} × ${count}`)).join(", ")
}

/**
 * Ends the processes that an earlier host of these workspaces left behind, and returns when none is left or SIGKILL has not
 * helped for ten seconds. Call it only while the directory is held, so that no living host has processes there. They are
 * known by the marker in their environment, and by the records in the workspaces of unfinished runs; a process of another
 * directory, or one that has got the number of a recorded one since, is not touched.
 */
export const endOrphans = ({ grace, runs, workspaces }: Abandoned): Effect.Effect<void, WorkspaceError> =>
  Effect.gen(function* () {
    const root = yield* attempt("open", workspaces, () =>
      instead(realpath(workspaces), ["ENOENT"], undefined)
    )
    if (root === undefined) return
    const records = (yield* Effect.forEach(
      runs,
      (runId) =>
        attempt("read", join(root, `run-${runId}`), () => recordsOf(root, runId)).pipe(
          // The processes of this run are still found by their markers.
          Effect.catchTag("WorkspaceError", (error) => Effect.as(Effect.logWarning(error.message), []))
        ),
      { concurrency: 16 }
    )).flat()
    const recorded = readable ? records.filter(isRecorded) : []
    const ours = ({ marker }: Marked) => marker.workspace.startsWith(root + sep)

    const ended = new Map<number, string>()
    let groups = recorded
    let strays: ReadonlyArray<Marked> = []
    const gone = Effect.sync(() => {
      // An empty group's number may become another one's, so it is not looked at again.
      groups = groups.filter(({ pgid }) => groupMember(pgid) !== undefined)
      strays = markedProcesses().filter(ours)
      for (const { command, pgid } of groups) if (!ended.has(pgid)) ended.set(pgid, command)
      for (const { name, pid } of strays) if (!ended.has(pid)) ended.set(pid, name)
      return groups.length === 0 && strays.length === 0
    })
    const signal = (name: NodeJS.Signals) =>
      Effect.sync(() => {
        for (const { pgid } of groups) kill(-pgid, name)
        signalMarked(strays, name)
      })
    const allGone = yield* escalate({ gone, signal }, [[0, "SIGTERM"]], grace)

    if (ended.size > 0) {
      yield* Effect.logWarning(
        `An earlier host left processes running in ${workspaces}, ${ended.size} in all; ` +
          `${allGone ? "they were ended" : "some survive SIGKILL"}: ${named(ended.values())}`
      )
    }
    const doubtful = records.filter((record) => !recorded.includes(record) && isDoubtful(record))
    if (doubtful.length > 0) {
      yield* Effect.logWarning(
        `An earlier host may have left process groups running in ${workspaces}, but nothing proves that they are its own; ` +
          `look at them, and remove their records: ${doubtful.map(({ path }) => path).join(", ")}`
      )
    }
    const kept = new Set<string>([...doubtful, ...groups].map(({ path }) => path))
    yield* Effect.forEach(
      records.filter(({ path }) => !kept.has(path)),
      ({ path }) => Effect.ignore(attempt("remove", path, () => rm(path, { force: true }))),
      { discard: true }
    )
  })
