import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AgentRegistry, Selection, Service } from "./AgentRegistry.js"
import type { DefinitionHash } from "./DefinitionHash.js"
import type * as Expression from "./Expression.js"
import type { AgentId, StepId } from "./Ids.js"
import { pinnedHash } from "./internal/pinnedHash.js"
import { hasItems } from "./internal/planStep.js"
import { stepTypeOf } from "./internal/schedule.js"
import { warningsOf } from "./internal/warnings.js"
import type { Json } from "./Json.js"
import * as Params from "./Params.js"
import { attenuate, type Granted } from "./Permission.js"
import * as Plan from "./Plan.js"

/** What so many invocations are likely to take, from what was observed of the agent so far. */
export interface Estimate {
  readonly tokens: number
  readonly costMicroUsd: number
  /** One after the other, in milliseconds. */
  readonly durationMillis: number
}

/** What would become of one step. */
export interface DryStep {
  readonly stepId: StepId
  /** The skill, `agent:` and an id, or what a step without an agent does. */
  readonly stepType: string
  readonly after: ReadonlyArray<string>
  /** The step whose effects it undoes, where it is done only for that. */
  readonly compensates: StepId | undefined
  /** The agent that it would be given now, and why; missing for a step that needs none or where none was found. */
  readonly agentId: AgentId | undefined
  readonly selection: Selection | undefined
  /** Whether it starts, as far as that is known before anything is done. */
  readonly when: boolean | undefined
  /** How many items it has, where that does not depend on another step. */
  readonly items: number | undefined
  /** What the agent receives, for each item, where that does not depend on another step. */
  readonly inputs: ReadonlyArray<Json> | undefined
  /** What it would let its agents, or the runs that its items are, do; `undefined` where nothing is restricted. */
  readonly permissions: Granted
  /** What would become of the run that each item is, where that is known; a step that is no subworkflow has none. */
  readonly runs: ReadonlyArray<DryRun> | undefined
  /** Missing where nothing was observed of the agent, or the number of items is not known. */
  readonly estimate: Estimate | undefined
}

/** What would become of a run, without anything being done. */
export interface DryRun {
  /** What a run would be pinned to. */
  readonly definitionHash: DefinitionHash
  /** With defaults filled in. */
  readonly params: Json
  /** What it would let its agents do; `undefined` where nothing is restricted. */
  readonly permissions: Granted
  /** The steps in an order in which they could be done. */
  readonly steps: ReadonlyArray<DryStep>
  /** What `ControlPlane.validate` says of the workflow. */
  readonly warnings: ReadonlyArray<Plan.Problem>
  /** The sum over the steps that have one, without those that only undo something. */
  readonly estimate: Estimate
  /** The steps that are not in the sum, because nothing is known of them. */
  readonly unknown: ReadonlyArray<StepId>
}

const nothing: Estimate = { tokens: 0, costMicroUsd: 0, durationMillis: 0 }

/** The value of what looks at nothing that a step gives; `undefined` where it does, or where it has none. */
const known = <A>(
  compiled:
    | {
        readonly references: ReadonlyArray<Expression.Reference>
        readonly evaluate: (scope: Expression.Scope) => Effect.Effect<A, Expression.ExpressionError>
      }
    | undefined,
  scope: Expression.Scope
): Effect.Effect<A | undefined> =>
  compiled === undefined || compiled.references.some(([root]) => root === "steps")
    ? Effect.succeed(undefined)
    : Effect.catchTag(compiled.evaluate(scope), "ExpressionError", () => Effect.succeed(undefined))

const chosenFor = (
  { definition, query, work }: Plan.PlannedStep,
  registry: Service,
  granted: Granted
): Effect.Effect<Pick<DryStep, "agentId" | "selection">> => {
  const none = { agentId: undefined, selection: undefined }
  if (work._tag !== "Agent") return Effect.succeed(none)
  const { agent } = definition
  return agent === undefined
    ? Effect.match(registry.selectAgent(query, { strategy: definition.select, granted }), {
        onFailure: () => none,
        onSuccess: (selection) => ({ agentId: selection.agent.id, selection })
      })
    : Effect.match(registry.get(agent), {
        onFailure: () => none,
        onSuccess: ({ id }) => ({ agentId: id, selection: undefined })
      })
}

const estimateOf = (
  agentId: AgentId | undefined,
  items: number | undefined,
  registry: Service
): Effect.Effect<Estimate | undefined> =>
  agentId === undefined || items === undefined
    ? Effect.succeed(undefined)
    : Effect.match(registry.metrics(agentId), {
        onFailure: () => undefined,
        onSuccess: ({ avgLatencyMs, costMicroUsd, totalInvocations, totalTokens }) =>
          totalInvocations === 0
            ? undefined
            : {
                tokens: Math.round((items * totalTokens) / totalInvocations),
                costMicroUsd: Math.round((items * costMicroUsd) / totalInvocations),
                durationMillis: Math.round(items * avgLatencyMs)
              }
      })

