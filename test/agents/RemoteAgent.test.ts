import { readFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as RemoteAgent from "@switchyard/agents/RemoteAgent"
import * as Protocol from "@switchyard/agents/RemoteProtocol"
import { AgentError, AgentErrorKind } from "@switchyard/core/Agent"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Workflow from "@switchyard/core/Workflow"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import {
  eventsOf,
  eventually,
  marked,
  markedEnv,
  node,
  short,
  taskIn,
  test,
  workspace
} from "../node/programs.js"
import { temporaryDirectory } from "../node/temporary.js"
import { agentOf, failureOf, impatient, outputOf, python, secrets, token, typescript } from "./workers.js"

const quick = { interruptAfter: 0, ...short } as const

/** A worker that answers as these functions of JavaScript say; `send` writes a message, `ok` a result. */
const scripted = (methods: Readonly<Record<string, string>>, more: Partial<RemoteAgent.Options> = {}) => {
  const hello = `ok({ protocolVersion: 1, worker: { name: "w", version: "1" }, agents: [{ name: "work", capabilities: [] }] })`
  const cases = Object.entries({
    initialize: hello,
    ping: "ok({})",
    heartbeat: "",
    cancel: "ok({})",
    ...methods
  })
    .map(([name, body]) => `case ${JSON.stringify(name)}: { ${body}; break }`)
    .join("\n")
  const source = `
    const raw = (text) => process.stdout.write(text)
    const send = (message) => raw(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n")
    setInterval(() => send({ method: "heartbeat" }), 50)
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method, params } = JSON.parse(line)
      const ok = (result) => send({ id, result })
      switch (method) { ${cases} }
    }).on("close", () => process.exit())`
  return agentOf("work", { command: node, args: ["-e", source], escalation: quick }, more)
}

const attempt = (agent: Effect.Effect.Success<ReturnType<typeof agentOf>>) =>
  Effect.flatMap(workspace, (place) => eventsOf(agent, taskIn(place, "in")))

const failing = (methods: Readonly<Record<string, string>>, more: Partial<RemoteAgent.Options> = {}) =>
  Effect.map(
    failureOf(Effect.flatMap(scripted(methods, more), attempt)),
    ({ kind, reason }) => `${kind}: ${reason}`
  )

describe("a worker that does not keep to the protocol", () => {
  test(
    "may print other things, and ask for things that no host has",
    Effect.gen(function* () {
      const agent = yield* scripted({
        run: `raw("Loading…\\n{nonsense\\n[1]\\n42\\n\\u0000\\n"); send({ id: 99, result: 1 }); send({ method: "progress", params: 3 });
          send({ id: 7, method: "give/me", params: {} });
          send({ method: "progress", params: { idempotencyKey: params.idempotencyKey, progress: 7, usage: { inputTokens: -3, costUsd: 0.5 } } });
          send({ method: "progress", params: { idempotencyKey: "of another", message: "not mine" } });
          ok({ output: params.workspace.outputs === undefined ? null : [params.input, params.permissions, params.deadlineMillis] })`
      })
      const events = yield* attempt(agent)
      assert.deepStrictEqual(outputOf(events).value, ["in", null, null])
      assert.deepStrictEqual(events.slice(0, -1), [
        {
          _tag: "Progress",
          progress: 1,
          usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 500_000 }
        }
      ])
    })
  )

  test(
    "fails its attempts by what it did",
    Effect.gen(function* () {
      assert.match(yield* failing({ run: "ok({ result: 1 })" }), /^InvalidOutput: The worker answered run/)
      assert.match(yield* failing({ run: "send({ id, error: 5 })" }), /^InvalidOutput: .*none of JSON-RPC/)
      assert.match(
        yield* failing({ run: 'raw("x".repeat(70000))' }, { maxMessageBytes: 65_536 }),
        /^InvalidOutput: .*more than 65536 bytes/
      )
      assert.match(
        yield* failing({
          initialize: `ok({ protocolVersion: 2, worker: { name: "new", version: "9" }, agents: [] })`
        }),
        /^Failed: The worker "new" speaks version 2 of the protocol, and this host version 1/
      )
      assert.match(
        yield* failing({ initialize: "" }, { startTimeout: "300 millis" }),
        /^Timeout: .* did not answer initialize within 300 ms/
      )
      assert.match(
        yield* failing({}, { agent: "wrok" }),
        /^NotFound: The worker "w" has no agent "wrok"; did you mean "work"\? \(it has work\)/
      )
      assert.match(
        yield* failing({ run: "process.exit(3)" }),
        /^Crashed: .*exit code 3 before its work was done/
      )
    })
  )

  test(
    "is ended where it goes on with cancelled work, and then everything that it had is repeated",
    Effect.gen(function* () {
      const { env, mark } = markedEnv()
      const place = yield* workspace
      const agent = yield* Effect.orDie(
        RemoteAgent.make("work", {
          ...impatient,
          cancelTimeout: "200 millis",
          capabilities: [],
          worker: {
            command: node,
            args: [
              "-e",
              `require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
                const { id, method } = JSON.parse(line)
                if (method === "initialize") console.log(JSON.stringify({ jsonrpc: "2.0", id, result:
                  { protocolVersion: 1, worker: { name: "w", version: "1" }, agents: [{ name: "work", capabilities: [] }] } }))
                else console.log(JSON.stringify({ jsonrpc: "2.0", method: "heartbeat" }))
              })`
            ],
            env,
            escalation: quick
          }
        })
      )
      const one = yield* Effect.fork(eventsOf(agent, taskIn(place, "one", { idempotencyKey: "one" })))
      const two = yield* Effect.fork(
        failureOf(eventsOf(agent, taskIn(place, "two", { idempotencyKey: "two" })))
      )
      yield* eventually("the worker", () => (marked(mark).length === 1 ? true : undefined))
      yield* Effect.sleep("200 millis")
      yield* Fiber.interrupt(one)
      assert.deepStrictEqual(marked(mark), [])
      const lost = yield* Fiber.join(two)
      assert.strictEqual(lost.kind, "Crashed")
      assert.match(lost.reason, /went on with work that was cancelled/)
    })
  )
})

