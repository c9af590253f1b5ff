import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Run from "../Run.js"
import { notHere } from "./adopting.js"
import { completeDeferred } from "./compat.js"
import type { Message } from "./message.js"
import { answer } from "./refusal.js"

/** Answers whoever waits for an answer to a message that nobody will handle any more. */
export const dismiss = (run: Run.Run, message: Message): void => {
  if (message._tag === "Migrate") completeDeferred(message.reply, Exit.succeed(notHere))
  if (message._tag !== "Command") return
  completeDeferred(message.reply, Effect.runSyncExit(answer(run, message.id, message.command)))
}
