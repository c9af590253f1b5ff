import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { Failure } from "../Event.js"
import type * as EventLog from "../EventLog.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import { Suspended, type Workspace, type WorkspaceError } from "../WorkspaceService.js"
import { makeAccept } from "./accepting.js"
import { makeSlot } from "./admission.js"
import { adopt, notHere } from "./adopting.js"
import { makeAsk, posted } from "./asking.js"
import { makeBoard } from "./board.js"
import {
  afterOthers,
  completeDeferred,
  currentScheduler,
  currentTimeMillis,
  forker,
  semaphore
} from "./compat.js"
import { makeUndoing } from "./compensation.js"
import { dismiss } from "./dismissal.js"
import { decidedFor, type Ending, reasonOf, recordEnd } from "./ending.js"
import type { Engine, Input } from "./execution.js"
import { holdInScope } from "./held.js"
import type { CommandError, Message, MigrationError } from "./message.js"
import type { MigrationReason } from "./migration.js"
import { makePremises } from "./premises.js"
import { makeRecorder, mostPending, mostUnacknowledged } from "./recorder.js"
import { answer } from "./refusal.js"
import { makeRunBudget } from "./runBudget.js"
import { makeRunClocks } from "./runClocks.js"

/** Items that may be started before whatever else waits in this process has its turn. */
const mostStarts = 1024

/** Commands of one run that may await their acknowledgement at once; further senders wait. */
const mostCommands = 64

/**
 * One coordinator per run: it alone decides, from the messages in its inbox, so that no state is shared. It is plain code
 * that takes a turn whenever it is roused, and only items, ends and pauses are fibers, because a step costs little more
 * than what its coordinator spends on it. What a step's end allows begins only once that end is durable; everything else
 * does not wait for the log.
 */
