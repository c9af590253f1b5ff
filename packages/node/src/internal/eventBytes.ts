import type { Event, EventOf } from "@switchyard/core/Event"
import type { Usage } from "@switchyard/core/Usage"
import { fixed, type Lines, put, putId, putNumber, putString, putText } from "./lineBytes.js"

const itemStartedHead = fixed('{"_tag":"ItemStarted","stepId":')
const itemProgressHead = fixed('{"_tag":"ItemProgress","stepId":')
const itemCompletedHead = fixed('{"_tag":"ItemCompleted","stepId":')
const stepStartedHead = fixed('{"_tag":"StepStarted","stepId":')
const stepCompletedHead = fixed('{"_tag":"StepCompleted","stepId":')
const item = fixed(',"item":')
const index = fixed(',"index":')
const totalKey = fixed(',"total":')
const attempt = fixed(',"attempt":')
const agentId = fixed(',"agentId":')
const childId = fixed(',"childId":')
const progress = fixed(',"progress":')
const message = fixed(',"message":')
const usageKey = fixed(',"usage":')
const remainingMillis = fixed(',"remainingMillis":')
const result = fixed(',"result":')
const nothing = fixed("null")
const metrics = fixed(',"metrics":{"durationMillis":')
const durationMillis = fixed(',"durationMillis":')
const retries = fixed(',"retries":')
const stepType = fixed(',"stepType":')
const totalItems = fixed(',"totalItems":')
const summary = fixed(',"summary":{"totalItems":')
const succeeded = fixed(',"succeeded":')
const failed = fixed(',"failed":')
const output = fixed(',"output":')
const inputTokens = fixed('{"inputTokens":')
const outputTokens = fixed(',"outputTokens":')
const cachedTokens = fixed(',"cachedTokens":')
const costMicroUsd = fixed(',"costMicroUsd":')
const close = fixed("}")
const closeTwo = fixed("}}")

const total = (usage: Usage): number =>
  usage.inputTokens + usage.outputTokens + usage.cachedTokens + usage.costMicroUsd

const field = (lines: Lines, key: Uint8Array, value: number): void => {
  put(lines, key)
  putNumber(lines, value)
}

const putUsage = (lines: Lines, usage: Usage): void => {
  put(lines, usageKey)
  field(lines, inputTokens, usage.inputTokens)
  field(lines, outputTokens, usage.outputTokens)
  field(lines, cachedTokens, usage.cachedTokens)
  field(lines, costMicroUsd, usage.costMicroUsd)
  put(lines, close)
}

type OfItem = { readonly stepId: string; readonly item: string; readonly index: number }

const putItem = (lines: Lines, head: Uint8Array, event: OfItem): void => {
  put(lines, head)
  putId(lines, event.stepId)
  put(lines, item)
  putString(lines, event.item)
  field(lines, index, event.index)
}

const putAttempt = (
  lines: Lines,
  event: { readonly attempt: number; readonly agentId?: string; readonly childId?: string }
): void => {
  field(lines, attempt, event.attempt)
  if (event.agentId !== undefined) {
    put(lines, agentId)
    putId(lines, event.agentId)
  }
  if (event.childId !== undefined) {
    put(lines, childId)
    putId(lines, event.childId)
  }
}

// Each of these gives whether all of its numbers are such that JSON can say them, and adds nothing where not.

const itemStarted = (lines: Lines, event: EventOf<"ItemStarted">): boolean => {
  if (!Number.isFinite(event.index + event.total + event.attempt)) return false
  putItem(lines, itemStartedHead, event)
  field(lines, totalKey, event.total)
  putAttempt(lines, event)
  put(lines, close)
  return true
}

const itemProgress = (lines: Lines, event: EventOf<"ItemProgress">): boolean => {
  const { usage } = event
  const numbers = event.index + (event.progress ?? 0) + (event.remainingMillis ?? 0) + total(usage)
  if (!Number.isFinite(numbers)) return false
  putItem(lines, itemProgressHead, event)
  if (event.progress !== undefined) field(lines, progress, event.progress)
  if (event.message !== undefined) {
    put(lines, message)
    putString(lines, event.message)
  }
  putUsage(lines, usage)
  if (event.remainingMillis !== undefined) field(lines, remainingMillis, event.remainingMillis)
  put(lines, close)
  return true
}

const itemCompleted = (lines: Lines, event: EventOf<"ItemCompleted">): boolean => {
  const taken = event.metrics
  const numbers = event.index + event.attempt + taken.durationMillis + taken.retries + total(taken.usage)
  if (!Number.isFinite(numbers)) return false
  putItem(lines, itemCompletedHead, event)
  putAttempt(lines, event)
  put(lines, result)
  if (event.result === null) put(lines, nothing)
  else putText(lines, JSON.stringify(event.result))
  put(lines, metrics)
  putNumber(lines, taken.durationMillis)
  putUsage(lines, taken.usage)
  field(lines, retries, taken.retries)
  put(lines, closeTwo)
  return true
}

const stepStarted = (lines: Lines, event: EventOf<"StepStarted">): boolean => {
  if (!Number.isFinite(event.totalItems)) return false
  put(lines, stepStartedHead)
  putId(lines, event.stepId)
  put(lines, stepType)
  putId(lines, event.stepType)
  field(lines, totalItems, event.totalItems)
  put(lines, close)
  return true
}

const stepCompleted = (lines: Lines, event: EventOf<"StepCompleted">): boolean => {
  const of = event.summary
  const counts = of.totalItems + of.succeeded + of.failed + of.retries
  if (!Number.isFinite(counts + of.durationMillis + total(of.usage))) return false
  put(lines, stepCompletedHead)
  putId(lines, event.stepId)
  put(lines, summary)
  putNumber(lines, of.totalItems)
  field(lines, succeeded, of.succeeded)
  field(lines, failed, of.failed)
  field(lines, retries, of.retries)
  putUsage(lines, of.usage)
  field(lines, durationMillis, of.durationMillis)
  put(lines, close)
  if (event.output !== undefined) {
    put(lines, output)
    putText(lines, JSON.stringify(event.output))
  }
  put(lines, close)
  return true
}

const spelled = (lines: Lines, event: Event): boolean => {
  switch (event._tag) {
    case "ItemStarted":
      return itemStarted(lines, event)
    case "ItemProgress":
      return itemProgress(lines, event)
    case "ItemCompleted":
      return itemCompleted(lines, event)
    case "StepStarted":
      return stepStarted(lines, event)
    case "StepCompleted":
      return stepCompleted(lines, event)
    default:
      return false
  }
}

/**
 * Adds an event as JSON. The kinds that come with every step are spelled out byte by byte, which leaves no garbage behind;
 * JSON.stringify does the others. Throws where the event is none.
 */
export const putEvent = (lines: Lines, event: Event): void => {
  if (!spelled(lines, event)) putText(lines, JSON.stringify(event))
}
