import type { Entry, Event } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import type { RunId, Seq } from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Simulation } from "./simulation.js"

/** How the log of one host lives, and how it dies with its host. */
export interface Life {
  /** How long it takes to make entries durable, 0 for as soon as others had their turn; at once where it is undefined. */
  readonly syncMillis: number | undefined
  /** After how many entries the host dies, in the middle of what it does. */
  readonly entries: number | undefined
  /** How many entries of those that were not acknowledged are on the disk all the same. */
  readonly kept: number
}

/** A log whose host may be gone at any moment. */
export interface BrittleLog {
  readonly log: EventLog.Service
  /** Ends it: nothing is acknowledged and nothing becomes durable any more. */
  readonly crash: (kept: number) => void
  readonly isDead: () => boolean
  /** Lets its host live on, whatever was drawn. */
  readonly spare: () => void
}

/** What outlives all hosts. */
export interface Disk {
  readonly entries: ReadonlyArray<Entry>
  /** The log as the next host opens it. */
  readonly open: (life: Life) => BrittleLog
}

interface Group {
  readonly entries: ReadonlyArray<Entry>
  readonly settled: (exit: Exit.Exit<ReadonlyArray<Entry>, EventLog.LogWriteFailed>) => void
}

const gone = Exit.fail(new EventLog.LogWriteFailed({ path: "simulated", reason: "the host is gone" }))

/**
 * A disk with nothing on it. Of what a host was acknowledged everything stays, and of the rest a beginning of any length.
 * `handed` sees what hosts give to their logs, before it is durable,
 * and `seen` what has become so.
 */
export const makeDisk = (
  { after, later, now }: Simulation,
  handed: (runId: RunId, events: ReadonlyArray<Event>) => void,
  seen: (entry: Entry) => void
): Disk => {
  const durable: Array<Entry> = []

  const open = ({ entries: most, kept, syncMillis }: Life): BrittleLog => {
    const runs = new Map<RunId, EventLog.OpenRun>()
    for (const entry of durable) EventLog.track(runs, entry)
    const { number } = EventLog.makeSequencer(durable.length as Seq, runs)
    const bell = EventLog.makeBell(later)
    let left = most ?? Number.POSITIVE_INFINITY
    let dead = false
    let waiting: Array<Group> = []
    let syncing: ReadonlyArray<Group> = []

    const keep = (entries: ReadonlyArray<Entry>): void => {
      for (const entry of entries) {
        durable.push(entry)
        EventLog.track(runs, entry)
        seen(entry)
      }
    }

    const crash = (keeping: number): void => {
      if (dead) return
      dead = true
      const lost = [...syncing, ...waiting]
      keep(lost.flatMap(({ entries }) => entries).slice(0, keeping))
      for (const { settled } of lost) settled(gone)
    }

    const sync = (): void => {
      if (dead) return
      const done = syncing
      syncing = []
      for (const { entries } of done) keep(entries)
      for (const { entries, settled } of done) settled(Exit.succeed(entries))
      if (dead) return
      bell.ring(done.flatMap(({ entries }) => entries))
      begin()
    }

    const begin = (): void => {
      if (syncing.length > 0 || waiting.length === 0) return
      syncing = waiting
      waiting = []
      if (syncMillis === undefined) sync()
      else if (syncMillis === 0) later(sync)
      else after(syncMillis, sync)
    }

    const log = EventLog.make({
      enqueue: (runId, events, settled) => {
        if (dead) {
          settled(gone)
          return
        }
        handed(runId, events)
        waiting.push({ entries: events.map((event) => number(runId, event, now())), settled })
        left -= events.length
        if (left < 0) crash(kept)
        else begin()
      },
      head: () => durable.length as Seq,
      unfinished: () => EventLog.unfinishedOf(runs),
      readAfter: (after, wanted) =>
        Effect.sync(() => {
          const batch = durable.slice(after, after + 1024)
          return { entries: EventLog.ofRuns(batch, wanted), through: batch.at(-1)?.seq ?? after }
        }),
      bell
    })
    const spare = () => {
      left = Number.POSITIVE_INFINITY
    }
    return { log, crash, isDead: () => dead, spare }
  }

  return { entries: durable, open }
}
