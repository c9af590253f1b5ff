import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { AgentError } from "../Agent.js"
import type { RetryPolicy } from "../WorkflowDefinition.js"
import { type Asking, available, type Lineup, lineup } from "./candidates.js"

/** Who goes on with an item after a failed attempt, how many attempts that agent has made then, and the wait before it. */
export interface Following {
  readonly line: Lineup
  readonly tries: number
  readonly delayMillis: number
  /** Whether the failure used up none of the attempts of the agent. */
  readonly held: boolean
}

/** An attempt that failed, and who could have gone on. */
export interface Failed {
  readonly error: AgentError
  readonly at: number
  readonly line: Lineup
  /** How many attempts the agent has made, and how often a limit had it wait for this item. */
  readonly tries: number
  readonly holds: number
}

/** The wait before the repetition number `retry` (1 for the first), jitter included, in whole milliseconds. */
export const backoff = (policy: RetryPolicy, retry: number, random: number): number => {
  const grown = policy.initialMillis === 0 ? 0 : policy.initialMillis * policy.factor ** (retry - 1)
  const full = Math.min(policy.capMillis, grown)
  return Math.round(full * (1 - policy.jitter * random))
}

/** How often an item waits for the limits of an agent before a limit is a failure as any other. */
const mostHolds = 100

const longestFloor = 300_000

/** The least wait for a limit: a provider that says again and again that it is over at once is asked less and less often. */
const floorOf = (holds: number): number => (holds === 0 ? 0 : Math.min(longestFloor, 500 * 2 ** holds))

const noFallback: ReadonlySet<string> = new Set(["InvalidInput", "PermissionDenied"])
const limits: ReadonlySet<string> = new Set(["RateLimited", "QuotaExhausted"])

/** What follows a limit whose end is known: another agent that can do it at once, or the same one when the limit is over. */
const afterLimit = (
  { at, error, holds, line, tries }: Failed,
  retryAfterMillis: number,
  asking: Asking
): Effect.Effect<Following> =>
  Effect.gen(function* () {
    const millis = Math.max(retryAfterMillis, floorOf(holds))
    yield* asking.registry.hold(line.agent.id, at + millis, error.message)
    const [next, ...rest] = yield* available(yield* line.others, asking)
    if (next !== undefined)
      return { line: lineup(next, [...rest, line.agent]), tries: 1, delayMillis: 0, held: true }
    // All that waited do not come back in the same moment.
    const random = holds === 0 ? 0 : yield* Random.next
    const delayMillis = millis + Math.round(Math.min(5000, millis / 10) * random)
    return { line, tries, delayMillis, held: true }
  })

/** Who goes on after a failed attempt, as the retry policy, the others and the limits of the agent allow; `undefined` is nobody. */
export const following = (failed: Failed, asking: Asking): Effect.Effect<Following | undefined> => {
  const { error, holds, line, tries } = failed
  const { retryAfterMillis } = error
  if (limits.has(error.kind) && retryAfterMillis !== undefined && holds < mostHolds)
    return afterLimit(failed, retryAfterMillis, asking)
  const policy = asking.step.definition.retry
  const isWorthIt = policy?.on === undefined ? error.retryable : policy.on.includes(error.kind)
  if (isWorthIt && policy !== undefined && tries < policy.attempts)
    return Effect.map(Random.next, (random) => ({
      line,
      tries: tries + 1,
      delayMillis: Math.max(backoff(policy, tries, random), retryAfterMillis ?? 0),
      held: false
    }))
  if (noFallback.has(error.kind)) return Effect.succeed(undefined)
  return Effect.map(line.others, ([next, ...rest]) =>
    next === undefined ? undefined : { line: lineup(next, rest), tries: 1, delayMillis: 0, held: false }
  )
}
