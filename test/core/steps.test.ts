import { describe, expect, it } from "@effect/vitest"
import type { RunHandle } from "@switchyard/core/ControlPlane"
import { StepId } from "@switchyard/core/Ids"
import * as Plan from "@switchyard/core/Plan"
import * as Host from "@switchyard/core/testing/Host"
import { fail, give, hang, wait } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { agent, execute, of, start } from "./engine.js"

const orders = [
  { id: 1, open: true, total: 2.5 },
  { id: 2, open: false, total: 1 },
  { id: 3, open: true, total: 4 }
]

describe("steps without an agent", () => {
  it.effect("compute again what a pause interrupted, whenever that was", () =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const over = Array.from({ length: 10_000 }, (_, n) => n)
      const workflow = Workflow.make("w").pipe(
        Workflow.step("all", { map: { over, value: "{{ item * 2 }}" } })
      )
      for (let turns = 0; turns < 12; turns++) {
        const run = yield* host.plane.registerRun({ workflow })
        while ((yield* run.status) !== "Running") yield* Effect.yieldNow()
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow()
        const paused = yield* Effect.exit(run.control({ _tag: "Pause", mode: "interrupt" }))
        if (Exit.isSuccess(paused)) {
          while (!/Paused|Completed/.test(yield* run.status)) yield* Effect.yieldNow()
          yield* Effect.ignore(run.control({ _tag: "Resume" }))
        }
        const { outputs, status } = yield* run.result
        expect([turns, status, outputs.all]).toEqual([turns, "Completed", over.map((n) => n * 2)])
      }
      yield* host.stop
    }).pipe(Effect.provide(start()))
  )

  it.effect("map a list, and reduce one", () =>
    Effect.gen(function* () {
      const list = agent("list", [give(orders)])
      const workflow = Workflow.make("w").pipe(
        Workflow.step("orders", { skill: "list" }),
        Workflow.step("open", {
          after: ["orders"],
          map: {
            over: "{{ steps.orders.output }}",
            where: "item.open && index < params.most",
            value: { id: "{{ item.id }}", text: "{{ index }}: {{ item.total }}" }
          }
        }),
        Workflow.step("sum", {
          after: ["orders"],
          reduce: {
            over: "{{ steps.orders.output }}",
            initial: "{{ params.start }}",
            value: "{{ acc + item.total }}"
          }
        }),
        Workflow.step("both", {
          after: ["open", "sum"],
          map: {
            over: [1],
            value: ["{{ steps.open.output }}", "{{ steps.sum.output }}", "{{ steps.sum.status }}"]
          }
        })
      )
      const { entries, result } = yield* execute(workflow, [list], { most: 5, start: 0.5 })
      expect(result.status).toBe("Completed")
      const open = [
        { id: 1, text: "0: 2.5" },
        { id: 3, text: "2: 4" }
      ]
      expect(result.outputs).toEqual({ orders, open, sum: 8, both: [[open, 8, "Succeeded"]] })
      expect(
        of(entries, "StepStarted").map(({ event }) => [event.stepId, event.stepType, event.totalItems])
      ).toEqual([
        ["orders", "list", 1],
        ["open", "map", 0],
        ["sum", "reduce", 0],
        ["both", "map", 0]
      ])
    })
  )

  const failures: ReadonlyArray<readonly [string, Workflow.StepOptions<never>, string, string]> = [
    [
      "no list",
      { map: { over: "{{ params.orders[0] }}", value: 1 } },
      "InvalidInput",
      'its list gave {"id":1,"open":true,"total":2.5}, which is not a list'
    ],
    [
      "a name that is missing",
      { map: { over: "{{ params.orders }}", value: "{{ item.totl }}" } },
      "ExpressionError",
      'Cannot evaluate `item.totl`: there is no `item.totl`; did you mean "total"?'
    ],
    [
      "a condition that is none",
      { map: { over: [1], where: "item", value: 1 } },
      "ExpressionError",
      "Cannot evaluate `item`: it gave 1, not true or false"
    ],
    [
      "a sum that does not add up",
      { reduce: { over: [1, "x"], initial: 0, value: "{{ acc + item }}" } },
      "ExpressionError",
      "Cannot evaluate `acc + item`: no such overload: dyn<double> + dyn<string>"
    ],
    [
      "no time",
      { wait: { until: "{{ params.orders[0].id > 0 ? 'tomorrow' : '' }}" } },
      "InvalidInput",
      'its until gave "tomorrow", which is not a time'
    ],
    [
      "no number of milliseconds",
      { wait: { millis: "{{ params.orders }}" } },
      "InvalidInput",
      'its millis gave [{"id":1,"open":true,"total":2.5},{"id":2,"open":false,"total":1},{"id":3,"open":true,"total":4}], which is not a time'
    ],
    [
      "a time that nobody lives to see",
      { wait: { millis: "{{ 1e300 }}" } },
      "InvalidInput",
      "its millis gave 1e+300, which is not a time"
    ],
    [
      "a message that is missing",
      { approval: { message: "{{ params.nothing }}" } },
      "ExpressionError",
      "Cannot evaluate `params.nothing`: there is no `params.nothing`; it has orders"
    ]
  ]
  it.effect.each(failures)("fail with %s", ([, options, kind, message]) =>
    Effect.gen(function* () {
      const workflow = Workflow.make("w").pipe(Workflow.step("a", options))
      const { result } = yield* execute(workflow, [], { orders })
      expect(result.failure).toEqual({ kind, message })
      expect(result.status).toBe("Failed")
    })
  )

  it.effect("let other runs go on while they compute", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 20_000 }, (_, n) => n)
      const workflow = Workflow.make("w").pipe(
        Workflow.step("sum", { reduce: { over: many, initial: 0, value: "{{ acc + item }}" } })
      )
      const { result } = yield* execute(workflow, [])
      expect(result.outputs.sum).toBe(199_990_000)
    })
  )

  it.effect("are refused together with what is about agents, and with each other", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Plan.make({
          name: "w",
          steps: [
            Workflow.stepDefinition("a", {
              map: { over: [], value: 1 },
              forEach: [1],
              retry: { attempts: 2 }
            }),
            Workflow.stepDefinition("b", { wait: { millis: 1 }, approval: {} }),
            Workflow.stepDefinition("c", { reduce: { over: "params.x", initial: 0, value: "{{ acc }}" } }),
            Workflow.stepDefinition("d", { map: { over: [], value: "{{ acc }}" } })
          ]
        })
      )
      expect(error.problems.map(({ message, path }) => `${path}: ${message}`)).toEqual([
        "steps[0].forEach: this is about an agent, and map needs none; remove it",
        "steps[0].retry: this is about an agent, and map needs none; remove it",
        "steps[1]: a step does one thing; of approval and wait, keep one",
        'steps[2].reduce.over: this is a text, not a list; write "{{ params.x }}" for the list that an expression gives',
        "steps[3].map.value: there is no acc here; only value of reduce has one"
      ])
    })
  )
})

