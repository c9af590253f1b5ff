import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type * as Agent from "../Agent.js"
import { AgentError, fromUnknown } from "../Agent.js"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { Event, EventOf, Failure, ItemMetrics } from "../Event.js"
import type { AgentId, RunId } from "../Ids.js"
import { findNotJson, type Json } from "../Json.js"
import type { PlannedStep } from "../Plan.js"
import * as Usage from "../Usage.js"
import type { RetryPolicy } from "../WorkflowDefinition.js"
import type { Workspace } from "../WorkspaceService.js"
import type { Limiter } from "./limiter.js"

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

const count = (value: unknown): number =>
  typeof value === "number" && value > 0 ? Math.min(Number.MAX_SAFE_INTEGER, Math.round(value)) : 0

/** What an agent says that it consumed, whole and not negative whatever it says: a log takes nothing else. */
const reportedUsage = (usage: Partial<Usage.Usage> | undefined): Usage.Usage =>
  usage === Usage.zero
    ? Usage.zero
    : {
        inputTokens: count(usage?.inputTokens),
        outputTokens: count(usage?.outputTokens),
        cachedTokens: count(usage?.cachedTokens),
        costMicroUsd: count(usage?.costMicroUsd)
      }

/** What is wrong with an output, or `undefined` where it can be recorded. */
const wrongOutput = (output: Agent.Output): AgentError | undefined => {
  const found = findNotJson(output.value)
  return found === undefined
    ? undefined
    : new AgentError({
        kind: "InvalidOutput",
        reason: `its output has ${found.found} at ${found.path}, which JSON cannot carry`,
        usage: reportedUsage(output.usage)
      })
}

/** Whatever else an agent does: a defect, or an interruption of its own making, is a failure of the attempt. */
const fromCause = (cause: Cause.Cause<AgentError>): AgentError => {
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) return fromUnknown(failure.value)
  if (Cause.isInterruptedOnly(cause))
    return new AgentError({ kind: "Crashed", reason: "it interrupted itself" })
  return fromUnknown(Cause.squash(cause))
}

/** Lets an agent that gives a stream do so, whatever it says on the way; its last output is the one that counts. */
const lastOutput = (
  running: Stream.Stream<Agent.AgentEvent, AgentError>,
  onProgress: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, AgentError> =>
  Effect.suspend(() => {
    let last: Agent.Output | undefined
    return Effect.flatMap(
      Stream.runForEach(running, (event) =>
        Effect.sync(() => {
          if (event._tag === "Output") last = event
          else onProgress(event)
        })
      ),
      () =>
        last === undefined
          ? Effect.fail(new AgentError({ kind: "InvalidOutput", reason: "it ended without an output" }))
          : Effect.succeed(last)
    )
  })

/** Runs an agent once; what it throws is a defect of this effect. */
const runOnce = (
  agent: Agent.Agent,
  task: Agent.Task,
  onProgress: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, AgentError> => {
  try {
    const running = agent.run(task)
    return Effect.isEffect(running) ? running : lastOutput(running, onProgress)
  } catch (thrown) {
    return Effect.die(thrown)
  }
}

const withTimeout = (
  attempt: Effect.Effect<Agent.Output, AgentError>,
  millis: number | undefined
): Effect.Effect<Agent.Output, AgentError> =>
  millis === undefined
    ? attempt
    : Effect.flatMap(
        Effect.timeoutOption(attempt, millis),
        Option.match({
          onNone: () =>
            Effect.fail(new AgentError({ kind: "Timeout", reason: `it took longer than ${millis} ms` })),
          onSome: Effect.succeed
        })
      )

type Agents = [Agent.Agent, ...Array<Agent.Agent>]

/** The agents to try, best first: the named one and its named fallbacks, or what the registry finds for the skill. */
const candidates = (
  step: PlannedStep,
  registry: AgentRegistry.Service
): Effect.Effect<Agents, AgentRegistry.AgentNotFound | AgentRegistry.NoCapableAgent> => {
  const { agent, fallback } = step.definition
  const others = typeof fallback === "object" ? fallback : []
  const rest = (ids: ReadonlyArray<AgentId>) => Effect.forEach(ids, registry.get)
  if (agent !== undefined) {
    return Effect.zipWith(registry.get(agent), rest(others), (first, more): Agents => [first, ...more])
  }
  return Effect.flatMap(registry.selectAgent(step.query), (selection) => {
    const first = selection.agent
    if (fallback === false || (others.length === 0 && selection.candidates.length === 1))
      return Effect.succeed<Agents>([first])
    if (others.length > 0) return Effect.map(rest(others), (more): Agents => [first, ...more])
    // One that was unregistered since the selection is no candidate any more.
    return Effect.map(
      Effect.forEach(selection.candidates.slice(1), ({ agentId }) => Effect.option(registry.get(agentId))),
      (more): Agents => [first, ...more.flatMap(Option.toArray)]
    )
  })
}

/** The agents from the one on that an item was left off with, so that a pause or a crash gives nobody another chance. */
const takeUp = (agents: Agents, job: Job): { readonly agents: Agents; readonly tries: number } => {
  if (job.agentId === undefined) return { agents, tries: 1 }
  const at = agents.findIndex(({ id }) => id === job.agentId)
  const [agent, ...others] = agents.slice(Math.max(0, at))
  return at < 0 || agent === undefined
    ? { agents, tries: 1 }
    : { agents: [agent, ...others], tries: job.tries }
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
const attemptOnce = (doing: Doing, agent: Agent.Agent): Effect.Effect<ItemEnd | FailedAttempt> =>
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
    }
    /** Takes note of an answer in the registry; what is to follow counts from `at` on. */
    const answered = (usage: Usage.Usage, failure: Agent.AgentErrorKind | undefined, at: number) => {
      doing.spent = Usage.add(before, usage)
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
      workspace: job.workspace
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
  const { group, priority = 0 } = doing.job.step.definition
  return Effect.flatMap(
    doing.surroundings.limiter.within(group, priority)(attemptOnce(doing, agent)),
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
