import * as Effect from "effect/Effect"
import type * as Agent from "../Agent.js"
import { type AgentError, unrestricted } from "../Agent.js"
import type * as AgentRegistry from "../AgentRegistry.js"
import type { CapabilityQuery } from "../Capability.js"
import type { Event, EventOf, Failure, ItemMetrics, Retry } from "../Event.js"
import type { AgentId, RunId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { Granted } from "../Permission.js"
import type { PlannedStep } from "../Plan.js"
import * as Usage from "../Usage.js"
import type { Workspace } from "../WorkspaceService.js"
import { fromCause, reportedUsage, withTimeout, wrongOutput } from "./agentCall.js"
import { limitsOf } from "./agentLimits.js"
import { type Asking, candidates, type Lineup, lineup, takeUp } from "./candidates.js"
import { following } from "./failover.js"
import type { Limiter } from "./limiter.js"
import { runWithin } from "./permissions.js"
import type { RunBudget, Spending } from "./runBudget.js"

/** One item to be done, and where it was left off. */
export interface Job {
  readonly runId: RunId
  readonly step: PlannedStep
  /** What is asked of an agent for it. */
  readonly query: CapabilityQuery
  readonly item: string
  readonly index: number
  readonly total: number
  readonly input: Json
  readonly workspace: Workspace
  /** What it may do. */
  readonly granted: Granted
  readonly firstAttempt: number
  /** How many attempts have been answered with a failure: the next one has the key after theirs. */
  readonly answered: number
  /** Who was at it when it was left off, and how many attempts that agent has made, the first one here included. */
  readonly agentId: AgentId | undefined
  readonly tries: number
  readonly usageBefore: Usage.Usage
  /** Where the ticket of its attempt is left, by its position, for whoever sees it interrupted: it is cheaper than a finalizer. */
  readonly tickets: Array<AgentRegistry.Ticket | undefined>
  readonly startedAt: number
}

/** How an item ended: the event that records it. */
export type ItemEnd = EventOf<"ItemCompleted"> | EventOf<"ItemFailed">

const isNumber = (value: number | undefined): value is number =>
  typeof value === "number" && !Number.isNaN(value)

/** What an item needs of its coordinator. */
export interface Surroundings {
  /** Records that an attempt starts, shows a sign of life, or fails and is repeated. */
  readonly emit: (event: Event) => void
  readonly now: () => number
  readonly limiter: Limiter
  /** Lets attempts begin as their agents have room for them. */
  readonly rooms: Limiter
  /** The agents as the run got to know them: one that is registered anew meanwhile is another one only to other runs. */
  readonly pins: Map<AgentId, Agent.Agent>
  /** The revision of an agent that is recorded for the run. */
  readonly pinnedAt: (agentId: AgentId) => number | undefined
  /** Who did something with a skill for this run before. */
  readonly before: (skill: string | undefined) => AgentId | undefined
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
  /** How often the limits of agents had it wait. */
  holds: number
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
    const ticket = registry.begin(agent.id, definition.skill)
    job.tickets[job.index] = ticket
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
      ticket.end({ durationMillis: Math.max(0, at - startedAt), usage, failure })
    }
    const onFailure = (error: AgentError): FailedAttempt => {
      const at = now()
      answered(reportedUsage(error.usage ?? reported), error.kind, at)
      return { _tag: "FailedAttempt", error, at }
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
      ...(job.query.constraints === undefined ? {} : { constraints: job.query.constraints }),
      workspace: job.workspace,
      permissions: unrestricted
    }
    const limits = limitsOf(agent, definition.skill)
    const wrong = limits.wrongInput(job.input)
    if (wrong !== undefined) return Effect.sync(() => onFailure(wrong))
    const onOutput = (output: Agent.Output): ItemEnd | FailedAttempt => {
      const unusable = wrongOutput(output) ?? limits.wrongOutput(output.value)
      if (unusable !== undefined) {
        reported = reportedUsage(output.usage)
        return onFailure(unusable)
      }
      const at = now()
      answered(reportedUsage(output.usage), undefined, at)
      return {
        _tag: "ItemCompleted",
        stepId: definition.id,
        item: job.item,
        index: job.index,
        attempt: doing.attempt,
        agentId: agent.id,
        result: output.value,
        metrics: metricsOf(doing, at)
      }
    }
    const most = Math.min(limits.durationMillis, definition.attemptTimeoutMillis ?? Number.POSITIVE_INFINITY)
    const byStep = definition.permissions !== undefined
    const running = runWithin(job.granted, byStep, agent, task, onProgress, emit)
    return Effect.matchCause(withTimeout(running, most), {
      onSuccess: onOutput,
      // Not reached where this fiber itself is interrupted.
      onFailure: (cause) => onFailure(fromCause(cause))
    })
  })

/** Has the run know an agent from now on, and records which one it is where that can be told: those that are data. */
const pin = (doing: Doing, agent: Agent.Agent): Effect.Effect<Agent.Agent> => {
  const { emit, pinnedAt, pins } = doing.surroundings
  if (agent.definition === undefined) {
    pins.set(agent.id, agent)
    return Effect.succeed(agent)
  }
  return Effect.match(doing.registry.pin(agent.id, pinnedAt(agent.id)), {
    // It was unregistered in this moment.
    onFailure: () => agent,
    onSuccess: (found) => {
      const known = pins.get(agent.id)
      if (known !== undefined) return known
      pins.set(agent.id, found.agent)
      if (pinnedAt(agent.id) !== found.revision)
        emit({ _tag: "AgentPinned", agentId: agent.id, revision: found.revision })
      return found.agent
    }
  })
}

