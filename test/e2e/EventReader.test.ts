import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { EventReader } from "@switchyard/core/EventLog"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as JsonlEventReader from "@switchyard/node/JsonlEventReader"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { temporaryDirectory } from "../node/temporary.js"
import { start } from "./process.js"

const pause = (millis: number) => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, millis)))

describe("following from another process", () => {
  it.scopedLive(
    "gives exactly what is in the log, in order, although the host is killed and started again",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryDirectory
        const directory = path.join(root, "log")
        fs.mkdirSync(directory)
        const seenIn = (name: string) =>
          fs
            .readFileSync(path.join(root, name), "utf8")
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line))
        const follow = (name: string) =>
          start("test/e2e/programs/logReader.ts", [directory, path.join(root, name)])

        const early = follow("early")
        yield* Effect.promise(() => early.prints("ready"))
        let late: ReturnType<typeof start> | undefined
        for (let kill = 0; kill < 4; kill++) {
          const writer = start("test/e2e/programs/logWriter.ts", [directory])
          yield* Effect.promise(() => writer.prints("ready"))
          yield* pause(300 + 137 * kill)
          writer.child.kill("SIGKILL")
          expect((yield* Effect.promise(() => writer.ended)).signal).toBe("SIGKILL")
          // A reader that comes in the middle, and reads while there is no writer.
          if (kill === 1) late = follow("late")
        }
        const last = start("test/e2e/programs/logWriter.ts", [directory, "200"])
        expect((yield* Effect.promise(() => last.ended)).code).toBe(0)
        for (const reader of [early, late]) {
          if (reader === undefined) continue
          const { code, stderr } = yield* Effect.promise(() => reader.ended)
          expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
        }

        const all = Chunk.toReadonlyArray(
          yield* Effect.flatMap(EventReader, (log) => Stream.runCollect(log.read({}))).pipe(
            Effect.provide(JsonlEventReader.layer({ directory }))
          )
        )
        const { entries, segments } = yield* JsonlEventLog.verify(directory)
        expect(all.length).toBe(entries)
        expect(segments).toBeGreaterThan(5)
        expect(
          new Set(all.map(({ event }) => ("reason" in event ? event.reason?.split(" ")[0] : ""))).size
        ).toBe(7)
        expect(all.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: all.length }, (_, i) => i + 1))
        expect(seenIn("early")).toEqual(all)
        expect(seenIn("late")).toEqual(all)
      }),
    90_000
  )
})
