import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { type Agent, make as makeAgent } from "../Agent.js"
import { AgentRegistry } from "../AgentRegistry.js"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import { AgentId, StepId } from "../Ids.js"
import * as Workflow from "../Workflow.js"
import { collect, law, type Plane, wellFormed } from "./ControlPlaneLaws.js"
import { equal, eventually, holds, type Law } from "./Law.js"
import * as ScriptedAgent from "./ScriptedAgent.js"
import { eventsOf, numbers } from "./Spender.js"

const registered = <A extends Agent>(agent: A) =>
  Effect.as(
    Effect.flatMap(AgentRegistry, (registry) => Effect.orDie(registry.register(agent))),
    agent
  )

const serve = { capabilities: [{ skill: "serve" }] }

/** One step of the skill `work`. */
const one = (options: Partial<Workflow.StepOptions<never>> = {}) =>
  Workflow.make("one").pipe(Workflow.step("serve", { skill: "serve", ...options }))

const ended = (run: RunHandle, status: string) =>
  Effect.gen(function* () {
    const result = yield* run.result
    yield* equal("how it ends", [result.status, result.failure?.message], [status, result.failure?.message])
    yield* wellFormed(yield* collect(run.events))
    return result
  })

/** Lets the clock run until a run has ended. */
const passing = (run: RunHandle, millis: number) =>
  Effect.gen(function* () {
    let over = false
    yield* Effect.forkScoped(
      Effect.ensuring(
        run.result,
        Effect.sync(() => {
          over = true
        })
      )
    )
    for (let step = 0; step < 1_000 && !over; step++) {
      yield* TestClock.adjust(millis)
      yield* Effect.yieldNow()
    }
  }).pipe(Effect.scoped)

const approve: ControlCommand = { _tag: "Decide", stepId: StepId.make("gate"), decision: "approve" }

/** Waits until a run waits for a decision. */
const waitingAt = (run: RunHandle) =>
  run.events.pipe(
    Stream.filter(({ event }) => event._tag === "StepWaiting"),
    Stream.runHead
  )

const retriesOf = (run: RunHandle) =>
  Effect.map(eventsOf(run, "ItemFailed"), (failures) => failures.map(({ retry }) => retry))

