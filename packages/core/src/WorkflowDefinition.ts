import * as Schema from "effect/Schema"
import { AgentErrorKind } from "./AgentErrorKind.js"
import { Budget, StepBudget } from "./Budget.js"
import { ConstraintValue } from "./Capability.js"
import { CapabilityType } from "./CapabilityType.js"
import { AgentId, StepId } from "./Ids.js"
import { Json } from "./Json.js"
import { Permission } from "./Permission.js"
import { SelectionStrategy } from "./SelectionStrategy.js"

// Descriptions belong to the properties and not to their types: the JSON Schema has them, and messages do not.
const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })
const required = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.propertySignature(schema).annotations({ description })
const Millis = Schema.NonNegativeInt
const Count = Schema.Int.pipe(Schema.positive())

/**
 * How a failed attempt is repeated: at most `attempts` in all per agent, waiting `initialMillis · factor^n`, at most
 * `capMillis`, each wait shortened by a random part of up to `jitter` (0 to 1). Errors of the kinds in `on` are repeated, by
 * default those that are worth it; an error's own `retryAfterMillis` is waited for where it is longer.
 */
export const RetryPolicy = Schema.Struct({
  attempts: required(Count, "The most attempts by one agent, the first one included."),
  initialMillis: required(Millis, "The first wait between two attempts, in milliseconds."),
  factor: required(
    Schema.JsonNumber.pipe(Schema.greaterThanOrEqualTo(1)),
    "What each wait is multiplied by."
  ),
  capMillis: required(Millis, "The longest wait, in milliseconds."),
  jitter: required(
    Schema.JsonNumber.pipe(Schema.between(0, 1)),
    "The share of each wait that is random, 0 to 1."
  ),
  on: optional(Schema.NonEmptyArray(AgentErrorKind), "Which errors are repeated.")
})
export type RetryPolicy = typeof RetryPolicy.Type

/** Which outcomes of its dependencies let a step start, once all of them are settled. */
export const Join = Schema.Literal("allSucceeded", "noneFailed", "anySucceeded", "allSettled")
export type Join = typeof Join.Type

const share = /^(100|\d{1,2}(\.\d+)?)%$/

/** How many items of a step have to succeed: so many, or a share of all of them such as `80%`, rounded up. */
export const Threshold = Schema.Struct({
  atLeast: required(
    Schema.Union(
      Count,
      Schema.String.pipe(
        Schema.pattern(share, {
          message: () => 'this must be a whole number above 0, or a share such as "80%"'
        })
      )
    ),
    "So many, or a share of all of them such as 80%."
  )
})
export type Threshold = typeof Threshold.Type

const policyFields = {
  group: optional(Schema.NonEmptyString, "The group whose limits its attempts share with other runs."),
  priority: optional(Schema.Int, "Where more could be done than may be, higher ones go first."),
  concurrency: optional(Count, "How many items of a step may be under way at once."),
  onFailure: optional(
    Schema.Literal("failRun", "continue"),
    "Whether its failure fails the run (the default)."
  ),
  onItemFailure: optional(
    Schema.Union(Schema.Literal("failStep", "continue"), Threshold),
    "Whether one failed item fails it (the default), or how many have to succeed."
  ),
  retry: optional(RetryPolicy, "How failed attempts are repeated; not at all by default."),
  attemptTimeoutMillis: optional(Count, "How long one attempt may take, in milliseconds."),
  stepTimeoutMillis: optional(Count, "How long all of a step may take, in milliseconds."),
  fallback: optional(
    Schema.Union(Schema.Boolean, Schema.Array(AgentId)),
    "Whether others, or which, try when an agent has failed."
  ),
  select: optional(
    SelectionStrategy,
    "How one of the agents is chosen that have the skill; `best-match` by default."
  )
}

/** How steps are done that do not say so themselves. */
export const Policies = Schema.Struct(policyFields)
export type Policies = typeof Policies.Type

const list = Schema.Union(Schema.String, Schema.Array(Json))

/** A list made of another one without an agent: `value` for each element (`item`, `index`) for which `where` holds. */
export const MapDefinition = Schema.Struct({
  over: required(list, "The list, or an {{ expression }} that gives one."),
  value: required(Json, "What each element becomes; a template."),
  where: optional(Schema.NonEmptyString, "A CEL condition for the elements that are taken.")
})
export type MapDefinition = typeof MapDefinition.Type

/** A value made of a list without an agent: `acc` is `initial` first and `value` after each element (`item`, `index`). */
export const ReduceDefinition = Schema.Struct({
  over: required(list, "The list, or an {{ expression }} that gives one."),
  initial: required(Json, "What `acc` is before the first element."),
  value: required(Json, "What `acc` becomes with each element; a template.")
})
export type ReduceDefinition = typeof ReduceDefinition.Type

/**
 * A decision that somebody makes: whoever is among `approvers`, or anybody where there are none. `message` is a template for
 * what is to be decided. Where nobody decides for `expiresMillis`, `default` holds, which is `reject` unless it is given.
 */
