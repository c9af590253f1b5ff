import { describe, expect, it } from "@effect/vitest"
import * as ModelAgentKind from "@switchyard/agents/ModelAgentKind"
import * as ModelTool from "@switchyard/agents/ModelTool"
import type { Agent } from "@switchyard/core/Agent"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import type { Permission } from "@switchyard/core/Permission"
import * as Secrets from "@switchyard/core/Secrets"
import { collect } from "@switchyard/core/testing/ControlPlaneLaws"
import * as Workflow from "@switchyard/core/Workflow"
import * as AgentFile from "@switchyard/node/AgentFile"
import * as Effect from "effect/Effect"
import { of, start } from "../core/engine.js"
import { answer, begin, eventsOf, refuse } from "./modelServer.js"
import { agentOf, key, withServer } from "./servedAgent.js"

const workflow = Workflow.make("writing").pipe(
  Workflow.step("write", { skill: "write", input: "Say hello.", retry: { attempts: 1 } })
)

const register = (agent: Agent, permissions?: ReadonlyArray<Permission>) =>
  Effect.gen(function* () {
    yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(agent))
    const plane = yield* ControlPlane
    return yield* plane.registerRun({
      workflow: workflow.definition,
      ...(permissions === undefined ? {} : { permissions })
    })
  })

describe("runs with agents of language models", () => {
  it.live("wait for the end of a limit without using up an attempt", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const limited = { error: { message: "slow down", type: "requests", code: "rate_limit_exceeded" } }
        server.script(
          refuse(429, limited, { "retry-after-ms": "150" }),
          answer("chat", { text: ["hello"], input: 100, output: 20 })
        )
        const run = yield* register(yield* agentOf("chat", server.url))
        const { outputs, summary } = yield* run.result
        expect(outputs).toEqual({ write: "hello" })
        expect(summary.usage).toEqual({
          inputTokens: 100,
          outputTokens: 20,
          cachedTokens: 0,
          costMicroUsd: 600
        })
        const entries = yield* collect(run.events)
        const [failed] = of(entries, "ItemFailed")
        expect(failed?.event).toMatchObject({ error: { kind: "RateLimited" }, retry: { held: true } })
        const [, second] = of(entries, "ItemStarted")
        expect((second?.time ?? 0) - (failed?.time ?? 0)).toBeGreaterThanOrEqual(140)
        expect(JSON.stringify(entries)).not.toContain(key)
      }).pipe(Effect.provide(start()))
    )
  )

  it.live("hang up on the model when they are cancelled, and keep what it used by then", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script((response) => {
          begin(response)
          const events = eventsOf("messages", { text: ["one ", "two"], input: 500 })
          response.write(events.slice(0, -3).join(""))
        })
        const run = yield* register(yield* agentOf("messages", server.url, { stallTimeout: "1 minute" }))
        const seen = () => Effect.map(run.status, () => server.requests.length)
        while ((yield* seen()) === 0) yield* Effect.sleep(5)
        yield* Effect.sleep(100)
        yield* run.control({ _tag: "Cancel" })
        yield* Effect.promise(() => server.requests[0]?.abandoned ?? Promise.reject(new Error("not asked")))
        const { status, summary } = yield* run.result
        expect(status).toBe("Cancelled")
        expect(summary.usage).toMatchObject({ inputTokens: 500, costMicroUsd: 1515 })
      }).pipe(Effect.provide(start()))
    )
  )

  it.live("record what a model may not do, and let it go on without", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const call = { id: "call_1", name: "write_file", args: { area: "outputs", path: "a", content: "b" } }
        server.script(answer("chat", { calls: [call] }), answer("chat", { text: ["I may not."] }))
        const agent = yield* agentOf("chat", server.url, { tools: ModelTool.workspaceTools })
        const run = yield* register(agent, ["InvokeModel", "Network", "ReadFiles", "tool:read_file"])
        expect((yield* run.result).outputs).toEqual({ write: "I may not." })
        const denied = of(yield* collect(run.events), "PermissionDenied").map(({ event }) => event)
        expect(denied).toMatchObject([
          { permission: "tool:write_file", reason: /model called the tool "write_file"/, agentId: "writer" }
        ])
        expect(JSON.stringify(server.requests[0]?.body)).not.toContain("write_file")
      }).pipe(Effect.provide(start()))
    )
  )

  it.live("have agents that are made of files, with keys from secrets and prices of their own", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(
          answer("messages", {
            calls: [{ id: "call_1", name: "submit_answer", args: { words: 2 } }],
            input: 1000,
            output: 100,
            cached: 2000
          })
        )
        const text = `
id: counter
kind: model
capabilities: [write]
provider: anthropic
model: served
baseUrl: ${server.url}
secret: MODEL_KEY
prompt: "Count the words of: {{input}}"
output: { type: object, properties: { words: { type: integer } }, required: [words] }
stallTimeout: 5s
price: { inputUsdPerMillion: 2, cachedUsdPerMillion: 0.2, outputUsdPerMillion: 10 }
`
        const secrets = Secrets.make((name) =>
          name === "MODEL_KEY" ? Effect.succeed(key) : Effect.fail("no")
        )
        const { agent } = yield* AgentFile.parse(text, { kinds: [ModelAgentKind.kind], secrets })
        expect(server.requests).toEqual([])
        expect(agent.requires).toEqual(["InvokeModel", "Network"])
        expect(agent.definition?.kind).toBe("model")
        const run = yield* register(agent)
        const { outputs, summary } = yield* run.result
        expect(outputs).toEqual({ write: { words: 2 } })
        expect(summary.usage.costMicroUsd).toBe(2000 + 400 + 1000)
        expect(server.requests[0]?.headers["x-api-key"]).toBe(key)
        expect(JSON.stringify(server.requests[0]?.body)).toContain("Count the words of: Say hello.")
      }).pipe(Effect.provide(start()))
    )
  )
})

describe("a file of an agent of a language model", () => {
  const problemsOf = (lines: string) =>
    AgentFile.parse(`kind: model\ncapabilities: [write]\n${lines}`, { kinds: [ModelAgentKind.kind] }).pipe(
      Effect.flip,
      Effect.map(({ message }) => message)
    )

  it.effect.each([
    ["provider: openai", /model/],
    ["provider: open-ai\nmodel: a", /provider.*"openai" or "anthropic"|provider/],
    ["provider: openai\nmodel: a\ntemprature: 1", /temprature.*did you mean "temperature"/],
    ["provider: openai\nmodel: a\nstallTimeout: soon", /duration such as 90s/],
    ["provider: openai\nmodel: a\ntools: [execute]", /tools\[0\]/],
    ["provider: openai\nmodel: a\nprompt: '{{inputt}}'", /unknown placeholder \{\{inputt\}\}/],
    ["provider: anthropic\nmodel: a\napi: chat", /api is of the provider openai/]
  ] as const)("says what is wrong with it: %s", ([lines, message]) =>
    Effect.map(problemsOf(lines), (said) => expect(said).toMatch(message))
  )
})
