import { EventReader } from "@switchyard/core/EventLog"
import type { Seq } from "@switchyard/core/Ids"
import { QueryService } from "@switchyard/core/QueryService"
import * as SqliteIndex from "@switchyard/node/SqliteIndex"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const [filename = "", head = "0"] = process.argv.slice(2)

const log = Layer.succeed(EventReader, {
  head: Effect.succeed(Number(head) as Seq),
  unfinished: Effect.succeed([]),
  read: () => Stream.empty,
  follow: () => Stream.never
})

/** One line: how far the index has come, and whether its answers agree with each other. */
const look = (query: QueryService["Type"]) =>
  Effect.gen(function* () {
    const watermark = yield* query.watermark
    let runs = 0
    let cursor: string | undefined
    do {
      const page = yield* query.listRuns(
        { tag: "all" },
        { limit: 100, ...(cursor === undefined ? {} : { cursor }) }
      )
      runs += page.items.length
      cursor = page.next
    } while (cursor !== undefined)
    const { runs: counts } = yield* query.totals
    const total = Object.values(counts).reduce((sum, each) => sum + each, 0)
    // Between two questions the host may have gone on, but never back.
    return { watermark, runs, agree: total >= runs }
  })

const program = Effect.gen(function* () {
  const query = yield* QueryService
  const say = (value: unknown) => Effect.sync(() => process.stdout.write(`${JSON.stringify(value)}\n`))
  let state = yield* look(query)
  yield* say(state)
  while (state.watermark < Number(head)) {
    yield* Effect.sleep("3 millis")
    const next = yield* look(query)
    if (next.watermark !== state.watermark) yield* say(next)
    state = next
  }
  const synced = yield* query.sync
  yield* say({ ...(yield* look(query)), synced })
})

await Effect.runPromise(Effect.provide(program, Layer.provide(SqliteIndex.layerReader({ filename }), log)))
