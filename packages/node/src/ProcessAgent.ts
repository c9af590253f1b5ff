import { constants } from "node:fs"
import { access, type FileHandle, open, stat } from "node:fs/promises"
import { delimiter, isAbsolute, join } from "node:path"
import * as Agent from "@switchyard/core/Agent"
import type { CapabilityInput } from "@switchyard/core/Capability"
import type { Area, PathOutsideWorkspace, Workspace, WorkspaceError } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Template from "./internal/argvTemplate.js"
import { offerNow } from "./internal/compat.js"
import { attempt, reasonOf } from "./internal/fileSystem.js"
import { type Escalation, start } from "./internal/processGroup.js"
import { exitError, failure, spawnError } from "./internal/programFailure.js"
import { ending, type Format, makeReader, makeTail, type Reader } from "./internal/programOutput.js"

/** A command that cannot be run as it is written; it is found when the agent is made, not when a run needs it. */
export class InvalidCommand extends Schema.TaggedError<InvalidCommand>()("InvalidCommand", {
  agentId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The command of the agent "${this.agentId}" cannot be run: ${this.reason}`
  }
}

/** A command-line program as an agent. */
export interface Options {
  readonly capabilities: ReadonlyArray<CapabilityInput>
  readonly metadata?: Partial<Agent.Metadata>
  /** A name that is looked up in the program's `PATH`, or an absolute path; never a relative one, and never a shell line. */
  readonly command: string
  /**
   * The arguments, one per element. `{{input}}`, `{{input.some.field}}`, `{{item}}`, `{{index}}`, `{{total}}`,
   * `{{attempt}}`, `{{skill}}`, `{{runId}}`, `{{stepId}}`, `{{idempotencyKey}}`, `{{workspace}}`, `{{state}}`,
   * `{{reports}}`, `{{outputs}}`, `{{temp}}` and `{{promptFile}}` are replaced within an element, so that no value is
   * ever split or interpreted; a value that is not text is written as JSON, and `\{{` stands for two braces. Put `"--"`
   * before a value that may begin with a dash.
   */
  readonly args?: ReadonlyArray<string>
  /**
   * How the program gets its input: on its standard input (the default, for input of any size), as an argument (appended
   * where no element mentions `input`), or in a file (its path is appended where no element mentions `promptFile`).
   */
  readonly prompt?: "argument" | "stdin" | "file"
  /** The directory of the workspace in which the program runs; `outputs` unless said otherwise. */
  readonly cwd?: Area
  /**
   * The whole environment: host variables passed on by name (`PATH` and `HOME` unless said otherwise), and pairs to add.
   * `SWITCHYARD_WORKSPACE` and `SWITCHYARD_ATTEMPT` are always there, because by them the program's processes are found
   * when they are to end; a process that clears them may be left behind.
   */
  readonly env?: {
    readonly inherit?: ReadonlyArray<string>
    readonly set?: Readonly<Record<string, string>>
  }
  /**
   * What the standard output is. `text` (the default) without the line ends at its end; `json`, one value; or `jsonl`, one
   * object per line: any number of `{progress, message, usage, remainingMillis}`, each reported at once, and a
   * `{result, usage}`, of which the last one counts. Lines that are no such object are left to the file. A `usage` has
   * `inputTokens`, `outputTokens`, `cachedTokens` and `costUsd` or `costMicroUsd`, counted from the start of the attempt.
   */
  readonly output?: Format
  /** How the program is made to end; see `defaultEscalation`. */
  readonly escalation?: Partial<Escalation>
  /**
   * How many bytes of the standard output are held in memory, 1 MiB unless said otherwise. Longer text loses its beginning,
   * and says so; longer JSON is an error. The whole is in the `state` directory of the workspace in any case.
   */
  readonly maxOutputBytes?: number
  /** Exit codes that mean “try again later”, such as 75 (`EX_TEMPFAIL`). */
  readonly retryableExitCodes?: ReadonlyArray<number>
}

/** SIGINT at once, SIGTERM 10 seconds later, SIGKILL 5 seconds after that; over as soon as nobody is left in the group. */
export const defaultEscalation: Escalation = {
  interruptAfter: 0,
  terminate: "10 seconds",
  kill: "5 seconds"
}

interface Command
  extends Required<Omit<Options, "capabilities" | "metadata" | "args" | "env" | "escalation">> {
  readonly templates: ReadonlyArray<Template.Template>
  readonly env: Readonly<Record<string, string>>
  readonly escalation: Escalation
}

const environment = ({ inherit = ["PATH", "HOME"], set }: NonNullable<Options["env"]>) => {
  const inherited = inherit.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(inherited), ...set }
}

const parseCommand = (options: Options): Effect.Effect<Command, string> =>
  Effect.gen(function* () {
    const { command, maxOutputBytes = 1024 * 1024, prompt = "stdin" } = options
    if (command === "") return yield* Effect.fail("it is empty")
    if (/[\0]|\{\{/.test(command)) return yield* Effect.fail(`${JSON.stringify(command)} cannot hold values`)
    if (command.includes("/") && !isAbsolute(command)) {
      return yield* Effect.fail(`"${command}" is relative; give an absolute path, or a name that is in PATH`)
    }
    if (!Number.isSafeInteger(maxOutputBytes) || maxOutputBytes < 1) {
      return yield* Effect.fail(`maxOutputBytes is ${maxOutputBytes}, but has to be a positive integer`)
    }
    const templates = yield* Effect.forEach(options.args ?? [], Template.parse)
    const mentioned = (name: Template.Placeholder) =>
      templates.some((template) => Template.mentions(template, name))
    if (prompt !== "file" && mentioned("promptFile")) {
      return yield* Effect.fail(`{{promptFile}} needs prompt: "file"`)
    }
    if (prompt === "argument" && !mentioned("input")) templates.push([{ name: "input", path: [] }])
    if (prompt === "file" && !mentioned("promptFile")) templates.push([{ name: "promptFile", path: [] }])
    return {
      command,
      templates,
      prompt,
      maxOutputBytes,
      cwd: options.cwd ?? "outputs",
      env: environment(options.env ?? {}),
      output: options.output ?? "text",
      escalation: { ...defaultEscalation, ...options.escalation },
      retryableExitCodes: options.retryableExitCodes ?? []
    }
  })

const fromWorkspace = (error: WorkspaceError | PathOutsideWorkspace) => failure("Failed", error.message)

const attemptName = (task: Agent.Task): string => `${task.stepId}/${task.index}-${task.attempt}`

/** A file in `state` that takes a whole stream; where it cannot be written any more, the stream is read on regardless. */
const openSink = (
  workspace: Workspace,
  path: string
): Effect.Effect<
  { readonly path: string; readonly write: (chunk: Uint8Array) => Promise<void> },
  Agent.AgentError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const absolute = yield* workspace.write("state", path, "")
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW
    const file: FileHandle = yield* Effect.acquireRelease(
      attempt("open", absolute, () => open(absolute, flags)),
      (handle) => Effect.promise(() => handle.close().catch(() => undefined))
    )
    let writable = true
    return {
      path: absolute,
      write: async (chunk: Uint8Array) => {
        if (!writable) return
        await file.appendFile(chunk).catch(() => {
          writable = false
        })
      }
    }
  }).pipe(Effect.mapError(fromWorkspace))

const directory = (workspace: Workspace, area: Area): Effect.Effect<string, Agent.AgentError> => {
  const path = join(workspace.root, area)
  return Effect.tryPromise({
    try: () => stat(path),
    catch: (error) =>
      failure("Failed", `A program cannot run in ${path}: ${reasonOf(error)}. It needs a workspace on disk`)
  }).pipe(Effect.as(path))
}

const withUsage = ({ kind, reason }: Agent.AgentError, reader: Reader): Agent.AgentError => {
  const usage = reader.usage()
  return new Agent.AgentError({ kind, reason, ...(usage === undefined ? {} : { usage }) })
}

const runOnce = (
  command: Command,
  task: Agent.Task,
  report: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, Agent.AgentError> =>
  Effect.gen(function* () {
    const { workspace } = task
    const prompt = Template.asText(task.input)
    const promptFile =
      command.prompt === "file"
        ? yield* Effect.mapError(
            workspace.write("temp", `prompts/${attemptName(task)}.txt`, prompt),
            fromWorkspace
          )
        : undefined
    const values: Template.Values = {
      input: task.input,
      item: task.item,
      index: task.index,
      total: task.total,
      attempt: task.attempt,
      skill: task.skill,
      runId: task.runId,
      stepId: task.stepId,
      idempotencyKey: task.idempotencyKey,
      workspace: workspace.root,
      state: workspace.stateDir,
      reports: workspace.reportsDir,
      outputs: workspace.outputsDir,
      temp: workspace.tempDir,
      promptFile
    }
    const args = yield* Effect.forEach(command.templates, (template) =>
      Effect.mapError(Template.render(template, values), (reason) => failure("InvalidInput", reason))
    )
    const reader = makeReader(command.output, command.maxOutputBytes, report)
    const complaint = makeTail(8192)
    const cwd = yield* directory(workspace, command.cwd)

    // Its release ends the whole group and reads both streams to their end, so the output is complete after it.
    const { exit, file } = yield* Effect.scoped(
      Effect.gen(function* () {
        const stdout = yield* openSink(workspace, `programs/${attemptName(task)}.stdout`)
        const stderr = yield* openSink(workspace, `programs/${attemptName(task)}.stderr`)
        const group = yield* start(
          {
            command: command.command,
            args,
            cwd,
            env: command.env,
            idempotencyKey: task.idempotencyKey,
            stdin: command.prompt === "stdin" ? prompt : undefined,
            onStdout: (chunk) => {
              reader.push(chunk)
              return stdout.write(chunk)
            },
            onStderr: (chunk) => {
              complaint.push(chunk)
              return stderr.write(chunk)
            }
          },
          workspace,
          command.escalation
        ).pipe(
          Effect.mapError((error) =>
            error._tag === "SpawnFailed" ? spawnError(command.command, error) : fromWorkspace(error)
          )
        )
        return { exit: yield* group.exit, file: stdout.path }
      })
    )

    const error = exitError(
      command.command,
      command.retryableExitCodes,
      exit,
      ending(complaint.text()) || reader.ending()
    )
    return error === undefined ? yield* reader.result(file) : yield* withUsage(error, reader)
  })

const findExecutable = (command: Command): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    const candidates = isAbsolute(command.command)
      ? [command.command]
      : (command.env.PATH ?? "/usr/bin:/bin").split(delimiter).map((path) => join(path, command.command))
    for (const candidate of candidates) {
      const found = await access(candidate, constants.X_OK).then(
        () => true,
        () => false
      )
      if (found) return true
    }
    return false
  })

/**
 * An agent that runs a program once per attempt, in the attempt's workspace, in a process group of its own. The attempt is
 * over when the whole group is: whatever the program leaves running is ended, also where it has left the group, after a
 * normal exit as on cancel, timeout and pause. What outlives a host that was killed is ended when its directory is opened
 * again. Both output streams are written to `state/programs/<step>/<index>-<attempt>.stdout` and `.stderr`, what a cancelled
 * program wrote included.
 *
 * A missing or unexecutable program is `NotFound` and not repeated, death by a signal `Crashed`, an exit code other than 0
 * `Failed` with the end of the standard error (or `Unavailable` where it is listed as retryable), and output that is not
 * what was declared `InvalidOutput`. Its health is `Unhealthy` while the program is not installed.
 *
 * @example
 * ```ts
 * import * as ProcessAgent from "@switchyard/node/ProcessAgent"
 *
 * export const counter = ProcessAgent.make("wc", {
 *   capabilities: [{ skill: "count-words" }],
 *   command: "wc",
 *   args: ["-w"]
 * })
 * ```
 */
export const make = (id: string, options: Options): Effect.Effect<Agent.Agent, InvalidCommand> =>
  Effect.map(
    Effect.mapError(parseCommand(options), (reason) => new InvalidCommand({ agentId: id, reason })),
    (command) =>
      Agent.make(id, {
        capabilities: options.capabilities,
        ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
        probe: Effect.map(
          findExecutable(command),
          (found): Agent.Health =>
            found
              ? { _tag: "Healthy" }
              : { _tag: "Unhealthy", error: `the program "${command.command}" is not installed` }
        ),
        run: (task) =>
          Stream.unwrapScoped(
            Effect.gen(function* () {
              // Progress is cumulative, so a consumer that lags loses nothing but the steps in between.
              const events = yield* Mailbox.make<Agent.AgentEvent, Agent.AgentError>({
                capacity: 64,
                strategy: "sliding"
              })
              const attempted = runOnce(command, task, (progress) => offerNow(events, progress))
              yield* Effect.forkScoped(
                Mailbox.into(
                  Effect.flatMap(attempted, (output) => events.offer(output)),
                  events
                )
              )
              return Mailbox.toStream(events)
            })
          )
      })
  )
