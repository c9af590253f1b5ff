import * as Schema from "effect/Schema"
import type { DefinitionHash } from "./DefinitionHash.js"
import { type Entry, type Event, type RunSummary, registryTags } from "./Event.js"
import { RunId, Seq } from "./Ids.js"
import { raise, ranFor, warningKey } from "./internal/budgetFold.js"
import { pinnedHash } from "./internal/pinnedHash.js"
import {
  beginWait,
  consume,
  keepTime,
  mayHaveCrashed,
  measure,
  migrate,
  receive,
  settle
} from "./internal/runFold.js"
import { attenuate } from "./Permission.js"
import { type Run, RunStatus } from "./RunState.js"
import { isTerminal, transitions } from "./RunTransitions.js"
import { itemOf, pendingStep } from "./StepState.js"
import * as Usage from "./Usage.js"

export { type AcceptedCommand, type Run, RunStatus } from "./RunState.js"
export { isTerminal, transitions } from "./RunTransitions.js"
export {
  type ItemState,
  type ItemStatus,
  isSettled,
  pendingStep,
  type StepState,
  type StepStatus,
  stepOutput,
  stepSummary,
  type WaitState
} from "./StepState.js"

/** An entry that cannot follow what came before it; the run it was applied to is unchanged. */
export class IllegalTransition extends Schema.TaggedError<IllegalTransition>()("IllegalTransition", {
  runId: RunId,
  seq: Seq,
  event: Schema.String,
  status: RunStatus
}) {
  override get message() {
    return `Entry ${this.seq} (${this.event}) cannot follow while run ${this.runId} is ${this.status}`
  }
}

/** What makes a run, or concerns the log: it cannot follow in a run. */
const ofNoRun: ReadonlySet<Event["_tag"]> = new Set<Event["_tag"]>([
  "RunRegistered",
  "RunsRemoved",
  ...registryTags
])

/** The status after an event, or `undefined` where the event is illegal in this status. */
export const next = (run: Run, tag: Event["_tag"]): RunStatus | undefined => {
  const row = transitions[tag]
  if (row === undefined) return isTerminal(run.status) || ofNoRun.has(tag) ? undefined : run.status
  if (run.status === "Interrupted" && run.cancel !== undefined) {
    if (tag === "RunRecovered") return "Cancelling"
    if (tag === "ResumeRequested") return undefined
  }
  return row[run.status]
}

/**
 * Whether a run awaits a command instead of a recovery, because its host crashed as often as `maxCrashes` says while it
 * was executing it. One that is to be cancelled is held up only by what undoes its effects.
 */
export const isParked = (run: Run, maxCrashes: number): boolean =>
  run.status === "Interrupted" &&
  run.interruption?.crash === true &&
  (run.cancel === undefined || run.compensating !== undefined) &&
  run.crashes >= maxCrashes

/** Whether agents may be at work for a run with this status; for one that is being cancelled, only to undo what it did. */
const executes = (run: Run, status: RunStatus): boolean =>
  status === "Running" || (status === "Cancelling" && run.compensating !== undefined)

/** The run as its registration leaves it, or `undefined` when the entry is not a registration. */
export const register = (entry: Entry): Run | undefined => {
  const { event } = entry
  if (event._tag !== "RunRegistered") return undefined
  return {
    id: entry.runId,
    definition: event.workflow,
    definitionHash: event.hash,
    params: event.params,
    permissions: attenuate(event.permissions, event.workflow.permissions),
    registeredAs: undefined,
    owner: event.owner,
    tags: event.tags,
    registeredAt: entry.time,
    origin: event.origin,
    parent: event.parent,
    inputs: event.inputs ?? {},
    steps: new Map(event.workflow.steps.map((step) => [step.id, pendingStep(step.skill)])),
    commands: new Map(),
    awaiting: new Map(),
    signals: new Map(),
    status: "Queued",
    started: false,
    startedAt: undefined,
    runningSince: undefined,
    ranMillis: 0,
    lastTime: entry.time,
    endedAt: undefined,
    concurrency: event.concurrency ?? event.workflow.concurrency,
    hasOwnConcurrency: event.concurrency !== undefined,
    pause: undefined,
    budget: event.budget ?? event.workflow.budget,
    raised: new Map(),
    breach: undefined,
    warned: new Set(),
    cancel: undefined,
    workspace: undefined,
    hasChildren: false,
    pins: new Map(),
    ofChildren: Usage.zero,
    ended: 0,
    compensating: undefined,
    interruptions: 0,
    interruption: undefined,
    crashes: 0,
    woken: false,
    failure: undefined,
    failedStep: undefined,
    output: undefined,
    usage: Usage.zero,
    firstSeq: entry.seq,
    lastSeq: entry.seq,
    lastRunSeq: entry.runSeq
  }
}

