import type { Entry } from "@switchyard/core/Event"
import type { RunId, StepId } from "@switchyard/core/Ids"
import * as Run from "@switchyard/core/Run"
import type * as Usage from "@switchyard/core/Usage"

/** What the totals count a run as. */
export interface Standing {
  readonly status: Run.RunStatus
  readonly usage: Usage.Usage
}

/** A step of a run, and which of its rows are not in the tables as they are. */
export interface ChangedStep {
  readonly id: StepId
  readonly position: number
  readonly state: Run.StepState
  readonly items: Set<number>
  isDirty: boolean
}

/** A run, and what of it is not in the tables as it is. */
export interface ChangedRun {
  readonly run: Run.Run
  readonly steps: ReadonlyMap<string, ChangedStep>
  readonly dirty: Array<ChangedStep>
  /** What the tables have; `undefined` while they have nothing. */
  written: Standing | undefined
  isDirty: boolean
}

/** The runs that have not ended, folded, and what changed since it was last written: a row that changes often is written once. */
export interface Changes {
  /** Applies an entry whose changes are written already. */
  readonly remember: (entry: Entry) => void
  /** Applies an entry and notes the rows that it changes; one that cannot follow changes none. */
  readonly note: (entry: Entry) => void
  /** Notes that all rows of a run have to go. */
  readonly forget: (runId: RunId) => void
  /** The runs that changed, in the order in which they did; they are put after those that have to go are removed. */
  readonly dirty: () => ReadonlyArray<ChangedRun>
  /** The runs whose rows have to go. */
  readonly forgotten: () => ReadonlySet<RunId>
  /** Everything that changed is written; runs that have ended need not be known any more. */
  readonly written: () => void
}

const settles: ReadonlySet<string> = new Set(["StepCompleted", "StepFailed", "StepCancelled"])

const standing = ({ status, usage }: Run.Run): Standing => ({ status, usage })

/** The steps that an entry is for without naming them: those that wait for a signal. */
const listenersOf = ({ awaiting }: Run.Run, { event }: Entry): Iterable<string> =>
  event._tag === "SignalReceived" ? (awaiting.get(event.name) ?? []) : []

const changed = (run: Run.Run): ChangedRun => {
  const steps = new Map<string, ChangedStep>()
  for (const [id, state] of run.steps) {
    steps.set(id, { id: id as StepId, position: steps.size, state, items: new Set(), isDirty: false })
  }
  return { run, steps, dirty: [], written: undefined, isDirty: false }
}

/** No runs yet; `isRegistered` says whether the tables have a run that is not open. */
export const makeChanges = (isRegistered: (runId: RunId) => boolean): Changes => {
  const runs = new Map<RunId, ChangedRun>()
  let forgotten = new Set<RunId>()
  let dirty: Array<ChangedRun> = []

  const register = (entry: Entry): ChangedRun | undefined => {
    const run = Run.register(entry)
    if (run === undefined) return undefined
    const added = changed(run)
    runs.set(run.id, added)
    return added
  }

  const touchStep = (of: ChangedRun, stepId: string): ChangedStep | undefined => {
    const step = of.steps.get(stepId)
    if (step === undefined || step.isDirty) return step
    step.isDirty = true
    of.dirty.push(step)
    return step
  }

  const touch = (of: ChangedRun, { event }: Entry, listeners: Iterable<string>): void => {
    if (!of.isDirty) {
      of.isDirty = true
      dirty.push(of)
    }
    for (const stepId of listeners) touchStep(of, stepId)
    // A run that fails because of a step changes nothing of the step.
    if (!("stepId" in event) || event.stepId === undefined || event._tag === "RunFailed") return
    // A decision that nobody waits for changes nothing either.
    if (event._tag === "ApprovalDecided" && of.steps.get(event.stepId)?.state.wait === undefined) return
    const step = touchStep(of, event.stepId)
    if (step === undefined) return
    const { failed, items, succeeded, totalItems } = step.state
    if ("index" in event) step.items.add(event.index)
    else if (settles.has(event._tag) && succeeded + failed !== totalItems) {
      // The end of a step cancels those of its items that were under way.
      for (const item of items) if (item?.status === "Cancelled") step.items.add(item.index)
    }
  }

  const forget = (runId: RunId): void => {
    const known = runs.get(runId)
    runs.delete(runId)
    if (known?.isDirty) dirty = dirty.filter((each) => each !== known)
    forgotten.add(runId)
  }

  return {
    remember: (entry) => {
      const known = runs.get(entry.runId)
      if (known !== undefined) Run.apply(known.run, entry)
      const run = known ?? register(entry)
      if (run !== undefined) run.written = standing(run.run)
    },
    note: (entry) => {
      const known = runs.get(entry.runId)
      if (known !== undefined) {
        // Whom a signal reaches is not known any more once it has.
        const listeners = listenersOf(known.run, entry)
        if (Run.apply(known.run, entry) === undefined) touch(known, entry, listeners)
        return
      }
      if (entry.event._tag === "RunsRemoved") {
        for (const runId of entry.event.runs) forget(runId)
        return
      }
      if (entry.event._tag !== "RunRegistered") return
      // The first registration counts; a later one of the same run changes nothing, as in a fold.
      if (!forgotten.has(entry.runId) && isRegistered(entry.runId)) return
      const added = register(entry)
      if (added !== undefined) touch(added, entry, [])
    },
    forget,
    dirty: () => dirty,
    forgotten: () => forgotten,
    written: () => {
      for (const each of dirty) {
        for (const step of each.dirty) {
          step.isDirty = false
          step.items.clear()
        }
        each.dirty.length = 0
        each.isDirty = false
        each.written = standing(each.run)
        if (Run.isTerminal(each.run.status)) runs.delete(each.run.id)
      }
      dirty = []
      forgotten = new Set()
    }
  }
}
