import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type AgentNotFound, AgentRegistry, type NoCapableAgent } from "./AgentRegistry.js"
import type { ControlCommand } from "./Command.js"
import { Distributor, layerMemory as layerDirectMemory } from "./Distributor.js"
import { type Entry, type EventOf, isTerminal } from "./Event.js"
import { EventLog, type EventLogError, type LogWriteFailed } from "./EventLog.js"
import { type AgentId, CommandId, generateCommandId, generateRunId, origin, RunId, type Seq } from "./Ids.js"
import { makeAdmission } from "./internal/admission.js"
import { canonical } from "./internal/canonical.js"
import { layerScoped, makeSemaphore } from "./internal/compat.js"
import { makePlanCache } from "./internal/planCache.js"
import { answer } from "./internal/refusal.js"
import type { Json } from "./Json.js"
import { type CommandError, type Execution, type MemoryOptions, registration } from "./Orchestrator.js"
import * as Params from "./Params.js"
import * as Plan from "./Plan.js"
import * as Run from "./Run.js"
import { type RunResult, resultOf } from "./RunResult.js"
import type { Definition, StepDefinition, Workflow } from "./Workflow.js"

export { type RunResult, resultOf, type StepResult } from "./RunResult.js"

/** No run has this id. */
export class RunNotFound extends Schema.TaggedError<RunNotFound>()("RunNotFound", { runId: Schema.String }) {
  override get message() {
    return `There is no run ${this.runId} in this directory; list the runs to see their ids`
  }
}

/** The id was given to another run before. */
export class RunExists extends Schema.TaggedError<RunExists>()("RunExists", { runId: RunId }) {
  override get message() {
    return `Run ${this.runId} exists with another workflow or other parameters; leave the id out, or choose another`
  }
}

/** An id that cannot be one. */
export class InvalidId extends Schema.TaggedError<InvalidId>()("InvalidId", { id: Schema.String }) {
  override get message() {
    return `${JSON.stringify(this.id)} is not an id: use 1 to 128 letters, digits, ".", "_" or "-", beginning with a letter or digit`
  }
}

/** What a run is registered with. */
export type RunRequest<Params> = {
  readonly workflow: Pick<Workflow<Params, never>, "definition" | "params" | "_params"> | Definition
  /** A name for the run; registering the same id with the same content again gives the run that there is. */
  readonly id?: string
  /** How many items may be under way at once, before what the workflow says. */
  readonly concurrency?: number
  readonly owner?: string
  readonly tags?: ReadonlyArray<string>
}

/** The parameters of a request: required where the workflow declares them. */
export type ParamsOf<Params> = unknown extends Params
  ? { readonly params?: unknown }
  : { readonly params: Params }

/** A registered run. */
export interface RunHandle {
  readonly runId: RunId
  /**
   * All its entries from the registration on; ends with the terminal one, or with the one that says that its host stopped.
   * Each use is a subscription of its own.
   */
  readonly events: Stream.Stream<Entry, EventLogError>
  /** Sends a command; succeeds once it is durable. */
  readonly control: (
    command: ControlCommand,
    commandId?: string
  ) => Effect.Effect<void, CommandError | InvalidId>
  /** Waits for the end. A run that fails or is cancelled is a result, not an error. */
  readonly result: Effect.Effect<RunResult, LogWriteFailed>
  /** Where the run stands now. */
  readonly status: Effect.Effect<Run.RunStatus>
}

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
    /** The agent that a step of a run would be given now; a step that names its agent gets that one. */
    readonly routeToAgent: (
      step: Pick<StepDefinition, "skill" | "agent" | "inputType" | "outputType" | "constraints">,
      runId: string
    ) => Effect.Effect<AgentId, RunNotFound | AgentNotFound | NoCapableAgent | EventLogError>
    /** The entries of a run after a position, past and to come; ends with the terminal one. A slow subscriber delays nobody. */
    readonly subscribe: (runId: string, after?: Seq) => Stream.Stream<Entry, RunNotFound | EventLogError>
    /** Sends a command to a run; the same id and content again is answered, not executed again, also after a restart. */
    readonly sendCommand: (
      runId: string,
      command: ControlCommand,
      commandId?: string
    ) => Effect.Effect<void, RunNotFound | CommandError | InvalidId | EventLogError>
    /** The handle of a run that is under way in this process. */
    readonly get: (runId: string) => Effect.Effect<RunHandle, RunNotFound>
    /**
     * Continues every run that was interrupted by a crash or a stop of its host; what is recorded as done is not repeated.
     * A run whose workflow is not valid any more stays interrupted, with a warning.
     */
    readonly recover: Effect.Effect<ReadonlyArray<RunHandle>, EventLogError>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof ControlPlane>

/** How the control plane behaves. */
export interface Options {
  /** How many runs may be running at once; the others wait in the order of their registration. 100 by default. */
  readonly maxConcurrentRuns?: number
}

interface Active {
  readonly run: Run.Run
  readonly execution: Deferred.Deferred<Execution>
  readonly result: Deferred.Deferred<RunResult, LogWriteFailed>
  readonly registeredAfter: Seq
  /** What came before this belongs to earlier hosts of the run. */
  readonly launchedAfter: Seq
}

