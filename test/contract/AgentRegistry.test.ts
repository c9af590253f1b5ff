import { describe, it } from "@effect/vitest"
import { type AgentRegistry, type AgentRejected, layerMemory } from "@switchyard/core/AgentRegistry"
import { AgentRegistryLaws } from "@switchyard/core/testing/AgentRegistryLaws"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"

const layers: ReadonlyArray<readonly [string, () => Layer.Layer<AgentRegistry, AgentRejected>]> = [
  ["memory", () => layerMemory()],
  ["the one of a plane", () => MemoryPlane.layer()]
]

describe.each(layers)("AgentRegistry: %s", (_, build) => {
  for (const { check, name } of AgentRegistryLaws) {
    it.effect(name, () => Effect.provide(check, build()))
  }
})
