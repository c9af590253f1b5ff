import type { Agent } from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import { InvalidAgent } from "./AgentKind.js"
import { InvalidCommand } from "./ProcessAgent.js"

/** Why an agent cannot be made, whatever it is made of. */
export interface AgentFault {
  readonly agentId: string
  readonly reason: string
}

/** An agent, or what makes one: `ProcessAgent.make`, `LanguageModelAgent.openAi`, `RemoteAgent.make` and the like give such. */
export type AgentOffer = Agent | Effect.Effect<Agent, AgentFault>

/** The agent that is offered; why it cannot be made is an `InvalidAgent` where it is not about a command. */
export const made = (offer: AgentOffer): Effect.Effect<Agent, InvalidAgent | InvalidCommand> =>
  Effect.isEffect(offer)
    ? Effect.mapError(offer, (fault) =>
        fault instanceof InvalidCommand || fault instanceof InvalidAgent
          ? fault
          : new InvalidAgent({ agentId: fault.agentId, reason: fault.reason })
      )
    : Effect.succeed(offer)
