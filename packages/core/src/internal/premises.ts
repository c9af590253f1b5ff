import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Event, Failure } from "../Event.js"
import type { Run } from "../Run.js"
import type { Workspace, WorkspaceError } from "../WorkspaceService.js"
import { messageOf } from "./cause.js"
import { type Fork, makeScope } from "./compat.js"

type Got = Exit.Exit<Workspace, WorkspaceError>

/** The workspace of one run, which is got when something is to be done for the first time. */
export interface Premises {
  /** What holds the workspace; closed with the outcome of the run. */
  readonly scope: Scope.CloseableScope
  readonly workspace: () => Workspace | undefined
  /** Gets the workspace, unless that was tried already. */
  readonly prepare: () => void
  readonly isPreparing: () => boolean
  /** Takes note of what came of it. */
  readonly ended: (exit: Got) => void
  /** Why it could not be got. */
  readonly failure: () => Failure | undefined
}

/** `got` is called with what came of getting the workspace, and hands it to `ended` when its turn has come. */
export const makePremises = (
  run: Run,
  create: Effect.Effect<Workspace, WorkspaceError, Scope.Scope>,
  fork: Fork,
  emit: (event: Event) => void,
  got: (exit: Got) => void
): Premises => {
  const scope = makeScope()
  let workspace: Workspace | undefined
  let preparing = false
  let failure: Failure | undefined
  return {
    scope,
    workspace: () => workspace,
    isPreparing: () => preparing,
    failure: () => failure,
    prepare: () => {
      if (workspace !== undefined || failure !== undefined || preparing) return
      preparing = true
      fork(Scope.extend(create, scope)).addObserver(got)
    },
    ended: (exit) => {
      preparing = false
      if (Exit.isFailure(exit)) {
        failure = { kind: "WorkspaceError", message: messageOf(exit.cause) }
        return
      }
      workspace = exit.value
      if (run.workspace !== workspace.root) emit({ _tag: "WorkspaceCreated", path: workspace.root })
    }
  }
}
