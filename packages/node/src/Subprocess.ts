import { constants } from "node:fs"
import { access, stat } from "node:fs/promises"
import { delimiter, isAbsolute, join } from "node:path"
import type { Writable } from "node:stream"
import { type AgentError, type Permissions, unrestricted } from "@switchyard/core/Agent"
import * as Secrets from "@switchyard/core/Secrets"
import type { Area, PathOutsideWorkspace, Workspace, WorkspaceError } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { async } from "./internal/compat.js"
import { reasonOf } from "./internal/fileSystem.js"
import { type Escalation, type Exit, start as startGroup } from "./internal/processGroup.js"
import { exitError, failure, spawnError } from "./internal/programFailure.js"
import { openSink } from "./internal/programFiles.js"
import { ending, makeTail } from "./internal/programOutput.js"
import { confine, exitOf, type Sandboxed } from "./internal/sandbox.js"

export type { Escalation, Exit } from "./internal/processGroup.js"
export type { Sandboxed } from "./internal/sandbox.js"

/** A program that is spoken to over its standard streams. */
export interface Command extends Sandboxed {
  /** A name that is looked up in the program's `PATH`, or an absolute path; never a relative one, and never a shell line. */
  readonly command: string
  /** The arguments, one per element, as they are. */
  readonly args?: ReadonlyArray<string>
  /** The directory of the workspace in which the program runs; `outputs` unless said otherwise. */
  readonly cwd?: Area
  /**
   * The whole environment: host variables passed on by name (`PATH` and `HOME` unless said otherwise), pairs to add, and
   * variables whose values are secrets, by the names of those.
   */
  readonly env?: {
    readonly inherit?: ReadonlyArray<string>
    readonly set?: Readonly<Record<string, string>>
    readonly secrets?: Readonly<Record<string, string>>
  }
  /** How the program is made to end once its input is closed; see `defaultEscalation`. */
  readonly escalation?: Partial<Escalation>
}

/** For whom a program is started, and who reads it. */
export interface Options {
  readonly workspace: Workspace
  /** What it is started for; it is part of the mark by which its processes are found. */
  readonly idempotencyKey: string
  /** Where its standard error is kept, below `programs/` in the `state` directory, without the ending `.stderr`. */
  readonly name: string
  /** What the run lets its agents do: where it restricts something, the program is started in a sandbox as the host says. */
  readonly permissions?: Permissions
  /** Gives the secrets that the environment names, and keeps them out of what is kept and reported. */
  readonly secrets?: Secrets.Provider
  /** Called with each chunk of the standard output in order, one at a time; it must not reject. */
  readonly onStdout: (chunk: Uint8Array) => Promise<void>
}

/** A program that runs. */
export interface Subprocess {
  readonly pgid: number
  /** Writes to its standard input, and waits until it is taken; a program that reads nothing keeps the writer waiting. */
  readonly write: (text: string) => Effect.Effect<void, AgentError>
  /** Closes its standard input. */
  readonly closeInput: Effect.Effect<void>
  /** Waits for the program itself, not for what it started. */
  readonly exit: Effect.Effect<Exit>
  /**
   * Fails once the program has ended, with what that means while there is work for it: `Crashed`, or `NotFound` where it
   * found nothing to execute (126 and 127), and with the end of what it said on its standard error.
   */
  readonly ended: Effect.Effect<never, AgentError>
  /** The end of its standard error so far, without secrets. */
  readonly complaint: () => string
}

/** SIGINT a second after the input was closed, SIGTERM 5 seconds later, SIGKILL 5 seconds after that; over as soon as nobody is left. */
export const defaultEscalation: Escalation = {
  interruptAfter: "1 second",
  terminate: "5 seconds",
  kill: "5 seconds"
}

/** Why a command cannot be run wherever it is, or `undefined` where it may. */
export const problemOf = ({ command }: Command): string | undefined => {
  if (command === "") return "the command is empty"
  if (command.includes("\0")) return "the command holds a NUL"
  if (command.includes("/") && !isAbsolute(command))
    return `"${command}" is relative; give an absolute path, or a name that is in PATH`
  return undefined
}

const environmentOf = (
  { inherit = ["PATH", "HOME"], secrets = {}, set }: NonNullable<Command["env"]>,
  provider: Secrets.Provider
): Effect.Effect<Readonly<Record<string, string>>, AgentError> =>
  Effect.gen(function* () {
    const environment: Record<string, string> = {}
    for (const name of inherit) {
      const value = process.env[name]
      if (value !== undefined) environment[name] = value
    }
    Object.assign(environment, set)
    for (const [name, secret] of Object.entries(secrets)) {
      const value = yield* Effect.mapError(provider.get(secret), (error) =>
        failure("Unauthorized", error.message)
      )
      environment[name] = Redacted.value(value)
    }
    return environment
  })

