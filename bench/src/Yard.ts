import * as path from "node:path"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Distributor from "@switchyard/core/Distributor"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import type { RunResult } from "@switchyard/core/RunResult"
import type { Definition } from "@switchyard/core/Workflow"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkspaceService from "@switchyard/core/WorkspaceService"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { type Settings, verify } from "./Subject.js"

/** What a step of a measured workflow does; gives the step's number. */
export type Work = (index: number) => Effect.Effect<void>

/** A workflow of so many steps, by which steps each one waits for. */
export const definitionOf = (
  name: string,
  steps: number,
  after: (index: number) => ReadonlyArray<number>
): Definition => ({
  name,
  steps: Array.from({ length: steps }, (_, n) =>
    Workflow.stepDefinition(`s${n}`, { skill: "work", after: after(n).map((each) => `s${each}`) })
  )
})

/** One step after the other. */
export const chainOf = (length: number): Definition =>
  definitionOf(`chain-${length}`, length, (n) => (n === 0 ? [] : [n - 1]))

/** Everything as a host gets it, or the engine on its log alone: no index, and workspaces in memory. */
const layerOf = (directory: string, { form, sync }: Settings, agent: Agent.Agent) => {
  if (form !== "log") return Switchyard.layer({ directory: path.join(directory, "yard"), agents: [agent] })
  const recovery = Layer.effectDiscard(Effect.flatMap(ControlPlane.ControlPlane, (plane) => plane.recover))
  return recovery.pipe(
    Layer.provideMerge(ControlPlane.layer()),
    Layer.provide(Distributor.layerDirect),
    Layer.provide(Orchestrator.layer),
    Layer.provide(
      Layer.mergeAll(
        JsonlEventLog.layer({ directory: path.join(directory, "log"), sync: sync !== false }),
        AgentRegistry.layerMemory([agent]),
        WorkspaceService.layerMemory({ retention: { completed: "remove" } })
      )
    )
  )
}

/** A control plane in this process, and how to have it do things. */
export interface Yard {
  readonly plane: ControlPlane.Service
  readonly runPromise: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
  /** Executes a workflow and fails where it is not completed with every step succeeded. */
  readonly execute: (workflow: Definition) => Effect.Effect<void, unknown>
  readonly close: () => Promise<void>
}

/** Fails where a run has not succeeded in all of its steps. */
export const verifyResult = ({ status, steps }: RunResult): void => {
  verify("status", status, "Completed")
  for (const step of steps) verify("status of a step", step.status, "Succeeded")
}

const idle: Work = () => Effect.void

/** Opens the control plane with one agent. */
export const openYard = async (directory: string, settings: Settings, work: Work = idle): Promise<Yard> => {
  const agent = Agent.make("worker", {
    capabilities: [{ skill: "work" }],
    run:
      work === idle
        ? () => Effect.succeed(null)
        : ({ stepId }) => Effect.as(work(Number(stepId.slice(1))), null)
  })
  const runtime = ManagedRuntime.make(layerOf(directory, settings, agent))
  const plane = await runtime.runPromise(ControlPlane.ControlPlane)
  return {
    plane,
    runPromise: (effect) => runtime.runPromise(effect),
    execute: (workflow) =>
      Effect.flatMap(plane.registerRun({ workflow }), ({ result }) => Effect.map(result, verifyResult)),
    close: () => runtime.dispose()
  }
}

/** Does something so many times at once. */
export const atOnce = (
  count: number,
  effect: Effect.Effect<unknown, unknown>
): Effect.Effect<void, unknown> =>
  Effect.forEach(Array.from({ length: count }), () => effect, { concurrency: "unbounded", discard: true })
