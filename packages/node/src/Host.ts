import {
  type AgentMetrics,
  AgentRegistry,
  type Explanation,
  type SelectionContext
} from "@switchyard/core/AgentRegistry"
import type * as Agents from "@switchyard/core/AgentRow"
import type { OwnerBudget } from "@switchyard/core/Budget"
import type { CapabilityQuery } from "@switchyard/core/Capability"
import type { ControlCommand } from "@switchyard/core/Command"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import type { DryRun } from "@switchyard/core/DryRun"
import type { Entry } from "@switchyard/core/Event"
import type { RunId, Seq } from "@switchyard/core/Ids"
import type { Problem } from "@switchyard/core/Plan"
import * as Query from "@switchyard/core/QueryService"
import type { RunStatus } from "@switchyard/core/Run"
import type * as Waiting from "@switchyard/core/WaitingStep"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { AgentDirectory, type Registered } from "./AgentDirectory.js"
import type { AgentFileError } from "./AgentFile.js"
import { type AgentOffer, made } from "./AgentOffer.js"
import type { Runtime } from "./internal/compat.js"

/** A registered run, for hosts that do not use Effect. Promises reject with the typed errors of the control plane. */
export interface Run {
  readonly runId: RunId
  /** Its entries from the registration on; each loop is a subscription of its own and ends after the terminal entry. */
  readonly events: AsyncIterable<Entry>
  /** Resolves when the run has ended, whichever way; a failed run is a result, not a rejection. */
  readonly result: Promise<ControlPlane.RunResult>
  /** Sends a command; resolves once it is durable. */
  readonly control: (command: ControlCommand, commandId?: string) => Promise<void>
  /** Where the run stands now. */
  readonly status: () => Promise<RunStatus>
}

/** An open directory, for hosts that do not use Effect. */
export interface Host extends AsyncDisposable {
  /** Registers a run and has it executed. */
  readonly registerRun: <Params>(
    request: ControlPlane.RunRequest<Params> & ControlPlane.ParamsOf<Params>
  ) => Promise<Run>
  /** What of a workflow is most likely not meant, though it can be run; rejects where it cannot. */
  readonly validate: <Params>(
    workflow: ControlPlane.RunRequest<Params>["workflow"]
  ) => Promise<ReadonlyArray<Problem>>
  /** What would become of a run that is requested so; nothing is done and nothing recorded. */
  readonly dryRun: <Params>(
    request: Pick<ControlPlane.RunRequest<Params>, "workflow"> & ControlPlane.ParamsOf<Params>
  ) => Promise<DryRun>
  /** Does a run again as another one, which keeps what came before. */
  readonly rerun: (
    runId: string,
    options?: { readonly from?: ControlPlane.RerunFrom; readonly id?: string }
  ) => Promise<Run>
  /** Has a run that is paused go on by another definition; rejects with everything that speaks against it. */
  readonly migrate: <Params>(
    runId: string,
    workflow: ControlPlane.RunRequest<Params>["workflow"],
    commandId?: string
  ) => Promise<void>
  /** Gives an owner another budget, or none, until the host stops. */
  readonly setOwnerBudget: (owner: string, budget: OwnerBudget | undefined) => Promise<void>
  /** A run that is under way in this process. */
  readonly get: (runId: string) => Promise<Run>
  /** Sends a command to any run; the same id again is answered, not executed again. */
  readonly sendCommand: (runId: string, command: ControlCommand, commandId?: string) => Promise<void>
  /** The entries of any run after a position, past and to come. */
  readonly subscribe: (runId: string, after?: Seq) => AsyncIterable<Entry>
  /** Makes an agent available; one that has its id already is replaced only where this is said. */
  readonly registerAgent: (agent: AgentOffer, options?: { readonly replace?: boolean }) => Promise<void>
  /**
   * Registers the agents of a file or of a directory as they are now, in the place of those that were read from the same files
   * before; it gives what is wrong with the others.
   */
  readonly loadAgents: (path: string) => Promise<Registered>
  /** What is wrong now with files of the directory of `agentFiles`. */
  readonly agentProblems: () => Promise<ReadonlyArray<AgentFileError>>
  /** Withdraws an agent. */
  readonly unregisterAgent: (agentId: string) => Promise<void>
  /** Lets a disabled agent be given work again. */
  readonly enableAgent: (agentId: string) => Promise<void>
  /** Keeps an agent registered but gives it no work, also after a restart. */
  readonly disableAgent: (agentId: string) => Promise<void>
  /** The agents that a filter lets through, by id, with what they did; everything recorded before the call is taken into account. */
  readonly listAgents: (
    filter?: Agents.AgentFilter,
    paging?: Query.Paging
  ) => Promise<Query.Page<Agents.AgentRow>>
  /** One agent with what it did by skill; everything recorded before the call is taken into account. */
  readonly getAgent: (agentId: string) => Promise<Agents.AgentDetails>
  /** What was observed of a registered agent, or of one skill of it, up to this moment. */
  readonly agentMetrics: (agentId: string, skill?: string) => Promise<AgentMetrics>
  /** What a selection would weigh: every agent, as a candidate with its score by factor, or why it is none. */
  readonly explainSelection: (query: CapabilityQuery, context?: SelectionContext) => Promise<Explanation>
  /** The runs that a filter lets through, newest first; everything recorded before the call is taken into account. */
  readonly listRuns: (filter?: Query.RunFilter, paging?: Query.Paging) => Promise<Query.Page<Query.RunRow>>
  /** One run as the read side has it; everything recorded before the call is taken into account. */
  readonly getRun: (runId: string) => Promise<Query.RunRow>
  /** The steps of a run as the read side has them. */
  readonly getSteps: (runId: string) => Promise<ReadonlyArray<Query.StepRow>>
  /** The steps of all runs that wait now, by default for a decision, the longest first. */
  readonly waiting: (
    filter?: Waiting.WaitingFilter,
    paging?: Query.Paging
  ) => Promise<Query.Page<Waiting.WaitingRow>>
  /** Suspends what is under way, lets go of the directory, and resolves when nothing is left behind. */
  readonly close: () => Promise<void>
}

