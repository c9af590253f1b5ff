import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import type { Problem } from "@switchyard/core/internal/builderTypes"
import { give } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import type { DeclaredStep } from "@switchyard/core/WorkflowReference"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { agent, execute, of } from "./engine.js"

const Task = Schema.Struct({ name: Schema.String, cost: Schema.Number })

const options = {
  params: Schema.Struct({
    goal: Schema.String,
    strict: Schema.Boolean,
    pause: Schema.Number,
    "odd key": Schema.Array(Schema.String)
  })
}

const limit = 2

const byFunctions = Workflow.make("w", options).pipe(
  Workflow.step("load-data", { skill: "list", output: Schema.Struct({ tasks: Schema.Array(Task) }) }),
  Workflow.step("each", {
    skill: "echo",
    after: ["load-data"],
    when: ({ params }) => params.strict,
    forEach: ({ steps }) => steps["load-data"].output.tasks,
    label: ({ index, item }) => Workflow.text`${index}: ${item.name}`,
    input: ({ item, params, run }) => ({
      cost: item.cost,
      double: Workflow.cel`${item.cost} * ${limit}`,
      goal: Workflow.text`"${params.goal}" in ${run.workflow}`,
      first: params["odd key"].at(0),
      kind: "task"
    }),
    output: Schema.Struct({ cost: Schema.Number, double: Schema.Number, goal: Schema.String })
  }),
  Workflow.step("dear", {
    after: ["load-data"],
    map: {
      over: ({ steps }) => steps["load-data"].output.tasks,
      where: ({ item }) => Workflow.cel`${item.cost} >= ${limit}`,
      value: ({ index, item }) => [index, item.name]
    }
  }),
  Workflow.step("sum", {
    after: ["each"],
    reduce: {
      over: ({ steps }) => steps.each.output,
      initial: ({ params }) => params.pause,
      value: ({ acc, item }) => Workflow.cel`${acc} + ${item.double}`
    }
  }),
  Workflow.step("nap", { after: ["sum", "dear"], wait: { millis: ({ params }) => params.pause } }),
  Workflow.step("ask", {
    after: ["nap"],
    when: ({ steps }) => Workflow.cel`${steps.sum.output} > 1000 && ${steps.sum.status} in ${["Succeeded"]}`,
    approval: { message: ({ steps }) => Workflow.text`It takes ${steps.sum.output}. Go?` }
  }),
  Workflow.step("end", {
    skill: "echo",
    after: ["ask"],
    join: "allSettled",
    input: ({ steps }) => ({
      asked: steps.ask.status,
      of: steps.each.items.at(1).item,
      dear: steps.dear.output,
      sum: steps.sum.output
    })
  })
)

const byTexts = Workflow.make("w", options).pipe(
  Workflow.step("load-data", { skill: "list" }),
  Workflow.step("each", {
    skill: "echo",
    after: ["load-data"],
    when: "params.strict",
    forEach: '{{ steps["load-data"].output.tasks }}',
    label: "{{ index }}: {{ item.name }}",
    input: {
      cost: "{{ item.cost }}",
      double: "{{ item.cost * 2 }}",
      goal: '"{{ params.goal }}" in {{ run.workflow }}',
      first: '{{ params["odd key"][0] }}',
      kind: "task"
    }
  }),
  Workflow.step("dear", {
    after: ["load-data"],
    map: {
      over: '{{ steps["load-data"].output.tasks }}',
      where: "item.cost >= 2",
      value: ["{{ index }}", "{{ item.name }}"]
    }
  }),
  Workflow.step("sum", {
    after: ["each"],
    reduce: {
      over: "{{ steps.each.output }}",
      initial: "{{ params.pause }}",
      value: "{{ acc + item.double }}"
    }
  }),
  Workflow.step("nap", { after: ["sum", "dear"], wait: { millis: "{{ params.pause }}" } }),
  Workflow.step("ask", {
    after: ["nap"],
    when: 'steps.sum.output > 1000 && steps.sum.status in ["Succeeded"]',
    approval: { message: "It takes {{ steps.sum.output }}. Go?" }
  }),
  Workflow.step("end", {
    skill: "echo",
    after: ["ask"],
    join: "allSettled",
    input: {
      asked: "{{ steps.ask.status }}",
      of: "{{ steps.each.items[1].item }}",
      dear: "{{ steps.dear.output }}",
      sum: "{{ steps.sum.output }}"
    }
  })
)

