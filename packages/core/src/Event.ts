import * as Schema from "effect/Schema"
import { AgentTally } from "./AgentTally.js"
import { Breach, Budget, Ceilings, Mark } from "./Budget.js"
import { Capability } from "./Capability.js"
import { DefinitionHash } from "./DefinitionHash.js"
import { Circuit, Health } from "./Health.js"
import { AgentId, CommandId, RunId, Seq, StepId } from "./Ids.js"
import { Json } from "./Json.js"
import { Permission } from "./Permission.js"
import { Usage } from "./Usage.js"
import { Definition } from "./WorkflowDefinition.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })
const Millis = Schema.NonNegativeInt
const Count = Schema.NonNegativeInt

/** Why something failed, as data: the kind is an `AgentError` kind or names what the engine found. */
export const Failure = Schema.Struct({
  kind: Schema.String,
  message: Schema.String,
  agentId: optional(AgentId)
})
export type Failure = typeof Failure.Type

/** What one item took: the time from its first start to its end, waits included, its usage over all attempts, and its retries. */
export const ItemMetrics = Schema.Struct({ durationMillis: Millis, usage: Usage, retries: Count })
export type ItemMetrics = typeof ItemMetrics.Type

/** Who an agent is, for people. */
export const Metadata = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  description: Schema.String,
  author: Schema.String,
  tags: Schema.Array(Schema.String)
})
export type Metadata = typeof Metadata.Type

/** The totals of a step over its items; items that never started count in `totalItems` only. */
export const StepSummary = Schema.Struct({
  totalItems: Count,
  succeeded: Count,
  failed: Count,
  retries: Count,
  usage: Usage,
  durationMillis: Millis
})
export type StepSummary = typeof StepSummary.Type

/** The totals of a run; `durationMillis` counts from registration, so waiting and pauses are part of it. */
export const RunSummary = Schema.Struct({
  steps: Schema.Struct({ succeeded: Count, failed: Count, skipped: Count, cancelled: Count }),
  items: Schema.Struct({ succeeded: Count, failed: Count }),
  usage: Usage,
  durationMillis: Millis
})
export type RunSummary = typeof RunSummary.Type

/**
 * The repetition that follows a failed attempt: its number, the wait before it, and the agent that makes it. It is `held`
 * where the other side had set a limit, so that the failure uses up none of the attempts that the agent has.
 */
export const Retry = Schema.Struct({
  attempt: Count,
  delayMillis: Millis,
  agentId: AgentId,
  held: optional(Schema.Boolean)
})
export type Retry = typeof Retry.Type

const item = { stepId: StepId, item: Schema.String, index: Count }

/** How pausing treats what is under way: let it finish, or interrupt it and repeat it on resume. */
export const PauseMode = Schema.Literal("drain", "interrupt")
export type PauseMode = typeof PauseMode.Type

/** What somebody decides about a step that awaits approval. */
export const Decision = Schema.Literal("approve", "reject")
export type Decision = typeof Decision.Type

/** The run that another one does again, and from where on. */
export const Origin = Schema.Struct({
  runId: RunId,
  from: Schema.Literal("start", "failure", "step"),
  stepId: optional(StepId)
})
export type Origin = typeof Origin.Type

/** The step, and the item of it, that a run is done for. */
export const Parent = Schema.Struct({ runId: RunId, stepId: StepId, index: Count })
export type Parent = typeof Parent.Type

