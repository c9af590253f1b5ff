import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import type { Json } from "@switchyard/core/Json"
import * as Secrets from "@switchyard/core/Secrets"
import * as Workflow from "@switchyard/core/Workflow"
import * as AgentFile from "@switchyard/node/AgentFile"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import type { OutputMapping } from "@switchyard/node/OutputMapping"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as ToolDefinition from "@switchyard/node/ToolDefinition"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { parse } from "yaml"
import { durationMillis, momentMillis } from "../../packages/node/src/internal/resetTime.js"
import {
  error,
  eventsOf,
  files,
  marked,
  markedEnv,
  outcome,
  script,
  shell,
  taskIn,
  test,
  value,
  workspace
} from "./programs.js"
import { temporaryDirectory } from "./temporary.js"

/** A program that writes the lines of its prompt to its standard output. */
const echo = (output: OutputMapping, more: Parameters<typeof shell>[1] = {}) =>
  shell("cat", { output, ...more })

const lines = (...records: ReadonlyArray<Json>): string =>
  records.map((each) => JSON.stringify(each)).join("\n")

describe("records", () => {
  const records = [
    {
      when: "item.kind == 'step'",
      progress: "{{ item.done / item.of }}",
      message: "{{ item.what }}: {{ index }}"
    },
    { when: "has(item.left)", remainingMillis: "{{ item.left * 1000 }}" },
    {
      when: "item.kind == 'call'",
      usage: {
        of: "record" as const,
        key: "{{ item.id }}",
        inputTokens: "{{ [item.fresh, item.cached] }}",
        outputTokens: "{{ item.out }}",
        cachedTokens: "{{ item.cached }}"
      }
    },
    { when: "item.kind == 'text'", result: "{{ acc == null ? item.text : acc + item.text }}" },
    { when: "item.kind == 'oops'", error: { message: "{{ item.why }}" } },
    { when: "item.kind == 'limit'", error: { kind: "RateLimited" as const, retryAfter: "{{ item.wait }}" } },
    { when: "item.kind == 'fine'", recovered: true as const }
  ]
  const mapping: OutputMapping = { format: "jsonl", records }

  test(
    "become progress, tokens and a result by rules, whatever else there is",
    Effect.gen(function* () {
      const input = lines(
        { kind: "step", done: 1, of: 4, what: "reading" },
        "no object",
        { no: "kind" },
        { kind: "call", id: "a", fresh: 10, cached: 5, out: 1 },
        { kind: "call", id: "a", fresh: 10, cached: 5, out: 2 },
        { kind: "call", id: "b", fresh: 1, cached: 0, out: 1 },
        { kind: "step", what: "no progress" },
        { kind: "text", text: "a" },
        { kind: "text", text: 1 },
        { kind: "text", text: "b" },
        { left: 2 }
      )
      const agent = yield* echo(mapping)
      const events = yield* eventsOf(agent, taskIn(yield* workspace, input))
      const usage = (inputTokens: number, outputTokens: number) => ({
        inputTokens,
        outputTokens,
        cachedTokens: 5,
        costMicroUsd: 0
      })
      assert.deepStrictEqual(events, [
        Agent.progress({ progress: 0.25, message: "reading: 0" }),
        Agent.progress({ usage: usage(15, 1) }),
        Agent.progress({ usage: usage(15, 2) }),
        Agent.progress({ usage: usage(16, 3) }),
        Agent.progress({ message: "no progress: 5" }),
        Agent.progress({ remainingMillis: 2000 }),
        Agent.output("ab", usage(16, 3))
      ])
    })
  )

  test(
    "have errors that a result takes back, and that say their kind and when to come back",
    Effect.gen(function* () {
      const oops = { kind: "oops", why: "the disk is full" }
      const text = { kind: "text", text: "x" }
      assert.strictEqual(yield* value(echo(mapping), lines(oops, text)), "x")
      assert.strictEqual(yield* value(echo(mapping), lines(text, oops, { kind: "fine" })), "x")
      const failed = yield* error(echo(mapping), lines(text, oops))
      assert.strictEqual(failed.kind, "Failed")
      assert.include(failed.message, "the disk is full")
      const limited = yield* error(echo(mapping), lines({ kind: "limit", wait: "1m30s" }, oops))
      assert.strictEqual(limited.kind, "RateLimited")
      assert.strictEqual(limited.retryAfterMillis, 90_000)
      assert.include(limited.message, "the disk is full")
    })
  )

  test(
    "that give no result are an error that says why, with the end of both streams",
    Effect.gen(function* () {
      const none = yield* error(
        shell("cat; echo complaint >&2", { output: mapping }),
        lines({ kind: "text" })
      )
      assert.strictEqual(none.kind, "InvalidOutput")
      assert.include(none.message, "no `item.text`")
      assert.include(none.message, '{"kind":"text"}')
      assert.include(none.message, "complaint")
      const long = yield* error(
        echo(mapping, { maxOutputBytes: 50 }),
        lines(...Array(10).fill({ kind: "text", text: "123456" }))
      )
      assert.include(long.message, "longer than 50 characters")
      const ends: OutputMapping = {
        format: "jsonl",
        records: [...records, { when: "item.kind == 'end'", ends: true }]
      }
      const text = { kind: "text", text: "half" }
      assert.include((yield* error(echo(ends), lines(text))).message, "ended before the record that ends it")
      assert.strictEqual(yield* value(echo(ends), lines(text, { kind: "end" })), "half")
    })
  )

  test(
    "are one where the output is JSON, and lines where it is text",
    Effect.gen(function* () {
      const json: OutputMapping = {
        format: "json",
        records: [
          { when: "has(item.response)", result: { said: "{{ item.response }}" } },
          { when: "has(item.error)", error: { message: "{{ item.error.message }}" } },
          {
            usage: {
              inputTokens: "{{ item.models.map(m, item.models[m].sent) }}",
              costUsd: "{{ item.price }}"
            }
          }
        ]
      }
      const models = { a: { sent: 1 }, b: { sent: 20 } }
      const whole = yield* outcome(echo(json), lines({ response: "hi", models, price: "$0.50" }))
      assert.deepStrictEqual(whole.value, { said: "hi" })
      assert.strictEqual(whole.usage.inputTokens, 21)
      assert.strictEqual(whole.usage.costMicroUsd, 500_000)
      const broken = shell("cat; exit 3", { output: json })
      const failed = yield* error(broken, lines({ error: { message: "no such model" }, models }))
      assert.include(failed.message, "no such model")
      assert.strictEqual(failed.usage?.inputTokens, 21)

      const text: OutputMapping = {
        format: "text",
        records: [
          {
            pattern: "^used (?<sent>[\\d.,]+k?) in(?:, (?<out>\\d+) out)?",
            usage: { inputTokens: "{{ item.sent }}", outputTokens: "{{ item.out }}" }
          },
          { when: "item.line.startsWith('# ')", message: "{{ item.line }}" }
        ]
      }
      const told = yield* outcome(echo(text), "# one\r\nused 2.5k in, 7 out\nused 1,234 in\nend\n")
      assert.strictEqual(told.value, "# one\r\nused 2.5k in, 7 out\nused 1,234 in\nend")
      assert.deepInclude(told.usage, { inputTokens: 1234, outputTokens: 7 })
    })
  )

  test(
    "are priced by the model where the program does not say what it cost",
    Effect.gen(function* () {
      const models = {
        big: { argument: "big-2", inputUsdPerMillion: 2, cachedUsdPerMillion: 0.5, outputUsdPerMillion: 10 }
      }
      const call = { kind: "call", id: "a", fresh: 100, cached: 1000, out: 10 }
      const made = (more: object) =>
        echo(mapping, { args: ["{{model}}"], models, model: "big", promptField: "prompt", ...more })
      const { usage } = yield* outcome(made({}), lines(call, { kind: "text", text: "x" }))
      // 100 at 2, 1,000 at 0.5 and 10 at 10 dollars per million.
      assert.strictEqual(usage.costMicroUsd, 800)
      const show = script("process.stdout.write(process.argv.slice(1).join(' '))", {
        args: [["--model", "{{model}}"], ["--file", "{{input.file}}"], "end"],
        models
      })
      assert.strictEqual(yield* value(show), "end")
      assert.strictEqual(yield* value(show, { model: "big", file: "a" }), "--model big-2 --file a end")
    })
  )
})

