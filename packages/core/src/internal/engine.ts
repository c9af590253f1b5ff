import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
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
import { completeDeferred, currentTimeMillis, fork, makeSemaphore, offer } from "./compat.js"
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

/** Commands of one run that may await their acknowledgement at once; further senders wait. */
const mostCommands = 64

/**
 * One coordinator fiber per run: it alone decides, from the messages in its mailbox, so that no state is shared. What a
 * step's end allows begins only once that end is durable; everything else does not wait for the log.
 */
export const make = (input: Input): Effect.Effect<Engine> =>
  Effect.gen(function* () {
    const { log, plan, registry, run } = input
    const clock = yield* Effect.clock
    const now = () => currentTimeMillis(clock)
    const mailbox = yield* Mailbox.make<Message>()
    const commands = yield* makeSemaphore(mostCommands)
    const workspaceScope = yield* Scope.make()

    let pending: Array<Event> = []
    /** Who waits for a command whose event is not durable yet. */
    const unanswered = new Map<CommandId, Array<Reply>>()
    /** Taken from the mailbox, and how many of them are handled. */
    let inbox: ReadonlyArray<Message> = []
    let handled = 0
    let woken = true
    let unacknowledged = 0
    let workspace: Workspace | undefined
    let preparing = false
    let admission:
      | { readonly fiber: Fiber.RuntimeFiber<void>; readonly scope: Scope.CloseableScope }
      | undefined
    let admitted = false
    let ending: Ending | undefined
    let finished = false

    const post = (message: Message): void => {
      offer(mailbox, message)
    }
    const emit = (event: Event): void => {
      if (!Run.applyEvent(run, event, now())) {
        throw new Error(`The engine would record ${event._tag} while run ${run.id} is ${run.status}`)
      }
      pending.push(event)
      if (woken) return
      woken = true
      post({ _tag: "Wake" })
    }
    const board = makeBoard(plan, run, registry, {
      emit,
      now,
      itemEnded: (lane, index, end) => post({ _tag: "ItemEnded", lane, index, end }),
      timeOver: (lane) => post({ _tag: "TimeOver", lane })
    })

    const requestSlot = Effect.gen(function* () {
      const scope = yield* Scope.make()
      const fiber = yield* fork(Effect.interruptible(Scope.extend(input.admit, scope)))
      fiber.addObserver((exit) => {
        if (Exit.isSuccess(exit)) post({ _tag: "Admitted", scope })
      })
      admission = { fiber, scope }
    })

    const releaseSlot = Effect.suspend(() => {
      const held = admission
      admission = undefined
      admitted = false
      return held === undefined
        ? Effect.void
        : Effect.zipRight(Fiber.interrupt(held.fiber), Scope.close(held.scope, Exit.void))
    })

    /** Lets a run that has its slot go on, unless it is to pause or to end. */
    const proceed = Effect.suspend(() => {
      if (!admitted || run.status !== "Queued" || run.pause !== undefined || ending !== undefined)
        return Effect.void
      emit(run.started ? { _tag: "RunResumed" } : { _tag: "RunStarted" })
      return Effect.zipRight(prepare, board.startTimers)
    })

    const prepare = Effect.suspend(() => {
      if (workspace !== undefined || preparing) return Effect.void
      preparing = true
      return Effect.map(fork(Scope.extend(input.workspace, workspaceScope)), (fiber) => {
        fiber.addObserver((exit) => post({ _tag: "WorkspaceEnded", exit }))
      })
    })

    const accept = (id: CommandId, command: ControlCommand, reply: Reply): Effect.Effect<unknown> => {
      const wrong = malformed(command)
      if (wrong !== undefined) return Deferred.fail(reply, refuse(run, command, wrong))
      const event = toEvent(id, command)
      if (run.commands.has(id)) {
        return Effect.matchEffect(answer(run, id, command), {
          onFailure: (error) => Deferred.fail(reply, error),
          onSuccess: () => {
            const waiting = unanswered.get(id)
            return waiting === undefined
              ? Deferred.succeed(reply, undefined)
              : Effect.sync(() => waiting.push(reply) > 0)
          }
        })
      }
      const endsAnyway = ending !== undefined && command._tag !== "Cancel"
      if (endsAnyway) return Deferred.fail(reply, refuse(run, command, "it is about to end"))
      const nothingToResume = command._tag === "Resume" && run.pause === undefined
      if (nothingToResume || Run.next(run, event._tag) === undefined)
        return Deferred.fail(reply, refuse(run, command))
      const wasPaused = run.status === "Paused"
      emit(event)
      unanswered.set(id, [reply])
      if (command._tag === "Pause" && command.mode === "interrupt") return board.interruptAll
      if (command._tag === "Resume" && wasPaused) return requestSlot
      if (command._tag === "Cancel") {
        ending = { _tag: "Cancelled" }
        return board.interruptAll
      }
      return Effect.void
    }

    const handle = (message: Message): Effect.Effect<unknown, EventLog.LogWriteFailed> => {
      switch (message._tag) {
        case "Wake":
          return Effect.void
        case "Admitted":
          // A run that was paused meanwhile may wait for another slot than the one it was given.
          if (admission?.scope === message.scope) admitted = true
          return Effect.void
        case "WorkspaceEnded":
          preparing = false
          if (Exit.isSuccess(message.exit)) {
            workspace = message.exit.value
            if (run.workspace !== workspace.root) emit({ _tag: "WorkspaceCreated", path: workspace.root })
          } else {
            const error = Cause.squash(message.exit.cause)
            ending ??= {
              _tag: "Failed",
              failure: {
                kind: "WorkspaceError",
                message: error instanceof Error ? error.message : String(error)
              },
              stepId: undefined
            }
          }
          return Effect.void
        case "ItemEnded":
          return board.itemEnded(message.lane, message.index, message.end)
        case "TimeOver":
          return board.timeOver(message.lane)
        case "Durable":
          board.durable(message.settled)
          return message.exit
        case "Command":
          return accept(message.id, message.command, message.reply)
      }
    }

    const acknowledge = (events: ReadonlyArray<Event>, exit: Exit.Exit<unknown, EventLog.LogWriteFailed>) => {
      for (const event of events) {
        if (!("commandId" in event)) continue
        for (const reply of unanswered.get(event.commandId) ?? []) completeDeferred(reply, Exit.asVoid(exit))
        if (Exit.isSuccess(exit)) unanswered.delete(event.commandId)
      }
    }

    /** Puts what was recorded in the log at once; the effect that it gives waits until it is durable. */
    const record = Effect.suspend(() => {
      const events = pending
      pending = []
      return Effect.map(log.enqueue(run.id, events), (durable) => ({
        count: events.length,
        waits: events.some(isLifecycle),
        durable: Effect.onExit(durable, (exit) => Effect.sync(() => acknowledge(events, exit)))
      }))
    })

    // Not interruptible: what the state of the run shows has its place in the log, and who waits for it is told.
    const flush = Effect.uninterruptible(
      Effect.suspend(() => {
        woken = false
        if (pending.length === 0) return Effect.void
        const settled = board.takeSettled()
        return Effect.flatMap(record, ({ count, durable, waits }) => {
          if (!waits) return Effect.void
          unacknowledged += count
          return Effect.map(fork(durable), (fiber) => {
            fiber.addObserver((exit) => {
              const heldUp = unacknowledged >= mostUnacknowledged
              unacknowledged -= count
              if (heldUp || settled.length > 0 || Exit.isFailure(exit))
                post({ _tag: "Durable", exit, settled })
            })
          })
        })
      })
    )

    /** Records what is left and waits until it is durable. */
    const sync = Effect.uninterruptible(Effect.flatMap(record, ({ durable }) => durable))

    const end = (how: Ending) =>
      Effect.gen(function* () {
        yield* board.abandon(how._tag === "Cancelled" ? "the run was cancelled" : "the run failed")
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
        finished = true
      })

    const conclude = Effect.gen(function* () {
      const fatal = board.fatal()
      if (fatal !== undefined && ending === undefined) {
        ending = { _tag: "Failed", ...fatal }
        if (plan.definition.onStepFailure !== "drain") yield* board.interruptAll
      }
      if (ending === undefined && board.isDone() && run.status === "Running") ending = { _tag: "Completed" }
      if (board.inFlight() > 0 || preparing) return
      if (ending !== undefined) {
        if (ending._tag !== "Cancelled" && run.status !== "Running" && run.status !== "Queued") return
        yield* releaseSlot
        yield* end(ending)
      } else if (run.pause !== undefined && (run.status === "Running" || run.status === "Queued")) {
        emit({ _tag: "RunPaused" })
        yield* Effect.zipRight(board.stopTimers, releaseSlot)
      }
    })

    const begin = Effect.suspend(() => {
      if (run.status === "Interrupted") emit({ _tag: "RunRecovered" })
      if (run.status === "Cancelling") ending = { _tag: "Cancelled" }
      return run.status === "Queued" && run.pause === undefined ? requestSlot : Effect.void
    })

    const receive = Effect.uninterruptibleMask((restore) =>
      Effect.map(restore(mailbox.takeAll), ([messages]) => {
        inbox = Chunk.toReadonlyArray(messages)
        handled = 0
        woken = true
      })
    )
    // Not interruptible: whoever sent a command is answered, and the end of an item is not lost.
    const handleNext = Effect.uninterruptible(
      Effect.suspend(() => {
        const message = inbox[handled++]
        return message === undefined ? Effect.void : handle(message)
      })
    )

    const loop = Effect.gen(function* () {
      yield* begin
      while (!finished) {
        yield* proceed
        if (
          workspace !== undefined &&
          run.status === "Running" &&
          run.pause === undefined &&
          ending === undefined &&
          unacknowledged < mostUnacknowledged
        ) {
          yield* board.advance(workspace)
        }
        yield* conclude
        if (finished) break
        yield* flush
        yield* receive
        while (handled < inbox.length) yield* handleNext
      }
    })

    /** What came too late to be handled. */
    const leftOver = Effect.map(mailbox.clear, (messages) => {
      inbox = [...inbox.slice(handled), ...messages]
      handled = 0
      return inbox
    })

    const refusePending = Effect.gen(function* () {
      yield* mailbox.end
      for (const message of yield* leftOver) {
        if (message._tag === "Command")
          yield* Deferred.complete(message.reply, answer(run, message.id, message.command))
      }
    })

    const suspend = Effect.gen(function* () {
      yield* board.stop
      yield* releaseSlot
      yield* Scope.close(workspaceScope, Exit.fail(new Suspended()))
      // An item that ended at the last moment is not done again.
      for (const message of yield* leftOver) {
        if (message._tag === "ItemEnded") yield* board.itemEnded(message.lane, message.index, message.end)
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
          Effect.gen(function* () {
            const reply = yield* Deferred.make<void, CommandError>()
            const offered = yield* mailbox.offer({ _tag: "Command", id, command, reply })
            if (!offered) return yield* answer(run, id, command)
            return yield* Deferred.await(reply)
          })
        )
    }
  })
