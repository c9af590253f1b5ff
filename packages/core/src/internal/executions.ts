import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ControlCommand } from "../Command.js"
import type * as Distributor from "../Distributor.js"
import { type Entry, isTerminal } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import type { CommandId, RunId, Seq } from "../Ids.js"
import type { CommandError, Execution, MigrationError, Start } from "../Orchestrator.js"
import type { Plan } from "../Plan.js"
import type * as Run from "../Run.js"
import { isTerminal as isOver } from "../Run.js"
import { type RunResult, resultOf } from "../RunResult.js"
import { notHere } from "./adopting.js"
import type { Budgets } from "./budgets.js"
import type { Migration, MigrationReason } from "./migration.js"
import { answer } from "./refusal.js"

/** A run that is executed for this control plane. */
export interface Active {
  readonly run: Run.Run
  readonly execution: Deferred.Deferred<Execution>
  readonly result: Deferred.Deferred<RunResult, EventLog.LogWriteFailed>
  /** What came before this belongs to earlier hosts of the run. */
  readonly launchedAfter: Seq
}

/** The position just before the registration of a run. */
export const beforeRegistration = (run: Run.Run): Seq => (run.firstSeq - 1) as Seq

/** The runs that one control plane has under way; closing the scope suspends them. */
export interface Executions {
  readonly get: (runId: string) => Active | undefined
  /** Runs that are being registered or executed, which therefore need no recovery. */
  readonly owned: Set<RunId>
  /** Runs whose execution broke off here, because the log could not be written. */
  readonly broken: Set<RunId>
  /** Whether the scope is closing, so that nothing can be launched any more. */
  readonly isClosed: () => boolean
  /** Executes a run from its recorded state on, which belongs to the execution from here on. */
  readonly launch: (run: Run.Run, plan: Plan) => Effect.Effect<Active>
  /** The entries of a run after a position, until it ends or is suspended. */
  readonly entriesOf: (active: Active, after: Seq) => Stream.Stream<Entry, EventLog.EventLogError>
  readonly send: (active: Active, id: CommandId, command: ControlCommand) => Effect.Effect<void, CommandError>
  /** Gives a run another plan, or says why it cannot go on by that. */
  readonly migrate: (
    active: Active,
    migration: Migration
  ) => Effect.Effect<ReadonlyArray<MigrationReason>, MigrationError>
}

/** No run is under way at first. */
export const makeExecutions = (
  log: EventLog.Service,
  dispatch: Distributor.Service["dispatch"],
  admit: Start["admit"],
  limiter: Start["limiter"],
  budgets: Budgets,
  children: () => Start["children"]
): Effect.Effect<Executions, never, Scope.Scope> =>
  Effect.gen(function* () {
    const drivers = yield* FiberMap.make<RunId>()
    const active = new Map<string, Active>()
    const owned = new Set<RunId>()
    const broken = new Set<RunId>()
    let closed = false
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
      })
    )

    const launch = (run: Run.Run, plan: Plan) =>
      Effect.gen(function* () {
        const entry: Active = {
          run,
          execution: yield* Deferred.make<Execution>(),
          result: yield* Deferred.make<RunResult, EventLog.LogWriteFailed>(),
          launchedAfter: run.lastSeq
        }
        active.set(run.id, entry)
        owned.add(run.id)
        broken.delete(run.id)
        const drive = Effect.scoped(
          Effect.gen(function* () {
            const execution = yield* dispatch({ run, plan, admit, limiter, budgets, children: children() })
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
            if (isOver(run.status)) budgets.accounts.delete(run.id)
            const broke = exit._tag === "Failure" && !Cause.isInterrupted(exit.cause)
            if (broke) broken.add(run.id)
            return Effect.andThen(
              // Who sends a command to a run that was stopped before it began is answered all the same.
              Deferred.succeed(entry.execution, {
                run,
                send: (id, command) => answer(run, id, command),
                migrate: () => Effect.succeed(notHere),
                done: Effect.void
              }),
              broke
                ? Deferred.failCause(entry.result, exit.cause)
                : Deferred.succeed(entry.result, resultOf(run))
            )
          })
        )
        return entry
      })

    return {
      get: (runId) => active.get(runId),
      owned,
      broken,
      isClosed: () => closed,
      launch,
      entriesOf: ({ launchedAfter, result, run }, after) => {
        const range = { after, runs: [run.id] }
        const isLast = ({ event, seq }: Entry) =>
          isTerminal(event) || (event._tag === "RunInterrupted" && seq > launchedAfter)
        // A position at or after the end has nothing to wait for, and neither has a log that cannot be written.
        const nothingToCome = Effect.andThen(Deferred.await(result), Stream.runHead(log.read(range))).pipe(
          Effect.flatMap((found) => (Option.isSome(found) ? Effect.never : Effect.void))
        )
        return Stream.takeUntil(Stream.interruptWhen(log.follow(range), nothingToCome), isLast)
      },
      send: ({ execution }, id, command) =>
        Effect.flatMap(Deferred.await(execution), (running) => running.send(id, command)),
      migrate: ({ execution }, migration) =>
        Effect.flatMap(Deferred.await(execution), (running) => running.migrate(migration))
    }
  })
