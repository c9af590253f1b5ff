import { isAbsolute } from "node:path"
import * as Agent from "@switchyard/core/Agent"
import type { CapabilityInput } from "@switchyard/core/Capability"
import { didYouMean } from "@switchyard/core/Nearest"
import type { Permission } from "@switchyard/core/Permission"
import * as Secrets from "@switchyard/core/Secrets"
import { type Area, unguarded } from "@switchyard/core/WorkspaceService"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Template from "./internal/argvTemplate.js"
import { offerNow } from "./internal/compat.js"
import { compileFailures, type FailureRules } from "./internal/failureRules.js"
import { type Escalation, start } from "./internal/processGroup.js"
import { outcome, replacedCharacters, timedOut } from "./internal/programEnd.js"
import { failure, spawnError } from "./internal/programFailure.js"
import { directoryOf, findExecutable, fromWorkspace, openSink } from "./internal/programFiles.js"
import { chooseModel, type Model, noModel, promptOf } from "./internal/programModels.js"
import { makeReader, type Reading } from "./internal/programOutput.js"
import { ending, makeTail } from "./internal/programTail.js"
import { compileRules } from "./internal/recordMapping.js"
import { confine, exitOf, type Sandboxed } from "./internal/sandbox.js"
import type { TerminalSize } from "./internal/terminal.js"
import * as Variables from "./internal/variables.js"
import type { Format, OutputMapping } from "./OutputMapping.js"

export type { Escalation } from "./internal/processGroup.js"
export type { Model } from "./internal/programModels.js"
export type { Sandboxed } from "./internal/sandbox.js"
export type { TerminalSize } from "./internal/terminal.js"

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
export interface Options extends Sandboxed {
  readonly capabilities: ReadonlyArray<CapabilityInput>
  readonly metadata?: Partial<Agent.Metadata>
  /** A name that is looked up in the program's `PATH`, or an absolute path; never a relative one, and never a shell line. */
  readonly command: string
  /**
   * The arguments, one per element. `{{input}}`, `{{input.some.field}}`, `{{prompt}}`, `{{model}}`, `{{item}}`, `{{index}}`,
   * `{{total}}`, `{{attempt}}`, `{{skill}}`, `{{runId}}`, `{{stepId}}`, `{{idempotencyKey}}`, `{{workspace}}`, `{{state}}`,
   * `{{reports}}`, `{{outputs}}`, `{{temp}}` and `{{promptFile}}` are replaced within an element, so that no value is ever
   * split or interpreted; a value that is not text is written as JSON, and `\{{` stands for two braces. Elements in a list of
   * their own are left out together where one of their placeholders has no value. Put `"--"` before a value that may begin
   * with a dash.
   */
  readonly args?: ReadonlyArray<string | ReadonlyArray<string>>
  /**
   * How the program gets its input: on its standard input (the default, for input of any size), as an argument (the default in
   * a terminal; appended where no element mentions `input` or `prompt`), or in a file (its path is appended where no element
   * mentions `promptFile`).
   */
  readonly prompt?: "argument" | "stdin" | "file"
  /** The field that holds the prompt in an input that is an object with such a text; otherwise all of the input is the prompt. */
  readonly promptField?: string
  /**
   * The models that it can use, by name; any without it. Where an element mentions `{{model}}`, an input that is an object may
   * name one in `model`, and otherwise the step in its constraint `model`.
   */
  readonly models?: Readonly<Record<string, Model>>
  /** The model where nobody names one; without it `{{model}}` has no value then. */
  readonly model?: string
  /** The directory of the workspace in which the program runs; `outputs` unless said otherwise. */
  readonly cwd?: Area
  /**
   * The whole environment: host variables passed on by name (`PATH` and `HOME` unless said otherwise), pairs to add as they
   * are (`set`), and pairs in which `${VAR}`, `${VAR:default}` and `${secret:NAME}` are replaced (`expand`); an attempt fails
   * without starting anything where one of them, or one of the `required` variables, has no value. `SWITCHYARD_WORKSPACE` and
   * `SWITCHYARD_ATTEMPT` are always there, because by them the program's processes are found when they are to end; a process
   * that clears them may be left behind. In a terminal there are `TERM` and `PWD`, too.
   */
  readonly env?: {
    readonly inherit?: ReadonlyArray<string>
    readonly set?: Readonly<Record<string, string>>
    readonly expand?: Readonly<Record<string, string>>
    readonly required?: ReadonlyArray<string>
  }
  /** Gives the secrets that `env.expand` names; there are none by default. */
  readonly secrets?: Secrets.Provider
  /** What a run has to grant the agent beside `Execute`. */
  readonly requires?: ReadonlyArray<Permission>
  /**
   * What the standard output is. `text` (the default) without the line ends at its end; `json`, one value; or `jsonl`, one
   * object per line: any number of `{progress, message, usage, remainingMillis}`, each reported at once, and a
   * `{result, usage}`, of which the last one counts. Lines that are no such object are left to the file. A `usage` has
   * `inputTokens`, `outputTokens`, `cachedTokens` and `costUsd` or `costMicroUsd`, counted from the start of the attempt. A
   * program with records of its own is described by a mapping.
   */
  readonly output?: Format | OutputMapping
  /** How long an attempt may take; after that it is ended as on cancel and is a `Timeout`. */
  readonly timeout?: Duration.DurationInput
  /** How the program is made to end; see `defaultEscalation`. */
  readonly escalation?: Partial<Escalation>
  /**
   * How many bytes of the standard output are held in memory, 1 MiB unless said otherwise. Longer text loses its beginning,
   * and says so; longer JSON is an error. The whole is in the `state` directory of the workspace in any case.
   */
  readonly maxOutputBytes?: number
  /** Exit codes that mean “try again later”, such as 75 (`EX_TEMPFAIL`). */
  readonly retryableExitCodes?: ReadonlyArray<number>
  /**
   * Runs the program in a terminal, for programs that insist on one: 80 columns and 24 rows, or a size. It needs `node-pty`,
   * and has no standard input. Both streams are one; control sequences are in the file, and not in what is read of it.
   */
  readonly terminal?: boolean | TerminalSize
}

