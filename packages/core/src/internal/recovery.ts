import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type CommandConflict, type ControlCommand, type IllegalCommand, toEvent } from "../Command.js"
import type { Event, EventOf } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import type { CommandId, RunId, Seq, StepId } from "../Ids.js"
import * as Plan from "../Plan.js"
import * as Run from "../Run.js"
import type { Definition } from "../WorkflowDefinition.js"
import { isCompensation } from "./compensationPlan.js"
import type { Active, Executions } from "./executions.js"
import { answer, refuse } from "./refusal.js"

/** The recorded state of one run, or `undefined` where the log does not know it. */
export const findRun = (
  log: EventLog.Reader,
  runId: RunId
): Effect.Effect<Run.Run | undefined, EventLog.EventLogError> =>
  Stream.runFold(log.read({ runs: [runId] }), undefined as Run.Run | undefined, (run, entry) => {
    if (run === undefined) return Run.register(entry)
    Run.apply(run, entry)
    return run
  })

/** The recorded states of the runs that have not ended, in the order of their registration, by one pass over their entries. */
const findUnfinished = (
  log: EventLog.Reader,
  except: ReadonlySet<RunId>
): Effect.Effect<ReadonlyArray<Run.Run>, EventLog.EventLogError> =>
  Effect.gen(function* () {
    const left = (yield* log.unfinished).filter(({ runId }) => !except.has(runId))
    const [first] = left
    if (first === undefined) return []
    const range = { after: (first.firstSeq - 1) as Seq, runs: left.map(({ runId }) => runId) }
    const found = yield* Stream.runFold(log.read(range), new Map<RunId, Run.Run>(), (runs, entry) => {
      const known = runs.get(entry.runId)
      const run = known ?? Run.register(entry)
      if (known !== undefined) Run.apply(known, entry)
      else if (run !== undefined) runs.set(entry.runId, run)
      if (run !== undefined && Run.isTerminal(run.status)) runs.delete(entry.runId)
      return runs
    })
    return [...found.values()]
  })

/**
 * What is needed to end a run that is to be cancelled: its steps alone, so that it can be ended also where its workflow is
 * not valid any more.
 */
const planToCancel = ({ definition }: Run.Run): Effect.Effect<Plan.Plan, Plan.InvalidWorkflow> =>
  Plan.make({
    name: definition.name,
    steps: definition.steps.map(({ id }) => ({ id: id as StepId, skill: "none" }))
  })

/** Continues runs that nothing executes. */
export interface Recovery {
  /** Takes a command to a run that nothing executes and that has not ended, and has the run executed for it. */
  readonly wake: (
    run: Run.Run,
    id: CommandId,
    command: ControlCommand
  ) => Effect.Effect<void, IllegalCommand | CommandConflict | EventLog.EventLogError>
  /** What there is to record of a run that nothing executes, though its last entry does not say so. */
  readonly interruptionOf: (run: Run.Run) => ReadonlyArray<EventOf<"RunInterrupted">>
  /** Continues all that can be; nothing is under way where it fails. */
  readonly all: Effect.Effect<ReadonlyArray<Active>, EventLog.EventLogError>
}

/** Recovery on a log; runs of an owner go on once that is prepared, and a run that has seen as many crashes is left to whoever sends it a command. */
export const makeRecovery = (
  log: EventLog.Service,
  executions: Executions,
  planOf: (definition: Definition) => Effect.Effect<Plan.Plan, Plan.InvalidWorkflow>,
  maxCrashes: number,
  prepare: (owner: string | undefined) => Effect.Effect<void, EventLog.EventLogError>
): Recovery => {
  const interruptionOf: Recovery["interruptionOf"] = (run) => {
    if (run.status === "Interrupted") return []
    if (executions.broken.has(run.id))
      return [{ _tag: "RunInterrupted", reason: "the event log could not be written" }]
    const crashes = run.crashes + 1
    const undoes = run.compensating !== undefined
    const parked =
      (run.status === "Running" || (run.status === "Cancelling" && undoes)) && crashes >= maxCrashes
    const times = crashes === 1 ? "once" : `${crashes} times`
    const again = run.cancel === undefined ? "Resume to try again, or " : ""
    const reason = !parked
      ? "its host did not stop in order"
      : undoes
        ? `its host crashed ${times} while what it did was undone; send ${again}Cancel to leave the rest as it is`
        : `its host crashed ${times} while it was running; send Resume to try again, or Cancel to end it`
    return [{ _tag: "RunInterrupted", reason, crash: true }]
  }

  /** What a run ends with that is to be cancelled: its workflow where that says what undoes it, unless that was given up. */
  const planToEnd = (run: Run.Run) => {
    const givenUp = run.compensating !== undefined && Run.isParked(run, maxCrashes)
    if (givenUp || !run.definition.steps.some(isCompensation)) return planToCancel(run)
    return Effect.catchTag(planOf(run.definition), "InvalidWorkflow", () => planToCancel(run))
  }

  const planFor = (run: Run.Run) => (run.cancel === undefined ? planOf(run.definition) : planToEnd(run))

  const wake: Recovery["wake"] = (run, id, command) =>
    Effect.gen(function* () {
      const cancelling = run.cancel !== undefined
      const wakes = command._tag === "Cancel" || (command._tag === "Resume" && !cancelling)
      const accepted = run.commands.has(id)
      if (accepted) {
        yield* answer(run, id, command)
        // What was accepted before the host was gone has to come to something.
        if (!wakes || !(run.woken || cancelling)) return
      }
      if (!wakes) {
        const reason = cancelling ? "it is to be cancelled; send Cancel to have that done" : undefined
        return yield* refuse({ ...run, status: "Interrupted" }, command, reason)
      }
      const plan = yield* Effect.mapError(
        command._tag === "Cancel" ? planToEnd(run) : planFor(run),
        (error) => refuse(run, command, `its workflow is not valid any more. ${error.message}`)
      )
      yield* prepare(run.owner)
      const events: ReadonlyArray<Event> = [
        ...interruptionOf(run),
        ...(accepted ? [] : [toEvent(id, command)])
      ]
      for (const entry of yield* log.append(run.id, events)) Run.apply(run, entry)
      yield* executions.launch(run, plan)
    }).pipe(Effect.uninterruptible)

  const all = Effect.gen(function* () {
    // A run of this host that ends while the log is read looks as if it were interrupted.
    const found = yield* findUnfinished(log, new Set(executions.owned))
    const left = found.filter(({ id }) => !executions.owned.has(id))
    for (const owner of new Set(left.map((run) => run.owner))) yield* prepare(owner)
    // They share their groups in the log, and nothing is launched before all are durable.
    yield* Effect.forEach(
      left.filter(({ status }) => status !== "Interrupted"),
      (run) =>
        Effect.map(log.append(run.id, interruptionOf(run)), (entries) => {
          for (const entry of entries) Run.apply(run, entry)
        }),
      { concurrency: 256, discard: true }
    )
    const launched: Array<Active> = []
    for (const run of left) {
      if (Run.isParked(run, maxCrashes)) {
        yield* Effect.logWarning(`Run ${run.id} is not recovered: ${run.interruption?.reason}`)
        continue
      }
      const plan = yield* planFor(run).pipe(
        Effect.catchTag("InvalidWorkflow", (error) =>
          Effect.as(Effect.logWarning(`Run ${run.id} cannot be recovered. ${error.message}`), undefined)
        )
      )
      if (plan !== undefined) launched.push(yield* executions.launch(run, plan))
    }
    return launched
  })

  return { wake, interruptionOf, all }
}