const sumOf = (estimates: ReadonlyArray<Estimate>): Estimate =>
  estimates.reduce<Estimate>(
    (sum, { costMicroUsd, durationMillis, tokens }) => ({
      tokens: sum.tokens + tokens,
      costMicroUsd: sum.costMicroUsd + costMicroUsd,
      durationMillis: sum.durationMillis + durationMillis
    }),
    nothing
  )

/** What would become of the runs that are the items of a step; `undefined` where what they are given is not known. */
const runsOf = (
  { work }: Plan.PlannedStep,
  inputs: ReadonlyArray<Json> | undefined,
  registry: Service,
  granted: Granted
): Effect.Effect<ReadonlyArray<DryRun> | undefined> =>
  work._tag !== "Subworkflow" || inputs === undefined
    ? Effect.succeed(undefined)
    : Effect.flatMap(Plan.make(work.workflow), (plan) =>
        Effect.forEach(inputs, (input) =>
          Effect.flatMap(Params.check(plan.definition, undefined, input), (params) =>
            make(plan, params, registry, granted)
          )
        )
      ).pipe(Effect.option, Effect.map(Option.getOrUndefined))

const dryStep = (
  step: Plan.PlannedStep,
  plan: Plan.Plan,
  params: Json,
  registry: Service,
  granted: Granted
): Effect.Effect<DryStep> =>
  Effect.gen(function* () {
    const { definition, forEach, input, work } = step
    const { compensates } = definition
    const idsOf = (places: ReadonlyArray<number>) =>
      places.flatMap((index) => plan.steps[index]?.definition.id ?? [])
    const scope = {
      params,
      steps: {},
      run: { id: "dry-run", workflow: plan.definition.name },
      item: null,
      index: 0
    }
    const permissions = attenuate(granted, definition.permissions)
    const { agentId, selection } = yield* chosenFor(step, registry, permissions)
    const list = forEach === undefined ? [null] : yield* known(forEach, scope)
    const elements = hasItems(work) && Array.isArray(list) ? (list as ReadonlyArray<Json>) : undefined
    const made =
      elements === undefined
        ? undefined
        : yield* Effect.forEach(elements, (item, index) =>
            input === undefined
              ? Effect.succeed(forEach === undefined ? params : item)
              : known(input, { ...scope, item, index })
          )
    const inputs = made?.filter((each) => each !== undefined)
    const complete = inputs?.length === made?.length ? inputs : undefined
    const runs = yield* runsOf(step, complete, registry, permissions)
    const when = step.when === undefined ? true : yield* known(step.when, scope)
    // What takes no agent, or is known not to start, costs nothing.
    const estimated =
      when === false || !hasItems(work)
        ? Effect.succeed(nothing)
        : work._tag === "Agent"
          ? estimateOf(agentId, elements?.length, registry)
          : Effect.succeed(
              runs?.every(({ unknown }) => unknown.length === 0)
                ? sumOf(runs.map(({ estimate }) => estimate))
                : undefined
            )
    return {
      stepId: definition.id,
      stepType: stepTypeOf(step),
      after: compensates === undefined ? idsOf(step.dependencies) : [],
      compensates,
      agentId,
      selection,
      when,
      items: elements?.length,
      inputs: complete,
      permissions,
      runs,
      estimate: yield* estimated
    }
  })

/**
 * What would become of a run of a plan with these parameters, as things stand in the registry now; it lets its agents do
 * what is granted here and by the workflow.
 */
export const make = (
  plan: Plan.Plan,
  params: Json,
  registry: AgentRegistry["Type"],
  granted: Granted = undefined
): Effect.Effect<DryRun> =>
  Effect.gen(function* () {
    const permissions = attenuate(granted, plan.definition.permissions)
    const steps = yield* Effect.forEach(
      plan.order.flatMap((index) => plan.steps[index] ?? []),
      (step) => dryStep(step, plan, params, registry, permissions)
    )
    const likely = steps.filter(({ compensates }) => compensates === undefined)
    return {
      definitionHash: pinnedHash(plan.definition),
      params,
      permissions,
      steps,
      warnings: yield* warningsOf(plan, registry),
      estimate: sumOf(likely.flatMap(({ estimate }) => estimate ?? [])),
      unknown: likely.flatMap(({ estimate, stepId }) => (estimate === undefined ? [stepId] : []))
    }
  })