describe("ten thousand steps that wait", () => {
  const many = Array.from({ length: 5_000 }, (_, n) => n)
  const definition: Workflow.Definition = {
    name: "many",
    steps: [
      ...many.map((n) => Workflow.stepDefinition(`a${n}`, { approval: {} })),
      ...many.map((n) => Workflow.stepDefinition(`t${n}`, { wait: { millis: 60_000 + (n % 100) } }))
    ]
  }
  const waiting = (run: RunHandle) =>
    run.events.pipe(
      Stream.filter(({ event }) => event._tag === "StepWaiting"),
      Stream.take(definition.steps.length),
      Stream.runDrain
    )

  it.effect("need one timer, and survive a restart", () =>
    Effect.gen(function* () {
      const host = yield* Host.start()
      const run = yield* host.plane.registerRun({ workflow: definition })
      yield* waiting(run)
      expect(Chunk.size(yield* TestClock.sleeps())).toBe(1)
      yield* run.control({ _tag: "Decide", stepId: StepId.make("a7"), decision: "approve" })
      yield* host.stop
      const next = yield* Host.start()
      const [again = run] = yield* next.plane.recover
      expect(yield* again.status).not.toBe("Interrupted")
      yield* TestClock.adjust("61 seconds")
      const stepId = (n: number) => StepId.make(`a${n}`)
      for (const n of many) {
        if (n !== 7) yield* again.control({ _tag: "Decide", stepId: stepId(n), decision: "approve" })
      }
      const { status, steps } = yield* again.result
      expect(status).toBe("Completed")
      expect(steps.every((step) => step.status === "Succeeded")).toBe(true)
      yield* next.stop
    }).pipe(Effect.provide(start()))
  )
})

describe("policies", () => {
  it.effect("of the workflow hold for steps that say nothing themselves", () =>
    Effect.gen(function* () {
      const shaky = agent("shaky", (_, call) => (call === 0 ? [fail("Unavailable")] : [give(call)]))
      const broken = agent("broken", [fail("Unavailable")])
      const retry = { attempts: 3, initial: "10 millis", jitter: 0 } as const
      const workflow = Workflow.make("w", { defaults: { retry, onFailure: "continue" } }).pipe(
        Workflow.step("a", { skill: "shaky" }),
        Workflow.step("b", { skill: "broken", retry: { attempts: 1 } })
      )
      const { result } = yield* execute(workflow, [shaky, broken])
      expect(result.steps.map(({ retries, status }) => [status, retries])).toEqual([
        ["Succeeded", 1],
        ["Failed", 0]
      ])
      expect(result.status).toBe("Completed")
    })
  )

  it.effect("say which errors are repeated", () =>
    Effect.gen(function* () {
      const notFound = agent("not-found", (_, call) => (call === 0 ? [fail("NotFound")] : [give(call)]))
      const limited = agent("limited", (_, call) => (call === 0 ? [fail("RateLimited")] : [give(call)]))
      const on = ["NotFound"] as const
      const retry = { attempts: 2, initial: 0, on }
      const workflow = Workflow.make("w", { defaults: { retry, onFailure: "continue" } }).pipe(
        Workflow.step("a", { skill: "not-found" }),
        Workflow.step("b", { skill: "limited" })
      )
      const { result } = yield* execute(workflow, [notFound, limited])
      expect(result.steps.map(({ failure, status }) => [status, failure?.kind])).toEqual([
        ["Succeeded", undefined],
        ["Failed", "RateLimited"]
      ])
    })
  )

  it.effect("fail a run that takes too long, whatever it does", () =>
    Effect.gen(function* () {
      const slow = agent("slow", [hang])
      const quick = agent("quick", [wait(10), give(null)])
      const workflow = Workflow.make("w", { timeout: "50 millis" }).pipe(
        Workflow.step("a", { skill: "quick" }),
        Workflow.step("b", { skill: "slow", after: ["a"] }),
        Workflow.step("c", { wait: { signal: "never" } })
      )
      const { entries, result } = yield* execute(workflow, [slow, quick])
      expect(result.failure).toEqual({ kind: "Timeout", message: "the run took longer than 50 ms" })
      expect(result.steps.map(({ status }) => status)).toEqual(["Succeeded", "Cancelled", "Cancelled"])
      expect(of(entries, "RunFailed").map(({ time }) => time)).toEqual([50])
      expect(slow.interrupted()).toBe(1)
    })
  )
})
