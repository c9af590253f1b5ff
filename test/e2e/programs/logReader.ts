import * as fs from "node:fs"
import { EventReader } from "@switchyard/core/EventLog"
import * as JsonlEventReader from "@switchyard/node/JsonlEventReader"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

// Follows a log from its beginning to its last entry and writes what it sees: `logReader.ts DIRECTORY FILE`.
const [directory = "", file = ""] = process.argv.slice(2)

const program = Effect.flatMap(EventReader, (log) => {
  process.stdout.write("ready\n")
  return log.follow({}).pipe(
    Stream.takeUntil(({ event }) => event._tag === "RunInterrupted" && event.reason === "the end"),
    Stream.runForEachChunk((entries) =>
      Effect.sync(() =>
        fs.appendFileSync(file, [...entries].map((entry) => `${JSON.stringify(entry)}\n`).join(""))
      )
    )
  )
})

await Effect.runPromise(Effect.provide(program, JsonlEventReader.layer({ directory })))
