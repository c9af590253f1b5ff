import type { Budget, Mark, StepBudget } from "../Budget.js"
import { defaultWarnAt } from "../Budget.js"
import type { StepId } from "../Ids.js"
import { isSettled, type Run } from "../Run.js"
import { ranFor, stepRanFor, warningKey } from "./budgetFold.js"
import type { Fork } from "./compat.js"
import { makeTimer, type Timer } from "./timer.js"

/** Watches the ceilings of running time of a run and of its steps, all with one timer. */
export interface WallBudget {
  /** Watches a step from now on, where it has such a ceiling. */
  readonly watch: (stepId: StepId) => void
  /** Has the clock run. */
  readonly start: () => void
  /** Takes note of new ceilings. */
  readonly rearm: () => void
  readonly stop: () => void
}

/** What a watch says. */
export interface WallSignals {
  readonly warned: (mark: Mark) => void
  readonly exceeded: (mark: Mark) => void
}

interface Watched {
  readonly mark: Mark
  readonly warnFrom: number
}

const markOf = (
  budget: Budget | StepBudget | undefined,
  spent: number,
  stepId: StepId | undefined
): ReadonlyArray<Watched> => {
  const limit = budget?.wallMillis
  if (limit === undefined) return []
  const scope = stepId === undefined ? { scope: "run" as const } : { scope: "step" as const, stepId }
  const mark: Mark = { ...scope, dimension: "wallMillis", limit, spent: Math.round(spent) }
  return [{ mark, warnFrom: (budget?.warnAt ?? defaultWarnAt) * limit }]
}

/** The clock does not run at first. */
export const makeWallBudget = (
  run: Run,
  budgetOf: (stepId: StepId) => Budget | StepBudget | undefined,
  fork: Fork,
  now: () => number,
  signals: WallSignals
): WallBudget => {
  const steps = new Set<StepId>()
  /** The ceilings that were told as exceeded. */
  const over = new Set<string>()
  let running = false
  let timer: Timer | undefined

  const watched = (): ReadonlyArray<Watched> => {
    const time = now()
    const found = [...markOf(run.budget, ranFor(run, time), undefined)]
    for (const stepId of steps) {
      const step = run.steps.get(stepId)
      if (step === undefined || isSettled(step.status)) steps.delete(stepId)
      else found.push(...markOf(budgetOf(stepId), stepRanFor(run, step, time), stepId))
    }
    return found.filter(({ mark }) => !over.has(warningKey(mark)))
  }

  const arm = (): void => {
    timer?.stop()
    timer = undefined
    if (!running) return
    const delays = watched().map(({ mark, warnFrom }) => {
      const next = run.warned.has(warningKey(mark)) ? mark.limit : warnFrom
      return Math.max(0, Math.ceil(next - mark.spent))
    })
    if (delays.length === 0) return
    timer = makeTimer(Math.min(...delays), fork, now, due)
    timer.start()
  }

  const due = (): void => {
    for (const { mark, warnFrom } of watched()) {
      if (mark.spent >= warnFrom && !run.warned.has(warningKey(mark))) signals.warned(mark)
      if (mark.spent < mark.limit) continue
      over.add(warningKey(mark))
      signals.exceeded(mark)
    }
    arm()
  }

  return {
    watch: (stepId) => {
      if (steps.has(stepId) || budgetOf(stepId)?.wallMillis === undefined) return
      steps.add(stepId)
      arm()
    },
    start: () => {
      running = true
      arm()
    },
    rearm: arm,
    stop: () => {
      running = false
      arm()
    }
  }
}
