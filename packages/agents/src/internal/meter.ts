import * as Usage from "@switchyard/core/Usage"
import * as PriceTable from "../PriceTable.js"

/** Adds up what an attempt uses, request by request. */
export interface Meter {
  /** What the request that is under way has used so far. */
  readonly running: (tokens: PriceTable.Tokens | undefined) => void
  /** The request is over, and used this in all as far as is known. */
  readonly settle: (tokens: PriceTable.Tokens | undefined) => void
  /** All requests together. */
  readonly total: () => Usage.Usage
}

/** What is known of prices. */
export interface Pricing {
  readonly table: PriceTable.PriceTable
  readonly provider: string
  readonly model: string
  /** Called with a sentence when something was used whose price is not known. */
  readonly onUnknown: (warning: string) => void
}

const usageOf = (tokens: PriceTable.Tokens, { model, onUnknown, provider, table }: Pricing): Usage.Usage => {
  const inputTokens = tokens.input + tokens.cachedInput + tokens.cacheWrite
  const entry = PriceTable.find(table, provider, model, inputTokens)
  if (entry === undefined && inputTokens + tokens.output > 0)
    onUnknown(
      `the price of ${provider}/${model} is not known, so its cost counts as 0; extend the price table`
    )
  return {
    inputTokens,
    outputTokens: tokens.output,
    cachedTokens: tokens.cachedInput,
    costMicroUsd: entry === undefined ? 0 : PriceTable.cost(entry.prices, tokens)
  }
}

/** A meter at zero. */
export const makeMeter = (pricing: Pricing): Meter => {
  let settled = Usage.zero
  let current: PriceTable.Tokens | undefined
  return {
    running: (tokens) => {
      current = tokens
    },
    settle: (tokens) => {
      const last = tokens ?? current
      if (last !== undefined) settled = Usage.add(settled, usageOf(last, pricing))
      current = undefined
    },
    total: () => (current === undefined ? settled : Usage.add(settled, usageOf(current, pricing)))
  }
}
