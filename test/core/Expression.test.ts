import { describe, expect, it } from "@effect/vitest"
import * as Expression from "@switchyard/core/Expression"
import type { Json } from "@switchyard/core/Json"
import * as Effect from "effect/Effect"

const scope: Expression.Scope = {
  params: {
    n: 3,
    x: 0.5,
    text: "a \"b\" 'c' $& $1 \\ \n{{ params.n }} }}",
    list: [1, "two", null],
    nested: { a: { b: true } },
    empty: ""
  },
  steps: { s: { status: "Succeeded", output: { value: [1, 2] } } },
  run: { id: "run-1", workflow: "w" },
  item: { name: "it" },
  index: 2
}

const evaluate = (template: Json) =>
  Effect.flatMap(Expression.template(template), (compiled) => compiled.evaluate(scope))

const holds = (source: string) =>
  Effect.flatMap(Expression.condition(source), (compiled) => compiled.evaluate(scope))

describe("templates", () => {
  const { text } = scope.params as { readonly text: string }
  const cases: ReadonlyArray<readonly [Json, Json]> = [
    ["plain", "plain"],
    ["{{ params.n }}", 3],
    ["{{params.n}}", 3],
    ["{{ params.list }}", [1, "two", null]],
    ["{{ params.nested }}", { a: { b: true } }],
    ["{{ params.list[2] }}", null],
    ["n is {{ params.n }}!", "n is 3!"],
    ["{{ params.n }}{{ params.x }}", "30.5"],
    ["list {{ params.list }}", 'list [1,"two",null]'],
    ["{{ params.text }}", text],
    ["<{{ params.text }}>", `<${text}>`],
    ["{{ params.empty }}", ""],
    ["{{ '}}' + \"}}\" }}", "}}}}"],
    ["{{ 'it\\'s }}' }}", "it's }}"],
    ["a } b {{ params.n }} c }", "a } b 3 c }"],
    [{ deep: ["{{ index }}", { "{{ key }}": "{{ item.name }}" }] }, { deep: [2, { "{{ key }}": "it" }] }],
    [7, 7],
    [null, null],
    ["{{ steps.s.output.value[1] }}", 2],
    ["{{ run.id }} {{ run.workflow }}", "run-1 w"]
  ]
  it.effect.each(cases)("inserts values as data and keeps their type: %j", ([template, expected]) =>
    Effect.map(evaluate(template), (found) => expect(found).toEqual(expected))
  )

  const bad = ["{{ params.n", "{{ }}", "{{ params.n + }}", "{{ 'open }}", "x {{ y"]
  it.effect.each(bad)("refuses what does not parse when it is compiled: %s", (template) =>
    Effect.map(Effect.flip(Expression.template(template)), (error) => {
      expect(error._tag).toBe("ExpressionError")
      expect(error.message).toMatch(/^Cannot evaluate `/)
    })
  )

  const missing = [
    "{{ params.nothing }}",
    "{{ steps.later.output }}",
    "{{ params.nested.a.c }}",
    "{{ params.list[9] }}"
  ]
  it.effect.each(missing)("fails on a name that is missing, and never gives an empty text: %s", (template) =>
    Effect.map(Effect.flip(evaluate(template)), (error) => expect(error._tag).toBe("ExpressionError"))
  )
})

describe("arithmetic", () => {
  const cases: ReadonlyArray<readonly [string, Json]> = [
    ["params.n + 1", 4],
    ["params.n + 1.5", 4.5],
    ["params.x + 1", 1.5],
    ["1 + params.x", 1.5],
    ["params.n * params.x", 1.5],
    ["params.n - 1", 2],
    ["params.n / 2.0", 1.5],
    ["index + 1", 3],
    ["index * 2", 4],
    ["size(params.list) + params.x", 3.5],
    ["'a' + string(params.n)", "a3"]
  ]
  it.effect.each(cases)("takes numbers as they come: %s", ([source, expected]) =>
    Effect.map(evaluate(`{{ ${source} }}`), (found) => expect(found).toEqual(expected))
  )

  it.effect.each(["params.n > 2", "params.n > 2.5", "params.x < 1", "index == 2", "params.n >= params.x"])(
    "compares numbers as they come: %s",
    (source) => Effect.map(holds(source), (found) => expect(found).toBe(true))
  )

  it.effect.each(["1.0 / 0.0", "params.n / 0", "1 / 0"])("has no number that JSON lacks: %s", (source) =>
    Effect.map(Effect.flip(evaluate(`{{ ${source} }}`)), (error) =>
      expect(error._tag).toBe("ExpressionError")
    )
  )
})

describe("conditions", () => {
  it.effect("are true or false, and nothing else", () =>
    Effect.gen(function* () {
      expect(yield* holds("steps.s.status == 'Succeeded' && size(params.list) == 3")).toBe(true)
      expect(yield* holds("params.nested.a.b && index > 2")).toBe(false)
      expect(yield* holds("has(params.nothing)")).toBe(false)
      for (const source of ["params.n", "'true'", "params.list", "params.nothing"]) {
        expect((yield* Effect.flip(holds(source)))._tag).toBe("ExpressionError")
      }
    })
  )

  const outside = [
    "constructor",
    "globalThis",
    "process.env",
    "params.constructor",
    "params.__proto__",
    "params.nested.constructor.constructor('return 1')()",
    "params.list.constructor",
    "params.list.length",
    "params.text.constructor",
    "params.toString()",
    "run.hasOwnProperty('id')",
    "steps['__proto__']",
    "require('fs')",
    "this"
  ]
  it.effect.each(outside)("reach nothing of the host: %s", (source) =>
    Effect.map(Effect.flip(evaluate(`{{ ${source} }}`)), (error) =>
      expect(error._tag).toBe("ExpressionError")
    )
  )

  it.effect("are bounded in size", () =>
    Effect.map(Effect.flip(Expression.condition(`${"!".repeat(5_000)}true`)), (error) =>
      expect(error._tag).toBe("ExpressionError")
    )
  )
})
