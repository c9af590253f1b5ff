import * as Duration from "effect/Duration"
import * as JSONSchema from "effect/JSONSchema"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import type { AgentErrorKind } from "./AgentErrorKind.js"
import type { Budget, StepBudget } from "./Budget.js"
import type { ConstraintValue } from "./Capability.js"
import type { CapabilityType } from "./CapabilityType.js"
import type { AgentId, StepId } from "./Ids.js"
import type { KnownOutput, ListItem, Problem } from "./internal/builderTypes.js"
import { paramDefaults, withDefaults } from "./internal/paramDefaults.js"
import type { Json } from "./Json.js"
import type { Permission } from "./Permission.js"
import type { SelectionStrategy } from "./SelectionStrategy.js"
import type {
  Definition,
  Join,
  Policies,
  RetryPolicy,
  StepDefinition,
  Threshold
} from "./WorkflowDefinition.js"
import type {
  ApprovalOptions,
  ListTemplate,
  MapOptions,
  ReduceOptions,
  WaitOptions
} from "./WorkflowOptions.js"
import {
  type Before,
  conditionOf,
  type DeclaredStep,
  type Expression,
  type ItemScope,
  type Scope,
  type Template,
  type Text,
  templateOf
} from "./WorkflowReference.js"

export {
  ApprovalDefinition,
  Definition,
  Join,
  MapDefinition,
  Policies,
  ReduceDefinition,
  RetryPolicy,
  StepDefinition,
  Threshold,
  WaitDefinition
} from "./WorkflowDefinition.js"
export type {
  ApprovalOptions,
  ListTemplate,
  MapOptions,
  ReduceOptions,
  WaitOptions
} from "./WorkflowOptions.js"
export { cel, type Expression, type Reference, type Template, type Text, text } from "./WorkflowReference.js"

/** What a step knows of the workflow that it is added to. */
export interface Within<in Params, in Steps> {
  /** @internal Carries the types only. */
  readonly _within?: (params: Params, steps: Steps) => void
}

/**
 * A workflow value: its definition, and the Schema of its parameters where it was built in TypeScript. `Params` is what a
 * host passes (the encoded side of that Schema); `Steps` maps the ids declared so far to what is known of each, so that a
 * reference to a step that is not settled before does not compile.
 */
export interface Workflow<in out Params, in out Steps> extends Pipeable, Within<Params, Steps> {
  readonly definition: Definition
  readonly params: Schema.Schema.AnyNoContext | undefined
  /** @internal Carries the type only. */
  readonly _params?: (params: Params) => Params
  /** @internal Carries the type only. */
  readonly _steps?: (steps: Steps) => Steps
}

const build = <Params, Steps>(
  definition: Definition,
  params: Schema.Schema.AnyNoContext | undefined
): Workflow<Params, Steps> => ({
  definition,
  params,
  pipe() {
    // biome-ignore lint/complexity/noArguments: the Pipeable protocol passes them so
    return pipeArguments(this, arguments)
  }
})

/** What concerns a whole workflow. */
export interface Options<A, Params> {
  readonly description?: string
  /** Checks and describes the parameters; its JSON Schema becomes part of the definition. */
  readonly params?: Schema.Schema<A, Params>
  /** When a step fails the run: interrupt what is under way (`failFast`, the default) or let it finish (`drain`). */
  readonly onStepFailure?: "failFast" | "drain"
  /** How many items may be under way at once over all steps; unbounded by default, and changeable while a run executes. */
  readonly concurrency?: number
  /** How long a run may be running before it fails; pauses and the time in the queue do not count. */
  readonly timeout?: Duration.DurationInput
  /** What a run may use in all. */
  readonly budget?: Budget
  /** What a run lets its agents do; everything where this is missing, and nothing else where it is there. */
  readonly permissions?: ReadonlyArray<Permission>
  /** How steps are done that do not say so themselves. */
  readonly defaults?: PolicyOptions
  /** What a run gives that completes, a template; by default the outputs of its last steps by their ids. */
  readonly output?: Json
}

/** An empty workflow; steps are added with `step`. */
export const make = <A = unknown, Params = unknown>(
  name: string,
  options: Options<A, Params> = {}
): Workflow<Params, Record<never, unknown>> => {
  const { defaults, params, timeout, ...rest } = options
  const definition: Definition = {
    name,
    ...rest,
    ...(timeout === undefined ? {} : { timeoutMillis: millis(timeout) }),
    ...(defaults === undefined ? {} : { defaults: policies(defaults) }),
    steps: []
  }
  if (params === undefined) return build(definition, undefined)
  const schema = withDefaults({ ...JSONSchema.make(params) }, paramDefaults(params))
  return build({ ...definition, params: schema as Definition["params"] & object }, params)
}

/** A retry policy as a host writes it: durations as `"2 seconds"`, everything but `attempts` optional. */
export interface RetryOptions {
  readonly attempts: number
  /** The first wait; 1 second by default. */
  readonly initial?: Duration.DurationInput
  /** What each wait is multiplied by to give the next; 2 by default. */
  readonly factor?: number
  /** The longest wait; 1 minute by default. */
  readonly cap?: Duration.DurationInput
  /** The share of each wait that is random, 0 to 1; 0.2 by default. */
  readonly jitter?: number
  /** The kinds of errors that are repeated; by default those that are worth it. */
  readonly on?: readonly [AgentErrorKind, ...Array<AgentErrorKind>]
}

