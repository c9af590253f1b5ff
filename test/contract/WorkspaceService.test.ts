import { describe, it } from "@effect/vitest"
import { retentionLaws, WorkspaceLaws } from "@switchyard/core/testing/WorkspaceLaws"
import {
  keepAll,
  layerMemory,
  type Retention,
  removeAll,
  type WorkspaceError,
  type WorkspaceService
} from "@switchyard/core/WorkspaceService"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"

type Build = (options?: {
  readonly retention?: Partial<Retention>
}) => Layer.Layer<WorkspaceService, WorkspaceError>

const layers: ReadonlyArray<readonly [string, Build]> = [
  ["memory", layerMemory],
  ["directory", DirectoryWorkspace.layerTemp]
]

const policies: ReadonlyArray<Retention> = [
  removeAll,
  { ...keepAll, completed: "remove" },
  { ...keepAll, failed: "remove" },
  { ...keepAll, cancelled: "remove" }
]

describe.each(layers)("WorkspaceService: %s", (_, build) => {
  for (const { check, name } of WorkspaceLaws) {
    it.effect(name, () => Effect.provide(check, build()))
  }
  for (const retention of policies) {
    describe(`with ${JSON.stringify(retention)}`, () => {
      for (const { check, name } of retentionLaws(retention)) {
        it.effect(name, () => Effect.provide(check, build({ retention })))
      }
    })
  }
})
