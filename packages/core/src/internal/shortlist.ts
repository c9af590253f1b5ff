import { stepOf } from "../AgentMetrics.js"
import type { AgentMatch } from "../AgentSelection.js"
import * as Capability from "../Capability.js"
import type { TypeTable } from "../CapabilityType.js"
import { costRank } from "../Constraint.js"
import type { AgentId } from "../Ids.js"
import { allows, type Granted } from "../Permission.js"
import type { SelectionStrategy } from "../SelectionStrategy.js"
import { healthFactor, type Slot } from "./agentSlot.js"
import type { Field } from "./field.js"
import { factorsOf, standingOf } from "./ranking.js"

/** Who can do what a query asks for, as far as declarations say: positions in the field, by priority and then by id. */
export interface Shortlist {
  readonly field: Field
  readonly members: Int32Array
  readonly priority: Float64Array
  readonly costClass: Float64Array
  readonly matched: ReadonlyArray<ReadonlyArray<Capability.Capability>>
}

interface Member {
  readonly position: number
  readonly id: AgentId
  readonly priority: number
  readonly capabilities: ReadonlyArray<Capability.Capability>
}

/** Whether a run grants all that an agent requires; the first thing that it does not otherwise. */
export const missingOf = ({ agent }: Slot, granted: Granted) =>
  agent.requires.find((each) => !allows(granted, each))

const priorityOf = (capabilities: ReadonlyArray<Capability.Capability>): number =>
  capabilities.reduce((most, { priority }) => Math.max(most, priority), Number.NEGATIVE_INFINITY)

/** The shortlist of a query, made by asking every agent of the field. */
export const makeShortlist = (
  field: Field,
  query: Capability.CapabilityQuery,
  granted: Granted,
  table: TypeTable
): Shortlist => {
  const found: Array<Member> = []
  field.slots.forEach((slot, position) => {
    const result = Capability.match(slot.agent.capabilities, query, table)
    if (result._tag === "Rejected" || missingOf(slot, granted) !== undefined) return
    const { capabilities } = result
    found.push({ position, id: slot.agent.id, priority: priorityOf(capabilities), capabilities })
  })
  found.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
  return {
    field,
    members: Int32Array.from(found, ({ position }) => position),
    priority: Float64Array.from(found, ({ priority }) => priority),
    costClass: Float64Array.from(found, ({ capabilities }) =>
      Math.max(...capabilities.map(({ constraints }) => costRank(constraints.costClass)))
    ),
    matched: found.map(({ capabilities }) => capabilities)
  }
}

/** What a strategy looks at before priority and score, less being better; nothing for the one that looks at nothing else. */
const keyOf = ({ field }: Shortlist, strategy: SelectionStrategy): Float64Array | undefined => {
  switch (strategy) {
    case "best-match":
    case "sticky":
      return undefined
    case "least-loaded":
      return field.load
    case "cheapest":
      return field.costMicroUsd
    case "fastest":
      return field.latencyMillis
  }
}

/** The best by priority and score among those that have room, or, where none has, among those that are busy. */
const bestMatch = (
  { field, members, priority }: Shortlist,
  now: number,
  isExcepted: ((slot: Slot) => boolean) | undefined
): number => {
  const { base, blocked, full, slots, spread } = field
  const curiosity = field.curiosityAt(now)
  for (const isFull of [0, 1]) {
    let best = -1
    let bestScore = Number.NEGATIVE_INFINITY
    let tier = Number.NaN
    for (let i = 0; i < members.length; i++) {
      // The members are in the order of their priority, so that the first few may be enough.
      if (priority[i] !== tier) {
        if (best >= 0) break
        tier = priority[i] as number
      }
      const position = members[i] as number
      const score = (base[position] as number) + curiosity * (spread[position] as number)
      if (score <= bestScore || full[position] !== isFull || (blocked[position] as number) > now) continue
      if (isExcepted?.(slots[position] as Slot) === true) continue
      best = i
      bestScore = score
    }
    if (best >= 0) return best
  }
  return -1
}

/** The best by what a strategy looks at, then by cost class where that counts, priority and score. */
const bestBy = (
  { costClass, field, members, priority }: Shortlist,
  key: Float64Array,
  withClass: boolean,
  now: number,
  isExcepted: ((slot: Slot) => boolean) | undefined
): number => {
  const { base, blocked, full, slots, spread } = field
  const curiosity = field.curiosityAt(now)
  let best = -1
  let bestFull = 2
  let bestKey = 0
  let bestScore = 0
  for (let i = 0; i < members.length; i++) {
    const position = members[i] as number
    const isFull = full[position] as number
    if (isFull > bestFull || (blocked[position] as number) > now) continue
    const by = key[position] as number
    if (isFull === bestFull && by > bestKey) continue
    if (isExcepted?.(slots[position] as Slot) === true) continue
    const score = (base[position] as number) + curiosity * (spread[position] as number)
    if (isFull === bestFull && by === bestKey) {
      const classes = withClass ? (costClass[i] as number) - (costClass[best] as number) : 0
      // Those that come later have no higher priority.
      if (classes > 0 || (classes === 0 && (priority[i] !== priority[best] || score <= bestScore))) continue
    }
    best = i
    bestFull = isFull
    bestKey = by
    bestScore = score
  }
  return best
}

