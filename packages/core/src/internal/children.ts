import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { ControlCommand } from "../Command.js"
import { type Event, isTerminal } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import { CommandId, generate, origin, type RunId } from "../Ids.js"
import type * as Plan from "../Plan.js"
import * as Run from "../Run.js"
import { resultOf } from "../RunResult.js"
import type { Definition } from "../WorkflowDefinition.js"
import type { Children } from "./childItems.js"
import { childRegistration, failureFrom } from "./childRegistration.js"
import { forkDaemon } from "./compat.js"
import type { Executions } from "./executions.js"
import type { Handles } from "./handles.js"
import type { RegisterOnce } from "./registering.js"

/** Begins the ids of commands that come from the run whose item another one is. */
const fromParent = "from-parent."

/** Whether a run stands still because the one did whose item it is, and not because somebody else wanted it to. */
const pausedByParent = (run: Run.Run): boolean => {
  if (run.pause === undefined) return false
  const pauses = [...run.commands].filter(([, { _tag }]) => _tag === "PauseRequested")
  return pauses.at(-1)?.[0].startsWith(fromParent) ?? false
}

const standStill: ReadonlySet<Event["_tag"]> = new Set(["RunPaused", "RunOverBudget", "RunInterrupted"])

/** Children that are registered and executed as all runs of a control plane are. */
export const makeChildren = (
  log: EventLog.Service,
  executions: Executions,
  { lookup, sendCommand }: Handles,
  registerOnce: RegisterOnce,
  planOf: (definition: Definition) => Effect.Effect<Plan.Plan, Plan.InvalidWorkflow>,
  maxCrashes: number
): Children => {
  /** Sends a command that a child may have no use for any more, or not be there for. */
  const send = (runId: RunId, command: ControlCommand) =>
    Effect.flatMap(generate, (id) =>
      Effect.ignore(sendCommand(runId, command, CommandId.make(`${fromParent}${id}`)))
    )

  const goOn = (runId: RunId) =>
    Effect.flatMap(lookup(runId), (run) => {
      // Where somebody else has it stand still, it is left to them, also after its host was gone.
      const isOurs = run.pause === undefined ? run.status === "Interrupted" : pausedByParent(run)
      const stands = isOurs && !Run.isParked(run, maxCrashes)
      return stands ? send(runId, { _tag: "Resume" }) : Effect.void
    })

  const begin: Children["begin"] = (child) =>
    Effect.gen(function* () {
      const plan = yield* planOf(child.workflow)
      yield* registerOnce(child.runId, yield* childRegistration(plan, child), plan)
      yield* goOn(child.runId)
    }).pipe(Effect.mapError(failureFrom))

  /** Its end where it is under way here, or its standing still where that is not by its own end. */
  const endedHere = (runId: RunId) =>
    Effect.suspend(() => {
      const active = executions.get(runId)
      return active === undefined ? Effect.void : Effect.ignore(Deferred.await(active.result))
    })

  const ended: Children["ended"] = (runId) =>
    Effect.gen(function* () {
      yield* endedHere(runId)
      const run = yield* lookup(runId)
      if (Run.isTerminal(run.status)) return resultOf(run)
      // It awaits a command, and whoever sends one has it executed again.
      yield* Stream.runHead(
        Stream.filter(log.follow({ after: origin, runs: [runId] }), ({ event }) => isTerminal(event))
      )
      return resultOf(yield* lookup(runId))
    }).pipe(Effect.mapError(failureFrom))

  return {
    begin,
    ended,
    pause: (runId, mode) =>
      Effect.gen(function* () {
        const after = yield* log.head
        const { pause, status } = yield* lookup(runId)
        // Where somebody else has it stand still already, it is left to them.
        if (pause === undefined || (status === "Running" && pause !== mode))
          yield* send(runId, { _tag: "Pause", mode })
        const active = executions.get(runId)
        if (active === undefined || active.run.status === "Paused" || active.run.status === "OverBudget")
          return
        const paused = Stream.runHead(
          Stream.filter(executions.entriesOf(active, after), ({ event }) => standStill.has(event._tag))
        )
        // Where the log is gone nothing is recorded of it, but it is left all the same.
        // Another command may interrupt this once more, which must not cut it short.
        const waiting = yield* forkDaemon(Effect.interruptible(paused))
        const watching = yield* forkDaemon(
          Effect.zipRight(
            Effect.exit(Effect.interruptible(Deferred.await(active.result))),
            Fiber.interrupt(waiting)
          )
        )
        yield* Fiber.await(waiting)
        yield* Fiber.interrupt(watching)
      }).pipe(
        Effect.ignore,
        Effect.zipRight(lookup(runId)),
        // What is not there has not ended.
        Effect.match({
          onFailure: () => undefined,
          onSuccess: (run) => (Run.isTerminal(run.status) ? resultOf(run) : undefined)
        })
      ),
    cancel: (runId) => Effect.zipRight(send(runId, { _tag: "Cancel" }), endedHere(runId))
  }
}
