import { EventLog, type Service } from "@switchyard/core/EventLog"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as LogCompaction from "@switchyard/node/LogCompaction"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type FaultyDisk, makeFaultyDisk } from "./faultyDisk.js"

/** Opens the log of a directory, on a disk that may fail, and closes it when it has been used. */
export const onLog = <A, E>(
  options: JsonlEventLog.Options,
  use: (log: Service, compaction: LogCompaction.Service) => Effect.Effect<A, E>,
  disk: FaultyDisk = makeFaultyDisk()
) =>
  Effect.provide(
    Effect.flatMap(EventLog, (log) =>
      Effect.flatMap(LogCompaction.LogCompaction, (compaction) => use(log, compaction))
    ),
    Layer.provide(JsonlEventLog.layer(options), disk.layer)
  )
