import type { DefinitionHash } from "../DefinitionHash.js"
import type { EventOf } from "../Event.js"
import type { CommandId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { Plan, PlannedStep } from "../Plan.js"
import * as Run from "../Run.js"
import { type Definition, Policies, type StepDefinition } from "../WorkflowDefinition.js"
import { isSame } from "./jsonValue.js"
import { checkPermissions } from "./migrationPermissions.js"
import { hasItems, referring } from "./planStep.js"
import { skipReason } from "./schedule.js"

/** One thing that keeps a run from going on by another plan: where in the new definition, and why. */
export interface MigrationReason {
  readonly path: string
  readonly message: string
}

/** A plan that a run is to go on by. */
export interface Migration {
  readonly commandId: CommandId
  readonly plan: Plan
  readonly hash: DefinitionHash
  /** The definition that the run had when its parameters were looked at. */
  readonly from: Definition
  /** The parameters of the run as the new plan takes them, or why it does not. */
  readonly params: { readonly value: Json } | { readonly problems: ReadonlyArray<string> }
}

type Say = (path: string, message: string) => void

type Object = { readonly [key: string]: Json }

const isObject = (value: Json): value is Object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What was recorded with what is added to it; `conflict` is told of what would change instead. */
const extended = (
  path: string,
  recorded: Json,
  wanted: Json,
  conflict: (path: string, recorded: Json, wanted: Json) => void
): Json => {
  if (isSame(recorded, wanted)) return recorded
  if (!isObject(recorded) || !isObject(wanted)) {
    conflict(path, recorded, wanted)
    return recorded
  }
  const value: Record<string, Json> = { ...recorded }
  for (const [key, each] of Object.entries(wanted)) {
    const known = Object.hasOwn(recorded, key) ? recorded[key] : undefined
    value[key] = known === undefined ? each : extended(`${path}.${key}`, known, each, conflict)
  }
  return value
}

/** The parameters that a run goes on with. */
const paramsOf = (run: Run.Run, { params }: Migration, say: Say): Json => {
  if ("problems" in params) {
    for (const problem of params.problems) say("params", problem)
    return run.params
  }
  return extended("params", run.params, params.value, (path, recorded, wanted) =>
    say(
      path,
      `the run was registered with ${JSON.stringify(recorded)}, which would become ${JSON.stringify(wanted)}`
    )
  )
}

const standings: { readonly [Status in Run.StepStatus]: string } = {
  Pending: "has begun",
  Running: "is under way",
  Waiting: "waits",
  Succeeded: "has succeeded",
  Failed: "has failed",
  Skipped: "was skipped",
  Cancelled: "was cancelled"
}

const standingOf = (id: string, { status }: Run.StepState): string => `"${id}" ${standings[status]}`

const hasBegun = ({ items, status }: Run.StepState): boolean => status !== "Pending" || items.length > 0

/** What is judged by what it comes to, and what says how a step is done and not what. */
const judgedApart: ReadonlySet<string> = new Set([
  "id",
  "after",
  "join",
  "permissions",
  ...Object.keys(Policies.fields)
])

/** A step of which something is recorded, before and after. */
interface Kept {
  readonly path: string
  readonly before: StepDefinition
  readonly after: PlannedStep
  readonly state: Run.StepState
  /** What is said of it. */
  readonly standing: string
}

const checkWork = ({ after, before, path, standing }: Kept, say: Say): void => {
  const [old, given] = [before, after.definition] as unknown as readonly [Object, Object]
  for (const key of new Set([...Object.keys(old), ...Object.keys(given)])) {
    if (judgedApart.has(key)) continue
    const [left, right] = [old[key], given[key]]
    if (left === right || (left !== undefined && right !== undefined && isSame(left, right))) continue
    say(`${path}.${key}`, `${standing}, so this has to stay as it was: ${JSON.stringify(left) ?? "nothing"}`)
  }
}

/** What a failure comes to was decided when it came. */
const checkFailures = ({ after, before, path, standing, state }: Kept, say: Say): void => {
  const { onFailure = "failRun", onItemFailure = "failStep" } = before
  const given = after.definition
  if (state.status === "Failed" && (given.onFailure ?? "failRun") !== onFailure)
    say(`${path}.onFailure`, `${standing}, so this has to stay as it was: "${onFailure}"`)
  const sameItems = isSame(given.onItemFailure ?? "failStep", onItemFailure)
  if (state.status === "Running" && state.failed > 0 && !sameItems)
    say(
      `${path}.onItemFailure`,
      `an item of it has failed, so this has to stay as it was: ${JSON.stringify(onItemFailure)}`
    )
}

/** Steps as the rules see them by which others may start. */
const standingSteps = (run: Run.Run, ids: ReadonlyArray<string>) =>
  ids.map((id) => ({ step: { definition: { id } }, state: run.steps.get(id) ?? Run.pendingStep() }))

/** What a step waited for has settled, and still lets it start or not, as it did. */
const checkDependencies = (run: Run.Run, { after, before, path, standing }: Kept, say: Say): void => {
  const ids = after.definition.after ?? []
  const unsettled = ids.filter((id) => !Run.isSettled(run.steps.get(id)?.status ?? "Pending"))
  for (const id of unsettled)
    say(`${path}.after`, `${standing}, so it cannot wait for "${id}" any more, which is not settled`)
  if (unsettled.length > 0) return
  const was = skipReason(before.join ?? "allSucceeded", standingSteps(run, before.after ?? []))
  const is = skipReason(after.join, standingSteps(run, ids))
  if ((was === undefined) === (is === undefined)) return
  const reason = is === undefined ? `it would start now, though ${was}` : `it would be skipped now: ${is}`
  say(
    `${path}.${after.join === (before.join ?? "allSucceeded") ? "after" : "join"}`,
    `${standing}; ${reason}`
  )
}

/** A step that is under way receives what it did, though there are more parameters. */
const checkParams = ({ after, path, standing, state }: Kept, added: ReadonlySet<string>, say: Say): void => {
  if (state.status !== "Running" || added.size === 0) return
  const { forEach, input, work } = after
  const receivesAll = hasItems(work) && forEach === undefined && input === undefined
  // Whether it starts was decided before.
  const places = referring(after).places.filter((place) => place.path !== `${path}.when`)
  const looked = places.flatMap(({ references }) => references)
  const seen = looked.flatMap(([root, name]) => (root === "params" ? [name] : []))
  if (receivesAll || seen.includes(undefined))
    say(path, `${standing} with all parameters, which would have ${[...added].join(", ")} besides`)
  for (const name of new Set(seen))
    if (name !== undefined && added.has(name)) say(path, `${standing}, and would see another params.${name}`)
}

/** An input that was edited when a run was done again is for a step that receives one. */
const checkInputs = (run: Run.Run, { indexOf, steps }: Plan, say: Say): void => {
  for (const id of Object.keys(run.inputs)) {
    const step = steps[indexOf(id) ?? -1]
    if (step === undefined)
      say("steps", `the run has an input of its own for "${id}", and there is no such step any more`)
    else if (!hasItems(step.work) || step.forEach !== undefined)
      say(`steps[${step.index}]`, `the run has an input of its own for "${id}", which would receive none`)
  }
}

const checkSteps = (run: Run.Run, { plan }: Migration, added: ReadonlySet<string>, say: Say): void => {
  const { defaults } = run.definition
  for (const before of run.definition.steps) {
    const state = run.steps.get(before.id)
    if (state === undefined || !hasBegun(state)) continue
    const standing = standingOf(before.id, state)
    const after = plan.steps[plan.indexOf(before.id) ?? -1]
    if (after === undefined) {
      say("steps", `${standing}, and there is no such step any more; keep it`)
      continue
    }
    const path = `steps[${after.index}]`
    const kept: Kept = { path, before: { ...defaults, ...before }, after, state, standing }
    checkWork(kept, say)
    checkFailures(kept, say)
    checkDependencies(run, kept, say)
    checkParams(kept, added, say)
  }
}

/** Why a run that stands so cannot be given another plan. */
const statusReason = ({ cancel, status }: Run.Run): string | undefined => {
  if (Run.isTerminal(status))
    return `the run has ended (${status}); do it again with rerun, or register another one`
  if (cancel !== undefined) return "the run is to be cancelled"
  if (status !== "Paused" && status !== "Interrupted")
    return `the run is ${status.toLowerCase()}; pause it first`
  return undefined
}

/**
 * What is to be recorded so that a run goes on by another plan, or everything that keeps it from doing so: what is recorded
 * of its steps would not be true any more.
 */
export const judge = (
  run: Run.Run,
  migration: Migration
): EventOf<"RunMigrated"> | ReadonlyArray<MigrationReason> => {
  const reasons: Array<MigrationReason> = []
  const say: Say = (path, message) => {
    reasons.push({ path, message })
  }
  const { commandId, from, hash, plan } = migration
  const status = statusReason(run)
  if (status !== undefined) say("status", status)
  if (Run.isTerminal(run.status)) return reasons
  if (run.definition !== from) say("status", "the run was given another plan meanwhile; migrate it again")
  const { name } = run.definition
  if (plan.definition.name !== name)
    say("name", `the run is one of "${name}"; register another one for "${plan.definition.name}"`)
  const params = paramsOf(run, migration, say)
  const [old, given] = isObject(run.params) && isObject(params) ? [run.params, params] : [{}, {}]
  const added = Object.keys(given).filter((key) => given[key] !== (old as Object)[key])
  checkSteps(run, migration, new Set(added), say)
  checkInputs(run, plan, say)
  checkPermissions(run, plan.definition, say)
  if (reasons.length > 0) return reasons
  const more = added.length > 0 ? { params } : {}
  return { _tag: "RunMigrated", commandId, workflow: plan.definition, hash, ...more }
}
