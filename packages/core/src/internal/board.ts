import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Agent } from "../Agent.js"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { Event, Failure, PauseMode } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { AgentId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import type { Workspace } from "../WorkspaceService.js"
import type { ItemEnd } from "./attempts.js"
import type { Children, Leaving } from "./childItems.js"
import { type Fork, interruptNow } from "./compat.js"
import { makeCompensation } from "./compensation.js"
import { isCompensation } from "./compensationPlan.js"
import { type Computed, compute } from "./compute.js"
import type { Ending } from "./ending.js"
import { given } from "./evaluation.js"
import { endOf, itemEffect, type Sight } from "./items.js"
import { makeOffspring } from "./offspring.js"
import { makeOpening } from "./opening.js"
import type { RunBudget } from "./runBudget.js"
import { type Lane, makeLanes, makePriorityQueue, viewOf } from "./schedule.js"
import { makeSettling } from "./settling.js"
import { failureBy } from "./tolerance.js"
import { makeWaits } from "./waits.js"

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
  /** What the run may use, where something limits it. */
  readonly budget: RunBudget | undefined
}

/** Who did something last with each skill, as far as it is recorded. */
const latestAgents = (plan: Plan, run: Run.Run): Map<string, AgentId> => {
  const latest = new Map<string, AgentId>()
  for (const { definition } of plan.steps) {
    const items = definition.select === "sticky" ? run.steps.get(definition.id)?.items : undefined
    for (const item of items ?? [])
      if (item?.status === "Succeeded" && item.agentId !== undefined)
        latest.set(definition.skill ?? "", item.agentId)
  }
  return latest
}

/**
 * The steps of one run: which may start, what is under way, how each one settles. Used by one coordinator fiber only. It
 * begins as the recorded state leaves it: what is settled stays so, what was under way is to be done again.
 */
