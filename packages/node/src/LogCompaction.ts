import type { LogDamaged, LogWriteFailed } from "@switchyard/core/EventLog"
import type { RunId } from "@switchyard/core/Ids"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What becomes of the entries of a run that are removed: kept in a file of their own, or nothing. */
export type Mode = "archive" | "delete"

/** What compaction did; nothing where the runs were removed before. */
export interface Compacted {
  /** How many entries were removed. */
  readonly entries: number
  /** By how many bytes the segments have become smaller. */
  readonly bytes: number
}

/**
 * Removes runs from the log that this process writes. Every other entry keeps its number, and a reader sees none of the
 * removed ones and no error where they stood.
 */
export class LogCompaction extends Context.Tag("@switchyard/node/LogCompaction")<
  LogCompaction,
  {
    /**
     * Removes the entries of runs that have ended; runs that have not stay as they are. After a crash or a failure it is
     * called again with the same runs, and finishes what is left. With `archive` each run is in `archive/<run>.jsonl`,
     * durably, before any of it is removed.
     */
    readonly compact: (
      runs: ReadonlySet<RunId>,
      mode: Mode
    ) => Effect.Effect<Compacted, LogDamaged | LogWriteFailed>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof LogCompaction>
