import type { Event, EventOf, ItemMetrics, StepSummary } from "../Event.js"
import type { Json } from "../Json.js"
import { attenuate } from "../Permission.js"
import type { Run } from "../RunState.js"
import { type ItemState, pendingStep, type StepState, type StepStatus } from "../StepState.js"
import * as Usage from "../Usage.js"

/** Adds what an item has consumed since it was last heard of to its step and its run. */
export const consume = (run: Run, step: StepState, item: ItemState, usage: Usage.Usage): void => {
  const before = item.usage
  const delta = Usage.subtract(usage, before)
  item.usage = usage
  step.usage = Usage.add(step.usage, delta)
  run.usage = Usage.add(run.usage, delta)
  if (item.childId !== undefined) run.ofChildren = Usage.add(run.ofChildren, delta)
}

/** Takes what an item has taken in all. */
export const measure = (run: Run, step: StepState, item: ItemState, metrics: ItemMetrics): void => {
  if (metrics.usage !== item.usage) consume(run, step, item, metrics.usage)
  step.retries += metrics.retries - item.retries
  item.retries = metrics.retries
  item.durationMillis = metrics.durationMillis
}

/** Ends a step, and the items of it that were under way. */
export const settle = (run: Run, stepId: string, status: StepStatus, summary: StepSummary): void => {
  run.crashes = 0
  const step = run.steps.get(stepId)
  if (step === undefined) return
  step.status = status
  step.durationMillis = summary.durationMillis
  step.endedAfter = run.ended++
  if (step.succeeded + step.failed === step.totalItems) return
  for (const item of step.items) {
    if (item?.status === "Running" || item?.status === "Waiting") item.status = "Cancelled"
  }
}

/** Has a step wait; a signal that came early is there already. */
export const beginWait = (run: Run, step: StepState, event: EventOf<"StepWaiting">, time: number): void => {
  const { approvers, message, signal, stepId, until } = event
  step.status = "Waiting"
  step.wait = { for: event.for, since: time, until, message, approvers, signal, answer: undefined }
  if (signal === undefined) return
  const early = run.signals.get(signal)
  if (early !== undefined && early.length > 0) {
    step.wait.answer = { _tag: "Signal", payload: early.shift() ?? null }
    return
  }
  const others = run.awaiting.get(signal) ?? new Set()
  run.awaiting.set(signal, others.add(stepId))
}

/** Hands a signal to every step that waits for it, or keeps it for the next one that does. */
export const receive = (run: Run, name: string, payload: Json): void => {
  let taken = false
  for (const stepId of run.awaiting.get(name) ?? []) {
    const step = run.steps.get(stepId)
    if (step?.wait === undefined || step.status !== "Waiting") continue
    step.wait.answer ??= { _tag: "Signal", payload }
    taken = true
  }
  run.awaiting.delete(name)
  if (taken) return
  const early = run.signals.get(name)
  if (early === undefined) run.signals.set(name, [payload])
  else early.push(payload)
}

/** Gives a run another plan: what is known of steps that it has as well stays, and the others are forgotten. */
export const migrate = (run: Run, { hash, params, workflow }: EventOf<"RunMigrated">): void => {
  if (run.budget === run.definition.budget) run.budget = workflow.budget
  run.registeredAs ??= { definition: run.definition, params: run.params, permissions: run.permissions }
  run.permissions = attenuate(run.permissions, workflow.permissions)
  run.definition = workflow
  run.definitionHash = hash
  if (params !== undefined) run.params = params
  if (!run.hasOwnConcurrency) run.concurrency = workflow.concurrency
  const known = new Map(run.steps)
  run.steps.clear()
  for (const { id, skill } of workflow.steps) {
    const step = known.get(id) ?? pendingStep()
    step.skill = skill
    run.steps.set(id, step)
  }
}

/** Counts the time that the run is running; after a crash nobody knows more than when it was last heard of. */
export const keepTime = (run: Run, event: Event, time: number): void => {
  const isRunning = run.status === "Running"
  if (isRunning) run.runningSince ??= time
  else if (run.runningSince !== undefined) {
    const crashed = event._tag === "RunInterrupted" && event.crash === true
    run.ranMillis += Math.max(0, (crashed ? run.lastTime : time) - run.runningSince)
    run.runningSince = undefined
  }
  run.lastTime = time
}

/** Whether all that is known to be under way of a step is other runs, which answer for themselves. */
export const isOfRuns = ({ items }: StepState): boolean =>
  items.find((item) => item !== undefined)?.childId !== undefined

/** Whether a run may have crashed its host: not where all that is known to be under way is waiting. */
export const mayHaveCrashed = (run: Run): boolean => {
  let waits = false
  for (const step of run.steps.values()) {
    const isRunning = step.status === "Running"
    if (isRunning && !isOfRuns(step)) return true
    waits ||= isRunning || step.status === "Waiting"
  }
  return !waits
}
