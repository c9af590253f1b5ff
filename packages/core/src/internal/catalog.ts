import {
  type AgentMatch,
  type Explanation,
  NoCapableAgent,
  type Rejection,
  type Selection,
  type SelectionContext
} from "../AgentSelection.js"
import * as Capability from "../Capability.js"
import type { TypeTable } from "../CapabilityType.js"
import type { AgentId } from "../Ids.js"
import type { Json } from "../Json.js"
import type { Granted } from "../Permission.js"
import { availableAt, onlyHeldUntil, type Slot, whyBlocked } from "./agentSlot.js"
import { canonicalOf } from "./contentHash.js"
import { type Field, makeField } from "./field.js"
import { choose, makeShortlist, missingOf, rank, type Shortlist, slotAt, type Wish } from "./shortlist.js"

/** Who there is, found by skill, and what selections ask of them. */
export interface Catalog {
  /** By id in lower case, in the order of registration. */
  readonly slots: ReadonlyMap<string, Slot>
  /** Adds an agent, or takes note of what it can do now. */
  readonly put: (slot: Slot) => void
  readonly remove: (slot: Slot) => void
  readonly skills: () => ReadonlyArray<string>
  readonly withSkill: (skill: string) => ReadonlyArray<AgentId>
  readonly select: (
    query: Capability.CapabilityQuery,
    context: SelectionContext | undefined,
    now: number
  ) => Selection | NoCapableAgent
  readonly explain: (
    query: Capability.CapabilityQuery,
    context: SelectionContext | undefined,
    now: number
  ) => Explanation
  /** All that are capable, whatever their health. */
  readonly capable: (query: Capability.CapabilityQuery, now: number) => ReadonlyArray<AgentMatch>
}

/** Those with one skill, and their field while nobody comes or goes. */
interface Group {
  readonly slots: Set<Slot>
  field: Field | undefined
}

/** How many shortlists are kept: one for each kind of query that steps ask. */
const mostShortlists = 1024

const skillsOf = ({ agent }: Slot): ReadonlySet<string | undefined> =>
  new Set([undefined, ...agent.capabilities.map(({ skill }) => skill)])

/** Neighbours in a shortlist are neighbours in the field then, which is quicker to read. */
const byId = (a: Slot, b: Slot): number => (a.agent.id < b.agent.id ? -1 : 1)

const byDefault: Wish = { strategy: "best-match", sticky: undefined, except: undefined }

const wishOf = (context: SelectionContext | undefined): Wish =>
  context === undefined
    ? byDefault
    : { strategy: context.strategy ?? "best-match", sticky: context.sticky, except: context.except }

const textOf = (query: Capability.CapabilityQuery, granted: Granted): string =>
  canonicalOf([
    query.requiredSkills,
    query.inputType ?? null,
    query.outputType ?? null,
    query.constraints ?? null,
    granted === undefined ? null : [...granted].sort()
  ] as Json)

