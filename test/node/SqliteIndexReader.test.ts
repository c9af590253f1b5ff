import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { EventLog, EventReader } from "@switchyard/core/EventLog"
import type { Seq } from "@switchyard/core/Ids"
import { QueryService, type Service } from "@switchyard/core/QueryService"
import { AgentQueryLaws } from "@switchyard/core/testing/AgentQueryLaws"
import type { Plane } from "@switchyard/core/testing/ControlPlaneLaws"
import { FamilyQueryLaws } from "@switchyard/core/testing/FamilyQueryLaws"
import { QueryLaws } from "@switchyard/core/testing/QueryLaws"
import { WaitingQueryLaws } from "@switchyard/core/testing/WaitingQueryLaws"
import { openProjection } from "@switchyard/node/internal/projection"
import { schemaVersion } from "@switchyard/node/internal/tables"
import * as SqliteIndex from "@switchyard/node/SqliteIndex"
import * as Switchyard from "@switchyard/node/Switchyard"
import Database from "better-sqlite3"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { critic, scribe, words } from "../e2e/workflows.js"
import { sampleLog } from "./indexSamples.js"
import { copyOf, discard } from "./indexTables.js"
import { temporaryDirectory } from "./temporary.js"

const entriesOf = (runs: number) => [...sampleLog(runs)].flat()

/** A log of another process, of which only its head matters here. */
const logWith = (head: number) =>
  Layer.succeed(EventReader, {
    head: Effect.sync(() => head as Seq),
    unfinished: Effect.succeed([]),
    read: () => Stream.empty,
    follow: () => Stream.never
  })

const reading = <A, E>(
  filename: string,
  use: (query: Service) => Effect.Effect<A, E>,
  head = 0,
  patience = "200 millis" as const
) =>
  Effect.provide(
    Effect.flatMap(QueryService, use),
    Layer.provide(SqliteIndex.layerReader({ filename, patience }), logWith(head))
  )

const makeIndex = (filename: string, runs = 30): void => {
  const projection = openProjection(filename)
  projection.project(entriesOf(runs))
  projection.close()
}

const bytesOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    fs.readdirSync(directory).map((name) => [name, fs.readFileSync(path.join(directory, name), "base64")])
  )

const indexIn = Effect.map(temporaryDirectory, (directory) => path.join(directory, "index.sqlite"))

const failing = (query: Service) =>
  Effect.map(Effect.flip(query.listRuns()), ({ message, problem }) => ({ message, problem }))

describe("a reader of an index that no host has open", () => {
  it.scopedLive("answers, and creates and changes nothing", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      makeIndex(filename)
      const before = bytesOf(path.dirname(filename))
      expect(Object.keys(before)).toEqual(["index.sqlite"])
      yield* reading(filename, (query) =>
        Effect.gen(function* () {
          const { items } = yield* query.listRuns({ tag: "all" }, { limit: 1000 })
          expect(items.length).toBe(30)
          expect((yield* query.getSteps(items[5]?.runId ?? "")).length).toBe(1)
          expect((yield* query.totals).runs.Running).toBe(10)
          expect(Object.keys(bytesOf(path.dirname(filename)))).toEqual(["index.sqlite"])
        })
      )
      expect(bytesOf(path.dirname(filename))).toEqual(before)
    })
  )

  it.scopedLive("says that there is none, makes none, and finds it when it is there", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      yield* reading(filename, (query) =>
        Effect.gen(function* () {
          const { message, problem } = yield* failing(query)
          expect(problem).toBe("missing")
          expect(message).toContain(filename)
          expect(message).toContain("open its directory with a host")
          expect(fs.readdirSync(path.dirname(filename))).toEqual([])
          makeIndex(filename)
          expect((yield* query.listRuns()).items.length).toBe(30)
          discard(filename)
          expect((yield* failing(query)).problem).toBe("missing")
          makeIndex(filename, 40)
          expect((yield* query.listRuns()).items.length).toBe(40)
        })
      )
      fs.writeFileSync(filename, "")
      discard(filename)
      expect((yield* reading(path.join(filename, "no", "directory"), failing)).problem).toBe("missing")
    })
  )

  it.scopedLive(
    "says what to do about one of another version, of a file that is empty, and of a damaged one",
    () =>
      Effect.gen(function* () {
        const filename = yield* indexIn
        makeIndex(filename)
        const setVersion = (version: number) => {
          const database = new Database(filename)
          database.pragma(`user_version = ${version}`)
          database.close()
        }
        setVersion(1)
        const older = yield* reading(filename, failing)
        expect(older.problem).toBe("version")
        expect(older.message).toContain("open its directory with a host of this version")
        setVersion(99)
        const newer = yield* reading(filename, failing)
        expect(newer.problem).toBe("version")
        expect(newer.message).toContain("is of version 99")
        const bytes = fs.readFileSync(filename)
        fs.writeFileSync(filename, "")
        expect((yield* reading(filename, failing)).problem).toBe("missing")
        for (const damaged of [Buffer.from("no database ".repeat(1000)), bytes.fill(0xa5, 4096)]) {
          fs.writeFileSync(filename, damaged)
          setVersionBytes(filename)
          const found = yield* reading(filename, failing)
          expect(found.problem).toBe("damaged")
          expect(found.message).toContain("delete the file and open the directory again")
          expect(fs.readFileSync(filename).length).toBe(damaged.length)
        }
      })
  )

  it.scopedLive("says that another program holds it, and answers when that is over", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      makeIndex(filename)
      const holder = new Database(filename)
      holder.exec("BEGIN EXCLUSIVE")
      yield* reading(filename, (query) =>
        Effect.gen(function* () {
          const { message, problem } = yield* failing(query)
          expect(problem).toBe("locked")
          expect(message).toContain("try again")
          holder.exec("COMMIT")
          holder.close()
          expect((yield* query.listRuns()).items.length).toBe(30)
        })
      )
    })
  )

  it.scopedLive("answers from what a crashed host left", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      const projection = openProjection(filename)
      projection.project(entriesOf(30))
      const left = `${filename}-left.sqlite`
      copyOf(filename, left)
      projection.close()
      const { length } = entriesOf(30)
      expect(yield* reading(left, ({ watermark }) => watermark)).toBe(length)
      expect((yield* reading(left, (query) => query.listRuns())).items.length).toBe(30)
    })
  )

  it.scopedLive("says that nobody brings it up where it is behind the log", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      makeIndex(filename)
      const head = entriesOf(30).length
      expect(yield* reading(filename, (query) => query.sync, head)).toBe(head)
      const error = yield* reading(filename, (query) => Effect.flip(query.sync), head + 1)
      expect(error.problem).toBe("behind")
      expect(error.message).toContain(`has come to entry ${head} and the log to ${head + 1}`)
    })
  )
})

