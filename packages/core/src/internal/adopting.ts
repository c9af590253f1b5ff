import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { CommandConflict } from "../Command.js"
import type { Plan } from "../Plan.js"
import type * as Run from "../Run.js"
import { completeDeferred } from "./compat.js"
import type { Message } from "./message.js"
import { judge, type Migration, type MigrationReason } from "./migration.js"
import type { Recorder } from "./recorder.js"

/** What is answered where nothing executes the run any more. */
export const notHere: ReadonlyArray<MigrationReason> = [
  { path: "status", message: "nothing executes the run here any more; try again once it is recovered" }
]

/** Whether this migration was taken before, or another command with its id, which fails. */
export const isTaken = (
  run: Run.Run,
  { commandId, hash }: Migration
): Effect.Effect<boolean, CommandConflict> => {
  const known = run.commands.get(commandId)
  if (known === undefined) return Effect.succeed(false)
  return known._tag === "RunMigrated" && known.hash === hash
    ? Effect.succeed(true)
    : Effect.fail(new CommandConflict({ runId: run.id, commandId }))
}

/**
 * Records that a run under way goes on by another plan, which it gives; or says why not. Who asked is answered once it is
 * durable, and the same one again is not recorded again.
 */
export const adopt = (
  run: Run.Run,
  recorder: Recorder,
  { migration, reply }: Extract<Message, { readonly _tag: "Migrate" }>
): Plan | undefined => {
  const id = migration.commandId
  const durable: Parameters<Recorder["answer"]>[1] = (exit) => completeDeferred(reply, Exit.as(exit, []))
  const taken = Effect.runSyncExit(isTaken(run, migration))
  if (Exit.isFailure(taken) || taken.value) {
    if (Exit.isSuccess(taken) && recorder.isUnanswered(id)) recorder.answer(id, durable)
    else completeDeferred(reply, Exit.as(taken, []))
    return undefined
  }
  const found = judge(run, migration)
  if (!("_tag" in found)) {
    completeDeferred(reply, Exit.succeed(found))
    return undefined
  }
  recorder.emit(found)
  recorder.answer(id, durable)
  return migration.plan
}
