import type { Entry } from "../Event.js"

/** Entries that wait to be given, in order, of which the progress of an item is replaced by later progress of it. */
export interface Latest {
  readonly size: () => number
  readonly add: (entries: Iterable<Entry>) => void
  /** Takes the first entries out, at most so many. */
  readonly take: (count: number) => ReadonlyArray<Entry>
}

/** No entries at first. */
export const makeLatest = (): Latest => {
  const waiting = new Map<string | number, Entry>()
  return {
    size: () => waiting.size,
    add: (entries) => {
      for (const entry of entries) {
        const { event, runId, seq } = entry
        const key = event._tag === "ItemProgress" ? `${runId}/${event.stepId}/${event.index}` : seq
        // A map gives what was put in last at the end, and keeps the place of what is replaced.
        waiting.delete(key)
        waiting.set(key, entry)
      }
    },
    take: (count) => {
      const taken: Array<Entry> = []
      for (const [key, entry] of waiting) {
        if (taken.length >= count) break
        taken.push(entry)
        waiting.delete(key)
      }
      return taken
    }
  }
}
