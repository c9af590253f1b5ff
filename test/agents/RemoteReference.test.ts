import { createServer, connect as dial, type Socket } from "node:net"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as RemoteAgent from "@switchyard/agents/RemoteAgent"
import type { AgentEvent } from "@switchyard/core/Agent"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { eventually, files, marked, markedEnv, short, taskIn, test } from "../node/programs.js"
import {
  agentOf,
  attemptIn,
  failureOf,
  impatient,
  messagesOf,
  outputOf,
  place,
  python,
  type Reference,
  secrets,
  served,
  typescript
} from "./workers.js"

/** Passes bytes on to a server, until all connections that it has are broken. */
const breakable = (target: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ readonly url: string; readonly cut: () => number; readonly close: () => void }>(
          (resolve) => {
            const sockets = new Set<Socket>()
            const { hostname, port } = new URL(target)
            const server = createServer((near) => {
              const far = dial(Number(port), hostname)
              for (const socket of [near, far]) {
                sockets.add(socket)
                socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
              }
              near.pipe(far)
              far.pipe(near)
            })
            const cut = () => {
              const { size } = sockets
              for (const socket of sockets) socket.destroy()
              return size
            }
            server.listen(0, "127.0.0.1", () => {
              const address = server.address()
              const at = typeof address === "object" ? address?.port : undefined
              resolve({
                url: `http://127.0.0.1:${at}/`,
                cut,
                close: () => {
                  server.close()
                  cut()
                }
              })
            })
          }
        )
    ),
    ({ close }) => Effect.sync(close)
  )

/** An attempt that goes on in the background, and what it has said so far. */
const begin = (agent: Effect.Effect.Success<ReturnType<typeof agentOf>>, task: ReturnType<typeof taskIn>) =>
  Effect.gen(function* () {
    const said: Array<AgentEvent> = []
    const running = agent.run(task)
    assert.isFalse(Effect.isEffect(running))
    const stream = running as Exclude<typeof running, Effect.Effect<unknown, unknown>>
    const fiber = yield* Effect.fork(
      Stream.runForEach(stream, (event) => Effect.sync(() => void said.push(event)))
    )
    return { fiber, said, begun: eventually("progress", () => (said.length > 0 ? true : undefined)) }
  })

const quick = { interruptAfter: "200 millis", ...short } as const
const silence = { signal: "SIGSTOP", said: /no sign of life for 3 heartbeats/ } as const
const death = { signal: "SIGKILL", said: /was ended by SIGKILL/ } as const

