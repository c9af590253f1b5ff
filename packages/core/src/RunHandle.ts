import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { ControlCommand } from "./Command.js"
import type { Entry } from "./Event.js"
import type { EventLogError } from "./EventLog.js"
import type { RunId } from "./Ids.js"
import type { CommandError } from "./Orchestrator.js"
import type * as Run from "./Run.js"
import type { InvalidId } from "./RunErrors.js"
import type { RunResult } from "./RunResult.js"

/** A registered run. */
export interface RunHandle {
  readonly runId: RunId
  /**
   * All its entries from the registration on; ends with the terminal one, or with the one that says that its host stopped.
   * Each use is a subscription of its own.
   */
  readonly events: Stream.Stream<Entry, EventLogError>
  /** Sends a command; succeeds once it is durable. */
  readonly control: (
    command: ControlCommand,
    commandId?: string
  ) => Effect.Effect<void, CommandError | InvalidId | EventLogError>
  /**
   * Waits for the end, where the run is under way in this process; gives where it stands otherwise. A run that fails, is
   * cancelled or interrupted is a result, not an error.
   */
  readonly result: Effect.Effect<RunResult, EventLogError>
  /** Where the run stands now. */
  readonly status: Effect.Effect<Run.RunStatus, EventLogError>
}
