import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Distributor from "@switchyard/core/Distributor"
import * as EventLog from "@switchyard/core/EventLog"
import type { RunId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import { collect, wellFormed } from "@switchyard/core/testing/ControlPlaneLaws"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkspaceService from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"

type Settled = Parameters<EventLog.Service["enqueue"]>[2]

/** A log that refuses the first end of an item, and what comes until it says so, as one on a disk that is full for a moment. */
const failingLog = Layer.effect(
  EventLog.EventLog,
  Effect.map(EventLog.EventLog, (log) => {
    let held: Array<Settled> | undefined
    let mended = false
    const refused = Exit.fail(new EventLog.LogWriteFailed({ path: "here", reason: "it is full" }))
    const enqueue: EventLog.Service["enqueue"] = (runId, events, settled) => {
      if (!mended && held === undefined && events.some(({ _tag }) => _tag === "ItemCompleted")) {
        held = []
        setTimeout(() => {
          mended = true
          for (const refuse of held ?? []) refuse(refused)
        }, 20)
      }
      if (mended || held === undefined || events.length === 0) log.enqueue(runId, events, settled)
      else held.push(settled)
    }
    const append: EventLog.Service["append"] = (runId, events) =>
      Effect.async((resume) => enqueue(runId, events, resume))
    return { ...log, append, enqueue }
  })
).pipe(Layer.provide(EventLog.layerMemory))

/** Workspaces that take their time to go. */
const slowWorkspaces = Layer.effect(
  WorkspaceService.WorkspaceService,
  Effect.map(WorkspaceService.WorkspaceService, (workspaces) => ({
    ...workspaces,
    create: (runId: RunId, config: Json) =>
      Effect.tap(workspaces.create(runId, config), () => Effect.addFinalizer(() => Effect.sleep("60 millis")))
  }))
).pipe(Layer.provide(WorkspaceService.layerMemory({ retention: WorkspaceService.removeAll })))

const writer = Agent.make("writer", {
  capabilities: [{ skill: "write" }],
  run: (task) => Effect.mapError(task.workspace.write("outputs", "text", "new"), Agent.fromUnknown)
})

const plane = ControlPlane.layer().pipe(
  Layer.provide(Distributor.layerDirect),
  Layer.provide(Orchestrator.layer),
  Layer.provideMerge(Layer.mergeAll(failingLog, slowWorkspaces, AgentRegistry.layerMemory([writer])))
)

describe("a run whose last item cannot be recorded", () => {
  it.live("does not end, keeps its files, and is continued when the log can be written again", () =>
    Effect.gen(function* () {
      const control = yield* ControlPlane.ControlPlane
      const log = yield* EventLog.EventLog
      const workspaces = yield* WorkspaceService.WorkspaceService
      const workflow = Workflow.make("one").pipe(Workflow.step("only", { skill: "write" }))
      const run = yield* control.registerRun({ workflow })
      expect(yield* Effect.flip(run.result)).toMatchObject({ _tag: "LogWriteFailed" })
      const tags = (yield* collect(log.read({}))).map(({ event }) => event._tag)
      expect(tags).toEqual(["RunRegistered", "RunStarted"])
      const workspace = yield* workspaces.get(run.runId)
      expect(yield* workspace.read("outputs", "text")).toBe("new")
      const [recovered] = yield* control.recover
      expect(yield* recovered?.result ?? Effect.void).toMatchObject({ status: "Completed" })
      yield* wellFormed(yield* collect(log.read({})))
    }).pipe(Effect.provide(plane))
  )
})
