import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import * as Host from "@switchyard/core/testing/Host"
import { give, wait } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import { forker } from "../../packages/core/src/internal/compat.js"
import { makeLimiter } from "../../packages/core/src/internal/limiter.js"
import { agent, start } from "./engine.js"

const calls = (times: number) => Array.from({ length: times }, (_, n) => n)

describe("groups", () => {
  it.effect("are shared by all runs: at most so many at once, and so many a minute", () =>
    Effect.gen(function* () {
      const began: Array<number> = []
      let most = 0
      const caller = agent("call", [wait(10), give(null)])
      const counting = {
        ...caller,
        run: (task: Parameters<typeof caller.run>[0]) => {
          most = Math.max(most, caller.running() + 1)
          began.push(0)
          return caller.run(task)
        }
      }
      yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(counting))
      const host = yield* Host.start({ groups: { provider: { concurrency: 3, perMinute: 20 } } })
      const workflow = Workflow.make("w", { defaults: { group: "provider" } }).pipe(
        Workflow.step("a", { skill: "call", forEach: calls(15) }),
        Workflow.step("b", { skill: "call", forEach: calls(10) })
      )
      const runs = yield* Effect.forEach([1, 2], () => host.plane.registerRun({ workflow }))
      yield* TestClock.adjust("1 second")
      expect(began.length).toBe(20)
      yield* TestClock.adjust("58 seconds")
      expect(began.length).toBe(20)
      yield* TestClock.adjust("2 seconds")
      expect(began.length).toBe(40)
      yield* TestClock.adjust("1 minute")
      for (const run of runs) expect((yield* run.result).status).toBe("Completed")
      expect([began.length, most]).toEqual([50, 3])
      yield* host.stop
    }).pipe(Effect.provide(start()))
  )

  it.effect("serve higher priorities first, within a run and between runs", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const caller = agent("call", (task) => {
        order.push(`${String(task.input)}${task.stepId}`)
        return [wait(10), give(null)]
      })
      yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(caller))
      const host = yield* Host.start({ groups: { one: { concurrency: 1 } } })
      const make = (priority: number) =>
        Workflow.make("w", { defaults: { group: "one", priority } }).pipe(
          Workflow.step("a", { skill: "call", input: "{{ params.name }}" }),
          Workflow.step("b", { skill: "call", input: "{{ params.name }}", priority: priority + 1 })
        )
      const low = yield* host.plane.registerRun({ workflow: make(0), params: { name: "low." } })
      yield* TestClock.adjust("1 millis")
      const high = yield* host.plane.registerRun({ workflow: make(10), params: { name: "high." } })
      yield* TestClock.adjust("1 second")
      expect([(yield* low.result).status, (yield* high.result).status]).toEqual(["Completed", "Completed"])
      expect(order).toEqual(["low.b", "high.b", "high.a", "low.a"])
      yield* host.stop
    }).pipe(Effect.provide(start()))
  )

  it.effect("that a step names and nobody limits are refused", () =>
    Effect.gen(function* () {
      const host = yield* Host.start({ groups: { openai: { concurrency: 1 } } })
      const workflow = Workflow.make("w").pipe(Workflow.step("a", { skill: "call", group: "opnai" }))
      const error = yield* Effect.flip(host.plane.registerRun({ workflow }))
      expect(error.message).toContain('steps[0].group: there is no group "opnai"; did you mean "openai"?')
      yield* host.stop
    }).pipe(Effect.provide(start()))
  )

  it.effect(
    "keep their limits whoever is interrupted, and lose no room",
    () =>
      Effect.gen(function* () {
        const fork = yield* forker
        const clock = yield* Effect.clock
        const act = fc.record({
          priority: fc.integer({ min: 0, max: 2 }),
          takes: fc.integer({ min: 1, max: 50 }),
          interruptedAfter: fc.option(fc.integer({ min: 0, max: 60 }))
        })
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(
              fc.array(act, { minLength: 1, maxLength: 40 }),
              fc.integer({ min: 1, max: 4 }),
              fc.option(fc.integer({ min: 1, max: 5 })),
              (acts, concurrency, perMinute) =>
                Effect.gen(function* () {
                  let now = 0
                  const limiter = makeLimiter(
                    { g: { concurrency, ...(perMinute === null ? {} : { perMinute }) } },
                    fork,
                    () => clock.unsafeCurrentTimeMillis()
                  )
                  let underWay = 0
                  let most = 0
                  let ended = 0
                  const began: Array<number> = []
                  const one = ({ interruptedAfter, priority, takes }: (typeof acts)[number]) =>
                    limiter
                      .within(
                        "g",
                        priority
                      )(
                        Effect.suspend(() => {
                          underWay++
                          most = Math.max(most, underWay)
                          began.push(now)
                          return Effect.ensuring(
                            Effect.sleep(takes),
                            Effect.sync(() => {
                              underWay--
                            })
                          )
                        })
                      )
                      .pipe(
                        (attempt) =>
                          interruptedAfter === null
                            ? attempt
                            : Effect.asVoid(Effect.timeoutOption(attempt, interruptedAfter)),
                        Effect.ensuring(
                          Effect.sync(() => {
                            ended++
                          })
                        )
                      )
                  for (const each of acts) fork(one(each))
                  for (let step = 0; step < 2_000 && ended < acts.length; step++) {
                    yield* TestClock.adjust(step < 70 ? 1 : 10_000)
                    now += step < 70 ? 1 : 10_000
                  }
                  expect(ended).toBe(acts.length)
                  expect([underWay, most <= concurrency]).toEqual([0, true])
                  if (perMinute !== null) {
                    for (const [index, at] of began.entries())
                      expect(
                        (began[index + perMinute] ?? Number.POSITIVE_INFINITY) - at
                      ).toBeGreaterThanOrEqual(50_000)
                  }
                  // Whatever happened, there is room for one more in the end.
                  yield* TestClock.adjust("2 minutes")
                  let served = false
                  fork(
                    limiter.within(
                      "g",
                      0
                    )(
                      Effect.sync(() => {
                        served = true
                      })
                    )
                  )
                  yield* TestClock.adjust(1)
                  expect(served).toBe(true)
                }).pipe(
                  (effect) =>
                    new Promise<void>((resolve, reject) => {
                      fork(effect).addObserver((exit) =>
                        exit._tag === "Success" ? resolve() : reject(new Error(String(exit.cause)))
                      )
                    })
                )
            ),
            { numRuns: 40 }
          )
        )
      }),
    60_000
  )
})
