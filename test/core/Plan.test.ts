import { describe, expect, it } from "@effect/vitest"
import * as Plan from "@switchyard/core/Plan"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"

const step = (id: string, options: Partial<Workflow.StepOptions> = {}) =>
  Workflow.stepDefinition(id, { ...(options.agent === undefined ? { skill: "s" } : {}), ...options })

const problems = (steps: ReadonlyArray<unknown>, more: object = {}) =>
  Effect.map(Effect.flip(Plan.make({ name: "w", steps, ...more } as Workflow.Definition)), (error) =>
    error.problems.map(({ message, path, rule }) => [path, rule, message])
  )

describe("a plan", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<unknown>, ReadonlyArray<unknown>]> = [
    ["no step", [], [["steps", "empty", "there is no step; add at least one"]]],
    [
      "an id twice",
      [step("a"), step("b"), step("a")],
      [["steps[2].id", "duplicate", '"a" is also the id of steps[0]; rename one of them']]
    ],
    [
      "an unknown dependency",
      [step("fetch"), step("b", { after: ["fetsh"] }), step("c", { after: ["zzz"] })],
      [
        ["steps[1].after[0]", "dependency", 'there is no step "fetsh"; did you mean "fetch"?'],
        ["steps[2].after[0]", "dependency", 'there is no step "zzz"']
      ]
    ],
    [
      "a dependency twice",
      [step("a"), step("b", { after: ["a", "a"] })],
      [["steps[1].after[1]", "duplicate", '"a" is listed twice; remove one']]
    ],
    [
      "a budget without a ceiling, and one where no agent is",
      [
        step("a", { budget: { warnAt: 0.5 } }),
        { id: "b", approval: {}, budget: { tokens: 1 } },
        step("c", { budget: { estimate: { tokens: 1 } } })
      ],
      [
        ["steps[1].budget", "work", "this is about an agent, and approval needs none; remove it"],
        [
          "steps[0].budget",
          "budget",
          "this limits nothing; give it tokens, costMicroUsd or wallMillis, or remove it"
        ]
      ]
    ],
    [
      "a share that is none",
      [step("a", { budget: { tokens: 1, warnAt: 2 } }), step("b", { budget: { tokens: 0 } })],
      [
        ["steps[0].budget.warnAt", "shape", "this must be a number from 0 to 1, not 2"],
        ["steps[1].budget.tokens", "shape", "this must be a whole number above 0, not 0"]
      ]
    ],
    [
      "a cycle, in order",
      [
        step("a", { after: ["c"] }),
        step("b", { after: ["a"] }),
        step("c", { after: ["b"] }),
        step("d", { after: ["a"] })
      ],
      [["steps[0].after", "cycle", "the steps wait for each other: a → b → c → a; remove one dependency"]]
    ],
    [
      "a step that waits for itself",
      [step("a", { after: ["a"] })],
      [["steps[0].after", "cycle", "the steps wait for each other: a → a; remove one dependency"]]
    ],
    [
      "both a skill and an agent, or neither",
      [{ id: "a", skill: "s", agent: "x" }, { id: "b" }],
      [
        ["steps[0]", "work", "a step does one thing; of skill and agent, keep one"],
        [
          "steps[1]",
          "work",
          "say what the step does: give a skill, the id of an agent, a subworkflow, a map, a reduce, an approval or a wait"
        ]
      ]
    ],
    [
      "what is wrong in a subworkflow, and in what it is given",
      [
        {
          id: "a",
          retry: Workflow.retryPolicy({ attempts: 2 }),
          subworkflow: {
            name: "inner",
            params: {
              type: "object",
              required: ["file", "mode"],
              properties: { file: {}, mode: { default: "all" } }
            },
            steps: [
              { id: "x", skill: "s", after: ["y"] },
              { id: "y", skill: "s", after: ["x"] },
              { id: "z", subworkflow: { name: "deep", steps: [{ id: "w", skill: "s", when: "1 +" }] } },
              { id: "v", skill: "s", input: "{{ steps.a.output }}" }
            ]
          },
          input: { fil: 1 }
        }
      ],
      [
        ["steps[0].retry", "work", "this is about an agent, and subworkflow needs none; remove it"],
        [
          "steps[0].input.fil",
          "parameter",
          'the workflow "inner" has no parameter "fil"; did you mean "file"?'
        ],
        ["steps[0].input", "parameter", 'the workflow "inner" needs the parameter "file"; give it a value'],
        [
          "steps[0].subworkflow.steps[0].after",
          "cycle",
          "the steps wait for each other: x → y → x; remove one dependency"
        ],
        ["steps[0].subworkflow.steps[3].input", "reference", 'there is no step "a"'],
        [
          "steps[0].subworkflow.steps[2].subworkflow.steps[0].when",
          "expression",
          "Cannot evaluate `1 +`: Unexpected token: EOF"
        ]
      ]
    ],
    [
      "words about items without items",
      [step("a", { label: "x" }), step("b", { onItemFailure: "continue" })],
      ["steps[0]", "steps[1]"].map((path) => [
        path,
        "forEach",
        "onItemFailure and label say something about items; add forEach or remove them"
      ])
    ],
    [
      "a text for a list of a step without an agent",
      [
        { id: "a", map: { over: "params.x", value: 1 } },
        { id: "b", reduce: { over: "items", initial: 0, value: 1 } }
      ],
      ["steps[0].map.over", "steps[1].reduce.over"].map((path, index) => [
        path,
        "forEach",
        `this is a text, not a list; write "{{ ${["params.x", "items"][index]} }}" for the list that an expression gives`
      ])
    ],
    [
      "what only agents and items have where there are none",
      [{ id: "a", wait: { millis: 1 }, forEach: [1], group: "g", fallback: true, constraints: { a: 1 } }],
      ["forEach", "constraints", "group", "fallback"].map((name) => [
        `steps[0].${name}`,
        "work",
        "this is about an agent, and wait needs none; remove it"
      ])
    ],
    [
      "a text for a list",
      [step("a", { forEach: "params.items" })],
      [
        [
          "steps[0].forEach",
          "forEach",
          'this is a text, not a list; write "{{ params.items }}" for the list that an expression gives'
        ]
      ]
    ]
  ]
  it.effect.each(cases)("refuses %s", ([, steps, expected]) =>
    Effect.map(problems(steps), (found) => expect(found).toEqual(expected))
  )

  const referring = (references: Record<string, unknown>, more: object = {}) =>
    problems([step("fetch"), step("other"), step("use", { after: ["fetch"], ...references })], more)
  const properties = { type: "object", properties: { files: {}, depth: {} } }
  const references: ReadonlyArray<
    readonly [string, Record<string, unknown>, ReadonlyArray<unknown>, object?]
  > = [
    [
      "a step that there is not",
      { input: "{{ steps.fetsh.output }}" },
      [["steps[2].input", "reference", 'there is no step "fetsh"; did you mean "fetch"?']]
    ],
    [
      "a step that need not be settled before",
      { when: "steps.other.status == 'Succeeded'" },
      [["steps[2].when", "reference", '"other" need not be settled before this step; add it to its after']]
    ],
    [
      "the step itself",
      { input: ["{{ steps.use.output }}"] },
      [["steps[2].input", "reference", '"use" is this step itself, which has no output yet']]
    ],
    [
      "what no step has",
      { input: "{{ steps.fetch.outptu }}", label: "{{ steps.fetch.zzz }}", forEach: [1] },
      [
        ["steps[2].label", "reference", 'a step has no "zzz"; it has status, output, failure, items'],
        ["steps[2].input", "reference", 'a step has no "outptu"; did you mean "output"?']
      ]
    ],
    [
      "an item where there is none",
      { forEach: "{{ [item] }}", when: "index > 0" },
      ["when", "forEach"].map((name) => [
        `steps[2].${name}`,
        "reference",
        `there is no ${name === "when" ? "index" : "item"} here; label and input of a step with forEach have one, and value of map and reduce`
      ])
    ],
    [
      "what a run has not",
      { input: "{{ run.name }}" },
      [["steps[2].input", "reference", 'a run has no "name"; it has id, workflow']]
    ],
    [
      "a sum where there is none",
      { input: "{{ acc }}" },
      [["steps[2].input", "reference", "there is no acc here; only value of reduce has one"]]
    ],
    [
      "a parameter where there is none",
      { input: "{{ params.x }}" },
      [["steps[2].input", "parameter", 'the workflow has no parameter "x"; there is none']],
      { params: { type: "object", properties: {} } }
    ],
    [
      "a parameter that is not declared",
      { input: "{{ params.flies }} {{ params.zzz }}" },
      [
        ["steps[2].input", "parameter", 'the workflow has no parameter "flies"; did you mean "files"?'],
        ["steps[2].input", "parameter", 'the workflow has no parameter "zzz"; there is files, depth']
      ],
      { params: properties }
    ]
  ]
  it.effect.each(references)("refuses an expression about %s", ([, given, expected, more]) =>
    Effect.map(referring(given, more), (found) => expect(found).toEqual(expected))
  )

  it.effect("lets expressions look at every step before theirs, and at parameters that are not listed", () =>
    Effect.gen(function* () {
      const steps = [
        step("d", { after: ["c"], input: "{{ [steps.a.output, steps.b.status] }}" }),
        step("c", { after: ["b"], when: "has(params.anything) && steps.a.failure == null" }),
        step("b", { after: ["a"] }),
        step("a")
      ]
      yield* Plan.make({ name: "w", steps })
      yield* Plan.make({ name: "w", steps, params: { ...properties, additionalProperties: true } })
    })
  )

  it.effect("refuses a step that takes another type than it is given", () =>
    Effect.map(
      problems([
        step("a", { outputType: "java" }),
        step("b", { after: ["a"], inputType: "cobol", input: "{{ steps.a.output }}" }),
        step("c", { after: ["a"], inputType: "cobol", input: "{{ steps.a.output.part }}" }),
        step("d", { after: ["a"], inputType: "java", input: "{{ steps['a'].output }}" })
      ]),
      (found) =>
        expect(found).toEqual([
          [
            "steps[1].inputType",
            "type",
            'this takes "cobol", but "a" gives "java"; change one of them or put a step between them'
          ]
        ])
    )
  )

  it.effect("takes JSON Schemas as types, and refuses what is none", () =>
    Effect.gen(function* () {
      const rows = { type: "array", items: { type: "number" } }
      yield* Plan.make({
        name: "w",
        steps: [
          step("a", { outputType: "rows" }),
          step("b", { after: ["a"], inputType: rows, outputType: rows, input: "{{ steps.a.output }}" })
        ]
      })
      const found = yield* problems([step("a", { inputType: { $ref: "#/nowhere" } })])
      expect(found.map(([path, rule]) => [path, rule])).toEqual([["steps[0].inputType", "type"]])
    })
  )

  const inner = {
    name: "inner",
    params: {
      type: "object",
      required: ["file"],
      properties: {
        file: { type: "string" },
        depth: { type: "integer", minimum: 1 },
        mode: { enum: ["fast", "careful"] },
        limits: {
          type: "object",
          required: ["tokens", "retries"],
          additionalProperties: false,
          properties: { tokens: { type: "number" }, retries: { type: "integer", default: 2 } }
        },
        files: { type: "array", items: { $ref: "#/$defs/name" } },
        bad: { $ref: "#/nowhere" }
      },
      $defs: { name: { type: "string" } }
    },
    steps: [step("x")]
  }
  const givenTo: ReadonlyArray<readonly [string, unknown, ReadonlyArray<unknown>]> = [
    ["nothing that does not fit", { file: "a", depth: 2, mode: "fast", limits: { tokens: 1 }, bad: 1 }, []],
    [
      "what is of another type",
      { file: 7, depth: "2", mode: "carefull", files: ["a", 1] },
      [
        ["file", "this must be a text, not 7"],
        ["depth", 'this must be a whole number, not "2"'],
        ["mode", 'this must be one of "fast", "careful", not "carefull"; did you mean "careful"?'],
        ["files[1]", "this must be a text, not 1"]
      ]
    ],
    [
      "what is too small, and parts of what has expressions elsewhere",
      { file: "{{ params.x }}", depth: 0, limits: { tokens: "many", retries: "{{ params.n }}" } },
      [
        ["depth", "0 is less than 1"],
        ["limits.tokens", 'this must be a number, not "many"']
      ]
    ],
    [
      "names that are not known within, and those that are missing",
      { file: "a", limits: { token: 1 } },
      [
        ["limits", '"tokens" is missing; give it a value'],
        ["limits.token", '"token" is not known here; did you mean "tokens"?']
      ]
    ]
  ]
  it.effect.each(givenTo)(
    "compares what a subworkflow is given with its parameters: %s",
    ([, input, expected]) =>
      Effect.gen(function* () {
        const definition = { name: "w", steps: [{ id: "a", subworkflow: inner, input }] }
        const made = yield* Effect.either(Plan.make(definition as unknown as Workflow.Definition))
        const found = made._tag === "Left" ? made.left.problems : []
        expect(found.map(({ message, path, rule }) => [path, rule, message])).toEqual(
          expected.map((each) => {
            const [path, message] = each as readonly [string, string]
            return [`steps[0].input.${path}`, "parameter", message]
          })
        )
      })
  )

  it.effect("refuses what cannot be the parameters of a subworkflow at all", () =>
    Effect.gen(function* () {
      const given = (input: unknown) => problems([{ id: "a", subworkflow: inner, input }])
      expect(yield* given("a.txt")).toEqual([
        ["steps[0].input", "parameter", 'this must be an object, not "a.txt"']
      ])
      expect(yield* given([])).toEqual([
        ["steps[0].input", "parameter", "this must be an object, not an empty list"]
      ])
      yield* Plan.make({
        name: "w",
        steps: [{ id: "a", subworkflow: inner, input: "{{ params }}" }]
      } as never)
    })
  )

  it.effect("compares the types of steps that hand over item by item", () =>
    Effect.map(
      problems([
        step("each", { outputType: "java", forEach: [1] }),
        step("one", { outputType: "java" }),
        step("a", { after: ["each"], inputType: "cobol", forEach: "{{ steps.each.output }}" }),
        step("b", {
          after: ["each"],
          inputType: "cobol",
          forEach: "{{ steps.each.output }}",
          input: "{{item}}"
        }),
        step("c", { after: ["one"], inputType: "cobol", forEach: [1, 2], input: "{{ steps.one.output }}" }),
        step("fits", { after: ["each"], inputType: "java", forEach: "{{ steps.each.output }}" }),
        step("all", { after: ["each"], inputType: "list", input: "{{ steps.each.output }}" }),
        step("split", { after: ["one"], inputType: "line", forEach: "{{ steps.one.output }}" }),
        step("other", {
          after: ["each"],
          inputType: "cobol",
          forEach: "{{ steps.each.output }}",
          input: "about {{ item }}"
        })
      ]),
      (found) => {
        const message = (from: string) =>
          `this takes "cobol", but "${from}" gives "java"; change one of them or put a step between them`
        expect(found).toEqual([
          ["steps[2].inputType", "type", message("each")],
          ["steps[3].inputType", "type", message("each")],
          ["steps[4].inputType", "type", message("one")]
        ])
      }
    )
  )

  const isFalse = "this is false whatever happens, so the step never runs; remove it or the condition"
  const cutOff = (id: string) =>
    `"${id}" never runs, so this step never does; remove it, or give this step the join noneFailed`
  const unreachable: ReadonlyArray<readonly [string, ReadonlyArray<unknown>, ReadonlyArray<unknown>]> = [
    [
      "a condition that is false whatever happens",
      [step("a", { when: "1 > 2" }), step("b", { when: "true" })],
      [["steps[0].when", isFalse]]
    ],
    [
      "steps that need one that never runs, wherever they stand",
      [
        step("c", { after: ["ok", "b"] }),
        step("ok"),
        step("b", { after: ["a"] }),
        step("a", { when: "false" }),
        step("d", { after: ["b"], when: "1 == 2" })
      ],
      [
        ["steps[0].after[1]", cutOff("b")],
        ["steps[2].after[0]", cutOff("a")],
        ["steps[3].when", isFalse],
        ["steps[4].when", isFalse]
      ]
    ],
    [
      "nothing where another join lets a step start",
      [
        step("ok"),
        step("a", { when: "false" }),
        step("b", { after: ["a"], join: "noneFailed" }),
        step("c", { after: ["a"], join: "allSettled" }),
        step("d", { after: ["a", "ok"], join: "anySucceeded" })
      ],
      [["steps[1].when", isFalse]]
    ],
    [
      "a step of which none of the steps before it ever runs",
      [
        step("a", { when: "false" }),
        step("b", { when: "false" }),
        step("c", { after: ["a", "b"], join: "anySucceeded" })
      ],
      [
        ["steps[0].when", isFalse],
        ["steps[1].when", isFalse],
        [
          "steps[2].after",
          "none of these steps ever runs, so this one never does; let it wait for one that can run"
        ]
      ]
    ],
    [
      "what undoes a step that never runs",
      [
        step("a", { when: "false" }),
        step("undo", { compensates: "a" as never }),
        step("b"),
        step("c", { compensates: "b" as never })
      ],
      [
        ["steps[0].when", isFalse],
        ["steps[1].compensates", '"a" never runs, so there is nothing to undo']
      ]
    ],
    [
      "steps of a workflow that is a step",
      [step("x"), { id: "a", subworkflow: { name: "inner", steps: [step("b", { when: "false" })] } }],
      [["steps[1].subworkflow.steps[0].when", isFalse]]
    ]
  ]
  it.effect.each(unreachable)("warns of %s", ([, steps, expected]) =>
    Effect.gen(function* () {
      const { warnings } = yield* Plan.make({ name: "w", steps } as Workflow.Definition)
      expect(warnings.map(({ message, path }) => [path, message])).toEqual(expected)
      for (const { rule } of warnings) expect(rule).toBe("unreachable")
    })
  )

  it.effect("warns of an estimate that no ceiling has room for", () =>
    Effect.gen(function* () {
      const { warnings } = yield* Plan.make({
        name: "w",
        budget: { costMicroUsd: 2_000_000 },
        steps: [
          step("a", { budget: { tokens: 10, estimate: { tokens: 11, costMicroUsd: 3_000_000 } } }),
          step("b", { budget: { tokens: 10, estimate: { tokens: 10, costMicroUsd: 2_000_000 } } })
        ]
      })
      const rest = "so that none can begin; lower one or raise the other"
      expect(warnings).toEqual([
        {
          path: "steps[0].budget.estimate.tokens",
          rule: "budget",
          message: `one attempt is estimated at 11 tokens, and there are 10 tokens in all, ${rest}`
        },
        {
          path: "steps[0].budget.estimate.costMicroUsd",
          rule: "budget",
          message: `one attempt is estimated at 3 USD, and there are 2 USD in all, ${rest}`
        }
      ])
    })
  )

  const atEnd = (source: string) => `Cannot evaluate \`${source}\`: Unexpected token: EOF`
  const expressions: ReadonlyArray<readonly [string, object, string]> = [
    ["when", { skill: "s", when: "1 +" }, atEnd("1 +")],
    ["forEach", { skill: "s", forEach: "{{ ] }}" }, "Cannot evaluate `]`: Unexpected token: RBRACKET"],
    [
      "input",
      { skill: "s", input: { a: ["{{ x. }}"] } },
      "Cannot evaluate `x.`: Expected IDENTIFIER, got EOF"
    ],
    [
      "label",
      { skill: "s", forEach: [1], label: "{{ open" },
      "Cannot evaluate `{{ open`: a `{{` has no closing `}}`"
    ],
    ["map.over", { map: { over: "{{ ( }}", value: 1 } }, atEnd("(")],
    ["map.value", { map: { over: [], value: "{{ ( }}" } }, atEnd("(")],
    ["map.where", { map: { over: [], value: 1, where: "(" } }, atEnd("(")],
    ["reduce.over", { reduce: { over: "{{ ( }}", initial: 0, value: 1 } }, atEnd("(")],
    ["reduce.initial", { reduce: { over: [], initial: "{{ ( }}", value: 1 } }, atEnd("(")],
    ["reduce.value", { reduce: { over: [], initial: 0, value: "{{ ( }}" } }, atEnd("(")],
    ["approval.message", { approval: { message: "{{ ( }}" } }, atEnd("(")],
    ["wait.millis", { wait: { millis: "{{ ( }}" } }, atEnd("(")],
    ["wait.until", { wait: { until: "{{ ( }}" } }, atEnd("(")]
  ]
  it.effect.each(expressions)("refuses an expression that does not parse in %s", ([name, given, message]) =>
    Effect.gen(function* () {
      const found = yield* problems([{ id: "a", ...given }])
      expect(found).toEqual([[`steps[0].${name}`, "expression", message]])
    })
  )

  it.effect("refuses an output that does not parse, or looks at what there is not", () =>
    Effect.gen(function* () {
      expect(yield* problems([step("a")], { output: "{{ ( }}" })).toEqual([
        ["output", "expression", atEnd("(")]
      ])
      expect(yield* problems([step("first")], { output: { a: "{{ steps.frist.output + item }}" } })).toEqual([
        ["output", "reference", 'there is no step "frist"; did you mean "first"?'],
        [
          "output",
          "reference",
          "there is no item here; label and input of a step with forEach have one, and value of map and reduce"
        ]
      ])
    })
  )

  it.effect("refuses shapes, naming every place", () =>
    Effect.gen(function* () {
      const found = yield* problems(
        [
          { id: "a", skill: "s", retry: { attempts: 0 } },
          { id: "../b", skill: 1, unknown: true }
        ],
        { concurrency: 0 }
      )
      const places = found.map(([path]) => path)
      for (const path of [
        "concurrency",
        "steps[0].retry.attempts",
        "steps[1].id",
        "steps[1].skill",
        "steps[1].unknown"
      ])
        expect(places).toContain(path)
      expect(found.every(([, rule]) => rule === "shape" || rule === "unknown")).toBe(true)
    })
  )

  const nothings: ReadonlyArray<readonly [unknown, string]> = [
    [undefined, "this is undefined, which JSON cannot carry"],
    [null, "this must be an object, not null"],
    [7, "this must be an object, not 7"],
    ["w", 'this must be an object, not "w"'],
    [[], "this must be an object, not an empty list"]
  ]
  it.effect.each(nothings)("refuses what is no definition at all: %j", ([given, message]) =>
    Effect.map(Effect.flip(Plan.make(given as never)), ({ problems, workflow }) => {
      expect(workflow).toBe("unnamed")
      expect(problems).toEqual([{ path: "", rule: "shape", message }])
    })
  )

  it.effect("refuses what JSON cannot carry, with its place", () =>
    Effect.gen(function* () {
      for (const [input, what] of [
        [Number.NaN, "NaN"],
        [1n, "a bigint"],
        [new Date(0), "an instance of Date"],
        [() => 1, "a function"],
        [Symbol("x"), "a symbol"],
        [undefined, "undefined"]
      ] as const)
        expect(yield* problems([step("a", { input: { at: [input] } as never })])).toEqual([
          ["steps[0].input.at[0]", "shape", `this is ${what}, which JSON cannot carry`]
        ])
    })
  )

  it.effect("reports all problems at once, in words", () =>
    Effect.gen(function* () {
      const steps = [step("a", { after: ["b", "c"], when: "(" }), step("b", { after: ["a"] })]
      const error = yield* Effect.flip(Plan.make({ name: "w", steps }))
      expect(error.problems.map(({ rule }) => rule).sort()).toEqual(["cycle", "dependency", "expression"])
      expect(error.message).toMatch(/^The workflow "w" cannot be run:\n {2}steps/)
    })
  )

  it.effect("knows the neighbours and an order in which dependencies come first", () =>
    Effect.gen(function* () {
      const steps = [
        step("end", { after: ["l", "r"] }),
        step("l", { after: ["start"] }),
        step("r", { after: ["start"] }),
        step("start")
      ]
      const plan = yield* Plan.make({ name: "w", steps })
      expect(plan.steps.map(({ dependencies }) => dependencies)).toEqual([[1, 2], [3], [3], []])
      expect(plan.steps.map(({ dependents }) => dependents)).toEqual([[], [0], [0], [1, 2]])
      expect([plan.order[0], plan.order.at(-1), plan.indexOf("r"), plan.indexOf("x")]).toEqual([
        3,
        0,
        2,
        undefined
      ])
    })
  )

  const ids = Array.from({ length: 10_000 }, (_, i) => `s${i}`)
  const large: ReadonlyArray<readonly [string, ReadonlyArray<Workflow.StepDefinition>]> = [
    ["a chain", ids.map((id, i) => step(id, i === 0 ? {} : { after: [`s${i - 1}`] }))],
    ["diamonds", ids.map((id, i) => step(id, i < 2 ? {} : { after: [`s${i - 1}`, `s${i - 2}`] }))],
    ["one step after all", ids.map((id, i) => step(id, i === 9_999 ? { after: ids.slice(0, -1) } : {}))]
  ]
  it.effect.each(large)(
    "takes ten thousand steps: %s",
    ([, steps]) =>
      Effect.gen(function* () {
        const plan = yield* Plan.make({ name: "w", steps })
        const place = new Map(plan.order.map((index, position) => [index, position]))
        for (const { dependencies, index } of plan.steps)
          for (const each of dependencies) expect(place.get(each) ?? -1).toBeLessThan(place.get(index) ?? -1)
        const [first, ...rest] = steps
        if (first === undefined) return
        const closed = [{ ...first, after: [rest.at(-1)?.id ?? first.id] }, ...rest]
        const error = yield* Effect.flip(Plan.make({ name: "w", steps: closed }))
        expect(error.problems[0]?.rule).toBe("cycle")
      }),
    10_000
  )
})
