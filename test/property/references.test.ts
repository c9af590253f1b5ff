import { describe, expect, it } from "@effect/vitest"
import * as Expression from "@switchyard/core/Expression"
import type { Json } from "@switchyard/core/Json"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"

const scope = { params: {}, steps: {}, run: {}, item: null, index: 0 }

/** What an agent receives where the input is what a function gives. */
const receives = (input: () => Workflow.Template, params: Json = {}): Json => {
  const { input: template = null } = Workflow.stepDefinition("x", { skill: "s", input })
  return Effect.runSync(
    Effect.flatMap(Expression.template(template), (each) => each.evaluate({ ...scope, params }))
  )
}

const hostile = fc.constantFrom("{", "{{", "}", "}}", '"', "'", "\\", "\n", "${", "{{ params }}", "$&", " ")
const text = fc.oneof(
  fc
    .array(fc.oneof(hostile, fc.fullUnicodeString({ maxLength: 3 })), { maxLength: 6 })
    .map((parts) => parts.join("")),
  fc.fullUnicodeString()
)
const key = text.filter((each) => each !== "__proto__")
const json = fc.letrec<{ readonly value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0),
    text,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 })
  )
})).value

const asText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))

describe("values of a host in what a function gives", () => {
  it("come as they are, whatever is in them", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(receives(() => value)).toEqual(value)
      })
    )
  })

  it("come as they are out of an expression", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(receives(() => Workflow.cel`${value}`)).toEqual(value)
        expect(receives(() => Workflow.cel`[{"a": ${value}}][0].a`)).toEqual(value)
      })
    )
  })

  it("are a text in a text, next to references too", () => {
    fc.assert(
      fc.property(text, json, text, json, (before, plain, after, referred) => {
        const x = Workflow.cel`params.x`
        const given = receives(() => Workflow.text`${before}${x}${plain}${x}${after}`, { x: referred })
        expect(given).toBe(`${before}${asText(referred)}${asText(plain)}${asText(referred)}${after}`)
      })
    )
  })

  it("are found by references under any name", () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), json, (path, value) => {
        const params = path.reduceRight<Json>((inner, name) => ({ [name]: inner }), value)
        const { input = null } = Workflow.stepDefinition("x", {
          skill: "s",
          input: (all) => {
            type Any = { readonly [key: string]: Any }
            return path.reduce<Any>(
              (at, name) => at[name] ?? at,
              (all as unknown as Any).params as Any
            ) as never
          }
        })
        const found = Effect.runSync(
          Effect.flatMap(Expression.template(input), (each) => each.evaluate({ ...scope, params }))
        )
        expect(found).toEqual(value)
      })
    )
  })
})
