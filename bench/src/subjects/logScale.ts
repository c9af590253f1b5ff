import * as path from "node:path"
import type { Event } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import { RunId, type Seq } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { event, runId } from "../GroupCommit.js"
import { type SubjectModule, timed, verify } from "../Subject.js"
import { atOnce } from "../Yard.js"

const batch = 1000

/** A log that holds so many events: what it costs to open it, to read it, and to append to it. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const size = Number(settings.size)
  const layer = JsonlEventLog.layer({ directory: path.join(directory, "log") })
  const start = async () => {
    const runtime = ManagedRuntime.make(layer)
    return { runtime, log: await runtime.runPromise(EventLog) }
  }
  const events = (count: number) => Array.from({ length: count }, () => event as unknown as Event)
  const id = RunId.make(runId)
  let { log, runtime } = await start()
  for (let left = size; left > 0; left -= batch)
    await runtime.runPromise(log.append(id, events(Math.min(batch, left))))

  const reopen = async (times: number) => {
    let millis = 0
    for (let n = 0; n < times; n++) {
      await runtime.dispose()
      millis += (
        await timed(1, async () => {
          const opened = await start()
          log = opened.log
          runtime = opened.runtime
        })
      ).millis
    }
    verify("entries", await runtime.runPromise(log.head), size)
    return millis
  }
  const read = async (after: number, expected: number, times: number) => {
    const outcome = await timed(expected * times, async () => {
      for (let n = 0; n < times; n++) {
        const count = await runtime.runPromise(Stream.runCount(log.read({ after: after as Seq })))
        verify("entries", count, expected)
      }
    })
    return outcome
  }
  return {
    run: async (task) => {
      const times = Number(task.times)
      if (task.what === "open") return { millis: await reopen(times), operations: size * times }
      if (task.what === "read" || task.what === "tail") {
        // What was just appended is in memory; after opening, it has to be found in the file.
        await reopen(1)
        return task.what === "read" ? read(0, size, times) : read(size - 100, 100, times)
      }
      const before = await runtime.runPromise(log.head)
      const outcome = await timed(100 * times, () =>
        runtime.runPromise(atOnce(100, Effect.repeatN(log.append(id, events(1)), times - 1)))
      )
      verify("entries", (await runtime.runPromise(log.head)) - before, 100 * times)
      return outcome
    },
    close: () => runtime.dispose()
  }
}
