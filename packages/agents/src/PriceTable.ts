import * as Schema from "effect/Schema"

const price = (description: string) => Schema.NonNegativeInt.annotations({ description })

/**
 * What a million tokens cost, in millionths of a US dollar: 2,500,000 stands for $2.50. They are whole numbers, so that costs are
 * exact whatever their order; `dollars` makes them of what price lists say.
 */
export const Prices = Schema.Struct({
  input: price("Of input that was neither read from a cache nor written to one."),
  cachedInput: price("Of input that was read from a cache."),
  cacheWrite: price("Of input that was written to a cache."),
  output: price("Of output, reasoning included.")
})
export type Prices = typeof Prices.Type

/** What is known of a model of a provider: its prices, and how much text it takes and gives. */
export const Entry = Schema.Struct({
  provider: Schema.String.annotations({ description: "Who serves the model, such as `openai`." }),
  model: Schema.String.annotations({
    description:
      "The name of the model; snapshots of it, which have its name and a date, are meant too. `*` stands for any text."
  }),
  prices: Prices,
  upToInputTokens: Schema.optionalWith(
    Schema.NonNegativeInt.annotations({
      description: "The longest request that costs this; a longer one is looked up further on."
    }),
    { exact: true }
  ),
  contextTokens: Schema.optionalWith(
    Schema.NonNegativeInt.annotations({ description: "How many tokens input and output may have together." }),
    { exact: true }
  )
})
export type Entry = typeof Entry.Type

/** Prices by provider and model; the first entry that fits counts. */
export type PriceTable = ReadonlyArray<Entry>

/** The price of a million tokens from dollars as price lists give them, rounded to the millionth of a dollar. */
export const dollars = (perMillionTokens: number): number =>
  Number.isFinite(perMillionTokens) && perMillionTokens > 0 ? Math.round(perMillionTokens * 1_000_000) : 0

/** The table with entries of one's own before the others, so that they replace what was known of the same models. */
export const extend = (self: PriceTable, entries: ReadonlyArray<Entry>): PriceTable => [...entries, ...self]

/** The tokens of one request: those of the input are told apart by how they are charged, and none is counted twice. */
export interface Tokens {
  readonly input: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly output: number
}

const snapshot = /-(\d{8}|\d{4}-\d{2}-\d{2})$/

const fits = (pattern: string, text: string): boolean => {
  if (!pattern.includes("*")) return pattern === text
  const [first = "", ...rest] = pattern.split("*")
  const last = rest.pop() ?? ""
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false
  let at = first.length
  for (const each of rest) {
    const found = text.indexOf(each, at)
    if (found < 0) return false
    at = found + each.length
  }
  return at <= text.length - last.length
}

const isOf =
  (provider: string, model: string) =>
  (entry: Entry): boolean =>
    fits(entry.provider, provider) &&
    (fits(entry.model, model) || fits(entry.model, model.replace(snapshot, "")))

/**
 * The entry of a model for a request of so many tokens, `undefined` where the table does not know it. Names that only resemble a
 * known one are not known: a price is never guessed.
 */
export const find = (self: PriceTable, provider: string, model: string, inputTokens = 0): Entry | undefined =>
  self
    .filter(isOf(provider, model))
    .find(({ upToInputTokens = Number.POSITIVE_INFINITY }) => inputTokens <= upToInputTokens)

/** How many tokens input and output of a model may have together, by the first entry of it that says so. */
export const contextTokens = (self: PriceTable, provider: string, model: string): number | undefined =>
  self.filter(isOf(provider, model)).find((entry) => entry.contextTokens !== undefined)?.contextTokens

const whole = (value: number): bigint => BigInt(Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0)

const million = 1_000_000n

/** What a request costs in millionths of a US dollar, rounded to the nearest one; half of one is rounded up. */
export const cost = (prices: Prices, tokens: Tokens): number => {
  const exact =
    whole(tokens.input) * whole(prices.input) +
    whole(tokens.cachedInput) * whole(prices.cachedInput) +
    whole(tokens.cacheWrite) * whole(prices.cacheWrite) +
    whole(tokens.output) * whole(prices.output)
  return Number((exact + million / 2n) / million)
}

