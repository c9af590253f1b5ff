import * as EventLog from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"

// Writes a log until it is killed, or so many entries and then the last one: `logWriter.ts DIRECTORY [COUNT]`.
const [directory = "", count = "Infinity"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const log = yield* EventLog.EventLog
  const producer = (index: number) =>
    Effect.gen(function* () {
      for (let n = 0; n < Number(count); n++) {
        const reason = `${process.pid} ${index} ${n} ${"x".repeat((n * 37) % 500)}`
        yield* log.append(RunId.make(`run-${index}`), [
          { _tag: "RunInterrupted", reason },
          { _tag: "RunRecovered" }
        ])
        if (n % 50 === 0) yield* Effect.sleep(10)
      }
    })
  process.stdout.write("ready\n")
  yield* Effect.forEach([0, 1, 2, 3], producer, { concurrency: "unbounded", discard: true })
  yield* log.append(RunId.make("run-0"), [{ _tag: "RunInterrupted", reason: "the end" }])
})

await Effect.runPromise(
  Effect.provide(program, JsonlEventLog.layer({ directory, maxSegmentBytes: 64 * 1024 }))
)