/** How a step is done, as a host writes it. */
export interface PolicyOptions {
  /** The group whose limits its attempts share with those of all other runs; the control plane says what they are. */
  readonly group?: string
  /** Where more could be done than may be, higher ones go first; 0 by default. */
  readonly priority?: number
  /** How many items of a step may be under way at once; bounded only by the run's own limit by default. */
  readonly concurrency?: number
  /** Whether a failure of a step fails the run (the default) or leaves it to the join rules of its dependents. */
  readonly onFailure?: "failRun" | "continue"
  /**
   * Whether one failed item fails its step (the default), or the step succeeds as long as one item does, or as long as so many
   * do; it fails as soon as that cannot be any more.
   */
  readonly onItemFailure?: "failStep" | "continue" | Threshold
  /** How failed attempts are repeated; not at all by default. */
  readonly retry?: RetryOptions
  /** How long one attempt may take. */
  readonly attemptTimeout?: Duration.DurationInput
  /** How long a step may take, all items, waits and retries included. */
  readonly stepTimeout?: Duration.DurationInput
  /** Whether other capable agents are tried when one has failed for good: the next ones by rank (default), none, or these. */
  readonly fallback?: boolean | ReadonlyArray<string>
  /** How one of the agents is chosen that have the skill; `best-match` by default. */
  readonly select?: SelectionStrategy
}

/**
 * One step as a host writes it; exactly one of `skill`, `agent`, `subworkflow`, `map`, `reduce`, `approval` and `wait` is given. Wherever a
 * template or a condition may stand, a function of the steps before, the parameters and the item may stand too: what it
 * gives becomes a template, in which texts that are not references are data. The type parameters are inferred by `step`.
 */
export interface StepOptions<
  After extends string = string,
  Context = unknown,
  Item = unknown,
  Condition extends string = string,
  Words extends string = string,
  List extends string | ReadonlyArray<Json> = string | ReadonlyArray<Json>,
  Listed extends ListTemplate = ListTemplate,
  Input extends Json = Json,
  Value extends Template = Template,
  Initial extends Json = Json,
  Start extends Template = Template,
  Output extends Schema.Schema.AnyNoContext = Schema.Schema.AnyNoContext
> extends PolicyOptions {
  /** The skill to select an agent by. */
  readonly skill?: string
  /** The id of the one agent that does it. */
  readonly agent?: string
  /** Only agents that accept this type, by its name or as a JSON Schema, are selected. */
  readonly inputType?: CapabilityType
  /** Only agents that produce this type, by its name or as a JSON Schema, are selected. */
  readonly outputType?: CapabilityType
  /** What the agent's declared constraints must allow, e.g. `{ maxFileSize: "3MB" }`. */
  readonly constraints?: Readonly<Record<string, ConstraintValue>>
  /** The steps that must be settled first. */
  readonly after?: ReadonlyArray<After>
  /** The step whose effects it undoes, done only when the run fails or is cancelled after that step has started. */
  readonly compensates?: After
  /** A CEL condition, evaluated when the dependencies are settled; false skips the step. */
  readonly when?: Condition | ((context: Context) => Expression<boolean>)
  /** Which outcomes of the dependencies let the step start; `allSucceeded` by default. */
  readonly join?: Join
  /**
   * Runs the step once per element of this list, or of the list that this `{{ expression }}` gives. A function is written
   * before those that use `item`, so that its type is known.
   */
  readonly forEach?: List | ((context: Context) => Listed)
  /** A template for the name of each item in progress events; the item itself where it is a string, else its index. */
  readonly label?: Words | ((context: Context & ItemScope<Item>) => Expression<unknown> | Text | string)
  /** What the agent receives; the item by default, or the run's parameters where there is no `forEach`. */
  readonly input?: Input | ((context: Context & ItemScope<Item>) => Value)
  /**
   * The type of what an agent or a signal gives, once per item where there is `forEach`: its encoded side is what
   * references to the output have. It is for the compiler alone; nothing is checked when the output is there.
   */
  readonly output?: Output
  /** A workflow; each item is a run of it, whose parameters are the input. */
  readonly subworkflow?: Definition | { readonly definition: Definition }
  /** Makes a list of another one, by expressions alone. */
  readonly map?: MapOptions<Context, Item, Condition, List, Listed, Input, Value>
  /** Makes a value of a list, by expressions alone. */
  readonly reduce?: ReduceOptions<Context, Item, List, Listed, Input, Initial, Start>
  /** Waits until somebody decides; a rejection fails the step. */
  readonly approval?: ApprovalOptions<Context, Words>
  /** Waits for a time or a signal. */
  readonly wait?: WaitOptions<Context, Words>
  /** What all its items may use together, their retries included. */
  readonly budget?: StepBudget
  /** What its agents, or its child runs, may do of what the run grants; all of that by default. */
  readonly permissions?: ReadonlyArray<Permission>
}