export const ApprovalDefinition = Schema.Struct({
  message: optional(Schema.NonEmptyString, "What is to be decided; a template."),
  approvers: optional(Schema.NonEmptyArray(Schema.NonEmptyString), "Who may decide; anybody by default."),
  expiresMillis: optional(Count, "How long to wait for a decision, in milliseconds."),
  default: optional(Schema.Literal("approve", "reject"), "What holds after that; `reject` by default.")
})
export type ApprovalDefinition = typeof ApprovalDefinition.Type

/**
 * What a step waits for: a time of so many `millis`, or `until` a time (ISO 8601, or milliseconds since 1970), or a `signal`
 * by its name, at most for `timeoutMillis`. Times may be templates.
 */
export const WaitDefinition = Schema.Union(
  Schema.Struct({
    millis: required(Schema.Union(Millis, Schema.NonEmptyString), "How long to wait, in milliseconds.")
  }),
  Schema.Struct({
    until: required(
      Schema.Union(Millis, Schema.NonEmptyString),
      "A time: ISO 8601, or milliseconds since 1970."
    )
  }),
  Schema.Struct({
    signal: required(Schema.NonEmptyString, "The name of the signal to wait for."),
    timeoutMillis: optional(Count, "How long to wait for it at most, in milliseconds.")
  })
)
export type WaitDefinition = typeof WaitDefinition.Type

/**
 * One step of a workflow as data. Exactly one of these says what it does: `skill` (the registry selects an agent), `agent`
 * (a named one), `subworkflow` (a child run for each item), `map` and `reduce` (expressions alone), `approval` (somebody
 * decides), `wait` (a time or a signal comes).
 */
export const StepDefinition = Schema.Struct({
  id: required(StepId, "Names the step; others refer to it as `steps.<id>`."),
  skill: optional(Schema.NonEmptyString, "The skill by which an agent is selected."),
  agent: optional(AgentId, "The id of the one agent that does it."),
  inputType: optional(
    CapabilityType,
    "Only agents that accept this type, by its name or as a JSON Schema, are selected."
  ),
  outputType: optional(
    CapabilityType,
    "Only agents that give this type, by its name or as a JSON Schema, are selected."
  ),
  constraints: optional(
    Schema.Record({ key: Schema.NonEmptyString, value: ConstraintValue }),
    "What an agent's constraints must allow."
  ),
  after: optional(Schema.Array(StepId), "The ids of the steps that must be settled first."),
  compensates: optional(
    StepId,
    "The id of the step whose effects it undoes when the run fails or is cancelled."
  ),
  when: optional(Schema.NonEmptyString, "A CEL condition; false skips the step."),
  join: optional(Join, "Which outcomes of the steps before it let it start."),
  forEach: optional(list, "Does the step once for each element of a list."),
  label: optional(Schema.NonEmptyString, "A template for the name of each item."),
  input: optional(Json, "What the agent receives, a template; the item or the parameters by default."),
  subworkflow: optional(
    Schema.suspend((): Schema.Schema<Definition, DefinitionEncoded> => Definition),
    "The workflow of the run that each item is; its input is the parameters."
  ),
  map: optional(MapDefinition, "Makes a list of another one, by expressions alone."),
  reduce: optional(ReduceDefinition, "Makes one value of a list, by expressions alone."),
  approval: optional(ApprovalDefinition, "Waits until somebody decides; a rejection fails the step."),
  wait: optional(WaitDefinition, "Waits for a time or a signal."),
  budget: optional(StepBudget, "What all its items may use together, their retries included."),
  permissions: optional(
    Schema.Array(Permission),
    "What its agents may do, of what the run grants; all of that by default."
  ),
  ...policyFields
})
export type StepDefinition = typeof StepDefinition.Type

const definitionFields = {
  name: required(Schema.NonEmptyString, "The name of the workflow."),
  description: optional(Schema.String, "What the workflow is for."),
  params: optional(Schema.Record({ key: Schema.String, value: Json }), "The JSON Schema of the parameters."),
  onStepFailure: optional(
    Schema.Literal("failFast", "drain"),
    "Whether a failing run lets what is under way finish."
  ),
  concurrency: optional(Count, "How many items may be under way at once over all steps."),
  timeoutMillis: optional(Count, "How long a run may be running, in milliseconds; pauses do not count."),
  budget: optional(Budget, "What a run may use in all."),
  permissions: optional(
    Schema.Array(Permission),
    "What a run lets its agents do; everything where this is missing, nothing else where it is there."
  ),
  defaults: optional(Policies, "How steps are done that do not say so themselves."),
  output: optional(
    Json,
    "What a run gives that completes, a template; the outputs of its last steps by default."
  )
}

/** A workflow as data: it survives JSON and YAML unchanged, and a run keeps a copy of the one it was registered with. */
export interface Definition extends Schema.Struct.Type<typeof definitionFields> {
  /** The steps, in any order. */
  readonly steps: ReadonlyArray<StepDefinition>
}

/** A workflow as it is written down. */
export interface DefinitionEncoded extends Schema.Struct.Encoded<typeof definitionFields> {
  /** The steps, in any order. */
  readonly steps: ReadonlyArray<typeof StepDefinition.Encoded>
}

/** The shape of workflows, of which everything but the rules among steps can be checked. */
export const Definition = Schema.Struct({
  ...definitionFields,
  steps: required(Schema.Array(StepDefinition), "The steps, in any order.")
}).annotations({ identifier: "Workflow" })
