import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Event, Failure } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import type { StepId } from "../Ids.js"
import type { Json } from "../Json.js"
import * as Run from "../Run.js"
import type { Workspace, WorkspaceError } from "../WorkspaceService.js"

/** How a run ends. */
export type Ending =
  | { readonly _tag: "Completed"; readonly output: Json | undefined }
  | { readonly _tag: "Failed"; readonly failure: Failure; readonly stepId: StepId | undefined }
  | { readonly _tag: "Cancelled" }

/** How a run ends that was left when that had been decided. */
export const decidedFor = ({ compensating, status }: Run.Run): Ending | undefined => {
  if (status === "Cancelling") return { _tag: "Cancelled" }
  const { failure, stepId } = compensating ?? {}
  return failure === undefined ? undefined : { _tag: "Failed", failure, stepId }
}

/** Why a step that is not settled when the run ends does not come to an end of its own. */
export const reasonOf = (how: Ending): string =>
  ({
    Completed: "the run completed, so nothing is to be undone",
    Failed: "the run failed",
    Cancelled: "the run was cancelled"
  })[how._tag]

/** A run that is about to end: nothing of it is under way any more, and its steps are settled. */
export interface Closing {
  readonly run: Run.Run
  /** The workspace, where the run got it in this process. */
  readonly held: Workspace | undefined
  readonly workspace: Effect.Effect<Workspace, WorkspaceError, Scope.Scope>
  readonly scope: Scope.CloseableScope
  readonly kept: Effect.Effect<boolean>
  readonly emit: (event: Event) => void
  readonly now: () => number
  readonly sync: Effect.Effect<void, EventLog.LogWriteFailed>
}

const release = (how: Ending, { emit, held, kept, run, scope, workspace }: Closing) =>
  Effect.gen(function* () {
    // A run that was continued may end before it needs its workspace again; the retention policy holds all the same.
    // So it does for one that was made just before a crash, and not recorded.
    const made = run.workspace !== undefined || (run.interruptions > 0 && (yield* kept))
    const opened =
      held ?? (made ? Option.getOrUndefined(yield* Effect.option(Scope.extend(workspace, scope))) : undefined)
    if (opened === undefined) return
    const exits = {
      Completed: Exit.void,
      Failed: Exit.fail(how),
      Cancelled: Exit.interrupt(yield* Effect.fiberId)
    }
    yield* Scope.close(scope, exits[how._tag])
    const remains = yield* kept
    if (run.workspace === undefined) emit({ _tag: "WorkspaceCreated", path: opened.root })
    emit({ _tag: "WorkspaceReleased", path: opened.root, kept: remains })
  })

/** Lets go of the workspace as its retention policy says, and records the end of the run. */
export const recordEnd = (how: Ending, closing: Closing): Effect.Effect<void, EventLog.LogWriteFailed> =>
  Effect.gen(function* () {
    const { emit, now, run, sync } = closing
    // A step that is not recorded as done is done again, and needs its files then.
    yield* sync
    yield* release(how, closing)
    const summary = Run.summary(run, now())
    if (how._tag === "Completed") {
      const { output } = how
      emit({ _tag: "RunCompleted", summary, ...(output === undefined ? {} : { output }) })
    } else if (how._tag === "Failed") {
      const at = how.stepId === undefined ? {} : { stepId: how.stepId }
      emit({ _tag: "RunFailed", failure: how.failure, ...at, summary })
    } else {
      const reason = run.cancel?.reason
      emit({ _tag: "RunCancelled", ...(reason === undefined ? {} : { reason }), summary })
    }
    yield* sync
  })
