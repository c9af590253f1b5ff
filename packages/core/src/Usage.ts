import * as Schema from "effect/Schema"

/**
 * What an attempt, an item, a step or a run consumed. Tokens are counts; `costMicroUsd` is an integer number of
 * millionths of a US dollar, so that sums are exact whatever their order.
 */
export const Usage = Schema.Struct({
  inputTokens: Schema.NonNegativeInt,
  outputTokens: Schema.NonNegativeInt,
  cachedTokens: Schema.NonNegativeInt,
  costMicroUsd: Schema.NonNegativeInt
})
export type Usage = typeof Usage.Type

/** Nothing consumed: the neutral element of `add`. */
export const zero: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 }

const count = (value: number | undefined): number =>
  value === undefined || !Number.isFinite(value) || value <= 0 ? 0 : Math.round(value)

/**
 * A usage from what a provider reported: missing, negative and non-finite parts count as 0, and `costUsd` (dollars) is
 * rounded to the nearest millionth.
 */
export const make = (parts: {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cachedTokens?: number
  readonly costUsd?: number
}): Usage => ({
  inputTokens: count(parts.inputTokens),
  outputTokens: count(parts.outputTokens),
  cachedTokens: count(parts.cachedTokens),
  costMicroUsd: count(parts.costUsd === undefined ? undefined : parts.costUsd * 1_000_000)
})

/** The exact sum, part by part. */
export const add = (self: Usage, that: Usage): Usage =>
  that === zero
    ? self
    : self === zero
      ? that
      : {
          inputTokens: self.inputTokens + that.inputTokens,
          outputTokens: self.outputTokens + that.outputTokens,
          cachedTokens: self.cachedTokens + that.cachedTokens,
          costMicroUsd: self.costMicroUsd + that.costMicroUsd
        }

/** The exact difference, part by part. */
export const subtract = (self: Usage, that: Usage): Usage =>
  that === zero
    ? self
    : {
        inputTokens: self.inputTokens - that.inputTokens,
        outputTokens: self.outputTokens - that.outputTokens,
        cachedTokens: self.cachedTokens - that.cachedTokens,
        costMicroUsd: self.costMicroUsd - that.costMicroUsd
      }

/** Input and output tokens together; cached tokens are part of the input and not counted twice. */
export const totalTokens = (self: Usage): number => self.inputTokens + self.outputTokens

/** The cost in US dollars, for display; keep sums in `costMicroUsd`. */
export const costUsd = (self: Usage): number => self.costMicroUsd / 1_000_000
