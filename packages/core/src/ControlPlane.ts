import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type AgentNotFound, AgentRegistry, type NoCapableAgent } from "./AgentRegistry.js"
import { Budget, type OwnerBudget } from "./Budget.js"
import type { CommandConflict, ControlCommand } from "./Command.js"
import { Distributor, layerMemory as layerDirectMemory } from "./Distributor.js"
import * as DryRun from "./DryRun.js"
import type { Entry } from "./Event.js"
import { EventLog, type EventLogError } from "./EventLog.js"
import type { AgentId, Seq } from "./Ids.js"
import { makeAdmission } from "./internal/admission.js"
import { makeHostBudgets } from "./internal/budgets.js"
import { budgetProblems } from "./internal/checkBudgets.js"
import { beyond } from "./internal/checkPermissions.js"
import { makeChildren } from "./internal/children.js"
import { currentTimeMillis, forker, layerScoped } from "./internal/compat.js"
import { beforeRegistration, makeExecutions } from "./internal/executions.js"
import { planInGroups } from "./internal/groups.js"
import { makeHandles } from "./internal/handles.js"
import { makeLimiter } from "./internal/limiter.js"
import { makeMigrating } from "./internal/migrating.js"
import { pinnedHash } from "./internal/pinnedHash.js"
import { makePlanCache } from "./internal/planCache.js"
import { makeRecovery } from "./internal/recovery.js"
import { makeRegistering } from "./internal/registering.js"
import { registration } from "./internal/registration.js"
import { type RerunFrom, rerunOf } from "./internal/rerun.js"
import { makeWarning, warningsOf } from "./internal/warnings.js"
import type { CommandError, GroupLimit, MemoryOptions } from "./Orchestrator.js"
import * as Params from "./Params.js"
import { attenuate, Permission } from "./Permission.js"
import * as Plan from "./Plan.js"
import {
  type InvalidId,
  type MigrationRefused,
  RerunRefused,
  type RunExists,
  type RunNotFound
} from "./RunErrors.js"
import type { RunHandle } from "./RunHandle.js"
import type { Workflow } from "./Workflow.js"
import type { Definition, StepDefinition } from "./WorkflowDefinition.js"

export type { RerunFrom } from "./internal/rerun.js"
export { InvalidId, MigrationRefused, RerunRefused, RunExists, RunNotFound } from "./RunErrors.js"
export type { RunHandle } from "./RunHandle.js"
export { type RunResult, resultOf, type StepResult } from "./RunResult.js"

/** What a run is registered with. */
export type RunRequest<Params> = {
  readonly workflow: Pick<Workflow<Params, never>, "definition" | "params" | "_params"> | Definition
  /** A name for the run; registering the same id with the same content again gives the run that there is. */
  readonly id?: string
  /** How many items may be under way at once, before what the workflow says. */
  readonly concurrency?: number
  readonly owner?: string
  readonly tags?: ReadonlyArray<string>
  /** What the run may use in all, in place of what the workflow says. */
  readonly budget?: Budget
  /**
   * What the run lets its agents do, of what the workflow grants: nothing else where this is there, whatever the workflow
   * grants where it is missing.
   */
  readonly permissions?: ReadonlyArray<Permission>
}

/** The parameters of a request: required where the workflow declares them. */
export type ParamsOf<Params> = unknown extends Params
  ? { readonly params?: unknown }
  : { readonly params: Params }

/** What can be wrong with a request to register a run; nothing was recorded then. */
export type RegisterError =
  | Plan.InvalidWorkflow
  | Params.InvalidParams
  | RunExists
  | InvalidId
  | EventLogError

