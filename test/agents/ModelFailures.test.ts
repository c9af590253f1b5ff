import { describe, expect, it } from "@effect/vitest"
import * as LanguageModelAgent from "@switchyard/agents/LanguageModelAgent"
import * as ModelTool from "@switchyard/agents/ModelTool"
import { AgentError } from "@switchyard/core/Agent"
import * as Secrets from "@switchyard/core/Secrets"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { attempt, taskOf } from "./attempt.js"
import { type Act, type Answer, answer, begin, eventsOf, type Protocol, refuse } from "./modelServer.js"
import { agentOf, key, protocols, withServer } from "./servedAgent.js"

/** The beginning of an answer of three words. */
const beginningOf = (protocol: Protocol, answer: Answer = { text: ["one ", "two ", "three"], input: 40 }) => {
  const events = eventsOf(protocol, answer)
  return events.slice(0, events.findIndex((each) => each.includes("two ")) + 1).join("")
}

/** What becomes of an attempt that the server answers in some way. */
const failureOf = (
  protocol: Protocol,
  act: Act,
  options: Partial<LanguageModelAgent.AccessOptions> = {}
): Effect.Effect<AgentError, unknown> =>
  withServer((server) =>
    Effect.gen(function* () {
      server.script(act)
      const agent = yield* agentOf(protocol, server.url, options)
      const { outcome, progress } = yield* attempt(agent, taskOf("?"))
      expect(JSON.stringify([outcome, progress])).not.toContain(key)
      expect(server.requests.length).toBe(1)
      return outcome instanceof AgentError ? outcome : yield* Effect.dieMessage("it succeeded")
    })
  )

const openAiError = (message: string, type: string, code: string | null = null) => ({
  error: { message, type, param: null, code }
})

const anthropicError = (type: string, message: string) => ({
  type: "error",
  error: { type, message },
  request_id: "req_1"
})

const statuses: ReadonlyArray<
  readonly [string, number, unknown, Readonly<Record<string, string>>, Partial<AgentError>]
