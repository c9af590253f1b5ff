import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Scope from "effect/Scope"
import type * as AgentRegistry from "../AgentRegistry.js"
import { CommandConflict, type ControlCommand, IllegalCommand, isRepeat, toEvent } from "../Command.js"
import { type Event, type Failure, isLifecycle } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import type { CommandId, StepId } from "../Ids.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import { Suspended, type Workspace, type WorkspaceError } from "../WorkspaceService.js"
import type { ItemEnd } from "./attempts.js"
import { makeBoard } from "./board.js"
import { fork, makeSemaphore } from "./compat.js"
import type { Lane } from "./schedule.js"

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

/** Why a command was not taken. */
export type CommandError = IllegalCommand | CommandConflict | EventLog.LogWriteFailed

/** A run under way: commands are acknowledged once they are durable. */
export interface Engine {
  readonly send: (commandId: CommandId, command: ControlCommand) => Effect.Effect<void, CommandError>
  /** Executes until the terminal event is durable; interrupting it suspends the run, so that it can be recovered. */
  readonly execute: Effect.Effect<void, EventLog.LogWriteFailed>
}

type Reply = Deferred.Deferred<void, CommandError>

type Message =
  | { readonly _tag: "Wake" }
  | { readonly _tag: "Admitted" }
  | { readonly _tag: "WorkspaceEnded"; readonly exit: Exit.Exit<Workspace, WorkspaceError> }
  | {
      readonly _tag: "ItemEnded"
      readonly lane: Lane
      readonly index: number
      readonly end: ItemEnd | undefined
    }
  | { readonly _tag: "TimeOver"; readonly lane: Lane }
  | {
      readonly _tag: "Durable"
      readonly exit: Exit.Exit<unknown, EventLog.LogWriteFailed>
      readonly settled: ReadonlyArray<Lane>
    }
  | {
      readonly _tag: "Command"
      readonly id: CommandId
      readonly command: ControlCommand
      readonly reply: Reply
    }

type Ending =
  | { readonly _tag: "Completed" }
  | { readonly _tag: "Failed"; readonly failure: Failure; readonly stepId: StepId | undefined }
  | { readonly _tag: "Cancelled" }

const reasons: { readonly [Status in Run.RunStatus]: string } = {
  Queued: "it is waiting for a slot and not paused",
  Running: "it is running and not paused",
  Paused: "it is paused already",
  Cancelling: "it is being cancelled",
  Interrupted: "it was interrupted; recover it first",
  Completed: "it has completed",
  Failed: "it has failed",
  Cancelled: "it was cancelled"
}

/** The refusal of a command to a run that stands as it does. */
export const refuse = (run: Run.Run, command: ControlCommand, reason?: string): IllegalCommand =>
  new IllegalCommand({
    runId: run.id,
    command: command._tag,
    status: run.status,
    reason: reason ?? reasons[run.status]
  })

