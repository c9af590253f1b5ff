import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { Event } from "@switchyard/core/Event"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import { fail, give, hang, say, wait } from "@switchyard/core/testing/ScriptedAgent"
import * as Usage from "@switchyard/core/Usage"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { agent, execute, of } from "./engine.js"

const one = (options: Partial<Workflow.StepOptions<never>>) =>
  Workflow.make("w").pipe(Workflow.step("a", { skill: "work", ...options }))

const retry = { attempts: 4, initial: "10 millis", factor: 2, cap: "25 millis", jitter: 0 } as const

describe("retries", () => {
  it.effect("wait exactly as long as the policy says, up to its cap", () =>
    Effect.gen(function* () {
      const work = agent("work", [fail("Unavailable", "down")])
      const { entries, result } = yield* execute(one({ retry }), [work])
      expect(of(entries, "ItemStarted").map(({ time }) => time)).toEqual([0, 10, 30, 55])
      const failures = of(entries, "ItemFailed").map(({ event }) => event)
      expect(failures.map((event) => event.retry)).toEqual([
        { attempt: 2, delayMillis: 10, agentId: "work" },
        { attempt: 3, delayMillis: 20, agentId: "work" },
        { attempt: 4, delayMillis: 25, agentId: "work" },
        undefined
      ])
      expect(result.failure).toEqual({ kind: "Unavailable", message: "down", agentId: "work" })
      expect(result.steps[0]?.retries).toBe(3)
      expect(work.calls.map(({ idempotencyKey }) => idempotencyKey.replace(/^[^/]*/, ""))).toEqual([
        "/a/0/1",
        "/a/0/2",
        "/a/0/3",
        "/a/0/4"
      ])
    })
  )

  it.effect(
    "are not given anew by a pause: neither to the agent nor to those that have failed before it",
    () =>
      Effect.gen(function* () {
        const first = ScriptedAgent.make("first", [fail("Unavailable", "down")], {
          capabilities: [{ skill: "work", priority: 1 }]
        })
        const second = ScriptedAgent.make(
          "second",
          (_, call) => [call === 1 ? hang : fail("Crashed", "broken")],
          {
            capabilities: [{ skill: "work" }]
          }
        )
        const registry = yield* AgentRegistry
        yield* registry.register(first)
        yield* registry.register(second)
        const plane = yield* ControlPlane
        const policy = { attempts: 3, initial: "10 millis", jitter: 0 } as const
        const run = yield* plane.registerRun({ workflow: one({ retry: policy }) })
        for (let turn = 0; turn < 200 && second.running() === 0; turn++) yield* TestClock.adjust(1)
        yield* run.control({ _tag: "Pause", mode: "interrupt" })
        while ((yield* run.status) !== "Paused") yield* TestClock.adjust(1)
        yield* run.control({ _tag: "Resume" })
        for (let turn = 0; turn < 200 && (yield* run.status) !== "Failed"; turn++) yield* TestClock.adjust(1)
        expect((yield* run.result).failure).toEqual({ kind: "Crashed", message: "broken", agentId: "second" })
        expect(first.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
        expect(second.calls.map(({ attempt }) => attempt)).toEqual([4, 5, 6, 7])
        // What the pause cut short is a new attempt at the same thing, and says so by its key.
        expect(second.calls.map(({ idempotencyKey }) => idempotencyKey.replace(/^[^/]*/, ""))).toEqual([
          "/a/0/4",
          "/a/0/5",
          "/a/0/5",
          "/a/0/6"
        ])
      }).pipe(Effect.provide(MemoryPlane.layer()))
  )

  it.effect("wait for what the error asks for, where that is longer", () =>
    Effect.gen(function* () {
      const work = agent("work", (_, call) => [
        call === 0
          ? fail("Unavailable", "slow down", 200)
          : call === 1
            ? fail("Unavailable", "again", 1)
            : give(1)
      ])
      const { entries, result } = yield* execute(one({ retry }), [work])
      expect(of(entries, "ItemStarted").map(({ time }) => time)).toEqual([0, 200, 220])
      expect(result.status).toBe("Completed")
    })
  )

  it.effect("shorten each wait by a random part of up to the jitter", () =>
    Effect.gen(function* () {
      const policy = { attempts: 30, initial: "100 millis", factor: 1, jitter: 0.5 } as const
      const { entries } = yield* execute(one({ retry: policy }), [agent("work", [fail("Crashed")])])
      const waits = of(entries, "ItemFailed").flatMap(({ event }) => event.retry?.delayMillis ?? [])
      expect(waits.length).toBe(29)
      for (const each of waits) {
        expect(each).toBeGreaterThanOrEqual(50)
        expect(each).toBeLessThanOrEqual(100)
      }
      expect(new Set(waits).size).toBeGreaterThan(3)
    })
  )

  const kinds: ReadonlyArray<readonly [Agent.AgentErrorKind, boolean]> = [
    ["RateLimited", true],
    ["Unavailable", true],
    ["Timeout", true],
    ["Crashed", true],
    ["InvalidOutput", true],
    ["InvalidInput", false],
    ["Unauthorized", false],
    ["ContextTooLong", false],
    ["PermissionDenied", false],
    ["NotFound", false],
    ["Failed", false]
  ]
  it.effect.each(kinds)("repeat only what may succeed later: %s", ([kind, repeats]) =>
    Effect.gen(function* () {
      const work = agent("work", [fail(kind)])
      yield* execute(one({ retry }), [work])
      expect(work.calls.length).toBe(repeats ? 4 : 1)
    })
  )

  it.effect("count an attempt that takes too long as a failed one", () =>
    Effect.gen(function* () {
      const work = agent("work", (_, call) => (call === 0 ? [hang] : [give("late")]))
      const { entries, result } = yield* execute(one({ retry, attemptTimeout: "50 millis" }), [work])
      expect(of(entries, "ItemFailed").map(({ event, time }) => [time, event.error.kind])).toEqual([
        [50, "Timeout"]
      ])
      expect(result.outputs).toEqual({ a: "late" })
      expect(work.running()).toBe(0)
    })
  )
})

describe("fallback", () => {
  const agents = () => [
    { ...agent("first", [fail("Unavailable")]), capabilities: [] },
    agent("second", [fail("Failed", "no")]),
    agent("third", [give("third")])
  ]
  const capable = () =>
    agents().map((each, index) =>
      Object.assign(each, {
        capabilities: [
          { skill: "work", inputTypes: [], outputTypes: [], constraints: {}, priority: 9 - index }
        ]
      })
    )

  it.effect("goes to the next capable agent, each with its own retries", () =>
    Effect.gen(function* () {
      const { entries, result } = yield* execute(one({ retry: { ...retry, attempts: 2 } }), capable())
      expect(of(entries, "ItemStarted").map(({ event }) => [event.agentId, event.attempt])).toEqual([
        ["first", 1],
        ["first", 2],
        ["second", 3],
        ["third", 4]
      ])
      expect(result.outputs).toEqual({ a: "third" })
    })
  )

  it.effect("does not happen where it is switched off, nor for what no agent can do", () =>
    Effect.gen(function* () {
      const off = yield* execute(one({ fallback: false }), capable())
      expect(of(off.entries, "ItemStarted").length).toBe(1)
      const invalid = capable()
      const [first] = invalid
      if (first !== undefined)
        Object.assign(first, {
          run: () => Effect.fail(new Agent.AgentError({ kind: "InvalidInput", reason: "x" }))
        })
      const none = yield* execute(one({}), invalid)
      expect(of(none.entries, "ItemStarted").length).toBe(1)
    })
  )

  it.effect("goes to the named agents in their order", () =>
    Effect.gen(function* () {
      const workflow = Workflow.make("w").pipe(
        Workflow.step("a", { agent: "second", fallback: ["first", "third"] })
      )
      const { entries } = yield* execute(workflow, capable())
      expect(of(entries, "ItemStarted").map(({ event }) => event.agentId)).toEqual([
        "second",
        "first",
        "third"
      ])
    })
  )

  it.effect("names the agent that is missing", () =>
    Effect.gen(function* () {
      const workflow = Workflow.make("w").pipe(Workflow.step("a", { agent: "thrid" }))
      const { result } = yield* execute(workflow, capable())
      expect(result.failure?.kind).toBe("AgentNotFound")
      expect(result.failure?.message).toContain('did you mean "third"?')
    })
  )
})

describe("usage", () => {
  const usage = (inputTokens: number, costUsd = 0) => Usage.make({ inputTokens, outputTokens: 1, costUsd })

  it.effect("adds up over attempts, items and steps, exactly", () =>
    Effect.gen(function* () {
      const work = agent("work", (task) =>
        task.attempt === 1
          ? [wait(1), say({ usage: usage(5, 0.1), progress: 0.5 }), fail("Unavailable")]
          : [wait(2), say({ usage: usage(7) }), give(null, usage(10, 0.2))]
      )
      const { entries, result } = yield* execute(one({ retry, forEach: [1, 2] }), [work])
      const done = of(entries, "ItemCompleted").map(({ event }) => event.metrics)
      const perItem = { inputTokens: 15, outputTokens: 2, cachedTokens: 0, costMicroUsd: 300_000 }
      expect(done).toEqual([
        { durationMillis: 13, usage: perItem, retries: 1 },
        { durationMillis: 13, usage: perItem, retries: 1 }
      ])
      const progress = of(entries, "ItemProgress").map(({ event }) => event.usage.inputTokens)
      expect(progress).toEqual([5, 5, 12, 12])
      expect(result.summary.usage).toEqual(Usage.add(perItem, perItem))
      expect(result.steps[0]).toMatchObject({ retries: 2, usage: result.summary.usage, durationMillis: 13 })
    })
  )

  it.effect("never brings anything into the log that it could not be read back with", () =>
    Effect.gen(function* () {
      const wrong = { inputTokens: -1, outputTokens: 1.5, cachedTokens: Number.NaN, costMicroUsd: 1e300 }
      const work = Agent.make("work", {
        capabilities: [{ skill: "work" }],
        run: () =>
          Stream.make(
            Agent.progress({ progress: Number.NaN, remainingMillis: Number.POSITIVE_INFINITY }),
            Agent.progress({ progress: 7, remainingMillis: -3.5, usage: wrong }),
            Agent.progress({ progress: -1, remainingMillis: Number.NaN, message: 3 as never }),
            Agent.output("done", wrong)
          )
      })
      const { entries } = yield* execute(one({}), [work])
      const codec = Schema.parseJson(Event)
      for (const { event } of entries) {
        const back = yield* Schema.decode(codec)(JSON.stringify(event))
        expect(back).toEqual(event)
      }
      expect(of(entries, "ItemProgress").map(({ event }) => event.progress)).toEqual([undefined, 1, 0])
    })
  )
})
