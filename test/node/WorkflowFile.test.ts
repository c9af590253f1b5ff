import * as fs from "node:fs"
import * as path from "node:path"
import { Validator } from "@cfworker/json-schema"
import { describe, expect, it } from "@effect/vitest"
import * as WorkflowFile from "@switchyard/node/WorkflowFile"
import * as Effect from "effect/Effect"
import { temporaryDirectory } from "./temporary.js"

const docs = new URL("../../docs/", import.meta.url)
const lines = (...text: ReadonlyArray<string>) => text.join("\n")

/** The lines of the message, without the first one. */
const problems = (text: string, file = "w.yaml") =>
  Effect.map(Effect.flip(WorkflowFile.parse(text, { file })), (error) => {
    const [first, ...rest] = error.message.split("\n")
    expect(first).toBe(`The workflow in ${file} cannot be run:`)
    return rest.map((each) => each.trim())
  })

const yaml: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
  [
    "problems of the workflow where they are written",
    lines(
      "name: w",
      "steps:",
      "  - id: a",
      "    skil: x",
      "    after: [b, zz]",
      "  - id: b",
      "    skill: x",
      "    after:",
      "      - a",
      "    when: 1 +",
      "  - id: c"
    ),
    [
      'w.yaml:4:5 steps[0].skil: "skil" is not known here; did you mean "skill"?',
      "w.yaml:5:12 steps[0].after: the steps wait for each other: a → b → a; remove one dependency",
      'w.yaml:5:16 steps[0].after[1]: there is no step "zz"',
      "w.yaml:10:11 steps[1].when: Cannot evaluate `1 +`: Unexpected token: EOF",
      "w.yaml:11:5 steps[2]: say what the step does: give a skill, the id of an agent, a subworkflow, a map, a reduce, an approval or a wait"
    ]
  ],
  [
    "what is missing where the part is that it is missing from",
    lines("name: w", "steps:", "  - id: a", "    map:", "      over: [1]", "  - id: b", "    wait: {}"),
    [
      "w.yaml:4:5 steps[0].map.value: this is missing",
      "w.yaml:7:11 steps[1].wait: this needs one of millis, until, signal"
    ]
  ],
  [
    "values of another kind in words",
    lines(
      "name: ''",
      "steps:",
      "  - {id: a b, skill: 3, join: all}",
      "  - {id: b, agent: x, fallback: 3, concurrency: 0.5}",
      "  - {id: c, skill: x, approval: {approvers: []}}"
    ),
    [
      'w.yaml:1:7 name: this must be a text that is not empty, not ""',
      'w.yaml:3:10 steps[0].id: "a b" is not a valid StepId: use 1 to 128 letters, digits, ".", "_" or "-", beginning with a letter or digit, without ".."',
      "w.yaml:3:22 steps[0].skill: this must be a text that is not empty, not 3",
      'w.yaml:3:31 steps[0].join: this must be "allSucceeded", "noneFailed", "anySucceeded" or "allSettled", not "all"; did you mean "allSettled"?',
      "w.yaml:4:33 steps[1].fallback: this must be true or false or a list, not 3",
      "w.yaml:4:49 steps[1].concurrency: this must be a whole number above 0, not 0.5",
      "w.yaml:5:45 steps[2].approval.approvers: this must be a list with something in it, not an empty list"
    ]
  ],
  [
    "names with dots in them",
    lines("name: w", "steps:", "  - id: a", "    skill: s", "    constraints: {max.size.x: {}, max: 1}"),
    [
      "w.yaml:5:31 steps[0].constraints.max.size.x: this must be true or false, a number, a text or a list, not an object"
    ]
  ],
  [
    "a name that is there twice, and several documents",
    lines("name: w", "name: v", "steps: [{id: a, skill: s, skill: t}]", "---", "a: 1"),
    [
      "w.yaml:2:1 name: this is here for the second time; remove one",
      "w.yaml:3:27 steps[0].skill: this is here for the second time; remove one",
      "w.yaml:4:1 a file has one workflow; put this document into a file of its own"
    ]
  ],
  [
    "merge keys, tags and versions that are not YAML's core",
    lines(
      "%YAML 1.1",
      "---",
      "name: !secret w",
      "steps:",
      "  - &a {id: a, skill: s}",
      "  - {<<: *a, id: !!binary aGk, skill: s}"
    ),
    [
      "w.yaml:1:1 only YAML 1.2 is read, not 1.1; remove the directive",
      "w.yaml:3:15 name: the tag !secret is not one of YAML's core schema; remove it",
      "w.yaml:6:6 steps[1].<<: YAML 1.2 has no merge keys; write out what this stands for",
      "w.yaml:6:27 steps[1].id: the tag tag:yaml.org,2002:binary is not one of YAML's core schema; remove it"
    ]
  ],
  [
    "aliases that lead nowhere or to themselves",
    lines("a: &x [*x]", "b: *y"),
    [
      "w.yaml:1:8 a[0]: *x stands for something that it is a part of",
      "w.yaml:2:4 b: there is no anchor &y before this"
    ]
  ],
  [
    "aliases that stand for too much",
    lines(
      "a: &a [1,1,1,1,1,1,1,1,1]",
      ..."bcdef".split("").map((each, i) => `${each}: &${each} [${Array(9).fill(`*${"abcde"[i]}`).join()}]`)
    ),
    ["w.yaml:2:8 b[0]: aliases stand for too much here; write it out, or let an expression make it"]
  ],
  [
    "braces without quotes",
    lines("name: w", "steps:", "  - id: a", "    skill: s", "    input: {{ params.x }}"),
    [
      'w.yaml:5:13 steps[0].input: this is the name of something, and must be a text; put quotes around a text with {{ }}: "{{ … }}"'
    ]
  ],
  ["tabs", "name: w\nsteps:\n\t- id: a\n", ["w.yaml:3:1 steps: Tabs are not allowed as indentation"]],
  [
    "numbers that JSON does not have",
    lines("name: w", "steps: [{id: a, skill: s, input: [.inf, .nan]}]"),
    [
      "w.yaml:2:35 steps[0].input[0]: this is Infinity, which JSON cannot carry; put quotes around it where a text is meant",
      "w.yaml:2:41 steps[0].input[1]: this is NaN, which JSON cannot carry; put quotes around it where a text is meant"
    ]
  ],
  ["nothing", "# a comment\n", ["w.yaml:1:1 there is nothing in it"]],
  ["something else", "just text", ['w.yaml:1:1 this must be an object, not "just text"']],
  ["too many levels", `a: ${"[".repeat(100_000)}`, ["w.yaml:1:259 this is nested more than 256 levels deep"]]
]

