import { describe, it } from "@effect/vitest"
import { type EventLog, type EventLogError, layerMemory } from "@switchyard/core/EventLog"
import { EventLogLaws } from "@switchyard/core/testing/EventLogLaws"
import { FollowLaws } from "@switchyard/core/testing/FollowLaws"
import { LatestProgressLaws } from "@switchyard/core/testing/LatestProgressLaws"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const layers: ReadonlyArray<readonly [string, Layer.Layer<EventLog, EventLogError>]> = [
  ["memory", layerMemory],
  ["jsonl", Layer.orDie(JsonlEventLog.layerTemp)],
  [
    "jsonl, small segments and a short tail",
    Layer.orDie(JsonlEventLog.layerTempWith({ maxSegmentBytes: 4096, tailEntries: 16 }))
  ]
]

describe.each(layers)("EventLog: %s", (_, layer) => {
  for (const { check, name } of [...EventLogLaws, ...FollowLaws, ...LatestProgressLaws]) {
    it.effect(name, () => Effect.provide(check, layer))
  }
})
