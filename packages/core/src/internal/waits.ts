import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { EventOf, Failure } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { Json } from "../Json.js"
import type { WaitState } from "../Run.js"
import type { ApprovalDefinition, WaitDefinition } from "../WorkflowDefinition.js"
import type { Fork } from "./compat.js"
import { given, unusable } from "./evaluation.js"
import type { PlannedStep } from "./planStep.js"
import type { Lane } from "./schedule.js"
import { insertSorted } from "./sorted.js"
import { makeTimer, type Timer } from "./timer.js"

/** What came of waiting. */
export type Outcome = { readonly output: Json } | { readonly failure: Failure }

/** Milliseconds since 1970 for a number or a text in ISO 8601. */
const timeOf = (value: Json): number | undefined =>
  typeof value === "number" || typeof value === "string"
    ? Option.getOrUndefined(Option.map(DateTime.make(value), DateTime.toEpochMillis))
    : undefined

type Waiting = EventOf<"StepWaiting">

const forTime = (
  stepId: Waiting["stepId"],
  what: "millis" | "until",
  template: Expression.Template,
  scope: Expression.Scope,
  now: number
): Effect.Effect<Waiting, Failure> =>
  Effect.flatMap(given(template.evaluate(scope)), (value) => {
    const at = what === "until" ? timeOf(value) : typeof value === "number" ? now + value : undefined
    const until = at === undefined ? Number.NaN : Math.max(0, Math.round(at))
    return Number.isSafeInteger(until)
      ? Effect.succeed<Waiting>({ _tag: "StepWaiting", stepId, for: "time", until })
      : Effect.fail(unusable(what, value, "time"))
  })

const forApproval = (
  stepId: Waiting["stepId"],
  { approvers, expiresMillis }: ApprovalDefinition,
  template: Expression.Template | undefined,
  scope: Expression.Scope,
  now: number
): Effect.Effect<Waiting, Failure> =>
  Effect.map(
    template === undefined ? Effect.succeed(undefined) : given(template.evaluate(scope)),
    (message) => ({
      _tag: "StepWaiting",
      stepId,
      for: "approval",
      ...(expiresMillis === undefined ? {} : { until: now + expiresMillis }),
      ...(message === undefined
        ? {}
        : { message: typeof message === "string" ? message : JSON.stringify(message) }),
      ...(approvers === undefined ? {} : { approvers })
    })
  )

/** How a step begins to wait, or how it fails instead. */
export const waitingFor = (
  { definition, work }: PlannedStep,
  scope: Expression.Scope,
  now: number
): Effect.Effect<Waiting, Failure> => {
  const { approval = {}, id: stepId, wait } = definition
  if (work._tag === "Approval") return forApproval(stepId, approval, work.message, scope, now)
  if (wait !== undefined && "signal" in wait) {
    const until = wait.timeoutMillis === undefined ? {} : { until: now + wait.timeoutMillis }
    return Effect.succeed({ _tag: "StepWaiting", stepId, for: "signal", signal: wait.signal, ...until })
  }
  if (work._tag === "Wait" && work.millis !== undefined)
    return forTime(stepId, "millis", work.millis, scope, now)
  if (work._tag === "Wait" && work.until !== undefined)
    return forTime(stepId, "until", work.until, scope, now)
  return Effect.dieMessage(`Step ${stepId} has nothing to wait for`)
}

const expired = (
  approval: ApprovalDefinition | undefined,
  wait: WaitDefinition | undefined,
  state: WaitState
): Outcome => {
  if (state.for === "time") return { output: null }
  if (state.for === "signal") {
    const millis = wait !== undefined && "signal" in wait ? wait.timeoutMillis : undefined
    return { failure: { kind: "Timeout", message: `no signal "${state.signal}" came within ${millis} ms` } }
  }
  const comment = `nobody decided within ${approval?.expiresMillis} ms`
  return approval?.default === "approve"
    ? { output: { decision: "approve", by: null, comment } }
    : { failure: { kind: "Rejected", message: comment } }
}

/** What came of the waiting of a step, or `undefined` while it is to go on. */
export const outcomeOf = (
  { definition }: PlannedStep,
  state: WaitState,
  now: number
): Outcome | undefined => {
  const { answer } = state
  if (answer?._tag === "Signal") return { output: answer.payload }
  if (answer?._tag === "Decision") {
    const { by = null, comment = null, decision } = answer
    const words = `${by ?? "somebody"} rejected it${comment === null ? "" : `: ${comment}`}`
    return decision === "approve"
      ? { output: { decision, by, comment } }
      : { failure: { kind: "Rejected", message: words } }
  }
  if (state.until === undefined || state.until > now) return undefined
  return expired(definition.approval, definition.wait, state)
}

/** The steps of a run that wait, all with one timer. */
export interface Waits {
  /** Has a step wait for as long as its recorded state says. */
  readonly add: (lane: Lane) => void
  /** Takes note that what a step waits for has come. */
  readonly answered: (lane: Lane) => void
  /** Steps that need not wait any more. */
  readonly takeDue: () => ReadonlyArray<Lane>
  readonly hasDue: () => boolean
  /** Has the clock stand still while nobody could act on it. */
  readonly stop: () => void
  readonly start: () => void
}

/** No step waits at first; `over` is called when the time of one has come. */
export const makeWaits = (fork: Fork, now: () => number, over: () => void): Waits => {
  /** By their time, the earliest last. */
  const deadlines: Array<{ readonly at: number; readonly lane: Lane }> = []
  let due: Array<Lane> = []
  let armed: { readonly at: number; readonly timer: Timer } | undefined
  let running = false

  const arm = (): void => {
    const at = running ? deadlines.at(-1)?.at : undefined
    if (armed?.at === at) return
    armed?.timer.stop()
    armed = undefined
    if (at === undefined) return
    armed = { at, timer: makeTimer(Math.max(0, at - now()), fork, now, over) }
    armed.timer.start()
  }

  const ripe = (): boolean => (deadlines.at(-1)?.at ?? Number.POSITIVE_INFINITY) <= now()

  return {
    add: (lane) => {
      const { wait } = lane.state
      if (wait?.answer !== undefined) due.push(lane)
      else if (wait?.until !== undefined) insertSorted(deadlines, { at: wait.until, lane }, ({ at }) => at)
      arm()
    },
    answered: (lane) => {
      due.push(lane)
    },
    hasDue: () => due.length > 0 || ripe(),
    takeDue: () => {
      while (ripe()) {
        const next = deadlines.pop()
        if (next !== undefined) due.push(next.lane)
      }
      const taken = due
      due = []
      arm()
      return taken
    },
    stop: () => {
      running = false
      arm()
    },
    start: () => {
      running = true
      arm()
    }
  }
}
