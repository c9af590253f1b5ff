import type { Event, Failure } from "../Event.js"
import type { StepId } from "../Ids.js"
import type { Json } from "../Json.js"
import * as Run from "../Run.js"
import { isCompensation } from "./compensationPlan.js"
import { hasItems } from "./planStep.js"
import type { Lane } from "./schedule.js"
import { shortfall } from "./tolerance.js"

/** The failure of a step that fails its run. */
export interface FatalFailure {
  readonly failure: Failure
  readonly stepId: StepId
}

/** How the steps of one run come to their ends. */
export interface Settling {
  /** Takes note of a step that waits. */
  readonly beginWaiting: (lane: Lane) => void
  /** Records the end of a step. */
  readonly settle: (lane: Lane, event: Event) => void
  readonly succeed: (lane: Lane, output?: Json) => void
  readonly fail: (lane: Lane, failure: Failure) => void
  /** Settles a step whose items have all come to an end. */
  readonly settleIfDone: (lane: Lane) => void
  /** The steps that settled since this was last asked. */
  readonly take: () => ReadonlyArray<Lane>
  /** How many steps are not settled, apart from those that undo something. */
  readonly left: () => number
  /** How many of them wait. */
  readonly waiting: () => number
  /** Why the run fails, once a step has failed that fails it. */
  readonly fatal: () => FatalFailure | undefined
}

/** The steps are as their recorded state leaves them. */
export const makeSettling = (
  lanes: ReadonlyArray<Lane>,
  emit: (event: Event) => void,
  now: () => number
): Settling => {
  let settled: Array<Lane> = []
  let left = 0
  const waiting = new Set<Lane>()
  let fatal: FatalFailure | undefined

  const doom = ({ step: { definition } }: Lane, failure: Failure): void => {
    if (definition.onFailure !== "continue" && !isCompensation(definition))
      fatal ??= { failure, stepId: definition.id }
  }

  for (const lane of lanes) {
    if (!Run.isSettled(lane.state.status)) left += isCompensation(lane.step.definition) ? 0 : 1
    else if (lane.state.failure !== undefined) doom(lane, lane.state.failure)
  }

  const settle = (lane: Lane, event: Event): void => {
    // One that is answered before it is opened again after a recovery does not wait here.
    waiting.delete(lane)
    emit(event)
    settled.push(lane)
    if (!isCompensation(lane.step.definition)) left--
    lane.timer?.stop()
  }

  const succeed = (lane: Lane, output?: Json): void => {
    const stepId = lane.step.definition.id
    const summary = Run.stepSummary(lane.state, now())
    settle(lane, {
      _tag: "StepCompleted",
      stepId,
      summary,
      ...(output === undefined ? {} : { output })
    })
  }

  const fail = (lane: Lane, failure: Failure): void => {
    doom(lane, failure)
    const stepId = lane.step.definition.id
    settle(lane, { _tag: "StepFailed", stepId, failure, summary: Run.stepSummary(lane.state, now()) })
  }

  const settleIfDone = (lane: Lane): void => {
    const { computed, items, state, step } = lane
    if (Run.isSettled(state.status) || items === undefined || lane.running > 0) return
    if (lane.failing !== undefined) fail(lane, lane.failing)
    else if (!hasItems(step.work)) {
      if (computed !== undefined) succeed(lane, computed.value)
    } else if (state.succeeded + state.failed === items.length) {
      const short = shortfall(lane)
      if (short === undefined) succeed(lane)
      else fail(lane, short)
    }
  }

  return {
    beginWaiting: (lane) => {
      waiting.add(lane)
    },
    settle,
    succeed,
    fail,
    settleIfDone,
    take: () => {
      const taken = settled
      settled = []
      return taken
    },
    left: () => left,
    waiting: () => waiting.size,
    fatal: () => fatal
  }
}
