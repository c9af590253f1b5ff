import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import type { Entry } from "@switchyard/core/Event"
import * as Host from "@switchyard/core/testing/Host"
import { die, fail, give, hang, say, wait } from "@switchyard/core/testing/ScriptedAgent"
import type { Join } from "@switchyard/core/Workflow"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { agent, execute, of, start } from "./engine.js"

const outcomes = {
  succeeded: { skill: "work" },
  failed: { skill: "broken", onFailure: "continue" },
  skipped: { skill: "work", when: "false" }
} as const

type Outcome = keyof typeof outcomes

const times = (entries: ReadonlyArray<Entry>, tag: Entry["event"]["_tag"]) =>
  Object.fromEntries(of(entries, tag).map(({ event, time }) => ["stepId" in event ? event.stepId : "", time]))

describe("the order of steps", () => {
  it.effect("starts a step as soon as its own dependencies are settled, without a batch barrier", () =>
    Effect.gen(function* () {
      const slow = agent("slow", [wait(1_000), give(null)])
      const work = agent("work", [wait(10), give(null)])
      const workflow = Workflow.make("w").pipe(
        Workflow.step("a", { skill: "work" }),
        Workflow.step("slow", { skill: "slow" }),
        Workflow.step("b", { skill: "work", after: ["a"] }),
        Workflow.step("c", { skill: "work", after: ["b"] }),
        Workflow.step("end", { skill: "work", after: ["c", "slow"] })
      )
      const { entries } = yield* execute(workflow, [slow, work])
      expect(times(entries, "StepStarted")).toEqual({ a: 0, slow: 0, b: 10, c: 20, end: 1_000 })
    })
  )

  const joins: ReadonlyArray<readonly [Join, ReadonlyArray<Outcome>, boolean]> = [
    ["allSucceeded", ["succeeded", "succeeded"], true],
    ["allSucceeded", ["succeeded", "skipped"], false],
    ["allSucceeded", ["succeeded", "failed"], false],
    ["noneFailed", ["succeeded", "skipped"], true],
    ["noneFailed", ["skipped", "skipped"], true],
    ["noneFailed", ["succeeded", "failed"], false],
    ["anySucceeded", ["succeeded", "failed"], true],
    ["anySucceeded", ["failed", "skipped"], false],
    ["allSettled", ["failed", "failed"], true],
    ["allSettled", ["failed", "skipped"], true]
  ]
  it.effect.each(joins)(
    "joins by its rule: %s",
    ([join, [first = "succeeded", second = "succeeded"], starts]) =>
      Effect.gen(function* () {
        const workflow = Workflow.make("w").pipe(
          Workflow.step("first", outcomes[first]),
          Workflow.step("second", outcomes[second]),
          Workflow.step("joined", { skill: "work", after: ["first", "second"], join })
        )
        const agents = [agent("work", [give(null)]), agent("broken", [fail("InvalidInput")])]
        const { result } = yield* execute(workflow, agents)
        expect(result.steps[2]?.status).toBe(starts ? "Succeeded" : "Skipped")
        if (!starts) expect(result.steps[2]?.reason).toMatch(/first|second|no dependency succeeded/)
      })
  )

  it.effect("propagates skips by the join rule of each step", () =>
    Effect.gen(function* () {
      const workflow = Workflow.make("w").pipe(
        Workflow.step("a", { skill: "work", when: "params.go" }),
        Workflow.step("b", { skill: "work", after: ["a"] }),
        Workflow.step("c", { skill: "work", after: ["b"] }),
        Workflow.step("d", { skill: "work", after: ["c"], join: "allSettled" })
      )
      const { result } = yield* execute(workflow, [agent("work", [give(1)])], { go: false })
      expect(result.steps.map(({ reason, status }) => [status, reason])).toEqual([
        ["Skipped", "its condition `params.go` is false"],
        ["Skipped", "dependency a was skipped"],
        ["Skipped", "dependency b was skipped"],
        ["Succeeded", undefined]
      ])
      expect(result.outputs).toEqual({ d: 1 })
    })
  )

  it.effect("evaluates a condition when the dependencies are settled, on what they gave", () =>
    Effect.gen(function* () {
      const workflow = Workflow.make("w").pipe(
        Workflow.step("a", { skill: "work", onFailure: "continue" }),
        Workflow.step("yes", { skill: "work", after: ["a"], when: "steps.a.output.n > 2" }),
        Workflow.step("no", { skill: "work", after: ["a"], when: "steps.a.status == 'Failed'" }),
        Workflow.step("bad", {
          skill: "work",
          after: ["a"],
          when: "steps.a.output.m",
          onFailure: "continue"
        }),
        Workflow.step("text", { skill: "work", after: ["a"], when: "dyn('true')", onFailure: "continue" })
      )
      const { result } = yield* execute(workflow, [agent("work", [give({ n: 3 })])])
      expect(result.steps.map(({ status }) => status)).toEqual([
        "Succeeded",
        "Succeeded",
        "Skipped",
        "Failed",
        "Failed"
      ])
      expect(result.steps.slice(3).map(({ failure }) => [failure?.kind, failure?.message])).toEqual([
        ["ExpressionError", "Cannot evaluate `steps.a.output.m`: there is no `steps.a.output.m`; it has n"],
        ["ExpressionError", "Cannot evaluate `dyn('true')`: it gave \"true\", not true or false"]
      ])
    })
  )
})

