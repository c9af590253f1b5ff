import type { Health } from "../Agent.js"
import { type AgentHistory, type Invocation, observe } from "../AgentMetrics.js"
import { continued } from "../AgentTally.js"
import type { AgentId } from "../Ids.js"
import type { Instruments } from "./agentInstruments.js"
import type { Slot } from "./agentSlot.js"
import type { Catalog } from "./catalog.js"
import {
  answered,
  type CircuitPolicy,
  type CircuitState,
  isTrial,
  tried,
  untried,
  verdictOf
} from "./circuit.js"
import { isSame } from "./jsonValue.js"
import type { Journal } from "./registrations.js"

/** An invocation under way, which counts as load of its agent until it is ended. */
export interface Ticket {
  /**
   * Ends it: with what it took and how it ended, which counts in the metrics, in ranking and for the circuit; with nothing
   * where it was interrupted. Only the first call counts.
   */
  readonly end: (invocation: Invocation | undefined) => void
}

const onlySkillOf = ({ agent: { capabilities } }: Slot): string | undefined => {
  const [first] = capabilities
  return capabilities.every(({ skill }) => skill === first?.skill) ? first?.skill : undefined
}

const nothing: Ticket = { end: () => undefined }

/** What becomes of agents as they are used: load, history, circuit, holds and health. */
export const makeInvocations = (
  catalog: Catalog,
  journal: Journal,
  policy: CircuitPolicy,
  now: () => number,
  instruments: Instruments
) => {
  const slotOf = (agentId: string): Slot | undefined => {
    const slot = catalog.slots.get(agentId.toLowerCase())
    return slot?.isAbsent === true ? undefined : slot
  }
  const touch = (slot: Slot): void => {
    for (const seat of slot.seats.values()) seat.touch()
  }
  const learnAll = (slot: Slot): void => {
    for (const seat of slot.seats.values()) seat.learn()
  }

  const setCircuit = (slot: Slot, next: CircuitState): void => {
    const before = slot.circuit
    slot.circuit = next
    if (before.phase === next.phase && before.until === next.until) return
    journal.note({
      _tag: "AgentCircuitChanged",
      agentId: slot.agent.id,
      circuit: next.phase,
      ...(next.phase === "Open" ? { until: next.until, reason: next.reason } : {})
    })
  }

  const note = (
    slot: Slot,
    asked: string | undefined,
    invocation: Invocation,
    isTrialAnswer: boolean
  ): void => {
    const skill = asked ?? onlySkillOf(slot)
    const time = now()
    observe(slot.history, skill, invocation, time)
    instruments(slot.agent.id, skill, invocation)
    const { failure } = invocation
    setCircuit(slot, answered(slot.circuit, verdictOf(failure), isTrialAnswer, time, policy, failure ?? ""))
    slot.seats.get(skill)?.learn()
    if (skill !== undefined) slot.seats.get(undefined)?.learn()
  }

  const carry = (slot: Slot, skill: string | undefined, change: 1 | -1): void => {
    slot.load += change
    if (skill !== undefined) slot.loads.set(skill, (slot.loads.get(skill) ?? 0) + change)
  }

  return {
    begin: (agentId: AgentId, asked: string | undefined): Ticket => {
      const slot = slotOf(agentId)
      if (slot === undefined) return nothing
      const skill = asked ?? onlySkillOf(slot)
      const isTrying = isTrial(slot.circuit, now())
      if (isTrying) setCircuit(slot, tried(slot.circuit))
      carry(slot, skill, 1)
      touch(slot)
      let isEnded = false
      return {
        end: (invocation) => {
          if (isEnded) return
          isEnded = true
          carry(slot, skill, -1)
          if (invocation !== undefined) note(slot, skill, invocation, isTrying)
          else if (isTrying) setCircuit(slot, untried(slot.circuit))
          touch(slot)
        }
      }
    },
    observe: (agentId: AgentId, invocation: Invocation, skill?: string): void => {
      const slot = slotOf(agentId)
      if (slot === undefined) return
      const isTrying = isTrial(slot.circuit, now())
      if (isTrying) setCircuit(slot, tried(slot.circuit))
      note(slot, skill, invocation, isTrying)
      touch(slot)
    },
    hold: (agentId: AgentId, until: number, reason: string): void => {
      const slot = slotOf(agentId)
      const time = Math.min(Math.ceil(until), Number.MAX_SAFE_INTEGER)
      if (slot === undefined || !(time > Math.max(now(), slot.held?.until ?? 0))) return
      slot.held = { until: time, reason }
      touch(slot)
      journal.note({ _tag: "AgentHeld", agentId: slot.agent.id, until: time, reason })
    },
    recall: (histories: Iterable<readonly [AgentId, AgentHistory]>): void => {
      for (const [agentId, history] of histories) {
        const slot = catalog.slots.get(agentId.toLowerCase())
        if (slot === undefined) continue
        slot.history = continued(history, slot.history)
        learnAll(slot)
      }
    },
    /** Takes note of what a probe has said; one that was replaced meanwhile says nothing. */
    probed: (slot: Slot, health: Health): void => {
      if (isSame({ ...slot.probed }, { ...health })) return
      slot.probed = health
      learnAll(slot)
      journal.note({ _tag: "AgentHealthChanged", agentId: slot.agent.id, health })
    }
  }
}
