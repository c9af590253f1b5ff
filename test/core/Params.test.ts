import { describe, expect, it } from "@effect/vitest"
import * as Params from "@switchyard/core/Params"
import type { Definition } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const definition = (params: unknown): Definition =>
  ({ name: "w", params, steps: [{ id: "a", skill: "s" }] }) as unknown as Definition

/** The lines of the message, without the first one. */
const refused = (params: unknown, given: unknown, schema?: Schema.Schema.AnyNoContext) =>
  Effect.map(Effect.flip(Params.check(definition(params), schema, given)), (error) => {
    const [first, ...rest] = error.message.split("\n")
    expect(first).toBe('The parameters of "w" are not valid:')
    return rest.map((each) => each.trim())
  })

const schema = {
  type: "object",
  required: ["files"],
  additionalProperties: false,
  properties: {
    files: {
      type: "array",
      minItems: 1,
      items: { type: "object", properties: { name: { type: "string" } } }
    },
    depth: { type: ["integer", "null"], maximum: 3 },
    mode: { enum: ["fast", "careful"] },
    size: { anyOf: [{ type: "string" }, { type: "number" }] },
    flag: { $ref: "#/$defs/flag" },
    word: { type: "string", pattern: "^a" },
    "a/b~c": { type: "boolean" }
  },
  $defs: { flag: { type: "boolean" } }
}

const files = [{ name: "a" }]

const cases: ReadonlyArray<readonly [string, unknown, ReadonlyArray<string>]> = [
  ["something else", "x", ['this must be an object, not "x"']],
  ["nothing", {}, ['"files" is missing; give it a value']],
  [
    "values of other types, wherever they are",
    { files: [{ name: 7 }], depth: "deep", flag: "no", "a/b~c": 1 },
    [
      "files[0].name: this must be a text, not 7",
      'depth: this must be a whole number or null, not "deep"',
      'flag: this must be true or false, not "no"',
      "a/b~c: this must be true or false, not 1"
    ]
  ],
  [
    "values that are not among those there are",
    { files, mode: "fats", size: [] },
    [
      'mode: this must be one of "fast", "careful", not "fats"; did you mean "fast"?',
      "size: this is none of what it may be, but an empty list"
    ]
  ],
  [
    "names that are not known",
    { files, dept: 1, zzz: 2 },
    [
      'dept: "dept" is not known here; did you mean "depth"?',
      'zzz: "zzz" is not known here; there is files, depth, mode, size, flag, word, a/b~c'
    ]
  ],
  [
    "values out of bounds",
    { files: [], depth: 4, word: "b" },
    [
      "files: array has too few items (0 < 1)",
      "depth: 4 is greater than 3",
      "word: string does not match pattern"
    ]
  ],
  ["what JSON cannot carry", { files, depth: Number.NaN }, ["depth: this is NaN, which JSON cannot carry"]]
]

describe("parameters", () => {
  it.effect.each(cases)("are refused by a JSON Schema: %s", ([, given, expected]) =>
    Effect.map(refused(schema, given), (found) => expect(found).toEqual(expected))
  )

  it.effect("are refused where their JSON Schema is none", () =>
    Effect.map(refused({ $ref: "#/nowhere" }, {}), ([found]) =>
      expect(found).toMatch(/^their JSON Schema is not valid: Unresolved \$ref "#\/nowhere"/)
    )
  )

  it.effect("are refused by a Schema, with every place", () =>
    Effect.gen(function* () {
      const given = Schema.Struct({
        files: Schema.Array(Schema.String.pipe(Schema.pattern(/^a/))),
        depth: Schema.Number
      })
      expect(yield* refused(undefined, { files: ["a", "b", 3] }, given)).toEqual([
        'files[1]: Expected a string matching the pattern ^a, actual "b"',
        "files[2]: Expected string, actual 3",
        "depth: is missing"
      ])
    })
  )

  it.effect("have the defaults of their JSON Schema, nested ones too", () =>
    Effect.gen(function* () {
      const nested = { type: "object", properties: { depth: { type: "integer", default: 2 } } }
      const params = { type: "object", properties: { more: { ...nested, default: {} }, given: nested } }
      expect(yield* Params.check(definition(params), undefined, { given: { depth: 1 } })).toEqual({
        more: { depth: 2 },
        given: { depth: 1 }
      })
    })
  )
})
