import type * as Schema from "effect/Schema"
import type { Json } from "../Json.js"
import type { Before, Given } from "../WorkflowReference.js"
import type { NamesOf } from "./literalReferences.js"

/** What plain JSON gives as a template; nothing is known of a text with an expression in it. */
type GivenPlain<T> = T extends string
  ? string extends T
    ? unknown
    : T extends `${string}{{${string}`
      ? unknown
      : string
  : Given<T>

/** The type of an element of a list that is written as JSON or given by a function; `never` where there is no list. */
export type ListItem<List, Listed> = [Listed] extends [never]
  ? [List] extends [never]
    ? never
    : List extends ReadonlyArray<infer Element>
      ? GivenPlain<Element>
      : unknown
  : Given<Listed> extends ReadonlyArray<infer Element>
    ? Element
    : unknown

/** What `acc` is in a `reduce` whose beginning is written as JSON or given by a function. */
export type ReduceValue<Initial, Start> = [Start] extends [never] ? GivenPlain<Initial> : Given<Start>

interface Decision {
  readonly decision: "approve"
  readonly by: string | null
  readonly comment: string | null
}

type AgentOutput<Output> = [Output] extends [never]
  ? unknown
  : Output extends Schema.Schema<infer _, infer Encoded>
    ? Encoded
    : unknown

/** What is known of the output of a step with the options `Names`; a function in place of `Input` leaves that at its bound. */
export type KnownOutput<Names extends string, Output, Input, Value, Initial, Start> = [
  Extract<Names, "skill" | "agent" | "subworkflow">
] extends [never]
  ? OfNoItems<Names, Output, Input, Value, Initial, Start>
  : OfItems<Names, Output>

type OfNoItems<Names extends string, Output, Input, Value, Initial, Start> = "approval" extends Names
  ? Decision
  : "map" extends Names
    ? ReadonlyArray<[Value] extends [never] ? unknown : Given<Value>>
    : "reduce" extends Names
      ? Json extends Input
        ? ReduceValue<Initial, Start>
        : unknown
      : AgentOutput<Output>

type OfItems<Names extends string, Output> = "forEach" extends Names
  ? ReadonlyArray<AgentOutput<Output>>
  : AgentOutput<Output>

/** The names of the parameters; any where they are not declared, or not by name. */
type ParamNames<Params> = unknown extends Params
  ? string
  : Params extends object
    ? Extract<keyof Params, string>
    : string

type Reason<
  Id extends string,
  After extends string,
  Params,
  Steps,
  Conditions,
  Templates
> = string extends keyof Steps
  ? never
  :
      | (Id extends keyof Steps ? `The step ${Id} exists already` : never)
      | Missing<Exclude<After, keyof Steps>>
      | NotBefore<Id, Exclude<NamesOf<Conditions, Templates, "steps">, Before<Steps, After>>>
      | NoParameter<Id, Exclude<NamesOf<Conditions, Templates, "params">, ParamNames<Params>>>

type Missing<Names extends string> = `There is no step ${Names} yet, so that nothing can be after it`
type NotBefore<
  Id extends string,
  Names extends string
> = `The step ${Id} looks at steps.${Names}, which need not be settled before it: add it to its after`
type NoParameter<
  Id extends string,
  Names extends string
> = `The step ${Id} looks at params.${Names}, but the workflow has no such parameter`

/** What is wrong with a step for the workflow that it is added to, as a type that no workflow has; otherwise any workflow has it. */
export type Problem<Id extends string, After extends string, Params, Steps, Conditions, Templates> = [
  Reason<Id, After, Params, Steps, Conditions, Templates>
] extends [never]
  ? unknown
  : Reason<Id, After, Params, Steps, Conditions, Templates>
