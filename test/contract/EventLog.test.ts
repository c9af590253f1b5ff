import { describe, it } from "@effect/vitest"
import { EventLog, type EventLogError, EventReader, layerMemory } from "@switchyard/core/EventLog"
import { EventLogLaws } from "@switchyard/core/testing/EventLogLaws"
import { FollowLaws } from "@switchyard/core/testing/FollowLaws"
import { LatestProgressLaws } from "@switchyard/core/testing/LatestProgressLaws"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as JsonlEventReader from "@switchyard/node/JsonlEventReader"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { temporaryDirectory } from "../node/temporary.js"

/** Written by one layer and read by the other, as if they were in two processes. */
const readElsewhere = Layer.unwrapScoped(
  Effect.map(temporaryDirectory, (directory) => {
    const reader = JsonlEventReader.layer({ directory })
    const writer = JsonlEventLog.layer({ directory, maxSegmentBytes: 4096, tailEntries: 16 })
    return Layer.effect(
      EventLog,
      Effect.map(Effect.all([EventLog, EventReader]), ([log, read]) => ({ ...log, ...read }))
    ).pipe(Layer.provide(Layer.provideMerge(reader, writer)))
  })
)

const layers: ReadonlyArray<readonly [string, Layer.Layer<EventLog, EventLogError>]> = [
  ["memory", layerMemory],
  ["jsonl", Layer.orDie(JsonlEventLog.layerTemp)],
  [
    "jsonl, small segments and a short tail",
    Layer.orDie(JsonlEventLog.layerTempWith({ maxSegmentBytes: 4096, tailEntries: 16 }))
  ],
  ["jsonl, read by another process", Layer.orDie(readElsewhere)]
]

describe.each(layers)("EventLog: %s", (_, layer) => {
  for (const { check, name } of [...EventLogLaws, ...FollowLaws, ...LatestProgressLaws]) {
    it.effect(name, () => Effect.provide(check, layer))
  }
})
