import * as Effect from "effect/Effect"
import type { PauseMode } from "../Event.js"
import type { RunId } from "../Ids.js"
import type { Run } from "../Run.js"
import type { Children } from "./childItems.js"
import type { Fork } from "./compat.js"
import { isOfRuns } from "./runFold.js"
import type { Lane } from "./schedule.js"

/** The runs that are items of a step and have not come to an end that is recorded with it. */
const childrenOf = ({ state }: Lane): ReadonlyArray<RunId> =>
  isOfRuns(state)
    ? state.items.flatMap((item) =>
        item?.status === "Running" || item?.status === "Cancelled" ? (item.childId ?? []) : []
      )
    : []

/** The runs that are items of one run, whether somebody waits for them here or not. */
export interface Offspring {
  /** Has those of these steps end, without waiting for it. */
  readonly cancel: (lanes: ReadonlyArray<Lane>) => void
  /** How many have been told to end and have not yet. */
  readonly ending: () => number
  /** Has all of them stand still, which nobody waits for here as the run itself was to when its host was gone. */
  readonly pause: (mode: PauseMode) => void
  /** How many have been told to stand still and do not yet. */
  readonly pausing: () => number
  /** Has all of them end, and waits until they have. */
  readonly ended: Effect.Effect<void>
}

/** The children are as the recorded state of the run says; `over` is called whenever one has done what it was told. */
export const makeOffspring = (
  run: Run,
  lanes: ReadonlyArray<Lane>,
  children: Children,
  fork: Fork,
  over: () => void
): Offspring => {
  const left = { ending: 0, pausing: 0 }
  const of = (some: ReadonlyArray<Lane>): ReadonlyArray<RunId> =>
    run.hasChildren ? some.flatMap(childrenOf) : []
  const tell = (
    which: keyof typeof left,
    some: ReadonlyArray<Lane>,
    what: (childId: RunId) => Effect.Effect<unknown>
  ): void => {
    for (const childId of of(some)) {
      left[which]++
      fork(what(childId)).addObserver(() => {
        left[which]--
        over()
      })
    }
  }
  return {
    cancel: (some) => tell("ending", some, children.cancel),
    ending: () => left.ending,
    pause: (mode) => tell("pausing", lanes, (childId) => children.pause(childId, mode)),
    pausing: () => left.pausing,
    ended: Effect.suspend(() =>
      Effect.forEach(of(lanes), children.cancel, { concurrency: "unbounded", discard: true })
    )
  }
}
