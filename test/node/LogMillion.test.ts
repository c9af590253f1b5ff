import { describe, expect, it } from "@effect/vitest"
import type { Event } from "@switchyard/core/Event"
import { EventLog, type Service } from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { temporaryDirectory } from "./temporary.js"

const event: Event = {
  _tag: "ItemCompleted",
  stepId: "analysis" as never,
  item: "item",
  index: 0,
  attempt: 1,
  agentId: "agent" as never,
  result: null,
  metrics: {
    durationMillis: 1,
    usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 },
    retries: 0
  }
}
const ended = { _tag: "RunCancelled", summary: {} } as Event
const runs = 100_000

/** What this process has computed so far, in milliseconds, so that a busy machine changes no verdict. */
const cpuMillis = () => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Takes a minute and 300 MB of disk, so it runs only where it is asked for: `SWITCHYARD_LARGE=1`. */
describe.runIf(process.env.SWITCHYARD_LARGE !== undefined)("a log of a million events", () => {
  it.scopedLive(
    "is opened with less than a second's work, and one run found with less than a tenth of that",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const withLog = <A, E>(use: (log: Service) => Effect.Effect<A, E>) =>
          Effect.provide(Effect.flatMap(EventLog, use), JsonlEventLog.layer({ directory }))
        yield* withLog((log) =>
          Effect.forEach(
            Array.from({ length: runs }, (_, n) => RunId.make(`run-${n}`)),
            (runId) =>
              Effect.andThen(log.append(runId, Array<Event>(9).fill(event)), log.append(runId, [ended])),
            { concurrency: 200, discard: true }
          )
        )
        const before = cpuMillis()
        yield* withLog((log) =>
          Effect.gen(function* () {
            const opened = cpuMillis() - before
            expect(opened).toBeLessThan(1_000)
            const began = cpuMillis()
            for (const n of [0, runs / 2, runs - 1]) {
              const found = yield* Stream.runCount(log.read({ runs: [RunId.make(`run-${n}`)] }))
              expect(found).toBe(10)
            }
            expect((cpuMillis() - began) / 3).toBeLessThan(100)
          })
        )
        expect(yield* JsonlEventLog.verify(directory)).toMatchObject({ entries: 10 * runs })
      }),
    300_000
  )
})
