import type { Failure, StepSummary } from "./Event.js"
import type { AgentId } from "./Ids.js"
import type { Json } from "./Json.js"
import * as Usage from "./Usage.js"

/** Where a step stands; all but `Pending` and `Running` are settled. */
export type StepStatus = "Pending" | "Running" | "Succeeded" | "Failed" | "Skipped" | "Cancelled"

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
  /** How many attempts that agent has made of it, this one included; an attempt that was interrupted and made again is one. */
  tries: number
  startedAt: number
  result: Json
  failure: Failure | undefined
  usage: Usage.Usage
  retries: number
  durationMillis: number
  progress: number | undefined
}

/** What is known of one step; `items` is sparse until every item has started. */
export interface StepState {
  status: StepStatus
  totalItems: number
  readonly items: Array<ItemState | undefined>
  succeeded: number
  failed: number
  retries: number
  usage: Usage.Usage
  startedAt: number | undefined
  durationMillis: number
  failure: Failure | undefined
  reason: string | undefined
}

/** Whether a step cannot change any more. */
export const isSettled = (status: StepStatus): boolean => status !== "Pending" && status !== "Running"

/** A step of which nothing is recorded yet. */
export const pendingStep = (): StepState => ({
  status: "Pending",
  totalItems: 0,
  items: [],
  succeeded: 0,
  failed: 0,
  retries: 0,
  usage: Usage.zero,
  startedAt: undefined,
  durationMillis: 0,
  failure: undefined,
  reason: undefined
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
    tries: 0,
    startedAt: time,
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

/** What a settled step hands on: the result of its one item, or with `forEach` the results of the items that succeeded, in order. */
export const stepOutput = (step: StepState, isForEach: boolean): Json => {
  if (!isForEach) return step.items[0]?.result ?? null
  const results: Array<Json> = []
  for (const item of step.items) if (item?.status === "Succeeded") results.push(item.result)
  return results
}