/** Lets an attempt begin once its agent has room for it. */
const inRoom = (
  { job, surroundings: { rooms } }: Doing,
  agent: Agent.Agent,
  attempt: Effect.Effect<ItemEnd | FailedAttempt>
): Effect.Effect<ItemEnd | FailedAttempt> => {
  const { priority = 0, skill } = job.step.definition
  const { concurrency } = limitsOf(agent, skill)
  if (concurrency === undefined) return attempt
  const room = skill === undefined ? agent.id : `${agent.id} ${skill}`
  rooms.limit(room, { concurrency })
  return rooms.within(room, priority)(attempt)
}

/** Lets an agent make its attempts, from number `tries` on, and then the others; each when its group has room for it. */
const attemptBy = (doing: Doing, line: Lineup, tries: number): Effect.Effect<ItemEnd> => {
  const known = doing.surroundings.pins.get(line.agent.id)
  if (known !== undefined) return attemptWith(doing, known, line, tries)
  return Effect.flatMap(pin(doing, line.agent), (agent) => attemptWith(doing, agent, line, tries))
}

const attemptWith = (
  doing: Doing,
  agent: Agent.Agent,
  line: Lineup,
  tries: number
): Effect.Effect<ItemEnd> => {
  const { group, id: stepId, priority = 0 } = doing.job.step.definition
  const { budget, limiter } = doing.surroundings
  const attempt = (spending?: Spending) =>
    limiter.within(group, priority)(inRoom(doing, agent, attemptOnce(doing, agent, spending)))
  const { index } = doing.job
  // What it may use is there before its group has room, so that no room is taken by what cannot begin.
  return Effect.flatMap(
    budget === undefined ? attempt() : budget.within({ stepId, index, priority, agentId: agent.id }, attempt),
    (end) => (end._tag === "FailedAttempt" ? afterFailure(doing, end, line, tries) : Effect.succeed(end))
  )
}

const askingOf = ({ job, registry, surroundings }: Doing): Asking => ({
  registry,
  step: job.step,
  query: job.query,
  granted: job.granted,
  sticky: () => surroundings.before(job.step.definition.skill)
})

const afterFailure = (
  doing: Doing,
  { at, error }: FailedAttempt,
  line: Lineup,
  tries: number
): Effect.Effect<ItemEnd> => {
  const failure: Failure = { kind: error.kind, message: error.message, agentId: line.agent.id }
  const failed = { error, at, line, tries, holds: doing.holds }
  return Effect.flatMap(following(failed, askingOf(doing)), (next) => {
    if (next === undefined) return Effect.succeed(failedWith(doing, failure, at))
    const { delayMillis, held } = next
    const again: Retry = {
      attempt: doing.attempt + 1,
      delayMillis,
      agentId: next.line.agent.id,
      ...(held ? { held } : {})
    }
    doing.surroundings.emit({ ...failedWith(doing, failure, at), retry: again })
    doing.attempt++
    doing.answered++
    if (held) doing.holds++
    const attempt = attemptBy(doing, next.line, next.tries)
    return delayMillis > 0 ? Effect.zipRight(Effect.sleep(delayMillis), attempt) : attempt
  })
}

/**
 * Whom to try, once somebody is there: an agent that is held is waited for. One whose circuit is open is waited for only as often
 * as the retry policy has attempts, because nobody knows whether it comes back.
 */
const find = (
  doing: Doing,
  waits = 1
): Effect.Effect<Lineup, AgentRegistry.AgentNotFound | AgentRegistry.NoCapableAgent> =>
  Effect.catchTag(candidates(askingOf(doing)), "NoCapableAgent", (error) => {
    const { availableAt, heldUntil } = error
    const most = doing.job.step.definition.retry?.attempts ?? 1
    const until = heldUntil ?? (waits < most ? availableAt : undefined)
    if (until === undefined) return Effect.fail(error)
    const millis = Math.max(1, until - doing.surroundings.now())
    return Effect.zipRight(Effect.sleep(millis), find(doing, heldUntil === undefined ? waits + 1 : waits))
  })

/** Whom to try for this input: those that say by a Schema that they do not take it are left out, as long as there are others. */
const suited = ({ job }: Doing, line: Lineup): Effect.Effect<Lineup> => {
  const takes = (agent: Agent.Agent): boolean =>
    limitsOf(agent, job.step.definition.skill).wrongInput(job.input) === undefined
  if (takes(line.agent)) return Effect.succeed(line)
  return Effect.map(line.others, (others) => {
    const [next, ...rest] = others.filter(takes)
    return next === undefined ? line : lineup(next, rest)
  })
}

/** Records whom the run does not grant what they need, where nobody else is left. */
const recordDenials = ({ job, surroundings }: Doing, { rejections }: AgentRegistry.NoCapableAgent): void => {
  const { index, item } = job
  const stepId = job.step.definition.id
  for (const { agentId, permission, reason } of rejections)
    if (permission !== undefined)
      surroundings.emit({ _tag: "PermissionDenied", stepId, item, index, agentId, permission, reason })
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
    spent: job.usageBefore,
    holds: 0
  }
  return Effect.matchEffect(find(doing), {
    onFailure: (error) => {
      if (error._tag === "NoCapableAgent") recordDenials(doing, error)
      const { _tag: kind, message } = error
      return Effect.succeed(failedWith(doing, { kind, message }, surroundings.now()))
    },
    onSuccess: (found) =>
      Effect.flatMap(
        Effect.flatMap(suited(doing, found), (line) => takeUp(line, job)),
        ({ line, tries }) => attemptBy(doing, line, tries)
      )
  })
}
