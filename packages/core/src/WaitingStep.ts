import * as Schema from "effect/Schema"
import { RunId, StepId } from "./Ids.js"
import * as Run from "./Run.js"

const Count = Schema.NonNegativeInt
const Millis = Schema.NonNegativeInt

/** What a step waits for and since when; times are milliseconds since 1970, UTC, and `until` is when it is over anyway. */
export const Waiting = Schema.Struct({
  for: Schema.Literal("approval", "time", "signal"),
  since: Millis,
  until: Schema.NullOr(Millis),
  message: Schema.NullOr(Schema.String),
  approvers: Schema.NullOr(Schema.Array(Schema.String)),
  signal: Schema.NullOr(Schema.String)
})
export type Waiting = typeof Waiting.Type

/** A step that waits, and the run that it belongs to; `firstSeq` is the position in the log at which that was registered. */
export const WaitingRow = Schema.Struct({
  runId: RunId,
  firstSeq: Count,
  workflow: Schema.String,
  owner: Schema.NullOr(Schema.String),
  runStatus: Run.RunStatus,
  stepId: StepId,
  position: Count,
  ...Waiting.fields
})
export type WaitingRow = typeof WaitingRow.Type

/** Which waiting steps to list: every given field must hold. */
export interface WaitingFilter {
  /** What they wait for: a decision where nothing is said, and whatever it is with `any`. */
  readonly for?: Waiting["for"] | "any"
  /** Who may decide: where nobody is named, everybody may. What waits for a time or a signal is nobody's to decide. */
  readonly approver?: string
  readonly workflow?: string
  readonly owner?: string
}

/** What of a run decides whether its steps can still wait. */
export type Standing = Pick<Run.Run, "id" | "status" | "cancel">

/**
 * What a step waits for, a function of the fold; null where it does not wait, where what it waited for has come, and where
 * its run has ended or is to be cancelled, so that no answer would be taken.
 */
export const waitingOf = (run: Standing, { status, wait }: Run.StepState): Waiting | null => {
  if (status !== "Waiting" || wait === undefined || wait.answer !== undefined) return null
  if (run.cancel !== undefined || Run.isTerminal(run.status)) return null
  const { approvers = null, message = null, signal = null, since, until = null } = wait
  return { for: wait.for, since, until, message, approvers, signal }
}

/** The rows of the steps of a run that wait, in the order of its definition, a function of the fold. */
export const waitingRows = (run: Run.Run): ReadonlyArray<WaitingRow> =>
  run.definition.steps.flatMap(({ id: stepId }, position) => {
    const step = run.steps.get(stepId)
    const waiting = step === undefined ? null : waitingOf(run, step)
    if (waiting === null) return []
    const { definition, firstSeq, id: runId, owner = null, status: runStatus } = run
    return [{ runId, firstSeq, workflow: definition.name, owner, runStatus, stepId, position, ...waiting }]
  })

/** Whether a filter lets a row through. */
export const isListed = (row: WaitingRow, filter: WaitingFilter): boolean => {
  const { approver, for: wanted = "approval", owner, workflow } = filter
  const mayDecide = (name: string) =>
    row.for === "approval" && (row.approvers === null || row.approvers.includes(name))
  return (
    (wanted === "any" || row.for === wanted) &&
    (approver === undefined || mayDecide(approver)) &&
    (workflow === undefined || row.workflow === workflow) &&
    (owner === undefined || row.owner === owner)
  )
}

/** Where a row stands in a list: since when it waits, then its run, then its place in that. */
export type Place = readonly [since: number, firstSeq: number, position: number]

/** The place of a row. */
export const placeOf = ({ firstSeq, position, since }: WaitingRow): Place => [since, firstSeq, position]

/** Orders rows by their places, what has waited longest first. */
export const byPlace = (a: WaitingRow, b: WaitingRow): number =>
  a.since - b.since || a.firstSeq - b.firstSeq || a.position - b.position

/** The cursor that continues after a row. */
export const cursorAfter = (row: WaitingRow): string => placeOf(row).join(".")

/** The place that a cursor continues after, which is before all rows where there is none. */
export const placeAt = (cursor: string | undefined): Place => {
  if (cursor === undefined) return [-1, 0, 0]
  const [since = Number.NaN, firstSeq = Number.NaN, position = Number.NaN] = cursor.split(".").map(Number)
  return [since, firstSeq, position]
}
