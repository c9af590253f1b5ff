import { type ChildProcess, spawn } from "node:child_process"
import { rm } from "node:fs/promises"
import type { Readable, Writable } from "node:stream"
import {
  type PathOutsideWorkspace,
  unguarded,
  type Workspace,
  type WorkspaceError
} from "@switchyard/core/WorkspaceService"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { async } from "./compat.js"
import { escalate, kill } from "./escalation.js"
import { attempt, errnoOf, reasonOf } from "./fileSystem.js"
import { gathered } from "./gathered.js"
import {
  type Marked,
  type Marker,
  makeMarker,
  processesOf,
  signalMarked,
  toEnvironment
} from "./processMarker.js"
import { type ProcessRecord, pathOf } from "./processRecord.js"
import { alive, bootId, groupExists, groupMembers, readable, runsIn, startTicks } from "./processTable.js"
import { load, type Open, type TerminalSize } from "./terminal.js"

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
  /** The key of the attempt that it is started for. */
  readonly idempotencyKey: string
  /** What is written to its standard input, which is empty otherwise. A program need not read it. */
  readonly stdin: string | undefined
  /** Called at once with its standard input, which then stays open for whoever is called; `stdin` is left out. */
  readonly onStdin?: (stdin: Writable) => void
  /** Called with each chunk in order, one at a time; they must not reject. */
  readonly onStdout: (chunk: Uint8Array) => Promise<void>
  readonly onStderr: (chunk: Uint8Array) => Promise<void>
  /**
   * The size of the terminal that it runs in, where it is to have one; both streams are one then, the standard output. The
   * command has to be an absolute path, and there is no standard input but the terminal.
   */
  readonly terminal?: TerminalSize
}

/** How a program ended: with a code, or by a signal. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A program that was started, and everything it starts. */
export interface ProcessGroup {
  readonly pgid: number
  /** Waits for the program itself, not for what it started. */
  readonly exit: Effect.Effect<Exit>
}

interface Launched extends ProcessGroup {
  readonly marker: Marker
  readonly leaderExited: () => boolean
  readonly drained: Promise<void>
  readonly abandonStreams: () => void
}

/** How long a stream that outlives its group is read, in milliseconds on the host's clock. */
const lingerMillis = 1000

const drain = async (readable: Readable, consume: (chunk: Uint8Array) => Promise<void>): Promise<void> => {
  for await (const chunk of readable) await consume(chunk)
}

