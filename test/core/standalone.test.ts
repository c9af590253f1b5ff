import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { EventLog, LogWriteFailed } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import * as Run from "@switchyard/core/Run"
import { resultOf } from "@switchyard/core/RunResult"
import { collect, tags } from "@switchyard/core/testing/ControlPlaneLaws"
import { fail, give } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import { WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { agent, start } from "./engine.js"

const within = Effect.gen(function* () {
  const workspaces = yield* WorkspaceService
  return { workspace: yield* workspaces.create(RunId.make("alone"), null) }
})

const { definition } = Workflow.make("w").pipe(
  Workflow.step("a", { skill: "work", forEach: [1, 2] }),
  Workflow.step("b", { skill: "work", after: ["a"], input: "{{ steps.a.output }}" })
)

const inner = Workflow.make("inner", {
  params: Schema.Struct({ n: Schema.Int }),
  output: { gives: "{{ steps.do.output }}" }
}).pipe(Workflow.step("do", { skill: "work", input: "{{ params.n }}" }))

const outer = Workflow.make("outer").pipe(
  Workflow.step("each", {
    subworkflow: inner,
    forEach: [1, 2],
    input: { n: "{{ item }}" },
    concurrency: 2
  }),
  Workflow.step("sum", { skill: "work", after: ["each"], input: "{{ steps.each.output }}" })
).definition

/** What became of every run, by its id, and of its parent. */
const recorded = Effect.gen(function* () {
  const log = yield* EventLog
  const runs = new Map<string, Run.Run>()
  for (const entry of yield* collect(log.read({}))) {
    const known = runs.get(entry.runId)
    if (known !== undefined) expect(Run.apply(known, entry)).toBeUndefined()
    const added = known ?? Run.register(entry)
    if (added !== undefined) runs.set(entry.runId, added)
  }
  return runs
})

describe("without a control plane", () => {
  it.scoped("runs a workflow in a given workspace, which it leaves alone", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registry.register(agent("work", (task) => [give(task.input)]))
      const orchestrator = yield* Orchestrator.Orchestrator
      const given = yield* within
      const entries = yield* collect(orchestrator.runWorkflow(definition, given))
      expect(tags(entries).at(-1)).toBe("RunCompleted")
      expect(tags(entries)[0]).toBe("RunRegistered")
      const released = entries.flatMap(({ event }) =>
        event._tag === "WorkspaceReleased" ? [event.kept] : []
      )
      expect(released).toEqual([true])
      const workspaces = yield* WorkspaceService
      expect((yield* workspaces.listActive).map(({ runId }) => runId)).toEqual(["alone"])
    }).pipe(Effect.provide(start()))
  )

  it.scoped("runs one step, and shows its own events only", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registry.register(agent("work", [give("done")]))
      yield* registry.register(agent("bad", [fail("Failed")]))
      const orchestrator = yield* Orchestrator.Orchestrator
      const given = yield* within
      const step = Workflow.stepDefinition("only", { skill: "work", after: ["before"] })
      const events = yield* collect(orchestrator.runStep(step, given))
      expect(events.map(({ _tag }) => _tag)).toEqual([
        "StepStarted",
        "ItemStarted",
        "ItemCompleted",
        "StepCompleted"
      ])
    }).pipe(Effect.provide(start()))
  )

  it.scoped("refuses what is no workflow", () =>
    Effect.gen(function* () {
      const orchestrator = yield* Orchestrator.Orchestrator
      const given = yield* within
      const error = yield* Effect.flip(collect(orchestrator.runWorkflow({ name: "w", steps: [] }, given)))
      expect(error._tag).toBe("InvalidWorkflow")
    }).pipe(Effect.provide(start()))
  )

  it.scoped("stops its agents when nobody reads on", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      const work = agent("work", [{ _tag: "Hang" }])
      yield* registry.register(work)
      const orchestrator = yield* Orchestrator.Orchestrator
      const given = yield* within
      const reader = yield* Effect.fork(collect(orchestrator.runWorkflow(definition, given)))
      while (work.running() < 2) yield* Effect.yieldNow()
      yield* Fiber.interrupt(reader)
      expect([work.running(), work.interrupted()]).toEqual([0, 2])
      const log = yield* EventLog
      expect(tags(yield* collect(log.read({}))).at(-1)).toBe("RunInterrupted")
    }).pipe(Effect.provide(start()))
  )

  it.scoped("fails when the log cannot be written any more, instead of waiting", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registry.register(agent("work", [give("done")]))
      const log = yield* EventLog
      const full = Effect.fail(new LogWriteFailed({ path: "/full", reason: "no space left" }))
      let appended = 0
      const failing = {
        ...log,
        append: (...args: Parameters<typeof log.append>) => (appended++ === 0 ? log.append(...args) : full),
        enqueue: (...[, , settled]: Parameters<typeof log.enqueue>) => settled(Effect.runSyncExit(full))
      }
      const given = yield* within
      const entries = collect(
        Effect.map(Orchestrator.Orchestrator, (each) => each.runWorkflow(definition, given)).pipe(
          Stream.unwrap
        )
      )
      const layer = Layer.provide(Orchestrator.layer, Layer.succeed(EventLog, failing))
      const error = yield* Effect.flip(Effect.provide(entries, layer))
      expect(error._tag).toBe("LogWriteFailed")
    }).pipe(Effect.provide(start()))
  )

  it.scoped("does items that are runs as linked runs, and takes what they give", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registry.register(agent("work", (task) => [give(task.input)]))
      const orchestrator = yield* Orchestrator.Orchestrator
      const entries = yield* collect(orchestrator.runWorkflow(outer, yield* within))
      expect(tags(entries).at(-1)).toBe("RunCompleted")
      const runId = entries[0]?.runId
      expect(new Set(entries.map((entry) => entry.runId))).toEqual(new Set([runId]))
      const runs = yield* recorded
      expect(runs.size).toBe(3)
      const results = [...runs.values()].map((run) => [run.parent, run.status, resultOf(run).output])
      const expected = [{ gives: 1 }, { gives: 2 }]
      expect(results).toEqual([
        [undefined, "Completed", { sum: expected }],
        ...expected.map((output, index) => [{ runId, stepId: "each", index }, "Completed", output])
      ])
    }).pipe(Effect.provide(start()))
  )

  it.scoped("fails where an item fails that is a run, and ends the others", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      const work = agent("work", (task) => [task.input === 1 ? fail("Failed") : { _tag: "Hang" }])
      yield* registry.register(work)
      const orchestrator = yield* Orchestrator.Orchestrator
      const entries = yield* collect(orchestrator.runWorkflow(outer, yield* within))
      const end = entries.at(-1)?.event
      const runId = entries[0]?.runId
      if (end?._tag !== "RunFailed") return expect(end?._tag).toBe("RunFailed")
      expect(end.failure.message).toContain(`run ${runId}.each.0 failed: `)
      const runs = yield* recorded
      expect([...runs.values()].map(({ status }) => status)).toEqual(["Failed", "Failed", "Cancelled"])
      expect([work.running(), work.interrupted()]).toEqual([0, 1])
    }).pipe(Effect.provide(start()))
  )

  it.scoped("suspends items that are runs when nobody reads on, and a control plane goes on with them", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      let hangs = true
      const work = agent("work", (task) => [hangs && task.input === 2 ? { _tag: "Hang" } : give(task.input)])
      yield* registry.register(work)
      const orchestrator = yield* Orchestrator.Orchestrator
      const given = yield* within
      const reader = yield* Effect.fork(collect(orchestrator.runWorkflow(outer, given)))
      const statuses = Effect.map(recorded, (runs) => [...runs.values()].map(({ status }) => status))
      while ((yield* statuses)[1] !== "Completed" || work.running() < 1) yield* Effect.yieldNow()
      yield* Fiber.interrupt(reader)
      expect([work.running(), work.interrupted()]).toEqual([0, 1])
      expect(yield* statuses).toEqual(["Interrupted", "Completed", "Interrupted"])
      hangs = false
      const plane = yield* ControlPlane
      const again = yield* plane.recover
      expect(again.length).toBe(2)
      const results = yield* Effect.forEach(again, ({ result }) => result)
      const [parent] = (yield* recorded).keys()
      const { output, status } = results.find(({ runId }) => runId === parent) ?? {}
      expect([status, output]).toEqual(["Completed", { sum: [{ gives: 1 }, { gives: 2 }] }])
      expect(yield* statuses).toEqual(["Completed", "Completed", "Completed"])
    }).pipe(Effect.provide(start()))
  )
})