describe("failures", () => {
  /** What a tool that fails with this on its standard error has met. */
  const said = (name: ToolDefinition.WellKnownName, message: string) => {
    const definition = { extends: name, command: "/bin/sh", args: ["-c", "cat >&2; exit 1"] }
    return error(ToolDefinition.make("tool", { ...definition, prompt: "stdin" }), message)
  }

  test(
    "that the tools are known to tell are what they mean",
    Effect.gen(function* () {
      const now = Date.now()
      const minutes = (count: number) => count * 60_000
      const table = [
        [
          "claude-code",
          `Claude AI usage limit reached|${Math.floor(now / 1000) + 600}`,
          "QuotaExhausted",
          minutes(10)
        ],
        ["claude-code", "Credit balance is too low", "QuotaExhausted", undefined],
        ["claude-code", "API Error: 529 overloaded_error", "Unavailable", undefined],
        ["claude-code", "Prompt is too long", "ContextTooLong", undefined],
        ["codex", "You've hit your usage limit. Try again in 5 minutes.", "QuotaExhausted", minutes(5)],
        [
          "codex",
          'usage_limit_reached","resets_at":1,"resets_in_seconds":13872',
          "QuotaExhausted",
          13_872_000
        ],
        ["codex", "Rate limit reached for gpt-5. Please try again in 1.5s.", "RateLimited", 1500],
        ["codex", "exceeded retry limit, last status: 429 Too Many Requests", "RateLimited", undefined],
        ["gemini", "Quota exceeded for quota metric. Please retry in 12.5s.", "RateLimited", 12_500],
        ["gemini", "got status: RESOURCE_EXHAUSTED", "QuotaExhausted", undefined],
        ["opencode", "AI_APICallError: 503 Service Unavailable", "Unavailable", undefined],
        ["aider", "litellm.ContextWindowExceededError: too long", "ContextTooLong", undefined],
        ["aider", "something else", "Failed", undefined]
      ] as const
      for (const [name, message, kind, wait] of table) {
        const failed = yield* said(name, message)
        assert.strictEqual(failed.kind, kind, message)
        if (wait === undefined) assert.isUndefined(failed.retryAfterMillis, message)
        else assert.closeTo(failed.retryAfterMillis ?? 0, wait, 10_000, message)
      }
    })
  )

  it("say when a limit is reset in any of the ways that tools write", () => {
    const now = Date.UTC(2025, 10, 21, 18, 30)
    const at = (hours: number, minutes = 0, day = 21) => Date.UTC(2025, 10, day, hours, minutes)
    assert.strictEqual(momentMillis("7pm (UTC)", now), at(19))
    assert.strictEqual(momentMillis("5:45 pm (UTC)", now), at(17, 45, 22))
    assert.strictEqual(momentMillis("12am (Europe/Berlin)", now), at(23))
    assert.strictEqual(momentMillis("18:31 UTC", now), at(18, 31))
    assert.strictEqual(momentMillis(at(20) / 1000, now), at(20))
    assert.strictEqual(momentMillis(String(at(20)), now), at(20))
    assert.strictEqual(momentMillis("2025-11-21T20:00:00Z", now), at(20))
    assert.strictEqual(momentMillis("Nov 22nd, 2025 8:15 AM UTC.", now), at(8, 15, 22))
    assert.isUndefined(momentMillis("soon", now))
    assert.isUndefined(momentMillis("3pm (Mars/Olympus)", now))
    assert.strictEqual(durationMillis("3h14m5s"), 11_645_000)
    assert.strictEqual(durationMillis("2 days, 1 hour 1 minute"), 176_460_000)
    assert.strictEqual(durationMillis("120"), 120_000)
    assert.strictEqual(durationMillis("350ms"), 350)
    assert.isUndefined(durationMillis("a while"))
    assert.isUndefined(durationMillis("3 months"))
  })
})