const observe = (child: ChildProcess, pgid: number, program: Program, marker: Marker): Launched => {
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
    marker,
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

const withPipes = (program: Program, marker: Marker): Effect.Effect<Launched, SpawnFailed> =>
  async<Launched, SpawnFailed>((resume) => {
    try {
      const child = spawn(program.command, [...program.args], {
        cwd: program.cwd,
        env: { ...program.env, ...toEnvironment(marker) },
        shell: false,
        detached: true,
        stdio: [
          program.stdin === undefined && program.onStdin === undefined ? "ignore" : "pipe",
          "pipe",
          "pipe"
        ]
      })
      child.on("error", (error) => resume(Effect.fail(refused(error))))
      if (child.pid === undefined) return
      const launched = observe(child, child.pid, program, marker)
      // A program that does not read its input closes the pipe, and that is its right.
      child.stdin?.on("error", () => undefined)
      if (program.onStdin === undefined) child.stdin?.end(program.stdin)
      else if (child.stdin !== null) program.onStdin(child.stdin)
      resume(Effect.succeed(launched))
    } catch (error) {
      resume(Effect.fail(refused(error)))
    }
  })

/**
 * How much of what a terminal shows may wait to be taken. A terminal is closed a moment after its leader has ended, whether all
 * of it was read or not, so it is read without waiting for the disk as long as that is reasonable.
 */
const terminalBytes = 8 * 1024 * 1024

const inTerminal = (
  open: Open,
  program: Program,
  size: TerminalSize,
  marker: Marker
): Effect.Effect<Launched, SpawnFailed> =>
  Effect.try({
    try: () => {
      const env = { ...program.env, ...toEnvironment(marker) }
      const terminal = open(program.command, program.args, size, program.cwd, env)
      let leaderExited = false
      let consumed: Promise<void> = Promise.resolve()
      let waiting = 0
      terminal.onData((chunk) => {
        waiting += chunk.length
        if (waiting > terminalBytes) terminal.pause()
        const taken = () => {
          waiting -= chunk.length
          if (waiting <= terminalBytes) terminal.resume()
        }
        consumed = consumed.then(() => program.onStdout(chunk)).then(taken)
      })
      const exited = new Promise<Exit>((resolve) => {
        terminal.onExit((code, signal) => {
          leaderExited = true
          resolve({ code, signal })
        })
      })
      return {
        pgid: terminal.pid,
        marker,
        exit: Effect.promise(() => exited),
        leaderExited: () => leaderExited,
        drained: exited.then(() => consumed),
        // A terminal is closed with its leader, whoever else has it open.
        abandonStreams: () => undefined
      }
    },
    catch: refused
  })

const launch = (program: Program, marker: Marker): Effect.Effect<Launched, SpawnFailed> => {
  const { terminal } = program
  return terminal === undefined
    ? withPipes(program, marker)
    : Effect.flatMap(
        Effect.mapError(load, (error) => new SpawnFailed(error)),
        (open) => inTerminal(open, program, terminal, marker)
      )
}

const members = gathered(groupMembers)

/** A member of a process group that still runs; `seen` is one from an earlier answer and is looked at first. */
const memberOf = (pgid: number, seen: number | undefined): Effect.Effect<number | undefined> =>
  Effect.suspend(() => {
    if (seen !== undefined && runsIn(seen, pgid)) return Effect.succeed(seen)
    if (!groupExists(pgid)) return Effect.succeed(undefined)
    return readable ? Effect.map(members, (found) => found.get(pgid)) : Effect.succeed(pgid)
  })

const end = (
  group: Launched,
  { interruptAfter, kill: lastWait, terminate }: Escalation
): Effect.Effect<boolean> => {
  let seen: number | undefined
  let strays: ReadonlyArray<Marked> = []
  let last: NodeJS.Signals | undefined
  const gone = Effect.gen(function* () {
    if (!group.leaderExited()) return false
    seen = yield* memberOf(group.pgid, seen)
    if (seen !== undefined) return false
    strays = strays.filter(({ pid, startTicks: ticks }) => alive(pid, ticks))
    if (strays.length > 0) return false
    strays = yield* processesOf(group.marker)
    if (last !== undefined) signalMarked(strays, last)
    return strays.length === 0
  })
  const signal = (name: NodeJS.Signals) =>
    Effect.sync(() => {
      last = name
      // Once the group is empty, its number may become another one's.
      if (!group.leaderExited() || seen !== undefined) kill(-group.pgid, name)
      signalMarked(strays, name)
    })
  const stages = [
    [interruptAfter, "SIGINT"],
    [terminate, "SIGTERM"]
  ] as const
  return escalate({ gone, signal }, stages, lastWait)
}

const readToEnd = (group: Launched): Effect.Effect<void> =>
  Effect.promise(() => {
    // A process that left the group may hold the streams open for as long as it lives.
    const timer = setTimeout(group.abandonStreams, lingerMillis)
    return group.drained.then(() => clearTimeout(timer))
  })

const remember = (group: Launched, program: Program, workspace: Workspace) =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) => {
    const { command } = program
    const { pgid } = group
    const record: ProcessRecord = { pgid, command, startedAt, startTicks: startTicks(pgid), bootId }
    return unguarded(workspace).write("state", pathOf(pgid), JSON.stringify(record))
  })

const forget = (group: Launched, workspace: Workspace) =>
  unguarded(workspace)
    .resolve("state", pathOf(group.pgid))
    .pipe(
      Effect.flatMap((path) => attempt("remove", path, () => rm(path, { force: true }))),
      // The workspace may be gone already, and the record with it.
      Effect.ignore
    )

/**
 * Starts a program as the leader of a new process group. The release signals the group stage by stage and returns when the
 * leader has exited, no member is left and the streams are read to their end; it does so after a normal exit too, for
 * whatever the program left running, and cannot be interrupted. Processes that left the group count as its members by the
 * marker in their environment, where the host has a `/proc`. While there is a member, `state/processes/<pgid>.json` in the
 * workspace says so; the only group that may stay behind is one that survives SIGKILL for ten seconds, and it keeps its
 * file.
 */
export const start = (
  program: Program,
  workspace: Workspace,
  escalation: Escalation
): Effect.Effect<ProcessGroup, SpawnFailed | WorkspaceError | PathOutsideWorkspace, Scope.Scope> =>
  Effect.tap(
    Effect.acquireRelease(launch(program, makeMarker(workspace.root, program.idempotencyKey)), (group) =>
      Effect.gen(function* () {
        const gone = yield* end(group, escalation)
        yield* readToEnd(group)
        if (gone) return yield* forget(group, workspace)
        yield* Effect.logWarning(`Process group ${group.pgid} (${program.command}) survives SIGKILL`)
      })
    ),
    (group) => remember(group, program, workspace)
  )