describe("forEach", () => {
  it.effect("runs once per element, in the order of the list, each with its label and input", () =>
    Effect.gen(function* () {
      const echo = agent("echo", (task) => [wait(100 - task.index * 10), give(task.input)])
      const workflow = Workflow.make("w").pipe(
        Workflow.step("list", { skill: "echo", input: "{{ params.list }}" }),
        Workflow.step("each", {
          skill: "echo",
          after: ["list"],
          forEach: "{{ steps.list.output }}",
          label: "{{ item.name }} {{ index }}",
          input: { name: "{{ item.name }}", size: "{{ item.size * 2 }}" }
        })
      )
      const list = ["a", "b", "c"].map((name, size) => ({ name, size }))
      const { entries, result } = yield* execute(workflow, [echo], { list })
      expect(result.outputs.each).toEqual([
        { name: "a", size: 0 },
        { name: "b", size: 2 },
        { name: "c", size: 4 }
      ])
      const labels = of(entries, "ItemStarted").map(({ event }) => event.item)
      expect(labels).toEqual(["list", "a 0", "b 1", "c 2"])
    })
  )

  it.effect("completes on an empty list, and fails on what is no list", () =>
    Effect.gen(function* () {
      const step = (forEach: string | ReadonlyArray<number>) =>
        ({ skill: "work", forEach, onFailure: "continue" }) as const
      const workflow = Workflow.make("w").pipe(
        Workflow.step("empty", step([])),
        Workflow.step("none", step("{{ params.text }}")),
        Workflow.step("missing", step("{{ params.missing }}")),
        Workflow.step("after", { skill: "work", after: ["empty"], input: "{{ steps.empty.output }}" })
      )
      const work = agent("work", (task) => [give(task.input)])
      const { result } = yield* execute(workflow, [work], { text: "no list" })
      expect(result.steps.map(({ status, totalItems }) => [status, totalItems])).toEqual([
        ["Succeeded", 0],
        ["Failed", 0],
        ["Failed", 0],
        ["Succeeded", 1]
      ])
      expect(result.outputs).toEqual({ empty: [], after: [] })
      expect(result.steps[1]?.failure?.message).toContain("not a list")
    })
  )

  it.effect("keeps to the concurrency of the step and of the run", () =>
    Effect.gen(function* () {
      const work = agent("work", [wait(10), give(null)])
      const list = Array.from({ length: 6 }, (_, i) => i)
      const workflow = Workflow.make("w", { concurrency: 3 }).pipe(
        Workflow.step("one", { skill: "work", forEach: list, concurrency: 1 }),
        Workflow.step("many", { skill: "work", forEach: list })
      )
      const { entries } = yield* execute(workflow, [work])
      // Items of the log: a start adds one, an end takes one away.
      let now = 0
      let most = 0
      const perStep = new Map<string, number>()
      for (const { event } of entries) {
        if (event._tag !== "ItemStarted" && event._tag !== "ItemCompleted") continue
        const by = event._tag === "ItemStarted" ? 1 : -1
        now += by
        most = Math.max(most, now)
        perStep.set(event.stepId, (perStep.get(event.stepId) ?? 0) + by)
        if (event.stepId === "one") expect(perStep.get("one")).toBeLessThanOrEqual(1)
      }
      expect(most).toBe(3)
    })
  )

  it.effect("fails with the first failed item and interrupts the others, or goes on with the rest", () =>
    Effect.gen(function* () {
      const work = agent("work", (task) =>
        task.index === 1 ? [wait(5), fail("InvalidInput", "bad item")] : [wait(100), give(task.index)]
      )
      const each = { skill: "work", forEach: [0, 1, 2], onFailure: "continue" } as const
      const workflow = Workflow.make("w").pipe(
        Workflow.step("strict", each),
        Workflow.step("tolerant", { ...each, onItemFailure: "continue" })
      )
      const { entries, result } = yield* execute(workflow, [work])
      const [strict, tolerant] = result.steps
      expect([strict?.status, strict?.succeeded, strict?.failed]).toEqual(["Failed", 0, 1])
      expect(strict?.failure).toMatchObject({ kind: "InvalidInput", message: "bad item", agentId: "work" })
      expect(times(entries, "StepFailed")).toEqual({ strict: 5 })
      expect(work.interrupted()).toBe(2)
      expect([tolerant?.status, tolerant?.succeeded, tolerant?.failed]).toEqual(["Succeeded", 2, 1])
      expect(result.outputs).toEqual({ tolerant: [0, 2] })
    })
  )
})

