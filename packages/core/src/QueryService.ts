import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Agents from "./AgentRow.js"
import { Breach, Budget } from "./Budget.js"
import { DefinitionHash } from "./DefinitionHash.js"
import { type Entry, Failure, Origin, Parent } from "./Event.js"
import { EventLog, type EventLogError, type Range } from "./EventLog.js"
import { AgentId, RunId, type Seq, StepId } from "./Ids.js"
import { agentsOf, foldLog } from "./internal/logFold.js"
import { Json } from "./Json.js"
import * as Run from "./Run.js"
import { resultOf } from "./RunResult.js"
import * as Usage from "./Usage.js"
import {
  byPlace,
  cursorAfter,
  isListed,
  placeAt,
  type Standing,
  Waiting,
  type WaitingFilter,
  type WaitingRow,
  waitingOf,
  waitingRows
} from "./WaitingStep.js"

const Count = Schema.NonNegativeInt
const Millis = Schema.NonNegativeInt

/**
 * One run as listed; times are milliseconds since 1970, UTC. `definitionHash` names the definition that it is pinned to; it
 * is `null` for a run that was registered before hashes were recorded. `budget` is what it may use in all, as it was last
 * raised, and `breach` the budget that keeps it from going on. `parent` is the item of another run that it is, and `origin` the
 * run that it does again.
 */
export const RunRow = Schema.Struct({
  runId: RunId,
  workflow: Schema.String,
  definitionHash: Schema.NullOr(DefinitionHash),
  status: Run.RunStatus,
  owner: Schema.NullOr(Schema.String),
  tags: Schema.Array(Schema.String),
  parent: Schema.NullOr(Parent),
  origin: Schema.NullOr(Origin),
  registeredAt: Millis,
  startedAt: Schema.NullOr(Millis),
  endedAt: Schema.NullOr(Millis),
  workspace: Schema.NullOr(Schema.String),
  succeededItems: Count,
  failedItems: Count,
  usage: Usage.Usage,
  failure: Schema.NullOr(Failure),
  failedStep: Schema.NullOr(Schema.String),
  budget: Schema.NullOr(Budget),
  breach: Schema.NullOr(Breach),
  firstSeq: Count,
  lastSeq: Count
})
export type RunRow = typeof RunRow.Type

/**
 * One step of a run, in the order of the definition. `output` is what a step without an agent came to; an agent gives
 * results by the item. One that is longer than `longestOutput` is left out; `outputLength` says how long it is as JSON.
 */
export const StepRow = Schema.Struct({
  runId: RunId,
  position: Count,
  stepId: StepId,
  status: Schema.Literal("Pending", "Running", "Waiting", "Succeeded", "Failed", "Skipped", "Cancelled"),
  totalItems: Count,
  succeeded: Count,
  failed: Count,
  retries: Count,
  usage: Usage.Usage,
  startedAt: Schema.NullOr(Millis),
  durationMillis: Millis,
  failure: Schema.NullOr(Failure),
  reason: Schema.NullOr(Schema.String),
  waiting: Schema.NullOr(Waiting),
  output: Json,
  outputLength: Schema.NullOr(Count)
})
export type StepRow = typeof StepRow.Type

/** One item of a step, by its position; `childId` names the run that it is, where it is one. */
export const ItemRow = Schema.Struct({
  runId: RunId,
  stepId: StepId,
  index: Count,
  item: Schema.String,
  status: Schema.Literal("Running", "Waiting", "Succeeded", "Failed", "Cancelled"),
  attempt: Count,
  agentId: Schema.NullOr(AgentId),
  childId: Schema.NullOr(RunId),
  usage: Usage.Usage,
  retries: Count,
  durationMillis: Millis,
  failure: Schema.NullOr(Failure),
  result: Json
})
export type ItemRow = typeof ItemRow.Type