/** SIGINT at once, SIGTERM 10 seconds later, SIGKILL 5 seconds after that; over as soon as nobody is left in the group. */
export const defaultEscalation: Escalation = {
  interruptAfter: 0,
  terminate: "10 seconds",
  kill: "5 seconds"
}

interface Command
  extends Required<Pick<Options, "command" | "prompt" | "cwd" | "retryableExitCodes" | "requires">> {
  readonly templates: ReadonlyArray<Template.Argument>
  readonly promptField: string | undefined
  readonly models: Options["models"]
  readonly model: string | undefined
  readonly surroundings: Variables.Surroundings
  readonly reading: Omit<Reading, "prices">
  readonly failures: FailureRules
  readonly timeout: Duration.Duration | undefined
  readonly escalation: Escalation
  readonly terminal: TerminalSize | undefined
  readonly sandboxed: Sandboxed
}

const sizeOf = (terminal: Options["terminal"]): TerminalSize | undefined =>
  terminal === undefined || terminal === false
    ? undefined
    : terminal === true
      ? { columns: 80, rows: 24 }
      : terminal

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0

/** The arguments, with what the prompt needs appended where nothing mentions it. */
const parseArguments = (
  { args = [] }: Options,
  prompt: Command["prompt"]
): Effect.Effect<ReadonlyArray<Template.Argument>, string> =>
  Effect.gen(function* () {
    const templates = yield* Effect.forEach(args, Template.parseArgument)
    const mentioned = (name: Template.Placeholder) =>
      templates.some((template) => Template.mentions(template, name))
    if (prompt !== "file" && mentioned("promptFile")) {
      return yield* Effect.fail(`{{promptFile}} needs prompt: "file"`)
    }
    if (prompt === "argument" && !mentioned("input") && !mentioned("prompt")) {
      return [...templates, [{ name: "prompt", path: [] }]]
    }
    if (prompt === "file" && !mentioned("promptFile"))
      return [...templates, [{ name: "promptFile", path: [] }]]
    return templates
  })