describe("the environment", () => {
  const print = (name: string) => ["-c", `printf %s "$${name}"`]
  const tool = (env: ToolDefinition.ToolDefinition["env"], more: ToolDefinition.Options = {}) =>
    ToolDefinition.make(
      "tool",
      { command: "/bin/sh", args: print("OUT"), ...(env === undefined ? {} : { env }) },
      more
    )

  test(
    "is made of variables of the host and of secrets, and of nothing else",
    Effect.gen(function* () {
      process.env.SWITCHYARD_TEST_A = "a $b \\ c"
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          delete process.env.SWITCHYARD_TEST_A
        })
      )
      const secrets = Secrets.make((name) =>
        name === "KEY" ? Effect.succeed("s3cret") : Effect.fail("it is not in the safe")
      )
      const out = (text: string) => value(tool({ set: { OUT: text } }, { secrets }))
      assert.strictEqual(yield* out(`<\${SWITCHYARD_TEST_A}>`), "<a $b \\ c>")
      assert.strictEqual(yield* out(`\${SWITCHYARD_TEST_B:x:y}\${SWITCHYARD_TEST_B:}`), "x:y")
      assert.strictEqual(yield* out(`\\\${SWITCHYARD_TEST_A} $HOME`), `\${SWITCHYARD_TEST_A} $HOME`)
      assert.strictEqual(yield* out(`Bearer \${secret:KEY}`), "Bearer s3cret")
      const unset = yield* error(tool({ set: { OUT: `\${SWITCHYARD_TEST_B}` } }))
      assert.strictEqual(unset.kind, "NotFound")
      assert.isFalse(unset.retryable)
      assert.match(
        unset.message,
        /SWITCHYARD_TEST_B is not set.*environment of the host.*\$\{SWITCHYARD_TEST_B:default\}/
      )
      const unknown = yield* error(tool({ set: { OUT: `\${secret:NONE}` } }, { secrets }))
      assert.strictEqual(unknown.kind, "Unauthorized")
      assert.include(unknown.message, "it is not in the safe")
    })
  )

  test(
    "that lacks what is required starts nothing, and shows in the health of the agent",
    Effect.gen(function* () {
      const made = tool({ required: ["SWITCHYARD_TEST_KEY"] })
      const missing = yield* error(made)
      assert.strictEqual(missing.kind, "NotFound")
      assert.isFalse(missing.retryable)
      assert.include(missing.message, "SWITCHYARD_TEST_KEY is not set")
      assert.deepStrictEqual(files(`${(yield* workspace).stateDir}/programs`), [])
      const health = Effect.flatMap(made, (agent) => agent.probe ?? Effect.die("no probe"))
      assert.deepStrictEqual(yield* health, { _tag: "Unhealthy", error: missing.message })
      process.env.SWITCHYARD_TEST_KEY = "k"
      const found = yield* health
      const inherited = tool({ inherit: ["PATH", "SWITCHYARD_TEST_KEY"], required: ["SWITCHYARD_TEST_KEY"] })
      const given = yield* Effect.flatMap(inherited, (agent) => agent.probe ?? Effect.die("no probe"))
      delete process.env.SWITCHYARD_TEST_KEY
      assert.strictEqual(found._tag, "Unhealthy", "it is not passed on")
      assert.strictEqual(given._tag, "Healthy")
    })
  )
})

