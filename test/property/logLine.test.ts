import { describe, expect, it } from "@effect/vitest"
import { type Entry, Event } from "@switchyard/core/Event"
import { RunId, type Seq } from "@switchyard/core/Ids"
import { kindsOfEvents } from "@switchyard/core/testing/EventSamples"
import { addEntries, decode } from "@switchyard/node/internal/line"
import { makeLines } from "@switchyard/node/internal/lineBytes"
import * as AST from "effect/SchemaAST"
import * as fc from "fast-check"

const text = fc.oneof(
  fc.fullUnicodeString(),
  fc.string16bits(),
  fc.constantFrom('"', "\\", "\u2028", "\ud800")
)

/** Values of a schema, so that no field of an event is ever left out here; what is any JSON there is any JSON here. */
const anyOf = (ast: AST.AST): fc.Arbitrary<unknown> => {
  switch (ast._tag) {
    case "Union":
      return ast.types.some(AST.isSuspend) ? fc.jsonValue() : fc.oneof(...ast.types.map(anyOf))
    case "TypeLiteral": {
      const all = ast.propertySignatures.map(({ name, type }) => [String(name), anyOf(type)] as const)
      const required = ast.propertySignatures
        .filter((each) => !each.isOptional)
        .map(({ name }) => String(name))
      return fc.record(Object.fromEntries(all), { requiredKeys: required })
    }
    case "Refinement": {
      const base = anyOf(ast.from)
      if (AST.isNumberKeyword(AST.typeAST(ast.from)) || AST.isRefinement(ast.from)) {
        return AST.encodedAST(ast)._tag === "NumberKeyword" ? fc.maxSafeNat() : base
      }
      return fc.constantFrom("a", "step-1", "A.b_c")
    }
    case "Literal":
      return fc.constant(ast.literal)
    case "StringKeyword":
      return text
    case "NumberKeyword":
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case "BooleanKeyword":
      return fc.boolean()
    case "TupleType":
      return fc.array(anyOf(ast.rest[0]?.type ?? AST.stringKeyword), { maxLength: 3 })
    default:
      return fc.jsonValue()
  }
}

const anyEvent = anyOf(AST.typeAST(Event.ast)) as fc.Arbitrary<Event>

const entryOf = (event: Event, seq = 1): Entry => ({
  seq: seq as Seq,
  time: 1_700_000_000_000,
  runId: RunId.make("run-1"),
  runSeq: seq,
  event
})

/** The entries that lines say, and where groups begin. */
const through = (entries: ReadonlyArray<Entry>) => {
  const lines = makeLines()
  for (const entry of entries) addEntries(lines, [entry])
  const text = lines.bytes.subarray(0, lines.length)
  expect(text.at(-1)).toBe(0x0a)
  return text
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => {
      const decoded = decode(Buffer.from(line))
      if (typeof decoded === "string") throw new Error(`${decoded}: ${line}`)
      return decoded
    })
}

describe("a line of the log", () => {
  it("says exactly what the entry says, for every kind of event", () => {
    const entries = kindsOfEvents.map((event, index) => entryOf(event, index + 1))
    const decoded = through(entries)
    expect(decoded.map(({ entry }) => entry)).toEqual(entries)
    expect(decoded.map(({ beginsGroup }) => beginsGroup)).toEqual(entries.map((_, index) => index === 0))
  })

  it("says what JSON.stringify would say of any event", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 5 }), (events) => {
        const entries = events.map((event, index) => entryOf(event, index + 1))
        const decoded = through(entries).map(({ entry }) => entry)
        expect(decoded).toEqual(JSON.parse(JSON.stringify(entries)))
      }),
      { numRuns: 2_000 }
    )
  })

  it("refers to an event that is too large, whose JSON is beside the lines, and to nothing that was taken back", () => {
    const ofAnotherTime = { _tag: "A", payload: { sha256: "0".repeat(64), bytes: 1 } } as unknown as Event
    const bad = entryOf({ _tag: "StepSkipped", stepId: "s", reason: 1n } as never, 9)
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 5 }), fc.nat(400), (events, limit) => {
        const entries = [...events, ofAnotherTime].map((event, index) => entryOf(event, index + 1))
        const lines = makeLines()
        addEntries(lines, entries, limit)
        const { length } = lines
        expect(() => addEntries(lines, [entryOf(ofAnotherTime, 8), bad], limit)).toThrow()
        expect(lines.length).toBe(length)
        const payloads = [...lines.payloads]
        const found = lines.bytes
          .toString("utf8", 0, length)
          .trimEnd()
          .split("\n")
          .map((line) => {
            const decoded = decode(Buffer.from(line))
            if (typeof decoded === "string") throw new Error(`${decoded}: ${line}`)
            const { entry, payload } = decoded
            if (payload === undefined) {
              expect(Buffer.byteLength(JSON.stringify(entry?.event))).toBeLessThanOrEqual(limit)
              return entry
            }
            const { content, ...reference } = payloads.shift() ?? {}
            expect(reference).toEqual(payload)
            expect(content?.length).toBe(payload.bytes)
            return { ...entry, event: JSON.parse(String(content)) }
          })
        expect(found).toEqual(JSON.parse(JSON.stringify(entries)))
        expect(payloads).toEqual([])
      }),
      { numRuns: 1_000 }
    )
  })

  it("is what JSON.stringify would say where a number is none that JSON knows", () => {
    const usage = { inputTokens: Number.NaN, outputTokens: 0, cachedTokens: 0, costMicroUsd: Infinity }
    const event = { _tag: "ItemProgress", stepId: "s", item: "i", index: 0, usage } as Event
    expect(through([entryOf(event)])[0]?.entry).toEqual(JSON.parse(JSON.stringify(entryOf(event))))
  })

  it("is not read with any of its bits changed", () => {
    const lines = makeLines()
    addEntries(lines, [entryOf({ _tag: "StepSkipped", stepId: "s" as never, reason: "é" })])
    const line = lines.bytes.subarray(0, lines.length - 1)
    for (let bit = 0; bit < 8 * line.length; bit++) {
      const changed = Buffer.from(line)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(typeof decode(changed), `bit ${bit}`).toBe("string")
    }
  })
})
