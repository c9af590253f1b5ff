import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type ControlCommand, toEvent } from "../Command.js"
import type { PauseMode } from "../Event.js"
import type { CommandId } from "../Ids.js"
import type * as Run from "../Run.js"
import { completeDeferred } from "./compat.js"
import type { Reply } from "./message.js"
import type { Recorder } from "./recorder.js"
import { answer, malformed, refusalOf } from "./refusal.js"

/** What commands come to in a run that is under way. */
export interface Consequences {
  /** Whether it has been decided how the run ends. */
  readonly isEnding: () => boolean
  readonly pause: (mode: PauseMode) => void
  /** Takes note of new ceilings. */
  readonly raised: () => void
  readonly cancel: () => void
  /** Takes note that what these steps wait for has come. */
  readonly answered: (stepIds: Iterable<string>) => void
}

/** Takes commands or refuses them; who sent one is answered once it is durable, and the same one again is not executed. */
export const makeAccept =
  (run: Run.Run, recorder: Recorder, consequences: Consequences) =>
  (id: CommandId, command: ControlCommand, reply: Reply): void => {
    const durable: Parameters<Recorder["answer"]>[1] = (exit) => completeDeferred(reply, exit)
    if (malformed(command) === undefined && run.commands.has(id)) {
      const known = Effect.runSyncExit(answer(run, id, command))
      if (Exit.isSuccess(known) && recorder.isUnanswered(id)) recorder.answer(id, durable)
      else completeDeferred(reply, known)
      return
    }
    const refusal = refusalOf(run, command, consequences.isEnding())
    if (refusal !== undefined) {
      completeDeferred(reply, Exit.fail(refusal))
      return
    }
    const awaiting = command._tag === "Signal" ? [...(run.awaiting.get(command.name) ?? [])] : []
    recorder.emit(toEvent(id, command))
    recorder.answer(id, durable)
    if (command._tag === "Pause") consequences.pause(command.mode ?? "drain")
    if (command._tag === "RaiseBudget") consequences.raised()
    if (command._tag === "Cancel") consequences.cancel()
    consequences.answered(command._tag === "Decide" ? [command.stepId] : awaiting)
  }
