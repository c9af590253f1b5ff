import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Signals } from "./board.js"
import type { Message } from "./message.js"

/** Posts a message and waits for the answer; where nobody takes it any more, the answer is `gone`. */
export const makeAsk =
  (isClosed: () => boolean, post: (message: Message) => void) =>
  <A, E>(
    gone: Effect.Effect<A, E>,
    message: (reply: Deferred.Deferred<A, E>) => Message
  ): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      if (isClosed()) return gone
      return Effect.flatMap(Deferred.make<A, E>(), (reply) => {
        post(message(reply))
        return Deferred.await(reply)
      })
    })

/** What a board says to its coordinator, as messages. */
export const posted = (
  post: (message: Message) => void
): Pick<Signals, "itemEnded" | "timeOver" | "alarm"> => ({
  itemEnded: (lane, index, end) => post({ _tag: "ItemEnded", lane, index, end }),
  timeOver: (lane) => post({ _tag: "TimeOver", lane }),
  alarm: () => post({ _tag: "Alarm" })
})
