import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { Event, Failure } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { StepId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import * as Usage from "../Usage.js"
import type { Workspace } from "../WorkspaceService.js"
import { type ItemEnd, type Job, runItem } from "./attempts.js"
import { messageOf } from "./cause.js"
import { type Fork, interruptNow } from "./compat.js"
import { type Lane, makeLanes, makeQueue, skipReason, viewOf } from "./schedule.js"

/** What a board says to its coordinator. */
export interface Signals {
  /** Applies an event to the run and puts it in line for the log. */
  readonly emit: (event: Event) => void
  readonly now: () => number
  readonly fork: Fork
  readonly itemEnded: (lane: Lane, index: number, end: ItemEnd | undefined) => void
  readonly timeOver: (lane: Lane) => void
}

/** The failure of a step that fails its run. */
export interface FatalFailure {
  readonly failure: Failure
  readonly stepId: StepId
}

/**
 * The steps of one run: which may start, what is under way, how each one settles. Used by one coordinator fiber only. It
 * begins as the recorded state leaves it: what is settled stays so, what was under way is to be done again.
 */
export const makeBoard = (plan: Plan, run: Run.Run, registry: AgentRegistry.Service, signals: Signals) => {
  const { emit, fork, now } = signals
  const lanes = makeLanes(plan, run)
  const views: Record<string, Json> = {}
  const launchable = makeQueue<Lane>()
  const busy = new Set<Lane>()
  let ready: Array<Lane> = []
  let settled: Array<Lane> = []
  let unsettled = 0
  let inFlight = 0
  let fatal: FatalFailure | undefined

  for (const lane of lanes) {
    const { definition } = lane.step
    if (!Run.isSettled(lane.state.status)) {
      unsettled++
      if (lane.waiting === 0) ready.push(lane)
      continue
    }
    views[definition.id] = viewOf(lane)
    if (lane.state.failure !== undefined && definition.onFailure !== "continue") {
      fatal ??= { failure: lane.state.failure, stepId: definition.id }
    }
  }

  const enqueue = (lane: Lane): void => {
    if (lane.queued || lane.todo.length === 0) return
    lane.queued = true
    launchable.offer(lane)
  }

  // The end of every fiber is told by its observer, so interrupting does not wait for what it interrupts.
  const interrupt = (lane: Lane): void => {
    for (const fiber of lane.fibers) if (fiber !== undefined) interruptNow(fiber)
  }

  const startTimer = (lane: Lane): void => {
    const { remainingMillis } = lane
    if (remainingMillis === undefined || lane.timer !== undefined) return
    lane.deadline = now() + remainingMillis
    lane.timer = fork(
      Effect.andThen(
        Effect.sleep(remainingMillis),
        Effect.sync(() => signals.timeOver(lane))
      )
    )
  }

  const stopTimer = (lane: Lane): void => {
    const { timer } = lane
    if (timer === undefined) return
    lane.timer = undefined
    lane.remainingMillis = Math.max(1, lane.deadline - now())
    interruptNow(timer)
  }

  const stopTimers = (): void => {
    for (const lane of lanes) stopTimer(lane)
  }

  const settle = (lane: Lane, event: Event): void => {
    emit(event)
    settled.push(lane)
    unsettled--
    stopTimer(lane)
  }

  const failStep = (lane: Lane, failure: Failure): void => {
    const stepId = lane.step.definition.id
    if (lane.step.definition.onFailure !== "continue") fatal ??= { failure, stepId }
    settle(lane, { _tag: "StepFailed", stepId, failure, summary: Run.stepSummary(lane.state, now()) })
  }

  const settleIfDone = (lane: Lane): void => {
    const { state, step } = lane
    if (Run.isSettled(state.status) || lane.items === undefined || lane.running > 0) return
    if (lane.failing !== undefined) {
      failStep(lane, lane.failing)
      return
    }
    if (state.succeeded + state.failed < lane.items.length) return
    if (state.failed > 0 && state.succeeded === 0) {
      const first = state.items.find((item) => item?.failure !== undefined)?.failure
      const message = `none of its ${state.totalItems} items succeeded; the first: ${first?.message ?? "unknown"}`
      failStep(lane, { kind: first?.kind ?? "Failed", message })
      return
    }
    const summary = Run.stepSummary(state, now())
    settle(lane, { _tag: "StepCompleted", stepId: step.definition.id, summary })
  }

  const scopeOf = (item: Json, index: number): Expression.Scope => ({
    params: run.params,
    steps: views,
    run: { id: run.id, workflow: plan.definition.name },
    item,
    index
  })

  /** The value of an expression; the step fails where there is none. */
  const evaluated = <A>(
    lane: Lane,
    expression: Effect.Effect<A, Expression.ExpressionError>
  ): { readonly value: A } | undefined => {
    const exit = Effect.runSyncExit(expression)
    if (Exit.isSuccess(exit)) return { value: exit.value }
    failStep(lane, { kind: "ExpressionError", message: messageOf(exit.cause) })
    return undefined
  }

  /** Whether a step goes on; one that does not is settled. */
  const enters = (lane: Lane, scope: Expression.Scope): boolean => {
    const { step } = lane
    const dependencies = step.dependencies.flatMap((index) => lanes[index] ?? [])
    const blocked = skipReason(step.join, dependencies)
    if (blocked === undefined) {
      if (step.when === undefined) return true
      const condition = evaluated(lane, step.when.evaluate(scope))
      if (condition === undefined) return false
      if (condition.value) return true
    }
    const reason = blocked ?? `its condition \`${step.definition.when}\` is false`
    settle(lane, { _tag: "StepSkipped", stepId: step.definition.id, reason })
    return false
  }

  const open = (lane: Lane): void => {
    const { state, step } = lane
    const { definition } = step
    const scope = scopeOf(null, 0)
    if (state.status === "Pending" && !enters(lane, scope)) return
    const list: { readonly value: Json } | undefined =
      step.forEach === undefined ? { value: [null] } : evaluated(lane, step.forEach.evaluate(scope))
    if (list === undefined) return
    const items: Json = list.value
    if (!Array.isArray(items)) {
      const message = `its forEach gave ${JSON.stringify(items).slice(0, 200)}, which is not a list`
      failStep(lane, { kind: "InvalidInput", message })
      return
    }
    lane.items = items
    if (state.status === "Pending") {
      const stepType = definition.skill ?? `agent:${definition.agent}`
      emit({ _tag: "StepStarted", stepId: definition.id, stepType, totalItems: items.length })
    }
    for (let index = items.length - 1; index >= 0; index--) {
      const item = state.items[index]
      if (item?.status === "Failed" && definition.onItemFailure !== "continue") lane.failing ??= item.failure
      if (item?.status !== "Succeeded" && item?.status !== "Failed") lane.todo.push(index)
    }
    if (lane.failing === undefined) enqueue(lane)
    if (definition.stepTimeoutMillis !== undefined) startTimer(lane)
    settleIfDone(lane)
  }

  const jobOf = (lane: Lane, index: number, workspace: Workspace, item: string, input: Json): Job => {
    const known = lane.state.items[index]
    return {
      runId: run.id,
      step: lane.step,
      item,
      index,
      total: lane.items?.length ?? 1,
      input,
      workspace,
      firstAttempt: (known?.attempt ?? 0) + 1,
      answered: known?.answered ?? 0,
      agentId: known?.agentId,
      tries: Math.max(1, known?.tries ?? 1),
      usageBefore: known?.usage ?? Usage.zero,
      startedAt: known?.startedAt ?? now()
    }
  }

  const itemEffect = (lane: Lane, index: number, workspace: Workspace): Effect.Effect<ItemEnd> => {
    const { step } = lane
    const { forEach, input, label } = step
    const value = lane.items?.[index] ?? null
    const plain =
      forEach === undefined ? step.definition.id : typeof value === "string" ? value : String(index)
    const given = forEach === undefined ? run.params : value
    if (label === undefined && input === undefined) {
      return runItem(jobOf(lane, index, workspace, plain, given), registry, signals)
    }
    return Effect.gen(function* () {
      const scope = scopeOf(value, index)
      const named = label === undefined ? plain : yield* label.evaluate(scope)
      const item = typeof named === "string" ? named : JSON.stringify(named)
      const made = input === undefined ? given : yield* input.evaluate(scope)
      return yield* runItem(jobOf(lane, index, workspace, item, made), registry, signals)
    }).pipe(
      Effect.catchTag("ExpressionError", ({ message }) =>
        Effect.sync(() => failureOf(lane, index, plain, { kind: "ExpressionError", message }))
      )
    )
  }

  /** The end of an item that came to it outside of its attempts. */
  const failureOf = (lane: Lane, index: number, label: string, error: Failure): ItemEnd => {
    const item = lane.state.items[index]
    const startedAt = item?.startedAt ?? now()
    return {
      _tag: "ItemFailed",
      stepId: lane.step.definition.id,
      item: item?.label ?? label,
      index,
      attempt: item?.attempt ?? 1,
      error,
      metrics: {
        durationMillis: Math.max(0, now() - startedAt),
        usage: item?.usage ?? Usage.zero,
        retries: item?.answered ?? 0
      }
    }
  }

  /** How an item ended; `undefined` where it was interrupted, so that it is to be done again. */
  const endOf = (lane: Lane, index: number, exit: Exit.Exit<ItemEnd>): ItemEnd | undefined => {
    if (Exit.isSuccess(exit)) return exit.value
    if (Cause.isInterruptedOnly(exit.cause)) return undefined
    return failureOf(lane, index, String(index), { kind: "Failed", message: messageOf(exit.cause) })
  }

  const startItem = (lane: Lane, index: number, workspace: Workspace): void => {
    const fiber = fork(itemEffect(lane, index, workspace))
    lane.fibers[index] = fiber
    lane.running++
    busy.add(lane)
    inFlight++
    fiber.addObserver((exit) => signals.itemEnded(lane, index, endOf(lane, index, exit)))
  }

  /** Starts up to `most` items, as far as the limits allow; says how many. */
  const launch = (workspace: Workspace, most: number): number => {
    let started = 0
    for (let lane = launchable.peek(); lane !== undefined; lane = launchable.peek()) {
      const cap = lane.step.definition.concurrency ?? Number.POSITIVE_INFINITY
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
      while (ready.length > 0 && fatal === undefined) {
        const opening = ready
        ready = []
        for (const lane of opening) {
          if (fatal === undefined && !Run.isSettled(lane.state.status) && lane.items === undefined) open(lane)
        }
      }
      return fatal === undefined ? launch(workspace, most) : 0
    },

    /** Records the end of an item; one without an end was interrupted and is to be done again. */
    itemEnded: (lane: Lane, index: number, end: ItemEnd | undefined): void => {
      const { definition } = lane.step
      lane.fibers[index] = undefined
      lane.running--
      if (lane.running === 0) busy.delete(lane)
      inFlight--
      if (end === undefined) {
        lane.todo.push(index)
      } else {
        emit(end)
        const failing = end._tag === "ItemFailed" && definition.onItemFailure !== "continue"
        if (failing && lane.failing === undefined) {
          lane.failing = end.error
          interrupt(lane)
        }
      }
      if (lane.failing === undefined) enqueue(lane)
      settleIfDone(lane)
    },

    /** Fails a step whose time is over. */
    timeOver: (lane: Lane): void => {
      if (lane.timer === undefined || Run.isSettled(lane.state.status)) return
      lane.failing = {
        kind: "Timeout",
        message: `the step took longer than ${lane.step.definition.stepTimeoutMillis} ms`
      }
      interrupt(lane)
      settleIfDone(lane)
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
    takeSettled: (): ReadonlyArray<Lane> => {
      const taken = settled
      settled = []
      return taken
    },

    /** Settles what is left when the run ends before its steps do. */
    abandon: (reason: string): void => {
      for (const lane of lanes) {
        const stepId = lane.step.definition.id
        if (Run.isSettled(lane.state.status)) continue
        if (lane.state.status === "Pending") settle(lane, { _tag: "StepSkipped", stepId, reason })
        else settle(lane, { _tag: "StepCancelled", stepId, summary: Run.stepSummary(lane.state, now()) })
      }
    },

    /** Interrupts what is under way, without waiting for it to have ended. */
    interruptAll: (): void => {
      for (const lane of busy) interrupt(lane)
    },
    /** Interrupts what is under way and waits until it has ended. */
    stop: Effect.suspend(() => {
      stopTimers()
      return Fiber.interruptAll(
        [...busy].flatMap(({ fibers }) => fibers.filter((each) => each !== undefined))
      )
    }),
    /** Stops the clocks of the steps while the run is paused. */
    stopTimers,
    /** Lets the clocks of the steps go on. */
    startTimers: (): void => {
      for (const lane of lanes) if (lane.state.status === "Running") startTimer(lane)
    },
    inFlight: () => inFlight,
    isDone: () => unsettled === 0,
    fatal: () => fatal
  }
}
