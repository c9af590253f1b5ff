import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Agent } from "./Agent.js"
import { AgentRegistry, type AgentRejected, layerMemory as registryInMemory } from "./AgentRegistry.js"
import type { ControlCommand } from "./Command.js"
import { type Entry, isTerminal, type StepProgressEvent } from "./Event.js"
import { EventLog, type EventLogError, type LogWriteFailed, layerMemory as logInMemory } from "./EventLog.js"
import type { CommandId } from "./Ids.js"
import { type Budgets, noBudgets } from "./internal/budgets.js"
import type { Children } from "./internal/childItems.js"
import { currentTimeMillis, forker } from "./internal/compat.js"
import * as engine from "./internal/engine.js"
import type { Input } from "./internal/execution.js"
import { type Limiter, makeLimiter, unlimited } from "./internal/limiter.js"
import { makeLocalChildren } from "./internal/localChildren.js"
import type * as Message from "./internal/message.js"
import type { Migration, MigrationReason } from "./internal/migration.js"
import { pinnedHash } from "./internal/pinnedHash.js"
import { registration } from "./internal/registration.js"
import type { Json } from "./Json.js"
import * as Plan from "./Plan.js"
import * as Run from "./Run.js"
import type { Definition, StepDefinition } from "./WorkflowDefinition.js"
import {
  type Retention,
  type Workspace,
  WorkspaceService,
  layerMemory as workspacesInMemory
} from "./WorkspaceService.js"

export type { Budgets, Purse } from "./internal/budgets.js"
export type { Child, Children } from "./internal/childItems.js"
export type { GroupLimit, Limiter } from "./internal/limiter.js"
export type { Migration, MigrationReason } from "./internal/migration.js"

/** Why a command was not taken; whatever the reason, nothing was changed. */
export type CommandError = Message.CommandError

/** Why a migration came to nothing, where nothing speaks against it. */
export type MigrationError = Message.MigrationError

/** A run under way. */
export interface Execution {
  /** The state as the engine sees it, ahead of what is durable by a moment; read it, do not keep it. */
  readonly run: Run.Run
  /** Sends a command; succeeds once it is durable. The same id and content again is answered, not executed again. */
  readonly send: (commandId: CommandId, command: ControlCommand) => Effect.Effect<void, CommandError>
  /** Has a run that is paused go on by another plan, once that is durable; gives everything that speaks against it instead. */
  readonly migrate: (migration: Migration) => Effect.Effect<ReadonlyArray<MigrationReason>, MigrationError>
  /** Waits for the end: the terminal event is durable then, unless the run was suspended with its scope. */
  readonly done: Effect.Effect<void, LogWriteFailed>
}

/** A registered run that is to be executed, or continued from what is recorded of it. */
export interface Start {
  readonly run: Run.Run
  readonly plan: Plan.Plan
  /** Waits for a slot, and gives it back when its scope closes: at the end, and while the run is paused. */
  readonly admit: Effect.Effect<void, never, Scope.Scope>
  /** Lets attempts begin as the limits of their groups allow. */
  readonly limiter: Limiter
  /** What the runs of this host share of their budgets. */
  readonly budgets: Budgets
  /** Has the items executed that are runs themselves. */
  readonly children: Children
}

/** A workflow or a step that is executed in a given workspace, without a control plane. */
export interface Within {
  readonly workspace: Workspace
  readonly params?: Json
  readonly concurrency?: number
}

/** What can end the stream of a run early; failures of steps are events, not errors. */
export type OrchestrationError = Plan.InvalidWorkflow | EventLogError