describe("an attempt", () => {
  test(
    "that takes too long is ended with everything it started, and keeps what it had consumed",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const late = yield* error(
        shell(`trap '' INT; echo '{"usage":{"inputTokens":7}}'; echo working >&2; sleep 60 & wait`, {
          output: "jsonl",
          timeout: "300 millis",
          escalation: { terminate: "100 millis", kill: "100 millis" },
          env
        })
      )
      assert.strictEqual(late.kind, "Timeout")
      assert.isTrue(late.retryable)
      assert.include(late.message, "300ms")
      assert.include(late.message, "working")
      assert.strictEqual(late.usage?.inputTokens, 7)
      assert.deepStrictEqual(marked(mark), [])
    })
  )

  test(
    "starts nothing where the run does not grant it",
    Effect.gen(function* () {
      const space = yield* workspace
      const agent = yield* shell("echo started > started", { requires: ["Network"] })
      assert.deepStrictEqual(agent.requires, ["Execute", "Network"])
      for (const denied of ["Execute", "Network"] as const) {
        const permissions: Agent.Permissions = {
          granted: [],
          allows: (permission) => permission !== denied,
          require: (permission, reason) =>
            permission === denied
              ? Effect.fail(
                  new Agent.AgentError({ kind: "PermissionDenied", reason: `${permission}: ${reason}` })
                )
              : Effect.void,
          deny: Agent.unrestricted.deny
        }
        const refused = yield* Effect.flip(eventsOf(agent, taskIn(space, "in", { permissions })))
        assert.strictEqual(refused.kind, "PermissionDenied")
        assert.include(refused.message, `${denied}: run the program "/bin/sh"`)
        assert.deepStrictEqual(files(space.outputsDir), [])
      }
    })
  )
})

