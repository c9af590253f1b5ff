import type { AgentErrorKind } from "../AgentErrorKind.js"
import type { Circuit } from "../Health.js"

/** When a circuit opens, and for how long; times in milliseconds. */
export interface CircuitPolicy {
  /** So many failures in a row open it. */
  readonly failures: number
  /** So large a share of failures among the last `window` answers opens it, once there are as many. */
  readonly rate: number
  /** At most 30. */
  readonly window: number
  readonly openMillis: number
  readonly mostOpenMillis: number
}

/**
 * A circuit breaker as of its last change. It is open until a time; from then on it is half-open, which `phaseAt` says, and
 * lets one attempt through, whose answer closes it or opens it for twice as long as before.
 */
export interface CircuitState {
  readonly phase: Circuit
  /** How many of the last answers were failures, in a row. */
  readonly inRow: number
  /** The last answers, one bit each, the latest lowest; a failure is 1. */
  readonly recent: number
  /** How many answers `recent` has. */
  readonly seen: number
  /** For how long it was opened last; 0 since it was closed. */
  readonly openMillis: number
  readonly until: number
  readonly reason: string
  /** Whether the attempt that a half-open circuit lets through is under way. */
  readonly isTrying: boolean
}

/** What an answer says about the agent: it works, it does not, or nothing. */
export type Verdict = "works" | "fails" | "silent"

const faults: ReadonlySet<AgentErrorKind> = new Set<AgentErrorKind>([
  "Unavailable",
  "Timeout",
  "Crashed",
  "InvalidOutput",
  "Unauthorized",
  "NotFound"
])

const silent: ReadonlySet<AgentErrorKind> = new Set<AgentErrorKind>([
  "PermissionDenied",
  "RateLimited",
  "QuotaExhausted"
])

/**
 * What an answer says. Failures that another task would have met as well count against the agent: it is not there, does not
 * answer in time, crashes, gives what it must not, or may not be used. `Failed`, `InvalidInput` and `ContextTooLong` are about
 * the task, and show that the agent works. A denied permission and a limit show nothing; for limits agents are held.
 */
export const verdictOf = (failure: AgentErrorKind | undefined): Verdict =>
  failure === undefined ? "works" : faults.has(failure) ? "fails" : silent.has(failure) ? "silent" : "works"

/** Closed, with nothing seen. */
export const closed: CircuitState = {
  phase: "Closed",
  inRow: 0,
  recent: 0,
  seen: 0,
  openMillis: 0,
  until: 0,
  reason: "",
  isTrying: false
}

/** A circuit that was opened by an earlier host. */
export const reopened = (until: number, openMillis: number, reason: string): CircuitState => ({
  ...closed,
  phase: "Open",
  until,
  openMillis,
  reason
})

/** What the circuit is at a time. */
export const phaseAt = ({ phase, until }: CircuitState, now: number): Circuit =>
  phase === "Open" && until <= now ? "HalfOpen" : phase

/** Whether an attempt that begins now is the one that a half-open circuit lets through. */
export const isTrial = (state: CircuitState, now: number): boolean =>
  phaseAt(state, now) === "HalfOpen" && !state.isTrying

/** The circuit once the one attempt has begun. */
export const tried = (state: CircuitState): CircuitState => ({ ...state, phase: "HalfOpen", isTrying: true })

/** The circuit when the one attempt gave no answer: another one may be made. */
export const untried = (state: CircuitState): CircuitState =>
  state.phase === "HalfOpen" && state.isTrying ? { ...state, isTrying: false } : state

const ones = (bits: number): number => {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}

const opened = (state: CircuitState, now: number, policy: CircuitPolicy, reason: string): CircuitState => {
  const openMillis = Math.min(
    policy.mostOpenMillis,
    state.openMillis === 0 ? policy.openMillis : 2 * state.openMillis
  )
  return { ...closed, phase: "Open", openMillis, until: now + openMillis, reason }
}

const answeredWhileClosed = (
  state: CircuitState,
  isFailure: boolean,
  now: number,
  policy: CircuitPolicy,
  reason: string
): CircuitState => {
  const inRow = isFailure ? state.inRow + 1 : 0
  const recent = ((state.recent << 1) | Number(isFailure)) & (2 ** policy.window - 1)
  const seen = Math.min(policy.window, state.seen + 1)
  if (isFailure && inRow >= policy.failures)
    return opened(state, now, policy, `${inRow} failures in a row, the last: ${reason}`)
  const failed = ones(recent)
  if (isFailure && seen === policy.window && failed >= policy.rate * policy.window)
    return opened(state, now, policy, `${failed} of the last ${seen} failed, the last: ${reason}`)
  // Nothing changes for an agent that has long been well.
  return recent === state.recent && inRow === state.inRow && seen === state.seen
    ? state
    : { ...state, inRow, recent, seen }
}

/**
 * The circuit after an answer. While it is open, or half-open, only the answer of the one attempt counts: others began before,
 * and say nothing about how the agent is now.
 */
export const answered = (
  state: CircuitState,
  verdict: Verdict,
  isTrialAnswer: boolean,
  now: number,
  policy: CircuitPolicy,
  reason: string
): CircuitState => {
  if (verdict === "silent") return isTrialAnswer ? untried(state) : state
  if (state.phase === "Closed") return answeredWhileClosed(state, verdict === "fails", now, policy, reason)
  if (!isTrialAnswer) return state
  return verdict === "works" ? closed : opened(state, now, policy, `it failed when it was tried: ${reason}`)
}