/** What happens to a run as a whole. */
export const RunEvent = Schema.Union(
  Schema.TaggedStruct("RunRegistered", {
    workflow: Definition,
    params: Json,
    concurrency: optional(Schema.Int),
    owner: optional(Schema.String),
    tags: Schema.Array(Schema.String),
    budget: optional(Budget),
    origin: optional(Origin),
    inputs: optional(Schema.Record({ key: StepId, value: Json })),
    parent: optional(Parent),
    hash: optional(DefinitionHash),
    permissions: optional(Schema.Array(Permission))
  }),
  Schema.TaggedStruct("RunStarted", {}),
  Schema.TaggedStruct("AgentPinned", { agentId: AgentId, revision: Count }),
  Schema.TaggedStruct("WorkspaceCreated", { path: Schema.String }),
  Schema.TaggedStruct("WorkspaceReleased", { path: Schema.String, kept: Schema.Boolean }),
  Schema.TaggedStruct("PauseRequested", { commandId: CommandId, mode: PauseMode }),
  Schema.TaggedStruct("RunPaused", {}),
  Schema.TaggedStruct("ResumeRequested", { commandId: CommandId }),
  Schema.TaggedStruct("RunResumed", {}),
  Schema.TaggedStruct("ConcurrencySet", { commandId: CommandId, limit: Schema.Int }),
  Schema.TaggedStruct("ApprovalDecided", {
    commandId: CommandId,
    stepId: StepId,
    decision: Decision,
    by: optional(Schema.String),
    comment: optional(Schema.String)
  }),
  Schema.TaggedStruct("SignalReceived", { commandId: CommandId, name: Schema.String, payload: Json }),
  Schema.TaggedStruct("BudgetWarning", Mark.fields),
  Schema.TaggedStruct("BudgetExceeded", Breach.fields),
  Schema.TaggedStruct("RunOverBudget", {}),
  Schema.TaggedStruct("BudgetRaised", {
    commandId: CommandId,
    stepId: optional(StepId),
    ...Ceilings.fields
  }),
  Schema.TaggedStruct("OwnerBudgetRaised", {}),
  Schema.TaggedStruct("RunMigrated", {
    commandId: CommandId,
    workflow: Definition,
    hash: DefinitionHash,
    params: optional(Json)
  }),
  Schema.TaggedStruct("CancelRequested", { commandId: CommandId, reason: optional(Schema.String) }),
  Schema.TaggedStruct("RunCompensating", { failure: optional(Failure), stepId: optional(StepId) }),
  Schema.TaggedStruct("RunInterrupted", { reason: Schema.String, crash: optional(Schema.Boolean) }),
  Schema.TaggedStruct("RunRecovered", {}),
  Schema.TaggedStruct("RunCompleted", { summary: RunSummary, output: optional(Json) }),
  Schema.TaggedStruct("RunFailed", { failure: Failure, stepId: optional(StepId), summary: RunSummary }),
  Schema.TaggedStruct("RunCancelled", { reason: optional(Schema.String), summary: RunSummary })
)
export type RunEvent = typeof RunEvent.Type

/** What happens inside a step. */
export const StepProgressEvent = Schema.Union(
  Schema.TaggedStruct("StepStarted", { stepId: StepId, stepType: Schema.String, totalItems: Count }),
  Schema.TaggedStruct("StepWaiting", {
    stepId: StepId,
    for: Schema.Literal("approval", "time", "signal"),
    until: optional(Millis),
    message: optional(Schema.String),
    approvers: optional(Schema.Array(Schema.String)),
    signal: optional(Schema.String)
  }),
  Schema.TaggedStruct("StepReused", {
    stepId: StepId,
    runId: RunId,
    output: Json,
    items: optional(Schema.Array(Json))
  }),
  Schema.TaggedStruct("StepSkipped", { stepId: StepId, reason: Schema.String }),
  Schema.TaggedStruct("StepCompleted", {
    stepId: StepId,
    summary: StepSummary,
    output: optional(Json)
  }),
  Schema.TaggedStruct("StepFailed", { stepId: StepId, failure: Failure, summary: StepSummary }),
  Schema.TaggedStruct("StepCancelled", { stepId: StepId, summary: StepSummary }),
  Schema.TaggedStruct("ItemStarted", {
    ...item,
    total: Count,
    attempt: Count,
    agentId: optional(AgentId),
    childId: optional(RunId)
  }),
  Schema.TaggedStruct("ItemProgress", {
    ...item,
    progress: optional(Schema.JsonNumber),
    message: optional(Schema.String),
    usage: Usage,
    remainingMillis: optional(Millis)
  }),
  Schema.TaggedStruct("PermissionDenied", {
    ...item,
    agentId: optional(AgentId),
    permission: Permission,
    reason: Schema.String
  }),
  Schema.TaggedStruct("ItemCompleted", {
    ...item,
    attempt: Count,
    agentId: optional(AgentId),
    result: Json,
    metrics: ItemMetrics
  }),
  Schema.TaggedStruct("ItemFailed", {
    ...item,
    attempt: Count,
    error: Failure,
    retry: optional(Retry),
    metrics: ItemMetrics
  })
)
export type StepProgressEvent = typeof StepProgressEvent.Type