describe("a definition in a file", () => {
  const args = ({ args: written = [] }: ToolDefinition.ToolDefinition) => written
  it("is checked whole, and names what is wrong", () => {
    const decode = (value: unknown) =>
      Schema.decodeUnknownEither(ToolDefinition.ToolDefinition, { errors: "all", onExcessProperty: "error" })(
        value
      )
    const good = {
      command: "tool",
      args: ["a", ["--model", "{{model}}"]],
      timeout: "20m",
      terminal: true,
      output: "jsonl"
    }
    assert.strictEqual(decode(good)._tag, "Right")
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ command: "" }, "command"],
      [{ timeout: "soon" }, "a duration such as 90s"],
      [{ prompt: "file descriptor" }, "prompt"],
      [{ output: { format: "xml" } }, "format"],
      [{ output: { format: "text", failures: [{ kind: "Bad" }] } }, "kind"],
      [{ comand: "x" }, "comand"]
    ]
    for (const [value, part] of wrong) {
      const found = decode(value)
      assert.strictEqual(found._tag, "Left", part)
      assert.include(found._tag === "Left" ? found.left.message : "", part)
    }
  })

  it.effect("is what the documentation shows, and does what it says", () =>
    Effect.gen(function* () {
      const page = readFileSync(new URL("../../docs/process-agents.md", import.meta.url), "utf8")
      const [, yaml = ""] = /```yaml\n(# agents\/linter[^`]*)```/.exec(page) ?? []
      const { capabilities, id, kind, ...fields } = parse(yaml)
      assert.deepStrictEqual([id, kind, capabilities], ["linter", "process", ["lint", "review"]])
      const definition = yield* Schema.decodeUnknown(ToolDefinition.ToolDefinition, {
        onExcessProperty: "error"
      })(fields)
      const written = [
        { event: "progress", done: 1, total: 4, file: "a.c" },
        { event: "call", id: 1, in_tokens: 100, out_tokens: 10 },
        { event: "finding", finding: { line: 1 } },
        { event: "finding", finding: { line: 2 } },
        { event: "end" }
      ]
      const run = (args: ToolDefinition.ToolDefinition["args"] & {}, prompt: Json) =>
        Effect.gen(function* () {
          const secrets = Secrets.make(() => Effect.succeed("a key"))
          const own = { ...definition, command: "/bin/sh", args }
          const agent = yield* ToolDefinition.make("linter", own, { secrets })
          return yield* eventsOf(agent, taskIn(yield* workspace, prompt))
        }).pipe(Effect.scoped, Effect.provide(DirectoryWorkspace.layerTemp()))
      const events = yield* run(["-c", "cat", ...args(definition)], { prompt: lines(...written), rule: "x" })
      const usage = { inputTokens: 100, outputTokens: 10, cachedTokens: 0, costMicroUsd: 28 }
      assert.deepStrictEqual(events, [
        Agent.progress({ progress: 0.25, message: "a.c" }),
        Agent.progress({ usage }),
        Agent.output([{ line: 1 }, { line: 2 }], usage)
      ])
      const limited = yield* Effect.flip(run(["-c", "echo slow down, retry in 90s >&2; exit 1"], "x"))
      assert.deepInclude(limited, { kind: "RateLimited", retryAfterMillis: 90_000 })
    })
  )

  it.scopedLive(
    "is a line where it is a ready one, and is told by the engine which model a step asks for",
    () =>
      Effect.gen(function* () {
        const ready = yield* AgentFile.parse("id: c\nextends: claude-code\nmodel: opus")
        assert.include(
          ready.agent.capabilities.map(({ skill }) => skill),
          "code-review"
        )
        assert.deepStrictEqual(ready.agent.requires, ["Execute", "Network", "InvokeModel"])
        const teller = yield* AgentFile.parse(`
        id: teller
        capabilities: [{ skill: tell, constraints: { model: [small, large] } }]
        command: echo
        args: ["{{model}}"]
        models: { small: {}, large: { argument: large-2 } }
        model: small
      `)
        const directory = yield* temporaryDirectory
        const workflow = Workflow.make("tell").pipe(
          Workflow.step("any", { skill: "tell", input: "x" }),
          Workflow.step("large", { skill: "tell", input: "x", constraints: { model: "large" } })
        )
        const outputs = Effect.gen(function* () {
          const run = yield* (yield* ControlPlane).registerRun({ workflow })
          return (yield* run.result).outputs
        })
        assert.deepStrictEqual(
          yield* Effect.provide(outputs, Switchyard.layer({ directory, agents: [teller.agent] })),
          { any: "small", large: "large-2" }
        )
      })
  )

  it.effect("becomes an agent by its kind, and without anything being started", () =>
    Effect.gen(function* () {
      const host = { secrets: Secrets.none }
      const agent = yield* ToolDefinition.kind.make("a", { extends: "codex" }, host)
      assert.deepStrictEqual(agent.requires, ["Execute", "Network", "InvokeModel"])
      const exit = yield* Effect.exit(ToolDefinition.kind.make("a", { command: "./x" }, host))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "InvalidAgent")
    })
  )
})
