import type * as Deferred from "effect/Deferred"
import type * as Exit from "effect/Exit"
import type { Breach } from "../Budget.js"
import type { CommandConflict, ControlCommand, IllegalCommand } from "../Command.js"
import type * as EventLog from "../EventLog.js"
import type { CommandId } from "../Ids.js"
import type { Workspace, WorkspaceError } from "../WorkspaceService.js"
import type { ItemEnd } from "./attempts.js"
import type { Computed } from "./compute.js"
import type { Migration, MigrationReason } from "./migration.js"
import type { Lane } from "./schedule.js"

/** Why a command was not taken. */
export type CommandError = IllegalCommand | CommandConflict | EventLog.LogWriteFailed

/** Why a migration came to nothing beside what speaks against it. */
export type MigrationError = CommandConflict | EventLog.LogWriteFailed

/** Who waits for the acknowledgement of a command. */
export type Reply = Deferred.Deferred<void, CommandError>

/** What a coordinator is told; a time that is over is that of a step, or of the whole run, and an alarm is for steps that wait, in the order of its coming. */
export type Message =
  | { readonly _tag: "Admitted" | "Alarm" }
  | { readonly _tag: "WorkspaceEnded"; readonly exit: Exit.Exit<Workspace, WorkspaceError> }
  | {
      readonly _tag: "ItemEnded"
      readonly lane: Lane
      readonly index: number
      readonly end: ItemEnd | Computed | undefined
    }
  | { readonly _tag: "TimeOver"; readonly lane: Lane | undefined }
  | { readonly _tag: "BudgetBreached"; readonly breach: Breach }
  | {
      readonly _tag: "Durable"
      readonly exit: Exit.Exit<unknown, EventLog.LogWriteFailed>
      readonly settled: ReadonlyArray<Lane>
    }
  | {
      readonly _tag: "Migrate"
      readonly migration: Migration
      /** Gets what speaks against it, or nothing once it is durable. */
      readonly reply: Deferred.Deferred<ReadonlyArray<MigrationReason>, MigrationError>
    }
  | {
      readonly _tag: "Command"
      readonly id: CommandId
      readonly command: ControlCommand
      readonly reply: Reply
    }
