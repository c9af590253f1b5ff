import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AgentErrorKind, isRetryable } from "./AgentErrorKind.js"
import * as Capability from "./Capability.js"
import type { Metadata } from "./Event.js"
import type { Health } from "./Health.js"
import type { AgentId, RunId, StepId } from "./Ids.js"
import { thrownBy } from "./internal/compat.js"
import type { Json } from "./Json.js"
import type { Granted, Permission } from "./Permission.js"
import * as Usage from "./Usage.js"
import type { Workspace } from "./WorkspaceService.js"

export { AgentErrorKind } from "./AgentErrorKind.js"
export type { Metadata } from "./Event.js"
export type { Health } from "./Health.js"

/** A failed attempt; its kind decides whether it is repeated, and `retryAfterMillis` is the least wait the other side asked for. */
export class AgentError extends Schema.TaggedError<AgentError>()("AgentError", {
  kind: AgentErrorKind,
  reason: Schema.String,
  retryAfterMillis: Schema.optionalWith(Schema.NonNegativeInt, { exact: true }),
  usage: Schema.optionalWith(Usage.Usage, { exact: true })
}) {
  override get message() {
    return this.reason
  }
  /** Whether the same attempt may succeed later. */
  get retryable() {
    return isRetryable(this.kind)
  }
}

/** A failure that is not worth repeating, in one call. */
export const fail = (reason: string): Effect.Effect<never, AgentError> =>
  Effect.fail(new AgentError({ kind: "Failed", reason }))

/** What a run lets its agents do, as an agent is told of it. */
export interface Permissions {
  /** All that is granted; `undefined` where the run restricts nothing. */
  readonly granted: Granted
  /** Whether something may be done. */
  readonly allows: (permission: Permission) => boolean
  /** Fails with `PermissionDenied` where something may not be done, and has the denial recorded; `reason` says what for. */
  readonly require: (permission: Permission, reason: string) => Effect.Effect<void, AgentError>
  /** Fails with `PermissionDenied` and has that recorded, for what is granted but cannot be given as it has to be; `reason` says why. */
  readonly deny: (permission: Permission, reason: string) => Effect.Effect<never, AgentError>
}

const denied = (reason: string) => Effect.fail(new AgentError({ kind: "PermissionDenied", reason }))

/** Everything is allowed. */
export const unrestricted: Permissions = {
  granted: undefined,
  allows: () => true,
  require: () => Effect.void,
  deny: (_, reason) => denied(reason)
}

/**
 * What an agent is asked to do, once. `attempt` counts every start; an attempt that a crash, a stop or a pause cut short is
 * made again with the same `idempotencyKey`, and a failure that was recorded leads to another one.
 */
export interface Task {
  readonly runId: RunId
  readonly stepId: StepId
  readonly skill: string | undefined
  readonly item: string
  readonly index: number
  readonly total: number
  readonly attempt: number
  readonly idempotencyKey: string
  readonly input: Json
  /** What the step asks for by its constraints, such as a model. */
  readonly constraints?: Readonly<Record<string, Capability.ConstraintValue>>
  readonly workspace: Workspace
  /** What it may do; files of the workspace are guarded already. */
  readonly permissions: Permissions
}

/** A sign of life: how far (0 to 1), what is being done, what this attempt has consumed so far, and how much longer. */
export interface Progress {
  readonly _tag: "Progress"
  readonly progress?: number
  readonly message?: string
  readonly usage?: Usage.Usage
  readonly remainingMillis?: number
}

/** The result of an attempt and what it consumed in all. */
export interface Output {
  readonly _tag: "Output"
  readonly value: Json
  readonly usage: Usage.Usage
}

/** What the stream of an agent carries: any number of signs of life, then one output. */
export type AgentEvent = Progress | Output

/** A sign of life. */
export const progress = (fields: Omit<Progress, "_tag">): Progress => ({ _tag: "Progress", ...fields })

/** The result of an attempt; without usage it counts as free. */
export const output = (value: Json, usage: Usage.Usage = Usage.zero): Output => ({
  _tag: "Output",
  value,
  usage
})

/**
 * An agent: who it is, what it can do, and how. `run` is called once per attempt and may be called concurrently; it is
 * interrupted on cancel, timeout and pause, and releases what it holds in finalizers. It gives its result as an Effect,
 * or as a Stream that ends with one `Output`.
 */
