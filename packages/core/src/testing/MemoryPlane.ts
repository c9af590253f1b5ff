import * as Layer from "effect/Layer"
import type { Agent } from "../Agent.js"
import * as AgentRegistry from "../AgentRegistry.js"
import * as ControlPlane from "../ControlPlane.js"
import * as Distributor from "../Distributor.js"
import * as EventLog from "../EventLog.js"
import * as Orchestrator from "../Orchestrator.js"
import * as QueryService from "../QueryService.js"
import * as WorkspaceService from "../WorkspaceService.js"

/** Everything in memory: what is needed to run real workflows in a unit test, without a file and without a process. */
export const layer = (
  options: ControlPlane.Options & {
    readonly agents?: Iterable<Agent>
    readonly retention?: WorkspaceService.Retention
  } = {}
) => {
  const { agents = [], retention, ...control } = options
  const services = Layer.mergeAll(
    EventLog.layerMemory,
    AgentRegistry.layerMemory(agents),
    WorkspaceService.layerMemory(retention === undefined ? {} : { retention })
  )
  return ControlPlane.layer(control).pipe(
    Layer.provideMerge(Distributor.layerDirect),
    Layer.provideMerge(Orchestrator.layer),
    Layer.provideMerge(QueryService.layerMemory),
    Layer.provideMerge(services)
  )
}