describe("a failed step", () => {
  const workflow = (onStepFailure: "failFast" | "drain") =>
    Workflow.make("w", { onStepFailure }).pipe(
      Workflow.step("bad", { skill: "bad" }),
      Workflow.step("slow", { skill: "slow" }),
      Workflow.step("never", { skill: "slow", after: ["slow"] })
    )
  const agents = () => [
    agent("bad", [wait(10), fail("Failed", "no")]),
    agent("slow", [wait(100), give(null)])
  ]

  it.effect("interrupts its siblings and records that", () =>
    Effect.gen(function* () {
      const all = agents()
      const { entries, result } = yield* execute(workflow("failFast"), all)
      expect(result.status).toBe("Failed")
      expect([result.failedStep, result.failure?.message]).toEqual(["bad", "no"])
      expect(result.steps.map(({ status }) => status)).toEqual(["Failed", "Cancelled", "Skipped"])
      expect(of(entries, "StepCancelled").map(({ time }) => time)).toEqual([10])
      expect(all[1]?.interrupted()).toBe(1)
    })
  )

  it.effect("lets its siblings finish where the workflow drains", () =>
    Effect.gen(function* () {
      const { entries, result } = yield* execute(workflow("drain"), agents())
      expect(result.status).toBe("Failed")
      expect(result.steps.map(({ status }) => status)).toEqual(["Failed", "Succeeded", "Skipped"])
      expect(of(entries, "RunFailed").map(({ time }) => time)).toEqual([100])
    })
  )
})