const json: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
  [
    "comments, commas before an end and names that are there twice",
    lines(
      '{"name": "w", // c',
      ' "steps": [{"id": "a", "skill": "s", "after": ["b",],}, /* x',
      '*/ {"id": "b", "skill": "t", "skill": "u"}]}'
    ),
    [
      "w.json:1:15 JSON has no comments; remove it, or make this a YAML file",
      "w.json:2:51 steps[0].after: JSON has no comma before an end; remove it",
      "w.json:2:53 steps[0]: JSON has no comma before an end; remove it",
      "w.json:2:57 steps: JSON has no comments; remove it, or make this a YAML file",
      "w.json:3:30 steps[1].skill: this is here for the second time; remove one"
    ]
  ],
  ["what is not JSON", "{\"name\": 'w'}", ["w.json:1:10 this is not JSON: \"'w'}\" where a value must be"]],
  ["an early end", '{"name": "w"', ["w.json:1:13 this is not JSON: the end where a comma or } must be"]],
  ["a name without quotes", "{name: 1}", ['w.json:1:2 this is not JSON: "name:" where a name or } must be']],
  ["YAML's numbers", '{"name": 0x1}', ['w.json:1:10 this is not JSON: "0x1}" where a value must be']],
  ["text after the end", "{} {}", ['w.json:1:4 this is not JSON: "{}" where nothing more must be']],
  ["too many levels", "[".repeat(100_000), ["w.json:1:257 this is nested more than 256 levels deep"]],
  [
    "problems of the workflow",
    '{\n\t"name": "w",\n\t"steps": [\n\t\t{"id": "a", "skill": "s", "inputs": 1}\n\t]\n}',
    ['w.json:4:29 steps[0].inputs: "inputs" is not known here; did you mean "input"?']
  ]
]

const example = () => {
  const guide = fs.readFileSync(new URL("guide.md", docs), "utf8")
  return [...guide.matchAll(/```(yaml|json)\n([\s\S]*?)```/g)].map(([, format, text = ""]) => ({
    format: format === "json" ? ("json" as const) : ("yaml" as const),
    text
  }))
}

