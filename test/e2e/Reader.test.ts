import { readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { EventReader } from "@switchyard/core/EventLog"
import { logId } from "@switchyard/core/Ids"
import { QueryService } from "@switchyard/core/QueryService"
import { collect } from "@switchyard/core/testing/LogChecks"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import { temporaryDirectory } from "../node/temporary.js"
import { critic, scribe, words } from "./workflows.js"

it.scopedLive("a reader of a directory sees what its host does, and leaves nothing there", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const look = Effect.gen(function* () {
      const query = yield* QueryService
      const seq = yield* query.sync
      const { items } = yield* query.listRuns()
      const entries = yield* Effect.flatMap(EventReader, (log) => collect(log.read({})))
      return { seq, statuses: items.map(({ status }) => status), last: entries.at(-1)?.event._tag, entries }
    }).pipe(Effect.provide(Switchyard.layerReader({ directory })))
    yield* Effect.gen(function* () {
      const plane = yield* ControlPlane
      const run = yield* plane.registerRun({ workflow: words, params: { words: ["x", "bad", "y"] } })
      yield* run.result
      const seen = yield* look
      expect(seen).toMatchObject({ statuses: ["Completed"], last: "RunCompleted" })
      // What concerns agents is no part of a run.
      const ofRuns = seen.entries.filter((entry) => entry.runId !== logId)
      expect(ofRuns).toEqual(yield* collect(run.events))
    }).pipe(Effect.provide(Switchyard.layer({ directory, agents: [scribe, critic] })))
    const before = [...readdirSync(directory), ...readdirSync(join(directory, "log"))].sort()
    expect((yield* look).last).toBe("RunCompleted")
    expect([...readdirSync(directory), ...readdirSync(join(directory, "log"))].sort()).toEqual(before)
    const missing = yield* Effect.flip(
      Effect.provide(Effect.void, Switchyard.layerReader({ directory: join(directory, "nowhere") }))
    )
    expect(missing._tag).toBe("DirectoryUnusable")
  })
)