const reference = (name: string, worker: Reference, loss: typeof silence | typeof death) => {
  describe(`the worker in ${name}, over its standard streams`, () => {
    test(
      "says which agents it has, which work, report, and share one program that ends with them",
      Effect.gen(function* () {
        const { env, mark } = markedEnv()
        const agents = yield* RemoteAgent.discover({
          ...impatient,
          worker: { ...worker, env, escalation: quick },
          idOf: (each) => `far-${each}`
        })
        assert.deepStrictEqual(
          agents.map(({ capabilities, id, requires }) => [id, capabilities[0]?.skill, requires]),
          [
            ["far-count-words", "count-words", ["Execute"]],
            ["far-wait", "wait", ["Execute"]],
            ["far-refuse", "refuse", ["Execute"]]
          ]
        )
        assert.deepStrictEqual(marked(mark), [])
        const [count, wait] = agents
        assert.isDefined(count)
        assert.isDefined(wait)
        const workspace = yield* place("shared")
        const key = (index: number) => ({ index, idempotencyKey: `shared/step/${index}/1` })
        const events = yield* Effect.all(
          [
            attemptIn(count, workspace, { text: "a b c ".repeat(1000) }, key(0)),
            attemptIn(wait, workspace, { millis: 400 }, key(1)),
            attemptIn(wait, workspace, { millis: 400 }, key(2)),
            eventually("one record of one program", () =>
              files(join(workspace.stateDir, "processes")).length === 1 ? true : undefined
            )
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(outputOf(events[0]).value, { words: 3000 })
        assert.deepStrictEqual(outputOf(events[0]).usage, {
          inputTokens: 3000,
          outputTokens: 1,
          cachedTokens: 0,
          costMicroUsd: 0
        })
        assert.include(messagesOf(events[0]), "2000 of 3000 words")
        const begun = [events[1], events[2]].map((each) => outputOf(each).value)
        assert.sameDeepMembers(begun, [
          { waited: 400, begun: 1 },
          { waited: 400, begun: 2 }
        ])
        assert.deepStrictEqual(marked(mark), [])
        assert.deepStrictEqual(files(join(workspace.stateDir, "processes")), [])
      })
    )

    test(
      "has its failures told as what they are, and stops what is cancelled or late without harm to the rest",
      Effect.gen(function* () {
        const workspace = yield* place("failures")
        const program = { ...worker, escalation: quick }
        const [, wait, refuse] = yield* RemoteAgent.discover({ ...impatient, worker: program })
        assert.isDefined(wait)
        assert.isDefined(refuse)
        const long = yield* begin(wait, taskIn(workspace, { millis: 60_000 }, { idempotencyKey: "long" }))
        yield* long.begun
        const limited = yield* failureOf(
          attemptIn(refuse, workspace, { kind: "RateLimited", message: "slow down", retryAfterMillis: 1500 })
        )
        assert.deepInclude(
          { ...limited },
          { kind: "RateLimited", reason: "slow down", retryAfterMillis: 1500 }
        )
        const wrong = yield* failureOf(attemptIn(wait, workspace, { millis: "long" }))
        assert.strictEqual(wrong.kind, "InvalidInput")
        const late = yield* agentOf("late", program, { agent: "wait", timeout: "300 millis" })
        assert.strictEqual((yield* failureOf(attemptIn(late, workspace, { millis: 60_000 }))).kind, "Timeout")
        const [took] = yield* Effect.timed(Fiber.interrupt(long.fiber))
        assert.isBelow(Duration.toMillis(took), 5000)
      })
    )

    test(
      `is given up after ${loss.signal}, and started anew for the next attempt`,
      Effect.gen(function* () {
        const workspace = yield* place("silence")
        const { env, mark } = markedEnv()
        const wait = yield* agentOf("wait", { ...worker, env, escalation: quick })
        const stopped = yield* begin(wait, taskIn(workspace, { millis: 60_000 }))
        yield* stopped.begun
        for (const pid of marked(mark)) process.kill(pid, loss.signal)
        const failure = yield* failureOf(Fiber.join(stopped.fiber))
        assert.strictEqual(failure.kind, "Crashed")
        assert.match(failure.reason, loss.said)
        assert.isTrue(failure.retryable)
        assert.deepStrictEqual(marked(mark), [])
        assert.deepStrictEqual(outputOf(yield* attemptIn(wait, workspace, { millis: 1 })).value, {
          waited: 1,
          begun: 1
        })
      })
    )
  })

  describe(`the worker in ${name}, over HTTP`, () => {
    test(
      "does each piece of work once, however often the connection breaks",
      Effect.gen(function* () {
        const { url } = yield* served(worker)
        const proxy = yield* breakable(url)
        const workspace = yield* place("broken")
        const wait = yield* agentOf("wait", { url: proxy.url, token: "WORKER_TOKEN" })
        const task = taskIn(workspace, { millis: 1500 })
        const running = yield* begin(wait, task)
        yield* running.begun
        assert.isAbove(proxy.cut(), 0)
        yield* Effect.sleep("400 millis")
        assert.isAbove(proxy.cut(), 0)
        yield* Fiber.join(running.fiber)
        assert.deepStrictEqual(outputOf(running.said).value, { waited: 1500, begun: 1 })
        assert.include(messagesOf(running.said), "waiting, 9 of 10")
        // A host that was killed asks with the same key.
        assert.deepStrictEqual(outputOf(yield* attemptIn(wait, workspace, task.input)).value, {
          waited: 1500,
          begun: 1
        })
        const other = yield* failureOf(attemptIn(wait, workspace, { millis: 1 }))
        assert.deepInclude({ ...other }, { kind: "InvalidInput", reason: "this key names other work" })
        assert.deepStrictEqual(yield* wait.probe ?? Effect.die("no probe"), { _tag: "Healthy" })
      })
    )

    test(
      "stops what is cancelled, after which the same key begins anew, and what nobody listens to",
      Effect.gen(function* () {
        const { url } = yield* served(worker)
        const proxy = yield* breakable(url)
        const workspace = yield* place("cancelled")
        const wait = yield* agentOf("wait", { url, token: "WORKER_TOKEN" })
        const long = yield* begin(wait, taskIn(workspace, { millis: 60_000 }))
        yield* long.begun
        yield* Fiber.interrupt(long.fiber)
        assert.deepStrictEqual(outputOf(yield* attemptIn(wait, workspace, { millis: 1 })).value, {
          waited: 1,
          begun: 2
        })
        const lonely = yield* agentOf(
          "wait",
          { url: proxy.url, token: "WORKER_TOKEN" },
          { reconnectTimeout: "300 millis" }
        )
        const left = yield* begin(lonely, taskIn(workspace, { millis: 60_000 }, { idempotencyKey: "left" }))
        yield* left.begun
        proxy.close()
        const lost = yield* failureOf(Fiber.join(left.fiber))
        assert.strictEqual(lost.kind, "Crashed")
        assert.match(lost.reason, /broke .* was not reached again within 300 ms/)
        // Cancelled work is forgotten, so the key is free for other work; a worker finds at its next heartbeat that nobody listens.
        const other = attemptIn(wait, workspace, { millis: 2 }, { idempotencyKey: "left" })
        const again = yield* Effect.retry(other, { schedule: Schedule.spaced("100 millis"), times: 50 })
        assert.deepStrictEqual(outputOf(again).value, {
          waited: 2,
          begun: 4
        })
      })
    )

    test(
      "is not told anything without the right token, and says what it is asked for with it",
      Effect.gen(function* () {
        const { child, url } = yield* served(worker)
        const workspace = yield* place("tokens")
        const count = yield* agentOf("count-words", { url, token: "WORKER_TOKEN" })
        for (const stranger of [
          yield* agentOf("count-words", { url, token: "OTHER" }),
          yield* agentOf("count-words", { url })
        ]) {
          const refused = yield* failureOf(attemptIn(stranger, workspace, "a b"))
          assert.strictEqual(refused.kind, "Unauthorized")
          assert.notInclude(refused.reason, "wrong-OTHER")
          assert.strictEqual((yield* stranger.probe ?? Effect.die("no probe"))._tag, "Unhealthy")
        }
        assert.deepStrictEqual(outputOf(yield* attemptIn(count, workspace, "a b")).value, { words: 2 })
        const agents = yield* RemoteAgent.discover({ worker: { url, token: "WORKER_TOKEN" }, secrets })
        assert.deepStrictEqual(
          agents.map(({ id, requires }) => `${id} ${requires}`),
          ["count-words Network", "wait Network", "refuse Network"]
        )
        const raw = (headers: Record<string, string>, body: string) =>
          Effect.promise(async () => {
            const authorization = `Bearer ${"t0ken-of-the-test"}`
            const answer = await fetch(url, { method: "POST", headers: { authorization, ...headers }, body })
            return `${answer.status} ${await answer.text()}`
          })
        const json = { "content-type": "application/json" }
        assert.match(yield* raw(json, "{"), /^200 [\s\S]*-32700/)
        assert.match(yield* raw(json, '{"jsonrpc":"2.0","id":1,"method":"nothing"}'), /^200 [\s\S]*-32601/)
        assert.match(yield* raw(json, '{"jsonrpc":"2.0","id":1,"method":"run"}'), /^200 [\s\S]*-32602/)
        assert.match(yield* raw({ ...json, origin: "http://evil.example" }, "{}"), /^403 $/)
        assert.match(yield* raw({ "content-type": "text/plain" }, "{}"), /^415 $/)
        // It is stopped for longer than it is waited for.
        const wait = yield* agentOf(
          "wait",
          { url, token: "WORKER_TOKEN" },
          { reconnectTimeout: "500 millis", cancelTimeout: "100 millis" }
        )
        const stopped = yield* begin(
          wait,
          taskIn(workspace, { millis: 60_000 }, { idempotencyKey: "stopped" })
        )
        yield* stopped.begun
        child.kill("SIGSTOP")
        assert.strictEqual((yield* failureOf(Fiber.join(stopped.fiber))).kind, "Crashed")
        child.kill("SIGKILL")
        yield* eventually("the end of the worker", () => (child.signalCode === null ? undefined : true))
        assert.strictEqual((yield* failureOf(attemptIn(count, workspace, "a"))).kind, "Unavailable")
      })
    )
  })
}

reference("TypeScript", typescript, silence)

if (python !== undefined) reference("Python", python, death)
else
  describe.skip("the worker in Python (skipped, because there is no python3 here)", () =>
    test("", Effect.void))
