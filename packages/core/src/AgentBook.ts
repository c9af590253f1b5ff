import * as AgentRoster from "./AgentRoster.js"
import { type Answer, addSums, addTally, count, type Tallies, tallyOf } from "./AgentTally.js"
import type { Attempt } from "./Attempt.js"
import type { Entry, EventOf } from "./Event.js"
import type { RunId } from "./Ids.js"

/** What a log says of agents: who they are, and what they did, in all and in each run. */
export interface AgentBook {
  readonly roster: AgentRoster.AgentRoster
  readonly tallies: Tallies
  readonly runs: Map<RunId, Tallies>
}

/** Nothing is known yet. */
export const empty = (): AgentBook => ({
  roster: AgentRoster.empty(),
  tallies: new Map(),
  runs: new Map()
})

/** The skill that an agent is asked for where nobody says which: its only one. */
export const onlySkillOf = (record: AgentRoster.AgentRecord | undefined): string | undefined => {
  const [first, ...others] = record?.capabilities ?? []
  return others.every(({ skill }) => skill === first?.skill) ? first?.skill : undefined
}

/** The answer that an attempt ended with, as an entry of the log. */
export const answerOf = ({ seq, time }: Entry, { durationMillis, failure, usage }: Attempt): Answer => ({
  seq,
  time,
  durationMillis,
  costMicroUsd: usage.costMicroUsd,
  ...(failure === undefined ? {} : { failure })
})

/** Counts what an agent did in a run: in all, where the answer is kept, and among what was done in that run. */
export const answered = (
  all: Tallies,
  ofRun: Tallies,
  skill: string | undefined,
  entry: Entry,
  attempt: Attempt
): void => {
  const key = attempt.agentId.toLowerCase()
  const answer = answerOf(entry, attempt)
  const tokens = attempt.usage.inputTokens + attempt.usage.outputTokens
  const tally = tallyOf(all, key, skill)
  count(tally, answer, tokens)
  tally.latest.push(answer)
  tally.lastInvocation = Math.max(tally.lastInvocation, answer.time)
  count(tallyOf(ofRun, key, skill), answer, tokens)
}

/**
 * Has what agents did in runs that go stay: what is known of it from their entries makes room for what the removal says, so
 * that it counts once, whatever of these entries was there to be counted.
 */
export const removed = (
  all: Tallies,
  known: Iterable<Tallies>,
  agents: NonNullable<EventOf<"RunsRemoved">["agents"]>
): void => {
  for (const ofRun of known)
    for (const tallies of ofRun.values())
      for (const tally of tallies.values()) addSums(tallyOf(all, tally.agentId, tally.skill), tally, -1)
  for (const tally of agents) addTally(tallyOf(all, tally.agentId, tally.skill), tally)
}

/** Takes note of an entry, and of the attempt that it is the answer of. */
export const note = (book: AgentBook, entry: Entry, attempt?: Attempt): void => {
  const { event, runId } = entry
  if (attempt !== undefined) {
    const record = book.roster.agents.get(attempt.agentId.toLowerCase())
    const ofRun: Tallies = book.runs.get(runId) ?? new Map()
    book.runs.set(runId, ofRun)
    answered(book.tallies, ofRun, attempt.skill ?? onlySkillOf(record), entry, attempt)
  } else if (event._tag === "RunsRemoved") {
    if (event.agents !== undefined)
      removed(
        book.tallies,
        event.runs.flatMap((gone) => book.runs.get(gone) ?? []),
        event.agents
      )
    for (const gone of event.runs) book.runs.delete(gone)
  } else AgentRoster.note(book.roster, entry)
}