describe("references", () => {
  it("make the definition that texts make, as plain data", () => {
    expect(byFunctions.definition).toEqual(byTexts.definition)
    expect(JSON.parse(JSON.stringify(byFunctions.definition))).toEqual(byFunctions.definition)
    expect(Schema.decodeUnknownSync(Workflow.Definition)(byFunctions.definition)).toEqual(byTexts.definition)
  })

  it.effect("stand for their values when a run gets there", () =>
    Effect.gen(function* () {
      const tasks = [
        { name: "a {{ params.goal }}", cost: 1 },
        { name: "b", cost: 4 }
      ]
      const list = agent("list", [give({ tasks })])
      const echo = agent("echo", (task) => [give(task.input)])
      const params = { goal: 'to "win" {{', strict: true, pause: 1, "odd key": ["x", "y"] }
      const { entries, result } = yield* execute(byFunctions, [list, echo], params)
      expect(result.status).toBe("Completed")
      const more = { goal: '"to "win" {{" in w', first: "x", kind: "task" }
      expect(result.outputs).toMatchObject({
        each: [
          { cost: 1, double: 2, ...more },
          { cost: 4, double: 8, ...more }
        ],
        dear: [[1, "b"]],
        sum: 11,
        end: { asked: "Skipped", of: "1: b", dear: [[1, "b"]], sum: 11 }
      })
      const labels = of(entries, "ItemStarted").map(({ event }) => event.item)
      expect(labels).toContain("0: a {{ params.goal }}")
    })
  )

  const inputOf = (input: (scope: { readonly steps: object; readonly params: never }) => unknown) =>
    Workflow.stepDefinition("x", { skill: "s", input: input as () => Workflow.Template }).input

  it("write what is no name of CEL in brackets", () => {
    type Odd = { readonly [key: string]: Workflow.Reference<unknown> }
    const odd = (name: string) => inputOf(({ params }) => (params as Odd)[name])
    expect(odd("name_1")).toBe("{{ params.name_1 }}")
    expect(odd("in")).toBe('{{ params["in"] }}')
    expect(odd("0")).toBe('{{ params["0"] }}')
    expect(odd('a"}}\n')).toBe('{{ params["a\\"}}\\n"] }}')
    expect(odd("__proto__")).toBe("{{ params.__proto__ }}")
    expect(odd("at")).toBe("{{ params.at }}")
  })

  it("leave expressions whole: computed ones in parentheses, braces apart, escapes as they are written", () => {
    const sum = Workflow.cel<number>`1 + 2`
    expect(inputOf(() => Workflow.cel`${sum} * ${-3}`)).toBe("{{ (1 + 2) * (-3) }}")
    expect(inputOf(() => Workflow.cel`{"a": ${{ b: { c: sum } }}}`)).toBe(
      '{{ {"a": {"b": {"c": (1 + 2)} } } }}'
    )
    expect(inputOf(() => Workflow.cel`"}}" + '\n' + ${"}}\n"}`)).toBe('{{ "}}" + \'\\n\' + "}}\\n" }}')
  })

  it("leave texts texts, braces and all", () => {
    const one = Workflow.cel<number>`1`
    expect(inputOf(() => "{{ params.goal }}")).toBe('{{ "{{" }} params.goal }}')
    expect(inputOf(() => Workflow.text`{{ ${"{{"} {${one}`)).toBe('{{ "{{" }} {{ "{{" }} {{ "{" }}{{ 1 }}')
    expect(inputOf(() => Workflow.text`${one}`)).toBe('{{ 1 }}{{ "" }}')
    expect(inputOf(() => Workflow.text`{${Workflow.text`{${one}`}`)).toBe('{{ "{{" }}{{ 1 }}')
    expect(inputOf(() => Workflow.text`${[1, { a: null }]} ${true} ${Workflow.text`b`}`)).toBe(
      '[1,{"a":null}] true b'
    )
    expect(inputOf(() => Workflow.text`a\tb`)).toBe("a\tb")
  })

  it("say what to do where they are used as if they were values", () => {
    const build = (input: (x: Workflow.Reference<ReadonlyArray<number>>) => unknown) => () =>
      inputOf(({ steps }) => input((steps as { readonly a: typeof steps & never }).a))
    expect(build((x) => `${x}`)).toThrow(
      "`steps.a` is a reference, whose value is known when a run gets there; " +
        "put it into a Workflow.text or Workflow.cel template, not a plain one"
    )
    expect(build((x) => ({ ...x }))).toThrow(/`steps.a` is a reference, .* name its members one by one/)
    const computing = /`steps.a.at` is a reference, .* Workflow.cel can compute with it/
    expect(build((x) => x.at(-1))).toThrow(computing)
    expect(build((x) => x.at(0.5))).toThrow(computing)
    expect(build(() => Workflow.cel`${Number.NaN} > 1`)).toThrow(
      "NaN cannot stand in a CEL expression, because JSON cannot carry it"
    )
    expect(build(() => Workflow.cel`${undefined as never} > 1`)).toThrow(
      "undefined cannot stand in a CEL expression, because JSON cannot carry it"
    )
  })

  it("that cannot be are refused by the compiler with a sentence that says why", () => {
    type Steps = Record<"a", DeclaredStep<never, unknown, false>> &
      Record<"b", DeclaredStep<"a", unknown, false>>
    type Params = { readonly file: string }
    expectTypeOf<
      Problem<"a", never, Params, Steps, never, never>
    >().toEqualTypeOf<"The step a exists already">()
    expectTypeOf<
      Problem<"x", "c", Params, Steps, never, never>
    >().toEqualTypeOf<"There is no step c yet, so that nothing can be after it">()
    expectTypeOf<
      Problem<"x", "a", Params, Steps, "steps.b.output", never>
    >().toEqualTypeOf<"The step x looks at steps.b, which need not be settled before it: add it to its after">()
    expectTypeOf<
      Problem<"x", "b", Params, Steps, never, { a: "{{ params.fiel }}" }>
    >().toEqualTypeOf<"The step x looks at params.fiel, but the workflow has no such parameter">()
    expectTypeOf<
      Problem<"x", "b", Params, Steps, "steps.a.output", "{{ params.file }}">
    >().toEqualTypeOf<unknown>()
  })
})
