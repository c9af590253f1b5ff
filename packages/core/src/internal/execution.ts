import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { ControlCommand } from "../Command.js"
import type * as EventLog from "../EventLog.js"
import type { CommandId } from "../Ids.js"
import type { Plan } from "../Plan.js"
import type * as Run from "../Run.js"
import type { Workspace, WorkspaceError } from "../WorkspaceService.js"
import type { Budgets } from "./budgets.js"
import type { Children } from "./childItems.js"
import type { Limiter } from "./limiter.js"
import type { CommandError, MigrationError } from "./message.js"
import type { Migration, MigrationReason } from "./migration.js"

/** What the engine needs to execute one run. */
export interface Input {
  readonly plan: Plan
  /** The recorded state, owned by the engine from here on. */
  readonly run: Run.Run
  /** Waits for a slot, and gives it back when its scope closes. */
  readonly admit: Effect.Effect<void, never, Scope.Scope>
  /** Creates the workspace, or opens the one there is; its scope is closed with the run's outcome. */
  readonly workspace: Effect.Effect<Workspace, WorkspaceError, Scope.Scope>
  /** Whether the workspace is still there once its scope has closed. */
  readonly kept: Effect.Effect<boolean>
  readonly log: EventLog.Service
  readonly registry: AgentRegistry.Service
  /** Lets attempts begin as the limits of their groups allow. */
  readonly limiter: Limiter
  /** Lets attempts begin as the agents have room for them. */
  readonly rooms: Limiter
  /** What the runs of this host share of their budgets. */
  readonly budgets: Budgets
  /** Has the items executed that are runs themselves. */
  readonly children: Children
}

/** A run under way: commands are acknowledged once they are durable. */
export interface Engine {
  readonly send: (commandId: CommandId, command: ControlCommand) => Effect.Effect<void, CommandError>
  /** Has a run that is paused go on by another plan, or gives what speaks against it. */
  readonly migrate: (migration: Migration) => Effect.Effect<ReadonlyArray<MigrationReason>, MigrationError>
  /** Has the run executed from now on; closing the scope suspends it, so that it can be recovered. */
  readonly start: Effect.Effect<void, never, Scope.Scope>
  /** Waits until the terminal event is durable, or until the run is suspended. */
  readonly done: Effect.Effect<void, EventLog.LogWriteFailed>
}