> = [
  [
    "a wrong key",
    401,
    openAiError(`Incorrect API key provided: ${key}.`, "invalid_request_error", "invalid_api_key"),
    {},
    { kind: "Unauthorized" }
  ],
  ["no permission", 403, anthropicError("permission_error", "not for you"), {}, { kind: "Unauthorized" }],
  [
    "a model that there is not",
    404,
    anthropicError("not_found_error", "model: claude-0"),
    {},
    { kind: "NotFound" }
  ],
  [
    "a limit with a wait in seconds",
    429,
    openAiError("Rate limit reached", "requests", "rate_limit_exceeded"),
    { "retry-after": "7" },
    { kind: "RateLimited", retryAfterMillis: 7000 }
  ],
  [
    "a limit with a wait in milliseconds",
    429,
    openAiError("slow down", "tokens"),
    { "retry-after": "7", "retry-after-ms": "6543" },
    { kind: "RateLimited", retryAfterMillis: 6543 }
  ],
  [
    "limits with resets, of which one is reached",
    429,
    openAiError("slow down", "tokens"),
    {
      "x-ratelimit-remaining-requests": "12",
      "x-ratelimit-reset-requests": "1h0m0s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "1m30.5s"
    },
    { kind: "RateLimited", retryAfterMillis: 90_500 }
  ],
  [
    "a quota that is used up",
    429,
    openAiError("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
    {},
    { kind: "QuotaExhausted" }
  ],
  [
    "no credit",
    400,
    anthropicError("invalid_request_error", "Your credit balance is too low to access the API."),
    {},
    { kind: "QuotaExhausted" }
  ],
  [
    "too long a prompt",
    400,
    anthropicError("invalid_request_error", "prompt is too long: 205000 tokens > 200000 maximum"),
    {},
    { kind: "ContextTooLong" }
  ],
  [
    "too long a context",
    400,
    openAiError(
      "This model's maximum context length is 8192",
      "invalid_request_error",
      "context_length_exceeded"
    ),
    {},
    { kind: "ContextTooLong" }
  ],
  [
    "too large a request",
    413,
    anthropicError("request_too_large", "too large"),
    {},
    { kind: "ContextTooLong" }
  ],
  [
    "a content filter",
    400,
    openAiError("The response was filtered", "invalid_request_error", "content_filter"),
    {},
    { kind: "Failed" }
  ],
  [
    "a wrong request",
    400,
    openAiError("temperature is too high", "invalid_request_error"),
    {},
    { kind: "InvalidInput" }
  ],
  [
    "an overload",
    529,
    anthropicError("overloaded_error", "Overloaded"),
    { "retry-after": "3" },
    { kind: "Unavailable", retryAfterMillis: 3000 }
  ],
  ["an error of the server", 500, anthropicError("api_error", "oops"), {}, { kind: "Unavailable" }],
  ["a maintenance", 503, { detail: "back soon" }, {}, { kind: "Unavailable" }],
  ["a redirect", 307, {}, { location: "http://127.0.0.1:1/elsewhere" }, { kind: "Failed" }]
]

describe.each(protocols)("what goes wrong with a model over %s", (protocol) => {
  it.live("has the kind that says what to do about it, whatever the status, and never the key", () =>
    Effect.forEach(statuses, ([name, status, body, headers, expected]) =>
      Effect.map(failureOf(protocol, refuse(status, body, headers)), (error) => {
        const { kind, reason, retryAfterMillis } = error
        expect({ name, kind, retryAfterMillis }).toEqual({
          name,
          kind: expected.kind,
          retryAfterMillis: expected.retryAfterMillis
        })
        expect(reason).toContain(`HTTP ${status}`)
      })
    )
  )

  it.live("is waited for until limits are reset at a time of day", () =>
    Effect.gen(function* () {
      const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
      const error = yield* failureOf(
        protocol,
        refuse(429, anthropicError("rate_limit_error", "slow down"), {
          "anthropic-ratelimit-requests-remaining": "5",
          "anthropic-ratelimit-requests-reset": at(600),
          "anthropic-ratelimit-input-tokens-remaining": "0",
          "anthropic-ratelimit-input-tokens-reset": at(20),
          "anthropic-ratelimit-output-tokens-remaining": "0",
          "anthropic-ratelimit-output-tokens-reset": at(40)
        })
      )
      expect(error.kind).toBe("RateLimited")
      expect(error.retryAfterMillis).toBeGreaterThan(35_000)
      expect(error.retryAfterMillis).toBeLessThanOrEqual(40_000)
    })
  )

  it.live("is no more than a sentence where a proxy answers with a page", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(protocol, (response) => {
        response.writeHead(502, { "content-type": "text/html" })
        response.end(`<html><h1>Bad Gateway</h1>${"x".repeat(10_000)}</html>`)
      })
      expect(error).toMatchObject({ kind: "Unavailable", reason: /HTTP 502: Bad Gateway/ })
      expect(error.reason.length).toBeLessThan(600)
    })
  )

  it.live("is a timeout where the server falls silent: before, in the middle, in an error", () =>
    Effect.gen(function* () {
      const brief = { stallTimeout: "250 millis" } as const
      const silent = yield* failureOf(protocol, () => undefined, brief)
      expect(silent).toMatchObject({ kind: "Timeout", reason: /did not begin to answer within 250 ms/ })
      const stalled = yield* failureOf(
        protocol,
        (response) => {
          begin(response)
          response.write(beginningOf(protocol))
        },
        brief
      )
      expect(stalled).toMatchObject({ kind: "Timeout", reason: /sent nothing for 250 ms/ })
      expect(stalled.usage?.inputTokens).toBe(protocol === "messages" ? 40 : 0)
      const refusing = yield* failureOf(
        protocol,
        (response) => {
          response.writeHead(429, { "content-type": "application/json", "retry-after": "9" })
          response.write('{"error":')
        },
        brief
      )
      expect(refusing).toMatchObject({ kind: "RateLimited", retryAfterMillis: 9000 })
    })
  )

  it.live("is no timeout while the server shows that it lives", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(async (response) => {
          begin(response)
          for (let at = 0; at < 5; at++) {
            response.write(": still there\n\n")
            await new Promise((resolve) => setTimeout(resolve, 150))
          }
          response.end(eventsOf(protocol, { text: ["at last"] }).join(""))
        })
        const agent = yield* agentOf(protocol, server.url)
        expect((yield* attempt(agent, taskOf("?"))).outcome).toMatchObject({ value: "at last" })
      })
    )
  )

  it.live(
    "is unavailability where the connection breaks, the stream ends early, or what comes is no JSON",
    () =>
      Effect.gen(function* () {
        const broken = yield* failureOf(protocol, async (response, socket) => {
          begin(response)
          response.write(beginningOf(protocol))
          await new Promise((resolve) => setTimeout(resolve, 20))
          socket.resetAndDestroy()
        })
        expect(broken).toMatchObject({ kind: "Unavailable", reason: /the connection ended before/ })
        const early = yield* failureOf(protocol, (response) => {
          begin(response)
          response.end(beginningOf(protocol))
        })
        expect(early).toMatchObject({ kind: "Unavailable", reason: /the stream ended before/ })
        const garbled = yield* failureOf(protocol, (response) => {
          begin(response)
          response.end(`${beginningOf(protocol)}data: {"type": "cont\n\n`)
        })
        expect(garbled).toMatchObject({ kind: "Unavailable", reason: /no JSON in its answer/ })
        const reset = yield* failureOf(protocol, (_, socket) => {
          socket.resetAndDestroy()
        })
        expect(reset).toMatchObject({ kind: "Unavailable", reason: /cannot be reached/ })
      })
  )

  it.live("is what an error in the middle of a stream says", () =>
    Effect.gen(function* () {
      const event = {
        chat: openAiError("The engine is overloaded", "server_error", "overloaded"),
        responses: { type: "error", code: "server_error", message: "The engine is overloaded", param: null },
        messages: anthropicError("overloaded_error", "The engine is overloaded")
      }[protocol]
      const error = yield* failureOf(protocol, (response) => {
        begin(response)
        response.end(`${beginningOf(protocol)}data: ${JSON.stringify(event)}\n\n`)
      })
      expect(error).toMatchObject({
        kind: "Unavailable",
        reason: /broke off its answer: The engine is overloaded/
      })
    })
  )

  it.live("closes the connection when it is interrupted, and has shown what was used by then", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script((response) => {
          begin(response)
          response.write(beginningOf(protocol))
        })
        const agent = yield* agentOf(protocol, server.url, { stallTimeout: "1 minute" })
        const running = agent.run(taskOf("?"))
        const seen: Array<string> = []
        const fiber = yield* Effect.fork(
          Stream.runForEach(Effect.isEffect(running) ? Stream.fromEffect(running) : running, (event) =>
            Effect.sync(() => seen.push(JSON.stringify(event)))
          )
        )
        while (!seen.join("").includes("one")) yield* Effect.sleep(5)
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => server.requests[0]?.abandoned ?? Promise.reject(new Error("not asked")))
        if (protocol === "messages") expect(seen.join("")).toContain('"inputTokens":40')
      })
    )
  )
})