/** A catalog with nobody in it; the table says which named types extend which. */
export const makeCatalog = (table: TypeTable): Catalog => {
  const slots = new Map<string, Slot>()
  const groups = new Map<string | undefined, Group>([[undefined, { slots: new Set(), field: undefined }]])
  const byText = new Map<string, Shortlist>()
  const recent = new WeakMap<
    Capability.CapabilityQuery,
    { readonly granted: Granted; readonly shortlist: Shortlist }
  >()

  const skillsAt = new Map<Slot, ReadonlySet<string | undefined>>()
  const leave = (slot: Slot): void => {
    for (const skill of skillsAt.get(slot) ?? []) {
      const group = groups.get(skill)
      if (group === undefined) continue
      group.slots.delete(slot)
      group.field = undefined
      if (skill !== undefined && group.slots.size === 0) groups.delete(skill)
    }
    skillsAt.delete(slot)
    slot.seats.clear()
  }

  const isCurrent = ({ field }: Shortlist): boolean => groups.get(field.skill)?.field === field

  const fieldOf = (query: Capability.CapabilityQuery, now: number): Field => {
    const [first] = query.requiredSkills
    const skill = query.requiredSkills.length === 1 ? first : undefined
    const group = groups.get(skill)
    if (group === undefined) return makeField(skill, [], now)
    group.field ??= makeField(skill, [...group.slots].sort(byId), now)
    return group.field
  }

  const shortlistOf = (query: Capability.CapabilityQuery, granted: Granted, now: number): Shortlist => {
    const last = recent.get(query)
    if (last !== undefined && last.granted === granted && isCurrent(last.shortlist)) return last.shortlist
    const text = textOf(query, granted)
    const known = byText.get(text)
    if (known !== undefined && isCurrent(known)) {
      recent.set(query, { granted, shortlist: known })
      return known
    }
    const shortlist = makeShortlist(fieldOf(query, now), query, granted, table)
    byText.delete(text)
    byText.set(text, shortlist)
    for (const oldest of byText.keys()) {
      if (byText.size <= mostShortlists) break
      byText.delete(oldest)
    }
    recent.set(query, { granted, shortlist })
    return shortlist
  }

  const rejection = (
    slot: Slot,
    query: Capability.CapabilityQuery,
    context: SelectionContext | undefined,
    now: number
  ): Rejection | undefined => {
    const agentId = slot.agent.id
    const result = Capability.match(slot.agent.capabilities, query, table)
    if (result._tag === "Rejected") return { agentId, stage: result.stage, reason: result.reason }
    const missing = missingOf(slot, context?.granted)
    if (missing !== undefined) {
      const reason = `it requires ${missing}, which the run does not grant`
      return { agentId, stage: "permission", permission: missing, reason }
    }
    const blocked = whyBlocked(slot, now)
    if (blocked !== undefined) return { agentId, stage: "health", reason: blocked }
    return context?.except?.includes(agentId) === true
      ? { agentId, stage: "health", reason: "it is to be passed over, since it was tried already" }
      : undefined
  }

  const rejections = (
    query: Capability.CapabilityQuery,
    context: SelectionContext | undefined,
    now: number
  ): ReadonlyArray<Rejection> => {
    const found: Array<Rejection> = []
    for (const slot of slots.values()) {
      const rejected = rejection(slot, query, context, now)
      if (rejected !== undefined) found.push(rejected)
    }
    return found
  }

  const skills = (): ReadonlyArray<string> => {
    const found: Array<string> = []
    for (const [skill, group] of groups)
      if (skill !== undefined && [...group.slots].some(({ isAbsent }) => !isAbsent)) found.push(skill)
    return found.sort()
  }

  const none = (
    query: Capability.CapabilityQuery,
    context: SelectionContext | undefined,
    shortlist: Shortlist,
    now: number
  ): NoCapableAgent => {
    let soonest = Number.POSITIVE_INFINITY
    let held = Number.POSITIVE_INFINITY
    for (let i = 0; i < shortlist.members.length; i++) {
      const slot = slotAt(shortlist, i)
      if (slot === undefined || context?.except?.includes(slot.agent.id) === true) continue
      soonest = Math.min(soonest, availableAt(slot, now) ?? soonest)
      held = Math.min(held, onlyHeldUntil(slot, now) ?? held)
    }
    return new NoCapableAgent(
      {
        query,
        rejections: rejections(query, context, now),
        knownSkills: skills(),
        ...(soonest < Number.POSITIVE_INFINITY ? { availableAt: soonest } : {}),
        ...(held < Number.POSITIVE_INFINITY ? { heldUntil: held } : {})
      },
      true
    )
  }

  return {
    slots,
    put: (slot) => {
      leave(slot)
      slots.set(slot.agent.id.toLowerCase(), slot)
      const skillsNow = skillsOf(slot)
      skillsAt.set(slot, skillsNow)
      for (const skill of skillsNow) {
        const group = groups.get(skill) ?? { slots: new Set(), field: undefined }
        groups.set(skill, group)
        group.slots.add(slot)
        group.field = undefined
      }
    },
    remove: (slot) => {
      leave(slot)
      slots.delete(slot.agent.id.toLowerCase())
    },
    skills,
    withSkill: (skill) =>
      [...(groups.get(skill)?.slots ?? [])]
        .filter(({ isAbsent }) => !isAbsent)
        .map(({ agent }) => agent.id)
        .sort(),
    select: (query, context, now) => {
      const shortlist = shortlistOf(query, context?.granted, now)
      const wish = wishOf(context)
      const slot = slotAt(shortlist, choose(shortlist, wish, now))
      if (slot === undefined) return none(query, context, shortlist, now)
      let ranked: ReadonlyArray<AgentMatch> | undefined
      let rejected: ReadonlyArray<Rejection> | undefined
      return {
        agent: slot.agent,
        get candidates() {
          ranked ??= rank(shortlist, wish, now, true)
          return ranked
        },
        get rejections() {
          rejected ??= rejections(query, context, now)
          return rejected
        }
      }
    },
    explain: (query, context, now) => ({
      candidates: rank(shortlistOf(query, context?.granted, now), wishOf(context), now, true),
      rejections: rejections(query, context, now)
    }),
    capable: (query, now) => rank(shortlistOf(query, undefined, now), byDefault, now, false)
  }
}
