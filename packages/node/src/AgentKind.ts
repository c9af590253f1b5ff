import type { Agent } from "@switchyard/core/Agent"
import type * as Secrets from "@switchyard/core/Secrets"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A description from which no agent can be made, although each of its fields is as it should be. */
export class InvalidAgent extends Schema.TaggedError<InvalidAgent>()("InvalidAgent", {
  agentId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The agent "${this.agentId}" cannot be made: ${this.reason}`
  }
}

/** What a host gives to the agents that are made of data. */
export interface AgentHost {
  /** Where agents look up the secrets that their descriptions name. */
  readonly secrets: Secrets.Provider
}

/** Agents that are data: what describes one, and how one is made of it. */
export interface AgentKind<A, I = A> {
  /** What files give as the `kind`. */
  readonly name: string
  /**
   * The fields that describe an agent of this kind, without those that all agents have: `id`, `kind`, `metadata`,
   * `capabilities`, `requires` and `enabled`. Properties with a `description` are explained in editors.
   */
  readonly schema: Schema.Schema<A, I>
  /**
   * Makes an agent. It executes nothing, opens nothing and looks up no secret: what is only known when an attempt is made is
   * an error of the attempt. The metadata and the capabilities of a file stand instead of those of the agent, and what a file
   * says that the agent requires is added.
   */
  readonly make: (id: string, definition: A, host: AgentHost) => Effect.Effect<Agent, InvalidAgent>
}

/** A kind of agents, whatever describes them. */
export interface AnyAgentKind extends Omit<AgentKind<never>, "schema"> {
  readonly schema: Schema.Schema.AnyNoContext
}
