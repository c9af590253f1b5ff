import {
  AgentError,
  type AgentErrorKind,
  type AgentEvent,
  type Output,
  type Progress
} from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Stream from "effect/Stream"
import { forkDaemon, offerNow } from "./compat.js"

/** A failed attempt, in one call. */
export const failure = (
  kind: AgentErrorKind,
  reason: string,
  more: { readonly retryAfterMillis?: number } = {}
): AgentError => new AgentError({ kind, reason, ...more })

/**
 * An attempt that reports on its way as the stream of an agent. Progress is cumulative, so a consumer that lags loses nothing
 * but the steps in between; the attempt is interrupted, and its finalizers waited for, when the stream is.
 */
export const streamed = (
  attempt: (report: (progress: Progress) => void) => Effect.Effect<Output, AgentError>
): Stream.Stream<AgentEvent, AgentError> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const events = yield* Mailbox.make<AgentEvent, AgentError>({ capacity: 64, strategy: "sliding" })
      const attempted = attempt((progress) => void offerNow(events, progress))
      yield* Effect.forkScoped(
        Mailbox.into(
          Effect.flatMap(attempted, (output) => events.offer(output)),
          events
        )
      )
      return Mailbox.toStream(events)
    })
  )

/** Does something when an effect is interrupted, and waits for it; unlike other finalizers, it may itself have time limits. */
export const whenInterrupted =
  (cleanup: Effect.Effect<void>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.onInterrupt(effect, () => Effect.flatMap(forkDaemon(Effect.interruptible(cleanup)), Fiber.await))
