import type { ReduceValue } from "./internal/builderTypes.js"
import type { ApprovalDefinition } from "./WorkflowDefinition.js"
import type { Expression, ItemScope, Reference, Template, TemplateOf, Text } from "./WorkflowReference.js"

/** A list for `forEach`, `map` and `reduce`, as a function may give it. */
export type ListTemplate = Expression<ReadonlyArray<unknown>> | ReadonlyArray<Template>

/** Makes a list of another one; write `over` first, so that the type of `item` is known. */
export interface MapOptions<Context, Item, Condition, List, Listed, Input, Value> {
  /** The list, or an `{{ expression }}` that gives one. */
  readonly over: List | ((context: Context) => Listed)
  /** What each element becomes. */
  readonly value: Input | ((context: Context & ItemScope<Item>) => Value)
  /** Which elements are taken; all of them by default. */
  readonly where?: Condition | ((context: Context & ItemScope<Item>) => Expression<boolean>)
}

/** Makes one value of a list; write `over` and `initial` first, so that the types of `item` and `acc` are known. */
export interface ReduceOptions<Context, Item, List, Listed, Input, Initial, Start> {
  /** The list, or an `{{ expression }}` that gives one. */
  readonly over: List | ((context: Context) => Listed)
  /** What `acc` is before the first element. */
  readonly initial: Initial | ((context: Context) => Start)
  /** What `acc` becomes with each element. */
  readonly value:
    | Input
    | ((
        context: Context & ItemScope<Item> & { readonly acc: Reference<ReduceValue<Initial, Start>> }
      ) => TemplateOf<ReduceValue<Initial, Start>>)
}

/** A decision as a host writes it. */
export interface ApprovalOptions<Context, Words> extends Omit<ApprovalDefinition, "message"> {
  /** What is to be decided. */
  readonly message?: Words | ((context: Context) => Expression<unknown> | Text | string)
}

/** What a step waits for, as a host writes it. */
export type WaitOptions<Context, Words> =
  | {
      /** How long, in milliseconds. */
      readonly millis: number | Words | ((context: Context) => Expression<number>)
    }
  | {
      /** A time: ISO 8601, or milliseconds since 1970. */
      readonly until: number | Words | ((context: Context) => Expression<string | number>)
    }
  | {
      /** The name of a signal. */
      readonly signal: string
      /** How long to wait for it at most, in milliseconds; without an end by default. */
      readonly timeoutMillis?: number
    }