export const makeBoard = (
  plan: Plan,
  run: Run.Run,
  registry: AgentRegistry.Service,
  limiters: Pick<Sight, "limiter" | "rooms">,
  children: Children,
  signals: Signals
) => {
  const { budget, emit, fork, now } = signals
  const lanes = makeLanes(plan, run)
  const views: Record<string, Json> = {}
  const launchable = makePriorityQueue<Lane>()
  const busy = new Set<Lane>()
  const settling = makeSettling(lanes, emit, now)
  const { fatal } = settling
  const compensation = makeCompensation(lanes, settling, ({ step }) =>
    Object.hasOwn(views, step.definition.id)
  )
  const waits = makeWaits(fork, now, signals.alarm)
  let ready: Array<Lane> = []
  let inFlight = 0
  /** How many of those are runs of their own, which have their slots and need none here. */
  let elsewhere = 0

  for (const lane of lanes) {
    if (Run.isSettled(lane.state.status)) views[lane.step.definition.id] = viewOf(lane)
    else if (lane.waiting === 0) ready.push(lane)
  }

  const offspring = makeOffspring(run, lanes, children, fork, signals.alarm)

  const enqueue = (lane: Lane): void => {
    if (lane.queued || lane.todo.length === 0) return
    lane.queued = true
    launchable.offer(lane, lane.step.definition.priority ?? 0)
  }

  // The end of every fiber is told by its observer, so interrupting does not wait for what it interrupts.
  const interrupt = (lane: Lane, why: Leaving): void => {
    // What is left already, for the run to stand still, would not come to its end by that.
    if (why === "cancel" && lane.leaving !== "stop") offspring.cancel([lane])
    lane.leaving = why
    for (const fiber of lane.fibers) if (fiber !== undefined) interruptNow(fiber)
  }

  const isFull = (): boolean => inFlight >= (run.concurrency ?? Number.POSITIVE_INFINITY)

  const hasWork = (): boolean =>
    ready.length > 0 || waits.hasDue() || (launchable.peek() !== undefined && !isFull())

  /** Whether nothing more is started, because the run fails. */
  const halted = (): boolean => fatal() !== undefined && !compensation.isOn()

  const abandon = (which: Iterable<Lane>, reason: string): void => {
    for (const lane of which) {
      const stepId = lane.step.definition.id
      if (Run.isSettled(lane.state.status)) continue
      lane.todo = []
      if (lane.state.status === "Pending") settling.settle(lane, { _tag: "StepSkipped", stepId, reason })
      else
        settling.settle(lane, {
          _tag: "StepCancelled",
          stepId,
          summary: Run.stepSummary(lane.state, now())
        })
    }
  }

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

  const latest = latestAgents(plan, run)
  const before = (skill: string | undefined) => latest.get(skill ?? "")
  const { limiter, rooms } = limiters
  const pins = new Map<AgentId, Agent>()
  const pinnedAt = (agentId: AgentId) => run.pins.get(agentId)
  const sight: Sight = {
    ...{ run, scopeOf, emit, now, limiter, rooms, budget, children },
    ...{ pins, pinnedAt, before }
  }

  const { endWait, open } = makeOpening({
    lanes,
    signals,
    settling,
    waits,
    scope: () => scopeOf(null, 0),
    enqueue,
    refuse: (lane) => offspring.cancel([lane])
  })

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
      const { concurrency = Number.POSITIVE_INFINITY, group, id } = lane.step.definition
      const cap = Math.min(concurrency, limiter.mostOf(group))
      while (lane.failing === undefined && lane.running < cap && lane.todo.length > 0) {
        if (isFull()) return started
        if (started === most) return started
        if (budget?.hasRoom(id) === false) break
        started++
        startItem(lane, lane.todo.pop() ?? 0, workspace)
      }
      // A lane at a limit of its own comes back when one of its items ends.
      lane.queued = false
      launchable.drop()
    }
    return started
  }

  const failNow = (lane: Lane, failure: Failure): void => {
    lane.failing = failure
    interrupt(lane, "cancel")
    settling.settleIfDone(lane)
  }

  const laneOf = (stepId: string): Lane | undefined => lanes[plan.indexOf(stepId) ?? -1]

  return {
    /**
     * Opens the steps whose dependencies are durably settled, and starts up to `most` items, as far as the limits allow; says
     * how many.
     */
    advance: (workspace: Workspace, most: number): number => {
      const undo = compensation.next()
      if (undo !== undefined) ready.push(undo)
      while (!halted() && (ready.length > 0 || waits.hasDue())) {
        for (const lane of waits.takeDue()) endWait(lane)
        const opening = ready
        ready = []
        for (const lane of opening) {
          if (!halted() && !Run.isSettled(lane.state.status) && lane.items === undefined) open(lane)
        }
      }
      return halted() || offspring.pausing() > 0 ? 0 : launch(workspace, most)
    },

    /** Records the end of an item; one without an end was interrupted and is to be done again. */
    itemEnded: (lane: Lane, index: number, end: ItemEnd | Computed | undefined): void => {
      lane.fibers[index] = undefined
      // One that was answered is over already.
      lane.tickets[index]?.end(undefined)
      lane.tickets[index] = undefined
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
        if (end._tag === "ItemCompleted" && end.agentId !== undefined)
          latest.set(lane.step.definition.skill ?? "", end.agentId)
        const failing = end._tag === "ItemFailed" ? failureBy(lane, end.error) : undefined
        if (failing !== undefined && lane.failing === undefined) {
          lane.failing = failing
          interrupt(lane, "cancel")
        }
      }
      if (lane.failing === undefined) enqueue(lane)
      settling.settleIfDone(lane)
    },

    /** Takes note that what these steps wait for has come. */
    answered: (stepIds: Iterable<string>): void => {
      for (const stepId of stepIds) {
        const lane = laneOf(stepId)
        if (lane !== undefined) waits.answered(lane)
      }
    },

    /** Fails a step whose time is over. */
    timeOver: (lane: Lane): void => {
      if (lane.timer?.isRunning() !== true || Run.isSettled(lane.state.status)) return
      const message = `the step took longer than ${lane.step.definition.stepTimeoutMillis} ms`
      failNow(lane, { kind: "Timeout", message })
    },

    /** Fails a step, whatever its items have come to. */
    failStep: (stepId: string, failure: Failure): void => {
      const lane = laneOf(stepId)
      if (lane?.items !== undefined && !Run.isSettled(lane.state.status)) failNow(lane, failure)
    },

    /** Takes note that the ends of these steps are durable: now their dependents may start. */
    durable: (done: ReadonlyArray<Lane>): void => {
      for (const lane of done) {
        // One that was laid out before the run was migrated is known to be settled.
        if (lanes[lane.step.index] !== lane) continue
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
    abandon: (reason: string): void => abandon(lanes, reason),

    /** Settles what is left and begins to undo what the steps did; says whether there is anything of that. */
    undo: (reason: string): boolean => {
      const compensations = lanes.filter(({ step }) => isCompensation(step.definition))
      if (compensations.length === 0) return false
      abandon(
        lanes.filter(({ step }) => !isCompensation(step.definition)),
        reason
      )
      stopTimers()
      return compensation.begin()
    },
    isUndone: compensation.isOver,
    /** Records of what is not undone that it cannot be. */
    giveUp: compensation.giveUp,

    /** Interrupts one item of a step or all that is under way in it, to be done later, without waiting for that. */
    interruptIn: (stepId: string, index?: number): void => {
      const lane = laneOf(stepId)
      const fiber = index === undefined ? undefined : lane?.fibers[index]
      if (fiber !== undefined) interruptNow(fiber)
      else if (lane !== undefined && index === undefined) interrupt(lane, "interrupt")
    },
    /** Interrupts what is under way for good, without waiting for it to have ended. */
    cancelAll: (): void => {
      for (const lane of busy) interrupt(lane, "cancel")
      offspring.cancel(lanes)
    },
    /** Has what is under way stand still, or lets it finish, without waiting for that; runs of their own stand still always. */
    pauseAll: (mode: PauseMode): void => {
      for (const lane of busy)
        if (mode === "interrupt" || lane.step.work._tag === "Subworkflow") interrupt(lane, mode)
      // After a recovery nobody waits for these before the run has its own slot again.
      offspring.pause(mode)
    },
    /** Ends the runs that are items of this one and have not ended, and waits until they have. */
    cancelChildren: offspring.ended,
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
    /** Whether nothing can be done before what steps wait for has come, or nothing is under way but runs of their own where nothing is started. */
    onlyWaits: (starts: boolean) =>
      inFlight === elsewhere &&
      (starts
        ? settling.waiting() + elsewhere > 0 && !hasWork()
        : elsewhere + offspring.ending() + offspring.pausing() > 0),
    /** Whether something is under way or can be. */
    hasWork: () => inFlight > elsewhere || hasWork(),
    inFlight: () => inFlight + offspring.ending() + offspring.pausing(),
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
