import { describe, expect, it } from "@effect/vitest"
import * as Usage from "@switchyard/core/Usage"
import * as fc from "fast-check"

const count = fc.integer({ min: 0, max: 1_000_000_000 })
const usage = fc.record({ inputTokens: count, outputTokens: count, cachedTokens: count, costMicroUsd: count })
const sum = (all: ReadonlyArray<Usage.Usage>) => all.reduce(Usage.add, Usage.zero)

describe("usage", () => {
  it("adds up exactly, in any order and grouping", () => {
    fc.assert(
      fc.property(fc.array(usage, { maxLength: 50 }), fc.nat(), (all, cut) => {
        const at = cut % (all.length + 1)
        const whole = sum(all)
        expect(sum([...all].reverse())).toEqual(whole)
        expect(Usage.add(sum(all.slice(0, at)), sum(all.slice(at)))).toEqual(whole)
        expect(whole.costMicroUsd).toBe(all.reduce((total, each) => total + each.costMicroUsd, 0))
        expect(Usage.totalTokens(whole)).toBe(whole.inputTokens + whole.outputTokens)
      })
    )
  })

  it("has a neutral element", () => {
    fc.assert(
      fc.property(usage, (each) => {
        expect(Usage.add(each, Usage.zero)).toEqual(each)
        expect(Usage.add(Usage.zero, each)).toEqual(each)
      })
    )
  })

  it("does not lose cents", () => {
    const dime = Usage.make({ costUsd: 0.1 })
    expect(Usage.costUsd(sum([dime, dime, dime]))).toBe(0.3)
  })

  it("counts what is missing or no number as nothing", () => {
    expect(Usage.make({})).toEqual(Usage.zero)
    const odd = {
      inputTokens: -1,
      outputTokens: Number.NaN,
      cachedTokens: Number.POSITIVE_INFINITY,
      costUsd: -0.5
    }
    expect(Usage.make(odd)).toEqual(Usage.zero)
    expect(Usage.make({ inputTokens: 1.6, costUsd: 0.000_000_4 })).toMatchObject({
      inputTokens: 2,
      costMicroUsd: 0
    })
  })
})
