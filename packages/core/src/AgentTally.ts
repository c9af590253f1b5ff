import * as Schema from "effect/Schema"
import { AgentErrorKind } from "./AgentErrorKind.js"
import {
  type AgentHistory,
  decay,
  empty,
  emptyTrack,
  kept,
  observe,
  type Track,
  window
} from "./AgentMetrics.js"
import { AgentId } from "./Ids.js"
import * as Usage from "./Usage.js"

const Count = Schema.NonNegativeInt

/** One answer of an agent: where in the log it is and since when, what it took, and the kind of failure where it was one. */
export const Answer = Schema.Struct({
  seq: Count,
  time: Count,
  durationMillis: Count,
  costMicroUsd: Count,
  failure: Schema.optionalWith(Schema.String, { exact: true })
})
export type Answer = typeof Answer.Type

/**
 * What an agent did with one skill, or with none that is known: sums, when it answered last, and its latest answers, ordered
 * by their place in the log. The id is in lower case, as ids of agents are compared; tokens are those of input and output.
 */
export const AgentTally = Schema.Struct({
  agentId: AgentId,
  skill: Schema.optionalWith(Schema.String, { exact: true }),
  successes: Count,
  failuresByKind: Schema.Record({ key: Schema.String, value: Count }),
  totalMillis: Count,
  tokens: Count,
  costMicroUsd: Count,
  lastInvocation: Count,
  latest: Schema.Array(Answer)
})
export type AgentTally = typeof AgentTally.Type

/** A tally that grows; it shrinks where it stands for what is to be taken away. */
export interface Tally {
  readonly agentId: AgentId
  readonly skill: string | undefined
  successes: number
  readonly failuresByKind: Record<string, number>
  totalMillis: number
  tokens: number
  costMicroUsd: number
  lastInvocation: number
  latest: Array<Answer>
}

/** Tallies of agents, by id in lower case, and of these by skill. */
export type Tallies = Map<string, Map<string | undefined, Tally>>

/** The tally of an agent and a skill among others, begun where there is none. */
export const tallyOf = (tallies: Tallies, agentId: string, skill: string | undefined): Tally => {
  let ofAgent = tallies.get(agentId)
  if (ofAgent === undefined) {
    ofAgent = new Map()
    tallies.set(agentId, ofAgent)
  }
  const known = ofAgent.get(skill)
  if (known !== undefined) return known
  const begun: Tally = {
    agentId: agentId as AgentId,
    skill,
    successes: 0,
    failuresByKind: {},
    totalMillis: 0,
    tokens: 0,
    costMicroUsd: 0,
    lastInvocation: 0,
    latest: []
  }
  ofAgent.set(skill, begun)
  return begun
}

/** Counts an answer, without keeping it. */
export const count = (
  tally: Tally,
  { costMicroUsd, durationMillis, failure }: Answer,
  tokens: number
): void => {
  if (failure === undefined) tally.successes++
  else tally.failuresByKind[failure] = (tally.failuresByKind[failure] ?? 0) + 1
  tally.totalMillis += durationMillis
  tally.tokens += tokens
  tally.costMicroUsd += costMicroUsd
}

/** What of a tally adds up. */
export type Sums = Pick<
  AgentTally,
  "successes" | "failuresByKind" | "totalMillis" | "tokens" | "costMicroUsd"
>

/** Adds sums to a tally, or takes them away from it. */
export const addSums = (tally: Tally, sums: Sums, sign: 1 | -1): void => {
  tally.successes += sign * sums.successes
  for (const [kind, failures] of Object.entries(sums.failuresByKind))
    tally.failuresByKind[kind] = (tally.failuresByKind[kind] ?? 0) + sign * failures
  tally.totalMillis += sign * sums.totalMillis
  tally.tokens += sign * sums.tokens
  tally.costMicroUsd += sign * sums.costMicroUsd
}

/** Answers of both, in order, each once. */
export const merged = (left: ReadonlyArray<Answer>, right: ReadonlyArray<Answer>): Array<Answer> => {
  const last = left.at(-1)?.seq ?? 0
  const [first] = right
  if (first === undefined || first.seq > last) return [...left, ...right]
  const known = new Set(left.map(({ seq }) => seq))
  return [...left, ...right.filter(({ seq }) => !known.has(seq))].sort((a, b) => a.seq - b.seq)
}