describe("what agents do", () => {
  it.effect("takes everything that goes wrong in an agent as a failure", () =>
    Effect.gen(function* () {
      const interrupting = { ...agent("interrupting", []), run: () => Effect.interrupt }
      const throwing = {
        ...agent("throwing", []),
        run: () => {
          throw new Error("thrown")
        }
      }
      const trap = Object.defineProperty({}, "x", {
        enumerable: true,
        get: () => {
          throw new Error("trapped")
        }
      })
      const agents = [
        agent("dying", [die(new Error("a bug"))]),
        agent("silent", [say({ progress: 1 })]),
        agent("odd", [give({ at: Number.NaN })]),
        agent("trapped", [give(trap as never)]),
        interrupting,
        throwing
      ]
      let workflow: Workflow.Workflow<unknown, Record<never, unknown>> = Workflow.make("w")
      for (const { id } of agents) {
        const added = workflow.pipe(Workflow.step(id as string, { agent: id, onFailure: "continue" }))
        workflow = added as never
      }
      const { result } = yield* execute(workflow, agents)
      expect(result.steps.map(({ failure }) => [failure?.kind, failure?.message])).toEqual([
        ["Failed", "a bug"],
        ["InvalidOutput", "it ended without an output"],
        ["InvalidOutput", "its output has NaN at $.at, which JSON cannot carry"],
        ["Failed", "trapped"],
        ["Crashed", "it interrupted itself"],
        ["Failed", "thrown"]
      ])
    })
  )

  it.effect("fails an item when the registry breaks, instead of repeating it for ever", () =>
    Effect.gen(function* () {
      const work = agent("work", [give(null)])
      const broken = Effect.map(AgentRegistry, (registry) => ({
        ...registry,
        begin: () => {
          throw new Error("no metrics today")
        }
      }))
      const registry = yield* broken
      yield* registry.register(work)
      const { plane } = yield* Effect.provideService(Host.start(), AgentRegistry, registry)
      const run = yield* plane.registerRun({
        workflow: Workflow.make("w").pipe(Workflow.step("a", { agent: "work" }))
      })
      const result = yield* run.result
      expect([result.status, result.failure?.message]).toEqual(["Failed", "no metrics today"])
    }).pipe(Effect.provide(start()))
  )

  it.effect("gives up a step after its time, attempts and waits included", () =>
    Effect.gen(function* () {
      const workflow = Workflow.make("w").pipe(
        Workflow.step("late", { skill: "hanging", stepTimeout: "1 second", onFailure: "continue" }),
        Workflow.step("queued", {
          skill: "work",
          forEach: [1, 2, 3],
          concurrency: 1,
          stepTimeout: "250 millis",
          onFailure: "continue"
        })
      )
      const hanging = agent("hanging", [hang])
      const work = agent("work", [wait(100), give(null)])
      const { entries, result } = yield* execute(workflow, [hanging, work])
      expect(times(entries, "StepFailed")).toEqual({ late: 1_000, queued: 250 })
      expect(result.steps[0]?.failure).toEqual({
        kind: "Timeout",
        message: "the step took longer than 1000 ms"
      })
      expect(result.steps[1]?.succeeded).toBe(2)
      expect([hanging.interrupted(), work.interrupted()]).toEqual([1, 1])
    })
  )

  it.effect("does not count the time of a pause", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registry.register(agent("work", [wait(100), give(null)]))
      const plane = yield* ControlPlane
      const run = yield* plane.registerRun({
        workflow: Workflow.make("w").pipe(
          Workflow.step("a", { skill: "work", forEach: [1, 2], concurrency: 1, stepTimeout: "300 millis" })
        )
      })
      yield* TestClock.adjust(50)
      yield* run.control({ _tag: "Pause" })
      yield* TestClock.adjust(60)
      expect(yield* run.status).toBe("Paused")
      yield* TestClock.adjust("1 hour")
      yield* run.control({ _tag: "Resume" })
      yield* TestClock.adjust(150)
      expect((yield* run.result).status).toBe("Completed")
    }).pipe(Effect.provide(start()))
  )
})
