import * as path from "node:path"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Distributor from "@switchyard/core/Distributor"
import { RunId } from "@switchyard/core/Ids"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import type { Definition } from "@switchyard/core/Workflow"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkspaceService from "@switchyard/core/WorkspaceService"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { type Settings, type SubjectModule, timed, verify } from "../Subject.js"
import { stepsOf, type Workload, workloadOf } from "../Workload.js"
import { forgetSyncs } from "./unsynced.js"

const definitionOf = ({ length, shape }: Workload): Definition => ({
  name: `${shape}-${length}`,
  steps: Array.from({ length: shape === "chain" ? length : length + 1 }, (_, n) => {
    const after =
      shape === "chain"
        ? n === 0
          ? []
          : [`s${n - 1}`]
        : n < length
          ? []
          : Array.from({ length }, (_, each) => `s${each}`)
    return Workflow.stepDefinition(`s${n}`, { skill: "noop", after })
  })
})

const noop = Agent.make("noop", { capabilities: [{ skill: "noop" }], run: () => Effect.succeed(null) })

/** Everything as a host gets it, or the engine on its log alone: no index, and workspaces in memory. */
const layerOf = (directory: string, { form }: Settings, agent: Agent.Agent) => {
  const everything = Switchyard.layer({ directory: path.join(directory, "yard"), agents: [agent] })
  if (form !== "log") return everything
  const recovery = Layer.effectDiscard(Effect.flatMap(ControlPlane.ControlPlane, (plane) => plane.recover))
  return recovery.pipe(
    Layer.provideMerge(ControlPlane.layer()),
    Layer.provide(Distributor.layerDirect),
    Layer.provide(Orchestrator.layer),
    Layer.provide(
      Layer.mergeAll(
        JsonlEventLog.layer({ directory: path.join(directory, "log") }),
        AgentRegistry.layerMemory([agent]),
        WorkspaceService.layerMemory({ retention: { completed: "remove" } })
      )
    )
  )
}

const start = async (directory: string, settings: Settings, agent: Agent.Agent) => {
  if (settings.sync === false) forgetSyncs()
  const runtime = ManagedRuntime.make(layerOf(directory, settings, agent))
  const plane = await runtime.runPromise(ControlPlane.ControlPlane)
  return { runtime, plane }
}

/** The control plane, by its own services. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const { plane, runtime } = await start(directory, settings, noop)
  const definitions = new Map<string, Definition>()
  return {
    run: async (task) => {
      const workload = workloadOf(task)
      const key = JSON.stringify(workload)
      const workflow = definitions.get(key) ?? definitionOf(workload)
      definitions.set(key, workflow)
      let succeeded = 0
      const one = Effect.flatMap(plane.registerRun({ workflow }), ({ result }) =>
        Effect.map(result, ({ status, steps }) => {
          verify("status", status, "Completed")
          for (const step of steps) if (step.status === "Succeeded") succeeded++
        })
      )
      const outcome = await timed(stepsOf(workload), () =>
        runtime.runPromise(
          Effect.forEach(Array.from({ length: workload.runs }), () => one, {
            concurrency: "unbounded",
            discard: true
          })
        )
      )
      verify("steps", succeeded, stepsOf(workload))
      return outcome
    },
    close: () => runtime.dispose()
  }
}

const id = RunId.make("the-run")

const agentOf = (step: (index: number) => Promise<void>) =>
  Agent.make("noop", {
    capabilities: [{ skill: "noop" }],
    run: (task) =>
      Effect.as(
        Effect.promise(() => step(Number(task.stepId.slice(1)))),
        null
      )
  })

/** Registers a chain. */
export const begin: SubjectModule["begin"] = async (directory, settings, step) => {
  const { plane, runtime } = await start(directory, settings, agentOf(step))
  const workflow = definitionOf({ shape: "chain", length: Number(settings.length), runs: 1 })
  await runtime.runPromise(Effect.flatMap(plane.registerRun({ workflow, id }), ({ result }) => result))
}

/** Opens the directory; recovery begins by itself. */
export const resume: SubjectModule["resume"] = async (directory, settings, step) => {
  const { plane, runtime } = await start(directory, settings, agentOf(step))
  const { status, steps } = await runtime.runPromise(Effect.flatMap(plane.get(id), ({ result }) => result))
  verify("status", status, "Completed")
  await runtime.dispose()
  return steps.filter((each) => each.status === "Succeeded").length
}
