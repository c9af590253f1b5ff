import * as path from "node:path"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Distributor from "@switchyard/core/Distributor"
import type { Event } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import type { RunId } from "@switchyard/core/Ids"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import * as WorkspaceService from "@switchyard/core/WorkspaceService"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { graphOf, type Shape } from "../Graphs.js"
import { type Settings, type SubjectModule, verify } from "../Subject.js"
import { verifyResult } from "../Yard.js"

/** The groups of events that an engine has given to its log, in order. */
let groups: Array<ReadonlyArray<Event>> = []

const watched = Layer.effect(
  EventLog.EventLog,
  Effect.map(
    EventLog.EventLog,
    (log): EventLog.Service => ({
      ...log,
      enqueue: (runId, events, settled) => {
        groups.push(events)
        log.enqueue(runId, events, settled)
      }
    })
  )
)

/** The engine on a log in memory, or in files that are never synced, so that no disk is measured. */
const layerOf = (directory: string, { log }: Settings) => {
  const own =
    log === "memory"
      ? EventLog.layerMemory
      : JsonlEventLog.layer({ directory: path.join(directory, "log"), sync: false })
  const agent = Agent.make("worker", {
    capabilities: [{ skill: "work" }],
    run: () => Effect.succeed(null)
  })
  return ControlPlane.layer().pipe(
    Layer.provide(Distributor.layerDirect),
    Layer.provide(Orchestrator.layer),
    Layer.provide(Layer.mergeAll(AgentRegistry.layerMemory([agent]), WorkspaceService.layerMemory())),
    Layer.provideMerge(Layer.provide(watched, own))
  )
}

const spent = async (work: () => Promise<unknown>) => {
  globalThis.gc?.()
  const cpu = process.cpuUsage()
  const before = performance.now()
  await work()
  const { system, user } = process.cpuUsage(cpu)
  return { millis: performance.now() - before, cpuMillis: (system + user) / 1000 }
}

/** Runs a workflow whose steps do nothing, and gives the same groups of events to the same log without an engine. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const runtime = ManagedRuntime.make(layerOf(directory, settings))
  const plane = await runtime.runPromise(ControlPlane.ControlPlane)
  const log = await runtime.runPromise(EventLog.EventLog)
  let copies = 0
  return {
    run: async ({ shape, steps }) => {
      const size = Number(steps)
      const workflow = graphOf(String(shape) as Shape, size, false)
      // What is planned before need not be planned again.
      await runtime.runPromise(plane.dryRun({ workflow }))
      groups = []
      const engine = await spent(() =>
        runtime.runPromise(
          Effect.flatMap(plane.registerRun({ workflow }), ({ result }) => Effect.map(result, verifyResult))
        )
      )
      const recorded = groups
      groups = []
      const runId = `copy-${++copies}` as RunId
      const alone = await spent(
        () =>
          new Promise<void>((resolve) => {
            for (const [index, events] of recorded.entries())
              log.enqueue(runId, events, () => (index === recorded.length - 1 ? resolve() : undefined))
          })
      )
      verify("groups", recorded.flat().filter(({ _tag }) => _tag === "StepCompleted").length, size)
      return {
        millis: engine.millis,
        operations: size,
        figures: {
          "log µs/step": (alone.millis / size) * 1000,
          "engine µs/step": ((engine.millis - alone.millis) / size) * 1000,
          "engine cpu µs/step": ((engine.cpuMillis - alone.cpuMillis) / size) * 1000,
          "run ÷ log": engine.millis / alone.millis
        }
      }
    },
    close: () => runtime.dispose()
  }
}