interface Recorded {
  readonly run: Run.Run
  readonly registeredAfter: Seq
}

const registrationOptions = Schema.decodeUnknown(
  Schema.Struct({
    concurrency: Schema.optional(Schema.Int.pipe(Schema.positive())),
    owner: Schema.optional(Schema.String),
    tags: Schema.optional(Schema.Array(Schema.String))
  }),
  { errors: "all" }
)

const isRunId = Schema.is(RunId)
const isCommandId = Schema.is(CommandId)

const make = (options: Options) =>
  Effect.gen(function* () {
    const log = yield* EventLog
    const registry = yield* AgentRegistry
    const distributor = yield* Distributor
    const drivers = yield* FiberMap.make<RunId>()
    const admission = makeAdmission(options.maxConcurrentRuns ?? 100)
    const active = new Map<string, Active>()
    // Runs that this control plane registers or executes, which therefore need no recovery.
    const owned = new Set<RunId>()
    // Two requests with the same id must not both find that there is no such run.
    const named = yield* makeSemaphore(1)
    const recovering = yield* makeSemaphore(1)
    const planOf = makePlanCache()

    /** The state of any run that the log knows of. */
    const lookup = (runId: string): Effect.Effect<Run.Run, RunNotFound | EventLogError> =>
      Effect.suspend(() => {
        const known = active.get(runId)
        if (known !== undefined) return Effect.succeed(known.run)
        if (!isRunId(runId)) return Effect.fail(new RunNotFound({ runId }))
        return Effect.flatMap(
          Stream.runFold(log.read({ runs: [runId] }), undefined as Run.Run | undefined, (run, entry) => {
            if (run === undefined) return Run.register(entry)
            Run.apply(run, entry)
            return run
          }),
          (run) => (run === undefined ? Effect.fail(new RunNotFound({ runId })) : Effect.succeed(run))
        )
      })

    const commandIdOf = (commandId: string | undefined): Effect.Effect<CommandId, InvalidId> =>
      commandId === undefined
        ? generateCommandId
        : isCommandId(commandId)
          ? Effect.succeed(commandId)
          : Effect.fail(new InvalidId({ id: commandId }))

    const send = (
      execution: Effect.Effect<Execution>,
      command: ControlCommand,
      commandId: string | undefined
    ) =>
      Effect.flatMap(commandIdOf(commandId), (id) =>
        Effect.flatMap(execution, (running) => running.send(id, command))
      )

    /** The entries of a run after a position, until it ends or is suspended. */
    const entriesOf = ({ launchedAfter, result, run }: Active, after: Seq) => {
      const range = { after, runs: [run.id] }
      const isLast = ({ event, seq }: Entry) =>
        isTerminal(event) || (event._tag === "RunInterrupted" && seq > launchedAfter)
      // A position at or after the end has nothing to wait for, and neither has a log that cannot be written.
      const nothingToCome = Effect.andThen(Deferred.await(result), Stream.runHead(log.read(range))).pipe(
        Effect.flatMap((found) => (Option.isSome(found) ? Effect.never : Effect.void))
      )
      return Stream.takeUntil(Stream.interruptWhen(log.follow(range), nothingToCome), isLast)
    }

    const handleOf = (entry: Active): RunHandle => ({
      runId: entry.run.id,
      events: entriesOf(entry, entry.registeredAfter),
      control: (command, commandId) => send(Deferred.await(entry.execution), command, commandId),
      result: Deferred.await(entry.result),
      status: Effect.sync(() => entry.run.status)
    })

    /** The handle of a run that nothing executes any more. */
    const restingHandleOf = (run: Run.Run): RunHandle => ({
      runId: run.id,
      events: log.read({ runs: [run.id] }),
      control: (command, commandId) =>
        Effect.flatMap(commandIdOf(commandId), (id) => answer(run, id, command)),
      result: Effect.sync(() => resultOf(run)),
      status: Effect.succeed(run.status)
    })

    const launch = (run: Run.Run, plan: Plan.Plan, registeredAfter: Seq) =>
      Effect.gen(function* () {
        const entry: Active = {
          run,
          execution: yield* Deferred.make<Execution>(),
          result: yield* Deferred.make<RunResult, LogWriteFailed>(),
          registeredAfter,
          launchedAfter: run.lastSeq
        }
        active.set(run.id, entry)
        owned.add(run.id)
        const drive = Effect.scoped(
          Effect.gen(function* () {
            const execution = yield* distributor.dispatch({ run, plan, admit: admission.admit })
            yield* Deferred.succeed(entry.execution, execution)
            yield* execution.done
          })
        )
        yield* FiberMap.run(
          drivers,
          run.id,
          Effect.onExit(drive, (exit) => {
            active.delete(run.id)
            owned.delete(run.id)
            const broke = exit._tag === "Failure" && !Cause.isInterrupted(exit.cause)
            return Effect.andThen(
              // Who sends a command to a run that was stopped before it began is answered all the same.
              Deferred.succeed(entry.execution, {
                run,
                send: (id, command) => answer(run, id, command),
                done: Effect.void
              }),
              broke
                ? Deferred.failCause(entry.result, exit.cause)
                : Deferred.succeed(entry.result, resultOf(run))
            )
          })
        )
        return handleOf(entry)
      })

    const registered = (id: RunId, definition: Definition, params: Json) =>
      Effect.map(lookup(id).pipe(Effect.catchTag("RunNotFound", () => Effect.succeed(undefined))), (run) => {
        if (run === undefined) return undefined
        const same = canonical([run.definition, run.params]) === canonical([definition, params])
        const known = active.get(id)
        return { same, handle: known === undefined ? restingHandleOf(run) : handleOf(known) }
      })

    const register = (runId: RunId, event: EventOf<"RunRegistered">, plan: Plan.Plan) =>
      Effect.uninterruptible(
        Effect.suspend(() => {
          owned.add(runId)
          return Effect.flatMap(log.append(runId, [event]), ([entry]) => {
            const run = entry && Run.register(entry)
            return entry === undefined || run === undefined
              ? Effect.die(new Error("the log gave no entry for what it appended"))
              : launch(run, plan, (entry.seq - 1) as Seq)
          })
        }).pipe(Effect.tapError(() => Effect.sync(() => owned.delete(runId))))
      )

    const registerRun: Service["registerRun"] = (request) =>
      Effect.gen(function* () {
        const { id, workflow } = request
        const [given, schema] =
          "definition" in workflow ? [workflow.definition, workflow.params] : [workflow, undefined]
        const plan = yield* planOf(given)
        const { definition } = plan
        const options = yield* Effect.mapError(registrationOptions(request), (error) =>
          Plan.misshapen(definition.name, error)
        )
        const params = yield* Params.check(definition, schema, request.params ?? {})
        const event = registration(definition, { ...options, params })
        if (id === undefined) return yield* register(yield* generateRunId, event, plan)
        if (!isRunId(id)) return yield* new InvalidId({ id })
        return yield* named.withPermits(1)(
          Effect.gen(function* () {
            const existing = yield* registered(id, definition, params)
            if (existing === undefined) return yield* register(id, event, plan)
            return existing.same ? existing.handle : yield* new RunExists({ runId: id })
          })
        )
      })

    const recover = Effect.gen(function* () {
      // A run of this host that ends while the log is read looks as if it were interrupted.
      const before = new Set(owned)
      const runs = (yield* log.unfinished).flatMap(({ runId }) => (before.has(runId) ? [] : [runId]))
      const open = yield* Stream.runFold(log.read({ runs }), new Map<RunId, Recorded>(), (found, entry) => {
        const known = found.get(entry.runId)
        const run = known === undefined ? Run.register(entry) : known.run
        if (run === undefined) return found
        if (known === undefined) found.set(entry.runId, { run, registeredAfter: (entry.seq - 1) as Seq })
        else Run.apply(run, entry)
        if (Run.isTerminal(run.status)) found.delete(entry.runId)
        return found
      })
      const handles: Array<RunHandle> = []
      for (const { registeredAfter, run } of open.values()) {
        if (owned.has(run.id)) continue
        const plan = yield* planOf(run.definition).pipe(
          Effect.catchTag("InvalidWorkflow", (error) =>
            Effect.as(Effect.logWarning(`Run ${run.id} cannot be recovered. ${error.message}`), undefined)
          )
        )
        if (plan === undefined) continue
        if (run.status !== "Interrupted") {
          const entries = yield* log.append(run.id, [
            { _tag: "RunInterrupted", reason: "its host did not stop in order" }
          ])
          for (const entry of entries) Run.apply(run, entry)
        }
        handles.push(yield* launch(run, plan, registeredAfter))
      }
      return handles
    }).pipe(recovering.withPermits(1))

    return ControlPlane.of({
      registerRun,
      routeToAgent: (step, runId) =>
        Effect.gen(function* () {
          yield* lookup(runId)
          if (step.agent !== undefined) return (yield* registry.get(step.agent)).id
          return (yield* registry.selectAgent(Plan.queryOf(step))).agent.id
        }),
      subscribe: (runId, after) =>
        Stream.unwrap(
          Effect.map(lookup(runId), (run) => {
            const known = active.get(runId)
            const from = after ?? known?.registeredAfter ?? origin
            return known === undefined ? log.read({ after: from, runs: [run.id] }) : entriesOf(known, from)
          })
        ),
      sendCommand: (runId, command, commandId) =>
        Effect.suspend(() => {
          const known = active.get(runId)
          if (known !== undefined) return send(Deferred.await(known.execution), command, commandId)
          return Effect.flatMap(lookup(runId), (run) => restingHandleOf(run).control(command, commandId))
        }),
      get: (runId) =>
        Effect.suspend(() => {
          const known = active.get(runId)
          return known === undefined
            ? Effect.fail(new RunNotFound({ runId }))
            : Effect.succeed(handleOf(known))
        }),
      recover
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
