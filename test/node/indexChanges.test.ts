import { describe, expect, it } from "@effect/vitest"
import { makeChanges } from "@switchyard/node/internal/changes"
import { sampleLog } from "./indexSamples.js"

describe("what changed since the tables were written", () => {
  it("does not keep runs that have ended", () => {
    const asked: Array<string> = []
    const changes = makeChanges({
      has: (runId) => {
        asked.push(runId)
        return asked.length > 3
      },
      done: () => new Map(),
      record: () => undefined
    })
    const log = [...sampleLog(3, 1)].flat()
    for (const entry of log) changes.note(entry)
    expect(changes.dirty().map(({ run }) => run.status)).toEqual(["Failed", "Completed", "Running"])
    const ids = changes.dirty().map(({ run }) => run.id)
    changes.written()
    expect(changes.dirty()).toEqual([])
    asked.length = 3
    // Whoever knows a run passes its second registration over, and whoever does not has to ask for it.
    for (const entry of log) if (entry.event._tag === "RunRegistered") changes.note(entry)
    expect(asked.slice(3)).toEqual(ids.slice(0, 2))
    expect(changes.dirty()).toEqual([])
  })
})