/** The answer to a command that the run does not take any more: what was accepted before is answered again. */
export const answer = (
  run: Run.Run,
  id: CommandId,
  command: ControlCommand
): Effect.Effect<void, IllegalCommand | CommandConflict> => {
  const accepted = run.commands.get(id)
  if (accepted === undefined) return Effect.fail(refuse(run, command))
  return isRepeat(accepted, toEvent(id, command))
    ? Effect.void
    : Effect.fail(new CommandConflict({ runId: run.id, commandId: id }))
}

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
    const now = () => clock.unsafeCurrentTimeMillis()
    const mailbox = yield* Mailbox.make<Message>()
    const commands = yield* makeSemaphore(mostCommands)
    const workspaceScope = yield* Scope.make()

    let pending: Array<Event> = []
    let replies: Array<Reply> = []
    let woken = true
    let workspace: Workspace | undefined
    let preparing = false
    let admission:
      | { readonly fiber: Fiber.RuntimeFiber<void>; readonly scope: Scope.CloseableScope }
      | undefined
    let admitted = false
    let ending: Ending | undefined
    let finished = false

    const post = (message: Message): void => {
      mailbox.unsafeOffer(message)
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
      const fiber = yield* fork(Scope.extend(input.admit, scope))
      fiber.addObserver((exit) => {
        if (Exit.isSuccess(exit)) post({ _tag: "Admitted" })
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
      const event = toEvent(id, command)
      if (run.commands.has(id)) return Deferred.complete(reply, answer(run, id, command))
      const endsAnyway = ending !== undefined && command._tag !== "Cancel"
      if (endsAnyway) return Deferred.fail(reply, refuse(run, command, "it is about to end"))
      const nothingToResume = command._tag === "Resume" && run.pause === undefined
      if (nothingToResume || Run.next(run, event._tag) === undefined)
        return Deferred.fail(reply, refuse(run, command))
      const wasPaused = run.status === "Paused"
      emit(event)
      replies.push(reply)
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
          admitted = admission !== undefined
          return Effect.void
        case "WorkspaceEnded":
          preparing = false
          if (Exit.isSuccess(message.exit)) {
            workspace = message.exit.value
            if (run.workspace !== workspace.root) emit({ _tag: "WorkspaceCreated", path: workspace.root })
          } else {
            const error = Exit.match(message.exit, {
              onSuccess: () => "",
              onFailure: (cause) => cause.toString()
            })
            ending ??= {
              _tag: "Failed",
              failure: { kind: "WorkspaceError", message: error },
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

    /** Puts what was recorded in the log, without waiting; who waits for it is told when it is durable. */
    const flush = Effect.suspend(() => {
      woken = false
      if (pending.length === 0) return Effect.void
      const events = pending
      const answered = replies
      const settled = board.takeSettled()
      pending = []
      replies = []
      return Effect.flatMap(log.enqueue(run.id, events), (durable) => {
        if (!events.some(isLifecycle)) return Effect.void
        return Effect.map(fork(durable), (fiber) => {
          fiber.addObserver((exit) => {
            for (const reply of answered) Deferred.unsafeDone(reply, Exit.asVoid(exit))
            if (settled.length > 0 || Exit.isFailure(exit)) post({ _tag: "Durable", exit, settled })
          })
        })
      })
    })

    /** Records what is left and waits until it is durable. */
    const sync = Effect.suspend(() => {
      const events = pending
      const answered = replies
      pending = []
      replies = []
      board.takeSettled()
      return Effect.onExit(log.append(run.id, events), (exit) =>
        Effect.sync(() => {
          for (const reply of answered) Deferred.unsafeDone(reply, Exit.asVoid(exit))
        })
      )
    })

    const end = (how: Ending) =>
      Effect.gen(function* () {
        yield* board.abandon(how._tag === "Cancelled" ? "the run was cancelled" : "the run failed")
        yield* sync
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

    const loop = Effect.gen(function* () {
      yield* begin
      while (!finished) {
        yield* proceed
        if (
          workspace !== undefined &&
          run.status === "Running" &&
          run.pause === undefined &&
          ending === undefined
        ) {
          yield* board.advance(workspace)
        }
        yield* conclude
        if (finished) break
        yield* flush
        const [messages] = yield* mailbox.takeAll
        woken = true
        for (const message of messages) yield* handle(message)
      }
    })

    const refusePending = Effect.gen(function* () {
      yield* mailbox.end
      const [messages] = yield* mailbox.takeAll
      for (const message of messages) {
        if (message._tag === "Command")
          yield* Deferred.complete(message.reply, answer(run, message.id, message.command))
      }
    })

    const suspend = Effect.gen(function* () {
      yield* board.stop
      yield* releaseSlot
      yield* Scope.close(workspaceScope, Exit.fail(new Suspended()))
      if (Run.next(run, "RunInterrupted") !== undefined)
        emit({ _tag: "RunInterrupted", reason: "the host stopped" })
      yield* Effect.ignore(sync)
    })

    return {
      execute: Effect.onExit(loop, (exit) =>
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
