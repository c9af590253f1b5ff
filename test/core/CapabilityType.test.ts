import { describe, expect, it } from "@effect/vitest"
import * as Capability from "@switchyard/core/Capability"
import * as CapabilityType from "@switchyard/core/CapabilityType"

describe("named types", () => {
  const table = { cobol: ["source-code"], "source-code": ["text"], a: ["b"], b: ["a"], "text/x": ["image"] }
  const cases: ReadonlyArray<readonly [string, string, boolean]> = [
    ["text", "text", true],
    ["text/markdown", "text", true],
    ["text/markdown", "text/*", true],
    ["text", "text/*", true],
    ["text/markdown/gfm", "text/markdown", true],
    ["text", "text/markdown", false],
    ["texts", "text", false],
    ["text/html", "text/markdown", false],
    ["anything", "*", true],
    ["*", "text", false],
    ["cobol", "source-code", true],
    ["cobol", "text", true],
    ["cobol/ibm", "text", true],
    ["text", "cobol", false],
    ["a", "b", true],
    ["a", "c", false],
    ["text/x/y", "image", true],
    ["toString", "text", false]
  ]
  it.each(cases)("%s as %s: %s", (name, of, expected) => {
    expect(CapabilityType.isKindOf(name, of, table)).toBe(expected)
  })
})

describe("JSON Schemas", () => {
  type Schema = CapabilityType.JsonSchema
  const object = (properties: Schema, more: Schema = {}): Schema => ({ type: "object", properties, ...more })
  const text = { type: "string" }
  const list = {
    definitions: { node: object({ next: { $ref: "#/definitions/node" } }) },
    $ref: "#/definitions/node"
  }
  const yes: ReadonlyArray<readonly [Schema, Schema]> = [
    [{ type: "integer" }, { type: "number" }],
    [{ type: "string" }, {}],
    [
      { type: "string", title: "x" },
      { type: "string", description: "y" }
    ],
    [
      { type: "number", minimum: 2, maximum: 3 },
      { type: "number", minimum: 1, exclusiveMaximum: 4 }
    ],
    [
      { type: "number", exclusiveMinimum: 1 },
      { type: "number", exclusiveMinimum: 1 }
    ],
    [{ type: "integer", multipleOf: 4 }, { multipleOf: 2 }],
    [{ type: "string", minLength: 2 }, { minLength: 1 }],
    [{ enum: ["a", "b"] }, { enum: ["a", "b", "c"] }],
    [{ const: 3 }, { type: "integer", minimum: 3 }],
    [{ type: ["string", "null"] }, { anyOf: [{ type: "string" }, { type: "null" }] }],
    [{ anyOf: [{ const: 1 }, { const: 2 }] }, { type: "number" }],
    [{ allOf: [{ type: "string" }, { minLength: 3 }] }, { type: "string" }],
    [{ type: "string" }, { allOf: [{ type: "string" }, {}] }],
    [
      { type: "array", items: { type: "integer" }, minItems: 1 },
      { type: "array", items: { type: "number" } }
    ],
    [
      { type: "array", maxItems: 0 },
      { type: "array", items: { type: "number" } }
    ],
    [object({ a: text, b: text }, { required: ["a", "b"] }), object({ a: text }, { required: ["a"] })],
    [object({ a: text }, { additionalProperties: false }), object({ a: text, b: { type: "number" } })],
    [object({}, { additionalProperties: text }), object({ a: text })],
    [list, list],
    [list, { ...list, title: "list" }],
    [
      { type: "string", pattern: "^a" },
      { type: "string", pattern: "^a" }
    ],
    [{ type: "string", format: "uri" }, { type: "string" }]
  ]
  it.each(yes)("%j is accepted by %j", (sub, by) => {
    expect(CapabilityType.doubt(sub, by)).toBeUndefined()
  })

  const no: ReadonlyArray<readonly [Schema, Schema, string]> = [
    [{ type: "number" }, { type: "integer" }, "of the type number"],
    [{}, { type: "string" }, "of the type null"],
    [{ type: "number" }, { type: "number", minimum: 1 }, "less than 1"],
    [{ type: "number", minimum: 1 }, { type: "number", exclusiveMinimum: 1 }, "1 or less"],
    [{ type: "number", maximum: 4 }, { type: "number", exclusiveMaximum: 4 }, "4 or more"],
    [{ type: "integer" }, { multipleOf: 2 }, "multiple of 2"],
    [{ type: "string", pattern: "^a" }, { type: "string", pattern: "^b" }, '"pattern" is not compared'],
    [{ type: "string" }, { enum: ["a"] }, "another value"],
    [{ enum: ["a", 1] }, { type: "string" }, "it may be 1"],
    [{ type: ["string", "number"] }, { anyOf: [{ type: "string" }, { type: "null" }] }, "none of what"],
    [{ type: "string" }, { oneOf: [{ type: "string" }] }, '"oneOf" is not compared'],
    [{ type: "string" }, { not: { const: "a" } }, '"not" is not compared'],
    [{ type: "array" }, { type: "array", items: text }, "in its items"],
    [object({ a: text }), object({ a: text }, { required: ["a"] }), '"a" need not be there'],
    [object({ a: text }), object({ a: text, b: text }), 'in "b"'],
    [object({ a: { type: "number" } }), object({ a: text }), 'in "a"'],
    [object({ a: text }), object({ a: text }, { additionalProperties: false }), "other properties"],
    [
      object({ b: text }, { additionalProperties: false }),
      object({ a: text }, { additionalProperties: false }),
      '"b" is not known there'
    ],
    [
      { type: "object", patternProperties: { "^x": text }, additionalProperties: false },
      object({ xa: { type: "number" } }),
      'in "xa"'
    ],
    [
      { definitions: { x: text }, type: "array", items: { $ref: "#/definitions/x" } },
      { definitions: { x: { type: "number" } }, type: "array", items: { $ref: "#/definitions/x" } },
      "of the type string"
    ],
    [{ $ref: "#/definitions/none" }, { type: "string" }, "not there"],
    [{ $ref: "https://example.com/x" }, { type: "string" }, "not there"]
  ]
  it.each(no)("%j is not certain to be accepted by %j", (sub, by, why) => {
    expect(CapabilityType.doubt(sub, by)).toContain(why)
  })

  it("are not compared with names", () => {
    expect(CapabilityType.doubt("text", { type: "string" })).toContain("cannot be compared")
    expect(CapabilityType.doubt({ type: "string", title: "Name" }, "text")).toContain("Name and text")
    expect(CapabilityType.doubt({ type: "string" }, "*")).toBeUndefined()
    expect(CapabilityType.doubt("text", {})).toBeUndefined()
  })
})

describe("actual values", () => {
  const capability = Capability.make({
    skill: "sum",
    inputTypes: [{ type: "array", items: { type: "number" } }],
    outputTypes: [{ type: "number" }, { type: "null" }]
  })

  it("are checked by the Schemas of a capability", () => {
    expect(Capability.inputMismatches(capability, [1, 2])).toEqual([])
    expect(Capability.inputMismatches(capability, [1, "2"])).toMatchObject([{ path: "[1]" }])
    expect(Capability.outputMismatches(capability, null)).toEqual([])
    expect(Capability.outputMismatches(capability, "3").length).toBe(1)
  })

  it("are whatever they are where a name stands for them", () => {
    const named = Capability.make({ skill: "sum", outputTypes: ["total", { type: "number" }] })
    expect(Capability.inputMismatches(named, { a: 1 })).toEqual([])
    expect(Capability.outputMismatches(named, "3")).toEqual([])
  })
})
