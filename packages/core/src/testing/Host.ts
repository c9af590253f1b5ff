import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { AgentRegistry } from "../AgentRegistry.js"
import * as ControlPlane from "../ControlPlane.js"
import * as Distributor from "../Distributor.js"
import type { EventLog } from "../EventLog.js"
import * as Orchestrator from "../Orchestrator.js"
import type { WorkspaceService } from "../WorkspaceService.js"

/** A control plane of its own on the log, the registry and the workspaces that are there, and a way to stop it. */
export interface Host {
  readonly plane: ControlPlane.Service
  /** Closes the control plane in order, as a host that is asked to stop does; what is under way is suspended. */
  readonly stop: Effect.Effect<void>
}

/** How a host behaves. */
export type Options = ControlPlane.Options

/** Starts a host that can be stopped before the test ends, so that another one can recover what it left. */
export const start = (
  options: Options = {}
): Effect.Effect<Host, never, EventLog | AgentRegistry | WorkspaceService> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const layer = ControlPlane.layer(options).pipe(
      Layer.provide(Distributor.layerDirect),
      Layer.provide(Orchestrator.layer)
    )
    const context = yield* Layer.buildWithScope(layer, scope)
    return { plane: Context.get(context, ControlPlane.ControlPlane), stop: Scope.close(scope, Exit.void) }
  })
