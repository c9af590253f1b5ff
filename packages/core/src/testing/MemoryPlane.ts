import * as Layer from "effect/Layer"
import * as ControlPlane from "../ControlPlane.js"
import type { MemoryOptions } from "../Orchestrator.js"
import * as QueryService from "../QueryService.js"

/** Everything in memory: what is needed to run real workflows in a unit test, without a file and without a process. */
export const layer = (options: ControlPlane.Options & MemoryOptions = {}) =>
  Layer.provideMerge(QueryService.layerMemory, ControlPlane.layerMemory(options))
