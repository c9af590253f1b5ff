import { Validator } from "@cfworker/json-schema"
import { describe, expect, it } from "@effect/vitest"
import * as Plan from "@switchyard/core/Plan"
import type { Definition } from "@switchyard/core/Workflow"
import * as WorkflowFile from "@switchyard/node/WorkflowFile"
import * as Effect from "effect/Effect"
import fc from "fast-check"

const awkward = [
  "",
  " ",
  "  two before",
  "two after  ",
  "\ttab",
  "a\tb",
  "line\n",
  "\nline",
  "a\nb",
  "a\n\n\nb\n\n",
  "  a\n b\n",
  "a \n b ",
  "\n",
  "\n\n",
  " \n ",
  "a\r\nb",
  "a\rb",
  "\r",
  "#",
  "# no comment",
  "a # b",
  "a: b",
  "a:",
  ":",
  ": a",
  "- a",
  "-",
  "---",
  "...",
  "--- a",
  "? a",
  "?",
  "!tag",
  "&a",
  "*a",
  "|",
  ">",
  "|-\n a",
  "%YAML 1.1",
  "@a",
  "`a`",
  "{a}",
  "[a]",
  "{",
  "}",
  "[",
  "]",
  ",",
  "a, b",
  "'",
  '"',
  "''",
  '""',
  "it's",
  'say "so"',
  "\\",
  "\\n",
  'a\\"b',
  "yes",
  "no",
  "Yes",
  "NO",
  "on",
  "off",
  "y",
  "n",
  "true",
  "True",
  "false",
  "null",
  "Null",
  "NULL",
  "~",
  "1",
  "-1",
  "+1",
  "0",
  "-0",
  "01",
  "1e3",
  "1.",
  ".5",
  "1_000",
  "0x1",
  "0o7",
  "0b1",
  "1:30",
  ".inf",
  "-.inf",
  ".nan",
  ".NaN",
  "2024-01-01",
  "2024-01-01T00:00:00Z",
  "<<",
  "=",
  "__proto__",
  "constructor",
  "toString",
  "🎉",
  "é\u0301",
  "\u0000",
  "\u0007",
  "\u001b",
  "\u007f",
  "\u0085",
  "\u00a0",
  "\u2028",
  "\u2029",
  "\ufeff",
  "\ufeffa",
  "\ud800",
  "a\udc00b",
  "\ufffd",
  "\uffff",
  "x".repeat(200),
  "long words ".repeat(30),
  "a\n".repeat(40),
  `${"long ".repeat(40)}\n  ${"words ".repeat(40)}`,
  "{{ params.x }}",
  "a {{ params.x }} b: {{ 'c' }}",
  '{{ "}}" }}',
  "{{ params.x }}\n# {{ params.y }}\n"
]

const text = fc.oneof(
  fc.constantFrom(...awkward),
  fc.array(fc.constantFrom(...awkward), { minLength: 2, maxLength: 4 }).map((parts) => parts.join("")),
  fc
    .array(fc.constantFrom(" ", "\n", "\t", "a", "#", ":", "-", "'", '"', "\\", "\r", "|", "é"), {
      maxLength: 12
    })
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ maxLength: 20 })
)
const filled = text.filter((each) => each !== "")
const number = fc
  .oneof(
    fc.constantFrom(
      0,
      1,
      -1,
      0.1,
      -0.5,
      1e21,
      1e-7,
      5e-324,
      Number.MAX_VALUE,
      Number.MAX_SAFE_INTEGER,
      2 ** 64,
      123456789.125
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer()
  )
  .map((each) => (each === 0 ? 0 : each))

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(text, tie("json"), { maxKeys: 4 })
  )
}))

const optional = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
  fc.record(fields, { requiredKeys: [] })
const list = fc.oneof(fc.array(json, { maxLength: 3 }), fc.constant("{{ params.list }}"))
const count = fc.integer({ min: 1, max: 1e9 })
const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,10}$/)

