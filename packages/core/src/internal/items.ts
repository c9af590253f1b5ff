import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as AgentRegistry from "../AgentRegistry.js"
import { type CapabilityQuery, ConstraintValue } from "../Capability.js"
import type { Failure } from "../Event.js"
import type * as Expression from "../Expression.js"
import type { Json } from "../Json.js"
import { attenuate } from "../Permission.js"
import type { Run } from "../Run.js"
import * as Usage from "../Usage.js"
import type { Workspace } from "../WorkspaceService.js"
import { type ItemEnd, type Job, runItem, type Surroundings } from "./attempts.js"
import { messageOf } from "./cause.js"
import { type ChildJob, type Children, runChild } from "./childItems.js"
import { catchAll } from "./compat.js"
import type { Computed } from "./compute.js"
import { given, unusable } from "./evaluation.js"
import { hasItems } from "./planStep.js"
import type { Lane } from "./schedule.js"

/** What the items of a run see of it. */
export interface Sight extends Surroundings {
  readonly run: Run
  readonly scopeOf: (item: Json, index: number) => Expression.Scope
  readonly children: Children
}

const isConstraints = Schema.is(Schema.Record({ key: Schema.String, value: ConstraintValue }))

const jobOf = (
  lane: Lane,
  index: number,
  workspace: Workspace,
  { now, run }: Sight,
  item: string,
  input: Json,
  query: CapabilityQuery
): Job => {
  const known = lane.state.items[index]
  return {
    runId: run.id,
    step: lane.step,
    query,
    item,
    index,
    total: lane.items?.length ?? 1,
    input,
    workspace,
    granted: attenuate(run.permissions, lane.step.definition.permissions),
    firstAttempt: (known?.attempt ?? 0) + 1,
    answered: known?.answered ?? 0,
    agentId: known?.agentId,
    tries: Math.max(1, known?.tries ?? 1),
    tickets: lane.tickets,
    usageBefore: known?.usage ?? Usage.zero,
    startedAt: known?.startedAt ?? now()
  }
}

/** The end of an item that came to it outside of its attempts. */
const failureOf = (lane: Lane, index: number, label: string, error: Failure, now: number): ItemEnd => {
  const item = lane.state.items[index]
  return {
    _tag: "ItemFailed",
    stepId: lane.step.definition.id,
    item: item?.label ?? label,
    index,
    attempt: item?.attempt ?? 1,
    error,
    metrics: {
      durationMillis: Math.max(0, now - (item?.startedAt ?? now)),
      usage: item?.usage ?? Usage.zero,
      retries: item?.answered ?? 0
    }
  }
}

/** Has an item done by agents, or as a run of its own. */
const performed = (
  lane: Lane,
  job: Job,
  registry: AgentRegistry.Service,
  sight: Sight
): Effect.Effect<ItemEnd> => {
  const { work } = lane.step
  if (work._tag !== "Subworkflow") return runItem(job, registry, sight)
  const { run } = sight
  const { id } = lane.step.definition
  const child: ChildJob = {
    ...job,
    run,
    workflow: work.workflow,
    leaving: () => lane.leaving,
    endedFirst: (end) => {
      lane.endedFirst ??= new Map()
      lane.endedFirst.set(end.index, end)
    },
    charge: (runId, usage) => sight.budget?.childEnded(id, runId, usage)
  }
  return runChild(child, sight.children, sight)
}

/** What is asked of an agent for one item, where that depends on the item. */
const constrained = (
  query: CapabilityQuery,
  constraints: Expression.Template,
  scope: Expression.Scope
): Effect.Effect<CapabilityQuery, Failure> =>
  Effect.flatMap(given(constraints.evaluate(scope)), (value) =>
    isConstraints(value)
      ? Effect.succeed({ ...query, constraints: value })
      : Effect.fail(unusable("constraints", value, "record of numbers, flags, texts and lists of texts"))
  )

/** Does an item from where it was left off, with the name and the input that its step's expressions give. */
export const itemEffect = (
  lane: Lane,
  index: number,
  workspace: Workspace,
  registry: AgentRegistry.Service,
  sight: Sight
): Effect.Effect<ItemEnd> => {
  const { step } = lane
  const { constraints, forEach, input, label, query } = step
  const value = lane.items?.[index] ?? null
  const plain = forEach === undefined ? step.definition.id : typeof value === "string" ? value : String(index)
  const edited = sight.run.inputs[step.definition.id]
  const plainInput = edited ?? (forEach === undefined ? sight.run.params : value)
  if (label === undefined && constraints === undefined && (input === undefined || edited !== undefined)) {
    return performed(lane, jobOf(lane, index, workspace, sight, plain, plainInput, query), registry, sight)
  }
  return Effect.gen(function* () {
    const scope = sight.scopeOf(value, index)
    const named = label === undefined ? plain : yield* given(label.evaluate(scope))
    const item = typeof named === "string" ? named : JSON.stringify(named)
    const made =
      input === undefined || edited !== undefined ? plainInput : yield* given(input.evaluate(scope))
    const asked = constraints === undefined ? query : yield* constrained(query, constraints, scope)
    return yield* performed(lane, jobOf(lane, index, workspace, sight, item, made, asked), registry, sight)
  }).pipe(catchAll((failure) => Effect.sync(() => failureOf(lane, index, plain, failure, sight.now()))))
}

/** How an item ended; `undefined` where it was interrupted, so that it is to be done again. */
export const endOf = (
  lane: Lane,
  index: number,
  exit: Exit.Exit<ItemEnd | Computed>,
  now: number
): ItemEnd | Computed | undefined => {
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.isInterruptedOnly(exit.cause)) {
    const end = lane.endedFirst?.get(index)
    lane.endedFirst?.delete(index)
    return end
  }
  const failure = { kind: "Failed", message: messageOf(exit.cause) }
  return hasItems(lane.step.work)
    ? failureOf(lane, index, String(index), failure, now)
    : { _tag: "NotComputed", failure }
}
