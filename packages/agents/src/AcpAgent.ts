import { join } from "node:path"
import { type AnyMessage, PROTOCOL_VERSION, type PromptResponse } from "@agentclientprotocol/sdk"
import * as Agent from "@switchyard/core/Agent"
import type { CapabilityInput } from "@switchyard/core/Capability"
import * as Secrets from "@switchyard/core/Secrets"
import * as Subprocess from "@switchyard/node/Subprocess"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { connect, fromRefusal, type Inbox } from "./internal/acpConnection.js"
import { makeRequests } from "./internal/acpRequests.js"
import { makeTurn, type Turn } from "./internal/acpTurn.js"
import { failure, streamed, whenInterrupted } from "./internal/attempt.js"
import { makeLines, objectIn } from "./internal/lines.js"
import { within } from "./internal/workerConnection.js"

/** A command that cannot be run as it is written; it is found when the agent is made, not when a run needs it. */
export class InvalidAcpAgent extends Schema.TaggedError<InvalidAcpAgent>()("InvalidAcpAgent", {
  agentId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The ACP agent "${this.agentId}" cannot be run: ${this.reason}`
  }
}

/** A program that speaks the Agent Client Protocol, as an agent. */
export interface Options extends Subprocess.Command {
  readonly capabilities: ReadonlyArray<CapabilityInput>
  readonly metadata?: Partial<Agent.Metadata>
  /** Gives the secrets that `env.secrets` names. */
  readonly secrets?: Secrets.Provider
  /** What stands before the input in the prompt. */
  readonly instructions?: string
  /** The mode of the session, by the id that the agent has for it; its own default unless said otherwise. */
  readonly mode?: string
  /** How this host authenticates itself, by an id that the agent names; agents that are logged in need nothing. */
  readonly authMethod?: string
  /**
   * What is answered when the agent asks whether it may use a tool, in a run that restricts nothing: `allow` unless said
   * otherwise. In a run that does restrict, the run's permissions are the answer. Nobody is ever asked.
   */
  readonly unattended?: "allow" | "deny"
  /** How long the agent may take to open a session, one minute unless said otherwise. */
  readonly startTimeout?: Duration.DurationInput
  /** How long the agent may say nothing while it works, 10 minutes unless said otherwise; then the attempt is a `Timeout`. */
  readonly stallTimeout?: Duration.DurationInput
  /** How long the agent may take to stop when it is told to, before its program is ended, 5 seconds unless said otherwise. */
  readonly cancelTimeout?: Duration.DurationInput
  /** How many characters of the agent's text are held, 1,048,576 unless said otherwise; longer text loses its beginning, and says so. */
  readonly maxOutputCharacters?: number
  /** How long a message may be in bytes, 32 MiB unless said otherwise. */
  readonly maxMessageBytes?: number
}

interface Settings {
  readonly start: number
  readonly stall: number
  readonly cancel: number
  readonly maxText: number
  readonly maxMessage: number
}

const settingsOf = (options: Options): Settings => ({
  start: Duration.toMillis(options.startTimeout ?? "1 minute"),
  stall: Duration.toMillis(options.stallTimeout ?? "10 minutes"),
  cancel: Duration.toMillis(options.cancelTimeout ?? "5 seconds"),
  maxText: options.maxOutputCharacters ?? 1024 * 1024,
  maxMessage: options.maxMessageBytes ?? 32 * 1024 * 1024
})

/** A promise of the connection, or the end of the program, whichever comes first. */
type Ask = <A>(what: string, promise: () => Promise<A>) => Effect.Effect<A, Agent.AgentError>

/** Fails when nothing was heard for as long as an agent may be silent. */
const watch = (wasHeard: () => boolean, stall: number): Effect.Effect<never, Agent.AgentError> =>
  Effect.gen(function* () {
    let quiet = 0
    while (quiet < 4) {
      yield* Effect.sleep(stall / 4)
      quiet = wasHeard() ? 0 : quiet + 1
    }
    return yield* failure("Timeout", `The agent said nothing for ${stall} ms`)
  })

const resultOf = (answer: PromptResponse, turn: Turn): Effect.Effect<Agent.Output, Agent.AgentError> => {
  const usage = turn.usage(answer)
  const { stopReason } = answer
  const failed = (kind: Agent.AgentErrorKind, reason: string) =>
    Effect.fail(new Agent.AgentError({ kind, reason, ...(usage === undefined ? {} : { usage }) }))
  switch (stopReason) {
    case "end_turn":
      return Effect.succeed(Agent.output({ text: turn.text(), stopReason }, usage))
    case "max_tokens":
      return failed("ContextTooLong", "The agent reached the most tokens that it may use before it was done")
    case "max_turn_requests":
      return failed(
        "Failed",
        "The agent reached the most requests that it may make in a turn before it was done"
      )
    case "refusal":
      return failed("Failed", `The agent refuses to go on: ${turn.text().slice(-2000)}`)
    default:
      return failed("Failed", `The agent stopped with the reason "${String(stopReason)}"`)
  }
}

const promptOf = ({ instructions }: Options, { input }: Agent.Task): string => {
  const text = typeof input === "string" ? input : JSON.stringify(input, null, 2)
  return instructions === undefined ? text : `${instructions}\n\n${text}`
}

interface Session {
  readonly agent: Effect.Effect.Success<ReturnType<typeof connect>>["agent"]
  readonly sessionId: string
  readonly ask: Ask
}

const openSession = (
  options: Options,
  agent: Session["agent"],
  ask: Ask,
  task: Agent.Task,
  cwd: string
): Effect.Effect<Session, Agent.AgentError> =>
  Effect.gen(function* () {
    const { allows } = task.permissions
    const { protocolVersion } = yield* ask("initialize", () =>
      agent.request("initialize", {
        protocolVersion: PROTOCOL_VERSION,
        clientInfo: { name: "switchyard", version: "1" },
        clientCapabilities: {
          fs: { readTextFile: allows("ReadFiles"), writeTextFile: allows("WriteFiles") },
          terminal: false
        }
      })
    )
    if (protocolVersion !== PROTOCOL_VERSION)
      return yield* failure(
        "Failed",
        `The agent speaks version ${protocolVersion} of the Agent Client Protocol, and this host version ${PROTOCOL_VERSION}; ` +
          "use a version of the agent that speaks the same"
      )
    const { authMethod, mode } = options
    if (authMethod !== undefined)
      yield* ask("authenticate", () => agent.request("authenticate", { methodId: authMethod }))
    const { sessionId } = yield* ask("session/new", () =>
      agent.request("session/new", { cwd, mcpServers: [] })
    )
    if (mode !== undefined)
      yield* ask("session/set_mode", () => agent.request("session/set_mode", { sessionId, modeId: mode }))
    return { agent, sessionId, ask }
  })

const attempt = (
  id: string,
  options: Options,
  settings: Settings,
  task: Agent.Task,
  report: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, Agent.AgentError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* task.permissions.require("Execute", `to start the program of the agent "${id}"`)
    const turn = makeTurn(settings.maxText, report)
    const broken = yield* Deferred.make<never, Agent.AgentError>()
    const cwd = join(task.workspace.root, options.cwd ?? "outputs")
    let heard = false
    let inbox: Inbox | undefined
    const lines = makeLines(
      settings.maxMessage,
      (line) => {
        const message = objectIn(line)
        // Programs print banners and warnings between their messages.
        if (message?.jsonrpc !== "2.0") return
        heard = true
        if (message.method === "session/update") turn.update(message.params)
        // The library complains of notifications that it does not know on the standard error of the host.
        if (message.id === undefined) return
        inbox?.deliver(message as AnyMessage)
      },
      () =>
        Effect.runSync(
          Deferred.fail(
            broken,
            failure("InvalidOutput", `The agent sent a message of more than ${settings.maxMessage} bytes`)
          )
        )
    )
    const program = yield* Subprocess.start(options, {
      workspace: task.workspace,
      permissions: task.permissions,
      idempotencyKey: task.idempotencyKey,
      name: `${task.stepId}/${task.index}-${task.attempt}`,
      secrets: options.secrets ?? Secrets.none,
      onStdout: async (chunk) => lines.push(chunk)
    })
    const requests = makeRequests({ task, cwd, turn, report, unattended: options.unattended ?? "allow" })
    const connection = yield* connect(program, requests)
    inbox = connection.inbox
    const over = Effect.raceFirst(program.ended, Deferred.await(broken))
    const ask: Ask = (what, promise) =>
      Effect.raceFirst(Effect.tryPromise({ try: promise, catch: fromRefusal(what) }), over)

    const { agent, sessionId } = yield* openSession(options, connection.agent, ask, task, cwd).pipe(
      within(settings.start, () =>
        failure(
          "Timeout",
          `The agent did not open a session within ${settings.start} ms; it said:\n${program.complaint()}`
        )
      )
    )
    const prompt = agent.request("session/prompt", {
      sessionId,
      prompt: [{ type: "text", text: promptOf(options, task) }]
    })
    prompt.catch(() => undefined)
    const cancel = Effect.promise(() => agent.notify("session/cancel", { sessionId })).pipe(
      Effect.zipRight(ask("session/cancel", () => prompt)),
      Effect.timeoutOption(settings.cancel),
      Effect.ignore
    )
    const wasHeard = () => {
      const was = heard
      heard = false
      return was
    }
    const answer = yield* ask("session/prompt", () => prompt).pipe(
      Effect.raceFirst(watch(wasHeard, settings.stall)),
      whenInterrupted(cancel)
    )
    return yield* resultOf(answer, turn)
  })

/**
 * An agent that speaks the Agent Client Protocol: for each attempt its program is started in the workspace, opens one session,
 * is given the input as the prompt, and is ended. What it writes, which tools it uses and how far its plan is are progress; the
 * output is `{ text, stopReason }`. It reads and writes files of the workspace only, where the run lets it, and is offered no
 * terminal. Whether it may use a tool is answered from the run's permissions: reading and searching need `ReadFiles`, changes
 * `WriteFiles`, commands `Execute`, fetching `Network`, anything else the tool by its name; a change outside of the workspace
 * is always refused.
 *
 * A program that ends before its answer is `Crashed`, one that is silent for too long a `Timeout`, a protocol version that does
 * not fit `Failed`, and a message that is too long or not what the protocol says `InvalidOutput`. A cancellation tells the
 * agent first, and then ends its program.
 *
 * @example
 * ```ts
 * import * as AcpAgent from "@switchyard/agents/AcpAgent"
 *
 * export const coder = AcpAgent.make("gemini", {
 *   capabilities: [{ skill: "coding" }],
 *   command: "gemini",
 *   args: ["--acp"],
 *   env: { secrets: { GEMINI_API_KEY: "GEMINI_API_KEY" } }
 * })
 * ```
 */
export const make = (id: string, options: Options): Effect.Effect<Agent.Agent, InvalidAcpAgent> =>
  Effect.suspend(() => {
    const settings = settingsOf(options)
    const reason =
      Subprocess.problemOf(options) ??
      (settings.maxText > 0 && settings.maxMessage > 0 ? undefined : "the limits have to be positive")
    if (reason !== undefined) return new InvalidAcpAgent({ agentId: id, reason })
    return Effect.succeed(
      Agent.make(id, {
        capabilities: options.capabilities,
        ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
        requires: ["Execute"],
        probe: Effect.map(
          Subprocess.isInstalled(options),
          (installed): Agent.Health =>
            installed
              ? { _tag: "Healthy" }
              : { _tag: "Unhealthy", error: `the program "${options.command}" is not installed` }
        ),
        run: (task) => streamed((report) => Effect.scoped(attempt(id, options, settings, task, report)))
      })
    )
  })