describe("a workflow file", () => {
  it.effect.each(yaml)("reports %s", ([, text, expected]) =>
    Effect.map(problems(text), (found) => expect(found).toEqual(expected))
  )

  it.effect.each(json)("reports, in JSON, %s", ([, text, expected]) =>
    Effect.map(problems(text, "w.json"), (found) => expect(found).toEqual(expected))
  )

  it.effect("has warnings where they are written", () =>
    Effect.gen(function* () {
      const text = lines(
        "name: w",
        "defaults: {fallback: [nobody]}",
        "steps:",
        "  - id: a",
        "    skill: s",
        "    when: 1 > 2",
        "  - id: b",
        "    subworkflow: inner.yaml",
        "  - {id: c, subworkflow: {name: d, steps: [{id: e, skill: s}]}}"
      )
      const problem = (path: string) => ({ path, rule: "capability" as const, message: `about ${path}` })
      const expected = [
        ["defaults.fallback[0]", 2, 23],
        ["steps[0].when", 6, 11],
        ["steps[1].subworkflow.steps[3].skill", 8, 5],
        ["steps[2].subworkflow.steps[0].skill", 9, 59]
      ] as const
      const problems = expected.map(([path]) => problem(path))
      const found = expected.map(([path, line, column]) => ({ ...problem(path), line, column }))
      expect(WorkflowFile.locate(`\ufeff${text}`, problems.toReversed())).toEqual(found)
      const json = '{"name":"w",\n"steps":[{"id":"a",\n  "skill":"s"}]}'
      const inJson = { ...problem("steps[0].skill"), line: 3, column: 11 }
      for (const options of [{ file: "w.json" }, { format: "json" }] as const)
        expect(WorkflowFile.locate(json, [problem("steps[0].skill")], options)).toEqual([inJson])
      for (const broken of ["", "a: [", "# nothing"])
        expect(WorkflowFile.locate(broken, [problem("steps[0]")])).toEqual([
          { ...problem("steps[0]"), line: 1, column: 1 }
        ])
      expect(WorkflowFile.locate(text, [])).toEqual([])
    })
  )

  it.effect("may use aliases, and a `$schema`, which is no part of the workflow", () =>
    Effect.gen(function* () {
      const steps = [
        { id: "a", skill: "s", input: [1, "no"] },
        { id: "b", skill: "s", input: [1, "no"] }
      ]
      const text =
        "\ufeff$schema: x.json\nname: w\nsteps: [{id: a, skill: s, input: &a [1, no]}, {id: b, skill: s, input: *a}]"
      expect(yield* WorkflowFile.parse(text)).toEqual({ name: "w", steps })
      const asJson = JSON.stringify({ $schema: "x.json", name: "w", steps })
      expect(yield* WorkflowFile.parse(asJson, { format: "json" })).toEqual({ name: "w", steps })
    })
  )

  it.effect("comes to an end for a text that is made to take long", () =>
    Effect.gen(function* () {
      for (const part of ["a: 1\n", "- *a\n", "- !x a\n", "#\n"]) {
        const error = yield* Effect.flip(WorkflowFile.parse(part.repeat(20_000)))
        expect(error._tag).toBe("InvalidWorkflowFile")
      }
    })
  )

  it.scoped("names other files, whose workflows are its steps", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const write = (name: string, ...text: ReadonlyArray<string>) => {
        const file = path.join(directory, name)
        fs.mkdirSync(path.dirname(file), { recursive: true })
        fs.writeFileSync(file, lines(...text))
        return file
      }
      write("parts/inner.yaml", "name: inner", "steps: [{id: a, subworkflow: ./deep.json}]")
      write("parts/deep.json", '{"name":"deep","steps":[{"id":"b","skill":"s"}]}')
      const outer = write("outer.yaml", "name: outer", "steps: [{id: c, subworkflow: parts/inner.yaml}]")
      const definition = yield* WorkflowFile.read(outer)
      expect(definition).toEqual({
        name: "outer",
        steps: [
          {
            id: "c",
            subworkflow: {
              name: "inner",
              steps: [{ id: "a", subworkflow: { name: "deep", steps: [{ id: "b", skill: "s" }] } }]
            }
          }
        ]
      })
      for (const format of ["yaml", "json"] as const)
        expect(yield* WorkflowFile.parse(WorkflowFile.print(definition, format), { format })).toEqual(
          definition
        )

      const bad = write("parts/bad.yaml", "name: bad", "steps: [{id: a, skil: s}]")
      const round = write("round.yaml", "name: round", "steps: [{id: a, subworkflow: parts/back.yaml}]")
      write("parts/back.yaml", "name: back", "steps: [{id: a, subworkflow: ../round.yaml}]")
      const wrong = write(
        "wrong.yaml",
        "name: wrong",
        "steps:",
        "  - {id: a, subworkflow: parts/bad.yaml}",
        "  - {id: b, subworkflow: none.yaml, after: [x]}",
        "  - {id: c, subworkflow: {name: d, steps: [{id: e, subworkflow: none.yaml}]}}"
      )
      const said = yield* Effect.flip(WorkflowFile.read(wrong))
      const none = `The file ${path.join(directory, "none.yaml")} cannot be read: it does not exist (ENOENT)`
      expect(said.message.split("\n").map((each) => each.trim())).toEqual([
        `The workflow in ${wrong} cannot be run:`,
        `${wrong}:3:26 steps[0].subworkflow: The workflow in ${bad} cannot be run:`,
        `${bad}:2:17 steps[0].skil: "skil" is not known here; did you mean "skill"?`,
        `${wrong}:4:26 steps[1].subworkflow: ${none}`,
        `${wrong}:4:45 steps[1].after[0]: there is no step "x"`,
        `${wrong}:5:65 steps[2].subworkflow.steps[0].subworkflow: ${none}`
      ])
      expect((yield* Effect.flip(WorkflowFile.read(round))).message).toContain(
        "the files are steps of each other: round.yaml → parts/back.yaml → round.yaml; remove one of these steps"
      )
      expect(
        (yield* Effect.flip(WorkflowFile.parse("name: w\nsteps: [{id: a, subworkflow: x.yaml}]"))).message
      ).toContain(
        "steps[0].subworkflow: only a file can name another one; write the workflow here, or read it from a file"
      )
    })
  )

  it.scoped("is read by its name", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const write = (name: string, content: string | Uint8Array) => {
        fs.writeFileSync(path.join(directory, name), content)
        return path.join(directory, name)
      }
      const definition = yield* WorkflowFile.parse("name: w\nsteps: [{id: a, skill: s}]")
      for (const format of ["yaml", "json"] as const) {
        const file = write(`w.${format}`, WorkflowFile.print(definition, format))
        expect(yield* WorkflowFile.read(file)).toEqual(definition)
      }
      const wrong = write("wrong.json", "name: w")
      expect((yield* Effect.flip(WorkflowFile.read(wrong))).message).toContain(
        `${wrong}:1:1 this is not JSON`
      )
      const unreadable = [
        [path.join(directory, "none.yaml"), "it does not exist (ENOENT)"],
        [directory, "it is not a file"],
        [
          write("large.yaml", new Uint8Array(16 * 1024 * 1024 + 1)),
          "it is larger than 16 MiB, which no workflow is"
        ],
        [write("latin.yaml", Uint8Array.of(0x61, 0xe9)), "it is not UTF-8; save it as that"]
      ] as const
      for (const [file, reason] of unreadable) {
        const error = yield* Effect.flip(WorkflowFile.read(file))
        expect(error.message).toBe(`The file ${file} cannot be read: ${reason}`)
      }
    })
  )
})

