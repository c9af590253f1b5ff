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

  const bad: ReadonlyArray<readonly [string, string]> = [
    ["{{ params.n", "Cannot evaluate `{{ params.n`: a `{{` has no closing `}}`"],
    ["{{ 'open }}", "Cannot evaluate `{{ 'open }}`: a `{{` has no closing `}}`"],
    ["x {{ y", "Cannot evaluate `{{ y`: a `{{` has no closing `}}`"],
    ["{{ }}", "Cannot evaluate ``: Unexpected token: EOF"],
    ["{{ params.n + }}", "Cannot evaluate `params.n +`: Unexpected token: EOF"],
    ["{{ 1 + 'a' }}", "Cannot evaluate `1 + 'a'`: no such overload: int + string"],
    ["{{ parms.n }}", 'Cannot evaluate `parms.n`: there is no `parms`; did you mean "params"?'],
    [
      "{{ process }}",
      "Cannot evaluate `process`: there is no `process`; there is params, steps, run, item, index, acc"
    ]
  ]
  it.effect.each(bad)("refuses what does not parse when it is compiled: %s", ([template, message]) =>
    Effect.map(Effect.flip(Expression.template(template)), (error) => {
      expect(error._tag).toBe("ExpressionError")
      expect(error.message).toBe(message)
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

  it.effect.each([
    ["1.0 / 0.0", "it gave Infinity, which JSON cannot carry"],
    ["params.n / 0", "it gave Infinity, which JSON cannot carry"],
    ["1 / 0", "division by zero"]
  ] as const)("has no number that JSON lacks: %s", ([source, reason]) =>
    Effect.map(Effect.flip(evaluate(`{{ ${source} }}`)), (error) => expect(error.reason).toBe(reason))
  )
})

describe("conditions", () => {
  it.effect("are true or false, and nothing else", () =>
    Effect.gen(function* () {
      expect(yield* holds("steps.s.status == 'Succeeded' && size(params.list) == 3")).toBe(true)
      expect(yield* holds("params.nested.a.b && index > 2")).toBe(false)
      expect(yield* holds("has(params.nothing)")).toBe(false)
      expect(yield* holds("[1, true][1]")).toBe(true)
    })
  )

  const others: ReadonlyArray<readonly [string, string]> = [
    ["params.n", "it gave 3, not true or false"],
    ["params.list", 'it gave [1,"two",null], not true or false'],
    ["params.nothing", "there is no `params.nothing`; it has n, x, text, list, nested, empty"]
  ]
  it.effect.each(others)("say what they gave instead: %s", ([source, reason]) =>
    Effect.map(Effect.flip(holds(source)), (error) => expect(error.reason).toBe(reason))
  )

  const never: ReadonlyArray<readonly [string, string]> = [
    ["'true'", "string"],
    ["size(params.list)", "int"],
    ["params.list.map(x, x)", "list"]
  ]
  it.effect.each(never)("are refused where they are never true or false: %s", ([source, type]) =>
    Effect.map(Effect.flip(Expression.condition(source)), ({ message }) =>
      expect(message).toBe(
        `Cannot evaluate \`${source}\`: it gives a value of type ${type}, not true or false`
      )
    )
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
    "params.many.filter(a, params.many.exists(b, b in params.many)).size() > 0",
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

  it.effect("say which name of many is missing", () =>
    Effect.gen(function* () {
      const params = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`name-${n}`, { empty: {} }]))
      const reasonOf = (source: string) =>
        Effect.gen(function* () {
          const { evaluate } = yield* Expression.template(`{{ ${source} }}`)
          return (yield* Effect.flip(evaluate({ ...scope, params: { ...params, none: null } }))).reason
        })
      const first = Object.keys(params).slice(0, 10).join(", ")
      expect(yield* reasonOf("params.zzz")).toBe(`there is no \`params.zzz\`; it has ${first} …`)
      expect(yield* reasonOf("params['name-1'].empty.x")).toBe(
        "there is no `params.name-1.empty.x`; it is empty"
      )
      expect(yield* reasonOf("params.none.x")).toBe(
        "there is no `params.none.x`, because `params.none` is null"
      )
    })
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

  const large: ReadonlyArray<readonly [string, string]> = [
    ["it has more than 2,000 parts; do it in several steps", `${"!".repeat(5_000)}true`],
    [
      "it is nested more than 64 levels deep; do it in several steps",
      `${"(".repeat(70)}true${")".repeat(70)}`
    ],
    [
      "a list in it has more than 1,000 elements; give the list as a parameter",
      `[${"1,".repeat(1_001)}1].size() > 1`
    ],
    ["a function in it is given more than 32 arguments; give it a list", `size(${"1,".repeat(33)}1) > 1`]
  ]
  it.effect.each(large)("are bounded in size: %s", ([expected, source]) =>
    Effect.map(Effect.flip(Expression.condition(source)), ({ reason }) => expect(reason).toBe(expected))
  )
})
