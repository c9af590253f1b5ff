import type { Decision, EventOf, Failure, StepSummary } from "./Event.js"
import type { AgentId, RunId } from "./Ids.js"
import type { Json } from "./Json.js"
import * as Usage from "./Usage.js"

/** Where a step stands; all but `Pending`, `Running` and `Waiting` are settled. `Waiting` is for a decision, a time or a signal. */
export type StepStatus = "Pending" | "Running" | "Waiting" | "Succeeded" | "Failed" | "Skipped" | "Cancelled"

/** Where an item stands; `Waiting` is between a failed attempt and its repetition. */
export type ItemStatus = "Running" | "Waiting" | "Succeeded" | "Failed" | "Cancelled"

/** What is known of one item of a step. */
export interface ItemState {
  readonly index: number
  label: string
  status: ItemStatus
  attempt: number
  /** How many attempts have failed and are followed by another one; what was interrupted does not count. */
  answered: number
  /** Who makes the attempt; while waiting, who makes the next one. */
  agentId: AgentId | undefined
  /** The run that the item is, where it is one. */
  childId: RunId | undefined
  /** How many attempts that agent has made of it, this one included; an attempt that was interrupted and made again is one. */
  tries: number
  startedAt: number
  /** How many milliseconds after that its last attempt began. */
  attemptAfter: number
  /** What it had used when its last attempt began. */
  usageBefore: Usage.Usage
  result: Json
  failure: Failure | undefined
  usage: Usage.Usage
  retries: number
  durationMillis: number
  progress: number | undefined
}

/** What ends the waiting of a step. */
export type Answer =
  | {
      readonly _tag: "Decision"
      readonly decision: Decision
      readonly by: string | undefined
      readonly comment: string | undefined
    }
  | { readonly _tag: "Signal"; readonly payload: Json }

/** What a step waits for: a decision, a time or a signal; the first two may have come already, the last one is `until`. */
export interface WaitState {
  readonly for: EventOf<"StepWaiting">["for"]
  /** In milliseconds since 1970, UTC: when it began to wait. */
  readonly since: number
  /** In milliseconds since 1970, UTC: when it is over, whatever has come. */
  readonly until: number | undefined
  readonly message: string | undefined
  /** Who may decide; anybody where it is missing. */
  readonly approvers: ReadonlyArray<string> | undefined
  readonly signal: string | undefined
  answer: Answer | undefined
}

/** What is known of one step; `items` is sparse until every item has started. */
export interface StepState {
  /** The skill that its agents have to have, where it is not one agent that it names. */
  skill: string | undefined
  status: StepStatus
  totalItems: number
  readonly items: Array<ItemState | undefined>
  succeeded: number
  failed: number
  retries: number
  usage: Usage.Usage
  startedAt: number | undefined
  /** How long the run had been running when the step began. */
  ranBefore: number
  durationMillis: number
  /** How many steps of its run had ended before it did, where it has; what was skipped or reused does not count. */
  endedAfter: number | undefined
  failure: Failure | undefined
  reason: string | undefined
  /** What a step without an agent came to. */
  output: Json | undefined
  wait: WaitState | undefined
  /** The run whose output this is, where the step was not done again; with `forEach` what expressions see of its items. */
  reused: { readonly runId: RunId; readonly items: ReadonlyArray<Json> } | undefined
}

/** Whether a step cannot change any more. */
export const isSettled = (status: StepStatus): boolean =>
  status !== "Pending" && status !== "Running" && status !== "Waiting"

/** A step of which nothing is recorded yet. */
export const pendingStep = (skill?: string): StepState => ({
  skill,
  status: "Pending",
  totalItems: 0,
  items: [],
  succeeded: 0,
  failed: 0,
  retries: 0,
  usage: Usage.zero,
  startedAt: undefined,
  ranBefore: 0,
  durationMillis: 0,
  endedAfter: undefined,
  failure: undefined,
  reason: undefined,
  output: undefined,
  wait: undefined,
  reused: undefined
})

/** The state of an item; one of which nothing was recorded is begun. */
export const itemOf = (
  step: StepState,
  place: { readonly index: number; readonly item: string; readonly attempt: number },
  time: number
): ItemState => {
  const known = step.items[place.index]
  if (known !== undefined) return known
  const item: ItemState = {
    index: place.index,
    label: place.item,
    status: "Running",
    attempt: place.attempt,
    answered: 0,
    agentId: undefined,
    childId: undefined,
    tries: 0,
    startedAt: time,
    attemptAfter: 0,
    usageBefore: Usage.zero,
    result: null,
    failure: undefined,
    usage: Usage.zero,
    retries: 0,
    durationMillis: 0,
    progress: undefined
  }
  step.items[place.index] = item
  return item
}

/** The totals of a step as they stand. */
export const stepSummary = (step: StepState, now: number): StepSummary => ({
  totalItems: step.totalItems,
  succeeded: step.succeeded,
  failed: step.failed,
  retries: step.retries,
  usage: step.usage,
  durationMillis: step.startedAt === undefined ? 0 : Math.max(0, now - step.startedAt)
})

/** What a settled step hands on: its own output, the result of its one item, or with `forEach` the results of the items that succeeded, in order. */
export const stepOutput = (step: StepState, isForEach: boolean): Json => {
  if (step.output !== undefined) return step.output
  if (!isForEach) return step.items[0]?.result ?? null
  const results: Array<Json> = []
  for (const item of step.items) if (item?.status === "Succeeded") results.push(item.result)
  return results
}
