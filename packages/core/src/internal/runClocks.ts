import type { Run } from "../Run.js"
import type { Fork } from "./compat.js"
import type { RunBudget } from "./runBudget.js"
import { makeTimer } from "./timer.js"

/** The clocks of a run, which run while it does. */
export interface RunClocks {
  readonly start: () => void
  readonly stop: () => void
  /** Stops them for good. */
  readonly close: () => void
  /** Whether the run was running when its time was over. */
  readonly isRunning: () => boolean
}

/** The clocks of a run, its budget's and its steps' included; `over` is called when the time that it may take is over. */
export const makeRunClocks = (
  run: Run,
  timeoutMillis: number | undefined,
  steps: { readonly startTimers: () => void; readonly stopTimers: () => void },
  budget: RunBudget | undefined,
  fork: Fork,
  now: () => number,
  over: () => void
): RunClocks => {
  const timer =
    timeoutMillis === undefined
      ? undefined
      : makeTimer(Math.max(1, timeoutMillis - run.ranMillis), fork, now, over)
  const stop = (): void => {
    steps.stopTimers()
    timer?.stop()
    budget?.stop()
  }
  return {
    start: () => {
      steps.startTimers()
      timer?.start()
      budget?.start()
    },
    stop,
    close: () => {
      stop()
      budget?.close()
    },
    isRunning: () => timer?.isRunning() === true
  }
}
