import { createHash } from "node:crypto"
import { hostname } from "node:os"
import * as Agent from "@switchyard/core/Agent"
import type { CapabilityInput } from "@switchyard/core/Capability"
import { RunId } from "@switchyard/core/Ids"
import { didYouMean } from "@switchyard/core/Nearest"
import * as Secrets from "@switchyard/core/Secrets"
import { WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import * as Subprocess from "@switchyard/node/Subprocess"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { failure, streamed } from "./internal/attempt.js"
import { connect } from "./internal/httpWorker.js"
import { startWorker } from "./internal/stdioWorker.js"
import { type Patience, type WorkerConnection, within } from "./internal/workerConnection.js"
import { makePool, type Place, type WorkerPool } from "./internal/workerPool.js"
import type { InitializeResult, RunParams } from "./RemoteProtocol.js"
import * as Protocol from "./RemoteProtocol.js"

/** A worker that cannot be used as it is written; it is found when the agent is made, not when a run needs it. */
export class InvalidWorker extends Schema.TaggedError<InvalidWorker>()("InvalidWorker", {
  agentId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The worker of the agent "${this.agentId}" cannot be used: ${this.reason}`
  }
}

/** A worker that is a program, started for the work of each run in its workspace, and spoken to over its standard streams. */
export interface Program extends Subprocess.Command {
  readonly url?: never
}

/** A worker that runs somewhere, behind a URL. */
export interface Service {
  /** Where it takes requests; `https` outside of this machine and its network. */
  readonly url: string
  /** The name of the secret that is sent as the bearer token. */
  readonly token?: string
  readonly command?: never
}

/** How a worker is reached and how long it is waited for. */
export interface Connection {
  readonly worker: Program | Service
  /** Where the token, and the secrets of a program's environment, come from. */
  readonly secrets?: Secrets.Provider
  /** How often both sides say that they are alive, 5 seconds unless said otherwise; three missing ones in a row are death. */
  readonly heartbeat?: Duration.DurationInput
  /** How long the worker may take to come up and to answer a ping, 30 seconds unless said otherwise. */
  readonly startTimeout?: Duration.DurationInput
  /** How long work may take to stop when it is cancelled, 10 seconds unless said otherwise. */
  readonly cancelTimeout?: Duration.DurationInput
  /** How long a broken connection to a URL is sought again, 30 seconds unless said otherwise. */
  readonly reconnectTimeout?: Duration.DurationInput
  /** How long a message may be in bytes, 16 MiB unless said otherwise. */
  readonly maxMessageBytes?: number
  /** Whether the worker is told where the files of the run are: a program is unless said otherwise, a URL is not. */
  readonly shareWorkspace?: boolean
}

/** An agent of a worker as an agent of this host. */
export interface Options extends Connection {
  readonly capabilities: ReadonlyArray<CapabilityInput>
  readonly metadata?: Partial<Agent.Metadata>
  /** The name that the worker has for the agent; the id unless said otherwise. */
  readonly agent?: string
  /** How long one attempt may take; the worker is told, and what takes longer is cancelled and a `Timeout`. */
  readonly timeout?: Duration.DurationInput
}

/** What all agents of one worker share. */
interface Worker {
  readonly options: Connection
  readonly patience: Patience
  readonly shares: boolean
  readonly requires: "Execute" | "Network"
  readonly connection: (place: Place) => Effect.Effect<WorkerConnection, Agent.AgentError, Scope.Scope>
  readonly probe: Effect.Effect<Agent.Health>
}

const patienceOf = (options: Connection): Patience => ({
  heartbeat: Duration.toMillis(options.heartbeat ?? "5 seconds"),
  start: Duration.toMillis(options.startTimeout ?? "30 seconds"),
  cancel: Duration.toMillis(options.cancelTimeout ?? "10 seconds"),
  reconnect: Duration.toMillis(options.reconnectTimeout ?? "30 seconds"),
  maxMessageBytes: options.maxMessageBytes ?? 16 * 1024 * 1024
})

const problemOfUrl = (url: string): string | undefined => {
  if (!URL.canParse(url)) return `"${url}" is not a URL`
  const { password, protocol, username } = new URL(url)
  if (protocol !== "http:" && protocol !== "https:") return `the URL has to begin with http:// or https://`
  if (username !== "" || password !== "") return "a URL must not hold credentials; name a secret as the token"
  return undefined
}

const problemOf = (options: Connection): string | undefined => {
  const { maxMessageBytes = 1 } = options
  if (!Number.isSafeInteger(maxMessageBytes) || maxMessageBytes < 1)
    return `maxMessageBytes is ${maxMessageBytes}, but has to be a positive integer`
  if (Duration.toMillis(options.heartbeat ?? 1) < 1) return "the heartbeat has to be longer than nothing"
  return options.worker.url === undefined
    ? Subprocess.problemOf(options.worker)
    : problemOfUrl(options.worker.url)
}

const healthOf = (asked: Effect.Effect<unknown, Agent.AgentError>): Effect.Effect<Agent.Health> =>
  Effect.match(asked, {
    onFailure: ({ reason }): Agent.Health => ({ _tag: "Unhealthy", error: reason }),
    onSuccess: (): Agent.Health => ({ _tag: "Healthy" })
  })

const probeProgram = (program: Program, pool: WorkerPool): Effect.Effect<Agent.Health> =>
  Effect.flatMap(pool.running, ([running]) =>
    running === undefined
      ? Effect.map(
          Subprocess.isInstalled(program),
          (installed): Agent.Health =>
            installed
              ? { _tag: "Healthy" }
              : { _tag: "Unhealthy", error: `the program "${program.command}" is not installed` }
        )
      : healthOf(running.ping)
  )

const workerOf = (name: string, options: Connection): Worker => {
  const patience = patienceOf(options)
  const secrets = options.secrets ?? Secrets.none
  const { worker } = options
  if (worker.url !== undefined) {
    const { token, url } = worker
    const connection = connect({ url, token, secrets, maxMessageBytes: patience.maxMessageBytes }, patience)
    return {
      options,
      patience,
      shares: options.shareWorkspace ?? false,
      requires: "Network",
      connection: () => Effect.succeed(connection),
      probe: healthOf(connection.ping)
    }
  }
  const pool = makePool((place) => startWorker({ ...place, command: worker, name, secrets, patience }))
  return {
    options,
    patience,
    shares: options.shareWorkspace ?? true,
    requires: "Execute",
    connection: pool.get,
    probe: probeProgram(worker, pool)
  }
}

/** Keys of different directories and hosts are different, because a worker may serve many of both. */
const keyOf = ({ idempotencyKey, workspace }: Agent.Task): string => {
  const place = createHash("sha256").update(`${hostname()}\0${workspace.root}`).digest("hex")
  return `${place.slice(0, 16)}/${idempotencyKey}`
}

const paramsOf = (
  agent: string,
  task: Agent.Task,
  { patience, shares }: Worker,
  deadlineMillis: number | null
): RunParams => {
  const { workspace } = task
  return {
    agent,
    idempotencyKey: keyOf(task),
    runId: task.runId,
    stepId: task.stepId,
    skill: task.skill ?? null,
    item: task.item,
    index: task.index,
    total: task.total,
    attempt: task.attempt,
    input: task.input,
    deadlineMillis,
    permissions: task.permissions.granted ?? null,
    workspace: shares
      ? {
          root: workspace.root,
          state: workspace.stateDir,
          reports: workspace.reportsDir,
          outputs: workspace.outputsDir,
          temp: workspace.tempDir
        }
      : null,
    heartbeatMillis: patience.heartbeat,
    detachMillis: patience.reconnect
  }
}

const offered = (
  agent: string,
  { agents, worker }: InitializeResult
): Effect.Effect<void, Agent.AgentError> => {
  const names = agents.map(({ name }) => name)
  return names.includes(agent)
    ? Effect.void
    : failure(
        "NotFound",
        `The worker "${worker.name}" has no agent "${agent}"${didYouMean(agent, names)} (it has ${names.join(", ") || "none"})`
      )
}

const makeOf = (id: string, worker: Worker, options: Omit<Options, keyof Connection>): Agent.Agent => {
  const name = options.agent ?? id
  const deadline = options.timeout === undefined ? null : Duration.toMillis(options.timeout)
  const attempt = (task: Agent.Task, report: (progress: Agent.Progress) => void) =>
    Effect.gen(function* () {
      yield* task.permissions.require(worker.requires, `to give work to the worker of the agent "${id}"`)
      const connection = yield* worker.connection(task)
      yield* offered(name, yield* connection.initialized)
      const params = paramsOf(name, task, worker, deadline)
      const running = connection.run(params, report)
      const { output, usage } = yield* deadline === null
        ? running
        : within(deadline, () => failure("Timeout", `it took longer than ${deadline} ms`))(running)
      return Agent.output(output, usage === undefined ? undefined : Protocol.toUsage(usage))
    }).pipe(Effect.scoped)
  return Agent.make(id, {
    capabilities: options.capabilities,
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    requires: [worker.requires],
    probe: worker.probe,
    run: (task) => streamed((report) => attempt(task, report))
  })
}

const checked = (id: string, options: Connection): Effect.Effect<Worker, InvalidWorker> =>
  Effect.suspend(() => {
    const reason = problemOf(options)
    return reason === undefined
      ? Effect.succeed(workerOf(id.replaceAll(/[^\w.-]/g, "_"), options))
      : new InvalidWorker({ agentId: id, reason })
  })

/**
 * An agent of a worker in any language, which speaks `RemoteProtocol` over its standard streams or over HTTP. All attempts of a
 * run share one program, and all attempts of a host one URL, as many at a time as there are.
 *
 * A program is started for the first attempt of a run and ended with the last one, everything it started included; one that
 * dies, or is silent for three heartbeats, is `Crashed` for all attempts that it had, and started anew for the next one. A
 * connection to a URL that breaks is sought again, and the work asked for by its key, so that it is not done twice. Cancelled
 * work is waited for; a program that goes on with it is ended.
 *
 * @example
 * ```ts
 * import * as RemoteAgent from "@switchyard/agents/RemoteAgent"
 *
 * export const counter = RemoteAgent.make("count-words", {
 *   capabilities: [{ skill: "count-words" }],
 *   worker: { command: "python3", args: ["/srv/worker.py"] }
 * })
 * ```
 */
export const make = (id: string, options: Options): Effect.Effect<Agent.Agent, InvalidWorker> =>
  Effect.map(checked(id, options), (worker) => makeOf(id, worker, options))

/** Where a program is started that is only asked what it has. */
const somewhere = Effect.flatMap(WorkspaceService, (service) =>
  service.create(RunId.make("discovery"), null)
).pipe(Effect.mapError((error) => failure("Failed", error.message)))

/**
 * Every agent that a worker has, with the capabilities that it says they have, under the ids that `idOf` gives to their names
 * (the names themselves unless said otherwise). The worker is asked once, now.
 */
export const discover = (
  options: Connection & { readonly idOf?: (name: string) => string }
): Effect.Effect<ReadonlyArray<Agent.Agent>, InvalidWorker | Agent.AgentError> =>
  Effect.gen(function* () {
    const { idOf = (name: string) => name } = options
    const worker = yield* checked("discovery", options)
    const { agents } = yield* Effect.flatMap(somewhere, (workspace) =>
      worker.connection({ workspace, permissions: Agent.unrestricted })
    ).pipe(
      Effect.flatMap((connection) => connection.initialized),
      Effect.scoped,
      Effect.provide(DirectoryWorkspace.layerTemp()),
      Effect.catchTag("WorkspaceError", (error) => failure("Failed", error.message))
    )
    return agents.map(({ capabilities, description, name, version }) =>
      makeOf(idOf(name), worker, {
        agent: name,
        capabilities: capabilities as ReadonlyArray<CapabilityInput>,
        metadata: {
          name,
          ...(description === undefined ? {} : { description }),
          ...(version === undefined ? {} : { version })
        }
      })
    )
  })
