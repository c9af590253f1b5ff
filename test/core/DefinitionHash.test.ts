import { createHash } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as DefinitionHash from "@switchyard/core/DefinitionHash"
import { canonicalOf, contentHash } from "@switchyard/core/internal/contentHash"
import type { Json } from "@switchyard/core/Json"
import * as Workflow from "@switchyard/core/Workflow"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"

/** The same value with the keys of its objects the other way round. */
const reversed = (value: Json): Json => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, each]) => [key, reversed(each)])
  )
}

describe("the canonical form", () => {
  it("is that of the examples of RFC 8785", () => {
    const literals = {
      literals: [null, true, false],
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 1e-27]
    }
    expect(canonicalOf({ numbers: literals.numbers, literals: literals.literals })).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'
    )
    expect(canonicalOf({ string: "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/" })).toBe(
      '{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    const keys = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 }
    const order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"]
    expect(canonicalOf(keys)).toBe(
      `{${order.map((key) => `${JSON.stringify(key)}:${keys[key as keyof typeof keys]}`).join(",")}}`
    )
  })

  it("means the same as the value, whatever the order of its keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (drawn) => {
        const value = JSON.parse(JSON.stringify(drawn)) as Json
        const text = canonicalOf(value)
        expect(JSON.parse(text)).toEqual(value)
        expect(canonicalOf(reversed(value))).toBe(text)
        expect(contentHash(value)).toBe(createHash("sha256").update(text).digest("hex"))
      })
    )
  })
})

describe("the hash of a definition", () => {
  const definition = Workflow.make("w").pipe(
    Workflow.step("a", { skill: "x", input: { b: 1, a: [-0, "é"] } }),
    Workflow.step("b", { skill: "y", after: ["a"] })
  ).definition

  it("is told apart by content, and not by the order of keys", () => {
    const hash = DefinitionHash.make(definition)
    expect(Schema.is(DefinitionHash.DefinitionHash)(hash)).toBe(true)
    expect(DefinitionHash.make(reversed(definition as unknown as Json) as never)).toBe(hash)
    expect(DefinitionHash.make({ ...definition, steps: [...definition.steps].reverse() })).not.toBe(hash)
    expect(DefinitionHash.make({ ...definition, description: "" })).not.toBe(hash)
  })

  it("stays what it is, since it is recorded", () => {
    expect(DefinitionHash.make({ name: "w", steps: [Workflow.stepDefinition("a", { skill: "x" })] })).toBe(
      createHash("sha256").update('{"name":"w","steps":[{"id":"a","skill":"x"}]}').digest("hex")
    )
  })
})
