import * as Schema from "effect/Schema"
import { Ceilings } from "./Budget.js"
import { Decision, PauseMode } from "./Event.js"
import { type CommandId, RunId, StepId } from "./Ids.js"
import { isSame } from "./internal/jsonValue.js"
import { Json } from "./Json.js"
import { type AcceptedCommand, RunStatus } from "./Run.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * What can be asked of a run that has not ended. `Pause` drains by default; `SetConcurrency` takes effect at once, up and
 * down; `Cancel` may come at any time before the end. A run that was interrupted takes `Resume`, which continues it, and
 * `Cancel`, which ends it; it is executed again for either. `Decide` answers a step that awaits approval; `Signal` is for
 * every step that waits for it, or for the next one that will. `RaiseBudget` gives the run, or one of its steps, new ceilings,
 * above what is used already; a run that stands still because of a budget goes on then.
 */
export const ControlCommand = Schema.Union(
  Schema.TaggedStruct("Pause", { mode: optional(PauseMode) }),
  Schema.TaggedStruct("Resume", {}),
  Schema.TaggedStruct("Cancel", { reason: optional(Schema.String) }),
  Schema.TaggedStruct("SetConcurrency", { limit: Schema.Int.pipe(Schema.positive()) }),
  Schema.TaggedStruct("Decide", {
    stepId: StepId,
    decision: Decision,
    by: optional(Schema.String),
    comment: optional(Schema.String)
  }),
  Schema.TaggedStruct("Signal", { name: Schema.NonEmptyString, payload: optional(Json) }),
  Schema.TaggedStruct("RaiseBudget", { stepId: optional(StepId), ...Ceilings.fields })
)
export type ControlCommand = typeof ControlCommand.Type

/** A command that does not apply to a run as it stands; nothing was changed. */
export class IllegalCommand extends Schema.TaggedError<IllegalCommand>()("IllegalCommand", {
  runId: RunId,
  command: Schema.String,
  status: RunStatus,
  reason: Schema.String
}) {
  override get message() {
    return `Cannot ${this.command} run ${this.runId}: ${this.reason}`
  }
}

/** A command whose id was used for another one; nothing was changed. */
export class CommandConflict extends Schema.TaggedError<CommandConflict>()("CommandConflict", {
  runId: RunId,
  commandId: Schema.String
}) {
  override get message() {
    return `Command ${this.commandId} of run ${this.runId} was sent before with another content; use a fresh id`
  }
}

const tags = {
  Pause: "PauseRequested",
  Resume: "ResumeRequested",
  Cancel: "CancelRequested",
  SetConcurrency: "ConcurrencySet",
  Decide: "ApprovalDecided",
  Signal: "SignalReceived",
  RaiseBudget: "BudgetRaised"
} as const

/** The names of all commands. */
export const names: ReadonlyArray<string> = Object.keys(tags)

/** The tag of the event that records a command. */
export const tagOf = (command: ControlCommand): (typeof tags)[ControlCommand["_tag"]] => tags[command._tag]

/** The event that records a command as accepted; it is a function of the command alone, so that repeats can be told. */
export const toEvent = (commandId: CommandId, command: ControlCommand): AcceptedCommand => {
  switch (command._tag) {
    case "Pause":
      return { _tag: "PauseRequested", commandId, mode: command.mode ?? "drain" }
    case "Resume":
      return { _tag: "ResumeRequested", commandId }
    case "Cancel":
      return {
        _tag: "CancelRequested",
        commandId,
        ...(command.reason === undefined ? {} : { reason: command.reason })
      }
    case "SetConcurrency":
      return { _tag: "ConcurrencySet", commandId, limit: command.limit }
    case "Decide": {
      const { by, comment, decision, stepId } = command
      return {
        _tag: "ApprovalDecided",
        commandId,
        stepId,
        decision,
        ...(by === undefined ? {} : { by }),
        ...(comment === undefined ? {} : { comment })
      }
    }
    case "Signal":
      return { _tag: "SignalReceived", commandId, name: command.name, payload: command.payload ?? null }
    case "RaiseBudget": {
      const { _tag: _, ...raised } = command
      return { _tag: "BudgetRaised", commandId, ...raised }
    }
  }
}

/** Whether an accepted command is the same as one that is sent again. */
export const isRepeat = (accepted: AcceptedCommand, sent: AcceptedCommand): boolean =>
  isSame(accepted as unknown as Json, sent as unknown as Json)