describe("a run", () => {
  test(
    "that is cancelled leaves neither work nor worker behind",
    Effect.gen(function* () {
      const { env, mark } = markedEnv()
      const worker = { ...(python ?? typescript), env, escalation: quick }
      const wait = yield* agentOf("wait", worker)
      const directory = yield* temporaryDirectory
      const workflow = Workflow.make("waits").pipe(
        Workflow.step("wait", {
          skill: "wait",
          forEach: "{{ [1, 2, 3] }}",
          input: { millis: 60000 },
          concurrency: 3
        })
      )
      const status = yield* Effect.gen(function* () {
        const plane = yield* ControlPlane.ControlPlane
        const run = yield* plane.registerRun({ workflow })
        const items = yield* run.events.pipe(
          Stream.filter(({ event }) => event._tag === "ItemProgress"),
          Stream.take(3),
          Stream.runCount,
          Effect.timeout("15 seconds")
        )
        assert.strictEqual(items, 3)
        assert.strictEqual(marked(mark).length, 1)
        yield* run.control({ _tag: "Cancel" })
        const { status } = yield* run.result
        assert.deepStrictEqual(marked(mark), [])
        return status
      }).pipe(Effect.provide(Switchyard.layer({ directory: join(directory, "data"), agents: [wait] })))
      assert.strictEqual(status, "Cancelled")
    })
  )
})

describe("the worker of the documentation", () => {
  const shown = readFileSync(new URL("../../docs/remote-agents.md", import.meta.url), "utf8")
  const [, source = ""] = /```python\n([\s\S]*?)```/.exec(shown) ?? []
  const title = python === undefined ? "works (skipped, because there is no python3 here)" : "works"
  it.live(title, (context) =>
    Effect.gen(function* () {
      if (python === undefined) return context.skip()
      assert.include(source, "import json, sys")
      const worker = { command: python.command, args: ["-c", source], escalation: quick }
      const [shout] = yield* RemoteAgent.discover({ ...impatient, worker })
      assert.isDefined(shout)
      assert.strictEqual(outputOf(yield* eventsOf(shout, taskIn(yield* workspace, "quiet"))).value, "QUIET")
    }).pipe(Effect.scoped, Effect.provide(DirectoryWorkspace.layerTemp()))
  )

  it("is described with messages that are what the protocol says", () => {
    const messages = [...shown.matchAll(/```json\n([\s\S]*?)```/g)]
      .flatMap(([, block = ""]) => (/^\{\s*\n/.test(block) ? [block] : block.trim().split("\n")))
      .map((message) => JSON.parse(message))
    const schemas: Readonly<Record<string, Schema.Schema.AnyNoContext>> = {
      initialize: Protocol.InitializeParams,
      run: Protocol.RunParams,
      attach: Protocol.AttachParams,
      cancel: Protocol.KeyParams,
      progress: Protocol.ProgressParams
    }
    const seen = new Set<string>()
    for (const { error, method, params } of messages) {
      if (error !== undefined) Schema.decodeUnknownSync(Protocol.RpcError)(error)
      const schema = schemas[method]
      if (schema === undefined) continue
      seen.add(method)
      Schema.decodeUnknownSync(schema, { onExcessProperty: "error" })(params)
    }
    assert.sameMembers([...seen], Object.keys(schemas))
    const results = messages.flatMap(({ result }) => (result === undefined ? [] : [result]))
    assert.isTrue(results.some(Schema.is(Protocol.InitializeResult)))
    assert.isTrue(results.some(Schema.is(Protocol.RunResult)))
  })
})

const serving = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ readonly url: string; readonly close: () => void }>((resolve) => {
          const server = createServer(listener)
          server.listen(0, "127.0.0.1", () =>
            resolve({
              url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
              close: () => {
                server.close()
                server.closeAllConnections()
              }
            })
          )
        })
    ),
    ({ close }) => Effect.sync(close)
  )

