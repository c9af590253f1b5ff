import * as path from "node:path"
import { EventLog } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { measure, type Row } from "./Measure.js"
import { line, openRaw, producers } from "./Raw.js"

const event = {
  _tag: "ItemCompleted",
  stepId: "analysis",
  item: "item",
  index: 0,
  attempt: 1,
  agentId: "agent",
  result: null,
  metrics: {
    durationMillis: 1,
    usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 },
    retries: 0
  }
}

/** Durable appends a second by producers that await each one, beside raw group commit of lines as long. */
export const logSuite = async (directory: string, repeats: number): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  for (const [count, each] of [
    [1, 300],
    [16, 200],
    [100, 100],
    [1000, 30]
  ] as const) {
    const operations = count * each
    const raw = openRaw(path.join(directory, `raw-${count}`), true)
    const runtime = ManagedRuntime.make(
      JsonlEventLog.layer({ directory: path.join(directory, `log-${count}`) })
    )
    const log = await runtime.runPromise(EventLog)
    const runId = RunId.make("run")
    const append = log.append(runId, [event as never])
    rows.push(
      ...(await measure(
        "log",
        `${count} ${count === 1 ? "producer" : "producers"}`,
        [
          {
            name: "raw group commit",
            does: "one line, write + fdatasync per group",
            operations,
            run: () => producers(count, each, (n) => raw.append(line(n)))
          },
          {
            name: "JsonlEventLog.append",
            does: "one entry with CRC and both sequences, write + fdatasync per group",
            operations,
            run: () =>
              runtime.runPromise(
                Effect.forEach(Array.from({ length: count }), () => Effect.repeatN(append, each - 1), {
                  concurrency: "unbounded",
                  discard: true
                })
              )
          }
        ],
        repeats
      ))
    )
    raw.close()
    await runtime.dispose()
  }
  return rows
}
