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

  const missing: ReadonlyArray<readonly [string, string]> = [
    ["params.nothing", "there is no `params.nothing`; it has n, x, text, list, nested, empty"],
    ["params.txet", 'there is no `params.txet`; did you mean "text"?'],
    ["steps.later.output", "there is no `steps.later`; it has s"],
    ["steps.s.outptu.value", 'there is no `steps.s.outptu`; did you mean "output"?'],
    ["params.nested.a.c", "there is no `params.nested.a.c`; it has b"],
    ["params.nested['a'].d", "there is no `params.nested.a.d`; it has b"],
    ["params.n.digits", "there is no `params.n.digits`, because `params.n` is a number"],
    ["params.list.map(x, x.name)", "there is no `x.name`"],
    ["params.list[9]", "No such key: index out of bounds, index 9 >= size 3"]
  ]
  it.effect.each(missing)(
    "fails on a name that is missing, and never gives an empty text: %s",
    ([source, reason]) =>
      Effect.map(Effect.flip(evaluate(`<{{ ${source} }}>`)), (error) => {
        expect(error.reason).toBe(reason)
        expect(error.message).toBe(`Cannot evaluate \`${source}\`: ${reason}`)
      })
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

  it.effect("say what they look at, without the variables of their own loops", () =>
    Effect.gen(function* () {
      const source =
        "params.list.map(x, x.a + steps['s-1'].output.n).size() > index && has(run.id) && params[item]"
      const { references } = yield* Expression.condition(source)
      expect(references).toEqual([
        ["params", "list"],
        ["steps", "s-1", "output", "n"],
        ["index"],
        ["run", "id"],
        ["params"],
        ["item"]
      ])
      const template = yield* Expression.template({ a: ["{{ params.n }}", 1], b: "{{ item }}-{{ index }}" })
      expect(template.references).toEqual([["params", "n"], ["item"], ["index"]])
    })
  )

  it.effect.each([
    "params.many.all(a, params.many.all(b, params.many.all(c, a <= b + c)))",
    "params.many.filter(a, params.many.exists(b, b in params.many))",
    "[params.many].all(l, l.all(a, l.all(b, l.all(c, true))))"
  ])("are bounded in time: %s", (source) =>
    Effect.gen(function* () {
      const many = Array.from({ length: 1_000 }, (_, n) => n)
      const { evaluate } = yield* Expression.condition(source)
      const error = yield* Effect.flip(evaluate({ ...scope, params: { many } }))
      expect(error.reason).toMatch(/^it goes through lists within lists, [34] deep and up to [12]000 long/)
    })
  )

  it.effect("have no regular expressions, whose time has no bound", () =>
    Effect.map(Effect.flip(Expression.condition("'aaaa'.matches('(a+)+$')")), ({ reason }) =>
      expect(reason).toBe("`matches` is not available, because its time has no bound")
    )
  )

  it.effect("give no more than fits", () =>
    Effect.gen(function* () {
      const text = "x".repeat(1_000_000)
      const compiled = yield* Expression.template("{{ params.many.map(a, params.text) }}")
      const params = { many: Array.from({ length: 100 }, () => 0), text }
      const { reason } = yield* Effect.flip(compiled.evaluate({ ...scope, params }))
      expect(reason).toBe("it gave more than 67,108,864 characters")
    })
  )

  it.effect("are bounded in size", () =>
    Effect.map(Effect.flip(Expression.condition(`${"!".repeat(5_000)}true`)), (error) =>
      expect(error._tag).toBe("ExpressionError")
    )
  )
})