describe("the JSON Schema of a workflow", () => {
  const committed = JSON.parse(fs.readFileSync(new URL("workflow.schema.json", docs), "utf8"))
  const validator = new Validator(committed, "7", false)
  const accepts = (value: unknown) => validator.validate(value).valid

  it("is what `npm run schema` writes", () => {
    expect(JSON.stringify(committed)).toBe(JSON.stringify(WorkflowFile.jsonSchema))
  })

  it("explains every property", () => {
    const unexplained = (value: unknown, at: string): ReadonlyArray<string> => {
      if (typeof value !== "object" || value === null) return []
      const { properties } = value as {
        readonly properties?: Record<string, { readonly description?: string }>
      }
      const here = Object.entries(properties ?? {})
        .filter(([, { description = "" }]) => !/^[A-Z].*\.$/.test(description))
        .map(([name]) => `${at}.${name}`)
      return [...here, ...Object.entries(value).flatMap(([key, each]) => unexplained(each, `${at}.${key}`))]
    }
    expect(unexplained(committed, "$")).toEqual([])
    expect(committed.properties.steps.items.properties.wait.anyOf).toHaveLength(3)
  })

  it("refuses what is wrong", () => {
    const step = { id: "a", skill: "s" }
    expect(accepts({ name: "w", steps: [step] })).toBe(true)
    const wrong = [
      {},
      { name: "", steps: [step] },
      { name: "w", steps: step },
      { name: "w", steps: [{ ...step, skil: "s" }] },
      { name: "w", steps: [{ ...step, id: "../a" }] },
      { name: "w", steps: [{ ...step, concurrency: 0 }] },
      { name: "w", steps: [{ ...step, join: "all" }] },
      { name: "w", steps: [{ ...step, constraints: { a: null } }] },
      { name: "w", steps: [{ id: "a", wait: { milis: 1 } }] },
      { name: "w", steps: [{ id: "a", approval: { approvers: [] } }] },
      { name: "w", steps: [step], parms: {} }
    ]
    for (const each of wrong) expect([each, accepts(each)]).toEqual([each, false])
  })

  it.effect("accepts what the guide shows, which can be run", () =>
    Effect.gen(function* () {
      const shown = example()
      expect(shown.map(({ format }) => format)).toContain("yaml")
      for (const { format, text } of shown) {
        expect(text.split("\n").length).toBeLessThan(50)
        const definition = yield* WorkflowFile.parse(text, { format })
        expect(validator.validate(definition).errors).toEqual([])
      }
    })
  )
})
