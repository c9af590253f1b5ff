import * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Response from "@effect/ai/Response"
import { describe, expect, it } from "@effect/vitest"
import * as LanguageModelAgent from "@switchyard/agents/LanguageModelAgent"
import * as ModelTool from "@switchyard/agents/ModelTool"
import { AgentError } from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Attempted, attempt, granting, taskOf, workspaceOf } from "./attempt.js"
import { type Act, answer, begin, eventsOf, inPieces } from "./modelServer.js"
import { agentOf, key, protocols, withServer } from "./servedAgent.js"

const Verdict = Schema.Struct({
  verdict: Schema.Literal("accept", "reject"),
  reasons: Schema.Array(Schema.String),
  confidence: Schema.optionalWith(Schema.Number, { exact: true })
})

const good = { verdict: "accept", reasons: ["it works"] }

const call = (name: string, args: unknown, id = "call_1") => ({ id, name, args })

/** What was sent with the last request, as text. */
const sent = (requests: ReadonlyArray<{ readonly body: unknown }>, at = -1): string =>
  JSON.stringify(requests.at(at)?.body)

describe.each(protocols)("a language model agent over %s", (protocol) => {
  it.live("streams progress and gives the text with its usage and cost", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(answer(protocol, { text: ["Grüße, ", "Wélt"], input: 1000, output: 200, cached: 500 }))
        const agent = yield* agentOf(protocol, server.url, {
          system: "Be brief.",
          temperature: 0.5,
          maxTokens: 77,
          fields: { top_p: 0.25 }
        })
        const { outcome, progress } = yield* attempt(agent, taskOf("Say hello."))
        expect(outcome).toEqual({
          _tag: "Output",
          value: "Grüße, Wélt",
          usage: {
            inputTokens: 1500,
            outputTokens: 200,
            cachedTokens: 500,
            costMicroUsd: 3000 + 150 + 3000
          }
        })
        expect(progress.map(({ message }) => message)).toContain("Grüße,")
        expect(progress.at(-1)?.usage).toEqual("usage" in outcome ? outcome.usage : undefined)
        expect(server.requests.map(({ path }) => path)).toEqual([
          { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" }[protocol]
        ])
        const [request] = server.requests
        expect(request?.body).toMatchObject({ model: "served", stream: true, temperature: 0.5, top_p: 0.25 })
        expect(sent(server.requests)).toContain("Be brief.")
        expect(sent(server.requests)).toContain("Say hello.")
        expect(sent(server.requests)).toMatch(/"max_(output_)?tokens":77/)
        expect(request?.headers.authorization ?? request?.headers["x-api-key"]).toContain(key)
        expect(Object.keys(request?.headers ?? {})).not.toContain("traceparent")
      })
    )
  )

  it.live("understands events wherever they are cut, inside of characters and line ends too", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const text = ["„Zwölf Boxkämpfer“ 🥊", " jagen\r\n", "Viktor 日本語"]
        const bytes = eventsOf(protocol, { text, input: 7, output: 3 })
          .join("")
          .replaceAll("data: {", "data:\ndata: {")
        const agent = yield* agentOf(protocol, server.url)
        for (const ends of ["\n", "\r\n", "\r"]) {
          server.script(inPieces(`: hello${ends}retry: 60000${ends}${bytes.replaceAll("\n", ends)}`))
          const { outcome } = yield* attempt(agent, taskOf("?"))
          expect(outcome).toMatchObject({
            value: text.join(""),
            usage: { inputTokens: 7, outputTokens: 3 }
          })
        }
      })
    )
  )

  it.live("shows the end of long texts, and less often than they grow", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const text = Array.from({ length: 300 }, (_, at) => `word${at} `)
        server.script(answer(protocol, { text }))
        const agent = yield* agentOf(protocol, server.url, { progressCharacters: 600 })
        const { outcome, progress } = yield* attempt(agent, taskOf("?"))
        const shown = progress.flatMap(({ message }) => message ?? [])
        expect(outcome).toMatchObject({ value: text.join("") })
        expect(shown.length).toBeGreaterThan(2)
        expect(shown.length).toBeLessThan(7)
        expect(shown.every((each) => each.length <= 201)).toBe(true)
        expect(shown.at(-1)).toMatch(/^….*word\d+$/)
      })
    )
  )

  it.live("asks what a template makes of the task", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(answer(protocol, { text: ["ok"] }))
        const agent = yield* agentOf(protocol, server.url, {
          prompt: "Translate {{input.text}} to {{input.to}} (item {{index}} of {{total}}), keep \\{{name}}."
        })
        yield* attempt(agent, taskOf({ text: "{{index}}", to: "French" }, { index: 3, total: 9 }))
        expect(sent(server.requests)).toContain("Translate {{index}} to French (item 3 of 9), keep {{name}}.")
        const { outcome } = yield* attempt(agent, taskOf({ text: "a" }))
        expect(outcome).toMatchObject({ kind: "InvalidInput", reason: /input\.to/ })
        expect(server.requests.length).toBe(1)
      })
    )
  )

  it.live("gives an answer by Schema, which the model submits by a tool", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(answer(protocol, { text: ["Let me see."], calls: [call("submit_answer", good)] }))
        const agent = yield* agentOf(protocol, server.url, { output: Verdict })
        const { outcome } = yield* attempt(agent, taskOf("Is it good?"))
        expect(outcome).toMatchObject({ _tag: "Output", value: good })
        expect(sent(server.requests)).toContain('"enum":["accept","reject"]')
      })
    )
  )

  it.live(
    "sends an answer that is not by its Schema back with all that is wrong, and counts every request",
    () =>
      withServer((server) =>
        Effect.gen(function* () {
          const bad = { verdict: "maybe", reasons: "none" }
          server.script(
            answer(protocol, { calls: [call("submit_answer", bad)], input: 100, output: 10 }),
            answer(protocol, { text: ["I forgot the tool."], input: 200, output: 10 }),
            answer(protocol, {
              text: [`\`\`\`json\n${JSON.stringify(good)}\n\`\`\``],
              input: 300,
              output: 10
            })
          )
          const agent = yield* agentOf(protocol, server.url, { output: Verdict })
          const { outcome } = yield* attempt(agent, taskOf("Is it good?"))
          expect(outcome).toMatchObject({ value: good, usage: { inputTokens: 600, outputTokens: 30 } })
          expect(sent(server.requests, 1)).toContain("verdict")
          expect(sent(server.requests, 1)).toMatch(/maybe.*reasons: Expected/)
          expect(sent(server.requests, 2)).toContain("it is no JSON")
        })
      )
  )

  it.live("fails with what is wrong when repairs do not help", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(answer(protocol, { text: ['{"verdict":"maybe"}'], input: 10, output: 1 }))
        const agent = yield* agentOf(protocol, server.url, { output: Verdict, outputBy: "text", repairs: 1 })
        const { outcome } = yield* attempt(agent, taskOf("Is it good?"))
        expect(outcome).toMatchObject({
          kind: "InvalidOutput",
          reason: /also after 1 repairs.*maybe.*reasons: is missing/,
          usage: { inputTokens: 20, outputTokens: 2, costMicroUsd: 90 }
        })
        expect(server.requests.length).toBe(2)
        expect(sent(server.requests)).not.toContain("submit_answer")
      })
    )
  )

  it.live("checks answers by JSON Schema, also such that are no objects", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(
          answer(protocol, { calls: [call("submit_answer", { answer: ["a", 2] })] }),
          answer(protocol, { calls: [call("submit_answer", { answer: ["a", "b"] })] })
        )
        const agent = yield* agentOf(protocol, server.url, {
          output: { jsonSchema: { type: "array", items: { type: "string" } } }
        })
        const { outcome } = yield* attempt(agent, taskOf("Name two."))
        expect(outcome).toMatchObject({ value: ["a", "b"] })
        expect(sent(server.requests, 1)).toContain("[1]")
      })
    )
  )

  it.live("calls tools that read and write files of the workspace", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const files = new Map([["outputs/a.txt", "alpha"]])
        server.script(
          answer(protocol, {
            text: ["First I look."],
            calls: [
              call("list_files", { area: "outputs" }, "call_1"),
              call("read_file", { area: "outputs", path: "a.txt" }, "call_2")
            ]
          }),
          answer(protocol, {
            calls: [call("write_file", { area: "reports", path: "b.txt", content: "beta" }, "call_3")]
          }),
          answer(protocol, { text: ["Done."] })
        )
        const agent = yield* agentOf(protocol, server.url, { tools: ModelTool.workspaceTools })
        const { outcome, progress } = yield* attempt(
          agent,
          taskOf("Copy a to b.", { workspace: workspaceOf(files) })
        )
        expect(outcome).toMatchObject({ value: "Done.", usage: { inputTokens: 30, outputTokens: 15 } })
        expect(files.get("reports/b.txt")).toBe("beta")
        expect(sent(server.requests, 1)).toMatch(/First I look.*call_1.*call_2.*a\.txt.*alpha/)
        expect(progress.map(({ message }) => message)).toContain("calls read_file")
      })
    )
  )

  it.live("offers the tools that the run allows, and denies the others when they are called", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const { denied, permissions } = granting([
          "InvokeModel",
          "Network",
          "ReadFiles",
          "tool:read_file",
          "tool:write_file"
        ])
        const files = new Map<string, string>()
        server.script(
          answer(protocol, {
            calls: [
              call("write_file", { area: "outputs", path: "a", content: "b" }, "call_1"),
              call("list_files", { area: "outputs" }, "call_2")
            ]
          }),
          answer(protocol, { text: ["I may not."] })
        )
        const agent = yield* agentOf(protocol, server.url, { tools: ModelTool.workspaceTools })
        const task = taskOf("Write.", { permissions, workspace: workspaceOf(files) })
        const { outcome } = yield* attempt(agent, task)
        expect(outcome).toMatchObject({ value: "I may not." })
        expect(denied).toEqual(["WriteFiles", "tool:list_files"])
        expect(files.size).toBe(0)
        expect(sent(server.requests, 0)).toContain('"read_file"')
        expect(sent(server.requests, 0)).not.toMatch(/write_file|list_files/)
        expect(sent(server.requests, 1)).toMatch(/WriteFiles is not granted.*tool:list_files is not granted/)
      })
    )
  )

  it.live("asks nothing where the run lets it ask no model", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const { denied, permissions } = granting(["InvokeModel"])
        const agent = yield* agentOf(protocol, server.url)
        const { outcome } = yield* attempt(agent, taskOf("?", { permissions }))
        expect(outcome).toMatchObject({ kind: "PermissionDenied" })
        expect(denied).toEqual(["Network"])
        expect(agent.requires).toEqual(["InvokeModel", "Network"])
        expect(server.requests).toEqual([])
      })
    )
  )

  it.live(
    "tells the model of calls that cannot be made: wrong arguments, failures, tools that there are not",
    () =>
      withServer((server) =>
        Effect.gen(function* () {
          const add = ModelTool.make("add", {
            description: "Adds.",
            parameters: Schema.Struct({ a: Schema.Number, b: Schema.Number }),
            handler: ({ a, b }) => (b === 0 ? ModelTool.fail("b may not be 0") : Effect.succeed(a + b))
          })
          server.script(
            answer(protocol, { calls: [call("add", { a: "1", b: 2 })] }),
            answer(protocol, { calls: [call("add", { a: 1, b: 0 })] }),
            answer(protocol, { calls: [call("subtract", { a: 1, b: 0 })] }),
            answer(protocol, { calls: [call("add", { a: 1, b: 2 })] }),
            answer(protocol, { text: ["3"] })
          )
          const agent = yield* agentOf(protocol, server.url, { tools: [add] })
          const { outcome } = yield* attempt(agent, taskOf("1 + 2?"))
          expect(outcome).toMatchObject({ value: "3" })
          expect(sent(server.requests, 1)).toMatch(/the arguments are not what.*a: Expected number/)
          expect(sent(server.requests, 2)).toContain("b may not be 0")
          expect(sent(server.requests, 3)).toMatch(/there is no tool.*subtract.*there is add/)
          expect(sent(server.requests, 4)).toMatch(/"3"|:3|content":"3/)
        })
      )
  )

  it.live("tells the model of arguments that are no JSON", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(
          answer(protocol, { calls: [call("submit_answer", '{"verdict": "acc')] }),
          answer(protocol, { calls: [call("submit_answer", good)] })
        )
        const agent = yield* agentOf(protocol, server.url, { output: Verdict })
        const { outcome } = yield* attempt(agent, taskOf("?"))
        expect(outcome).toMatchObject({ value: good })
        expect(sent(server.requests, 1)).toContain("That answer cannot be used")
      })
    )
  )

  it.live("ends with an error of a tool, and with one too many rounds of calls", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const flaky = ModelTool.make("flaky", {
          description: "Fails.",
          parameters: Schema.Struct({ how: Schema.Literal("hard", "not") }),
          handler: ({ how }) =>
            how === "hard"
              ? Effect.fail(new AgentError({ kind: "Unavailable", reason: "the disk is gone" }))
              : Effect.succeed(null)
        })
        server.script(answer(protocol, { calls: [call("flaky", { how: "hard" })], input: 10, output: 1 }))
        const agent = yield* agentOf(protocol, server.url, { tools: [flaky], maxToolRounds: 3 })
        expect((yield* attempt(agent, taskOf("?"))).outcome).toMatchObject({
          kind: "Unavailable",
          reason: "the disk is gone",
          usage: { inputTokens: 10 }
        })
        server.script(answer(protocol, { calls: [call("flaky", { how: "not" })], input: 10, output: 1 }))
        expect((yield* attempt(agent, taskOf("?"))).outcome).toMatchObject({
          kind: "Failed",
          reason: /within 3 rounds of calling tools/,
          usage: { inputTokens: 40, outputTokens: 4 }
        })
      })
    )
  )

  it.live("does not take answers that were cut off or filtered for answers", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const agent = yield* agentOf(protocol, server.url)
        server.script(answer(protocol, { text: ["Once upon a"], stop: "length" }))
        expect((yield* attempt(agent, taskOf("?"))).outcome).toMatchObject({
          kind: "Failed",
          reason: /maxTokens/,
          usage: { outputTokens: 5 }
        })
        const keeping = yield* agentOf(protocol, server.url, { onCutOff: "keep" })
        expect((yield* attempt(keeping, taskOf("?"))).outcome).toMatchObject({ value: "Once upon a" })
        server.script(answer(protocol, { text: ["I"], stop: "filter" }))
        expect((yield* attempt(agent, taskOf("?"))).outcome).toMatchObject({
          kind: "Failed",
          reason: /content filter/
        })
      })
    )
  )
})