/**
 * Applies one entry in place, in constant time. Returns what is wrong when the entry cannot follow; the run is then
 * unchanged. Events about steps that the definition does not have are passed over.
 */
export const apply = (run: Run, entry: Entry): IllegalTransition | undefined => {
  if (!applyEvent(run, entry.event, entry.time)) {
    return new IllegalTransition({
      runId: run.id,
      seq: entry.seq,
      event: entry.event._tag,
      status: run.status
    })
  }
  run.lastSeq = entry.seq
  run.lastRunSeq = entry.runSeq
  return undefined
}

/** Applies an event before it has a place in the log; false, and nothing changed, when it cannot follow. */
export const applyEvent = (run: Run, event: Event, time: number): boolean => {
  const status = next(run, event._tag)
  if (status === undefined) return false
  const before = run.status
  run.status = status
  keepTime(run, event, time)
  if ("commandId" in event) run.commands.set(event.commandId, event)
  switch (event._tag) {
    case "RunStarted":
      run.started = true
      run.startedAt = time
      break
    case "WorkspaceCreated":
      run.workspace = event.path
      break
    case "PauseRequested":
      run.pause = event.mode
      break
    case "ResumeRequested":
      run.pause = undefined
      if (before !== "Interrupted") break
      run.crashes = 0
      run.woken = true
      break
    case "ConcurrencySet":
      run.concurrency = event.limit
      run.hasOwnConcurrency = true
      break
    case "AgentPinned":
      run.pins.set(event.agentId, event.revision)
      break
    case "RunMigrated":
      migrate(run, event)
      break
    case "BudgetWarning":
      run.warned.add(warningKey(event))
      break
    case "BudgetExceeded": {
      const { _tag: _, ...breach } = event
      if (event.onBreach === "pause") run.breach = breach
      break
    }
    case "BudgetRaised":
      raise(run, event)
      run.breach = undefined
      break
    case "OwnerBudgetRaised":
      if (run.breach?.scope === "owner") run.breach = undefined
      break
    case "CancelRequested":
      run.cancel ??= { reason: event.reason }
      run.woken = before === "Interrupted"
      break
    case "RunCompensating":
      run.compensating = { failure: event.failure, stepId: event.stepId }
      break
    case "RunInterrupted":
      run.interruptions++
      run.interruption = { reason: event.reason, crash: event.crash === true }
      // That an item had started may be lost with the crash, so a run that was running counts whether it shows or not.
      if (event.crash === true && executes(run, before) && mayHaveCrashed(run)) run.crashes++
      break
    case "RunRecovered":
      run.woken = false
      break
    case "RunCompleted":
      run.endedAt = time
      run.output = event.output
      break
    case "RunCancelled":
      run.endedAt = time
      break
    case "RunFailed":
      run.endedAt = time
      run.failure = event.failure
      run.failedStep = event.stepId
      break
    case "StepStarted": {
      const step = run.steps.get(event.stepId)
      if (step === undefined) break
      step.status = "Running"
      step.totalItems = event.totalItems
      if (step.startedAt === undefined) step.ranBefore = ranFor(run, time)
      step.startedAt ??= time
      break
    }
    case "StepReused": {
      const step = run.steps.get(event.stepId)
      if (step === undefined) break
      step.status = "Succeeded"
      step.output = event.output
      step.reused = { runId: event.runId, items: event.items ?? [] }
      break
    }
    case "StepWaiting": {
      const step = run.steps.get(event.stepId)
      if (step !== undefined) beginWait(run, step, event, time)
      break
    }
    case "ApprovalDecided": {
      const wait = run.steps.get(event.stepId)?.wait
      if (wait !== undefined)
        wait.answer ??= { _tag: "Decision", decision: event.decision, by: event.by, comment: event.comment }
      break
    }
    case "SignalReceived":
      receive(run, event.name, event.payload)
      break
    case "StepSkipped": {
      const step = run.steps.get(event.stepId)
      run.crashes = 0
      if (step === undefined) break
      step.status = "Skipped"
      step.reason = event.reason
      break
    }
    case "StepCompleted": {
      settle(run, event.stepId, "Succeeded", event.summary)
      const step = run.steps.get(event.stepId)
      if (step !== undefined && event.output !== undefined) step.output = event.output
      break
    }
    case "StepCancelled":
      settle(run, event.stepId, "Cancelled", event.summary)
      break
    case "StepFailed": {
      settle(run, event.stepId, "Failed", event.summary)
      const step = run.steps.get(event.stepId)
      if (step !== undefined) step.failure = event.failure
      break
    }
    case "ItemStarted": {
      const step = run.steps.get(event.stepId)
      if (step === undefined) break
      const item = itemOf(step, event, time)
      if (item.agentId !== event.agentId || item.tries === 0) item.tries = 1
      item.status = "Running"
      item.attempt = event.attempt
      item.agentId = event.agentId
      item.childId = event.childId
      item.attemptAfter = time - item.startedAt
      item.usageBefore = item.usage
      run.hasChildren ||= event.childId !== undefined
      item.progress = undefined
      break
    }
    case "ItemProgress": {
      const step = run.steps.get(event.stepId)
      const item = step?.items[event.index]
      if (step === undefined || item === undefined) break
      if (event.progress !== undefined) item.progress = event.progress
      consume(run, step, item, event.usage)
      break
    }
    case "ItemCompleted": {
      const step = run.steps.get(event.stepId)
      const item = step?.items[event.index]
      if (step === undefined || item === undefined) break
      run.crashes = 0
      item.status = "Succeeded"
      item.result = event.result
      item.failure = undefined
      measure(run, step, item, event.metrics)
      step.succeeded++
      break
    }
    case "ItemFailed": {
      const step = run.steps.get(event.stepId)
      if (step === undefined) break
      // An item for which no agent was found fails without ever having started.
      const item = itemOf(step, event, time)
      item.failure = event.error
      measure(run, step, item, event.metrics)
      item.status = event.retry === undefined ? "Failed" : "Waiting"
      if (event.retry === undefined) {
        run.crashes = 0
        step.failed++
      } else {
        item.answered++
        const again = item.agentId === event.retry.agentId
        item.tries = again ? item.tries + (event.retry.held === true ? 0 : 1) : 1
        item.agentId = event.retry.agentId
      }
      break
    }
    default:
  }
  return true
}