/**
 * What happens to the agents of a host, recorded under `logId`. `revision` counts the registrations of one id that differ,
 * from 1. `definition` is what an agent of a `kind` that is data was made of, and `source` the file that it was read from.
 */
export const AgentRegistryEvent = Schema.Union(
  Schema.TaggedStruct("AgentRegistered", {
    agentId: AgentId,
    revision: Count,
    metadata: Metadata,
    capabilities: Schema.Array(Capability),
    kind: optional(Schema.String),
    definition: optional(Json),
    source: optional(Schema.String),
    requires: optional(Schema.Array(Permission))
  }),
  Schema.TaggedStruct("AgentUnregistered", { agentId: AgentId }),
  Schema.TaggedStruct("AgentEnabled", { agentId: AgentId }),
  Schema.TaggedStruct("AgentDisabled", { agentId: AgentId }),
  Schema.TaggedStruct("AgentHealthChanged", { agentId: AgentId, health: Health }),
  Schema.TaggedStruct("AgentCircuitChanged", {
    agentId: AgentId,
    circuit: Circuit,
    until: optional(Millis),
    reason: optional(Schema.String)
  }),
  Schema.TaggedStruct("AgentHeld", { agentId: AgentId, until: Millis, reason: Schema.String })
)
export type AgentRegistryEvent = typeof AgentRegistryEvent.Type

/** The tags of what happens to agents, which is no part of a run. */
export const registryTags: ReadonlyArray<AgentRegistryEvent["_tag"]> = [
  "AgentRegistered",
  "AgentUnregistered",
  "AgentEnabled",
  "AgentDisabled",
  "AgentHealthChanged",
  "AgentCircuitChanged",
  "AgentHeld"
]

/**
 * What happens to the log itself, recorded under `logId`: the runs named have ended, and their entries up to here go, into
 * an archive or for good. Who folds the log forgets them when it comes to this, and keeps what agents did in them, which is
 * in `agents`; it is missing where it was not recorded yet.
 */
export const LogEvent = Schema.Union(
  Schema.TaggedStruct("RunsRemoved", {
    runs: Schema.Array(RunId),
    archived: Schema.Boolean,
    agents: optional(Schema.Array(AgentTally))
  })
)
export type LogEvent = typeof LogEvent.Type

/** Everything that can be recorded: a closed union of plain JSON objects, told apart by `_tag`. */
export const Event = Schema.Union(RunEvent, StepProgressEvent, AgentRegistryEvent, LogEvent)
export type Event = typeof Event.Type

/** The event of one tag. */
export type EventOf<Tag extends Event["_tag"]> = Extract<Event, { readonly _tag: Tag }>

/**
 * An event as recorded: `seq` is its position in the whole log and `runSeq` its position among the events of its run, both
 * beginning at 1 without gaps; `time` is in milliseconds since 1970, UTC.
 */
export const Entry = Schema.Struct({ seq: Seq, time: Millis, runId: RunId, runSeq: Count, event: Event })
export type Entry = typeof Entry.Type

const rideAlong: ReadonlySet<string> = new Set(["ItemStarted", "ItemProgress", "StepStarted"])

/** Whether an event may ride along with the next durable append: starts and progress do, whatever settles something does not. */
export const isLifecycle = (event: Event): boolean => !rideAlong.has(event._tag)

/** Whether an event is the last one of its run. */
export const isTerminal = (event: Event): boolean =>
  event._tag === "RunCompleted" || event._tag === "RunFailed" || event._tag === "RunCancelled"