/** Adds all that a tally says to another one; answers that both have are the same ones. */
export const addTally = (tally: Tally, that: Tally | AgentTally): void => {
  addSums(tally, that, 1)
  tally.lastInvocation = Math.max(tally.lastInvocation, that.lastInvocation)
  tally.latest = merged(tally.latest, that.latest)
}

const isKind = Schema.is(AgentErrorKind)

/** Has a track say what sums say; its ring goes on where so many invocations leave it. */
const settle = (track: Track, sums: Sums & Pick<AgentTally, "lastInvocation">): void => {
  const seen = track.successes + track.failures
  const failures = Object.entries(sums.failuresByKind).filter(([, times]) => times > 0)
  track.successes = sums.successes
  track.failures = failures.reduce((all, [, times]) => all + times, 0)
  track.failuresByKind = Object.fromEntries(failures)
  track.totalMillis = sums.totalMillis
  track.tokens = sums.tokens
  track.costMicroUsd = sums.costMicroUsd
  if (sums.lastInvocation > 0) track.lastInvocation = sums.lastInvocation
  if (seen < window) return
  const all = track.successes + track.failures
  track.latencies = track.latencies.map(
    (_, slot) => track.latencies[(slot + seen - (all % window) + window) % window] ?? 0
  )
}

/**
 * What the tallies of one agent amount to. What ranking remembers is reckoned from the latest answers, of which all but the
 * last few hundred have no weight to speak of.
 */
export const historyOf = (tallies: Iterable<Tally | AgentTally>): AgentHistory => {
  const history = empty()
  const known = [...tallies]
  const answers = known.flatMap(({ latest, skill }) => latest.map((answer) => ({ answer, skill })))
  answers.sort((a, b) => a.answer.seq - b.answer.seq)
  for (const { answer, skill } of answers) {
    const { costMicroUsd, durationMillis, failure, time } = answer
    const kind = failure === undefined || isKind(failure) ? failure : "Failed"
    observe(history, skill, { durationMillis, usage: { ...Usage.zero, costMicroUsd }, failure: kind }, time)
  }
  const total = tallyOf(new Map(), "", undefined)
  for (const tally of known) {
    addSums(total, tally, 1)
    total.lastInvocation = Math.max(total.lastInvocation, tally.lastInvocation)
    if (tally.skill === undefined) continue
    const track = history.skills.get(tally.skill) ?? emptyTrack()
    history.skills.set(tally.skill, track)
    settle(track, tally)
  }
  settle(history.total, total)
  return history
}

/** What is known of a skill or an agent when what came later is added to what was known before. */
const continuedTrack = (before: Track, since: Track): Track => {
  const invocations = since.successes + since.failures
  const track: Track = {
    ...before,
    failuresByKind: { ...before.failuresByKind },
    latencies: [...before.latencies],
    weights: { ...before.weights }
  }
  const first = Math.max(0, invocations - window)
  for (let n = first; n < invocations; n++)
    track.latencies[(before.successes + before.failures + n) % window] = since.latencies[n % window] ?? 0
  track.successes += since.successes
  track.failures += since.failures
  for (const [kind, failures] of Object.entries(since.failuresByKind))
    track.failuresByKind[kind] = (track.failuresByKind[kind] ?? 0) + failures
  track.totalMillis += since.totalMillis
  track.tokens += since.tokens
  track.costMicroUsd += since.costMicroUsd
  if (since.lastInvocation !== undefined)
    track.lastInvocation = Math.max(since.lastInvocation, before.lastInvocation ?? 0)
  const step = Math.max(before.weights.step, since.weights.step)
  const left = kept ** invocations * decay(before.weights.step, step)
  const right = decay(since.weights.step, step)
  const sum = (of: Exclude<keyof Track["weights"], "step">): number =>
    before.weights[of] * left + since.weights[of] * right
  track.weights = {
    step,
    successes: sum("successes"),
    failures: sum("failures"),
    latencyMillis: sum("latencyMillis"),
    costMicroUsd: sum("costMicroUsd")
  }
  return track
}

/**
 * What is known of an agent when what was observed of it since is added to what was known before; neither is changed, and
 * nothing of the one may be in the other.
 */
export const continued = (before: AgentHistory, since: AgentHistory): AgentHistory => {
  const skills = new Map<string, Track>()
  for (const skill of new Set([...before.skills.keys(), ...since.skills.keys()]))
    skills.set(
      skill,
      continuedTrack(before.skills.get(skill) ?? emptyTrack(), since.skills.get(skill) ?? emptyTrack())
    )
  return { total: continuedTrack(before.total, since.total), skills }
}