describe("the input of a model", () => {
  const long = "The quick brown fox. ".repeat(2000)

  it.live("is refused with figures when it is too long, before anything is sent", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const agent = yield* agentOf("chat", server.url, { contextTokens: 8000, maxTokens: 1000 })
        const { outcome } = yield* attempt(agent, taskOf(long))
        expect(outcome).toMatchObject({
          kind: "ContextTooLong",
          reason: /about 10516 tokens, and there is room for 7000/
        })
        expect(server.requests).toEqual([])
      })
    )
  )

  it.live("loses its middle where it is told to, and more of it where the provider counts differently", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const tooLong = refuse(
          400,
          openAiError("too long", "invalid_request_error", "context_length_exceeded")
        )
        server.script(tooLong, answer("chat", { text: ["read"] }))
        const agent = yield* agentOf("chat", server.url, {
          contextTokens: 8000,
          maxTokens: 1000,
          onTooLong: "truncate"
        })
        const { outcome } = yield* attempt(agent, taskOf(`START ${long} END`))
        expect(outcome).toMatchObject({ value: "read" })
        const lengths = server.requests.map(({ body }) => JSON.stringify(body).length / 4)
        expect(lengths[0]).toBeGreaterThan(6800)
        expect(lengths[0]).toBeLessThan(7100)
        expect(lengths[1]).toBeGreaterThan(5000)
        expect(lengths[1]).toBeLessThan(5400)
        expect(JSON.stringify(server.requests[1]?.body)).toMatch(/START .*characters left out.* END/)
      })
    )
  )

  it.live("is what a function makes of it", () =>
    withServer((server) =>
      Effect.gen(function* () {
        server.script(answer("chat", { text: ["read"] }))
        const agent = yield* agentOf("chat", server.url, {
          contextTokens: 8000,
          onTooLong: (input, tokens) => `${input.length} characters for ${tokens} tokens`
        })
        yield* attempt(agent, taskOf(long))
        expect(JSON.stringify(server.requests[0]?.body)).toContain("42000 characters for 3888 tokens")
      })
    )
  )

  it.live("comes before old results of tools, which are left out first", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const page = ModelTool.make("page", {
          description: "Gives a page.",
          parameters: Schema.Struct({ number: Schema.Number }),
          handler: ({ number }) => Effect.succeed(`page ${number} ${"x".repeat(6000)}`)
        })
        const read = (number: number) =>
          answer("chat", { calls: [{ id: `call_${number}`, name: "page", args: { number } }] })
        server.script(read(1), read(2), read(3), answer("chat", { text: ["done"] }))
        const agent = yield* agentOf("chat", server.url, { tools: [page], contextTokens: 8000 })
        expect((yield* attempt(agent, taskOf("Read all."))).outcome).toMatchObject({ value: "done" })
        const last = JSON.stringify(server.requests[3]?.body)
        expect(last).toMatch(/a result of 6\d+ characters was left out.*page 2 x.*page 3 x/)
        expect(last).not.toContain("page 1 x")
      })
    )
  )
})

