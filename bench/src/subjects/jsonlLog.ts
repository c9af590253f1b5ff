import * as path from "node:path"
import type { Event } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { event, runId } from "../GroupCommit.js"
import { quantile, type SubjectModule, timed, verify } from "../Subject.js"

/** The event log, by fibers that wait for each of their appends, or by promises that wait for what they enqueue. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const runtime = ManagedRuntime.make(JsonlEventLog.layer({ directory: path.join(directory, "log") }))
  const log = await runtime.runPromise(EventLog)
  const append = log.append(RunId.make(runId), [event as unknown as Event])
  const producers = (count: number, each: number, operation: Effect.Effect<unknown, unknown>) =>
    runtime.runPromise(
      Effect.forEach(Array.from({ length: count }), () => Effect.repeatN(operation, each - 1), {
        concurrency: "unbounded",
        discard: true
      })
    )
  const enqueue = () =>
    new Promise<void>((resolve, reject) =>
      log.enqueue(RunId.make(runId), [event as unknown as Event], (exit) =>
        exit._tag === "Success" ? resolve() : reject(new Error(String(exit.cause)))
      )
    )
  const enqueueing = (count: number, each: number) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        for (let n = 0; n < each; n++) await enqueue()
      })
    )
  return {
    run: async (task) => {
      const [count, each] = [Number(task.producers), Number(task.each)]
      const before = await runtime.runPromise(log.head)
      const outcome = await timed(count * each, () =>
        settings.enqueue === true ? enqueueing(count, each) : producers(count, each, append)
      )
      verify("entries", (await runtime.runPromise(log.head)) - before, count * each)
      if (settings.enqueue === true) return outcome
      const latencies: Array<number> = []
      const timedAppend = Effect.suspend(() => {
        const asked = performance.now()
        return Effect.map(append, () => latencies.push(performance.now() - asked))
      })
      await producers(count, each, timedAppend)
      const figures = { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
      return { ...outcome, untimed: count * each, figures }
    },
    close: () => runtime.dispose()
  }
}
