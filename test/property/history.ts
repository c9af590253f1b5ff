import { isDeepStrictEqual } from "node:util"
import type { Entry } from "@switchyard/core/Event"
import * as Run from "@switchyard/core/Run"
import { interpret, isFatal, type Spec } from "./workflows.js"

const ends = /^Run(Completed|Failed|Cancelled)$/
const settles = /^Step(Completed|Failed|Skipped|Cancelled)$/

/** What is wrong with the history of a run, whatever was done to it. */
const wrongHistory = (spec: Spec, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  const [first, ...others] = entries
  const run = first && Run.register(first)
  if (run === undefined) return ["it does not begin with a registration"]
  const settled = new Set<string>()
  const completed = new Set<string>()
  const commands = new Set<string>()
  for (const [index, entry] of others.entries()) {
    const { event, runSeq } = entry
    const illegal = Run.apply(run, entry)
    if (illegal !== undefined) wrong.push(illegal.message)
    if (runSeq !== index + 2) wrong.push(`entry ${index + 2} of the run has the number ${runSeq}`)
    if (ends.test(event._tag) !== (index === others.length - 1))
      wrong.push(`${event._tag} is entry ${runSeq}`)
    if ("commandId" in event) {
      if (commands.has(event.commandId)) wrong.push(`command ${event.commandId} is taken twice`)
      commands.add(event.commandId)
    }
    if (!("stepId" in event) || event.stepId === undefined) continue
    if (event._tag === "RunFailed" || event._tag === "ApprovalDecided") continue
    const { stepId } = event
    if (settled.has(stepId)) wrong.push(`${event._tag} of ${stepId} after its end`)
    if (settles.test(event._tag)) {
      settled.add(stepId)
      continue
    }
    for (const dependency of spec.steps[Number(stepId.slice(1))]?.after ?? [])
      if (!settled.has(`s${dependency}`))
        wrong.push(`${event._tag} of ${stepId} before the end of s${dependency}`)
    const key = "index" in event ? `${stepId}/${event.index}` : ""
    if (event._tag === "ItemStarted" && completed.has(key)) wrong.push(`${key} is repeated`)
    if (event._tag === "ItemCompleted") {
      if (completed.has(key)) wrong.push(`${key} is completed twice`)
      completed.add(key)
    }
  }
  for (const index of spec.steps.keys()) if (!settled.has(`s${index}`)) wrong.push(`s${index} never settles`)
  return wrong
}

/** What is wrong with how a run ended that nobody cancelled: it is not what the reference says. */
const wrongOutcome = (spec: Spec, run: Run.Run): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  const due = isFatal(spec) ? "Failed" : "Completed"
  if (run.status !== due) wrong.push(`the run is ${run.status}, and has to be ${due}`)
  for (const [index, { output, status }] of interpret(spec).entries()) {
    const step = run.steps.get(`s${index}`)
    const found = step?.status ?? "Pending"
    // The failure of a run may have come first: then the step was skipped or cancelled, never ended in another way.
    const cut = run.status === "Failed" && (found === "Skipped" || found === "Cancelled")
    if (found !== status && !cut) wrong.push(`s${index} is ${found}, and has to be ${status}`)
    if (step === undefined || found !== "Succeeded" || status !== "Succeeded") continue
    const made = Run.stepOutput(
      step,
      spec.steps[index]?.work === "agent" && spec.steps[index]?.items !== undefined
    )
    if (!isDeepStrictEqual(made, output))
      wrong.push(`s${index} gives ${JSON.stringify(made)}, and has to give ${JSON.stringify(output)}`)
  }
  return wrong
}

/** All that is wrong with the entries of a run that has ended. */
export const findWrong = (spec: Spec, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const run = Run.fold(entries)
  return [
    ...wrongHistory(spec, entries),
    ...(run === undefined || run.cancel !== undefined ? [] : wrongOutcome(spec, run))
  ]
}
