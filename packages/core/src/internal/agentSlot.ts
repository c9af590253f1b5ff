import type { Agent, Health } from "../Agent.js"
import type { AgentHistory } from "../AgentMetrics.js"
import { concurrencyOf } from "../Capability.js"
import { type CircuitState, phaseAt } from "./circuit.js"
import { degraded } from "./ranking.js"

/** An agent is given nothing until a time. */
export interface Hold {
  readonly until: number
  readonly reason: string
}

/** The place that an agent has among those with one skill, which is told of what changes. */
export interface Seat {
  /** What it has under way has changed, or whether it is given work. */
  readonly touch: () => void
  /** What is known of it has changed. */
  readonly learn: () => void
}

/** What a registry keeps of an agent. */
export interface Slot {
  agent: Agent
  /** Whether it is known from the log only, so that there is nothing to run. */
  isAbsent: boolean
  registeredAt: number
  revision: number
  enabled: boolean
  /** What its probe said last. */
  probed: Health
  circuit: CircuitState
  held: Hold | undefined
  history: AgentHistory
  load: number
  readonly loads: Map<string | undefined, number>
  /** By skill; the one without a skill is that of all agents. */
  readonly seats: Map<string | undefined, Seat>
}

const at = (time: number): string => new Date(Math.min(time, 8.64e15)).toISOString()

/** How well an agent is, by what its probe says and what was seen of it. */
export const healthOf = (slot: Slot, now: number): Health => {
  const { circuit, probed } = slot
  if (probed._tag === "Unhealthy") return probed
  const phase = phaseAt(circuit, now)
  if (phase === "Open")
    return { _tag: "Unhealthy", error: `its circuit is open until ${at(circuit.until)}: ${circuit.reason}` }
  if (phase === "HalfOpen")
    return { _tag: "Degraded", reason: `its circuit is half-open: one attempt decides` }
  if (probed._tag !== "Unknown") return probed
  return slot.history.total.successes > 0 ? { _tag: "Healthy" } : probed
}

/** What the score of an agent is multiplied by. */
export const healthFactor = ({ probed }: Slot): number => (probed._tag === "Degraded" ? degraded : 1)

const isShut = ({ circuit }: Slot): boolean => circuit.phase === "HalfOpen" && circuit.isTrying

/** Until when an agent is given nothing: a time that has passed where it is, and infinity where no time will tell. */
export const blockedUntil = (slot: Slot): number => {
  if (slot.isAbsent || !slot.enabled || slot.probed._tag === "Unhealthy" || isShut(slot))
    return Number.POSITIVE_INFINITY
  const open = slot.circuit.phase === "Open" ? slot.circuit.until : 0
  return Math.max(open, slot.held?.until ?? 0)
}

/** How long it is worth to wait for the one attempt that a half-open circuit lets through. */
const trialMillis = 1_000

/** When an agent that is given nothing now may be given work again; `undefined` where waiting does not help. */
export const availableAt = (slot: Slot, now: number): number | undefined => {
  const until = isShut(slot)
    ? Math.max(now + trialMillis, slot.held?.until ?? 0)
    : Math.max(slot.circuit.phase === "Open" ? slot.circuit.until : 0, slot.held?.until ?? 0)
  const helps = !slot.isAbsent && slot.enabled && slot.probed._tag !== "Unhealthy"
  return helps && until > now ? until : undefined
}

/** Until when an agent is held that would be given work otherwise; `undefined` where it is not, or something else keeps it from work. */
export const onlyHeldUntil = (slot: Slot, now: number): number | undefined => {
  const { circuit, enabled, held, isAbsent, probed } = slot
  const isWell = !isAbsent && enabled && probed._tag !== "Unhealthy"
  return isWell && !isShut(slot) && phaseAt(circuit, now) !== "Open" && held !== undefined && held.until > now
    ? held.until
    : undefined
}

/** Why an agent is given nothing now, in words; `undefined` where it is. */
export const whyBlocked = (slot: Slot, now: number): string | undefined => {
  const { circuit, enabled, held, isAbsent, probed } = slot
  if (isAbsent) return "it is known from an earlier host only; this one has not registered it"
  if (!enabled) return "it is disabled"
  if (probed._tag === "Unhealthy") return `it is unhealthy: ${probed.error}`
  if (phaseAt(circuit, now) === "Open")
    return `its circuit is open until ${at(circuit.until)}: ${circuit.reason}`
  if (isShut(slot)) return "its circuit is half-open, and the one attempt that decides is under way"
  return held !== undefined && held.until > now
    ? `it is held until ${at(held.until)}: ${held.reason}`
    : undefined
}

/** How many invocations of a skill it may have under way at most. */
export const limitOf = ({ agent }: Slot, skill: string | undefined): number =>
  concurrencyOf(agent.capabilities, skill) ?? Number.POSITIVE_INFINITY

/** How many invocations of a skill, or of all, it has under way. */
export const loadOf = (slot: Slot, skill: string | undefined): number =>
  skill === undefined ? slot.load : (slot.loads.get(skill) ?? 0)