const policies = {
  concurrency: count,
  onItemFailure: fc.constantFrom("failStep", "continue"),
  retry: fc.record(
    {
      attempts: count,
      initialMillis: fc.nat(),
      factor: fc.double({ min: 1, max: 1e300, noNaN: true }),
      capMillis: fc.nat(),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }).map((each) => each || 0),
      on: fc.constant(["Timeout", "Crashed"])
    },
    { requiredKeys: ["attempts", "initialMillis", "factor", "capMillis", "jitter"] }
  ),
  attemptTimeoutMillis: count,
  fallback: fc.oneof(fc.boolean(), fc.array(id, { maxLength: 2 }))
}
const common = {
  outputType: filled,
  join: fc.constantFrom("allSettled", "anySucceeded"),
  onFailure: fc.constant("continue"),
  stepTimeoutMillis: count
}
const constraint = fc.oneof(fc.boolean(), number, text, fc.array(text, { maxLength: 3 }))
const work = fc.oneof(
  fc
    .tuple(
      fc.oneof(fc.record({ skill: filled }), fc.record({ agent: id })),
      optional({
        ...policies,
        ...common,
        input: json,
        inputType: filled,
        constraints: fc.dictionary(filled, constraint, { maxKeys: 3 }),
        when: fc.constantFrom("params.x == 'a: b # c'", 'params.y != "it\'s"\n  && true')
      }),
      fc.oneof(fc.constant({}), fc.record({ forEach: list, label: filled }))
    )
    .map(([what, how, each]) => ({ ...what, ...how, onItemFailure: undefined, ...each })),
  fc
    .tuple(fc.record({ map: fc.record({ over: list, value: json }) }), optional(common))
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ reduce: fc.record({ over: list, initial: json, value: json }) }),
  fc.record({
    approval: optional({
      message: filled,
      approvers: fc.array(filled, { minLength: 1, maxLength: 3 }),
      default: fc.constant("approve")
    })
  }),
  fc.record({
    wait: fc.oneof(
      fc.record({ millis: fc.oneof(fc.nat(), filled) }),
      fc.record({ until: filled }),
      fc.record({ signal: filled, timeoutMillis: count })
    )
  })
)

/** Keys with `undefined` are left out, as JSON would do. */
const plain = (value: unknown): Definition => JSON.parse(JSON.stringify(value))

const definition = fc
  .record(
    {
      name: filled,
      description: text,
      params: fc.dictionary(text, json, { maxKeys: 3 }).map(({ properties: _, ...rest }) => rest),
      onStepFailure: fc.constantFrom("failFast", "drain"),
      timeoutMillis: count,
      defaults: optional(policies),
      steps: fc.array(fc.record({ id, work, before: fc.nat() }), { minLength: 1, maxLength: 5 })
    },
    { requiredKeys: ["name", "steps"] }
  )
  .map(({ steps, ...rest }) => {
    const ids = steps.map((each, index) => `${each.id}-${index}`)
    return plain({
      ...rest,
      steps: steps.map(({ before, work }, index) => ({
        id: ids[index],
        ...work,
        ...(index === 0 ? {} : { after: [ids[before % index]] })
      }))
    })
  })

const accepts = (value: Definition): boolean => Effect.runSync(Effect.isSuccess(Plan.make(value)))
const validator = new Validator(WorkflowFile.jsonSchema, "7", false)

/** As JSON, which tells apart what `toEqual` does not: the order of keys, and one that is named `__proto__`. */
const exactly = (value: unknown): string => JSON.stringify(value)

describe("a workflow as a file", () => {
  it("is read as exactly what was written, in YAML and in JSON", () => {
    let accepted = 0
    let all = 0
    fc.assert(
      fc.property(definition, (given) => {
        all += 1
        if (!accepts(given)) return
        accepted += 1
        for (const format of ["yaml", "json"] as const) {
          const printed = WorkflowFile.print(given, format)
          const read = Effect.runSync(WorkflowFile.parse(printed, { format }))
          expect(exactly(read), printed).toBe(exactly(given))
        }
        // The validator cannot name half a character.
        if (!exactly(given).includes("\\ud")) expect(validator.validate(given).errors).toEqual([])
      }),
      { numRuns: 2000 }
    )
    expect(accepted / all).toBeGreaterThan(0.8)
  })

  it.each(awkward.map((each) => [JSON.stringify(each), each] as const))(
    "keeps %s as a text and as a name",
    (_, each) => {
      const given = {
        name: "w",
        description: each,
        steps: [{ id: "a", skill: "s", constraints: { [`k${each}`]: each, list: [each, `${each}x`] } }]
      } as unknown as Definition
      for (const format of ["yaml", "json"] as const) {
        const read = Effect.runSync(WorkflowFile.parse(WorkflowFile.print(given, format), { format }))
        expect(exactly(read)).toBe(exactly(given))
      }
    }
  )
})
