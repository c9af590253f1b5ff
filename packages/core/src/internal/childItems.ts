import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import type { EventOf, Failure, ItemMetrics, Parent, PauseMode } from "../Event.js"
import { RunId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { Granted } from "../Permission.js"
import type { Run } from "../Run.js"
import type { RunResult } from "../RunResult.js"
import type * as Usage from "../Usage.js"
import type { Definition } from "../WorkflowDefinition.js"
import type { ItemEnd, Job } from "./attempts.js"

/** A run that is an item of another one. */
export interface Child {
  readonly runId: RunId
  readonly parent: Parent
  readonly workflow: Definition
  readonly params: Json
  readonly owner: string | undefined
  readonly tags: ReadonlyArray<string>
  /** What the step that it is done for may do. */
  readonly permissions: Granted
}

/** Has the items executed that are runs themselves. */
export interface Children {
  /** Registers a child, or finds the one there is, and has it go on where it stands still because its parent did. */
  readonly begin: (child: Child) => Effect.Effect<void, Failure>
  /** Waits for its end, also where another host comes to it. */
  readonly ended: (runId: RunId) => Effect.Effect<RunResult, Failure>
  /** Has it stand still, and waits until it does or has ended, which it may do first. */
  readonly pause: (runId: RunId, mode: PauseMode) => Effect.Effect<RunResult | undefined>
  /** Has it end, and waits until it has. */
  readonly cancel: (runId: RunId) => Effect.Effect<void>
}

/** Why an item is left before it has ended: the host stops, the run pauses in such a way, or nobody needs it any more. */
export type Leaving = "stop" | "cancel" | PauseMode

const isRunId = Schema.is(RunId)

/** The id of a child, which is always the same: that of its run, of the step and, with `forEach`, the position of the item. */
export const childIdOf = ({ index, runId, stepId }: Parent, isForEach: boolean): RunId => {
  const plain = isForEach ? `${runId}.${stepId}.${index}` : `${runId}.${stepId}`
  if (isRunId(plain)) return plain
  // What is too long has to be told apart by something short; a clash would be refused when the run is registered.
  const short = [plain, `${plain}#`].map((text) => (Hash.string(text) >>> 0).toString(36)).join("")
  return RunId.make(`${plain.slice(0, 100).replace(/[^A-Za-z0-9]+$/, "")}-${short}`)
}

const failureOf = ({ failure, runId, status }: RunResult): Failure =>
  status === "Failed"
    ? { kind: failure?.kind ?? "Failed", message: `run ${runId} failed: ${failure?.message ?? "unknown"}` }
    : { kind: "Cancelled", message: `run ${runId} was cancelled` }

/** What an item that is a run needs beside what all items do. */
export interface ChildJob extends Job {
  readonly run: Run
  readonly workflow: Definition
  /** Why it is left, where it is interrupted. */
  readonly leaving: () => Leaving
  /** Takes note that it has ended though it was left. */
  readonly endedFirst: (end: ItemEnd) => void
  /** Takes note of what its run has used. */
  readonly charge: (runId: RunId, usage: Usage.Usage) => void
}

/** Has an item done that is a run: it is begun, or found where an earlier host began it, and waited for. */
export const runChild = (
  job: ChildJob,
  children: Children,
  { emit, now }: { readonly emit: (event: EventOf<"ItemStarted">) => void; readonly now: () => number }
): Effect.Effect<ItemEnd> =>
  Effect.uninterruptibleMask((restore) => {
    const { firstAttempt: attempt, granted: permissions, index, item, leaving, run, step, total } = job
    const stepId = step.definition.id
    const parent = { runId: run.id, stepId, index }
    const childId = childIdOf(parent, step.forEach !== undefined)
    const place = { stepId, item, index }
    const metrics = (usage: RunResult["summary"]["usage"]): ItemMetrics => ({
      durationMillis: Math.max(0, now() - job.startedAt),
      usage,
      retries: 0
    })
    const failed = (error: Failure, usage = job.usageBefore): ItemEnd => ({
      _tag: "ItemFailed",
      ...place,
      attempt,
      error,
      metrics: metrics(usage)
    })

    const endOf = (result: RunResult): ItemEnd => {
      const { usage } = result.summary
      job.charge(childId, usage)
      if (result.status !== "Completed") return failed(failureOf(result), usage)
      return { _tag: "ItemCompleted", ...place, attempt, result: result.output, metrics: metrics(usage) }
    }

    const leave: Effect.Effect<void> = Effect.suspend(() => {
      const why = leaving()
      if (why === "stop") return Effect.void
      if (why === "cancel") return children.cancel(childId)
      return Effect.flatMap(children.pause(childId, why), (result) => {
        // A run that is cancelled while it waits for this has no use for a child that stands still.
        if (leaving() === "cancel") return children.cancel(childId)
        if (result !== undefined) job.endedFirst(endOf(result))
        return Effect.void
      })
    })

    emit({ _tag: "ItemStarted", ...place, total, attempt, childId })
    const { owner, tags } = run
    return Effect.match(
      Effect.zipRight(
        // The start of the item is in the log before its run is, so that whoever goes on after a crash knows of it.
        Effect.zipRight(
          Effect.yieldNow(),
          children.begin({
            runId: childId,
            parent,
            workflow: job.workflow,
            params: job.input,
            owner,
            tags,
            permissions
          })
        ),
        Effect.onInterrupt(restore(children.ended(childId)), () => leave)
      ),
      {
        onFailure: (error) => failed(error),
        onSuccess: endOf
      }
    )
  })
