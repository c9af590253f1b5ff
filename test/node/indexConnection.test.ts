import * as fs from "node:fs"
import * as path from "node:path"
import * as Reactivity from "@effect/experimental/Reactivity"
import { SafeIntegers } from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { describe, expect, it } from "@effect/vitest"
import { type Answer, type Ask, connect } from "@switchyard/node/internal/indexConnection"
import { makeQueries } from "@switchyard/node/internal/indexQueries"
import { openProjection } from "@switchyard/node/internal/projection"
import Database from "better-sqlite3"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { sampleLog } from "./indexSamples.js"
import { discard } from "./indexTables.js"
import { temporaryDirectory } from "./temporary.js"

const log = [...sampleLog(60)].flat()

const indexIn = Effect.map(temporaryDirectory, (directory) => path.join(directory, "index.sqlite"))

/** The writer of an index that has the first half of the log. */
const writing = (filename: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const projection = openProjection(filename)
      projection.project(log.slice(0, 300))
      return projection
    }),
    (projection) => Effect.sync(() => projection.close())
  )

const watermark = (ask: Ask) =>
  Effect.map(
    ask("SELECT value FROM meta WHERE key = 'watermark'", [], ({ value }) => value),
    ([value]) => value
  )

/** How often this process has a file open. */
const descriptorsOf = (filename: string): number =>
  fs.readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(filename)
    } catch {
      // The descriptor by which the directory was read is gone.
      return false
    }
  }).length

const problemOf = (answer: Answer) => Effect.map(Effect.flip(answer(watermark)), ({ problem }) => problem)

describe("a connection to an index", () => {
  it.scopedLive("answers a question from one state, however much is written meanwhile", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      const projection = yield* writing(filename)
      const answer = yield* connect(filename)
      const seen = yield* answer((ask) =>
        Effect.gen(function* () {
          const before = yield* watermark(ask)
          projection.project(log.slice(300))
          yield* Effect.sleep("5 millis")
          return [before, yield* watermark(ask)]
        })
      )
      expect(seen).toEqual([300, 300])
      expect(yield* answer(watermark)).toBe(log.length)
    })
  )

  it.scopedLive("answers many at once, and others when one is interrupted", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      const projection = yield* writing(filename)
      const answer = yield* connect(filename)
      const begun = yield* Deferred.make<void>()
      const stuck = yield* Effect.forkScoped(
        answer((ask) =>
          watermark(ask).pipe(
            Effect.zipRight(Deferred.succeed(begun, undefined)),
            Effect.zipRight(Effect.never)
          )
        )
      )
      yield* Deferred.await(begun)
      const waiting = yield* Effect.forkScoped(
        Effect.forEach(Array.from({ length: 50 }), () => answer(watermark), { concurrency: "unbounded" })
      )
      yield* Effect.sleep("5 millis")
      projection.project(log.slice(300))
      yield* Fiber.interrupt(stuck)
      expect(new Set(yield* Fiber.join(waiting))).toEqual(new Set([log.length]))
    })
  )

  it.scopedLive("is no part of what the asker does with connections of his own", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      yield* writing(filename)
      const query = makeQueries(yield* connect(filename))
      const own = yield* Effect.provide(
        SqliteClient.make({ filename: path.join(path.dirname(filename), "own.sqlite") }),
        Reactivity.layer
      )
      const expected = yield* query.listRuns()
      const inside = yield* own.withTransaction(Effect.provideService(query.listRuns(), SafeIntegers, true))
      expect(expected.items.length).toBe(30)
      expect(inside).toEqual(expected)
    })
  )

  it.scopedLive("waits but a moment for a program that holds the file", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      openProjection(filename).close()
      const holder = new Database(filename)
      holder.exec("BEGIN EXCLUSIVE")
      const started = performance.now()
      expect(yield* problemOf(yield* connect(filename))).toBe("locked")
      const waited = performance.now() - started
      expect(waited).toBeGreaterThan(200)
      expect(waited).toBeLessThan(2_500)
      holder.close()
    })
  )

  it.scopedLive("fails where the file cannot be opened, and where a row cannot be read", () =>
    Effect.gen(function* () {
      const filename = yield* indexIn
      fs.mkdirSync(filename)
      const answer = yield* connect(filename)
      expect(yield* problemOf(answer)).toBe("failed")
      fs.rmdirSync(filename)
      const projection = yield* writing(filename)
      const query = makeQueries(answer)
      expect((yield* query.listRuns()).items.length).toBe(30)
      const spoiler = new Database(filename)
      spoiler.exec("UPDATE runs SET tags = 'no JSON'")
      spoiler.close()
      expect((yield* Effect.flip(query.listRuns())).problem).toBe("failed")
      expect(yield* query.watermark).toBe(projection.watermark())
    })
  )

  it.runIf(process.platform === "linux")(
    "has the file open once, and not when it is closed or replaced",
    () =>
      Effect.gen(function* () {
        const filename = yield* indexIn
        openProjection(filename).close()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const answer = yield* connect(filename)
            expect(descriptorsOf(filename)).toBe(0)
            for (let n = 0; n < 5; n++) {
              yield* answer(watermark)
              expect(descriptorsOf(filename)).toBe(1)
              discard(filename)
              expect(yield* problemOf(answer)).toBe("missing")
              expect(descriptorsOf(filename)).toBe(0)
              openProjection(filename).close()
              yield* answer(watermark)
              const other = `${filename}.other`
              openProjection(other).close()
              fs.renameSync(other, filename)
            }
            fs.writeFileSync(filename, "no database ".repeat(1000))
            expect(yield* problemOf(answer)).toBe("damaged")
            expect(descriptorsOf(filename)).toBe(0)
            discard(filename)
            openProjection(filename).close()
            yield* answer(watermark)
          })
        )
        expect(descriptorsOf(filename)).toBe(0)
      }).pipe(Effect.scoped, Effect.runPromise)
  )
})
