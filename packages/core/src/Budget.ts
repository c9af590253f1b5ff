import * as Schema from "effect/Schema"
import { StepId } from "./Ids.js"
import * as Usage from "./Usage.js"

// Descriptions belong to the properties and not to their types: the JSON Schema has them, and messages do not.
const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })
const Count = Schema.Int.pipe(Schema.positive())

const ceilings = {
  tokens: optional(Count, "The most input and output tokens together; cached ones are part of the input."),
  costMicroUsd: optional(Count, "The most cost, in millionths of a US dollar.")
}
const policy = {
  warnAt: optional(
    Schema.JsonNumber.pipe(Schema.between(0, 1)),
    "The share of a ceiling from which on there is a warning, 0 to 1; 0.8 by default."
  ),
  onBreach: optional(
    Schema.Literal("pause", "fail"),
    "Whether the run stops until the budget is raised (the default), or fails."
  )
}
const fields = {
  ...ceilings,
  wallMillis: optional(Count, "The most running time, in milliseconds; pauses do not count."),
  ...policy
}

/** What a budget limits: input and output tokens together, cost, and running time. */
export const Dimension = Schema.Literal("tokens", "costMicroUsd", "wallMillis")
export type Dimension = typeof Dimension.Type

/**
 * What all of a run may use, its retries included. Tokens and cost are reserved before an attempt begins and settled when it
 * ends, so that many attempts at once cannot use more together than one after the other. A ceiling that is missing does not
 * limit.
 */
export const Budget = Schema.Struct(fields)
export type Budget = typeof Budget.Type

/**
 * What all items of a step may use together, over all their attempts. `estimate` is what one attempt is likely to use; it
 * also counts where only the run or its owner has a ceiling.
 */
export const StepBudget = Schema.Struct({
  ...fields,
  estimate: optional(
    Schema.Struct({
      tokens: optional(Schema.NonNegativeInt, "How many tokens one attempt uses, at a guess."),
      costMicroUsd: optional(Schema.NonNegativeInt, "What one attempt costs, at a guess.")
    }),
    "What is reserved for an attempt; the most that one has used so far where that is more."
  )
})
export type StepBudget = typeof StepBudget.Type

/** What all runs of one owner may use together, those of earlier hosts included as far as the log knows them. It has no ceiling of time. */
export const OwnerBudget = Schema.Struct({ ...ceilings, ...policy })
export type OwnerBudget = typeof OwnerBudget.Type

/** New ceilings: those that are missing stay as they are. */
export const Ceilings = Schema.Struct({ ...ceilings, wallMillis: fields.wallMillis })
export type Ceilings = typeof Ceilings.Type

/** Whose ceiling it is, in which dimension, how high it is, and how much of it was used then. */
export const Mark = Schema.Struct({
  scope: Schema.Literal("run", "step", "owner"),
  stepId: Schema.optionalWith(StepId, { exact: true }),
  dimension: Dimension,
  limit: Schema.NonNegativeInt,
  spent: Schema.NonNegativeInt
})
export type Mark = typeof Mark.Type

/** A ceiling that was exceeded, or that has no room for the next attempt while none is under way, and what follows. */
export const Breach = Schema.Struct({ ...Mark.fields, onBreach: Schema.Literal("pause", "fail") })
export type Breach = typeof Breach.Type

/** From which share on there is a warning where a budget does not say it. */
export const defaultWarnAt = 0.8

/** All dimensions, in the order in which they are looked at. */
export const dimensions: ReadonlyArray<Dimension> = Dimension.literals

/** What was used in one dimension; running time is no part of a usage. */
export const spentOf = (usage: Usage.Usage, ranMillis: number, dimension: Dimension): number =>
  dimension === "tokens"
    ? Usage.totalTokens(usage)
    : dimension === "costMicroUsd"
      ? usage.costMicroUsd
      : ranMillis

/** How one ceiling stands: `reserved` is for attempts under way, beyond what they have used so far; `share` is what is used of it. */
export interface State {
  readonly dimension: Dimension
  readonly limit: number
  readonly spent: number
  readonly reserved: number
  readonly share: number
}

/** How the ceilings of a budget stand, in the order of `dimensions`; nothing is reserved where it is not known. */
export const statesOf = (
  budget: Ceilings,
  usage: Usage.Usage,
  ranMillis = 0,
  reserved: Partial<Record<Dimension, number>> = {}
): ReadonlyArray<State> =>
  dimensions.flatMap((dimension) => {
    const limit = budget[dimension]
    if (limit === undefined) return []
    const spent = spentOf(usage, ranMillis, dimension)
    return [{ dimension, limit, spent, reserved: reserved[dimension] ?? 0, share: spent / limit }]
  })

const words: { readonly [Which in Dimension]: (amount: number) => string } = {
  tokens: (amount) => `${amount} tokens`,
  costMicroUsd: (amount) => `${amount / 1_000_000} USD`,
  wallMillis: (amount) => `${amount} ms`
}

/** An amount in words. */
export const show = (dimension: Dimension, amount: number): string => words[dimension](amount)

/** What a breach is about, in words. */
export const explain = ({ dimension, limit, scope, spent, stepId }: Mark): string => {
  const whose = scope === "step" ? `step "${stepId}"` : scope === "run" ? "the run" : "its owner"
  return `the budget of ${whose} is ${show(dimension, limit)}, and ${show(dimension, spent)} are used`
}
