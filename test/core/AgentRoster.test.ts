import { describe, expect, it } from "@effect/vitest"
import * as AgentRoster from "@switchyard/core/AgentRoster"
import * as Capability from "@switchyard/core/Capability"
import type { AgentRegistryEvent } from "@switchyard/core/Event"
import { AgentId, logId, Seq } from "@switchyard/core/Ids"

const agentId = AgentId.make("Scribe")

const registered = (revision: number, more: object = {}): AgentRegistryEvent => ({
  _tag: "AgentRegistered",
  agentId,
  revision,
  metadata: { name: "Scribe", version: "1", description: "", author: "", tags: [] },
  capabilities: [Capability.make({ skill: "write" })],
  ...more
})

const folded = (...events: ReadonlyArray<AgentRegistryEvent>) => {
  const roster = AgentRoster.empty()
  events.forEach((event, index) => {
    AgentRoster.note(roster, {
      seq: Seq.make(index + 1),
      time: 1000 * (index + 1),
      runId: logId,
      runSeq: index + 1,
      event
    })
  })
  return { version: roster.version, record: roster.agents.get("scribe") }
}

describe("AgentRoster", () => {
  it("has what a registration says, and keeps who was disabled so over the next one", () => {
    const { record, version } = folded(
      registered(1, { kind: "process", definition: { command: "true" }, source: "a.yaml" }),
      { _tag: "AgentDisabled", agentId },
      registered(2)
    )
    expect(version).toBe(3)
    expect(record).toEqual({
      agentId,
      registered: true,
      registeredAt: 3000,
      revision: 2,
      metadata: { name: "Scribe", version: "1", description: "", author: "", tags: [] },
      capabilities: [Capability.make({ skill: "write" })],
      enabled: false,
      health: { _tag: "Unknown" },
      circuit: "Closed"
    })
  })

  it("knows what is withdrawn by its description only", () => {
    const { record } = folded(
      registered(1),
      { _tag: "AgentDisabled", agentId },
      { _tag: "AgentHealthChanged", agentId, health: { _tag: "Unhealthy", error: "gone" } },
      { _tag: "AgentCircuitChanged", agentId, circuit: "Open", until: 9000, reason: "it crashed" },
      { _tag: "AgentHeld", agentId, until: 7000, reason: "limit" },
      { _tag: "AgentUnregistered", agentId }
    )
    expect(record).toMatchObject({
      registered: false,
      enabled: true,
      health: { _tag: "Unknown" },
      circuit: "Closed"
    })
    expect(Object.keys(record ?? {}).filter((key) => /^(circuit.|held)/.test(key))).toEqual([])
  })

  it("keeps how long a circuit was open while it is half-open, and forgets it once it is closed", () => {
    const open: AgentRegistryEvent = { _tag: "AgentCircuitChanged", agentId, circuit: "Open", until: 62_000 }
    const half: AgentRegistryEvent = { _tag: "AgentCircuitChanged", agentId, circuit: "HalfOpen" }
    expect(folded(registered(1), open, half).record).toMatchObject({
      circuit: "HalfOpen",
      circuitAt: 2000,
      circuitUntil: 62_000
    })
    const { record } = folded(registered(1), open, half, { ...half, circuit: "Closed" })
    expect(record?.circuit).toBe("Closed")
    expect(record?.circuitUntil).toBeUndefined()
  })

  it("passes over agents that were never registered", () => {
    expect(folded({ _tag: "AgentDisabled", agentId })).toEqual({ version: 0, record: undefined })
  })
})
