import * as AgentBook from "@switchyard/core/AgentBook"
import * as AgentRoster from "@switchyard/core/AgentRoster"
import type { Tallies } from "@switchyard/core/AgentTally"
import type { Attempt } from "@switchyard/core/Attempt"
import type { Entry, EventOf } from "@switchyard/core/Event"

/** What entries say of agents and is not in the tables yet: whoever is written to once, however much there is of him. */
export interface AgentChanges {
  /** Notes what an agent did, also among what was done in its run. */
  readonly answered: (ofRun: Tallies, entry: Entry, attempt: Attempt) => void
  /** Notes what is recorded of an agent; other entries are passed over. */
  readonly note: (entry: Entry) => void
  /** Has what was done in runs that go stay: what was counted of it makes room for what their removal says. */
  readonly removed: (ofRuns: Iterable<Tallies>, event: EventOf<"RunsRemoved">) => void
  /** The agents of which something else is recorded than the tables have. */
  readonly records: () => Iterable<readonly [key: string, record: AgentRoster.AgentRecord]>
  /** What agents did since. */
  readonly tallies: () => Tallies
  /** Everything is written. */
  readonly written: () => void
}

/** Nothing has changed yet; `stored` gives what the tables have of an agent. */
export const makeAgentChanges = (
  stored: (key: string) => AgentRoster.AgentRecord | undefined
): AgentChanges => {
  const known = new Map<string, AgentRoster.AgentRecord | undefined>()
  const dirty = new Map<string, AgentRoster.AgentRecord>()
  let tallies: Tallies = new Map()

  const recordOf = (key: string): AgentRoster.AgentRecord | undefined => {
    if (!known.has(key)) known.set(key, stored(key))
    return known.get(key)
  }

  return {
    answered: (ofRun, entry, attempt) => {
      const skill = attempt.skill ?? AgentBook.onlySkillOf(recordOf(attempt.agentId.toLowerCase()))
      AgentBook.answered(tallies, ofRun, skill, entry, attempt)
    },
    note: ({ event, time }) => {
      if (!AgentRoster.isRegistryEvent(event)) return
      const key = event.agentId.toLowerCase()
      const record = AgentRoster.apply(recordOf(key), event, time)
      if (record === undefined) return
      known.set(key, record)
      dirty.set(key, record)
    },
    removed: (ofRuns, { agents }) => {
      if (agents !== undefined) AgentBook.removed(tallies, ofRuns, agents)
    },
    records: () => dirty,
    tallies: () => tallies,
    written: () => {
      if (tallies.size > 0) tallies = new Map()
      dirty.clear()
    }
  }
}
