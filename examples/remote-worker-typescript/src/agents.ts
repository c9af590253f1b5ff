import { setTimeout as sleep } from "node:timers/promises"

/** What an attempt consumed, counted from its beginning. */
export interface Usage {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly costUsd?: number
}

/** What an agent gets to do with beside its input. */
export interface Context {
  /** Aborted when the work is cancelled or takes too long; what goes on after that is in nobody's interest. */
  readonly signal: AbortSignal
  readonly report: (progress: {
    readonly progress?: number
    readonly message?: string
    readonly usage?: Usage
  }) => void
}

/** An agent of this worker. */
export interface WorkerAgent {
  readonly name: string
  readonly description: string
  readonly capabilities: ReadonlyArray<{ readonly skill: string }>
  readonly run: (
    input: unknown,
    context: Context
  ) => Promise<{ readonly output: unknown; readonly usage?: Usage }>
}

/** A failure that says of which kind it is; any other error counts as `Failed`. */
export class WorkFailed extends Error {
  constructor(
    readonly kind: string,
    message: string,
    readonly retryAfterMillis?: number
  ) {
    super(message)
  }
}

const fieldsOf = (input: unknown): Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null ? (input as Readonly<Record<string, unknown>>) : { text: input }

const countWords: WorkerAgent = {
  name: "count-words",
  description: "Counts the words of a text.",
  capabilities: [{ skill: "count-words" }],
  run: async (input, { report, signal }) => {
    const { text } = fieldsOf(input)
    if (typeof text !== "string") throw new WorkFailed("InvalidInput", "the input has no text")
    const words = text.split(/\s+/).filter((word) => word !== "")
    for (let done = 0; done < words.length; done += 1000) {
      signal.throwIfAborted()
      report({
        progress: done / words.length,
        message: `${done} of ${words.length} words`,
        usage: { inputTokens: done }
      })
      // Cancellation is heard between two pieces of the work.
      await sleep(0)
    }
    return { output: { words: words.length }, usage: { inputTokens: words.length, outputTokens: 1 } }
  }
}

let begun = 0

const wait: WorkerAgent = {
  name: "wait",
  description: "Waits for `millis`, and says how often this worker has begun to wait.",
  capabilities: [{ skill: "wait" }],
  run: async (input, { report, signal }) => {
    const { millis } = fieldsOf(input)
    if (typeof millis !== "number") throw new WorkFailed("InvalidInput", "the input has no millis")
    const which = ++begun
    for (let tenth = 0; tenth < 10; tenth++) {
      report({ progress: tenth / 10, message: `waiting, ${tenth} of 10` })
      await sleep(millis / 10, undefined, { signal })
    }
    return { output: { waited: millis, begun: which } }
  }
}

const refuse: WorkerAgent = {
  name: "refuse",
  description: "Fails as it is told, to show how failures are told.",
  capabilities: [{ skill: "refuse" }],
  run: async (input) => {
    const { kind, message, retryAfterMillis } = fieldsOf(input)
    throw new WorkFailed(
      String(kind),
      String(message),
      typeof retryAfterMillis === "number" ? retryAfterMillis : undefined
    )
  }
}

/** The agents of this worker; put your own here. */
export const agents: ReadonlyArray<WorkerAgent> = [countWords, wait, refuse]
