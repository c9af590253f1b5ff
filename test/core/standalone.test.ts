import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { EventLog, LogWriteFailed } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import { collect, tags } from "@switchyard/core/testing/ControlPlaneLaws"
import { fail, give } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import { WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
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
})