export const make = (input: Input): Effect.Effect<Engine> =>
  Effect.gen(function* () {
    const { log, registry, run } = input
    let { plan } = input
    const clock = yield* Effect.clock
    const fork = yield* forker
    const scheduler = yield* currentScheduler
    const now = () => currentTimeMillis(clock)
    const commands = semaphore(mostCommands)
    const done = yield* Deferred.make<void, EventLog.LogWriteFailed>()

    /** Idle until it is roused, and roused until a turn finds nothing to do; closing while the run ends or pauses. */
    let state: "idle" | "roused" | "closing" | "over" = "over"
    /** What is to end before the run can be left alone. */
    let closing: Fiber.RuntimeFiber<void, EventLog.LogWriteFailed> | undefined
    let inbox: Array<Message> = []
    let closed = false
    /** Whether nothing is started because the log is too far behind. */
    let heldUp = false
    let broken: Cause.Cause<EventLog.LogWriteFailed> | undefined
    /** Whether it is durable that the run is under way, so that a crash that its items may cause is laid to it. */
    let begun = false
    let holds = 0
    let ending: Ending | undefined

    const rouse = (): void => {
      if (state !== "idle") return
      state = "roused"
      scheduler.scheduleTask(go, 0)
    }
    const post = (message: Message): void => {
      inbox.push(message)
      rouse()
    }
    const ask = makeAsk(() => closed, post)
    const recorder = makeRecorder(run, log, now, rouse)
    const { emit, sync } = recorder
    const premises = makePremises(run, input.workspace, fork, emit, (exit) =>
      post({ _tag: "WorkspaceEnded", exit })
    )
    const slot = makeSlot(input.admit, fork, () => post({ _tag: "Admitted" }))
    /** What is made of a plan: which steps there are, what they may use, how long they may take. */
    const layOut = (given: Plan) => {
      const budget = makeRunBudget(given, run, input.budgets, {
        emit,
        now,
        fork,
        isEnding: () => ending !== undefined,
        interrupt: (stepId, index) =>
          stepId === undefined ? board.pauseAll("interrupt") : board.interruptIn(stepId, index),
        breached: (breach) => post({ _tag: "BudgetBreached", breach }),
        fail: (failure, stepId) =>
          stepId === undefined ? failNow(failure) : board.failStep(stepId, failure),
        ownerChanged: () => post({ _tag: "Alarm" })
      })
      const signals = { emit, now, fork, budget, ...posted(post) }
      const laid = makeBoard(given, run, registry, input, input.children, signals)
      const over = () => post({ _tag: "TimeOver", lane: undefined })
      const { timeoutMillis } = given.definition
      return { budget, board: laid, clocks: makeRunClocks(run, timeoutMillis, laid, budget, fork, now, over) }
    }
    let { board, budget, clocks } = layOut(plan)

    /** Has nothing started before what is recorded up to here is durable. */
    const hold = (): void => {
      begun = false
      holds++
    }

    const undoing = makeUndoing({ run, slot, board: () => board, emit, hold, premises })

    const isHalted = (): boolean => run.pause !== undefined || run.breach !== undefined

    /** Lets a run go on once it has its slot, unless it is to pause or to end. */
    const proceed = (): void => {
      budget?.relieve()
      if (run.status !== "Queued" || isHalted() || ending !== undefined) return
      slot.request()
      if (!slot.held()) return
      emit(run.started ? { _tag: "RunResumed" } : { _tag: "RunStarted" })
      hold()
      premises.prepare()
      clocks.start()
    }

    const accept = makeAccept(run, recorder, {
      isEnding: () => ending !== undefined,
      pause: (mode) => {
        budget?.turnBack()
        board.pauseAll(mode)
      },
      raised: () => budget?.raised(),
      cancel: () => {
        ending = { _tag: "Cancelled" }
        if (!undoing.isOn()) board.cancelAll()
      },
      answered: (stepIds) => board.answered(stepIds)
    })

    /** Nothing is under way and no clock runs while a run is paused, so that the steps can be laid out anew. */
    const migrate = (message: Extract<Message, { readonly _tag: "Migrate" }>): void => {
      const adopted = adopt(run, recorder, message)
      if (adopted === undefined) return
      plan = adopted
      clocks.close()
      ;({ board, budget, clocks } = layOut(adopted))
    }

    const workspaceEnded = (exit: Exit.Exit<Workspace, WorkspaceError>): void => {
      premises.ended(exit)
      const failure = premises.failure()
      if (failure !== undefined) ending ??= { _tag: "Failed", failure, stepId: undefined }
    }

    const failNow = (failure: Failure): void => {
      if (ending !== undefined) return
      ending = { _tag: "Failed", failure, stepId: undefined }
      board.cancelAll()
    }

    const timeOver = (): void => {
      if (!clocks.isRunning()) return
      const { timeoutMillis } = plan.definition
      failNow({ kind: "Timeout", message: `the run took longer than ${timeoutMillis} ms` })
    }

    const handle = (message: Message): void => {
      switch (message._tag) {
        case "Admitted":
        case "Alarm":
          return
        case "WorkspaceEnded":
          workspaceEnded(message.exit)
          return
        case "ItemEnded":
          board.itemEnded(message.lane, message.index, message.end)
          return
        case "TimeOver":
          if (message.lane === undefined) timeOver()
          else board.timeOver(message.lane)
          return
        case "BudgetBreached":
          if (message.breach.onBreach === "pause") board.pauseAll("drain")
          budget?.answer(message.breach)
          return
        case "Durable":
          board.durable(message.settled)
          if (Exit.isFailure(message.exit)) broken = message.exit.cause
          return
        case "Migrate":
          migrate(message)
          return
        case "Command":
          accept(message.id, message.command, message.reply)
          return
      }
    }

    const goesOn = () => run.status === "Running" && !isHalted() && ending === undefined

    /** Whether the run has a slot that it has no use for now: its children may need it, also to end or to stand still with it. */
    const onlyWaits = (): boolean => slot.held() && !undoing.isOn() && board.onlyWaits(goesOn())

    const flush = (): void => {
      const settled = board.takeSettled()
      const begins = !begun
      const held = holds
      recorder.flush((exit) => {
        begun ||= begins && held === holds
        if (settled.length > 0 || begins || heldUp || onlyWaits() || Exit.isFailure(exit))
          post({ _tag: "Durable", exit, settled })
      })
    }

    const end = (how: Ending) =>
      Effect.gen(function* () {
        yield* slot.release
        clocks.close()
        yield* board.cancelChildren
        board.abandon(reasonOf(how))
        yield* recordEnd(how, {
          run,
          held: premises.workspace(),
          workspace: input.workspace,
          scope: premises.scope,
          kept: input.kept,
          emit,
          now,
          sync
        })
      })

    /** Leaves the slot to others where the run does nothing but wait; it asks for it again when it can go on. */
    const shareSlot = (): void => {
      if (onlyWaits() && recorder.pending() === 0 && recorder.unacknowledged() === 0) fork(slot.release)
    }

    /** What the run is to do now that everything that was asked of it is in hand. */
    const conclude = (): Ending | "Pause" | undefined => {
      const fatal = board.fatal()
      if (fatal !== undefined && ending === undefined) {
        ending = { _tag: "Failed", ...fatal }
        budget?.turnBack()
        if (plan.definition.onStepFailure !== "drain") board.cancelAll()
      }
      if (ending === undefined && board.isDone() && run.status === "Running") ending = board.completion()
      if (board.inFlight() > 0 || premises.isPreparing()) return undefined
      const underWay = run.status === "Running" || run.status === "Queued"
      if (ending !== undefined)
        return (ending._tag === "Cancelled" || underWay) && undoing.isOver(ending) ? ending : undefined
      return isHalted() && underWay ? "Pause" : undefined
    }

    const pause = Effect.suspend(() => {
      emit({ _tag: run.pause === undefined ? "RunOverBudget" : "RunPaused" })
      clocks.stop()
      return slot.release
    })

    /** Tells everybody who waits that the run is not executed any more. */
    const settle = (exit: Exit.Exit<void, EventLog.LogWriteFailed>): void => {
      state = "over"
      closed = true
      for (const message of inbox) dismiss(run, message)
      completeDeferred(done, exit)
    }

    /** Ends what is under way, and leaves the run as one that can be continued. */
    const suspend = Effect.gen(function* () {
      clocks.close()
      yield* board.stop
      yield* slot.release
      yield* Scope.close(premises.scope, Exit.fail(new Suspended()))
      // An item that ended at the last moment is not done again.
      for (const message of inbox) {
        if (message._tag === "ItemEnded") board.itemEnded(message.lane, message.index, message.end)
      }
      if (Run.next(run, "RunInterrupted") !== undefined)
        emit({ _tag: "RunInterrupted", reason: "the host stopped" })
      yield* Effect.ignore(sync)
    })

    const close = (
      next: "over" | "closing",
      effect: Effect.Effect<void, EventLog.LogWriteFailed>,
      ended: (exit: Exit.Exit<void, EventLog.LogWriteFailed>) => void
    ): void => {
      state = next
      const fiber = fork(Effect.uninterruptible(effect))
      closing = fiber
      fiber.addObserver((exit) => {
        closing = undefined
        ended(exit)
      })
    }

    const fail = (cause: Cause.Cause<EventLog.LogWriteFailed>): void =>
      close("over", suspend, () => settle(Exit.failCause(cause)))

    const proceedTo = (how: Ending | "Pause"): void =>
      close("closing", how === "Pause" ? pause : end(how), (exit) => {
        if (Exit.isFailure(exit)) fail(exit.cause)
        else if (how !== "Pause") settle(exit)
        else if (state === "closing") {
          state = "idle"
          rouse()
        }
      })

    /** Does what can be done without waiting; says whether something is left, or how the run is to go on. */
    const turn = (): Ending | "Pause" | "Idle" | "More" => {
      let starts = mostStarts
      for (;;) {
        const messages = inbox
        inbox = []
        for (const message of messages) handle(message)
        proceed()
        undoing.proceed()
        if (goesOn() && !slot.held() && board.hasWork()) slot.request()
        const mayStart = begun && (goesOn() || undoing.isOn()) && slot.held()
        const most = Math.min(starts, mostPending)
        heldUp = recorder.unacknowledged() >= mostUnacknowledged
        const workspace = premises.workspace()
        const started = workspace !== undefined && mayStart && !heldUp ? board.advance(workspace, most) : 0
        const how = conclude()
        if (how !== undefined) return how
        if (recorder.pending() >= mostPending) flush()
        starts -= started
        if (starts <= 0) return "More"
        if (inbox.length === 0 && started < most) return "Idle"
      }
    }

    const go = (): void => {
      // The run may have been suspended since it was roused.
      if (state !== "roused") return
      try {
        const next = turn()
        flush()
        if (broken !== undefined) fail(broken)
        else if (next === "More") afterOthers.scheduleTask(go, 0)
        else if (next !== "Idle") proceedTo(next)
        else {
          state = "idle"
          shareSlot()
          if (inbox.length > 0 || recorder.pending() > 0) rouse()
        }
      } catch (defect) {
        fail(Cause.die(defect))
      }
    }

    const begin = (): void => {
      if (run.status === "Interrupted") emit({ _tag: "RunRecovered" })
      ending = decidedFor(run)
      if (ending !== undefined) board.cancelAll()
      else if (isHalted()) board.pauseAll(run.pause ?? "interrupt")
      state = "idle"
      rouse()
    }

    const stop = Effect.gen(function* () {
      state = "over"
      // A run that has begun to end, or to pause, does so first.
      while (closing !== undefined) yield* Fiber.await(closing)
      if (closed) return
      yield* suspend
      settle(Exit.void)
    })

    return {
      start: holdInScope(Effect.sync(begin), () => stop),
      done: Deferred.await(done),
      migrate: (migration) =>
        ask<ReadonlyArray<MigrationReason>, MigrationError>(Effect.succeed(notHere), (reply) => ({
          _tag: "Migrate",
          migration,
          reply
        })),
      send: (id, command) =>
        commands.withPermits(1)(
          ask<void, CommandError>(answer(run, id, command), (reply) => ({
            _tag: "Command",
            id,
            command,
            reply
          }))
        )
    }
  })
