import type { Entry } from "@switchyard/core/Event"
import type { Seq } from "@switchyard/core/Ids"
import { reasonOf } from "./fileSystem.js"
import type { Projection } from "./projection.js"

/**
 * How long entries may wait for others to be projected with them, when nobody waits for the index. A transaction costs
 * about as much as fifty rows, so a chain of short steps would otherwise spend more time on its index than on itself.
 */
const gatherMillis = 25

/** How many entries are projected at once at the most, so that the host's event loop is not held up for long. */
const mostEntries = 2048

/** Feeds a projection in batches. */
export interface Indexer {
  readonly add: (entries: ReadonlyArray<Entry>) => void
  /** Calls back when the tables are complete up to a position, at once where they can be, or when they never will be. */
  readonly reached: (seq: Seq, callback: () => void) => void
  readonly flush: () => void
  readonly stop: (error: unknown) => void
  /** Why the tables do not follow the log any more. */
  readonly failure: () => string | undefined
}

/** An indexer of a projection that nobody else writes to. */
export const makeIndexer = (projection: Projection, filename: string): Indexer => {
  let failure: string | undefined
  let gathered: Array<Entry> = []
  let timer: NodeJS.Timeout | undefined
  let waiting: Array<{ readonly seq: Seq; readonly callback: () => void }> = []

  const wake = (): void => {
    if (waiting.length === 0) return
    const reached = failure === undefined ? projection.watermark() : Number.POSITIVE_INFINITY
    const woken = waiting.filter(({ seq }) => seq <= reached)
    waiting = waiting.filter(({ seq }) => seq > reached)
    for (const { callback } of woken) callback()
  }

  const stop = (error: unknown): void => {
    failure ??= `the index ${filename} does not follow the log any more: ${reasonOf(error)}; open the directory again`
    wake()
  }

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const entries = gathered
    gathered = []
    if (entries.length === 0 || failure !== undefined) return
    try {
      projection.project(entries)
    } catch (error) {
      stop(error)
    }
    wake()
  }

  return {
    add: (entries) => {
      for (const entry of entries) gathered.push(entry)
      if (waiting.length > 0 || gathered.length >= mostEntries) flush()
      else timer ??= setTimeout(flush, gatherMillis)
    },
    reached: (seq, callback) => {
      waiting.push({ seq, callback })
      flush()
      wake()
    },
    flush,
    stop,
    failure: () => failure
  }
}