/** Which runs to list: every given field must hold. */
export interface RunFilter {
  readonly status?: Run.RunStatus
  readonly workflow?: string
  readonly owner?: string
  readonly tag?: string
  /** The runs that are items of the run with this id; with `null` those that are items of none. Without it both are listed. */
  readonly parent?: string | null
}

/** A page; `next` continues after it and is absent on the last one. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next: string | undefined
}

/** Where a page begins and how long it is at most (50 by default, 1,000 at most). */
export interface Paging {
  readonly cursor?: string
  readonly limit?: number
}

/** Counts and sums over all runs. */
export interface Totals {
  readonly runs: Readonly<Partial<Record<Run.RunStatus, number>>>
  /** What all of them used; what a run used that is an item of another one counts once. */
  readonly usage: Usage.Usage
}

/** There is no such run, as far as the read side has come. */
export class RunUnknown extends Schema.TaggedError<RunUnknown>()("RunUnknown", { runId: Schema.String }) {
  override get message() {
    return `There is no run ${this.runId}; list the runs to see their ids`
  }
}

/**
 * The read side cannot answer, and the reason says what to do about it: there is no index yet, it is of another `version`
 * than is read here, another program holds it for itself, it is damaged, it is `behind` the log and nobody brings it up, or
 * something else failed.
 */
export class QueryFailed extends Schema.TaggedError<QueryFailed>()("QueryFailed", {
  problem: Schema.Literal("missing", "version", "locked", "damaged", "behind", "failed"),
  reason: Schema.String
}) {
  override get message() {
    return `The query could not be answered: ${this.reason}`
  }
}

