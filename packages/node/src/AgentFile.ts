import type { AnyAgentKind } from "./AgentKind.js"
import { processKind } from "./internal/processKind.js"

export { type AgentHost, type AgentKind, type AnyAgentKind, InvalidAgent } from "./AgentKind.js"

/** The kinds of agents that files may describe where nothing else is said: `process`. */
export const defaultKinds: ReadonlyArray<AnyAgentKind> = [processKind]