const parseCommand = (options: Options): Effect.Effect<Command, string> =>
  Effect.gen(function* () {
    const { command, env = {}, maxOutputBytes = 1024 * 1024, model, models } = options
    if (command === "") return yield* Effect.fail("it is empty")
    if (/[\0]|\{\{/.test(command)) return yield* Effect.fail(`${JSON.stringify(command)} cannot hold values`)
    if (command.includes("/") && !isAbsolute(command)) {
      return yield* Effect.fail(`"${command}" is relative; give an absolute path, or a name that is in PATH`)
    }
    if (!isCount(maxOutputBytes)) {
      return yield* Effect.fail(`maxOutputBytes is ${maxOutputBytes}, but has to be a positive integer`)
    }
    const terminal = sizeOf(options.terminal)
    if (terminal !== undefined && !(isCount(terminal.columns) && isCount(terminal.rows))) {
      return yield* Effect.fail("columns and rows of its terminal have to be positive integers")
    }
    const prompt = options.prompt ?? (terminal === undefined ? "stdin" : "argument")
    if (terminal !== undefined && prompt === "stdin") {
      return yield* Effect.fail(`there is no standard input in a terminal; use prompt: "argument" or "file"`)
    }
    if (models !== undefined && model !== undefined && !Object.hasOwn(models, model)) {
      const known = Object.keys(models)
      return yield* Effect.fail(`there is no model "${model}"${didYouMean(model, known)}`)
    }
    const output: OutputMapping =
      typeof options.output === "object" ? options.output : { format: options.output ?? "text" }
    return {
      command,
      templates: yield* parseArguments(options, prompt),
      prompt,
      promptField: options.promptField,
      models,
      model,
      cwd: options.cwd ?? "outputs",
      surroundings: {
        inherit: env.inherit ?? ["PATH", "HOME"],
        set: env.set ?? {},
        expand: yield* Effect.forEach(Object.entries(env.expand ?? {}), ([name, value]) =>
          Effect.map(Variables.parse(value), (parts) => [name, parts] as const)
        ),
        required: env.required ?? [],
        secrets: options.secrets ?? Secrets.none
      },
      reading: {
        format: output.format,
        limit: maxOutputBytes,
        rules: yield* compileRules(output),
        terminal: terminal !== undefined
      },
      failures: yield* compileFailures(output),
      timeout: options.timeout === undefined ? undefined : Duration.decode(options.timeout),
      escalation: { ...defaultEscalation, ...options.escalation },
      retryableExitCodes: options.retryableExitCodes ?? [],
      requires: options.requires ?? [],
      terminal,
      sandboxed: options
    }
  })

const attemptName = (task: Agent.Task): string => `${task.stepId}/${task.index}-${task.attempt}`

const notFound = (command: string): Agent.AgentError => spawnError(command, { code: "ENOENT", reason: "" })

const runOnce = (
  command: Command,
  task: Agent.Task,
  report: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, Agent.AgentError> =>
  Effect.gen(function* () {
    const { permissions } = task
    // What is kept of the program, and what it needs, are files of the host.
    const workspace = unguarded(task.workspace)
    for (const permission of ["Execute", ...command.requires] as const) {
      yield* permissions.require(permission, `run the program "${command.command}"`)
    }
    const env = yield* Variables.resolve(command.surroundings)
    const model = command.templates.some((each) => Template.mentions(each, "model"))
      ? yield* chooseModel(command.models, command.model, task.input, task.constraints?.model)
      : noModel
    const prompt = Template.asText(promptOf(task.input, command.promptField))
    const promptFile =
      command.prompt === "file"
        ? yield* Effect.mapError(
            workspace.write("temp", `prompts/${attemptName(task)}.txt`, prompt),
            fromWorkspace
          )
        : undefined
    const values = { ...Template.valuesOf(task), prompt, promptFile, model: model.argument }
    const args = yield* Effect.mapError(Template.renderAll(command.templates, values), (reason) =>
      failure("InvalidInput", reason)
    )
    const cwd = yield* directoryOf(workspace, command.cwd)
    const path =
      command.terminal === undefined ? command.command : yield* findExecutable(command.command, env)
    if (path === undefined) return yield* notFound(command.command)
    const given = promptFile === undefined ? [] : [promptFile]
    const program = yield* confine({ command: path, args, cwd, env }, task, { ...command.sandboxed, given })

    const reader = makeReader({ ...command.reading, prices: model.prices }, report)
    const complaint = makeTail(8192)
    const { secrets } = command.surroundings
    // Its release ends the whole group and reads both streams to their end, so the output is complete after it.
    const running = Effect.scoped(
      Effect.gen(function* () {
        const stdout = yield* openSink(workspace, `programs/${attemptName(task)}.stdout`, secrets)
        const stderr = yield* openSink(workspace, `programs/${attemptName(task)}.stderr`, secrets)
        const group = yield* start(
          {
            ...program,
            ...(command.terminal === undefined ? {} : { terminal: command.terminal }),
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
        return { exit: exitOf(program, yield* group.exit), file: stdout.path }
      })
    )
    const ended =
      command.timeout === undefined
        ? yield* Effect.asSome(running)
        : yield* Effect.timeoutOption(running, command.timeout)
    reader.end()
    const said = ending(complaint.text())
    if (ended._tag === "None") {
      return yield* timedOut(command.command, Duration.format(command.timeout ?? 0), reader, said)
    }
    const { exit, file } = ended.value
    const { command: name, failures, retryableExitCodes } = command
    const output = yield* outcome({
      command: name,
      exit,
      reader,
      file,
      complaint: said,
      retryableExitCodes,
      failures
    })
    if (reader.replaced()) report(Agent.progress({ message: replacedCharacters(file) }))
    return output
  })

/** What can be known of an agent's health without starting anything: its variables, its secrets, and its program. */
const probe = (command: Command): Effect.Effect<Agent.Health> =>
  Effect.matchEffect(Variables.resolve(command.surroundings), {
    onFailure: ({ message }) => Effect.succeed<Agent.Health>({ _tag: "Unhealthy", error: message }),
    onSuccess: (env) =>
      Effect.map(
        findExecutable(command.command, env),
        (path): Agent.Health =>
          path === undefined
            ? { _tag: "Unhealthy", error: `the program "${command.command}" is not installed` }
            : { _tag: "Healthy" }
      )
  })

/**
 * An agent that runs a program once per attempt, in the attempt's workspace, in a process group of its own. The attempt is
 * over when the whole group is: whatever the program leaves running is ended, also where it has left the group, after a
 * normal exit as on cancel, timeout and pause. What outlives a host that was killed is ended when its directory is opened
 * again. Both output streams are written to `state/programs/<step>/<index>-<attempt>.stdout` and `.stderr`, what a cancelled
 * program wrote included.
 *
 * A missing or unexecutable program and a missing variable are `NotFound` and not repeated, death by a signal `Crashed`, an
 * exit code other than 0 `Failed` with the end of the standard error (or `Unavailable` where it is listed as retryable, or
 * what the rules of its output say), and output that is not what was declared `InvalidOutput`. Nothing is started where the
 * run does not grant `Execute`. Its health is `Unhealthy` while the program is not installed or has not what it needs.
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
        probe: probe(command),
        requires: ["Execute", ...command.requires],
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
