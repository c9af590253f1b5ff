import * as path from "node:path"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Distributor from "@switchyard/core/Distributor"
import {
  EventLog,
  type EventReader,
  type LogDamaged,
  type LogWriteFailed,
  withoutSecrets
} from "@switchyard/core/EventLog"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import type { QueryService } from "@switchyard/core/QueryService"
import { HostSecrets, none, type Provider } from "@switchyard/core/Secrets"
import type { Retention, WorkspaceError, WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as AgentDirectory from "./AgentDirectory.js"
import * as AgentFile from "./AgentFile.js"
import { AgentHistories } from "./AgentHistories.js"
import type { InvalidAgent } from "./AgentKind.js"
import { type AgentOffer, made } from "./AgentOffer.js"
import * as DataDirectory from "./DataDirectory.js"
import * as DirectoryWorkspace from "./DirectoryWorkspace.js"
import * as History from "./History.js"
import * as Host from "./Host.js"
import { catchAll } from "./internal/compat.js"
import { endOrphans } from "./internal/orphans.js"
import { HostSandbox, makeHostSandbox, type Mode as Sandbox } from "./internal/sandbox.js"
import { reportUnknown } from "./internal/unknownWorkspaces.js"
import * as JsonlEventLog from "./JsonlEventLog.js"
import * as JsonlEventReader from "./JsonlEventReader.js"
import type { InvalidCommand } from "./ProcessAgent.js"
import * as SqliteIndex from "./SqliteIndex.js"

/** How a host embeds Switchyard: the directory is all that is needed. */
export interface Options extends ControlPlane.Options {
  /** Where everything is kept: `log/`, `index.sqlite` and `workspaces/`; it is created, and one process may hold it at a time. */
  readonly directory: string
  /** The agents that are there from the start, those that `ProcessAgent.make` and its like give included; others can come later. */
  readonly agents?: ReadonlyArray<AgentOffer>
  /**
   * Agents from files: those of a directory, which are there before anything runs and are kept to what it says, and the kinds
   * that files may describe, also those that `AgentDirectory.load` reads.
   */
  readonly agentFiles?: Omit<AgentDirectory.Options, "directory"> & { readonly directory?: string }
  /** How the registry matches types, opens circuits and asks agents how they are. */
  readonly registry?: Omit<AgentRegistry.LayerOptions, "agents">
  /** What becomes of workspaces when their runs end; everything is kept by default. */
  readonly retention?: Partial<Retention>
  /** Whether runs that a crash or a stop interrupted go on when the directory is opened; they do by default. */
  readonly recover?: boolean
  /**
   * How long programs that a killed host left running may take to end after SIGTERM before they get SIGKILL, when the
   * directory is opened; 2 seconds by default. They are ended before anything is recovered, also with `recover: false`.
   */
  readonly orphanGrace?: Duration.DurationInput
  /** How much is kept of runs that have ended; everything by default. */
  readonly history?: History.Policy
  /**
   * Gives secrets to the agents that name them. Whatever it has given is kept out of the log, the index, the result of a run
   * and the output of programs that is kept. Give the same one to agents that are made with one of their own.
   */
  readonly secrets?: Provider
  /**
   * Whether programs are started in a sandbox by runs that restrict what their agents do: `auto` (the default) where
   * bubblewrap is installed and with a warning otherwise, `require` or not at all, `off` never.
   */
  readonly sandbox?: Sandbox
  /** How the event log is laid out. */
  readonly log?: Omit<JsonlEventLog.Options, "directory">
}

/** Everything that a host can use. */
export type Services =
  | ControlPlane.ControlPlane
  | Orchestrator.Orchestrator
  | Distributor.Distributor
  | AgentRegistry.AgentRegistry
  | AgentDirectory.AgentDirectory
  | WorkspaceService
  | QueryService
  | EventLog
  | History.History

/** Why a directory could not be opened; nothing was changed then. */
export type OpenError =
  | DataDirectory.DirectoryInUse
  | DataDirectory.DirectoryUnusable
  | LogDamaged
  | LogWriteFailed
  | WorkspaceError
  | AgentRegistry.AgentRejected
  | AgentFile.AgentFileUnreadable
  | InvalidAgent
  | InvalidCommand

const agentDirectory = ({ directory, ...options }: NonNullable<Options["agentFiles"]>) =>
  directory === undefined
    ? AgentDirectory.layerOnDemand(options)
    : AgentDirectory.layer({ ...options, directory })

/**
 * Everything wired on one directory. When the layer's scope closes, runs under way are suspended and go on when the
 * directory is opened again.
 *
 * @example
 * ```ts
 * import * as Switchyard from "@switchyard/node/Switchyard"
 *
 * export const live = Switchyard.layer({ directory: ".switchyard", agents: [] })
 * ```
 */
export const layer = (options: Options): Layer.Layer<Services, OpenError> => {
  const directory = path.resolve(options.directory)
  const held = Layer.scopedDiscard(
    Effect.zipRight(DataDirectory.create(directory), DataDirectory.lock(directory))
  )
  const { agents = [], recover = true } = options
  const control = ControlPlane.layer(options)
  const recovery = recover
    ? Layer.effectDiscard(Effect.flatMap(ControlPlane.ControlPlane, (plane) => plane.recover))
    : Layer.empty
  const workspaces = path.join(directory, "workspaces")
  const log = path.join(directory, "log")
  const index = path.join(directory, "index.sqlite")
  const secrets = options.secrets ?? none
  const agentFiles = { secrets, ...options.agentFiles }
  const eventLog = Layer.map(JsonlEventLog.layer({ ...options.log, directory: log }), (context) =>
    Context.add(context, EventLog, withoutSecrets(Context.get(context, EventLog), secrets))
  )
  const leftBehind = Layer.scopedDiscard(
    Effect.gen(function* () {
      const { unfinished } = yield* EventLog
      const runs = (yield* unfinished).map(({ runId }) => runId)
      yield* endOrphans({ workspaces, runs, grace: options.orphanGrace ?? "2 seconds" })
      yield* reportUnknown(workspaces, path.join(log, "archive"))
    })
  )
  const histories = Layer.scopedDiscard(
    Effect.gen(function* () {
      const { atOpening } = yield* AgentHistories
      const registry = yield* AgentRegistry.AgentRegistry
      yield* Effect.flatMap(atOpening, registry.recall).pipe(
        catchAll(({ message }) =>
          Effect.logWarning(`What agents did before is not known to the registry. ${message}`)
        ),
        Effect.forkScoped
      )
    })
  )
  return recovery.pipe(
    Layer.provideMerge(histories),
    Layer.provideMerge(control),
    Layer.provideMerge(leftBehind),
    Layer.provideMerge(Distributor.layerDirect),
    Layer.provideMerge(Orchestrator.layer),
    Layer.provideMerge(agentDirectory(agentFiles)),
    Layer.provideMerge(
      History.layer({
        log,
        index,
        ...(options.history === undefined ? {} : { policy: options.history })
      })
    ),
    Layer.provideMerge(SqliteIndex.layer({ filename: index })),
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.succeed(HostSecrets, secrets),
        Layer.succeed(HostSandbox, makeHostSandbox(options.sandbox ?? "auto", [directory])),
        Layer.provideMerge(
          Layer.unwrapEffect(
            Effect.map(Effect.forEach(agents, made), (all) =>
              AgentRegistry.layer({ remake: AgentFile.remake(agentFiles), ...options.registry, agents: all })
            )
          ),
          eventLog
        ),
        DirectoryWorkspace.layer({
          directory: workspaces,
          ...(options.retention === undefined ? {} : { retention: options.retention })
        })
      )
    ),
    Layer.provide(held)
  )
}

