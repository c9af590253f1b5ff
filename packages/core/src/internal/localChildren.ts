import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { ControlCommand } from "../Command.js"
import type * as EventLog from "../EventLog.js"
import { generateCommandId, type RunId } from "../Ids.js"
import * as Plan from "../Plan.js"
import * as Run from "../Run.js"
import { resultOf } from "../RunResult.js"
import type { Children } from "./childItems.js"
import { childRegistration, failureFrom } from "./childRegistration.js"
import type { Engine } from "./execution.js"

interface Begun {
  readonly run: Run.Run
  readonly engine: Pick<Engine, "send" | "done">
}

/** Children of a run that no control plane executes: closing the scope suspends them too. */
export const makeLocalChildren = (
  log: EventLog.Service,
  execute: (run: Run.Run, plan: Plan.Plan) => Effect.Effect<Begun["engine"], never, Scope.Scope>
): Effect.Effect<Children, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const underWay = new Map<RunId, Begun>()

    const send = (runId: RunId, command: ControlCommand) =>
      Effect.suspend(() => {
        const engine = underWay.get(runId)?.engine
        if (engine === undefined) return Effect.void
        return Effect.ignore(Effect.flatMap(generateCommandId, (id) => engine.send(id, command)))
      })
    const done = (runId: RunId) => Effect.suspend(() => underWay.get(runId)?.engine.done ?? Effect.void)

    return {
      begin: (child) =>
        Effect.gen(function* () {
          const plan = yield* Plan.make(child.workflow)
          const event = yield* childRegistration(plan, child)
          const run = Run.fold(yield* log.append(child.runId, [event]))
          if (run === undefined) return
          underWay.set(child.runId, { run, engine: yield* Scope.extend(execute(run, plan), scope) })
        }).pipe(Effect.mapError(failureFrom)),
      ended: (runId) =>
        Effect.flatMap(Effect.mapError(done(runId), failureFrom), () => {
          const run = underWay.get(runId)?.run
          return run === undefined
            ? Effect.fail({ kind: "RunNotFound", message: `run ${runId} was not begun` })
            : Effect.succeed(resultOf(run))
        }),
      pause: (runId, mode) =>
        Effect.map(send(runId, { _tag: "Pause", mode }), () => {
          const run = underWay.get(runId)?.run
          return run !== undefined && Run.isTerminal(run.status) ? resultOf(run) : undefined
        }),
      cancel: (runId) => Effect.zipRight(send(runId, { _tag: "Cancel" }), Effect.ignore(done(runId)))
    }
  })