/** Sets the version in the header of a file that may be no database. */
const setVersionBytes = (filename: string): void => {
  const file = fs.openSync(filename, "r+")
  fs.writeSync(file, Buffer.from([0, 0, 0, schemaVersion]), 0, 4, 60)
  fs.closeSync(file)
}

const reader = fileURLToPath(new URL("programs/indexReader.ts", import.meta.url))

describe("a reader of an index that a host writes", () => {
  it.scopedLive("sees in another process what the host has recorded, while it records more", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      const log = entriesOf(400)
      const projection = yield* Effect.acquireRelease(
        Effect.sync(() => openProjection(filename)),
        (opened) => Effect.sync(() => opened.close())
      )
      projection.project(log.slice(0, 500))
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, ["--import", "tsx", reader, filename, String(log.length)], {
            stdio: ["ignore", "pipe", "inherit"]
          })
        ),
        (process) => Effect.sync(() => process.kill())
      )
      const lines = yield* Effect.async<ReadonlyArray<string>>((resume) => {
        let text = ""
        let position = 500
        child.stdout.on("data", (data: Buffer) => {
          text += data.toString()
          // Once it has seen the first state, the host goes on beside it.
          if (position > 500 || !text.includes("\n")) return
          const timer = setInterval(() => {
            projection.project(log.slice(position, position + 50))
            position += 50
            if (position >= log.length) clearInterval(timer)
          }, 2)
        })
        child.on("close", () => resume(Effect.succeed(text.trim().split("\n"))))
      })
      const states = lines.map((line) => JSON.parse(line))
      expect(states[0]).toMatchObject({ watermark: 500, agree: true })
      expect(states.at(-1)).toEqual({ watermark: log.length, runs: 400, agree: true, synced: log.length })
      for (const { agree } of states) expect(agree).toBe(true)
      expect(states.length).toBeGreaterThan(3)
    })
  )

  it.scopedLive("goes on when the host comes, goes, and builds the index anew", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const filename = path.join(directory, "index.sqlite")
      const host = Effect.gen(function* () {
        const plane = yield* ControlPlane
        const run = yield* plane.registerRun({ workflow: words, params: { words: ["a", "b"] } })
        yield* run.result
        yield* Effect.flatMap(QueryService, ({ sync }) => sync)
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents: [scribe, critic] })))
      yield* reading(filename, (query) =>
        Effect.gen(function* () {
          const count = Effect.map(query.listRuns(), ({ items }) => items.length)
          yield* host
          expect(yield* count).toBe(1)
          yield* host
          expect(yield* count).toBe(2)
          const spoiler = new Database(filename)
          spoiler.pragma("user_version = 77")
          spoiler.close()
          yield* host
          expect(yield* count).toBe(3)
          discard(filename)
          yield* host
          expect(yield* count).toBe(4)
          expect((yield* query.totals).runs.Completed).toBe(4)
        })
      )
    })
  )
})

/** The read side of another process beside a host, on the log that the host writes. */
const beside = (): Layer.Layer<Plane, unknown> =>
  Layer.unwrapScoped(
    Effect.map(temporaryDirectory, (directory) => {
      const filename = path.join(directory, "index.sqlite")
      const logReader = Layer.effect(EventReader, EventLog)
      const query = SqliteIndex.layerReader({ filename }).pipe(Layer.provide(logReader))
      const host = Switchyard.layer({ directory })
      return Layer.map(Layer.provideMerge(query, host), (context) => context as Context.Context<Plane>)
    })
  )

describe("QueryService: a reader beside a host", () => {
  for (const { check, name } of [...QueryLaws, ...FamilyQueryLaws, ...WaitingQueryLaws, ...AgentQueryLaws]) {
    it.live(name, () => Effect.provide(check, beside()))
  }
})
