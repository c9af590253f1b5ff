import type { Event, Failure } from "../Event.js"
import type { Plan } from "../Plan.js"
import type { Run, StepState } from "../Run.js"
import { isSettled } from "../Run.js"
import type { Slot } from "./admission.js"
import { isCompensation } from "./compensationPlan.js"
import { type Ending, reasonOf } from "./ending.js"
import type { Premises } from "./premises.js"
import type { Lane } from "./schedule.js"
import type { Settling } from "./settling.js"

/** Whether a step may have had effects that are its run's: once it has been begun, however it ended. */
export const mayHaveEffects = ({ items, reused, status }: StepState): boolean =>
  reused === undefined &&
  (status === "Succeeded" || items.some((item) => item !== undefined && item.tries > 0))

/** The positions of steps whose effects were undone, or may be when the run goes on. */
export const undoneIn = (run: Run, plan: Plan): ReadonlySet<number> => {
  const found = new Set<number>()
  for (const { definition, dependencies } of plan.steps) {
    const status = run.steps.get(definition.id)?.status
    if (!isCompensation(definition) || status === "Skipped") continue
    if (status !== "Pending" || run.compensating !== undefined)
      for (const index of dependencies) found.add(index)
  }
  return found
}

/** Why there is nothing to undo of a step. */
const nothingToUndo = ({ state, step }: Lane): string => {
  const { id } = step.definition
  return state.reused === undefined
    ? `"${id}" has done nothing that is to be undone`
    : `"${id}" was done by run ${state.reused.runId}, which keeps it`
}

/** What undoes the effects of the steps of one run, one after the other. */
export interface Compensation {
  /** Begins to undo, once the other steps are settled; what there is nothing to do for is skipped. Says whether something is due. */
  readonly begin: () => boolean
  readonly isOn: () => boolean
  /** The step to be opened now, which is the next one once the end of the one before it is durable. */
  readonly next: () => Lane | undefined
  /** Records of all that is not done yet that it cannot be. */
  readonly giveUp: (failure: Failure) => void
  readonly isOver: () => boolean
}

/**
 * The compensations of a run as its recorded state leaves them. The steps that ended last are undone first, by the order in
 * which their ends are recorded, so that it is the same one whoever goes on with it.
 */
export const makeCompensation = (
  lanes: ReadonlyArray<Lane>,
  settling: Settling,
  isDurable: (lane: Lane) => boolean
): Compensation => {
  let due: ReadonlyArray<Lane> | undefined
  let opened: Lane | undefined
  let settled = 0

  /** The one to be done first of those that are left. */
  const first = (): Lane | undefined => {
    for (let lane = due?.[settled]; lane !== undefined; lane = due?.[settled]) {
      if (!isSettled(lane.state.status)) return lane
      settled++
    }
    return undefined
  }

  return {
    begin: () => {
      const found: Array<readonly [lane: Lane, endedAfter: number]> = []
      for (const lane of lanes) {
        const { definition, dependencies } = lane.step
        const target = lanes[dependencies[0] ?? -1]
        if (!isCompensation(definition) || target === undefined || isSettled(lane.state.status)) continue
        if (mayHaveEffects(target.state)) found.push([lane, target.state.endedAfter ?? 0])
        else
          settling.settle(lane, {
            _tag: "StepSkipped",
            stepId: definition.id,
            reason: nothingToUndo(target)
          })
      }
      due = found.sort(([, left], [, right]) => right - left).map(([lane]) => lane)
      return due.length > 0
    },
    isOn: () => due !== undefined,
    next: () => {
      if (due === undefined || (opened !== undefined && !isDurable(opened))) return undefined
      const next = first()
      if (next === opened) return undefined
      opened = next
      return next
    },
    giveUp: (failure) => {
      for (let lane = first(); lane !== undefined; lane = first()) settling.fail(lane, failure)
    },
    isOver: () => first() === undefined
  }
}

/** What a run needs to have its effects undone. */
export interface Means {
  readonly run: Run
  readonly slot: Slot
  readonly board: () => {
    readonly undo: (reason: string) => boolean
    readonly isUndone: () => boolean
    readonly giveUp: (failure: Failure) => void
  }
  readonly emit: (event: Event) => void
  /** Has nothing more started before what is recorded up to here is durable. */
  readonly hold: () => void
  readonly premises: Pick<Premises, "prepare" | "failure">
}

/** How a run that is to end has its effects undone before it does. */
export interface Undoing {
  readonly isOn: () => boolean
  /** Goes on as soon as there is a slot. */
  readonly proceed: () => void
  /** Whether nothing is left to be undone before the run ends like this; begins with it where something is. */
  readonly isOver: (how: Ending) => boolean
}

/** Nothing is undone before it is asked for the first time whether that is over. */
export const makeUndoing = (means: Means): Undoing => {
  const { board, emit, hold, premises, run, slot } = means
  let due: boolean | undefined

  const proceed = (): void => {
    if (due !== true || board().isUndone()) return
    slot.request()
    if (!slot.held()) return
    if (run.status === "Queued") {
      emit({ _tag: "RunResumed" })
      hold()
    }
    premises.prepare()
    const failure = premises.failure()
    if (failure !== undefined) board().giveUp(failure)
  }

  return {
    isOn: () => due === true,
    proceed,
    isOver: (how) => {
      if (how._tag === "Completed") return true
      if (due === undefined) {
        due = board().undo(reasonOf(how))
        if (due && run.compensating === undefined) {
          const { failure, stepId } = how._tag === "Failed" ? how : {}
          emit({
            _tag: "RunCompensating",
            ...(failure === undefined ? {} : { failure }),
            ...(stepId === undefined ? {} : { stepId })
          })
          hold()
        }
        proceed()
      }
      return board().isUndone()
    }
  }
}
