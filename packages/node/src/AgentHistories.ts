import type { AgentHistory } from "@switchyard/core/AgentMetrics"
import type { AgentId } from "@switchyard/core/Ids"
import type { QueryFailed } from "@switchyard/core/QueryService"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What agents did before this process opened the log, for a registry to go on from. */
export class AgentHistories extends Context.Tag("@switchyard/node/AgentHistories")<
  AgentHistories,
  {
    /**
     * Waits until the index has come to where the log stood when it was opened, and gives what agents did up to there; nothing
     * of what this process records is in it. Where the index cannot come there, it waits for ever.
     */
    readonly atOpening: Effect.Effect<ReadonlyArray<readonly [AgentId, AgentHistory]>, QueryFailed>
  }
>() {}

/** The methods of the service. */
export type Service = Context.Tag.Service<typeof AgentHistories>
