import * as Effect from "effect/Effect"
import type { Event, Failure } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { Fork } from "./compat.js"
import { isCompensation } from "./compensationPlan.js"
import { given, listOf } from "./evaluation.js"
import { hasItems } from "./planStep.js"
import type { RunBudget } from "./runBudget.js"
import { type Lane, skipReason, stepTypeOf } from "./schedule.js"
import type { Settling } from "./settling.js"
import { makeTimer } from "./timer.js"
import { failureBy } from "./tolerance.js"
import { outcomeOf, type Waits, waitingFor } from "./waits.js"

/** What opening steps takes. */
export interface Doors {
  readonly lanes: ReadonlyArray<Lane>
  readonly signals: {
    readonly emit: (event: Event) => void
    readonly now: () => number
    readonly fork: Fork
    readonly timeOver: (lane: Lane) => void
    readonly budget: RunBudget | undefined
  }
  readonly settling: Settling
  readonly waits: Waits
  /** What the expressions of a step see. */
  readonly scope: () => Expression.Scope
  /** Puts a step in line whose items are to be started. */
  readonly enqueue: (lane: Lane) => void
  /** Ends what is left of a step that has failed already. */
  readonly refuse: (lane: Lane) => void
}

/** Opens steps whose dependencies are settled: they are skipped, begin to wait, or have their items listed. */
export const makeOpening = ({
  enqueue,
  lanes,
  refuse,
  scope: scopeOfStep,
  settling,
  signals,
  waits
}: Doors) => {
  const { emit, fork, now } = signals

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
    if (!isCompensation(lane.step.definition)) signals.budget?.opened(lane.step.definition.id)
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
    settling.beginWaiting(lane)
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
    const { work } = step
    const scope = scopeOfStep()
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
      if (item?.status === "Failed" && item.failure !== undefined)
        lane.failing ??= failureBy(lane, item.failure)
      if (item?.status !== "Succeeded" && item?.status !== "Failed") lane.todo.push(index)
    }
    if (lane.failing === undefined) enqueue(lane)
    else refuse(lane)
    startTimer(lane)
    settling.settleIfDone(lane)
  }

  return { open, endWait }
}
