import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import {
  type Execution,
  layerMemory as layerMemoryOrchestrator,
  type MemoryOptions,
  Orchestrator,
  type Start
} from "./Orchestrator.js"

/** Where a run executes: a strategy between the control plane and an engine. */
export class Distributor extends Context.Tag("@switchyard/core/Distributor")<
  Distributor,
  {
    /** Has a registered run executed somewhere; closing the scope suspends it there, and whoever recovers it dispatches it again. */
    readonly dispatch: (start: Start) => Effect.Effect<Execution, never, Scope.Scope>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof Distributor>

/** Executes runs in this process, straight through the orchestrator: the default, and all that one machine needs. */
export const layerDirect: Layer.Layer<Distributor, never, Orchestrator> = Layer.effect(
  Distributor,
  Effect.map(Orchestrator, (orchestrator) => ({ dispatch: orchestrator.start }))
)

/** The direct strategy with everything it needs in memory, which it gives as well. */
export const layerMemory = (options: MemoryOptions = {}) =>
  Layer.provideMerge(layerDirect, layerMemoryOrchestrator(options))