const listed = (
  provider: string,
  model: string,
  [input, cachedInput, cacheWrite, output]: readonly [number, number, number, number],
  more: { readonly contextTokens?: number; readonly upToInputTokens?: number } = {}
): Entry => ({
  provider,
  model,
  prices: {
    input: dollars(input),
    cachedInput: dollars(cachedInput),
    cacheWrite: dollars(cacheWrite),
    output: dollars(output)
  },
  ...more
})

/** When the built-in table was compared with what providers publish. */
export const builtInDate = "2026-11-21"

/**
 * List prices of common models on `builtInDate`, from https://platform.claude.com/docs/en/about-claude/pricing (cache writes that
 * last for five minutes) and https://developers.openai.com/api/docs/pricing (standard processing). Batches, priority, other
 * regions and what was agreed on with a provider cost something else: say so with `extend`. Requests that are so long that other
 * prices hold, which are not in the table, count as unknown.
 */
export const builtIn: PriceTable = [
  listed("anthropic", "claude-fable-5-1", [10, 0.25, 12.5, 50], { contextTokens: 1_000_000 }),
  listed("anthropic", "claude-opus-5-5", [4, 0.2, 5, 20], { contextTokens: 1_000_000 }),
  listed("anthropic", "claude-opus-5", [5, 0.5, 6.25, 25], { contextTokens: 1_000_000 }),
  listed("anthropic", "claude-opus-4-8", [5, 0.5, 6.25, 25]),
  listed("anthropic", "claude-opus-4-7", [5, 0.5, 6.25, 25]),
  listed("anthropic", "claude-opus-4-6", [5, 0.5, 6.25, 25]),
  listed("anthropic", "claude-opus-4-5", [5, 0.5, 6.25, 25], { contextTokens: 200_000 }),
  listed("anthropic", "claude-sonnet-5-5", [2, 0.1, 2.5, 10], { contextTokens: 1_000_000 }),
  listed("anthropic", "claude-sonnet-5", [2, 0.2, 2.5, 10], { contextTokens: 1_000_000 }),
  listed("anthropic", "claude-haiku-5-5", [0.1, 0.01, 0.125, 0.5], {
    contextTokens: 1_000_000,
    upToInputTokens: 100_000
  }),
  listed("anthropic", "claude-haiku-5-5", [0.5, 0.05, 0.625, 2.5], { contextTokens: 1_000_000 }),
  listed("anthropic", "claude-haiku-4-5", [1, 0.1, 1.25, 5], { contextTokens: 200_000 }),
  listed("openai", "gpt-6-astra", [10, 1, 12.5, 50], { contextTokens: 1_050_000, upToInputTokens: 272_000 }),
  listed("openai", "gpt-6.1-sol", [2, 0.1, 2.5, 10], { upToInputTokens: 272_000 }),
  listed("openai", "gpt-6-sol", [2, 0.2, 2.5, 10], { upToInputTokens: 272_000 }),
  listed("openai", "gpt-6-luna", [0.1, 0.01, 0.125, 0.5], { upToInputTokens: 272_000 }),
  listed("openai", "gpt-5", [1.25, 0.125, 1.25, 10], { contextTokens: 400_000 }),
  listed("openai", "gpt-5-mini", [0.25, 0.025, 0.25, 2], { contextTokens: 400_000 }),
  listed("openai", "gpt-5-nano", [0.05, 0.005, 0.05, 0.4], { contextTokens: 400_000 }),
  listed("openai", "gpt-4.1", [2, 0.5, 2, 8], { contextTokens: 1_047_576 }),
  listed("openai", "gpt-4.1-mini", [0.4, 0.1, 0.4, 1.6], { contextTokens: 1_047_576 }),
  listed("openai", "gpt-4o", [2.5, 1.25, 2.5, 10], { contextTokens: 128_000 }),
  listed("openai", "gpt-4o-mini", [0.15, 0.075, 0.15, 0.6], { contextTokens: 128_000 })
]