/** The read side: it never changes anything, and answers from what it has projected so far. */
export class QueryService extends Context.Tag("@switchyard/core/QueryService")<
  QueryService,
  {
    /** The position up to which answers are complete. */
    readonly watermark: Effect.Effect<Seq, QueryFailed>
    /** Waits until answers cover everything that was durable when this was called. */
    readonly sync: Effect.Effect<Seq, QueryFailed>
    /** The runs that a filter lets through, newest first. */
    readonly listRuns: (filter?: RunFilter, paging?: Paging) => Effect.Effect<Page<RunRow>, QueryFailed>
    /** One run. */
    readonly getRun: (runId: string) => Effect.Effect<RunRow, RunUnknown | QueryFailed>
    /** The steps of a run, in the order of its definition. */
    readonly getSteps: (runId: string) => Effect.Effect<ReadonlyArray<StepRow>, RunUnknown | QueryFailed>
    /** The items of a step that have started, in order. */
    readonly getItems: (
      runId: string,
      stepId: string,
      paging?: Paging
    ) => Effect.Effect<Page<ItemRow>, QueryFailed>
    /**
     * What a step that succeeded came to, whole, however long: its own output, the result of its one item, or with `forEach`
     * the results of the items that succeeded, in order. It is null for any other step.
     */
    readonly getOutput: (runId: string, stepId: string) => Effect.Effect<Json, RunUnknown | QueryFailed>
    /**
     * What a run that has completed gives, whole: what its workflow says, or else the outputs of the steps that nothing comes
     * after, by id. It is null for any other run.
     */
    readonly getRunOutput: (runId: string) => Effect.Effect<Json, RunUnknown | QueryFailed>
    /** The steps of all runs that wait now, for a decision where the filter does not say otherwise, the longest first. */
    readonly waiting: (
      filter?: WaitingFilter,
      paging?: Paging
    ) => Effect.Effect<Page<WaitingRow>, QueryFailed>
    /** The agents that a filter lets through, by id: those that are registered and those that were, with what they did. */
    readonly listAgents: (
      filter?: Agents.AgentFilter,
      paging?: Paging
    ) => Effect.Effect<Page<Agents.AgentRow>, QueryFailed>
    /** One agent with what it did by skill; its id is compared without case. */
    readonly getAgent: (
      agentId: string
    ) => Effect.Effect<Agents.AgentDetails, Agents.AgentUnknown | QueryFailed>
    /** The recorded entries of a range as of now. */
    readonly events: (range: Range) => Stream.Stream<Entry, EventLogError>
    /** Counts by status and what all runs consumed. */
    readonly totals: Effect.Effect<Totals, QueryFailed>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof QueryService>

const orNull = <A>(value: A | undefined): A | null => value ?? null

/** The row of a run, a function of its fold. */
export const runRow = (run: Run.Run): RunRow => {
  let succeededItems = 0
  let failedItems = 0
  for (const step of run.steps.values()) {
    succeededItems += step.succeeded
    failedItems += step.failed
  }
  return {
    runId: run.id,
    workflow: run.definition.name,
    definitionHash: orNull(run.definitionHash),
    status: run.status,
    owner: orNull(run.owner),
    tags: run.tags,
    parent: orNull(run.parent),
    origin: orNull(run.origin),
    registeredAt: run.registeredAt,
    startedAt: orNull(run.startedAt),
    endedAt: orNull(run.endedAt),
    workspace: orNull(run.workspace),
    succeededItems,
    failedItems,
    usage: run.usage,
    failure: orNull(run.failure),
    failedStep: orNull(run.failedStep),
    budget: orNull(run.budget),
    breach: orNull(run.breach),
    firstSeq: run.firstSeq,
    lastSeq: run.lastSeq
  }
}

/** How long an output may be, as JSON in UTF-16 units, to be part of the row of its step. */
export const longestOutput = 65_536

/** The row of a step at a position of the definition, a function of the fold. */
export const stepRow = (run: Standing, position: number, stepId: StepId, step: Run.StepState): StepRow => {
  const outputLength = step.output === undefined ? null : JSON.stringify(step.output).length
  return {
    runId: run.id,
    position,
    stepId,
    status: step.status,
    totalItems: step.totalItems,
    succeeded: step.succeeded,
    failed: step.failed,
    retries: step.retries,
    usage: step.usage,
    startedAt: orNull(step.startedAt),
    durationMillis: step.durationMillis,
    failure: orNull(step.failure),
    reason: orNull(step.reason),
    waiting: waitingOf(run, step),
    output: outputLength === null || outputLength > longestOutput ? null : (step.output ?? null),
    outputLength
  }
}

/** The row of an item, a function of the fold. */
export const itemRow = (run: { readonly id: RunId }, stepId: StepId, item: Run.ItemState): ItemRow => ({
  runId: run.id,
  stepId,
  index: item.index,
  item: item.label,
  status: item.status,
  attempt: item.attempt,
  agentId: orNull(item.agentId),
  childId: orNull(item.childId),
  usage: item.usage,
  retries: item.retries,
  durationMillis: item.durationMillis,
  failure: orNull(item.failure),
  result: item.result
})

/** The length of a page: 50 where none is asked for, between 1 and 1,000 otherwise. */
export const pageLimit = (paging: Paging | undefined): number =>
  Math.min(1000, Math.max(1, Math.floor(paging?.limit ?? 50)))

/** The read side in memory: it folds the log anew for every question, so it suits tests and small hosts. */
export const layerMemory: Layer.Layer<QueryService, never, EventLog> = Layer.effect(
  QueryService,
  Effect.map(EventLog, (log) => {
    const folded = Effect.mapError(
      foldLog(log),
      (error) => new QueryFailed({ problem: "failed", reason: error.message })
    )
    const runs = Effect.map(folded, ({ runs: all }) =>
      [...all.values()].sort((a, b) => b.firstSeq - a.firstSeq)
    )
    const agents = Effect.map(folded, agentsOf)
    const find = (runId: string) =>
      Effect.flatMap(runs, (all) => {
        const run = all.find(({ id }) => id === runId)
        return run === undefined ? Effect.fail(new RunUnknown({ runId })) : Effect.succeed(run)
      })
    return {
      watermark: log.head,
      sync: log.head,
      listRuns: (filter = {}, paging) =>
        Effect.map(runs, (all) => {
          const rows = all
            .map(runRow)
            .filter(
              (row) =>
                (filter.status === undefined || row.status === filter.status) &&
                (filter.workflow === undefined || row.workflow === filter.workflow) &&
                (filter.owner === undefined || row.owner === filter.owner) &&
                (filter.tag === undefined || row.tags.includes(filter.tag)) &&
                (filter.parent === undefined || (row.parent?.runId ?? null) === filter.parent) &&
                (paging?.cursor === undefined || row.firstSeq < Number(paging.cursor))
            )
          const items = rows.slice(0, pageLimit(paging))
          return { items, next: rows.length > items.length ? String(items.at(-1)?.firstSeq) : undefined }
        }),
      getRun: (runId) => Effect.map(find(runId), runRow),
      getSteps: (runId) =>
        Effect.map(find(runId), (run) =>
          run.definition.steps.map(({ id }, position) =>
            stepRow(run, position, id, run.steps.get(id) ?? Run.pendingStep())
          )
        ),
      getItems: (runId, stepId, paging) =>
        Effect.map(Effect.option(find(runId)), (found) => {
          const run = found._tag === "Some" ? found.value : undefined
          const after = paging?.cursor === undefined ? -1 : Number(paging.cursor)
          const known = run?.steps.get(stepId)?.items ?? []
          const rest = known.flatMap((item) => (item !== undefined && item.index > after ? [item] : []))
          const page = rest.slice(0, pageLimit(paging))
          const items = run === undefined ? [] : page.map((item) => itemRow(run, stepId as StepId, item))
          return { items, next: rest.length > page.length ? String(page.at(-1)?.index) : undefined }
        }),
      getOutput: (runId, stepId) =>
        Effect.map(find(runId), ({ definition, steps }) => {
          const step = steps.get(stepId)
          const isForEach = definition.steps.some(({ forEach, id }) => id === stepId && forEach !== undefined)
          return step?.status === "Succeeded" ? Run.stepOutput(step, isForEach) : null
        }),
      getRunOutput: (runId) => Effect.map(find(runId), (run) => resultOf(run).output),
      waiting: (filter = {}, paging) =>
        Effect.map(runs, (all) => {
          const [since, firstSeq, position] = placeAt(paging?.cursor)
          const rest = all
            .flatMap(waitingRows)
            .filter((row) => isListed(row, filter) && byPlace(row, { ...row, since, firstSeq, position }) > 0)
            .sort(byPlace)
          const items = rest.slice(0, pageLimit(paging))
          const last = items.at(-1)
          return {
            items,
            next: last !== undefined && rest.length > items.length ? cursorAfter(last) : undefined
          }
        }),
      listAgents: (filter = {}, paging) =>
        Effect.map(agents, (all) => {
          const after = paging?.cursor ?? ""
          const rest = all.filter(({ key, record }) => key > after && Agents.isListed(key, record, filter))
          const page = rest.slice(0, pageLimit(paging))
          const items = page.map(({ history, key, record }) => Agents.agentRow(key, record, history()))
          return { items, next: rest.length > page.length ? page.at(-1)?.key : undefined }
        }),
      getAgent: (agentId) =>
        Effect.flatMap(agents, (all) => {
          const found = all.find(({ key }) => key === agentId.toLowerCase())
          const known = all.map(({ key, record }) => record?.agentId ?? key)
          return found === undefined
            ? Effect.fail(new Agents.AgentUnknown({ agentId, known }))
            : Effect.succeed(Agents.agentDetails(found.key, found.record, found.history()))
        }),
      events: log.read,
      totals: Effect.map(runs, (all) => {
        const counts: Partial<Record<Run.RunStatus, number>> = {}
        for (const run of all) counts[run.status] = (counts[run.status] ?? 0) + 1
        return {
          runs: counts,
          usage: all.reduce((sum, run) => Usage.add(sum, Run.ownUsage(run)), Usage.zero)
        }
      })
    }
  })
)