describe("an agent of any language model", () => {
  const finish = (inputTokens: number, outputTokens: number) => ({
    type: "finish" as const,
    reason: "stop" as const,
    usage: { inputTokens, outputTokens, totalTokens: undefined, cachedInputTokens: 4 }
  })

  const modelOf = (stream: Stream.Stream<Response.StreamPartEncoded, AiError.AiError>) =>
    LanguageModel.make({ streamText: () => stream, generateText: () => Effect.succeed([]) })

  const attemptWith = (
    stream: Stream.Stream<Response.StreamPartEncoded, AiError.AiError>,
    tasks = 1
  ): Effect.Effect<ReadonlyArray<Attempted>, unknown> =>
    Effect.gen(function* () {
      const agent = yield* LanguageModelAgent.make("any", {
        capabilities: [{ skill: "write" }],
        provider: "elsewhere",
        model: "unheard-of",
        languageModel: modelOf(stream),
        stallTimeout: "50 millis"
      })
      return yield* Effect.forEach(Array.from({ length: tasks }), () => attempt(agent, taskOf("?")))
    })

  it.live("counts what the library reports, and warns once that its price is not known", () =>
    Effect.gen(function* () {
      const [first, second] = yield* attemptWith(
        Stream.make({ type: "text-delta" as const, id: "0", delta: "hi" }, finish(10, 3)),
        2
      )
      expect(first?.outcome).toMatchObject({
        value: "hi",
        usage: { inputTokens: 10, outputTokens: 3, cachedTokens: 4, costMicroUsd: 0 }
      })
      const warnings = [first, second].map(
        (each) =>
          each?.progress.filter(({ message }) => message?.includes("price of elsewhere/unheard-of")).length
      )
      expect(warnings).toEqual([1, 0])
    })
  )

  it.live("tells apart what it fails with, and waits for no silent one", () =>
    Effect.gen(function* () {
      const text = { type: "text-delta" as const, id: "0", delta: "hi" }
      const overloaded = {
        type: "error" as const,
        error: { type: "overloaded_error", message: "Overloaded" }
      }
      const failed = new AiError.UnknownError({ module: "m", method: "n", description: "odd" })
      const outcomes = yield* Effect.forEach(
        [
          Stream.concat(Stream.make(text), Stream.never),
          Stream.make(text, overloaded, finish(1, 1)),
          Stream.make(text),
          Stream.fail(failed),
          Stream.die(new Error("a bug"))
        ],
        (stream) => Effect.exit(attemptWith(stream))
      )
      expect(
        outcomes.map((exit) => (exit._tag === "Success" ? exit.value[0]?.outcome : "a defect"))
      ).toMatchObject([
        { kind: "Timeout" },
        { kind: "Unavailable", reason: /Overloaded/ },
        { kind: "Unavailable", reason: /broke off/ },
        { kind: "Failed", reason: /odd/ },
        "a defect"
      ])
    })
  )
})

