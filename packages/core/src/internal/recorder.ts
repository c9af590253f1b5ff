import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Event, isLifecycle } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import type { CommandId } from "../Ids.js"
import * as Run from "../Run.js"
import { async } from "./compat.js"

/** Events that may await the log before nothing more is started, so that a slow disk does not fill the memory. */
export const mostUnacknowledged = 4096

/** Events that are gathered before they are handed to the log, so that the disk works while more is being done. */
export const mostPending = 512

/** What happens in a run on its way to the log: applied to its state at once, and handed on in groups. */
export interface Recorder {
  /** Applies an event and puts it in line. */
  readonly emit: (event: Event) => void
  /** How many events are in line. */
  readonly pending: () => number
  /** How many events the log has been given and has not made durable yet. */
  readonly unacknowledged: () => number
  /**
   * Hands on what is in line, and calls back when it is durable or cannot become so; starts and signs of life ride along.
   * After a failure nothing is handed on any more, since it could not follow what is missing.
   */
  readonly flush: (settled: (exit: Exit.Exit<unknown, EventLog.LogWriteFailed>) => void) => void
  /** Hands on what is in line, and waits until that and everything before it is durable. */
  readonly sync: Effect.Effect<void, EventLog.LogWriteFailed>
  /** Calls back when the event of a command is durable, or cannot become so. */
  readonly answer: (id: CommandId, reply: Reply) => void
  /** Whether the event of a command is not durable yet. */
  readonly isUnanswered: (id: CommandId) => boolean
}

type Settled = (exit: Exit.Exit<unknown, EventLog.LogWriteFailed>) => void

type Reply = (exit: Exit.Exit<void, EventLog.LogWriteFailed>) => void

/** A recorder for one run; `emitted` is called after each event. */
export const makeRecorder = (
  run: Run.Run,
  log: EventLog.Service,
  now: () => number,
  emitted: () => void
): Recorder => {
  let pending: Array<Event> = []
  let unacknowledged = 0
  let handedOn = 0
  let waiting: Array<(exit: Exit.Exit<void, EventLog.LogWriteFailed>) => void> = []
  let failure: Exit.Exit<never, EventLog.LogWriteFailed> | undefined
  const unanswered = new Map<CommandId, Array<Reply>>()

  const take = (): ReadonlyArray<Event> => {
    const events = pending
    pending = []
    return events
  }

  const acknowledge = (
    events: ReadonlyArray<Event>,
    exit: Exit.Exit<unknown, EventLog.LogWriteFailed>
  ): void => {
    if (unanswered.size === 0) return
    for (const event of events) {
      if (!("commandId" in event)) continue
      for (const reply of unanswered.get(event.commandId) ?? []) reply(Exit.asVoid(exit))
      if (Exit.isSuccess(exit)) unanswered.delete(event.commandId)
    }
  }

  const hand = (events: ReadonlyArray<Event>, settled: Settled): void => {
    const settle: Settled = (exit) => {
      acknowledge(events, exit)
      settled(exit)
    }
    if (failure !== undefined) {
      settle(failure)
      return
    }
    handedOn++
    log.enqueue(run.id, events, (exit) => {
      handedOn--
      if (Exit.isFailure(exit)) failure ??= Exit.failCause(exit.cause)
      settle(exit)
      if (handedOn > 0) return
      const waited = waiting
      waiting = []
      for (const resume of waited) resume(failure ?? Exit.void)
    })
  }

  return {
    emit: (given) => {
      const event = log.prepare === undefined ? given : log.prepare(given)
      if (!Run.applyEvent(run, event, now())) {
        throw new Error(`The engine would record ${event._tag} while run ${run.id} is ${run.status}`)
      }
      pending.push(event)
      emitted()
    },
    pending: () => pending.length,
    unacknowledged: () => unacknowledged,
    flush: (settled) => {
      const events = take()
      if (events.length === 0) return
      const waits = events.some(isLifecycle)
      if (waits) unacknowledged += events.length
      hand(events, (exit) => {
        if (waits) unacknowledged -= events.length
        else if (Exit.isSuccess(exit)) return
        settled(exit)
      })
    },
    sync: async((resume) => {
      const events = take()
      if (events.length > 0) hand(events, (exit) => resume(Exit.asVoid(exit)))
      else if (failure !== undefined || handedOn === 0) resume(failure ?? Exit.void)
      else waiting.push(resume)
    }),
    answer: (id, reply) => {
      const waiting = unanswered.get(id)
      if (waiting === undefined) unanswered.set(id, [reply])
      else waiting.push(reply)
    },
    isUnanswered: (id) => unanswered.has(id)
  }
}
