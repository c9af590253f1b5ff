import { describe, expect, it } from "@effect/vitest"
import * as PriceTable from "@switchyard/agents/PriceTable"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"

const of = (provider: string, model: string, input: number, more: Partial<PriceTable.Entry> = {}) => ({
  provider,
  model,
  prices: { input, cachedInput: 1, cacheWrite: 2, output: 3 },
  ...more
})

const inputOf = (table: PriceTable.PriceTable, provider: string, model: string, tokens?: number) =>
  PriceTable.find(table, provider, model, tokens)?.prices.input

describe("a table of prices", () => {
  it("knows models by name, by snapshot and by pattern, and none that only resembles them", () => {
    const table = [of("openai", "gpt-5", 1), of("*", "llama-*-instruct", 2), of("openai", "o*", 3)]
    expect(inputOf(table, "openai", "gpt-5")).toBe(1)
    expect(inputOf(table, "openai", "gpt-5-2026-08-07")).toBe(1)
    expect(inputOf(table, "openai", "gpt-5-20260807")).toBe(1)
    for (const model of ["gpt-5-mini", "gpt-5.4", "gpt-5-2026", "my-gpt-5", "GPT-5"])
      expect(inputOf(table, "openai", model)).toBeUndefined()
    expect(inputOf(table, "azure", "gpt-5")).toBeUndefined()
    expect(inputOf(table, "localhost:11434", "llama-3-8b-instruct")).toBe(2)
    expect(inputOf(table, "localhost:11434", "llama-instruct")).toBeUndefined()
    expect(inputOf(table, "openai", "o3")).toBe(3)
  })

  it("is extended by entries that come first, and tells requests apart by their length", () => {
    const table = PriceTable.extend(
      [of("a", "m", 1, { upToInputTokens: 100 }), of("a", "m", 5, { contextTokens: 1000 })],
      [of("a", "n", 9)]
    )
    expect(inputOf(table, "a", "m", 100)).toBe(1)
    expect(inputOf(table, "a", "m", 101)).toBe(5)
    expect(PriceTable.contextTokens(table, "a", "m")).toBe(1000)
    expect(inputOf(PriceTable.extend(table, [of("a", "m", 7)]), "a", "m", 101)).toBe(7)
  })

  it("has valid entries, of which each can be reached", () => {
    for (const entry of PriceTable.builtIn) {
      expect(Schema.is(PriceTable.Entry)(entry)).toBe(true)
      const tokens = entry.upToInputTokens ?? 500_000
      expect(PriceTable.find(PriceTable.builtIn, entry.provider, entry.model, tokens)).toBe(entry)
      expect(entry.prices.cachedInput).toBeLessThan(entry.prices.input)
      expect(entry.prices.output).toBeGreaterThan(entry.prices.input)
    }
  })

  it("gives costs that are exact to half a millionth of a dollar, for any number of tokens", () => {
    const tokens = fc.nat(2_000_000_000)
    const price = fc.nat(200_000_000)
    fc.assert(
      fc.property(fc.tuple(tokens, tokens, tokens, tokens), fc.tuple(price, price, price, price), (t, p) => {
        const [input, cachedInput, cacheWrite, output] = t
        const cost = PriceTable.cost(
          { input: p[0], cachedInput: p[1], cacheWrite: p[2], output: p[3] },
          { input, cachedInput, cacheWrite, output }
        )
        let exact = 0n
        for (let at = 0; at < 4; at++) exact += BigInt(t[at] ?? 0) * BigInt(p[at] ?? 0)
        const twice = 2n * (BigInt(cost) * 1_000_000n - exact)
        expect(twice <= 1_000_000n && twice > -1_000_000n).toBe(true)
      })
    )
  })

  it("takes dollars as price lists give them", () => {
    expect(PriceTable.dollars(2.5)).toBe(2_500_000)
    expect(PriceTable.dollars(0.075)).toBe(75_000)
    expect([Number.NaN, -1, Number.POSITIVE_INFINITY].map(PriceTable.dollars)).toEqual([0, 0, 0])
  })
})
