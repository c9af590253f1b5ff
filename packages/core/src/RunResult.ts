import type { Failure, RunSummary, StepSummary } from "./Event.js"
import type { RunId, StepId } from "./Ids.js"
import type { Json } from "./Json.js"
import * as Run from "./Run.js"
import type { Definition } from "./WorkflowDefinition.js"

/** How one step ended. */
export interface StepResult extends StepSummary {
  readonly stepId: StepId
  readonly status: Run.StepStatus
  readonly failure: Failure | undefined
  readonly reason: string | undefined
}

/**
 * How a run ended: the outputs of its steps by id, and its totals. `Interrupted` means that the host stopped first, or that
 * the run is parked; `interruption` says why then.
 */
export interface RunResult {
  readonly runId: RunId
  readonly status: Run.RunStatus
  readonly outputs: Readonly<Record<string, Json>>
  /** What a completed run gives: what its workflow says, or the outputs of the steps that nothing comes after, by id. */
  readonly output: Json
  readonly steps: ReadonlyArray<StepResult>
  readonly summary: RunSummary
  readonly failure: Failure | undefined
  readonly failedStep: string | undefined
  readonly workspace: string | undefined
  readonly interruption?: string | undefined
}

/** The steps that nothing comes after, by id. */
export const lastSteps = ({ steps }: Definition): ReadonlySet<StepId> => {
  const last = new Set(steps.map(({ id }) => id))
  for (const { after = [] } of steps) for (const id of after) last.delete(id)
  return last
}

const outputOf = (run: Run.Run, outputs: Readonly<Record<string, Json>>): Json => {
  if (run.status !== "Completed") return null
  if (run.output !== undefined) return run.output
  const last: ReadonlySet<string> = lastSteps(run.definition)
  return Object.fromEntries(Object.entries(outputs).filter(([id]) => last.has(id)))
}

/** What a run came to, from its fold. */
export const resultOf = (run: Run.Run): RunResult => {
  const now = run.endedAt ?? run.registeredAt
  const outputs: Record<string, Json> = {}
  const steps = run.definition.steps.map(({ forEach, id }): StepResult => {
    const step = run.steps.get(id) ?? Run.pendingStep()
    if (step.status === "Succeeded") outputs[id] = Run.stepOutput(step, forEach !== undefined)
    return {
      stepId: id,
      status: step.status,
      failure: step.failure,
      reason: step.reason,
      totalItems: step.totalItems,
      succeeded: step.succeeded,
      failed: step.failed,
      retries: step.retries,
      usage: step.usage,
      durationMillis: step.durationMillis
    }
  })
  let output: { readonly value: Json } | undefined
  return {
    runId: run.id,
    status: run.status,
    outputs,
    // Few ask for it, and a run may have ten thousand steps.
    get output() {
      output ??= { value: outputOf(run, outputs) }
      return output.value
    },
    steps,
    summary: Run.summary(run, now),
    failure: run.failure,
    failedStep: run.failedStep,
    workspace: run.workspace,
    interruption: run.status === "Interrupted" ? run.interruption?.reason : undefined
  }
}