/**
 * What a process can use that looks at a directory while another one works on it, or while none does: the read side and the
 * live log. It creates and changes nothing, and any number of processes may do so.
 *
 * @example
 * ```ts
 * import { QueryService } from "@switchyard/core/QueryService"
 * import * as Switchyard from "@switchyard/node/Switchyard"
 * import * as Effect from "effect/Effect"
 *
 * export const list = Effect.flatMap(QueryService, (query) => query.listRuns()).pipe(
 *   Effect.provide(Switchyard.layerReader({ directory: ".switchyard" }))
 * )
 * ```
 */
export const layerReader = (options: {
  readonly directory: string
}): Layer.Layer<QueryService | EventReader, DataDirectory.DirectoryUnusable | LogDamaged> => {
  const directory = path.resolve(options.directory)
  return Layer.provideMerge(
    SqliteIndex.layerReader({ filename: path.join(directory, "index.sqlite") }),
    JsonlEventReader.layer({ directory: path.join(directory, "log") })
  )
}

/**
 * Opens a directory for a host that does not use Effect. It rejects with an `OpenError` and has changed nothing then;
 * dispose of what it gives (`await using`, or `close()`) to suspend what is under way and let go of the directory.
 *
 * @example
 * ```ts
 * import * as Switchyard from "@switchyard/node/Switchyard"
 * import * as Workflow from "@switchyard/core/Workflow"
 *
 * await using yard = await Switchyard.open({ directory: ".switchyard", agents: [] })
 * const run = await yard.registerRun({ workflow: Workflow.make("empty").pipe(Workflow.step("one", { skill: "x" })) })
 * for await (const { event } of run.events) console.log(event._tag)
 * ```
 */
export const open = async (options: Options): Promise<Host.Host> => {
  const runtime = ManagedRuntime.make(layer(options))
  const exit = await Effect.runPromiseExit(runtime.runtimeEffect)
  if (Exit.isSuccess(exit)) return Host.make(runtime, exit.value)
  await runtime.dispose()
  throw Cause.squash(exit.cause)
}
