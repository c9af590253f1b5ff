import { type ChildProcess, spawn } from "node:child_process"
import { rm } from "node:fs/promises"
import type { Readable } from "node:stream"
import type { PathOutsideWorkspace, Workspace, WorkspaceError } from "@switchyard/core/WorkspaceService"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { async } from "./compat.js"
import { attempt, errnoOf, reasonOf } from "./fileSystem.js"
import { groupMember, startTicks } from "./processTable.js"

/** The operating system did not start a program. */
export class SpawnFailed extends Schema.TaggedError<SpawnFailed>()("SpawnFailed", {
  code: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

/**
 * How long each stage of ending a process group lasts: the wait before SIGINT, from SIGINT to SIGTERM (`terminate`), and
 * from SIGTERM to SIGKILL (`kill`). It is over as soon as no member is left.
 */
export interface Escalation {
  readonly interruptAfter: Duration.DurationInput
  readonly terminate: Duration.DurationInput
  readonly kill: Duration.DurationInput
}

/** A program to start, without a shell; its streams are read to their end whatever happens. */
export interface Program {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** What is written to its standard input, which is empty otherwise. A program need not read it. */
  readonly stdin: string | undefined
  /** Called with each chunk in order, one at a time; they must not reject. */
  readonly onStdout: (chunk: Uint8Array) => Promise<void>
  readonly onStderr: (chunk: Uint8Array) => Promise<void>
}

/** How a program ended: with a code, or by a signal. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A program that was started, and everything it starts that stays in its process group. */
export interface ProcessGroup {
  readonly pgid: number
  /** Waits for the program itself, not for what it started. */
  readonly exit: Effect.Effect<Exit>
}

interface Launched extends ProcessGroup {
  readonly leaderExited: () => boolean
  readonly drained: Promise<void>
  readonly abandonStreams: () => void
}

/** How often the group is looked at, and how long a stream that outlives it is read, both in milliseconds on the host's clock. */
const pollMillis = 10
const lingerMillis = 1000

/** How long SIGKILL is repeated before the group counts as one that nobody can end, such as one waiting for a dead device. */
const unkillableAfter = Duration.seconds(10)

const drain = async (readable: Readable, consume: (chunk: Uint8Array) => Promise<void>): Promise<void> => {
  for await (const chunk of readable) await consume(chunk)
}

const observe = (child: ChildProcess, pgid: number, program: Program): Launched => {
  let leaderExited = false
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      leaderExited = true
      resolve({ code, signal })
    })
  })
  const streams = [
    [child.stdout, program.onStdout],
    [child.stderr, program.onStderr]
  ] as const
  const drains = streams.map(([readable, consume]) =>
    // It rejects only where the stream is abandoned.
    readable === null ? undefined : drain(readable, consume).catch(() => undefined)
  )
  return {
    pgid,
    exit: Effect.promise(() => exited),
    leaderExited: () => leaderExited,
    drained: Promise.all(drains).then(() => undefined),
    abandonStreams: () => {
      for (const [readable] of streams) readable?.destroy()
      child.stdin?.destroy()
    }
  }
}

const refused = (error: unknown): SpawnFailed =>
  new SpawnFailed({ code: errnoOf(error) ?? "", reason: reasonOf(error) })

const launch = (program: Program): Effect.Effect<Launched, SpawnFailed> =>
  async<Launched, SpawnFailed>((resume) => {
    try {
      const child = spawn(program.command, [...program.args], {
        cwd: program.cwd,
        env: { ...program.env },
        shell: false,
        detached: true,
        stdio: [program.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"]
      })
      child.on("error", (error) => resume(Effect.fail(refused(error))))
      if (child.pid === undefined) return
      const launched = observe(child, child.pid, program)
      // A program that does not read its input closes the pipe, and that is its right.
      child.stdin?.on("error", () => undefined)
      child.stdin?.end(program.stdin)
      resume(Effect.succeed(launched))
    } catch (error) {
      resume(Effect.fail(refused(error)))
    }
  })

const pause = (millis: number): Effect.Effect<void> =>
  async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

const signal = (pgid: number, name: NodeJS.Signals): Effect.Effect<void> =>
  Effect.sync(() => {
    try {
      process.kill(-pgid, name)
    } catch {
      // No member is left, or none that this user may signal; the next look at the group tells which.
    }
  })

const end = (group: Launched, escalation: Escalation): Effect.Effect<boolean> => {
  let seen: number | undefined
  const gone = () => {
    if (!group.leaderExited()) return false
    seen = groupMember(group.pgid, seen)
    return seen === undefined
  }
  const goneWithin = (duration: Duration.DurationInput, again?: NodeJS.Signals): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      const until = (yield* Clock.currentTimeNanos) + BigInt(Math.ceil(Duration.toMillis(duration) * 1e6))
      while (!gone()) {
        if ((yield* Clock.currentTimeNanos) >= until) return false
        if (again !== undefined) yield* signal(group.pgid, again)
        yield* pause(pollMillis)
      }
      return true
    })
  return Effect.gen(function* () {
    if (yield* goneWithin(escalation.interruptAfter)) return true
    yield* signal(group.pgid, "SIGINT")
    if (yield* goneWithin(escalation.terminate)) return true
    yield* signal(group.pgid, "SIGTERM")
    if (yield* goneWithin(escalation.kill)) return true
    return yield* goneWithin(unkillableAfter, "SIGKILL")
  })
}

const readToEnd = (group: Launched): Effect.Effect<void> =>
  Effect.promise(() => {
    // A process that left the group may hold the streams open for as long as it lives.
    const timer = setTimeout(group.abandonStreams, lingerMillis)
    return group.drained.then(() => clearTimeout(timer))
  })

const recordPath = (pgid: number): string => `processes/${pgid}.json`

const remember = (group: Launched, program: Program, workspace: Workspace) =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
    workspace.write(
      "state",
      recordPath(group.pgid),
      JSON.stringify({
        pgid: group.pgid,
        command: program.command,
        startedAt,
        startTicks: startTicks(group.pgid)
      })
    )
  )

const forget = (group: Launched, workspace: Workspace) =>
  workspace.resolve("state", recordPath(group.pgid)).pipe(
    Effect.flatMap((path) => attempt("remove", path, () => rm(path, { force: true }))),
    // The workspace may be gone already, and the record with it.
    Effect.ignore
  )

/**
 * Starts a program as the leader of a new process group. The release signals the group stage by stage and returns when the
 * leader has exited, no member is left and the streams are read to their end; it does so after a normal exit too, for
 * whatever the program left running, and cannot be interrupted. While there is a member, `state/processes/<pgid>.json` in
 * the workspace says so; the only group that may stay behind is one that survives SIGKILL for ten seconds, and it keeps
 * its file. A process that starts a session of its own leaves the group and is not seen.
 */
export const start = (
  program: Program,
  workspace: Workspace,
  escalation: Escalation
): Effect.Effect<ProcessGroup, SpawnFailed | WorkspaceError | PathOutsideWorkspace, Scope.Scope> =>
  Effect.tap(
    Effect.acquireRelease(launch(program), (group) =>
      Effect.gen(function* () {
        const gone = yield* end(group, escalation)
        yield* readToEnd(group)
        if (gone) return yield* forget(group, workspace)
        yield* Effect.logWarning(`Process group ${group.pgid} (${program.command}) survives SIGKILL`)
      })
    ),
    (group) => remember(group, program, workspace)
  )
