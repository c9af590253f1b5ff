import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { Validator } from "@cfworker/json-schema"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import * as Secrets from "@switchyard/core/Secrets"
import * as AgentFile from "@switchyard/node/AgentFile"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { agentKinds } from "../../scripts/agentKinds.js"
import { temporaryDirectory } from "./temporary.js"

const docs = new URL("../../docs/", import.meta.url)
const lines = (...text: ReadonlyArray<string>) => text.join("\n")

const echoFields = Schema.Struct({
  word: Schema.NonEmptyString,
  times: Schema.optionalWith(Schema.Int, { default: () => 1 })
})

/** A kind of agents that say a word, whose schema fills in what is not said. */
const echo: AgentFile.AgentKind<typeof echoFields.Type, typeof echoFields.Encoded> = {
  name: "echo",
  schema: echoFields,
  make: (id, { times, word }, { secrets }) =>
    word === "break"
      ? Effect.die(new Error("it fell"))
      : word === "no"
        ? Effect.fail(new AgentFile.InvalidAgent({ agentId: id, reason: "it may not say no" }))
        : Effect.succeed(
            Agent.make(id, {
              metadata: { description: "says a word", version: "1.0.0" },
              capabilities: [{ skill: "echo" }],
              requires: ["ReadFiles"],
              run: () => Effect.succeed(secrets.redact(word.repeat(times)))
            })
          )
}

const kinds = [...AgentFile.defaultKinds, echo]

/** The lines of the message, without the first one. */
const problems = (text: string, file = "a.yaml", options: AgentFile.Options = {}) =>
  Effect.map(Effect.flip(AgentFile.parse(text, { ...options, file })), (error) => {
    const [first, ...rest] = error.message.split("\n")
    expect(first).toBe(`The agent in ${file} cannot be used:`)
    return rest.map((each) => each.trim())
  })

const wrong: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
  ["no object", "hello", ['a.yaml:1:1 this must be an object, not "hello"']],
  ["nothing", "# nothing", ["a.yaml:1:1 there is nothing in it"]],
  [
    "misspelt fields of all agents and of the kind",
    lines("id: a", "capabilites: [x]", "comand: wc"),
    [
      'a.yaml:2:1 capabilites: "capabilites" is not known here; did you mean "capabilities"?',
      'a.yaml:3:1 comand: "comand" is not known here; did you mean "command"?'
    ]
  ],
  [
    "a misspelt kind, and what is wrong whatever it is",
    lines("kind: proces", "capabilities:", "  - skil: x", "enabled: maybe", "endpoint: x"),
    [
      'a.yaml:1:7 kind: there is no kind "proces"; did you mean "process"? (the kinds here are process, echo)',
      'a.yaml:3:5 capabilities[0].skil: "skil" is not known here; did you mean "skill"?',
      'a.yaml:4:10 enabled: this must be true or false, not "maybe"'
    ]
  ],
  [
    "a kind that is no name",
    "kind: 3",
    ["a.yaml:1:7 kind: there is no kind 3 (the kinds here are process, echo)"]
  ],
  [
    "values that are not as they should be",
    lines(
      "id: ../x",
      "command: wc",
      "prompt: stdn",
      "requires: [Exec]",
      "capabilities: [{skill: a, priority: 1.5, constraints: {max.size: {}}}]",
      "metadata: {tags: cobol}"
    ),
    [
      'a.yaml:1:5 id: "../x" is not a valid AgentId: use 1 to 128 letters, digits, ".", "_" or "-", beginning with a letter or digit, without ".."',
      'a.yaml:3:9 prompt: this must be "argument", "stdin" or "file", not "stdn"; did you mean "stdin"?',
      'a.yaml:4:12 requires[0]: this must be "ReadFiles", "WriteFiles", "InvokeModel", "Execute", "Network" or "tool:…", not "Exec"; did you mean "Execute"?',
      "a.yaml:5:37 capabilities[0].priority: this must be a whole number, not 1.5",
      "a.yaml:5:66 capabilities[0].constraints.max.size: this must be true or false, a number, a text or a list, not an object",
      'a.yaml:6:18 metadata.tags: this must be a list, not "cobol"'
    ]
  ],
  [
    "an agent that can do nothing",
    lines("capabilities: []", "command: wc"),
    [
      "a.yaml:1:15 capabilities: say what the agent can do, as in capabilities: [code-review]; nothing could select it"
    ]
  ],
  ["what its kind refuses", lines("kind: echo", "word: no"), ["a.yaml:1:1 it may not say no"]],
  ["a kind that breaks", lines("kind: echo", "word: break"), ['a.yaml:1:1 the kind "echo" broke: it fell']],
  [
    "a template that cannot be filled in",
    lines("command: wc", "args: ['{{inptu}}']", "capabilities: [a]"),
    [expect.stringContaining('"{{inptu}}" has the unknown placeholder {{inptu}}; did you mean "input"?')]
  ],
  [
    "what is not YAML, beside what is not an agent",
    lines("command: !js/function wc", "command: x", "<<: {a: 1}", "capabilities: [*x]"),
    [
      "a.yaml:1:23 command: the tag !js/function is not one of YAML's core schema; remove it",
      "a.yaml:2:1 command: this is here for the second time; remove one",
      "a.yaml:3:1 <<: YAML 1.2 has no merge keys; write out what this stands for",
      "a.yaml:4:16 capabilities[0]: there is no anchor &x before this"
    ]
  ],
  [
    "aliases that stand for more than there can be",
    lines(
      "a: &a [x,x,x,x,x,x,x,x,x]",
      "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]",
      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]",
      "d: [*c,*c,*c,*c,*c,*c,*c,*c,*c]"
    ),
    ["a.yaml:2:8 b[0]: aliases stand for too much here; write it out"]
  ],
  [
    "a second agent",
    lines("command: wc", "capabilities: [a]", "---", "command: wc"),
    ["a.yaml:3:1 a file has one agent; put this document into a file of its own"]
  ],
  ["too many levels", `args: ${"[".repeat(300)}`, [expect.stringContaining("more than 256 levels deep")]]
]