/** Whether there is a program that this user may execute; it is looked for where it would be, and not started. */
export const isInstalled = ({ command, env }: Command): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    const { inherit = ["PATH"], set } = env ?? {}
    const path = set?.PATH ?? (inherit.includes("PATH") ? process.env.PATH : undefined) ?? "/usr/bin:/bin"
    const candidates = isAbsolute(command)
      ? [command]
      : path.split(delimiter).map((directory) => join(directory, command))
    for (const candidate of candidates) {
      const found = await access(candidate, constants.X_OK).then(
        () => true,
        () => false
      )
      if (found) return true
    }
    return false
  })

/** How long the standard error is read on after the program has ended, on the host's clock. */
const lastWordsMillis = 50

const lastWords: Effect.Effect<void> = async<void>((resume) => {
  const timer = setTimeout(() => resume(Effect.void), lastWordsMillis)
  return Effect.sync(() => clearTimeout(timer))
})

const fromWorkspace = (error: WorkspaceError | PathOutsideWorkspace) => failure("Failed", error.message)

const meaningOf = (command: string, exit: Exit, said: string): AgentError => {
  const known = exitError(command, [], exit, said)
  if (known !== undefined && known.kind !== "Failed") return known
  const detail = said === "" ? "; it said nothing" : `:\n${said}`
  return failure(
    "Crashed",
    `The program "${command}" ended with exit code ${exit.code} before its work was done${detail}`
  )
}

/**
 * Starts a program whose standard input stays open, in the workspace and in a process group of its own. The release closes
 * the input, then ends the whole group stage by stage as for `ProcessAgent`; what outlives a host that was killed is ended
 * when its directory is opened again. The standard error is in `state/programs/<name>.stderr`. A program that is not there
 * is `NotFound`, and a secret that is not there `Unauthorized`.
 */
export const start = (
  command: Command,
  { idempotencyKey, name, onStdout, permissions = unrestricted, secrets = Secrets.none, workspace }: Options
): Effect.Effect<Subprocess, AgentError, Scope.Scope> =>
  Effect.gen(function* () {
    const problem = problemOf(command)
    if (problem !== undefined) return yield* failure("InvalidInput", problem)
    const env = yield* environmentOf(command.env ?? {}, secrets)
    const cwd = join(workspace.root, command.cwd ?? "outputs")
    yield* Effect.tryPromise({
      try: () => stat(cwd),
      catch: (error) =>
        failure("Failed", `A program cannot run in ${cwd}: ${reasonOf(error)}. It needs a workspace on disk`)
    })
    const given = { command: command.command, args: command.args ?? [], cwd, env }
    const program = yield* confine(given, { permissions, workspace }, command)
    const sink = yield* openSink(workspace, `programs/${name}.stderr`, secrets)
    const tail = makeTail(8192)
    const complaint = () => secrets.redact(ending(tail.text()))
    let stdin: Writable | undefined
    const group = yield* startGroup(
      {
        ...program,
        idempotencyKey,
        stdin: undefined,
        onStdin: (writable) => {
          stdin = writable
        },
        onStdout,
        onStderr: (chunk) => {
          tail.push(chunk)
          return sink.write(chunk)
        }
      },
      workspace,
      { ...defaultEscalation, ...command.escalation }
    ).pipe(
      Effect.mapError((error) =>
        error._tag === "SpawnFailed" ? spawnError(command.command, error) : fromWorkspace(error)
      )
    )
    const exit = Effect.map(group.exit, (found) => exitOf(program, found))
    const closeInput = Effect.sync(() => {
      stdin?.end()
    })
    yield* Effect.addFinalizer(() => closeInput)
    const closed = () =>
      Effect.fail(failure("Crashed", `The program "${command.command}" does not read its input any more`))
    return {
      pgid: group.pgid,
      closeInput,
      exit,
      ended: exit.pipe(
        Effect.tap(() => lastWords),
        Effect.flatMap((found) => Effect.fail(meaningOf(command.command, found, complaint())))
      ),
      complaint,
      write: (text) =>
        async<void, AgentError>((resume) => {
          if (stdin === undefined || !stdin.writable) return resume(closed())
          stdin.write(text, (error) => resume(error ? closed() : Effect.void))
        })
    }
  })