/** The state after `entries` of one run in order, or `undefined` when they do not begin with its registration. */
export const fold = (entries: Iterable<Entry>): Run | undefined => {
  let run: Run | undefined
  for (const entry of entries) {
    if (run === undefined) run = register(entry)
    else apply(run, entry)
  }
  return run
}

/** The hash of the definition that a run is pinned to, also where it was registered before hashes were recorded. */
export const hashOf = (run: Run): DefinitionHash => run.definitionHash ?? pinnedHash(run.definition)

/** What a run used itself, without the runs that are items of it. */
export const ownUsage = ({ ofChildren, usage }: Run): Usage.Usage => Usage.subtract(usage, ofChildren)

/** The totals of a run as they stand. */
export const summary = (run: Run, now: number): RunSummary => {
  const steps = { succeeded: 0, failed: 0, skipped: 0, cancelled: 0 }
  const items = { succeeded: 0, failed: 0 }
  for (const step of run.steps.values()) {
    if (step.status === "Succeeded") steps.succeeded++
    else if (step.status === "Failed") steps.failed++
    else if (step.status === "Skipped") steps.skipped++
    else if (step.status === "Cancelled") steps.cancelled++
    items.succeeded += step.succeeded
    items.failed += step.failed
  }
  return { steps, items, usage: run.usage, durationMillis: Math.max(0, now - run.registeredAt) }
}
