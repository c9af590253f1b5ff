import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EventOf } from "../Event.js"
import type { EventLogError, Service as EventLogService } from "../EventLog.js"
import { generateRunId, logId, RunId } from "../Ids.js"
import type { Json } from "../Json.js"
import type * as Plan from "../Plan.js"
import * as Run from "../Run.js"
import { InvalidId, RunExists } from "../RunErrors.js"
import type { RunHandle } from "../RunHandle.js"
import { makeExclusive } from "./exclusive.js"
import type { Executions } from "./executions.js"
import type { Handles } from "./handles.js"
import { isSame } from "./jsonValue.js"
import { ordered } from "./registration.js"

const isRunId = Schema.is(RunId)

/** Registers a run and has it executed, unless the same one has this id already. */
export type RegisterOnce = (
  id: string | undefined,
  event: EventOf<"RunRegistered">,
  plan: Plan.Plan,
  reused?: ReadonlyArray<EventOf<"StepReused">>
) => Effect.Effect<RunHandle, InvalidId | RunExists | EventLogError>

/** Registers runs on a log. */
export const makeRegistering = (
  log: EventLogService,
  executions: Executions,
  { currentHandleOf, handleOf, lookup }: Handles
): Effect.Effect<RegisterOnce> =>
  Effect.gen(function* () {
    const alone = makeExclusive()

    const registered = (
      id: RunId,
      { inputs = {}, origin, params, parent, permissions, workflow }: EventOf<"RunRegistered">
    ) =>
      Effect.map(lookup(id).pipe(Effect.catchTag("RunNotFound", () => Effect.succeed(undefined))), (run) => {
        if (run === undefined) return undefined
        const links = [run.origin ?? null, run.inputs, run.parent ?? null]
        const granted = ordered(permissions) ?? null
        const asked = [workflow, params, granted, origin ?? null, inputs, parent ?? null] as unknown as Json
        // One that was migrated since is found by what it was registered with as well.
        const same = [run, ...(run.registeredAs === undefined ? [] : [run.registeredAs])].some((each) =>
          isSame(
            [each.definition, each.params, ordered(each.permissions) ?? null, ...links] as unknown as Json,
            asked
          )
        )
        return { same, handle: currentHandleOf(run) }
      })

    const register = (
      runId: RunId,
      event: EventOf<"RunRegistered">,
      plan: Plan.Plan,
      reused: ReadonlyArray<EventOf<"StepReused">> = []
    ) =>
      Effect.uninterruptible(
        Effect.suspend(() => {
          executions.owned.add(runId)
          return Effect.flatMap(log.append(runId, [event, ...reused]), (entries) => {
            const run = Run.fold(entries)
            return run === undefined
              ? Effect.die(new Error("the log gave no entry for what it appended"))
              : Effect.map(executions.launch(run, plan), handleOf)
          })
        }).pipe(Effect.tapError(() => Effect.sync(() => executions.owned.delete(runId))))
      )

    const registerOnce: RegisterOnce = (id, event, plan, reused = []) =>
      Effect.gen(function* () {
        if (id === undefined) return yield* register(yield* generateRunId, event, plan, reused)
        if (!isRunId(id) || id === logId) return yield* new InvalidId({ id })
        return yield* alone(id)(
          Effect.gen(function* () {
            const existing = yield* registered(id, event)
            if (existing === undefined) return yield* register(id, event, plan, reused)
            return existing.same ? existing.handle : yield* new RunExists({ runId: id })
          })
        )
      })

    return registerOnce
  })
