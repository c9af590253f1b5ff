import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { Event, Failure, PauseMode } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { RunId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import type { Workspace } from "../WorkspaceService.js"
import type { ItemEnd } from "./attempts.js"
import type { Children, Leaving } from "./childItems.js"
import { type Fork, interruptNow } from "./compat.js"
import { type Computed, compute } from "./compute.js"
import type { Ending } from "./ending.js"
import { given, listOf } from "./evaluation.js"
import { endOf, itemEffect, type Sight } from "./items.js"
import type { Limiter } from "./limiter.js"
import { hasItems } from "./planStep.js"
import { isOfRuns } from "./runFold.js"
import { type Lane, makeLanes, makePriorityQueue, skipReason, stepTypeOf, viewOf } from "./schedule.js"
import { makeSettling } from "./settling.js"
import { makeTimer } from "./timer.js"
import { makeWaits, outcomeOf, waitingFor } from "./waits.js"

/** What a board says to its coordinator. */
export interface Signals {
  /** Applies an event to the run and puts it in line for the log. */
  readonly emit: (event: Event) => void
  readonly now: () => number
  readonly fork: Fork
  readonly itemEnded: (lane: Lane, index: number, end: ItemEnd | Computed | undefined) => void
  readonly timeOver: (lane: Lane) => void
  /** The time of a step that waits has come. */
  readonly alarm: () => void
}

/**
 * The steps of one run: which may start, what is under way, how each one settles. Used by one coordinator fiber only. It
 * begins as the recorded state leaves it: what is settled stays so, what was under way is to be done again.
 */
export const makeBoard = (
  plan: Plan,
  run: Run.Run,
  registry: AgentRegistry.Service,
  limiter: Limiter,
  children: Children,
  signals: Signals
) => {
  const { emit, fork, now } = signals
  const lanes = makeLanes(plan, run)
  const views: Record<string, Json> = {}
  const launchable = makePriorityQueue<Lane>()
  const busy = new Set<Lane>()
  const settling = makeSettling(lanes, emit, now)
  const { fatal } = settling
  const waits = makeWaits(fork, now, signals.alarm)
  let ready: Array<Lane> = []
  let inFlight = 0
  /** How many of those are runs of their own, which have their slots and need none here. */
  let elsewhere = 0

  for (const lane of lanes) {
    if (Run.isSettled(lane.state.status)) views[lane.step.definition.id] = viewOf(lane)
    else if (lane.waiting === 0) ready.push(lane)
  }

  const enqueue = (lane: Lane): void => {
    if (lane.queued || lane.todo.length === 0) return
    lane.queued = true
    launchable.offer(lane, lane.step.definition.priority ?? 0)
  }

  /** The runs that are items of a step and have not come to an end that is recorded here. */
  const childrenOf = ({ state }: Lane): ReadonlyArray<RunId> =>
    isOfRuns(state)
      ? state.items.flatMap((item) =>
          item?.status === "Running" || item?.status === "Cancelled" ? (item.childId ?? []) : []
        )
      : []

  // The end of every fiber is told by its observer, so interrupting does not wait for what it interrupts.
  const interrupt = (lane: Lane, why: Leaving): void => {
    // What is left already, for the run to stand still, would not come to its end by that.
    if (why === "cancel" && lane.leaving !== "stop")
      for (const childId of childrenOf(lane)) fork(children.cancel(childId))
    lane.leaving = why
    for (const fiber of lane.fibers) if (fiber !== undefined) interruptNow(fiber)
  }

  const hasWork = (): boolean => ready.length > 0 || launchable.peek() !== undefined || waits.hasDue()

  const stopTimers = (): void => {
    waits.stop()
    for (const lane of lanes) lane.timer?.stop()
  }

  const scopeOf = (item: Json, index: number): Expression.Scope => ({
    params: run.params,
    steps: views,
    run: { id: run.id, workflow: plan.definition.name },
    item,
    index
  })

  const sight: Sight = { run, scopeOf, emit, now, limiter, children }

  /** What an expression gives; the step fails where it gives nothing that can be used. */
  const evaluated = <A>(lane: Lane, value: Effect.Effect<A, Failure>): { readonly value: A } | undefined =>
    Effect.runSync(
      Effect.match(value, {
        onSuccess: (value) => ({ value }),
        onFailure: (failure) => {
          settling.fail(lane, failure)
          return undefined
        }
      })
    )

  /** Whether a step goes on; one that does not is settled. */
  const enters = (lane: Lane, scope: Expression.Scope): boolean => {
    const { step } = lane
    const dependencies = step.dependencies.flatMap((index) => lanes[index] ?? [])
    const blocked = skipReason(step.join, dependencies)
    if (blocked === undefined) {
      if (step.when === undefined) return true
      const condition = evaluated(lane, given(step.when.evaluate(scope)))
      if (condition === undefined) return false
      if (condition.value) return true
    }
    const reason = blocked ?? `its condition \`${step.definition.when}\` is false`
    settling.settle(lane, { _tag: "StepSkipped", stepId: step.definition.id, reason })
    return false
  }

  const startStep = ({ state, step }: Lane, totalItems: number): void => {
    if (state.status !== "Pending") return
    const stepId = step.definition.id
    emit({ _tag: "StepStarted", stepId, stepType: stepTypeOf(step), totalItems })
  }

  const startTimer = (lane: Lane): void => {
    const millis = lane.step.definition.stepTimeoutMillis
    if (millis === undefined) return
    lane.timer ??= makeTimer(millis, fork, now, () => signals.timeOver(lane))
    lane.timer.start()
  }

  const beginWait = (lane: Lane, scope: Expression.Scope): void => {
    lane.items = []
    startStep(lane, 0)
    if (lane.state.wait === undefined) {
      const found = evaluated(lane, waitingFor(lane.step, scope, now()))
      if (found === undefined) return
      emit(found.value)
    }
    settling.beginWaiting()
    waits.add(lane)
    startTimer(lane)
  }

  const endWait = (lane: Lane): void => {
    const { state, step } = lane
    if (state.status !== "Waiting" || state.wait === undefined) return
    const outcome = outcomeOf(step, state.wait, now())
    if (outcome === undefined) return
    if ("failure" in outcome) settling.fail(lane, outcome.failure)
    else settling.succeed(lane, outcome.output)
  }

  const open = (lane: Lane): void => {
    const { state, step } = lane
    const { definition, work } = step
    const scope = scopeOf(null, 0)
    if (state.status === "Pending" && !enters(lane, scope)) return
    if (work._tag === "Approval" || work._tag === "Wait") {
      beginWait(lane, scope)
      return
    }
    const list =
      step.forEach === undefined ? { value: [null] } : evaluated(lane, listOf(step.forEach, scope, "forEach"))
    if (list === undefined) return
    const items = list.value
    lane.items = items
    startStep(lane, hasItems(work) ? items.length : 0)
    for (let index = items.length - 1; index >= 0; index--) {
      const item = state.items[index]
      if (item?.status === "Failed" && definition.onItemFailure !== "continue") lane.failing ??= item.failure
      if (item?.status !== "Succeeded" && item?.status !== "Failed") lane.todo.push(index)
    }
    if (lane.failing === undefined) enqueue(lane)
    else for (const childId of childrenOf(lane)) fork(children.cancel(childId))
    startTimer(lane)
    settling.settleIfDone(lane)
  }

  const startItem = (lane: Lane, index: number, workspace: Workspace): void => {
    const { work } = lane.step
    const fiber = fork<ItemEnd | Computed, never>(
      work._tag === "Map" || work._tag === "Reduce"
        ? compute(work, scopeOf(null, 0))
        : itemEffect(lane, index, workspace, registry, sight)
    )
    lane.leaving = "stop"
    lane.fibers[index] = fiber
    lane.running++
    busy.add(lane)
    inFlight++
    if (work._tag === "Subworkflow") elsewhere++
    fiber.addObserver((exit) => signals.itemEnded(lane, index, endOf(lane, index, exit, now())))
  }

  /** Starts up to `most` items, as far as the limits allow; says how many. */
  const launch = (workspace: Workspace, most: number): number => {
    let started = 0
    for (let lane = launchable.peek(); lane !== undefined; lane = launchable.peek()) {
      const { concurrency = Number.POSITIVE_INFINITY, group } = lane.step.definition
      const cap = Math.min(concurrency, limiter.mostOf(group))
      while (lane.failing === undefined && lane.running < cap && lane.todo.length > 0) {
        if (inFlight >= (run.concurrency ?? Number.POSITIVE_INFINITY)) return started
        if (started === most) return started
        started++
        startItem(lane, lane.todo.pop() ?? 0, workspace)
      }
      // A lane at its own limit comes back when one of its items ends.
      lane.queued = false
      launchable.drop()
    }
    return started
  }

  return {
    /**
     * Opens the steps whose dependencies are durably settled, and starts up to `most` items, as far as the limits allow; says
     * how many.
     */
    advance: (workspace: Workspace, most: number): number => {
      while (fatal() === undefined && (ready.length > 0 || waits.hasDue())) {
        for (const lane of waits.takeDue()) endWait(lane)
        const opening = ready
        ready = []
        for (const lane of opening) {
          if (fatal() === undefined && !Run.isSettled(lane.state.status) && lane.items === undefined)
            open(lane)
        }
      }
      return fatal() === undefined ? launch(workspace, most) : 0
    },

    /** Records the end of an item; one without an end was interrupted and is to be done again. */
    itemEnded: (lane: Lane, index: number, end: ItemEnd | Computed | undefined): void => {
      const { definition } = lane.step
      lane.fibers[index] = undefined
      lane.running--
      if (lane.running === 0) busy.delete(lane)
      inFlight--
      if (lane.step.work._tag === "Subworkflow") elsewhere--
      if (end === undefined) {
        lane.todo.push(index)
      } else if (end._tag === "Computed") {
        lane.computed = end
      } else if (end._tag === "NotComputed") {
        lane.failing ??= end.failure
      } else {
        emit(end)
        const failing = end._tag === "ItemFailed" && definition.onItemFailure !== "continue"
        if (failing && lane.failing === undefined) {
          lane.failing = end.error
          interrupt(lane, "cancel")
        }
      }
      if (lane.failing === undefined) enqueue(lane)
      settling.settleIfDone(lane)
    },

    /** Takes note that what these steps wait for has come. */
    answered: (stepIds: Iterable<string>): void => {
      for (const stepId of stepIds) {
        const lane = lanes[plan.indexOf(stepId) ?? -1]
        if (lane !== undefined) waits.answered(lane)
      }
    },

    /** Fails a step whose time is over. */
    timeOver: (lane: Lane): void => {
      if (lane.timer?.isRunning() !== true || Run.isSettled(lane.state.status)) return
      lane.failing = {
        kind: "Timeout",
        message: `the step took longer than ${lane.step.definition.stepTimeoutMillis} ms`
      }
      interrupt(lane, "cancel")
      settling.settleIfDone(lane)
    },

    /** Takes note that the ends of these steps are durable: now their dependents may start. */
    durable: (done: ReadonlyArray<Lane>): void => {
      for (const lane of done) {
        views[lane.step.definition.id] = viewOf(lane)
        for (const index of lane.step.dependents) {
          const dependent = lanes[index]
          if (dependent === undefined) continue
          dependent.waiting--
          if (dependent.waiting === 0) ready.push(dependent)
        }
      }
    },

    /** The steps that settled since this was last asked. */
    takeSettled: settling.take,

    /** Settles what is left when the run ends before its steps do. */
    abandon: (reason: string): void => {
      for (const lane of lanes) {
        const stepId = lane.step.definition.id
        if (Run.isSettled(lane.state.status)) continue
        if (lane.state.status === "Pending") settling.settle(lane, { _tag: "StepSkipped", stepId, reason })
        else
          settling.settle(lane, {
            _tag: "StepCancelled",
            stepId,
            summary: Run.stepSummary(lane.state, now())
          })
      }
    },

    /** Interrupts what is under way for good, without waiting for it to have ended. */
    cancelAll: (): void => {
      for (const lane of busy) interrupt(lane, "cancel")
    },
    /** Has what is under way stand still, or lets it finish, without waiting for that; runs of their own stand still always. */
    pauseAll: (mode: PauseMode): void => {
      for (const lane of busy)
        if (mode === "interrupt" || lane.step.work._tag === "Subworkflow") interrupt(lane, mode)
    },
    /** Ends the runs that are items of this one and have not ended, and waits until they have. */
    cancelChildren: Effect.suspend(() =>
      Effect.forEach(lanes.flatMap(childrenOf), children.cancel, {
        concurrency: "unbounded",
        discard: true
      })
    ),
    /** Interrupts what is under way and waits until it has ended. */
    stop: Effect.suspend(() => {
      stopTimers()
      for (const lane of busy) lane.leaving = "stop"
      return Fiber.interruptAll(
        [...busy].flatMap(({ fibers }) => fibers.filter((each) => each !== undefined))
      )
    }),
    /** Stops the clocks of the steps while the run is paused. */
    stopTimers,
    /** Lets the clocks of the steps go on. */
    startTimers: (): void => {
      for (const lane of lanes) if (!Run.isSettled(lane.state.status)) lane.timer?.start()
      waits.start()
    },
    /** Whether nothing can be done before what steps wait for has come. */
    onlyWaits: () => settling.waiting() + elsewhere > 0 && inFlight === elsewhere && !hasWork(),
    /** Whether something is under way or can be. */
    hasWork: () => inFlight > elsewhere || hasWork(),
    inFlight: () => inFlight,
    isDone: () => settling.left() === 0,
    /** How the run ends now that all of its steps are settled: with what it gives, where its workflow says what that is. */
    completion: (): Ending => {
      if (plan.output === undefined) return { _tag: "Completed", output: undefined }
      for (const lane of lanes) views[lane.step.definition.id] = viewOf(lane)
      return Effect.runSync(
        Effect.match(given(plan.output.evaluate(scopeOf(null, 0))), {
          onFailure: ({ kind, message }): Ending => ({
            _tag: "Failed",
            failure: { kind, message: `its output: ${message}` },
            stepId: undefined
          }),
          onSuccess: (output): Ending => ({ _tag: "Completed", output })
        })
      )
    },
    fatal
  }
}
