import { isDeepStrictEqual } from "node:util"
import type { Entry } from "@switchyard/core/Event"
import type { RunId } from "@switchyard/core/Ids"
import * as Run from "@switchyard/core/Run"
import { hasItems, interpret, isFatal, type Spec, specOf } from "./workflows.js"

const ends = /^Run(Completed|Failed|Cancelled)$/
const settles = /^Step(Completed|Failed|Skipped|Cancelled)$/

/** What is wrong with the history of a run, whatever was done to it. */
const wrongHistory = (spec: Spec, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  const [first, ...others] = entries
  const run = first && Run.register(first)
  if (run === undefined) return ["it does not begin with a registration"]
  if (!ends.test(entries.at(-1)?.event._tag ?? "")) wrong.push("it never ends")
  const settled = new Set<string>()
  const completed = new Set<string>()
  const commands = new Set<string>()
  for (const [index, entry] of others.entries()) {
    const { event, runSeq } = entry
    const illegal = Run.apply(run, entry)
    if (illegal !== undefined) wrong.push(illegal.message)
    if (runSeq !== index + 2) wrong.push(`entry ${index + 2} of the run has the number ${runSeq}`)
    if (ends.test(event._tag) && index !== others.length - 1) wrong.push(`${event._tag} is entry ${runSeq}`)
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
    const each = spec.steps[Number(stepId.slice(1))]
    for (const dependency of each?.after ?? [])
      if (!settled.has(`s${dependency}`))
        wrong.push(`${event._tag} of ${stepId} before the end of s${dependency}`)
    const key = "index" in event ? `${stepId}/${event.index}` : ""
    if (event._tag === "ItemStarted" && completed.has(key)) wrong.push(`${key} is repeated`)
    if (event._tag === "ItemStarted" && (each?.work === "child") !== (event.childId !== undefined))
      wrong.push(`${key} is ${event.childId ?? "no run"}`)
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
  for (const [index, { output, status }] of interpret(spec, run.params).entries()) {
    const step = run.steps.get(`s${index}`)
    const found = step?.status ?? "Pending"
    // The failure of a run may have come first: then the step was skipped or cancelled, never ended in another way.
    const cut = run.status === "Failed" && (found === "Skipped" || found === "Cancelled")
    if (found !== status && !cut) wrong.push(`s${index} is ${found}, and has to be ${status}`)
    const each = spec.steps[index]
    if (step === undefined || each === undefined || found !== "Succeeded" || status !== "Succeeded") continue
    const made = Run.stepOutput(step, hasItems(each.work) && each.items !== undefined)
    if (!isDeepStrictEqual(made, output))
      wrong.push(`s${index} gives ${JSON.stringify(made)}, and has to give ${JSON.stringify(output)}`)
  }
  return wrong
}

/** What is wrong with a run that is an item of another one, as seen from there. */
const wrongChild = (child: Run.Run, parent: Run.Run | undefined): ReadonlyArray<string> => {
  const { index = 0, stepId = "" } = child.parent ?? {}
  if (parent === undefined || child.parent?.runId !== parent.id)
    return [`it belongs to ${child.parent?.runId}`]
  const step = parent.steps.get(stepId)
  const wrong: Array<string> = []
  if (step?.items[index]?.childId !== child.id) wrong.push(`${stepId}/${index} is another one`)
  if (child.lastSeq > parent.lastSeq) wrong.push("it ends after the run that it belongs to")
  if (child.status === "Cancelled" && step?.status === "Succeeded")
    wrong.push(`it is cancelled, though ${stepId} succeeds`)
  return wrong
}

/** All that is wrong with the entries of a run that has ended, and of those that are items of it. */
export const findWrong = (spec: Spec, root: RunId, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const histories = new Map<RunId, Array<Entry>>()
  for (const entry of entries) {
    const history = histories.get(entry.runId)
    if (history === undefined) histories.set(entry.runId, [entry])
    else history.push(entry)
  }
  const runs = new Map([...histories].map(([runId, history]) => [runId, Run.fold(history)]))
  return [...runs].flatMap(([runId, run]) => {
    const known = specOf(spec, runId)
    if (run === undefined || known === undefined) return [`${runId}: nobody asked for it`]
    const found = [
      ...wrongHistory(known, histories.get(runId) ?? []),
      ...(run.cancel === undefined ? wrongOutcome(known, run) : []),
      ...(runId === root ? [] : wrongChild(run, runs.get(run.parent?.runId ?? runId)))
    ]
    return found.map((each) => `${runId}: ${each}`)
  })
}
