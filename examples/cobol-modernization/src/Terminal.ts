import type { Entry } from "@switchyard/core/Event"
import * as Run from "@switchyard/core/Run"
import * as Usage from "@switchyard/core/Usage"
import { createLogUpdate } from "log-update"
import { createColors } from "picocolors"
import type { Summary } from "./Summary.js"

/** A glyph and a word for each status, so that colour is never all that tells them apart. */
const glyphs: { readonly [Status in Run.StepStatus]: string } = {
  Pending: "·",
  Running: "▸",
  Waiting: "◷",
  Succeeded: "✓",
  Failed: "✗",
  Skipped: "↷",
  Cancelled: "■"
}

const duration = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  if (millis < 60_000) return `${(millis / 1000).toFixed(1)} s`
  return `${Math.floor(millis / 60_000)} min ${Math.round((millis % 60_000) / 1000)} s`
}

const cost = (usd: number): string => `$${usd.toFixed(usd > 0 && usd < 0.01 ? 4 : 2)}`

const bar = (done: number, total: number): string => {
  const width = 20
  const filled = total === 0 ? width : Math.round((done / total) * width)
  return "█".repeat(filled) + "░".repeat(width - filled)
}

/** Shows the progress of one run. */
export interface Progress {
  readonly show: (entry: Entry) => void
  readonly end: () => void
}

/** A live picture on a terminal; elsewhere one line for each thing that begins, fails or ends. */
export const makeProgress = (stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Progress =>
  stream.isTTY && stream.rows > 0 ? livePicture(stream, environment) : transitions(stream)

const livePicture = (stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Progress => {
  const color = createColors(environment.NO_COLOR === undefined)
  const paint = createLogUpdate(stream)
  const tint: { readonly [Status in Run.StepStatus]: (text: string) => string } = {
    Pending: color.dim,
    Running: color.cyan,
    Waiting: color.magenta,
    Succeeded: color.green,
    Failed: color.red,
    Skipped: color.yellow,
    Cancelled: color.yellow
  }
  let run: Run.Run | undefined
  let painted = 0

  const draw = (now: number) => {
    if (run === undefined) return
    const width = Math.max(...[...run.steps.keys()].map((id) => id.length))
    const columns = stream.columns || 80
    const lines = [...run.steps].map(([id, step]) => {
      const done = step.succeeded + step.failed
      const time = step.status === "Running" ? now - (step.startedAt ?? now) : step.durationMillis
      const current = step.items.find((item) => item?.status === "Running")
      const counts =
        step.status === "Pending" ? "" : `${bar(done, step.totalItems)} ${done}/${step.totalItems}`
      const failed = step.failed > 0 ? `  ${step.failed} failed` : ""
      const doing =
        step.status === "Running" && current !== undefined ? `  ${current.label} (${current.agentId})` : ""
      const text = `${glyphs[step.status]} ${id.padEnd(width)}  ${step.status.padEnd(9)} ${counts}${failed}`
      const tail = step.status === "Pending" ? "" : `  ${duration(time)}${doing}`
      return tint[step.status]((text + tail).slice(0, columns - 1))
    })
    const tokens = Usage.totalTokens(run.usage)
    const spent = cost(Usage.costUsd(run.usage))
    const head = `${run.definition.name}  run ${run.id}  ${run.status}  ${tokens} tokens  ${spent}`
    paint([color.bold(head.slice(0, columns - 1)), ...lines].join("\n"))
    painted = now
  }

  // Nothing is recorded while a step is busy, but its time goes on.
  const ticker = setInterval(() => draw(Date.now()), 200)
  ticker.unref()

  return {
    show: (entry) => {
      if (run === undefined) run = Run.register(entry)
      else Run.apply(run, entry)
      // A fast run would otherwise spend its time on drawing.
      if (entry.time - painted >= 40 || entry.event._tag.startsWith("Run")) draw(entry.time)
    },
    end: () => {
      clearInterval(ticker)
      draw(Date.now())
      paint.done()
    }
  }
}

const lineOf = ({ event }: Entry): string | undefined => {
  switch (event._tag) {
    case "RunStarted":
    case "RunPaused":
    case "RunResumed":
    case "RunCancelled":
    case "RunCompleted":
      return event._tag
    case "RunFailed":
      return `${event._tag}: ${event.failure.message}`
    case "WorkspaceCreated":
      return `workspace ${event.path}`
    case "StepStarted":
      return `${glyphs.Running} ${event.stepId}: ${event.totalItems} ${event.totalItems === 1 ? "item" : "items"}`
    case "StepSkipped":
      return `${glyphs.Skipped} ${event.stepId}: skipped, ${event.reason}`
    case "StepCompleted":
      return `${glyphs.Succeeded} ${event.stepId}: ${event.summary.succeeded} succeeded, ${event.summary.failed} failed in ${duration(event.summary.durationMillis)}`
    case "StepFailed":
      return `${glyphs.Failed} ${event.stepId}: ${event.failure.message}`
    case "StepCancelled":
      return `${glyphs.Cancelled} ${event.stepId}: cancelled`
    case "ItemFailed":
      return event.retry === undefined
        ? `  ${glyphs.Failed} ${event.stepId} ${event.item}: ${event.error.message}`
        : `  ↻ ${event.stepId} ${event.item}: ${event.error.message}; again in ${duration(event.retry.delayMillis)} by ${event.retry.agentId}`
    default:
      return undefined
  }
}

const transitions = (stream: NodeJS.WritableStream): Progress => ({
  show: (entry) => {
    const line = lineOf(entry)
    if (line !== undefined) stream.write(`${line}\n`)
  },
  end: () => undefined
})

const columns = ["step", "status", "items", "failed", "retries", "time", "tokens", "cost"]

/** The summary for people: a table of the steps, what failed and why, and where everything is. */
export const summaryText = (summary: Summary): string => {
  const rows = summary.steps.map((step) => [
    step.id,
    step.status,
    String(step.items),
    String(step.failed),
    String(step.retries),
    duration(step.durationMs),
    String(step.tokens),
    cost(step.costUsd)
  ])
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? "").length)))
  const line = (cells: ReadonlyArray<string>) =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")
  const { failed, succeeded, total } = summary.items
  return [
    "",
    `${summary.status} in ${duration(summary.durationMs)}: ${succeeded} of ${total} items succeeded, ${failed} failed, ${summary.tokens} tokens, ${cost(summary.costUsd)}`,
    ...(summary.failure === undefined ? [] : [`Reason: ${summary.failure}`]),
    "",
    line(columns),
    line(widths.map((width) => "─".repeat(width))),
    ...rows.map(line),
    ...(summary.failures.length === 0 ? [] : ["", "Failed items:"]),
    ...summary.failures.map(({ item, reason, stepId }) => `  ${stepId} ${item}: ${reason}`),
    "",
    `Java: ${summary.java}`,
    `Workspace: ${summary.workspace ?? "none was needed"}`,
    ...(summary.reports.length === 0 ? [] : ["Reports:", ...summary.reports.map((report) => `  ${report}`)]),
    ""
  ].join("\n")
}
