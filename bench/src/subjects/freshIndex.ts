import * as path from "node:path"
import { setImmediate as others } from "node:timers/promises"
import type { Event } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import { QueryService } from "@switchyard/core/QueryService"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as SqliteIndex from "@switchyard/node/SqliteIndex"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { event, runId } from "../GroupCommit.js"
import type { SubjectModule } from "../Subject.js"

/** Holds up the event loop, as a host does that has much to do. */
const spin = (millis: number): void => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

/** How long after an entry the index has it: where somebody asks for it, and where the host is busy all the time. */
export const open: SubjectModule["open"] = async (directory) => {
  const log = JsonlEventLog.layer({ directory: path.join(directory, "log"), sync: false })
  const index = SqliteIndex.layer({ filename: path.join(directory, "index.sqlite") })
  const runtime = ManagedRuntime.make(Layer.provideMerge(index, log))
  const services = await runtime.runPromise(Effect.all({ log: EventLog, query: QueryService }))
  const append = (count: number) =>
    runtime.runPromise(
      services.log.append(
        runId as never,
        Array.from({ length: count }, () => event as unknown as Event)
      )
    )
  const asked = async (times: number) => {
    const began = performance.now()
    for (let n = 0; n < times; n++) {
      await append(3)
      await runtime.runPromise(services.query.sync)
    }
    const millis = performance.now() - began
    return { millis, operations: times, figures: { "ms each": millis / times } }
  }
  const busy = async (millis: number) => {
    const began = performance.now()
    const waiting: Array<{ readonly seq: number; readonly at: number }> = []
    let behind = 0
    let appended = 0
    while (performance.now() - began < millis) {
      const [entry] = await append(1)
      if (entry !== undefined) waiting.push({ seq: entry.seq, at: performance.now() })
      appended++
      spin(4)
      await others()
      const watermark = await runtime.runPromise(services.query.watermark)
      while ((waiting[0]?.seq ?? Number.POSITIVE_INFINITY) <= watermark) waiting.shift()
      behind = Math.max(behind, performance.now() - (waiting[0]?.at ?? performance.now()))
    }
    return {
      millis: performance.now() - began,
      operations: appended,
      figures: { "ms behind at most": behind }
    }
  }
  return {
    run: ({ millis, times }) => (times === undefined ? busy(Number(millis)) : asked(Number(times))),
    close: () => runtime.dispose()
  }
}
