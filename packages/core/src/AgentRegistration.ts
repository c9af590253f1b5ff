import * as Schema from "effect/Schema"
import type { Agent } from "./Agent.js"
import { didYouMean } from "./Nearest.js"

/** No agent has this id. */
export class AgentNotFound extends Schema.TaggedError<AgentNotFound>()("AgentNotFound", {
  agentId: Schema.String,
  registered: Schema.Array(Schema.String)
}) {
  override get message() {
    const known =
      this.registered.length === 0 ? "none is registered" : `registered are ${this.registered.join(", ")}`
    return `No agent is registered as "${this.agentId}"${didYouMean(this.agentId, this.registered)} (${known})`
  }
}

/** An agent that cannot be registered: its id is taken (ids are compared without case) or malformed, or it can do nothing. */
export class AgentRejected extends Schema.TaggedError<AgentRejected>()("AgentRejected", {
  agentId: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The agent "${this.agentId}" cannot be registered: ${this.reason}`
  }
}

/** An agent as listed. */
export interface Registration {
  readonly agent: Agent
  /** When this revision of it was registered, in milliseconds since 1970. */
  readonly registeredAt: number
  readonly enabled: boolean
  /** Counts the registrations of this id that differ, from 1. */
  readonly revision: number
  /** Whether it is known from the log only: this host has not registered it, so that it is given no work. */
  readonly absent: boolean
}

/**
 * All registrations as they were at one moment; it never changes. `version` grows with each registration, withdrawal,
 * enabling and disabling, also over restarts where the registry is kept in a log.
 */
export interface Snapshot {
  readonly version: number
  /** Sorted by id. */
  readonly agents: ReadonlyArray<Registration>
}
