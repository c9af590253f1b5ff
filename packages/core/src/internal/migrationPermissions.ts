import { attenuate, excess, type Granted, type Permission } from "../Permission.js"
import type { Run } from "../RunState.js"
import type { Definition, StepDefinition } from "../WorkflowDefinition.js"
import { isOfRuns } from "./runFold.js"

const listed = (permissions: ReadonlyArray<Permission>): string =>
  permissions.length === 0 ? "nothing" : permissions.join(", ")

/** Why what was granted would be more by what is wanted; `undefined` where it would not. */
const widening = (before: Granted, after: Granted): string | undefined => {
  const more = excess(before, after)
  if (more === "everything")
    return `a migration cannot grant more, and everything would be where it is ${listed(before ?? [])}`
  return more.length === 0 ? undefined : `a migration cannot grant more, and ${listed(more)} would be added`
}

/** What a step hands over to the agents that do it, or to the runs that its items are. */
const handedOver = (run: Granted, step: StepDefinition): Granted =>
  attenuate(attenuate(run, step.permissions), step.subworkflow?.permissions)

/**
 * Tells of every place where a run would be granted more by another definition than by the one it has, as a whole or in a
 * step that both have; and of steps whose runs are under way, which keep what they were given.
 */
export const checkPermissions = (
  run: Run,
  wanted: Definition,
  say: (path: string, message: string) => void
): void => {
  const wider = widening(run.definition.permissions, wanted.permissions)
  if (wider !== undefined) say("permissions", wider)
  const granted = attenuate(run.permissions, wanted.permissions)
  const known = new Map(run.definition.steps.map((step) => [step.id, step]))
  for (const [index, after] of wanted.steps.entries()) {
    const before = known.get(after.id)
    if (before === undefined) continue
    const path = `steps[${index}].permissions`
    const had = handedOver(run.permissions, before)
    const has = handedOver(granted, after)
    const reason = widening(had, has)
    if (reason !== undefined) say(path, reason)
    const state = run.steps.get(after.id)
    const narrower = excess(has, had)
    if (state?.status === "Running" && isOfRuns(state) && (narrower === "everything" || narrower.length > 0))
      say(
        path,
        `"${after.id}" is under way with runs that were granted more; wait for its end, or cancel them`
      )
  }
}
