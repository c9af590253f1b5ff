import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Budget from "../Budget.js"
import {
  CommandConflict,
  ControlCommand,
  IllegalCommand,
  isRepeat,
  names,
  tagOf,
  toEvent
} from "../Command.js"
import type { CommandId } from "../Ids.js"
import { didYouMean } from "../Nearest.js"
import * as Run from "../Run.js"
import { budgetOf, ranFor, stepRanFor } from "./budgetFold.js"
import { misshapenIn, problemOf } from "./shape.js"

const reasons: { readonly [Status in Run.RunStatus]: string } = {
  Queued: "it is waiting for a slot and not paused",
  Running: "it is running and not paused",
  Paused: "it is paused already",
  OverBudget:
    "it is over its budget; send RaiseBudget with a higher ceiling to go on with it, or Cancel to end it",
  Cancelling: "it is being cancelled",
  Interrupted: "it was interrupted; recover it, or send Resume to go on with it or Cancel to end it",
  Completed: "it has completed",
  Failed: "it has failed",
  Cancelled: "it was cancelled"
}

const decode = Schema.decodeUnknownEither(ControlCommand, { errors: "all" })

/** What is wrong with a command that came untyped, or `undefined` when it is one. */
export const malformed = (command: ControlCommand): string | undefined => {
  const name: unknown = command?._tag
  if (typeof name !== "string") return `it is not a command; its _tag must be one of ${names.join(", ")}`
  if (!names.includes(name))
    return `there is no such command${didYouMean(name, names) || `; there is ${names.join(", ")}`}`
  const decoded = decode(command)
  if (Either.isRight(decoded)) return undefined
  return misshapenIn(decoded.left)
    .map(problemOf)
    .map(({ message, path }) => `${path}: ${message}`)
    .join("; ")
}

/** Why a decision is not taken, or `undefined` where it is. */
const undecidable = (
  run: Run.Run,
  { by, stepId }: Extract<ControlCommand, { readonly _tag: "Decide" }>
): string | undefined => {
  const step = run.steps.get(stepId)
  if (step === undefined) return `there is no step "${stepId}"${didYouMean(stepId, [...run.steps.keys()])}`
  if (step.status !== "Waiting" || step.wait?.for !== "approval")
    return `"${stepId}" does not await a decision`
  if (step.wait.answer !== undefined) return `"${stepId}" was decided already`
  const { approvers } = step.wait
  return approvers === undefined || (by !== undefined && approvers.includes(by))
    ? undefined
    : `only ${approvers.join(", ")} may decide about "${stepId}"`
}

/** Why ceilings are not taken, or `undefined` where they are. */
const unraisable = (
  run: Run.Run,
  { stepId, ...ceilings }: Extract<ControlCommand, { readonly _tag: "RaiseBudget" }>
): string | undefined => {
  const step = stepId === undefined ? undefined : run.steps.get(stepId)
  if (stepId !== undefined && step === undefined)
    return `there is no step "${stepId}"${didYouMean(stepId, [...run.steps.keys()])}`
  const given = Budget.dimensions.filter((dimension) => ceilings[dimension] !== undefined)
  if (given.length === 0) return "it gives no ceiling; give tokens, costMicroUsd or wallMillis"
  const whose = stepId === undefined ? "the run" : `step "${stepId}"`
  const budget = budgetOf(run, stepId)
  const ran = step === undefined ? ranFor(run, run.lastTime) : stepRanFor(run, step, run.lastTime)
  for (const dimension of given) {
    if (budget?.[dimension] === undefined) return `${whose} has no ceiling of ${dimension} to be raised`
    const spent = Budget.spentOf((step ?? run).usage, ran, dimension)
    if ((ceilings[dimension] ?? 0) <= spent)
      return `${whose} has used ${Budget.show(dimension, spent)} already; give more than that`
  }
  return undefined
}

/** The refusal of a command to a run that stands as it does. */
export const refuse = (run: Run.Run, command: ControlCommand, reason?: string): IllegalCommand =>
  new IllegalCommand({
    runId: run.id,
    command: String(command?._tag ?? "command"),
    status: run.status,
    reason: reason ?? reasons[run.status]
  })

const notHere = "nothing executes it here any more; send the command again once the run is recovered"

/** The answer to a command for a run that nothing executes: what was accepted before is answered again, all else refused. */
export const answer = (
  run: Run.Run,
  id: CommandId,
  command: ControlCommand,
  reason: string = notHere
): Effect.Effect<void, IllegalCommand | CommandConflict> => {
  const wrong = malformed(command)
  if (wrong !== undefined) return Effect.fail(refuse(run, command, wrong))
  const accepted = run.commands.get(id)
  if (accepted === undefined)
    return Effect.fail(refuse(run, command, Run.isTerminal(run.status) ? undefined : reason))
  return isRepeat(accepted, toEvent(id, command))
    ? Effect.void
    : Effect.fail(new CommandConflict({ runId: run.id, commandId: id }))
}

/** Why a command that was not sent before is not taken, or `undefined` where it is. */
export const refusalOf = (
  run: Run.Run,
  command: ControlCommand,
  isEnding: boolean
): IllegalCommand | undefined => {
  const wrong = malformed(command)
  if (wrong !== undefined) return refuse(run, command, wrong)
  if (isEnding && command._tag !== "Cancel") return refuse(run, command, "it is about to end")
  if (Run.next(run, tagOf(command)) === undefined) return refuse(run, command)
  if (command._tag === "Resume" && run.pause === undefined) return refuse(run, command)
  const reason =
    command._tag === "Decide"
      ? undecidable(run, command)
      : command._tag === "RaiseBudget"
        ? unraisable(run, command)
        : undefined
  return reason === undefined ? undefined : refuse(run, command, reason)
}