export interface Agent {
  readonly id: AgentId
  readonly metadata: Metadata
  readonly capabilities: ReadonlyArray<Capability.Capability>
  /** Makes one attempt. */
  readonly run: (task: Task) => Effect.Effect<Output, AgentError> | Stream.Stream<AgentEvent, AgentError>
  readonly probe: Effect.Effect<Health> | undefined
  /** What a run has to grant it; it is given no step of a run that does not. */
  readonly requires: ReadonlyArray<Permission>
  /** The data that it was made of, where it was: its kind, what describes it, and the file that this was read from. */
  readonly definition: AgentDefinition | undefined
}

/** An agent as data. */
export interface AgentDefinition {
  readonly kind: string
  readonly data: Json
  readonly source?: string
}

/** What an agent may give as its result: JSON, taken as free of cost, or an `Output` with its usage. */
export type Result = Json | Output

/** An agent as a host writes it. */
export interface Options {
  readonly capabilities: ReadonlyArray<Capability.CapabilityInput>
  /** Makes one attempt; what it throws is a failure of kind `Failed`. */
  readonly run: (task: Task) => Effect.Effect<Result, AgentError> | Stream.Stream<AgentEvent, AgentError>
  readonly metadata?: Partial<Metadata>
  /** Says how well the agent is; asked by `AgentRegistry.health`. */
  readonly probe?: Effect.Effect<Health>
  /** What a run has to grant it; nothing by default. */
  readonly requires?: ReadonlyArray<Permission>
  /** The data that it was made of, where it was. */
  readonly definition?: AgentDefinition
}

const isOutput = (result: Result): result is Output =>
  typeof result === "object" &&
  result !== null &&
  !Array.isArray(result) &&
  (result as Output)._tag === "Output"

/**
 * An agent from a function. The id is checked when it is registered, so that a bad one is a typed error there.
 *
 * @example
 * ```ts
 * import * as Agent from "@switchyard/core/Agent"
 * import * as Effect from "effect/Effect"
 *
 * export const counter = Agent.make("counter", {
 *   capabilities: [{ skill: "count-words" }],
 *   run: (task) => Effect.succeed({ words: String(task.input).split(/\s+/).length })
 * })
 * ```
 */
export const make = (id: string, options: Options): Agent => ({
  id: id as AgentId,
  metadata: { name: id, version: "0.0.0", description: "", author: "", tags: [], ...options.metadata },
  capabilities: options.capabilities.map(Capability.make),
  probe: options.probe,
  requires: options.requires ?? [],
  definition: options.definition,
  run: (task) => {
    const running = options.run(task)
    return Effect.isEffect(running)
      ? Effect.map(running, (result) => (isOutput(result) ? result : output(result)))
      : running
  }
})

/** What an agent written with promises receives beside its task. */
export interface PromiseContext {
  /** Aborted on cancel, timeout and pause. */
  readonly signal: AbortSignal
  /** Reports a sign of life; it never blocks and never fails. */
  readonly report: (fields: Omit<Progress, "_tag">) => void
}

/** Whether a workspace refused something because the run does not grant it. */
const isDenial = (error: unknown): boolean =>
  error instanceof Error && "_tag" in error && error._tag === "WorkspaceError" && "permission" in error

/**
 * Whatever was thrown, as an `AgentError`: one is kept as it is, what a workspace denied is `PermissionDenied`, and anything
 * else is a failure that is not repeated.
 */
export const fromUnknown = (thrown: unknown): AgentError => {
  const error = thrownBy(thrown)
  if (error instanceof AgentError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new AgentError({ kind: isDenial(error) ? "PermissionDenied" : "Failed", reason })
}

/** An agent from an async function: a rejection is a failure, an `AgentError` keeps its kind. */
export const fromPromise = (
  id: string,
  options: Omit<Options, "run"> & { readonly run: (task: Task, context: PromiseContext) => Promise<Result> }
): Agent =>
  make(id, {
    ...options,
    run: (task) =>
      Stream.asyncPush<AgentEvent, AgentError>((emit) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const controller = new AbortController()
            const report = (fields: Omit<Progress, "_tag">) => {
              emit.single(progress(fields))
            }
            Promise.resolve()
              .then(() => options.run(task, { signal: controller.signal, report }))
              .then(
                (result) => {
                  emit.single(isOutput(result) ? result : output(result))
                  emit.end()
                },
                (error) => emit.fail(fromUnknown(error))
              )
            return controller
          }),
          (controller) => Effect.sync(() => controller.abort())
        )
      )
  })
