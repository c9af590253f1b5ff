import { describe, it } from "@effect/vitest"
import { type AgentRegistry, type AgentRejected, layer, layerMemory } from "@switchyard/core/AgentRegistry"
import * as EventLog from "@switchyard/core/EventLog"
import { AgentHealthLaws } from "@switchyard/core/testing/AgentHealthLaws"
import { AgentRegistryLaws } from "@switchyard/core/testing/AgentRegistryLaws"
import { KeptRegistryLaws } from "@switchyard/core/testing/KeptRegistryLaws"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import { SelectionLaws } from "@switchyard/core/testing/SelectionLaws"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const jsonl = Layer.orDie(JsonlEventLog.layerTemp)

const layers: ReadonlyArray<
  readonly [string, () => Layer.Layer<AgentRegistry, AgentRejected | EventLog.EventLogError>]
> = [
  ["memory", () => layerMemory()],
  ["the one of a plane", () => MemoryPlane.layer()],
  ["over the log in memory", () => Layer.provide(layer(), EventLog.layerMemory)],
  ["over the JSONL log", () => Layer.provide(layer(), jsonl)]
]

describe.each(layers)("AgentRegistry: %s", (_, build) => {
  for (const { check, name } of [...AgentRegistryLaws, ...SelectionLaws, ...AgentHealthLaws]) {
    it.effect(name, () => Effect.provide(check, build()))
  }
})

const logs = [
  ["memory", EventLog.layerMemory],
  ["JSONL", jsonl]
] as const

describe.each(logs)("AgentRegistry, kept in a log: %s", (_, log) => {
  for (const { check, name } of KeptRegistryLaws) {
    it.effect(name, () => Effect.provide(check, log))
  }
})
