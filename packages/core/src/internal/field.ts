import { stepOf } from "../AgentMetrics.js"
import { blockedUntil, healthFactor, limitOf, loadOf, type Slot } from "./agentSlot.js"
import { curiosity, spreadOf, standingOf } from "./ranking.js"

/**
 * All agents with one skill, and what ranking needs of each, by position: kept up to date as it changes, so that a selection
 * only reads. A position never changes; who comes or goes makes another field.
 */
export interface Field {
  readonly skill: string | undefined
  readonly slots: ReadonlyArray<Slot>
  /** The score without exploration. */
  readonly base: Float64Array
  /** By how much little is known; times the curiosity this is the exploration. */
  readonly spread: Float64Array
  readonly costMicroUsd: Float64Array
  readonly latencyMillis: Float64Array
  readonly load: Float64Array
  /** 1 where it has as much under way as it may. */
  readonly full: Uint8Array
  /** Until when it is given nothing. */
  readonly blocked: Float64Array
  /** Has weights fade as they do with time, and says how much it is worth to learn more. */
  readonly curiosityAt: (now: number) => number
}

/** The field of some agents, who tell it of what changes from now on. */
export const makeField = (skill: string | undefined, slots: ReadonlyArray<Slot>, now: number): Field => {
  const size = slots.length
  const array = () => new Float64Array(size)
  const [base, spread, costMicroUsd, latencyMillis] = [array(), array(), array(), array()]
  const [load, blocked, weight, limit] = [array(), array(), array(), array()]
  const full = new Uint8Array(size)
  let step = stepOf(now)
  let total = 0
  let curious = 0

  const touch = (slot: Slot, position: number): void => {
    const underWay = loadOf(slot, skill)
    load[position] = slot.load
    full[position] = underWay >= (limit[position] as number) ? 1 : 0
    blocked[position] = blockedUntil(slot)
    spread[position] = spreadOf(weight[position] as number, underWay)
  }
  const learn = (slot: Slot, position: number): void => {
    const track = skill === undefined ? slot.history.total : slot.history.skills.get(skill)
    const standing = standingOf(track, step)
    total += standing.weight - (weight[position] as number)
    weight[position] = standing.weight
    base[position] = standing.base * healthFactor(slot)
    costMicroUsd[position] = standing.costMicroUsd
    latencyMillis[position] = standing.latencyMillis
    touch(slot, position)
  }
  const learnAll = (): void => {
    total = 0
    weight.fill(0)
    for (let position = 0; position < size; position++) learn(slots[position] as Slot, position)
    curious = curiosity(total)
  }
  slots.forEach((slot, position) => {
    limit[position] = limitOf(slot, skill)
    slot.seats.set(skill, {
      touch: () => touch(slot, position),
      learn: () => {
        learn(slot, position)
        curious = curiosity(Math.max(0, total))
      }
    })
  })
  learnAll()
  return {
    skill,
    slots,
    base,
    spread,
    costMicroUsd,
    latencyMillis,
    load,
    full,
    blocked,
    curiosityAt: (at) => {
      const next = stepOf(at)
      if (next > step) {
        step = next
        learnAll()
      }
      return curious
    }
  }
}
