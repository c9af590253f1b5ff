import * as Effect from "effect/Effect"
import type { CommandConflict } from "../Command.js"
import type { EventLogError, Service as EventLogService } from "../EventLog.js"
import type { CommandId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { MigrationError } from "../Orchestrator.js"
import type { InvalidParams } from "../Params.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import { type InvalidId, MigrationRefused, type RunNotFound } from "../RunErrors.js"
import { isTaken, notHere } from "./adopting.js"
import type { Executions } from "./executions.js"
import type { Found, Handles } from "./handles.js"
import { judge, type Migration, type MigrationReason } from "./migration.js"
import { pinnedHash } from "./pinnedHash.js"
import type { Recovery } from "./recovery.js"

/** A plan that a run is to go on by, and what it makes of the parameters of the run. */
export interface NewPlan {
  readonly plan: Plan
  readonly checkParams: (params: Json) => Effect.Effect<Json, InvalidParams>
}

/** Gives a run another plan. */
export type Migrate = (
  runId: string,
  newPlan: NewPlan,
  commandId: string | undefined
) => Effect.Effect<void, MigrationRefused | RunNotFound | CommandConflict | InvalidId | EventLogError>

/** Gives runs other plans: through who executes them, or in the log where nobody does. */
export const makeMigrating = (
  log: EventLogService,
  executions: Executions,
  handles: Handles,
  recovery: Recovery
): Migrate => {
  const migrationOf = (run: Run.Run, commandId: CommandId, { checkParams, plan }: NewPlan) =>
    Effect.map(
      Effect.match(checkParams(run.params), {
        onFailure: ({ problems }) => ({ problems }),
        onSuccess: (value) => ({ value })
      }),
      (params): Migration => ({
        commandId,
        plan,
        hash: pinnedHash(plan.definition),
        from: run.definition,
        params
      })
    )

  /** Gives a run that nobody executes another plan; who continues it will go by that. */
  const record = (run: Run.Run, migration: Migration) =>
    Effect.gen(function* () {
      if (yield* isTaken(run, migration)) return []
      // It counts as interrupted, whether its last entry says so or not.
      const status = run.status === "Paused" ? run.status : "Interrupted"
      const found = judge(Run.isTerminal(run.status) ? run : { ...run, status }, migration)
      if (!("_tag" in found)) return found
      const before = status === "Paused" ? [] : recovery.interruptionOf(run)
      yield* log.append(run.id, [...before, found])
      return []
    })

  const reasonsIn = (
    found: Found,
    commandId: CommandId,
    newPlan: NewPlan
  ): Effect.Effect<ReadonlyArray<MigrationReason>, MigrationError | EventLogError> =>
    Effect.gen(function* () {
      const { active, run } = found
      const migration = yield* migrationOf(run, commandId, newPlan)
      if (Run.hashOf(run) === migration.hash) {
        yield* isTaken(run, migration)
        return []
      }
      if (active !== undefined) return yield* executions.migrate(active, migration)
      if (found.isIdle || Run.isTerminal(run.status)) return yield* record(run, migration)
      return (yield* isTaken(run, migration)) ? [] : notHere
    })

  return (runId, newPlan, commandId) =>
    Effect.gen(function* () {
      const id = yield* handles.commandIdOf(commandId)
      return yield* handles.reach(runId, (found) =>
        Effect.flatMap(reasonsIn(found, id, newPlan), (reasons) =>
          reasons.length === 0
            ? Effect.void
            : Effect.fail(new MigrationRefused({ runId: found.run.id, reasons }))
        )
      )
    })
}