type Needed = ControlPlane.ControlPlane | AgentRegistry | AgentDirectory | Query.QueryService

/** The methods of the services as functions that return promises; `runtime` is disposed of by `close`. */
export const make = <E>(
  managed: ManagedRuntime.ManagedRuntime<Needed, E>,
  runtime: Runtime<Needed>
): Host => {
  const run = async <A, F>(effect: Effect.Effect<A, F, Needed>): Promise<A> => {
    const exit = await managed.runPromiseExit(effect)
    if (Exit.isSuccess(exit)) return exit.value
    throw Cause.squash(exit.cause)
  }
  const iterate = <F>(stream: Stream.Stream<Entry, F, Needed>): AsyncIterable<Entry> =>
    Stream.toAsyncIterableRuntime(stream, runtime)
  const plane = <A, F>(use: (service: ControlPlane.Service) => Effect.Effect<A, F>) =>
    run(Effect.flatMap(ControlPlane.ControlPlane, use))
  const registry = <A>(use: (service: typeof AgentRegistry.Service) => Effect.Effect<A, unknown>) =>
    run(Effect.flatMap(AgentRegistry, use))
  const query = <A, F>(use: (service: Query.Service) => Effect.Effect<A, F>) =>
    run(Effect.flatMap(Query.QueryService, (service) => Effect.zipRight(service.sync, use(service))))
  const runOf = (handle: ControlPlane.RunHandle): Run => ({
    runId: handle.runId,
    events: iterate(handle.events),
    get result() {
      return run(handle.result)
    },
    control: (command, commandId) => run(handle.control(command, commandId)),
    status: () => run(handle.status)
  })
  const close = () => managed.dispose()
  return {
    registerRun: async (request) => runOf(await plane((service) => service.registerRun(request))),
    validate: (workflow) => plane((service) => service.validate(workflow)),
    dryRun: (request) => plane((service) => service.dryRun(request)),
    rerun: async (runId, options) => runOf(await plane((service) => service.rerun(runId, options))),
    migrate: (runId, workflow, commandId) => plane((service) => service.migrate(runId, workflow, commandId)),
    setOwnerBudget: (owner, budget) => plane((service) => service.setOwnerBudget(owner, budget)),
    get: async (runId) => runOf(await plane((service) => service.get(runId))),
    sendCommand: (runId, command, commandId) =>
      plane((service) => service.sendCommand(runId, command, commandId)),
    subscribe: (runId, after) =>
      iterate(
        Stream.unwrap(Effect.map(ControlPlane.ControlPlane, (service) => service.subscribe(runId, after)))
      ),
    registerAgent: (offer, options) =>
      registry((service) => Effect.flatMap(made(offer), (agent) => service.register(agent, options))),
    loadAgents: (path) => run(Effect.flatMap(AgentDirectory, (files) => files.load(path))),
    agentProblems: () => run(Effect.flatMap(AgentDirectory, (files) => files.problems)),
    unregisterAgent: (agentId) => registry((service) => service.unregister(agentId)),
    enableAgent: (agentId) => registry((service) => service.enable(agentId)),
    disableAgent: (agentId) => registry((service) => service.disable(agentId)),
    listAgents: (filter, paging) => query((service) => service.listAgents(filter, paging)),
    getAgent: (agentId) => query((service) => service.getAgent(agentId)),
    agentMetrics: (agentId, skill) => registry((service) => service.metrics(agentId, skill)),
    explainSelection: (wanted, context) => registry((service) => service.explain(wanted, context)),
    listRuns: (filter, paging) => query((service) => service.listRuns(filter, paging)),
    getRun: (runId) => query((service) => service.getRun(runId)),
    getSteps: (runId) => query((service) => service.getSteps(runId)),
    waiting: (filter, paging) => query((service) => service.waiting(filter, paging)),
    close,
    [Symbol.asyncDispose]: close
  }
}
