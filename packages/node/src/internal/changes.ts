import type { AgentRecord } from "@switchyard/core/AgentRoster"
import type { Tallies } from "@switchyard/core/AgentTally"
import { attemptOf } from "@switchyard/core/Attempt"
import type { Entry } from "@switchyard/core/Event"
import type { RunId, StepId } from "@switchyard/core/Ids"
import * as Run from "@switchyard/core/Run"
import type * as Usage from "@switchyard/core/Usage"
import { type AgentChanges, makeAgentChanges } from "./agentChanges.js"

/** What the totals count a run as. */
export interface Standing {
  readonly status: Run.RunStatus
  /** Its own, without that of the runs that are items of it. */
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
  steps: ReadonlyMap<string, ChangedStep>
  dirty: Array<ChangedStep>
  /** Where its definition stands in the log. */
  definedAt: number
  /** Steps that are not in its definition any more, where it got another one that the tables do not have. */
  dropped: Set<string> | undefined
  /** What agents did in it. */
  readonly done: Tallies
  /** What the tables have; `undefined` while they have nothing. */
  written: Standing | undefined
  isDirty: boolean
}

/** The runs that have not ended, folded, and what changed since it was last written: a row that changes often is written once. */
export interface Changes {
  /** What is not in the tables of agents as it is. */
  readonly agents: AgentChanges
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

/** What the totals count a run as, as it stands. */
export const standing = (run: Run.Run): Standing => ({ status: run.status, usage: Run.ownUsage(run) })

/** The steps that an entry is for without naming them: those that wait for a signal. */
const listenersOf = ({ awaiting }: Run.Run, { event }: Entry): Iterable<string> =>
  event._tag === "SignalReceived" ? (awaiting.get(event.name) ?? []) : []

const stepsOf = (run: Run.Run): ReadonlyMap<string, ChangedStep> => {
  const steps = new Map<string, ChangedStep>()
  for (const [id, state] of run.steps) {
    steps.set(id, { id: id as StepId, position: steps.size, state, items: new Set(), isDirty: false })
  }
  return steps
}

/** Lays out the steps of a run by the definition that it has got. */
const layOut = (of: ChangedRun, entry: Entry): void => {
  const before = of.steps
  of.definedAt = entry.seq
  of.steps = stepsOf(of.run)
  for (const [id, step] of of.steps) for (const index of before.get(id)?.items ?? []) step.items.add(index)
  of.dropped ??= new Set()
  for (const id of before.keys()) if (!of.steps.has(id)) of.dropped.add(id)
  // Their positions are others, so that every one of them is written.
  of.dirty = [...of.steps.values()]
  for (const step of of.dirty) step.isDirty = true
}

/** Takes note that everything of a run is written. */
const settle = (of: ChangedRun): void => {
  for (const step of of.dirty) {
    step.isDirty = false
    step.items.clear()
  }
  of.dirty.length = 0
  of.dropped = undefined
  of.isDirty = false
  of.written = standing(of.run)
}

/** What there is to know of what the tables have. */
export interface Stored {
  /** Whether they have a run that is not open. */
  readonly has: (runId: RunId) => boolean
  /** What agents did in a run. */
  readonly done: (runId: RunId) => Tallies
  /** What is recorded of an agent, by its id in lower case. */
  readonly record: (key: string) => AgentRecord | undefined
}

/** No runs yet. */
export const makeChanges = (stored: Stored): Changes => {
  const agents = makeAgentChanges(stored.record)
  const runs = new Map<RunId, ChangedRun>()
  let forgotten = new Set<RunId>()
  let dirty: Array<ChangedRun> = []

  const register = (entry: Entry, done: Tallies): ChangedRun | undefined => {
    const run = Run.register(entry)
    if (run === undefined) return undefined
    const added: ChangedRun = {
      run,
      steps: stepsOf(run),
      dirty: [],
      definedAt: entry.seq,
      dropped: undefined,
      done,
      written: undefined,
      isDirty: false
    }
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
    if (!("stepId" in event) || event.stepId === undefined) return
    if (event._tag === "RunFailed" || event._tag === "RunCompensating") return
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

  /** What agents did in runs that go, as far as it was counted. */
  const doneIn = (gone: ReadonlyArray<RunId>): ReadonlyArray<Tallies> =>
    [...new Set(gone)].flatMap(
      (runId) => runs.get(runId)?.done ?? (forgotten.has(runId) ? [] : stored.done(runId))
    )

  const forget = (runId: RunId): void => {
    const known = runs.get(runId)
    runs.delete(runId)
    if (known?.isDirty) dirty = dirty.filter((each) => each !== known)
    forgotten.add(runId)
  }

  return {
    agents,
    remember: (entry) => {
      const known = runs.get(entry.runId)
      const applied = known !== undefined && Run.apply(known.run, entry) === undefined
      if (applied && entry.event._tag === "RunMigrated") layOut(known, entry)
      const run = known ?? register(entry, stored.done(entry.runId))
      if (run !== undefined) settle(run)
    },
    note: (entry) => {
      const known = runs.get(entry.runId)
      if (known !== undefined) {
        // Whom a signal reaches is not known any more once it has.
        const listeners = listenersOf(known.run, entry)
        const attempt = attemptOf(known.run, entry)
        if (Run.apply(known.run, entry) !== undefined) return
        if (attempt !== undefined) agents.answered(known.done, entry, attempt)
        if (entry.event._tag === "RunMigrated") layOut(known, entry)
        touch(known, entry, listeners)
        return
      }
      if (entry.event._tag === "RunsRemoved") {
        agents.removed(doneIn(entry.event.runs), entry.event)
        for (const runId of entry.event.runs) forget(runId)
        return
      }
      agents.note(entry)
      if (entry.event._tag !== "RunRegistered") return
      // The first registration counts; a later one of the same run changes nothing, as in a fold.
      if (!forgotten.has(entry.runId) && stored.has(entry.runId)) return
      const added = register(entry, new Map())
      if (added !== undefined) touch(added, entry, [])
    },
    forget,
    dirty: () => dirty,
    forgotten: () => forgotten,
    written: () => {
      agents.written()
      for (const each of dirty) {
        settle(each)
        if (Run.isTerminal(each.run.status)) runs.delete(each.run.id)
      }
      dirty = []
      forgotten = new Set()
    }
  }
}