/** The command side: registers runs, takes commands, shows events. */
export class ControlPlane extends Context.Tag("@switchyard/core/ControlPlane")<
  ControlPlane,
  {
    /** Registers a run and has it executed; the run survives a crash from the moment this succeeds. */
    readonly registerRun: <Params>(
      request: RunRequest<Params> & ParamsOf<Params>
    ) => Effect.Effect<RunHandle, RegisterError>
    /**
     * What of a workflow is most likely not meant, though it can be run: steps that never run, estimates that fit below no
     * ceiling, and, as things stand in the registry now, steps that no agent could do. Fails with everything that keeps it
     * from being run. Registering a run, or giving it another definition, logs these warnings once for each definition.
     */
    readonly validate: <Params>(
      workflow: RunRequest<Params>["workflow"]
    ) => Effect.Effect<ReadonlyArray<Plan.Problem>, Plan.InvalidWorkflow>
    /**
     * What would become of a run that is requested so: the agents that its steps would be given and why, what they would
     * receive, what it is likely to cost. Nothing is done and nothing recorded.
     */
    readonly dryRun: <Params>(
      request: Pick<RunRequest<Params>, "workflow" | "permissions"> & ParamsOf<Params>
    ) => Effect.Effect<DryRun.DryRun, Plan.InvalidWorkflow | Params.InvalidParams>
    /**
     * Does a run that has ended, or stands interrupted, again as another one that is linked to it: from the start, from what
     * failed, or from a step on, which may be given another input. What came before is not done again, its outputs are
     * reused. The same id again gives the run that there is.
     */
    readonly rerun: (
      runId: string,
      options?: { readonly from?: RerunFrom; readonly id?: string }
    ) => Effect.Effect<
      RunHandle,
      RunNotFound | RerunRefused | Plan.InvalidWorkflow | RunExists | InvalidId | EventLogError
    >
    /**
     * Has a run that is paused or interrupted go on by another definition of its workflow. It is refused, with everything
     * that speaks against it, where what is recorded of the run would not be true any more: steps that have begun stay what
     * they are, all others may be changed, added, removed and rewired. Nothing happens where the run has this definition;
     * the same id and content again is answered, not done again, also after a restart.
     */
    readonly migrate: <Params>(
      runId: string,
      workflow: RunRequest<Params>["workflow"],
      commandId?: string
    ) => Effect.Effect<
      void,
      MigrationRefused | Plan.InvalidWorkflow | RunNotFound | CommandConflict | InvalidId | EventLogError
    >
    /** The agent that a step of a run would be given now; a step that names its agent gets that one. */
    readonly routeToAgent: (
      step: Pick<
        StepDefinition,
        "skill" | "agent" | "inputType" | "outputType" | "constraints" | "select" | "permissions"
      >,
      runId: string
    ) => Effect.Effect<AgentId, RunNotFound | AgentNotFound | NoCapableAgent | EventLogError>
    /**
     * The entries of a run after a position, past and to come; ends with the terminal one, or with what there is of a run
     * that is not under way. A slow subscriber delays nobody.
     */
    readonly subscribe: (runId: string, after?: Seq) => Stream.Stream<Entry, RunNotFound | EventLogError>
    /**
     * Sends a command to a run; the same id and content again is answered, not executed again, also after a restart. A run
     * that was interrupted is executed again for `Resume`, which gives it as many crashes as at first, and for `Cancel`.
     */
    readonly sendCommand: (
      runId: string,
      command: ControlCommand,
      commandId?: string
    ) => Effect.Effect<void, RunNotFound | CommandError | InvalidId | EventLogError>
    /** The handle of a run, wherever it stands. */
    readonly get: (runId: string) => Effect.Effect<RunHandle, RunNotFound | EventLogError>
    /**
     * Continues every run that was interrupted by a crash or a stop of its host, and gives their handles; what is recorded
     * as done is not repeated. A run whose workflow is not valid any more, or during which its host crashed as often as
     * `maxRecoveryAttempts` says, stays interrupted, with a warning. A failure leaves nothing under way.
     */
    readonly recover: Effect.Effect<ReadonlyArray<RunHandle>, EventLogError>
    /**
     * Gives an owner another budget, or none, until the host stops; its runs that stand still because of it go on where it is
     * higher. An owner that had none has it for the runs that begin from now on.
     */
    readonly setOwnerBudget: (
      owner: string,
      budget: OwnerBudget | undefined
    ) => Effect.Effect<void, EventLogError>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof ControlPlane>

/** How the control plane behaves. */
export interface Options {
  /** How many runs may be running at once; the others wait in the order of their registration. 100 by default. */
  readonly maxConcurrentRuns?: number
  /**
   * A run during which its host crashed this many times, without an item or a step settling in between, is not recovered
   * any more: it stays interrupted until it is sent `Resume` or `Cancel`. 3 by default, 1 at least.
   */
  readonly maxRecoveryAttempts?: number
  /** What the attempts of steps that name a group may do together, over all runs. */
  readonly groups?: Readonly<Record<string, GroupLimit>>
  /**
   * What the runs of each owner may use together. What they have used before is read from the log, once, when the first run
   * of one of these owners begins: that takes as long as reading all of the log.
   */
  readonly budgets?: { readonly owners: Readonly<Record<string, OwnerBudget>> }
}

const registrationOptions = Schema.decodeUnknown(
  Schema.Struct({
    concurrency: Schema.optional(Schema.Int.pipe(Schema.positive())),
    owner: Schema.optional(Schema.String),
    tags: Schema.optional(Schema.Array(Schema.String)),
    budget: Schema.optionalWith(Budget, { exact: true }),
    permissions: Schema.optional(Schema.Array(Permission))
  }),
  { errors: "all" }
)

const make = (options: Options) =>
  Effect.gen(function* () {
    const log = yield* EventLog
    const registry = yield* AgentRegistry
    const { dispatch } = yield* Distributor
    const { admit } = makeAdmission(options.maxConcurrentRuns ?? 100)
    const clock = yield* Effect.clock
    const limiter = makeLimiter(options.groups ?? {}, yield* forker, () => currentTimeMillis(clock))
    const budgets = yield* makeHostBudgets(log, options.budgets?.owners ?? {})
    const executions = yield* makeExecutions(log, dispatch, admit, limiter, budgets, () => children)
    // Nobody else can be executing these; of others that are not under way here, that is not known.
    const inherited = new Set((yield* log.unfinished).map(({ runId }) => runId))
    const planOf = makePlanCache()
    const maxCrashes = Math.max(1, options.maxRecoveryAttempts ?? 3)
    const recovery = makeRecovery(log, executions, planOf, maxCrashes, budgets.ready)
    const handles = yield* makeHandles(log, executions, recovery, inherited)
    const { currentHandleOf, entries, lookup, sendCommand } = handles
    const registerOnce = yield* makeRegistering(log, executions, handles)
    const warn = makeWarning(registry)
    const children = makeChildren(log, executions, handles, registerOnce, planOf, maxCrashes)

    const planned = <Params>({ workflow }: Pick<RunRequest<Params>, "workflow">) =>
      Effect.gen(function* () {
        const [given, schema] =
          "definition" in workflow ? [workflow.definition, workflow.params] : [workflow, undefined]
        const plan = yield* planInGroups(given, options.groups, planOf)
        return { plan, checkParams: (params: unknown) => Params.check(plan.definition, schema, params) }
      })

    /** The plan and the parameters of a request. */
    const checked = <Params>(request: Pick<RunRequest<Params>, "workflow"> & ParamsOf<Params>) =>
      Effect.flatMap(planned(request), ({ checkParams, plan }) =>
        Effect.map(checkParams(request.params ?? {}), (params) => ({ plan, params }))
      )

    /** What a request says beside the workflow and the parameters, and what of it is most likely not meant. */
    const optionsOf = (request: unknown, { name, permissions }: Definition) =>
      Effect.map(
        Effect.mapError(registrationOptions(request), (error) => Plan.misshapen(name, error)),
        (requested) => ({
          requested,
          excess: beyond(permissions, requested.permissions, "permissions", "the workflow")
        })
      )

    const registerRun: Service["registerRun"] = (request) =>
      Effect.gen(function* () {
        const { params, plan } = yield* checked(request)
        const { definition } = plan
        const { excess, requested } = yield* optionsOf(request, definition)
        const problems = budgetProblems(requested.budget, "budget")
        if (problems.length > 0)
          return yield* new Plan.InvalidWorkflow({ workflow: definition.name, problems })
        yield* budgets.ready(requested.owner)
        yield* warn(plan)
        yield* Effect.forEach(excess, ({ message, path }) => Effect.logWarning(`${path}: ${message}`))
        return yield* registerOnce(
          request.id,
          registration(definition, { ...requested, params, hash: pinnedHash(definition) }),
          plan
        )
      })

    const rerun: Service["rerun"] = (runId, { from = "failure", id } = {}) =>
      Effect.gen(function* () {
        const run = yield* lookup(runId)
        const plan = yield* planOf(run.definition)
        const found = rerunOf(run, plan, from)
        if ("reason" in found) return yield* new RerunRefused({ runId: run.id, reason: found.reason })
        const { concurrency, owner, params, permissions, tags } = run
        const hash = pinnedHash(plan.definition)
        const budget = run.budget === run.definition.budget ? undefined : run.budget
        const options = { concurrency, owner, params, tags, budget, hash, permissions, ...found }
        const event = registration(plan.definition, options)
        yield* budgets.ready(owner)
        return yield* registerOnce(id, event, plan, found.reused)
      })

    const migrateRun = makeMigrating(log, executions, handles, recovery)

    return ControlPlane.of({
      registerRun,
      validate: (workflow) => Effect.flatMap(planned({ workflow }), ({ plan }) => warningsOf(plan, registry)),
      dryRun: (request) =>
        Effect.gen(function* () {
          const { params, plan } = yield* checked(request)
          const { excess, requested } = yield* optionsOf(request, plan.definition)
          const dry = yield* DryRun.make(plan, params, registry, requested.permissions)
          return { ...dry, warnings: [...dry.warnings, ...excess] }
        }),
      rerun,
      migrate: (runId, workflow, commandId) =>
        Effect.flatMap(planned({ workflow }), ({ checkParams, plan }) =>
          Effect.zipRight(warn(plan), migrateRun(runId, { plan, checkParams }, commandId))
        ),
      routeToAgent: (step, runId) =>
        Effect.gen(function* () {
          const run = yield* lookup(runId)
          if (step.agent !== undefined) return (yield* registry.get(step.agent)).id
          const granted = attenuate(run.permissions, step.permissions)
          const { agent } = yield* registry.selectAgent(Plan.queryOf(step), {
            strategy: step.select,
            granted
          })
          return agent.id
        }),
      subscribe: (runId, after) =>
        Stream.unwrap(Effect.map(lookup(runId), (run) => entries(run.id, after ?? beforeRegistration(run)))),
      sendCommand,
      get: (runId) => Effect.map(lookup(runId), currentHandleOf),
      recover: handles.recover,
      setOwnerBudget: budgets.set
    })
  })

/** The control plane on a log, a registry and a distributor; closing its scope suspends the runs that are under way. */
export const layer = (
  options: Options = {}
): Layer.Layer<ControlPlane, never, EventLog | AgentRegistry | Distributor> =>
  layerScoped(ControlPlane, make(options))

/** The control plane with everything it needs in memory, which it gives as well. */
export const layerMemory = (options: Options & MemoryOptions = {}) =>
  Layer.provideMerge(layer(options), layerDirectMemory(options))