/** What every control plane promises about whom it gives work, and how much of it. */
export const AgentUseLaws: ReadonlyArray<Law<Plane>> = [
  law("waits for the limit of a provider, which uses up no attempt", ({ plane }) =>
    Effect.gen(function* () {
      const agent = yield* registered(
        ScriptedAgent.make(
          "serve",
          (_, call) =>
            call < 3
              ? [ScriptedAgent.fail(call === 1 ? "QuotaExhausted" : "RateLimited", "slow down", 60_000)]
              : [ScriptedAgent.give("done")],
          serve
        )
      )
      const run = yield* plane.registerRun({ workflow: one({ retry: { attempts: 1 } }) })
      yield* eventually("it is asked", () => agent.calls.length === 1)
      yield* TestClock.adjust(59_000)
      yield* equal("it waits", agent.calls.length, 1)
      yield* passing(run, 10_000)
      const { outputs } = yield* ended(run, "Completed")
      yield* equal("what it gives", outputs.serve, "done")
      const retries = yield* retriesOf(run)
      yield* equal(
        "each is held",
        retries.map((retry) => retry?.held),
        [true, true, true]
      )
      yield* holds(
        "each for as long as it said",
        retries.every((retry) => (retry?.delayMillis ?? 0) >= 60_000),
        retries
      )
      yield* equal(
        "keys differ",
        agent.calls.map(({ idempotencyKey }) => idempotencyKey.split("/").at(-1)),
        ["1", "2", "3", "4"]
      )
    })
  ),

  law(
    "gives the work to another agent that can do it while one is held, and holds it for everybody",
    ({ plane }) =>
      Effect.gen(function* () {
        const first = yield* registered(
          ScriptedAgent.make("first", [ScriptedAgent.fail("QuotaExhausted", "used up until ten", 600_000)], {
            capabilities: [{ skill: "serve", priority: 1 }]
          })
        )
        const second = yield* registered(ScriptedAgent.make("second", [ScriptedAgent.give(2)], serve))
        const run = yield* plane.registerRun({ workflow: one() })
        yield* equal("what it gives", (yield* ended(run, "Completed")).outputs.serve, 2)
        const [retry] = yield* retriesOf(run)
        yield* equal("at once", [retry?.held, retry?.delayMillis, retry?.agentId], [true, 0, "second"])
        const again = yield* plane.registerRun({ workflow: one() })
        yield* ended(again, "Completed")
        yield* equal("who is asked", [first.calls.length, second.calls.length], [1, 2])
        yield* TestClock.adjust(600_001)
        const later = yield* plane.registerRun({ workflow: one() })
        yield* ended(later, "Completed")
        yield* equal("who is asked later", [first.calls.length, second.calls.length], [2, 3])
      })
  ),

  law("waits until one is free again where all that could do it are held", ({ plane }) =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      const agent = yield* registered(ScriptedAgent.make("serve", [ScriptedAgent.give(1)]))
      yield* registry.hold(agent.id, 30_000, "used up")
      const run = yield* plane.registerRun({ workflow: one() })
      yield* TestClock.adjust(29_000)
      yield* equal("it waits", agent.calls.length, 0)
      yield* passing(run, 1_000)
      yield* equal("what it gives", (yield* ended(run, "Completed")).outputs.serve, 1)
    })
  ),

  law("has no agent do more at once than it says, whatever runs ask for it", ({ plane }) =>
    Effect.gen(function* () {
      let underWay = 0
      let most = 0
      yield* registered(
        makeAgent("serve", {
          capabilities: [{ skill: "serve", constraints: { maxConcurrency: 3 } }],
          run: (task) =>
            Effect.acquireUseRelease(
              Effect.sync(() => {
                most = Math.max(most, ++underWay)
              }),
              () => Effect.as(Effect.sleep(10), task.input),
              () =>
                Effect.sync(() => {
                  underWay--
                })
            )
        })
      )
      const runs = yield* Effect.forEach(numbers(4), () =>
        plane.registerRun({ workflow: one({ forEach: numbers(10) }) })
      )
      for (const run of runs) yield* passing(run, 10)
      for (const run of runs)
        yield* equal("what it gives", (yield* ended(run, "Completed")).outputs.serve, numbers(10))
      yield* equal("at once", most, 3)
    })
  ),

  law("ends an attempt that takes longer than its agent says it does", ({ plane }) =>
    Effect.gen(function* () {
      const agent = yield* registered(
        ScriptedAgent.make("serve", [ScriptedAgent.hang], {
          capabilities: [{ skill: "serve", constraints: { maxDuration: "5s" } }]
        })
      )
      const run = yield* plane.registerRun({ workflow: one() })
      yield* eventually("it is asked", () => agent.calls.length === 1)
      yield* TestClock.adjust(5_000)
      const { failure } = yield* ended(run, "Failed")
      yield* equal("why", failure?.kind, "Timeout")
      yield* equal("it is interrupted", agent.interrupted(), 1)
    })
  ),

  law("chooses by what an item needs where the constraints of its step say so", ({ plane }) =>
    Effect.gen(function* () {
      const small = yield* registered(
        ScriptedAgent.make("small", [ScriptedAgent.give("small")], {
          capabilities: [{ skill: "serve", constraints: { maxFileSize: "1MB" }, priority: 1 }]
        })
      )
      yield* registered(
        ScriptedAgent.make("large", [ScriptedAgent.give("large")], {
          capabilities: [{ skill: "serve", constraints: { maxFileSize: "1GB" } }]
        })
      )
      const run = yield* plane.registerRun({
        workflow: one({
          forEach: [{ size: "10KB" }, { size: "20MB" }, { size: "1MB" }],
          constraints: { maxFileSize: "{{ item.size }}" }
        })
      })
      yield* equal("who does it", (yield* ended(run, "Completed")).outputs.serve, ["small", "large", "small"])
      yield* equal("calls", small.calls.length, 2)
      const wrong = yield* plane.registerRun({
        workflow: one({
          forEach: [{ size: null }],
          constraints: { maxFileSize: "{{ item.size }}" }
        })
      })
      yield* equal(
        "what cannot be a constraint",
        (yield* ended(wrong, "Failed")).failure?.kind,
        "InvalidInput"
      )
    })
  ),

  law(
    "gives an agent what it takes by its Schemas, and takes from it what it says that it gives",
    ({ plane }) =>
      Effect.gen(function* () {
        const number = { type: "number" }
        const text = { type: "string" }
        const strict = yield* registered(
          ScriptedAgent.make("strict", ({ input }) => [ScriptedAgent.give(input === 2 ? "two" : input)], {
            capabilities: [{ skill: "serve", inputTypes: [number], outputTypes: [number], priority: 1 }]
          })
        )
        const numeric = yield* plane.registerRun({ workflow: one({ forEach: ["1"], input: "{{ 1 + 0 }}" }) })
        yield* equal("what it gives", (yield* ended(numeric, "Completed")).outputs.serve, [1])
        const refused = yield* plane.registerRun({ workflow: one({ forEach: ["x"] }) })
        yield* equal("what nobody takes", (yield* ended(refused, "Failed")).failure?.kind, "InvalidInput")
        yield* equal("it is not asked", strict.calls.length, 1)
        const broken = yield* plane.registerRun({ workflow: one({ forEach: [2] }) })
        yield* equal("what it must not give", (yield* ended(broken, "Failed")).failure?.kind, "InvalidOutput")
        yield* registered(
          ScriptedAgent.make("texts", [ScriptedAgent.give("text")], {
            capabilities: [{ skill: "serve", inputTypes: [text] }]
          })
        )
        const asked = yield* plane.registerRun({
          workflow: one({ inputType: { type: "string", minLength: 1 }, forEach: ["x"] })
        })
        yield* equal("by what the step says", (yield* ended(asked, "Completed")).outputs.serve, ["text"])
        const both = yield* plane.registerRun({ workflow: one({ forEach: [1, "x", 3] }) })
        yield* equal("each by who takes it", (yield* ended(both, "Completed")).outputs.serve, [1, "text", 3])
      })
  ),

  law("counts as load what is under way, and nothing that was interrupted", ({ plane }) =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      const agent = yield* registered(ScriptedAgent.make("serve", [ScriptedAgent.hang]))
      const load = Effect.map(
        registry.explain({ requiredSkills: ["serve"] }),
        ({ candidates }) => candidates[0]?.load
      )
      const run = yield* plane.registerRun({ workflow: one({ forEach: numbers(3) }) })
      yield* eventually("they are asked", () => agent.calls.length === 3)
      yield* equal("under way", yield* load, 3)
      yield* run.control({ _tag: "Pause", mode: "interrupt" })
      yield* eventually("they are interrupted", () => agent.interrupted() === 3)
      for (let turn = 0; turn < 1_000 && (yield* run.status) !== "Paused"; turn++) yield* Effect.yieldNow()
      yield* equal("after a pause", yield* load, 0)
      yield* run.control({ _tag: "Resume" })
      yield* eventually("they are asked again", () => agent.calls.length === 6)
      yield* equal("under way again", yield* load, 3)
      yield* run.control({ _tag: "Cancel" })
      yield* ended(run, "Cancelled")
      yield* equal("after a cancel", yield* load, 0)
    })
  ),

  law("keeps to the agent that did it before where the step says so", ({ plane }) =>
    Effect.gen(function* () {
      for (const id of ["a", "b", "c"])
        yield* registered(ScriptedAgent.make(id, [ScriptedAgent.give(id)], serve))
      const registry = yield* AgentRegistry
      const workflow = Workflow.make("sticky").pipe(
        Workflow.step("first", { skill: "serve", select: "sticky" }),
        Workflow.step("gate", { after: ["first"], approval: {} }),
        Workflow.step("second", { skill: "serve", after: ["gate"], select: "sticky" })
      )
      const run = yield* plane.registerRun({ workflow })
      yield* waitingAt(run)
      const [first] = yield* eventsOf(run, "ItemCompleted")
      yield* registry.observe(AgentId.make(first?.agentId ?? ""), {
        durationMillis: 100_000,
        usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 10_000_000 },
        failure: undefined
      })
      yield* run.control(approve)
      const { outputs } = yield* ended(run, "Completed")
      yield* equal("who does it", outputs.second, first?.agentId)
    })
  ),

  law("gives nobody what needs more than the run grants, and records who was passed over", ({ plane }) =>
    Effect.gen(function* () {
      const online = yield* registered(
        ScriptedAgent.make("online", [ScriptedAgent.give("online")], {
          capabilities: [{ skill: "serve", priority: 1 }],
          requires: ["Network"]
        })
      )
      const workflow = one()
      const refused = yield* plane.registerRun({ workflow, permissions: ["ReadFiles"] })
      yield* equal("why", (yield* ended(refused, "Failed")).failure?.kind, "NoCapableAgent")
      const denials = yield* eventsOf(refused, "PermissionDenied")
      yield* equal(
        "what is recorded",
        denials.map(({ agentId, permission }) => [agentId, permission]),
        [["online", "Network"]]
      )
      yield* registered(ScriptedAgent.make("offline", [ScriptedAgent.give("offline")], serve))
      const run = yield* plane.registerRun({ workflow, permissions: ["ReadFiles"] })
      yield* equal("who does it", (yield* ended(run, "Completed")).outputs.serve, "offline")
      yield* equal("without a denial", yield* eventsOf(run, "PermissionDenied"), [])
      const free = yield* plane.registerRun({ workflow })
      yield* equal("where everything is granted", (yield* ended(free, "Completed")).outputs.serve, "online")
      yield* equal("calls", online.calls.length, 1)
    })
  ),

  law("keeps to an agent as it was when a run got to know it", ({ plane }) =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registered(ScriptedAgent.make("serve", [ScriptedAgent.give("old")]))
      const workflow = Workflow.make("pinned").pipe(
        Workflow.step("first", { skill: "serve" }),
        Workflow.step("gate", { after: ["first"], approval: {} }),
        Workflow.step("second", { skill: "serve", after: ["gate"] })
      )
      const run = yield* plane.registerRun({ workflow })
      yield* waitingAt(run)
      yield* registry.unregister("serve")
      yield* registered(ScriptedAgent.make("serve", [ScriptedAgent.give("new")]))
      yield* run.control(approve)
      yield* equal("the run", (yield* ended(run, "Completed")).outputs.second, "old")
      const other = yield* plane.registerRun({ workflow: one() })
      yield* equal("another run", (yield* ended(other, "Completed")).outputs.serve, "new")
    })
  )
]
