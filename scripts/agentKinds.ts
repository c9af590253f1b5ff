import { acpKind, remoteKind } from "@switchyard/agents/AgentKinds"
import * as ModelAgentKind from "@switchyard/agents/ModelAgentKind"
import { defaultKinds } from "@switchyard/node/AgentFile"

/** The kinds of agents that this repository has; a host may have others. */
export const agentKinds = [...defaultKinds, ModelAgentKind.kind, acpKind, remoteKind]