describe("an agent file", () => {
  it.effect.each(wrong)("reports %s", ([, text, expected]) =>
    Effect.map(problems(text, "a.yaml", { kinds }), (found) => expect(found).toEqual(expected))
  )

  it.effect("reports problems of JSON", () =>
    Effect.gen(function* () {
      expect(yield* problems('{"command": "wc",\n "capabilities": "count",}', "a.json")).toEqual([
        'a.json:2:18 capabilities: this must be a list, not "count"',
        "a.json:2:25 JSON has no comma before an end; remove it"
      ])
      expect(yield* problems("command: wc", "a.json")).toEqual([
        'a.json:1:1 this is not JSON: "command:" where a value must be'
      ])
    })
  )

  it.effect("asks for a kind where none is meant by default, and for an id where its name is none", () =>
    Effect.gen(function* () {
      expect(yield* problems("word: hi", "a.yaml", { kinds: [echo] })).toEqual([
        "a.yaml:1:1 kind: say of which kind the agent is; the kinds here are echo"
      ])
      expect(yield* problems(lines("kind: echo", "word: hi"), "my agent.yaml", { kinds })).toEqual([
        'my agent.yaml:1:1 id: give the agent an id: the name of the file, "my agent", cannot be one'
      ])
    })
  )

  it.effect("is an agent with everything that it says and what its kind adds", () =>
    Effect.gen(function* () {
      const said = yield* AgentFile.parse(
        lines(
          "$schema: x.json",
          "id: Repeater",
          "kind: echo",
          "metadata: {description: mine, tags: [a]}",
          "capabilities: [say, {skill: shout, constraints: {maxFileSize: 10MB}, priority: 2}]",
          "requires: [Network, ReadFiles, 'tool:search']",
          "enabled: false",
          "word: hi"
        ),
        { kinds, file: "agents/x.yaml" }
      )
      const { agent, ...rest } = said
      expect(rest).toEqual({ enabled: false, file: "agents/x.yaml", at: { line: 2, column: 5 } })
      expect(agent).toMatchObject({
        id: "Repeater",
        metadata: {
          name: "Repeater",
          version: "1.0.0",
          description: "mine",
          author: "",
          tags: ["a"]
        },
        capabilities: [
          { skill: "say", inputTypes: [], outputTypes: [], constraints: {}, priority: 0 },
          { skill: "shout", constraints: { maxFileSize: "10MB" }, priority: 2 }
        ],
        requires: ["ReadFiles", "Network", "tool:search"],
        definition: { kind: "echo", data: { word: "hi" }, source: path.resolve("agents/x.yaml") }
      })
      const plain = yield* AgentFile.parse(lines("kind: echo", "word: hi"), { kinds })
      expect(plain).toMatchObject({ enabled: undefined, agent: { id: "agent", requires: ["ReadFiles"] } })
      expect(plain.agent.capabilities.map(({ skill }) => skill)).toEqual(["echo"])
      expect(plain.agent.definition).toEqual({ kind: "echo", data: { word: "hi" } })
    })
  )

  it.effect("has what its kind needs required of runs, whatever it says itself", () =>
    Effect.map(AgentFile.parse("command: wc\ncapabilities: [a]\nrequires: []"), ({ agent }) =>
      expect(agent.requires).toContain("Execute")
    )
  )

  it.scoped("is validated without anything being executed or looked up", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const trace = path.join(directory, "trace")
      const program = path.join(directory, "program")
      fs.writeFileSync(program, `#!/bin/sh\ntouch ${trace}\n`, { mode: 0o755 })
      let asked = 0
      const secrets = Secrets.make(() =>
        Effect.sync(() => {
          asked++
          return "secret"
        })
      )
      const text = lines(`command: ${program}`, "capabilities: [a]", "env: {inherit: [PATH]}")
      yield* AgentFile.parse(text, { secrets })
      yield* AgentFile.parse(`command: ${path.join(directory, "none")}\ncapabilities: [a]`)
      expect([fs.existsSync(trace), asked]).toEqual([false, 0])
    })
  )

  it.scoped("is read by its name, as far as it can be read", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const write = (name: string, content: string | Uint8Array) => {
        fs.writeFileSync(path.join(directory, name), content)
        return path.join(directory, name)
      }
      const yaml = write("counter.yaml", "command: wc\ncapabilities: [count]")
      const json = write("counter.JSON", '{"command": "wc", "capabilities": ["count"]}')
      for (const file of [yaml, json]) {
        const { agent } = yield* AgentFile.load(file)
        expect([agent.id, agent.definition?.source]).toEqual(["counter", file])
      }
      expect((yield* Effect.flip(AgentFile.load(write("bad.json", "command: wc")))).message).toContain(
        `${path.join(directory, "bad.json")}:1:1 this is not JSON`
      )
      const pipe = path.join(directory, "pipe.yaml")
      execFileSync("mkfifo", [pipe])
      const unreadable = [
        [path.join(directory, "none.yaml"), "it does not exist (ENOENT)"],
        [directory, "it is not a file"],
        [write("large.yaml", new Uint8Array(1024 * 1024 + 1)), "it is larger than 1 MiB, which no agent is"],
        [write("latin.yaml", Uint8Array.of(0x61, 0xe9)), "it is not UTF-8; save it as that"],
        ["a\0.yaml", expect.stringContaining("null bytes")],
        [pipe, "it is not a file"]
      ] as const
      for (const [file, reason] of unreadable) {
        const error = yield* Effect.flip(AgentFile.load(file))
        expect(error).toMatchObject({ _tag: "AgentFileUnreadable", file, reason })
        expect(error.message).toContain(`The agents in ${file} cannot be read: `)
      }
    })
  )
})

