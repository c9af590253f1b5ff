import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { ControlCommand } from "../Command.js"
import type { Entry } from "../Event.js"
import type { EventLogError, Service as EventLogService } from "../EventLog.js"
import { CommandId, generateCommandId, RunId, type Seq } from "../Ids.js"
import type { CommandError } from "../Orchestrator.js"
import * as Run from "../Run.js"
import { InvalidId, RunNotFound } from "../RunErrors.js"
import type { RunHandle } from "../RunHandle.js"
import { resultOf } from "../RunResult.js"
import { makeSemaphore } from "./compat.js"
import { type Active, beforeRegistration, type Executions } from "./executions.js"
import { findRun, type Recovery } from "./recovery.js"
import { answer, malformed, refuse } from "./refusal.js"

const isRunId = Schema.is(RunId)
const isCommandId = Schema.is(CommandId)

/** A run as it is, and who executes it here. */
export interface Found {
  readonly run: Run.Run
  readonly active: Active | undefined
  /** Whether nobody executes it, and it can be continued here. */
  readonly isIdle: boolean
}

/** Ways to what is known of runs, and to those that execute them. */
export interface Handles {
  /** The state of any run that the log knows of. */
  readonly lookup: (runId: string) => Effect.Effect<Run.Run, RunNotFound | EventLogError>
  readonly sendCommand: (
    runId: string,
    command: ControlCommand,
    commandId?: string
  ) => Effect.Effect<void, RunNotFound | CommandError | InvalidId | EventLogError>
  /** Does something to a run; where nobody executes it, nobody else does anything to it meanwhile. */
  readonly reach: <A, E>(
    runId: string,
    use: (found: Found) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | RunNotFound | EventLogError>
  /** The id of a command that is given one, or a fresh one. */
  readonly commandIdOf: (commandId: string | undefined) => Effect.Effect<CommandId, InvalidId>
  /** The entries of a run after a position; to come only where it is under way. */
  readonly entries: (runId: RunId, after: Seq) => Stream.Stream<Entry, EventLogError>
  /** The handle of a run that is under way. */
  readonly handleOf: (active: Active) => RunHandle
  /** The handle of a run, wherever it stands. */
  readonly currentHandleOf: (run: Run.Run) => RunHandle
  /** Continues all that can be, and gives the handles. */
  readonly recover: Effect.Effect<ReadonlyArray<RunHandle>, EventLogError>
}

/** Handles for the runs of one control plane; nobody else can be executing those that are `inherited`. */
export const makeHandles = (
  log: EventLogService,
  executions: Executions,
  recovery: Recovery,
  inherited: ReadonlySet<RunId>
): Effect.Effect<Handles> =>
  Effect.gen(function* () {
    // Two of those that continue runs must not continue the same one.
    const recovering = yield* makeSemaphore(1)

    /** The state of any run that the log knows of. */
    const lookup = (runId: string): Effect.Effect<Run.Run, RunNotFound | EventLogError> =>
      Effect.suspend(() => {
        const active = executions.get(runId)
        if (active !== undefined) return Effect.succeed(active.run)
        if (!isRunId(runId)) return Effect.fail(new RunNotFound({ runId }))
        return Effect.flatMap(findRun(log, runId), (run) =>
          run === undefined ? Effect.fail(new RunNotFound({ runId })) : Effect.succeed(run)
        )
      })

    const commandIdOf = (commandId: string | undefined): Effect.Effect<CommandId, InvalidId> =>
      commandId === undefined
        ? generateCommandId
        : isCommandId(commandId)
          ? Effect.succeed(commandId)
          : Effect.fail(new InvalidId({ id: commandId }))

    /** A run that was not under way when it was last looked at. */
    const find = (runId: string): Effect.Effect<Found, RunNotFound | EventLogError> =>
      Effect.gen(function* () {
        const run = yield* lookup(runId)
        const active = executions.get(runId)
        if (active !== undefined) return { run, active, isIdle: false }
        // Its registration has just become durable, and its execution begins in a moment.
        if (executions.owned.has(run.id)) return yield* Effect.zipRight(Effect.yieldNow(), find(runId))
        const idle = run.status === "Interrupted" || inherited.has(run.id) || executions.broken.has(run.id)
        return { run, active, isIdle: idle && !Run.isTerminal(run.status) && !executions.isClosed() }
      })

    const reach: Handles["reach"] = (runId, use) =>
      Effect.suspend(() => {
        const active = executions.get(runId)
        return active === undefined
          ? recovering.withPermits(1)(Effect.flatMap(find(runId), use))
          : use({ run: active.run, active, isIdle: false })
      })

    const sendCommand: Handles["sendCommand"] = (runId, command, commandId) =>
      Effect.flatMap(commandIdOf(commandId), (id) =>
        reach(runId, ({ active, isIdle, run }): Effect.Effect<void, CommandError | EventLogError> => {
          if (active !== undefined) return executions.send(active, id, command)
          return isIdle && malformed(command) === undefined
            ? recovery.wake(run, id, command)
            : answer(run, id, command)
        })
      )

    const handleOf = (active: Active): RunHandle => {
      const { result, run } = active
      const here = () => executions.get(run.id) === active || executions.isClosed()
      return {
        runId: run.id,
        events: Stream.suspend(() => executions.entriesOf(active, beforeRegistration(run))),
        control: (command, commandId) =>
          Effect.suspend(() =>
            here()
              ? Effect.flatMap(commandIdOf(commandId), (id) => executions.send(active, id, command))
              : restingHandleOf(run).control(command, commandId)
          ),
        result: Deferred.await(result),
        status: Effect.sync(() => run.status)
      }
    }

    /** The handle of a run that nothing executed when it was last looked at. */
    const restingHandleOf = (seen: Run.Run): RunHandle => {
      const now = Effect.suspend(() =>
        Run.isTerminal(seen.status) ? Effect.succeed(seen) : lookup(seen.id)
      ).pipe(
        // It is kept no longer.
        Effect.catchTag("RunNotFound", () => Effect.succeed(seen))
      )
      return {
        runId: seen.id,
        events: Stream.unwrap(Effect.sync(() => entries(seen.id, beforeRegistration(seen)))),
        control: (command, commandId) =>
          Effect.catchTag(sendCommand(seen.id, command, commandId), "RunNotFound", () =>
            Effect.fail(refuse(seen, command))
          ),
        result: Effect.suspend(() => {
          const active = executions.get(seen.id)
          return active === undefined ? Effect.map(now, resultOf) : Deferred.await(active.result)
        }),
        status: Effect.map(now, ({ status }) => status)
      }
    }

    const entries = (runId: RunId, after: Seq) => {
      const active = executions.get(runId)
      return active === undefined ? log.read({ after, runs: [runId] }) : executions.entriesOf(active, after)
    }

    const currentHandleOf = (run: Run.Run): RunHandle => {
      const active = executions.get(run.id)
      return active === undefined ? restingHandleOf(run) : handleOf(active)
    }

    return {
      lookup,
      reach,
      commandIdOf,
      sendCommand,
      entries,
      handleOf,
      currentHandleOf,
      recover: Effect.map(recovering.withPermits(1)(recovery.all), (runs) => runs.map(handleOf))
    }
  })
