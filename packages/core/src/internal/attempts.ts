import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Agent from "../Agent.js"
import { type AgentError, unrestricted } from "../Agent.js"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { Event, EventOf, Failure, ItemMetrics } from "../Event.js"
import type { AgentId, RunId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { PlannedStep } from "../Plan.js"
import * as Usage from "../Usage.js"
import type { RetryPolicy } from "../WorkflowDefinition.js"
import type { Workspace } from "../WorkspaceService.js"
import { fromCause, reportedUsage, runOnce, withTimeout, wrongOutput } from "./agentCall.js"
import { candidates, takeUp } from "./candidates.js"
import type { Limiter } from "./limiter.js"
import type { RunBudget, Spending } from "./runBudget.js"

/** One item to be done, and where it was left off. */
export interface Job {
  readonly runId: RunId
  readonly step: PlannedStep
  readonly item: string
  readonly index: number
  readonly total: number
  readonly input: Json
  readonly workspace: Workspace
  readonly firstAttempt: number
  /** How many attempts have been answered with a failure: the next one has the key after theirs. */
  readonly answered: number
  /** Who was at it when it was left off, and how many attempts that agent has made, the first one here included. */
  readonly agentId: AgentId | undefined
  readonly tries: number
  readonly usageBefore: Usage.Usage
  readonly startedAt: number
}

/** How an item ended: the event that records it. */
export type ItemEnd = EventOf<"ItemCompleted"> | EventOf<"ItemFailed">

/** The wait before the repetition number `retry` (1 for the first), jitter included, in whole milliseconds. */
export const backoff = (policy: RetryPolicy, retry: number, random: number): number => {
  const grown = policy.initialMillis === 0 ? 0 : policy.initialMillis * policy.factor ** (retry - 1)
  const full = Math.min(policy.capMillis, grown)
  return Math.round(full * (1 - policy.jitter * random))
}

const isNumber = (value: number | undefined): value is number =>
  typeof value === "number" && !Number.isNaN(value)

const noFallback: ReadonlySet<string> = new Set(["InvalidInput", "PermissionDenied"])

/** What an item needs of its coordinator. */
export interface Surroundings {
  /** Records that an attempt starts, shows a sign of life, or fails and is repeated. */
  readonly emit: (event: Event) => void
  readonly now: () => number
  readonly limiter: Limiter
  /** What the run may use, where something limits it. */
  readonly budget: RunBudget | undefined
}

/** An item under way. */
interface Doing {
  readonly job: Job
  readonly registry: AgentRegistry.Service
  readonly surroundings: Surroundings
  attempt: number
  answered: number
  spent: Usage.Usage
}

const metricsOf = ({ answered, job, spent }: Doing, at: number): ItemMetrics => ({
  durationMillis: Math.max(0, at - job.startedAt),
  usage: spent,
  retries: answered
})

const failedWith = (doing: Doing, error: Failure, at: number): EventOf<"ItemFailed"> => ({
  _tag: "ItemFailed",
  stepId: doing.job.step.definition.id,
  item: doing.job.item,
  index: doing.job.index,
  attempt: doing.attempt,
  error,
  metrics: metricsOf(doing, at)
})

const progressed = (
  { job, spent }: Doing,
  { message, progress, remainingMillis }: Agent.Progress
): EventOf<"ItemProgress"> => ({
  _tag: "ItemProgress",
  stepId: job.step.definition.id,
  item: job.item,
  index: job.index,
  ...(isNumber(progress) ? { progress: Math.min(1, Math.max(0, progress)) } : {}),
  ...(message === undefined ? {} : { message: String(message) }),
  ...(isNumber(remainingMillis) && remainingMillis < Number.MAX_SAFE_INTEGER
    ? { remainingMillis: Math.max(0, Math.round(remainingMillis)) }
    : {}),
  usage: spent
})

/** An attempt that failed, and when. */
interface FailedAttempt {
  readonly _tag: "FailedAttempt"
  readonly error: AgentError
  readonly at: number
}

/** Lets an agent make one attempt. */
const attemptOnce = (
  doing: Doing,
  agent: Agent.Agent,
  spending: Spending | undefined
): Effect.Effect<ItemEnd | FailedAttempt> =>
  Effect.suspend(() => {
    const { job, registry, spent: before } = doing
    const { emit, now } = doing.surroundings
    const { definition } = job.step
    const startedAt = now()
    emit({
      _tag: "ItemStarted",
      stepId: definition.id,
      item: job.item,
      index: job.index,
      total: job.total,
      attempt: doing.attempt,
      agentId: agent.id
    })
    let reported = Usage.zero
    const onProgress = (progress: Agent.Progress): void => {
      if (progress.usage !== undefined) reported = reportedUsage(progress.usage)
      doing.spent = Usage.add(before, reported)
      emit(progressed(doing, progress))
      spending?.report(reported)
    }
    /** Takes note of an answer in the registry; what is to follow counts from `at` on. */
    const answered = (usage: Usage.Usage, failure: Agent.AgentErrorKind | undefined, at: number) => {
      doing.spent = Usage.add(before, usage)
      spending?.answered(usage, failure === undefined)
      return registry.observe(agent.id, { durationMillis: Math.max(0, at - startedAt), usage, failure })
    }
    const onFailure = (error: AgentError): Effect.Effect<FailedAttempt> => {
      const at = now()
      const observed = answered(reportedUsage(error.usage ?? reported), error.kind, at)
      return Effect.as(observed, { _tag: "FailedAttempt", error, at })
    }
    const task: Agent.Task = {
      runId: job.runId,
      stepId: definition.id,
      skill: definition.skill,
      item: job.item,
      index: job.index,
      total: job.total,
      attempt: doing.attempt,
      idempotencyKey: `${job.runId}/${definition.id}/${job.index}/${doing.answered + 1}`,
      input: job.input,
      workspace: job.workspace,
      permissions: unrestricted
    }
    return Effect.matchCauseEffect(
      withTimeout(runOnce(agent, task, onProgress), definition.attemptTimeoutMillis),
      {
        onSuccess: (output): Effect.Effect<ItemEnd | FailedAttempt> => {
          const wrong = wrongOutput(output)
          if (wrong !== undefined) return onFailure(wrong)
          const at = now()
          const observed = answered(reportedUsage(output.usage), undefined, at)
          return Effect.as(observed, {
            _tag: "ItemCompleted",
            stepId: definition.id,
            item: job.item,
            index: job.index,
            attempt: doing.attempt,
            agentId: agent.id,
            result: output.value,
            metrics: metricsOf(doing, at)
          } as const)
        },
        // Not reached where this fiber itself is interrupted.
        onFailure: (cause) => onFailure(fromCause(cause))
      }
    )
  })

/** Lets an agent make its attempts, from number `tries` on, and then the others; each when its group has room for it. */
const attemptBy = (
  doing: Doing,
  agent: Agent.Agent,
  others: ReadonlyArray<Agent.Agent>,
  tries: number
): Effect.Effect<ItemEnd> => {
  const { group, id: stepId, priority = 0 } = doing.job.step.definition
  const { budget, limiter } = doing.surroundings
  const attempt = (spending?: Spending) =>
    limiter.within(group, priority)(attemptOnce(doing, agent, spending))
  const { index } = doing.job
  // What it may use is there before its group has room, so that no room is taken by what cannot begin.
  return Effect.flatMap(
    budget === undefined ? attempt() : budget.within({ stepId, index, priority, agentId: agent.id }, attempt),
    (end) =>
      end._tag === "FailedAttempt" ? afterFailure(doing, end, agent, others, tries) : Effect.succeed(end)
  )
}

const afterFailure = (
  doing: Doing,
  { at, error }: FailedAttempt,
  agent: Agent.Agent,
  others: ReadonlyArray<Agent.Agent>,
  tries: number
): Effect.Effect<ItemEnd> => {
  const failure: Failure = { kind: error.kind, message: error.message, agentId: agent.id }
  const policy = doing.job.step.definition.retry
  const isWorthIt = policy?.on === undefined ? error.retryable : policy.on.includes(error.kind)
  const retry = isWorthIt && policy !== undefined && tries < policy.attempts ? policy : undefined
  const [next, ...rest] = retry !== undefined ? [agent, ...others] : noFallback.has(error.kind) ? [] : others
  if (next === undefined) return Effect.succeed(failedWith(doing, failure, at))
  return Effect.flatMap(retry === undefined ? Effect.succeed(0) : Random.next, (random) => {
    const delayMillis =
      retry === undefined ? 0 : Math.max(backoff(retry, tries, random), error.retryAfterMillis ?? 0)
    const again = { attempt: doing.attempt + 1, delayMillis, agentId: next.id }
    doing.surroundings.emit({ ...failedWith(doing, failure, at), retry: again })
    doing.attempt++
    doing.answered++
    const following = attemptBy(doing, next, rest, retry === undefined ? 1 : tries + 1)
    return delayMillis > 0 ? Effect.zipRight(Effect.sleep(delayMillis), following) : following
  })
}

/**
 * Does an item: attempts by the first agent as its retry policy allows, then by the next ones. How the item ended is the
 * result; what happens before is emitted.
 */
export const runItem = (
  job: Job,
  registry: AgentRegistry.Service,
  surroundings: Surroundings
): Effect.Effect<ItemEnd> => {
  const doing: Doing = {
    job,
    registry,
    surroundings,
    attempt: job.firstAttempt,
    answered: job.answered,
    spent: job.usageBefore
  }
  return Effect.matchEffect(candidates(job.step, registry), {
    onFailure: ({ _tag: kind, message }) =>
      Effect.succeed(failedWith(doing, { kind, message }, surroundings.now())),
    onSuccess: (found) => {
      const {
        agents: [first, ...others],
        tries
      } = takeUp(found, job)
      return attemptBy(doing, first, others, tries)
    }
  })
}