describe("the key of a model", () => {
  it.live("is looked up for each attempt, and missing ones are named", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const keys = new Map([["MODEL_KEY", "sk-first"]])
        const secrets = Secrets.make((name) => {
          const value = keys.get(name)
          return value === undefined ? Effect.fail("it is not in the vault") : Effect.succeed(value)
        })
        const agent = yield* agentOf("chat", server.url, { apiKey: { secret: "MODEL_KEY" }, secrets })
        server.script(
          answer("chat", { text: ["your key is sk-first"] }),
          refuse(401, openAiError("bad key: sk-second", "invalid_request_error"))
        )
        const { progress } = yield* attempt(agent, taskOf("?"))
        expect(progress.map(({ message }) => message)).toContain("your key is [secret MODEL_KEY]")
        keys.set("MODEL_KEY", "sk-second")
        const { outcome } = yield* attempt(agent, taskOf("?"))
        expect(outcome).toMatchObject({ kind: "Unauthorized", reason: /bad key: \[secret MODEL_KEY\]/ })
        expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
          "Bearer sk-first",
          "Bearer sk-second"
        ])
        keys.clear()
        expect((yield* attempt(agent, taskOf("?"))).outcome).toMatchObject({
          kind: "Unauthorized",
          reason: /"MODEL_KEY" is not available: it is not in the vault/
        })
      })
    )
  )
})

describe("what an agent of a model is told", () => {
  const add = ModelTool.make("add", {
    description: "Adds.",
    parameters: Schema.Struct({ a: Schema.Number }),
    handler: () => Effect.succeed(0)
  })
  const wrong: ReadonlyArray<readonly [Partial<LanguageModelAgent.OpenAiOptions>, RegExp]> = [
    [{ prompt: "Say {{inputt}}" }, /unknown placeholder \{\{inputt\}\}.*input/],
    [{ prompt: "Say {{input" }, /"\{\{" without/],
    [{ tools: [add, add] }, /two tools named "add"/],
    [{ tools: [{ ...add, name: "add numbers" }] }, /"add numbers"/],
    [{ tools: [{ ...add, name: "submit_answer" }] }, /name that tool differently/],
    [{ tools: [{ ...add, parameters: Schema.Number }] }, /no struct/],
    [{ output: Schema.instanceOf(Map) }, /no JSON Schema/],
    [{ repairs: -1 }, /repairs is -1/],
    [{ model: "" }, /no name/],
    [{ baseUrl: "localhost:11434" }, /no address/]
  ]
  it.effect.each(wrong)("is checked when it is made: %j", ([options, message]) =>
    Effect.map(
      Effect.flip(
        LanguageModelAgent.openAi("agent", { capabilities: [{ skill: "a" }], model: "served", ...options })
      ),
      (error) => expect(error.message).toMatch(message)
    )
  )
})