describe("the page about agent files", () => {
  const page = fs.readFileSync(new URL("agent-files.md", docs), "utf8")
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text = ""]) => text)

  it.effect("shows agents that can be made", () =>
    Effect.gen(function* () {
      const shown = yield* Effect.forEach(blocks("yaml"), (text) =>
        AgentFile.parse(text, { file: "agents/counter.yaml" })
      )
      expect(shown.map(({ agent }) => agent.id)).toEqual(["counter", "reviewer"])
    })
  )

  it.effect("shows what is said of a file that is wrong", () =>
    Effect.gen(function* () {
      const text = lines("metadata:", "  name: x", "capabilites: [a]", "command: wc", "args: [1]")
      const error = yield* Effect.flip(AgentFile.parse(text, { file: "agents/counter.yaml" }))
      expect(blocks("text")).toEqual([`${error.message}\n`])
    })
  )

  it("has every field that all agents have, and only those", () => {
    const described = [...page.matchAll(/^\| `(\w+)` +\|/gm)].map(([, field]) => field)
    const { properties } = AgentFile.jsonSchema([{ ...echo, schema: Schema.Struct({}) }]) as {
      readonly properties: Record<string, unknown>
    }
    expect(["$schema", ...described].sort()).toEqual(Object.keys(properties).sort())
  })
})

describe("the JSON Schema of an agent", () => {
  const committed = JSON.parse(fs.readFileSync(new URL("agent.schema.json", docs), "utf8"))
  const accepts = (value: unknown, schema = committed) =>
    new Validator(schema, "7", false).validate(value).valid

  it("is what `npm run schema` writes", () => {
    expect(JSON.stringify(committed)).toBe(JSON.stringify(AgentFile.jsonSchema(agentKinds)))
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
  })

  it("refuses what is wrong", () => {
    const agent = { command: "wc", capabilities: ["count"] }
    expect(accepts(agent)).toBe(true)
    expect(accepts({ ...agent, kind: "process", id: "a", enabled: false })).toBe(true)
    const bad = [
      { command: "" },
      { ...agent, kind: "model" },
      { ...agent, comand: "x" },
      { ...agent, id: "../a" },
      { ...agent, capabilities: [{ skil: "x" }] },
      { ...agent, requires: ["Everything"] }
    ]
    for (const each of bad) expect([each, accepts(each)]).toEqual([each, false])
  })

  it("tells kinds apart where there are several", () => {
    const schema = AgentFile.jsonSchema(kinds)
    expect(accepts({ kind: "echo", word: "x" }, schema)).toBe(true)
    expect(accepts({ kind: "echo", word: "x", times: 2 }, schema)).toBe(true)
    expect(accepts({ command: "wc", capabilities: ["a"] }, schema)).toBe(true)
    for (const each of [{ word: "x" }, { kind: "echo", command: "wc" }, { kind: "process", word: "x" }])
      expect([each, accepts(each, schema)]).toEqual([each, false])
  })
})
