import * as Schema from "effect/Schema"
import type { Breach, Budget, Ceilings } from "./Budget.js"
import type { DefinitionHash } from "./DefinitionHash.js"
import type { Event, Failure, Origin, Parent, PauseMode } from "./Event.js"
import type { AgentId, CommandId, RunId, Seq, StepId } from "./Ids.js"
import type { Json } from "./Json.js"
import type { Granted } from "./Permission.js"
import type { StepState } from "./StepState.js"
import type * as Usage from "./Usage.js"
import type { Definition } from "./WorkflowDefinition.js"

/**
 * Where a run stands. `Completed`, `Failed` and `Cancelled` are terminal; `Interrupted` awaits recovery, and `OverBudget` that
 * a budget is raised.
 */
export const RunStatus = Schema.Literal(
  "Queued",
  "Running",
  "Paused",
  "OverBudget",
  "Cancelling",
  "Interrupted",
  "Completed",
  "Failed",
  "Cancelled"
)
export type RunStatus = typeof RunStatus.Type

/** A command as it was accepted, kept so that the same id is answered again and not executed again. */
export type AcceptedCommand = Extract<Event, { readonly commandId: CommandId }>

/**
 * The state of a run: the fold of its entries by `apply`, and nothing else. It is one mutable value, owned by whoever
 * folds, so that a run of 100,000 items costs a constant amount of work per event.
 */
export interface Run {
  readonly id: RunId
  definition: Definition
  /** The hash of the definition, where it was recorded; `Run.hashOf` gives it for every run. */
  definitionHash: DefinitionHash | undefined
  params: Json
  /** What it lets its agents do: what its registration and its workflow both grant. */
  permissions: Granted
  /** What it was registered with, where it was migrated since. */
  registeredAs:
    | { readonly definition: Definition; readonly params: Json; readonly permissions: Granted }
    | undefined
  readonly owner: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly registeredAt: number
  /** The run that this one does again. */
  readonly origin: Origin | undefined
  /** The step of another run that this one is done for. */
  readonly parent: Parent | undefined
  /** What steps receive instead of what their definition says. */
  readonly inputs: Readonly<Record<string, Json>>
  readonly steps: Map<string, StepState>
  readonly commands: Map<CommandId, AcceptedCommand>
  /** Steps that wait for a signal, by its name. */
  readonly awaiting: Map<string, Set<string>>
  /** Payloads of signals that no step has waited for yet, by the name, the first one first. */
  readonly signals: Map<string, Array<Json>>
  status: RunStatus
  started: boolean
  startedAt: number | undefined
  /** Since when it is running, where it is. */
  runningSince: number | undefined
  /** How long it has been running before that, pauses and interruptions left out. */
  ranMillis: number
  /** When it was last heard of. */
  lastTime: number
  endedAt: number | undefined
  concurrency: number | undefined
  /** Whether that was asked for by the request or a command, and not by the workflow. */
  hasOwnConcurrency: boolean
  pause: PauseMode | undefined
  /** What the run may use in all, as it was last raised. */
  budget: Budget | undefined
  /** The ceilings of steps that were raised, by the step. */
  readonly raised: Map<string, Ceilings>
  /** The budget that keeps the run from going on, until it is raised. */
  breach: Breach | undefined
  /** The ceilings of the run and its steps for which the warning was given. */
  readonly warned: Set<string>
  cancel: { readonly reason: string | undefined } | undefined
  workspace: string | undefined
  /** Whether items of it are runs. */
  hasChildren: boolean
  /** The revisions of agents that it began with, of those that are data. */
  readonly pins: Map<AgentId, number>
  /** How much of its usage is that of items that are runs. */
  ofChildren: Usage.Usage
  /** How many of its steps have ended; what was skipped or reused does not count. */
  ended: number
  /** Why it fails, once what it did is being undone; nothing is said of it where the run is cancelled. */
  compensating: { readonly failure: Failure | undefined; readonly stepId: StepId | undefined } | undefined
  interruptions: number
  /** The latest interruption: why, and whether the host crashed rather than stopped in order. */
  interruption: { readonly reason: string; readonly crash: boolean } | undefined
  /** How often the host crashed while the run was running, since an item or a step last settled or the run was resumed. */
  crashes: number
  /** Whether a command to go on or to end was taken since the interruption, and nothing has come of it yet. */
  woken: boolean
  failure: Failure | undefined
  failedStep: string | undefined
  /** What it gave, once it has completed and its workflow says what that is. */
  output: Json | undefined
  usage: Usage.Usage
  readonly firstSeq: Seq
  lastSeq: Seq
  lastRunSeq: number
}