/** Orders members by a strategy: negative where the first is better. */
const orderOf = (
  shortlist: Shortlist,
  strategy: SelectionStrategy,
  now: number
): ((a: number, b: number) => number) => {
  const { costClass, field, members, priority } = shortlist
  const curiosity = field.curiosityAt(now)
  const key = keyOf(shortlist, strategy)
  const score = (position: number) =>
    (field.base[position] as number) + curiosity * (field.spread[position] as number)
  return (a, b) => {
    const p = members[a] as number
    const q = members[b] as number
    const room = (field.full[p] as number) - (field.full[q] as number)
    if (room !== 0) return room
    if (key !== undefined) {
      const apart = (key[p] as number) - (key[q] as number)
      if (apart !== 0) return apart
      const classes = strategy === "cheapest" ? (costClass[a] as number) - (costClass[b] as number) : 0
      if (classes !== 0) return classes
    }
    return (priority[b] as number) - (priority[a] as number) || score(q) - score(p) || a - b
  }
}

/** What is asked beside the query. */
export interface Wish {
  readonly strategy: SelectionStrategy
  readonly sticky: AgentId | undefined
  readonly except: ReadonlyArray<AgentId> | undefined
}

const exceptionOf = ({ except }: Wish): ((slot: Slot) => boolean) | undefined => {
  if (except === undefined || except.length === 0) return undefined
  const set = new Set<AgentId>(except)
  return ({ agent }) => set.has(agent.id)
}

const isUsable = (
  { field, members }: Shortlist,
  index: number,
  now: number,
  isExcepted: ((slot: Slot) => boolean) | undefined
): boolean => {
  const position = members[index] as number
  return (field.blocked[position] as number) <= now && isExcepted?.(field.slots[position] as Slot) !== true
}

const stickyIndex = ({ field, members }: Shortlist, { sticky, strategy }: Wish): number =>
  strategy !== "sticky" || sticky === undefined
    ? -1
    : members.findIndex((position) => field.slots[position]?.agent.id === sticky)

/** The place in the list of the one that is chosen; -1 where there is none. */
export const choose = (shortlist: Shortlist, wish: Wish, now: number): number => {
  const isExcepted = exceptionOf(wish)
  const stuck = stickyIndex(shortlist, wish)
  if (stuck >= 0 && isUsable(shortlist, stuck, now, isExcepted)) return stuck
  const key = keyOf(shortlist, wish.strategy)
  return key === undefined
    ? bestMatch(shortlist, now, isExcepted)
    : bestBy(shortlist, key, wish.strategy === "cheapest", now, isExcepted)
}

/** The agent at a place in the list. */
export const slotAt = ({ field, members }: Shortlist, index: number): Slot | undefined =>
  field.slots[members[index] ?? -1]

const matchAt = (shortlist: Shortlist, index: number, now: number): AgentMatch => {
  const { field, members, priority } = shortlist
  const position = members[index] as number
  const slot = field.slots[position] as Slot
  const exploration = field.curiosityAt(now) * (field.spread[position] as number)
  const { skill } = field
  const track = skill === undefined ? slot.history.total : slot.history.skills.get(skill)
  return {
    agentId: slot.agent.id,
    matchedCapabilities: shortlist.matched[index] ?? [],
    priority: priority[index] as number,
    score: (field.base[position] as number) + exploration,
    factors: factorsOf(standingOf(track, stepOf(now)), exploration, healthFactor(slot)),
    load: slot.load,
    hasRoom: field.full[position] === 0
  }
}

/** All that are to be given work now, in the order in which they would be chosen; or all that are capable. */
export const rank = (
  shortlist: Shortlist,
  wish: Wish,
  now: number,
  usableOnly: boolean
): ReadonlyArray<AgentMatch> => {
  const isExcepted = exceptionOf(wish)
  const order = orderOf(shortlist, wish.strategy, now)
  const stuck = stickyIndex(shortlist, wish)
  const found: Array<number> = []
  for (let i = 0; i < shortlist.members.length; i++) {
    const isThere = usableOnly
      ? isUsable(shortlist, i, now, isExcepted)
      : slotAt(shortlist, i)?.isAbsent === false
    if (isThere) found.push(i)
  }
  return found
    .sort((a, b) => Number(b === stuck) - Number(a === stuck) || order(a, b))
    .map((index) => matchAt(shortlist, index, now))
}
