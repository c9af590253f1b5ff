import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type * as AgentRegistry from "../AgentRegistry.js"
import { type ControlCommand, toEvent } from "../Command.js"
import { type Event, type Failure, isLifecycle } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import type { CommandId, StepId } from "../Ids.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import { Suspended, type Workspace, type WorkspaceError } from "../WorkspaceService.js"
import { makeBoard } from "./board.js"
import { async, completeDeferred, currentTimeMillis, forker, makeSemaphore } from "./compat.js"
import type { CommandError, Message, Reply } from "./message.js"
import { answer, malformed, refuse } from "./refusal.js"

/** What the engine needs to execute one run. */
export interface Input {
  readonly plan: Plan
  /** The recorded state, owned by the engine from here on. */
  readonly run: Run.Run
  /** Waits for a slot, and gives it back when its scope closes. */
  readonly admit: Effect.Effect<void, never, Scope.Scope>
  /** Creates the workspace, or opens the one there is; its scope is closed with the run's outcome. */
  readonly workspace: Effect.Effect<Workspace, WorkspaceError, Scope.Scope>
  /** Whether the workspace is still there once its scope has closed. */
  readonly kept: Effect.Effect<boolean>
  readonly log: EventLog.Service
  readonly registry: AgentRegistry.Service
}

/** A run under way: commands are acknowledged once they are durable. */
export interface Engine {
  readonly send: (commandId: CommandId, command: ControlCommand) => Effect.Effect<void, CommandError>
  /** Executes until the terminal event is durable; interrupting it suspends the run, so that it can be recovered. */
  readonly execute: Effect.Effect<void, EventLog.LogWriteFailed>
}

type Ending =
  | { readonly _tag: "Completed" }
  | { readonly _tag: "Failed"; readonly failure: Failure; readonly stepId: StepId | undefined }
  | { readonly _tag: "Cancelled" }

/** Events that may await the log before nothing more is started, so that a slow disk does not fill the memory. */
const mostUnacknowledged = 4096

/** Events that are gathered before they are handed to the log, so that the disk works while more is being done. */
const mostPending = 256

/** Commands of one run that may await their acknowledgement at once; further senders wait. */
const mostCommands = 64

/**
 * One coordinator fiber per run: it alone decides, from the messages in its inbox, so that no state is shared. Deciding is
 * plain code, and only waiting is an effect, because a step costs little more than what the coordinator spends on it. What
 * a step's end allows begins only once that end is durable; everything else does not wait for the log.
 */