const millis = (duration: Duration.DurationInput): number => Math.round(Duration.toMillis(duration))

/** The full form of a retry policy. */
export const retryPolicy = (options: RetryOptions): RetryPolicy => ({
  attempts: options.attempts,
  initialMillis: millis(options.initial ?? "1 second"),
  factor: options.factor ?? 2,
  capMillis: millis(options.cap ?? "1 minute"),
  jitter: options.jitter ?? 0.2,
  ...(options.on === undefined ? {} : { on: options.on })
})

const policies = ({ attemptTimeout, fallback, retry, stepTimeout, ...rest }: PolicyOptions): Policies => ({
  ...rest,
  ...(retry === undefined ? {} : { retry: retryPolicy(retry) }),
  ...(attemptTimeout === undefined ? {} : { attemptTimeoutMillis: millis(attemptTimeout) }),
  ...(stepTimeout === undefined ? {} : { stepTimeoutMillis: millis(stepTimeout) }),
  ...(fallback === undefined
    ? {}
    : { fallback: typeof fallback === "boolean" ? fallback : (fallback as ReadonlyArray<AgentId>) })
})

type Written = Omit<StepDefinition, "id" | "after" | "agent" | "subworkflow" | keyof Policies> &
  PolicyOptions &
  Pick<StepOptions, "agent" | "after" | "subworkflow">

/** The options that have such functions inside. */
const groups: ReadonlySet<string> = new Set(["map", "reduce", "approval", "wait"])

/** Options with what their functions stand for in their places. */
const written = (options: object): object =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]: readonly [string, unknown]) => {
      if (typeof value === "function") {
        const isCondition = name === "when" || name === "where"
        return [name, isCondition ? conditionOf(value as never) : templateOf(value as never)]
      }
      return [name, groups.has(name) && typeof value === "object" && value !== null ? written(value) : value]
    })
  )

/** The definition of one step from what a host writes; nothing is validated before a plan is made. */
export const stepDefinition = (id: string, { output: _, ...options }: StepOptions): StepDefinition => {
  const { agent, after, subworkflow, ...rest } = written(options) as Written
  return {
    id: id as StepId,
    ...policies(rest),
    ...(agent === undefined ? {} : { agent: agent as AgentId }),
    ...(subworkflow === undefined
      ? {}
      : { subworkflow: "definition" in subworkflow ? subworkflow.definition : subworkflow }),
    ...(after === undefined ? {} : { after: after as ReadonlyArray<StepId> })
  }
}

/**
 * Adds a step. An id that is there already, a dependency on a step that was not added before, and a reference to a step that
 * is not settled before this one or to a parameter that is not declared do not compile; in texts that holds for literals.
 *
 * @example
 * ```ts
 * import * as Workflow from "@switchyard/core/Workflow"
 * import * as Schema from "effect/Schema"
 *
 * export const review = Workflow.make("review", { params: Schema.Struct({ goal: Schema.String }) }).pipe(
 *   Workflow.step("plan", { skill: "planning", output: Schema.Struct({ tasks: Schema.Array(Schema.String) }) }),
 *   Workflow.step("code", {
 *     skill: "coding",
 *     after: ["plan"],
 *     forEach: ({ steps }) => steps.plan.output.tasks,
 *     input: ({ item, params }) => ({ task: item, goal: params.goal })
 *   }),
 *   Workflow.step("merge", { skill: "merging", after: ["code"], input: "{{ steps.code.output }}" })
 * )
 * ```
 */
export const step =
  <
    const Id extends string,
    const After extends string = never,
    Params = never,
    Steps = never,
    const Condition extends string = never,
    const Words extends string = never,
    const List extends string | ReadonlyArray<Json> = never,
    Listed extends ListTemplate = never,
    const Input extends Json = never,
    Value extends Template = never,
    const Initial extends Json = never,
    Start extends Template = never,
    Output extends Schema.Schema.AnyNoContext = never,
    Given extends keyof StepOptions = never
  >(
    id: Id,
    options: StepOptions<
      After,
      Scope<Params, Steps, After>,
      ListItem<List, Listed>,
      Condition,
      Words,
      List,
      Listed,
      Input,
      Value,
      Initial,
      Start,
      Output
    > & { readonly [K in Given]?: unknown }
  ) =>
  <P, S>(
    self: Workflow<P, S> &
      Within<Params, Steps> &
      Problem<Id, After, P, S, Condition, Words | List | Input | Initial>
  ): Workflow<
    P,
    S &
      Record<
        Id,
        DeclaredStep<
          Before<S, After>,
          KnownOutput<Given, Output, Input, Value, Initial, Start>,
          "forEach" extends Given ? true : false
        >
      >
  > =>
    build(
      { ...self.definition, steps: [...self.definition.steps, stepDefinition(id, options as StepOptions)] },
      self.params
    )

/** A workflow from its definition, for definitions that come as data; parameters are checked by their JSON Schema. */
export const fromDefinition = (
  definition: Definition
): Workflow<unknown, Record<string, DeclaredStep<string, unknown, boolean>>> => build(definition, undefined)
