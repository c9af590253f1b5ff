import type { RunResult } from "@switchyard/core/ControlPlane"
import * as Usage from "@switchyard/core/Usage"
import type { JavacResult } from "./java/Javac.js"

/** What became of the generated Java, in words. */
const compiled = (compilation: JavacResult | undefined): string => {
  if (compilation === undefined) return "nothing was compiled"
  if (!compilation.available) return `not compiled: ${compilation.reason}`
  return compilation.ok
    ? `compiled by javac without an error, ${compilation.classes.length} class files`
    : `javac reports ${compilation.diagnostics.length} problems, see translation.md`
}

/** The result of a run as `--json` prints it: durations in milliseconds, costs in US dollars. */
export const summaryOf = (
  result: RunResult,
  reports: ReadonlyArray<string>,
  failures: ReadonlyArray<{ readonly stepId: string; readonly item: string; readonly reason: string }>
) => ({
  runId: result.runId,
  status: result.status,
  steps: result.steps.map((step) => ({
    id: step.stepId,
    status: step.status,
    items: step.totalItems,
    succeeded: step.succeeded,
    failed: step.failed,
    retries: step.retries,
    durationMs: step.durationMillis,
    tokens: Usage.totalTokens(step.usage),
    costUsd: Usage.costUsd(step.usage),
    ...(step.failure === undefined ? {} : { failure: step.failure.message }),
    ...(step.reason === undefined ? {} : { reason: step.reason })
  })),
  items: {
    total: result.summary.items.succeeded + result.summary.items.failed,
    succeeded: result.summary.items.succeeded,
    failed: result.summary.items.failed
  },
  failures,
  durationMs: result.summary.durationMillis,
  tokens: Usage.totalTokens(result.summary.usage),
  costUsd: Usage.costUsd(result.summary.usage),
  java: compiled(result.outputs.validation as unknown as JavacResult | undefined),
  workspace: result.workspace ?? null,
  reports,
  ...(result.failure === undefined ? {} : { failure: result.failure.message })
})

/** A summary of a run. */
export type Summary = ReturnType<typeof summaryOf>