export const make = (input: Input): Effect.Effect<Engine> =>
  Effect.gen(function* () {
    const { log, plan, registry, run } = input
    const clock = yield* Effect.clock
    const fork = yield* forker
    const now = () => currentTimeMillis(clock)
    const commands = yield* makeSemaphore(mostCommands)
    const workspaceScope = yield* Scope.make()

    let inbox: Array<Message> = []
    /** Resumes the coordinator while it waits for something to do. */
    let wake: (() => void) | undefined
    let closed = false
    let pending: Array<Event> = []
    /** Who waits for a command whose event is not durable yet. */
    const unanswered = new Map<CommandId, Array<Reply>>()
    let unacknowledged = 0
    let broken: Cause.Cause<EventLog.LogWriteFailed> | undefined
    let workspace: Workspace | undefined
    let preparing = false
    let slot: { readonly request: symbol; readonly holder: Fiber.RuntimeFiber<void> } | undefined
    let admitted = false
    let ending: Ending | undefined

    const rouse = (): void => {
      const resume = wake
      wake = undefined
      resume?.()
    }
    const post = (message: Message): void => {
      inbox.push(message)
      rouse()
    }
    const emit = (event: Event): void => {
      if (!Run.applyEvent(run, event, now())) {
        throw new Error(`The engine would record ${event._tag} while run ${run.id} is ${run.status}`)
      }
      pending.push(event)
      rouse()
    }
    const board = makeBoard(plan, run, registry, {
      emit,
      now,
      fork,
      itemEnded: (lane, index, end) => post({ _tag: "ItemEnded", lane, index, end }),
      timeOver: (lane) => post({ _tag: "TimeOver", lane })
    })

    const requestSlot = (): void => {
      const request = Symbol()
      // The slot is held by a fiber of its own, so that giving it back is interrupting that fiber.
      const holder = fork(
        Effect.scoped(
          Effect.zipRight(
            input.admit,
            Effect.suspend(() => {
              post({ _tag: "Admitted", request })
              return Effect.never
            })
          )
        )
      )
      slot = { request, holder }
    }

    const releaseSlot = Effect.suspend(() => {
      const held = slot
      slot = undefined
      admitted = false
      return held === undefined ? Effect.void : Fiber.interrupt(held.holder)
    })

    /** Lets a run that has its slot go on, unless it is to pause or to end. */
    const proceed = (): void => {
      if (!admitted || run.status !== "Queued" || run.pause !== undefined || ending !== undefined) return
      emit(run.started ? { _tag: "RunResumed" } : { _tag: "RunStarted" })
      if (workspace === undefined && !preparing) {
        preparing = true
        fork(Scope.extend(input.workspace, workspaceScope)).addObserver((exit) =>
          post({ _tag: "WorkspaceEnded", exit })
        )
      }
      board.startTimers()
    }

    const reject = (reply: Reply, error: CommandError): void => completeDeferred(reply, Exit.fail(error))

    const accept = (id: CommandId, command: ControlCommand, reply: Reply): void => {
      const wrong = malformed(command)
      if (wrong !== undefined) return reject(reply, refuse(run, command, wrong))
      if (run.commands.has(id)) {
        const answered = Effect.runSyncExit(answer(run, id, command))
        const waiting = unanswered.get(id)
        if (Exit.isFailure(answered) || waiting === undefined) completeDeferred(reply, answered)
        else waiting.push(reply)
        return
      }
      if (ending !== undefined && command._tag !== "Cancel")
        return reject(reply, refuse(run, command, "it is about to end"))
      const event = toEvent(id, command)
      const nothingToResume = command._tag === "Resume" && run.pause === undefined
      if (nothingToResume || Run.next(run, event._tag) === undefined)
        return reject(reply, refuse(run, command))
      const wasPaused = run.status === "Paused"
      emit(event)
      unanswered.set(id, [reply])
      if (command._tag === "Pause" && command.mode === "interrupt") board.interruptAll()
      if (command._tag === "Resume" && wasPaused) requestSlot()
      if (command._tag === "Cancel") {
        ending = { _tag: "Cancelled" }
        board.interruptAll()
      }
    }

    const workspaceEnded = (exit: Exit.Exit<Workspace, WorkspaceError>): void => {
      preparing = false
      if (Exit.isSuccess(exit)) {
        workspace = exit.value
        if (run.workspace !== workspace.root) emit({ _tag: "WorkspaceCreated", path: workspace.root })
        return
      }
      const error = Cause.squash(exit.cause)
      const message = error instanceof Error ? error.message : String(error)
      ending ??= { _tag: "Failed", failure: { kind: "WorkspaceError", message }, stepId: undefined }
    }

    const handle = (message: Message): void => {
      switch (message._tag) {
        case "Admitted":
          // A run that was paused meanwhile may wait for another slot than the one it was given.
          if (slot?.request === message.request) admitted = true
          return
        case "WorkspaceEnded":
          return workspaceEnded(message.exit)
        case "ItemEnded":
          return board.itemEnded(message.lane, message.index, message.end)
        case "TimeOver":
          return board.timeOver(message.lane)
        case "Durable":
          board.durable(message.settled)
          if (Exit.isFailure(message.exit)) broken = message.exit.cause
          return
        case "Command":
          return accept(message.id, message.command, message.reply)
      }
    }

    /** Does what can be done without waiting; true where there is more. */
    const turn = (): boolean => {
      do {
        const messages = inbox
        inbox = []
        for (const message of messages) handle(message)
        proceed()
        const mayStart = run.status === "Running" && run.pause === undefined && ending === undefined
        if (workspace !== undefined && mayStart && unacknowledged < mostUnacknowledged) {
          if (board.advance(workspace, mostPending)) return true
        }
      } while (inbox.length > 0 && pending.length < mostPending)
      return inbox.length > 0
    }

    const acknowledge = (
      events: ReadonlyArray<Event>,
      exit: Exit.Exit<unknown, EventLog.LogWriteFailed>
    ): void => {
      if (unanswered.size === 0) return
      for (const event of events) {
        if (!("commandId" in event)) continue
        for (const reply of unanswered.get(event.commandId) ?? []) completeDeferred(reply, Exit.asVoid(exit))
        if (Exit.isSuccess(exit)) unanswered.delete(event.commandId)
      }
    }

    /** Puts what was recorded in the log at once, and has the coordinator told when it is durable. */
    const flush = Effect.suspend(() => {
      if (pending.length === 0) return Effect.void
      const events = pending
      pending = []
      const settled = board.takeSettled()
      return Effect.map(log.enqueue(run.id, events), (durable) => {
        if (!events.some(isLifecycle)) return
        unacknowledged += events.length
        fork(durable).addObserver((exit) => {
          acknowledge(events, exit)
          const heldUp = unacknowledged >= mostUnacknowledged
          unacknowledged -= events.length
          if (heldUp || settled.length > 0 || Exit.isFailure(exit)) post({ _tag: "Durable", exit, settled })
        })
      })
    })

    /** Records what is left and waits until it is durable. */
    const sync = Effect.suspend(() => {
      const events = pending
      pending = []
      return Effect.onExit(Effect.flatten(log.enqueue(run.id, events)), (exit) =>
        Effect.sync(() => acknowledge(events, exit))
      )
    })

    const end = (how: Ending) =>
      Effect.gen(function* () {
        yield* releaseSlot
        board.abandon(how._tag === "Cancelled" ? "the run was cancelled" : "the run failed")
        // A step that is not recorded as done is done again, and needs its files then.
        yield* sync
        // A run that was continued may end before it needs its workspace again; the retention policy holds all the same.
        if (workspace === undefined && run.workspace !== undefined) {
          workspace = Option.getOrUndefined(
            yield* Effect.option(Scope.extend(input.workspace, workspaceScope))
          )
        }
        if (workspace !== undefined) {
          const exits = {
            Completed: Exit.void,
            Failed: Exit.fail(how),
            Cancelled: Exit.interrupt(yield* Effect.fiberId)
          }
          yield* Scope.close(workspaceScope, exits[how._tag])
          const kept = yield* input.kept
          emit({ _tag: "WorkspaceReleased", path: workspace.root, kept })
        }
        const summary = Run.summary(run, now())
        if (how._tag === "Completed") emit({ _tag: "RunCompleted", summary })
        else if (how._tag === "Failed") {
          const at = how.stepId === undefined ? {} : { stepId: how.stepId }
          emit({ _tag: "RunFailed", failure: how.failure, ...at, summary })
        } else {
          const reason = run.cancel?.reason
          emit({ _tag: "RunCancelled", ...(reason === undefined ? {} : { reason }), summary })
        }
        yield* sync
      })

    /** What the run is to do now that everything that was asked of it is in hand. */
    const conclude = (): Ending | "Pause" | undefined => {
      const fatal = board.fatal()
      if (fatal !== undefined && ending === undefined) {
        ending = { _tag: "Failed", ...fatal }
        if (plan.definition.onStepFailure !== "drain") board.interruptAll()
      }
      if (ending === undefined && board.isDone() && run.status === "Running") ending = { _tag: "Completed" }
      if (board.inFlight() > 0 || preparing) return undefined
      const underWay = run.status === "Running" || run.status === "Queued"
      if (ending !== undefined) return ending._tag === "Cancelled" || underWay ? ending : undefined
      return run.pause !== undefined && underWay ? "Pause" : undefined
    }

    const pause = Effect.suspend(() => {
      emit({ _tag: "RunPaused" })
      board.stopTimers()
      return releaseSlot
    })

    const receive = async<void>((resume) => {
      if (inbox.length > 0 || pending.length > 0) return resume(Effect.void)
      wake = () => resume(Effect.void)
      return Effect.sync(() => {
        wake = undefined
      })
    })

    // Interruptible only while it waits: whoever sent a command is answered, and what the state of the run shows is in the log.
    const loop = Effect.uninterruptibleMask((restore) => {
      const wait = restore(receive)
      const giveWay = restore(Effect.yieldNow())
      return Effect.gen(function* () {
        if (run.status === "Interrupted") emit({ _tag: "RunRecovered" })
        if (run.status === "Cancelling") ending = { _tag: "Cancelled" }
        if (run.status === "Queued" && run.pause === undefined) requestSlot()
        for (;;) {
          const more = turn()
          if (broken !== undefined) return yield* Effect.failCause(broken)
          const next = conclude()
          if (next === "Pause") yield* pause
          else if (next !== undefined) return yield* end(next)
          yield* flush
          yield* more ? giveWay : wait
        }
      })
    })

    const refusePending = Effect.sync(() => {
      closed = true
      for (const message of inbox) {
        if (message._tag === "Command") {
          const { command, id, reply } = message
          completeDeferred(reply, Effect.runSyncExit(answer(run, id, command)))
        }
      }
    })

    const suspend = Effect.gen(function* () {
      yield* board.stop
      yield* releaseSlot
      yield* Scope.close(workspaceScope, Exit.fail(new Suspended()))
      // An item that ended at the last moment is not done again.
      for (const message of inbox) {
        if (message._tag === "ItemEnded") board.itemEnded(message.lane, message.index, message.end)
      }
      if (Run.next(run, "RunInterrupted") !== undefined)
        emit({ _tag: "RunInterrupted", reason: "the host stopped" })
      yield* Effect.ignore(sync)
    })

    return {
      // Also where the interruption comes before the first step of the loop.
      execute: Effect.onExit(Effect.interruptible(loop), (exit) =>
        Effect.zipRight(Exit.isSuccess(exit) ? Effect.void : suspend, refusePending)
      ),
      send: (id, command) =>
        commands.withPermits(1)(
          Effect.suspend(() => {
            if (closed) return answer(run, id, command)
            return Effect.flatMap(Deferred.make<void, CommandError>(), (reply) => {
              post({ _tag: "Command", id, command, reply })
              return Deferred.await(reply)
            })
          })
        )
    }
  })