describe("a server that is compatible in its own way", () => {
  const raw =
    (...chunks: ReadonlyArray<unknown>): Act =>
    (response) => {
      begin(response)
      response.end(
        chunks.map((each) => `data: ${typeof each === "string" ? each : JSON.stringify(each)}\n\n`).join("")
      )
    }

  it.live("may leave out ids, places, usage and the last event, and give calls whole", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const whole = (name: string, args: unknown) => ({
          function: { name, arguments: JSON.stringify(args) },
          id: `id_${name}`
        })
        server.script(
          raw(
            { choices: [{ delta: { role: "assistant", content: null } }] },
            { choices: [{ delta: { tool_calls: [whole("list_files", { area: "outputs" })] } }] },
            { choices: [{ delta: { tool_calls: [whole("read_file", { area: "outputs", path: "a" })] } }] },
            { choices: [{ delta: {}, finish_reason: "tool_calls" }], usage: { prompt_tokens: 9 } }
          ),
          raw(
            { choices: [{ delta: { content: "done" } }] },
            { choices: [{ finish_reason: "stop" }] },
            { choices: null }
          )
        )
        const agent = yield* agentOf("chat", server.url, { tools: ModelTool.workspaceTools })
        const { outcome } = yield* attempt(
          agent,
          taskOf("?", { workspace: workspaceOf(new Map([["outputs/a", "alpha"]])) })
        )
        expect(outcome).toMatchObject({ value: "done", usage: { inputTokens: 9, outputTokens: 0 } })
        expect(sent(server.requests)).toMatch(/id_list_files.*id_read_file.*alpha/)
      })
    )
  )
})
