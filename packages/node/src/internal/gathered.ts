import * as Effect from "effect/Effect"
import { async } from "./compat.js"

/** How long questions are gathered, in milliseconds on the host's clock, because many attempts may end at about the same time. */
const gatherMillis = 5

/** Answers all who ask at about the same time by one look, which begins after each of them has asked. */
export const gathered = <A>(look: () => A): Effect.Effect<A> => {
  let waiting: Array<(found: A) => void> = []
  const answer = () => {
    const callbacks = waiting
    waiting = []
    const found = look()
    for (const callback of callbacks) callback(found)
  }
  return async<A>((resume) => {
    if (waiting.push((found) => resume(Effect.succeed(found))) === 1) setTimeout(answer, gatherMillis)
  })
}