const hello = {
  protocolVersion: 1,
  worker: { name: "w", version: "1" },
  agents: [{ name: "work", capabilities: [] }]
}

describe("a URL behind which there is no good worker", () => {
  test(
    "is told apart by what it answers, and what it sends is not held",
    Effect.gen(function* () {
      let respond: RequestListener = () => undefined
      let asked = 0
      const { url } = yield* serving((request, response) => {
        let body = ""
        request.on("data", (data) => {
          body += data
        })
        request.on("end", () => {
          asked++
          assert.strictEqual(request.headers.authorization, `Bearer ${token}`)
          if (JSON.parse(body).method !== "initialize") return respond(request, response)
          response.writeHead(200, { "content-type": "application/json" })
          response.end(JSON.stringify({ jsonrpc: "2.0", id: "1", result: hello }))
        })
      })
      const agent = yield* agentOf(
        "work",
        { url, token: "WORKER_TOKEN" },
        { maxMessageBytes: 10_000, reconnectTimeout: "400 millis" }
      )
      const answered = (listener: RequestListener) =>
        Effect.suspend(() => {
          respond = listener
          return Effect.map(failureOf(attempt(agent)), (error) => ({
            ...error,
            said: `${error.kind}: ${error.reason}`
          }))
        })
      const status = (code: number, headers = {}) =>
        answered((_, response) => void response.writeHead(code, headers).end("x".repeat(100_000)))
      const lines = (...messages: ReadonlyArray<string>) =>
        answered((_, response) => {
          response.writeHead(200, { "content-type": "application/x-ndjson" })
          for (const message of messages) response.write(message)
          response.end()
        })

      assert.deepInclude(yield* status(429, { "retry-after": "7" }), {
        kind: "RateLimited",
        retryAfterMillis: 7000
      })
      assert.deepInclude(yield* status(503, { "retry-after": "2" }), {
        kind: "Unavailable",
        retryAfterMillis: 2000
      })
      assert.match((yield* status(401)).said, /^Unauthorized/)
      assert.match((yield* status(404)).said, /^NotFound/)
      assert.match((yield* status(413)).said, /^InvalidInput/)
      assert.match((yield* status(500)).said, /^Unavailable/)
      assert.match(
        (yield* status(200, { "content-type": "text/html" })).said,
        /^InvalidOutput: .*text\/html, not with JSON/
      )
      // Nobody else is told the token.
      assert.match((yield* status(307, { location: "http://127.0.0.1:1/" })).said, /^(Unavailable|Crashed)/)
      assert.match((yield* lines("x".repeat(20_000))).said, /^InvalidOutput: .*more than 10000 bytes/)
      assert.match(
        (yield* lines('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}')).said,
        /^Failed: what\?/
      )
      const before = asked
      assert.match(
        (yield* lines("\n", "nothing\n")).said,
        /^Crashed: .*ended without an answer.* within 400 ms/
      )
      // It was run once, and then asked for by its key.
      assert.isAbove(asked, before + 2)
    })
  )

  it.live("is refused when the agent is made where it cannot be one", () =>
    Effect.gen(function* () {
      const invalid = (worker: RemoteAgent.Options["worker"], more: Partial<RemoteAgent.Options> = {}) =>
        Effect.map(
          Effect.flip(RemoteAgent.make("bad", { capabilities: [], worker, ...more })),
          ({ message }) => message
        )
      assert.include(yield* invalid({ url: "localhost:80" }), "has to begin with http")
      assert.include(yield* invalid({ url: "nothing" }), '"nothing" is not a URL')
      assert.include(yield* invalid({ url: "http://me:pass@host/" }), "must not hold credentials")
      assert.notInclude(yield* invalid({ url: "http://me:pass@host/" }), "pass@")
      assert.include(yield* invalid({ command: "./worker" }), "is relative")
      assert.include(yield* invalid({ url: "http://h/" }, { maxMessageBytes: 0 }), "positive integer")
      const denied = yield* RemoteAgent.make("far", {
        capabilities: [],
        worker: { url: "http://h/" },
        secrets
      })
      assert.deepStrictEqual(denied.requires, ["Network"])
    })
  )
})

describe("failures", () => {
  it("are the same on both sides of the protocol", () => {
    const count = fc.nat(1_000_000)
    const usage = fc.record({
      inputTokens: count,
      outputTokens: count,
      cachedTokens: count,
      costMicroUsd: count
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...AgentErrorKind.literals),
        fc.string({ maxLength: 200 }),
        fc.option(count, { nil: undefined }),
        fc.option(usage, { nil: undefined }),
        (kind, reason, retryAfterMillis, used) => {
          const error = new AgentError({
            kind,
            reason,
            ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
            ...(used === undefined ? {} : { usage: used })
          })
          const back = Protocol.fromRpcError(JSON.parse(JSON.stringify(Protocol.toRpcError(error))))
          assert.deepStrictEqual({ ...back }, { ...error })
        }
      )
    )
  })
})