/** Executes plans: every event is recorded in the log first, and streams show what is durable. */
export class Orchestrator extends Context.Tag("@switchyard/core/Orchestrator")<
  Orchestrator,
  {
    /** Begins or continues a registered run in its own workspace; closing the scope suspends it for a later recovery. */
    readonly start: (start: Start) => Effect.Effect<Execution, never, Scope.Scope>
    /** Registers and runs a workflow in a given workspace; ends with the terminal event, and interrupting it suspends the run. */
    readonly runWorkflow: (definition: Definition, within: Within) => Stream.Stream<Entry, OrchestrationError>
    /** Runs one step in a given workspace, its dependencies taken as settled; ends when the step has settled. */
    readonly runStep: (
      step: StepDefinition,
      within: Within
    ) => Stream.Stream<StepProgressEvent, OrchestrationError>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof Orchestrator>

const isStepProgress = (event: Entry["event"]): event is StepProgressEvent =>
  "stepId" in event && event._tag !== "RunFailed" && event._tag !== "RunCompensating"

const make = Effect.gen(function* () {
  const log = yield* EventLog
  const registry = yield* AgentRegistry
  const workspaces = yield* WorkspaceService

  const clock = yield* Effect.clock
  const rooms = makeLimiter({}, yield* forker, () => currentTimeMillis(clock))

  const execute = (input: Start & Pick<Input, "workspace" | "kept">) =>
    Effect.gen(function* () {
      const running = yield* engine.make({ ...input, log, registry, rooms })
      yield* running.start
      const execution: Execution = { run: input.run, ...running }
      return execution
    })

  const inOwnWorkspace = (run: Run.Run): Pick<Input, "workspace" | "kept"> => ({
    workspace: workspaces.create(run.id, {
      workflow: run.definition,
      params: run.params
    } as unknown as Json),
    kept: Effect.isSuccess(workspaces.get(run.id))
  })

  /** Executes a run that no control plane knows, and the runs that are items of it. */
  const executeAlone = (
    run: Run.Run,
    plan: Plan.Plan,
    place: Pick<Input, "workspace" | "kept">,
    budgets = noBudgets()
  ): Effect.Effect<Execution, never, Scope.Scope> =>
    Effect.gen(function* () {
      const children = yield* makeLocalChildren(log, (child, its) =>
        executeAlone(child, its, inOwnWorkspace(child), budgets)
      )
      return yield* execute({
        run,
        plan,
        admit: Effect.void,
        limiter: unlimited,
        budgets,
        children,
        ...place
      })
    })

  const runWorkflow: Service["runWorkflow"] = (definition, { concurrency, params, workspace }) =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const plan = yield* Plan.make(definition)
        const { runId } = workspace
        const options = {
          hash: pinnedHash(plan.definition),
          ...(params === undefined ? {} : { params }),
          ...(concurrency === undefined ? {} : { concurrency })
        }
        const after = yield* log.head
        const [entry] = yield* log.append(runId, [registration(definition, options)])
        const run = entry && Run.register(entry)
        if (run === undefined) return Stream.empty
        const { done } = yield* executeAlone(run, plan, {
          workspace: Effect.succeed(workspace),
          kept: Effect.succeed(true)
        })
        return Stream.takeUntil(log.follow({ after, runs: [runId] }), ({ event }) => isTerminal(event)).pipe(
          // Without this a log that cannot be written would leave the stream waiting for ever.
          Stream.interruptWhen(Effect.andThen(done, Effect.never))
        )
      })
    )

  return Orchestrator.of({
    start: (start) => execute({ ...start, ...inOwnWorkspace(start.run) }),
    runWorkflow,
    runStep: (step, within) => {
      const { after: _settled, compensates: _done, ...alone } = step
      return runWorkflow({ name: step.id, steps: [alone] }, within).pipe(
        Stream.map(({ event }) => event),
        Stream.filter(isStepProgress)
      )
    }
  })
})

/** The engine in this process, on whatever log, registry and workspaces it is given. */
export const layer: Layer.Layer<Orchestrator, never, EventLog | AgentRegistry | WorkspaceService> =
  Layer.effect(Orchestrator, make)

/** What a memory layer begins with. */
export interface MemoryOptions {
  readonly agents?: Iterable<Agent>
  readonly retention?: Retention
}

/** The engine on a log, a registry and workspaces in memory, which it gives as well. */
export const layerMemory = (
  options: MemoryOptions = {}
): Layer.Layer<Orchestrator | EventLog | AgentRegistry | WorkspaceService, AgentRejected> =>
  Layer.provideMerge(
    layer,
    Layer.mergeAll(
      logInMemory,
      registryInMemory(options.agents),
      workspacesInMemory(options.retention === undefined ? {} : { retention: options.retention })
    )
  )
