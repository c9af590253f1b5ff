import { EventEmitter } from "node:events"
import * as path from "node:path"
import type { Entry } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import { RunId } from "@switchyard/core/Ids"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { measure, median, type Row } from "./Measure.js"

/** What a follower does with an event; events are numbered from 1 by the order in which they are sent. */
type Handler = (follower: number, seq: number) => void

/** Something that hands every event to every follower. */
interface Fan {
  /** Sends events as fast as they are taken, 16 at a time; done when they are durable, or handed over where nothing is. */
  readonly send: (count: number) => Promise<void>
  /** Sends one event, and calls back with its number when it is durable. */
  readonly sendOne: (durable: (seq: number) => void) => void
  readonly close: () => Promise<void>
}

interface Kind {
  readonly name: string
  readonly does: string
  readonly open: (followers: number, stalled: number, handle: Handler) => Promise<Fan>
}

const batch = 16
const runId = RunId.make("run")
const event = { _tag: "StepSkipped", stepId: "step", reason: "a line of some length, as an event has it" }
const sixteen = Array.from({ length: batch }, () => event as never)

/** A chunk at a time, which every kind does alike, so that what is compared is how the events get there. */
const handleAll = (handle: Handler, follower: number, events: Iterable<{ readonly seq: number }>) =>
  Effect.sync(() => {
    for (const { seq } of events) handle(follower, seq)
  })

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

const logKind = (
  name: string,
  does: string,
  producers: number,
  layer: () => Layer.Layer<EventLog.EventLog, unknown>
): Kind => ({
  name,
  does,
  open: async (followers, stalled, handle) => {
    const runtime = ManagedRuntime.make(layer())
    const log = await runtime.runPromise(EventLog.EventLog)
    const consume = (entries: Stream.Stream<Entry, unknown>, follower: number) =>
      Stream.runForEachChunk(entries, (chunk: Chunk.Chunk<Entry>) => handleAll(handle, follower, chunk))
    const fibers = [
      ...numbers(followers).map((follower) => runtime.runFork(consume(log.follow({}), follower))),
      ...numbers(stalled).map(() => runtime.runFork(Stream.runForEach(log.follow({}), () => Effect.never)))
    ]
    const some = log.append(runId, sixteen)
    const one = log.append(runId, [event as never])
    return {
      send: (count) =>
        runtime.runPromise(
          Effect.forEach(
            numbers(producers),
            () => Effect.repeatN(some, Math.ceil(count / batch / producers) - 1),
            { concurrency: "unbounded", discard: true }
          )
        ),
      sendOne: (durable) => {
        runtime.runFork(Effect.map(one, ([entry]) => durable(entry?.seq ?? 0)))
      },
      close: async () => {
        await Effect.runPromise(Fiber.interruptAll(fibers))
        await runtime.dispose()
      }
    }
  }
})

const pubSubKind = (
  name: string,
  does: string,
  consume: (
    hub: PubSub.PubSub<{ readonly seq: number }>,
    handle: Handler,
    follower: number
  ) => Effect.Effect<unknown, never, Scope.Scope>
): Kind => ({
  name,
  does,
  open: async (followers, _stalled, handle) => {
    const scope = await Effect.runPromise(Scope.make())
    const hub = await Effect.runPromise(PubSub.bounded<{ readonly seq: number }>(4096))
    for (const follower of numbers(followers)) {
      await Effect.runPromise(Scope.extend(consume(hub, handle, follower), scope))
    }
    let last = 0
    return {
      send: (count) =>
        Effect.runPromise(
          Effect.repeatN(
            Effect.andThen(
              Effect.suspend(() =>
                PubSub.publishAll(
                  hub,
                  numbers(batch).map(() => ({ seq: ++last }))
                )
              ),
              Effect.yieldNow()
            ),
            count / batch - 1
          )
        ),
      sendOne: (durable) => {
        durable(++last)
        Effect.runFork(PubSub.publish(hub, { seq: last }))
      },
      close: () => Effect.runPromise(Scope.close(scope, Effect.runSync(Effect.exit(Effect.void))))
    }
  }
})

const emitter: Kind = {
  name: "EventEmitter",
  does: "calls each handler in the producer's turn; nothing is kept, a slow handler stops everybody",
  open: async (followers, _stalled, handle) => {
    const hub = new EventEmitter()
    hub.setMaxListeners(0)
    for (const follower of numbers(followers)) hub.on("event", ({ seq }) => handle(follower, seq))
    let last = 0
    return {
      send: async (count) => {
        for (let n = 0; n < count; n++) hub.emit("event", { seq: ++last })
      },
      sendOne: (durable) => {
        durable(++last)
        hub.emit("event", { seq: last })
      },
      close: async () => {}
    }
  }
}

const fromPubSub = pubSubKind(
  "Stream.fromPubSub",
  "runForEachChunk; a queue each of 4,096, a full one stops the producer",
  (hub, handle, follower) =>
    Effect.flatMap(Stream.fromPubSub(hub, { scoped: true }), (events) =>
      Effect.forkScoped(Stream.runForEachChunk(events, (chunk) => handleAll(handle, follower, chunk)))
    )
)

const pubSub = pubSubKind(
  "PubSub, takeBetween",
  "takeBetween(1, 1024) in a loop; a queue each of 4,096, a full one stops the producer",
  (hub, handle, follower) =>
    Effect.flatMap(PubSub.subscribe(hub), (queue) =>
      Effect.forkScoped(
        Effect.forever(
          Effect.flatMap(Queue.takeBetween(queue, 1, 1024), (chunk) => handleAll(handle, follower, chunk))
        )
      )
    )
)

const memory = logKind(
  "EventLog.follow in memory",
  "runForEachChunk; every event is kept, nobody is waited for",
  1,
  () => EventLog.layerMemory
)

const onDisk = (directory: () => string): Kind =>
  logKind(
    "EventLog.follow on disk",
    "runForEachChunk; every event is durable first: one write and one fdatasync a group",
    64,
    () => JsonlEventLog.layer({ directory: directory() })
  )

/** Counts what followers get, and says when each of them has got so many. */
const counting = () => {
  let expected = 0
  let got = 0
  let done = () => {}
  return {
    handle: (() => {
      got++
      if (got === expected) done()
    }) satisfies Handler as Handler,
    expect: (count: number): Promise<void> =>
      new Promise((resolve) => {
        expected = got + count
        done = resolve
      })
  }
}

const throughput = async (
  kinds: ReadonlyArray<Kind>,
  followers: number,
  events: number,
  repeats: number
): Promise<ReadonlyArray<Row>> => {
  const fans: Array<Fan> = []
  const subjects = []
  for (const { does, name, open } of kinds) {
    const counter = counting()
    const fan = await open(followers, 0, counter.handle)
    fans.push(fan)
    subjects.push({
      name,
      does,
      operations: events,
      run: async () => {
        const all = counter.expect(events * followers)
        await fan.send(events)
        await all
      }
    })
  }
  const rows = await measure("fan-out", `as fast as it goes, to ${followers}`, subjects, repeats)
  for (const fan of fans) await fan.close()
  return rows
}

/** Latencies in hundredths of a millisecond up to a second, so that noting one costs little and makes no garbage. */
const histogram = () => {
  const counts = new Uint32Array(100_000)
  let total = 0
  return {
    note: (millis: number) => {
      const place = Math.min(counts.length - 1, Math.max(0, Math.floor(millis * 100)))
      counts[place] = (counts[place] ?? 0) + 1
      total++
    },
    quantile: (part: number): number => {
      let seen = 0
      const index = counts.findIndex((count) => {
        seen += count
        return seen > total * part
      })
      return (index + 1) / 100
    }
  }
}

/** Calls so many times a second, evenly, and gives what it really was. */
const paced = (perSecond: number, count: number, call: () => void): Promise<number> =>
  new Promise((resolve) => {
    const begin = performance.now()
    let called = 0
    const turn = () => {
      const due = Math.min(count, Math.floor(((performance.now() - begin) * perSecond) / 1000) + 1)
      for (; called < due; called++) call()
      if (called < count) setImmediate(turn)
      else resolve((count / (performance.now() - begin)) * 1000)
    }
    turn()
  })

const rate = 10_000

interface Round {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** From durable to handler at 10,000 events a second; of many followers every tenth is looked at. */
const latencies = async (kind: Kind, followers: number, events: number, repeats: number) => {
  const durableAt = new Float64Array((events + 1) * (repeats + 2))
  const every = followers > 100 ? 10 : 1
  const counter = counting()
  let noted = histogram()
  const fan = await kind.open(followers, 0, (follower, seq) => {
    if (follower % every === 0) noted.note(performance.now() - (durableAt[seq] ?? 0))
    counter.handle(follower, seq)
  })
  return {
    round: async (): Promise<Round> => {
      noted = histogram()
      const all = counter.expect(events * followers)
      const perSecond = await paced(rate, events, () =>
        fan.sendOne((seq) => {
          durableAt[seq] = performance.now()
        })
      )
      await all
      return { perSecond, p50: noted.quantile(0.5), p99: noted.quantile(0.99) }
    },
    close: fan.close
  }
}

/** How long an append takes at 10,000 a second, with followers and without. */
const acknowledgements = async (kind: Kind, followers: number, stalled: number, events: number) => {
  const fan = await kind.open(followers, stalled, () => {})
  return {
    round: async (): Promise<Round> => {
      const noted = histogram()
      let waiting = events
      let done = () => {}
      const all = new Promise<void>((resolve) => {
        done = resolve
      })
      const perSecond = await paced(rate, events, () => {
        const begin = performance.now()
        fan.sendOne(() => {
          noted.note(performance.now() - begin)
          if (--waiting === 0) done()
        })
      })
      await all
      return { perSecond, p50: noted.quantile(0.5), p99: noted.quantile(0.99) }
    },
    close: fan.close
  }
}

interface Timed {
  readonly name: string
  readonly does: string
  readonly round: () => Promise<Round>
  readonly close: () => Promise<void>
}

/** The medians of several rounds, taken in turn after one that does not count; the ratio is that of the 99th percentiles. */
const timed = async (group: string, subjects: ReadonlyArray<Timed>, repeats: number) => {
  for (const { round } of subjects) await round()
  const rounds: Array<ReadonlyArray<Round>> = []
  for (let n = 0; n < repeats; n++) {
    const taken: Array<Round> = []
    for (const { round } of subjects) {
      globalThis.gc?.()
      taken.push(await round())
    }
    rounds.push(taken)
  }
  for (const { close } of subjects) await close()
  return subjects.map(({ does, name }, index): Row => {
    const of = (value: (round: Round, first: Round) => number) =>
      median(
        rounds.map((taken) => {
          const [first] = taken
          const round = taken[index]
          return first === undefined || round === undefined ? Number.NaN : value(round, first)
        })
      )
    const perSecond = of((round) => round.perSecond)
    return {
      suite: "fan-out",
      group,
      name,
      does,
      perSecond,
      microsPerOperation: 1e6 / perSecond,
      ratio: of((round, first) => round.p99 / first.p99),
      p50Millis: of((round) => round.p50),
      p99Millis: of((round) => round.p99)
    }
  })
}

/**
 * Events handed to 1, 10, 100 and 1,000 followers, beside what else a program can hand them out with: as fast as it goes,
 * then the time from durable to handler at 10,000 a second, then what followers cost those who append.
 */
export const fanOutSuite = async (directory: string, repeats: number): Promise<ReadonlyArray<Row>> => {
  let opened = 0
  const disk = onDisk(() => path.join(directory, `fan-out-${++opened}`))
  const rows: Array<Row> = []
  for (const [followers, events] of [
    [1, 65_536],
    [10, 32_768],
    [100, 8_192],
    [1000, 2_048]
  ] as const) {
    rows.push(...(await throughput([fromPubSub, pubSub, emitter, memory, disk], followers, events, repeats)))
  }
  for (const followers of [1, 10, 100, 1000]) {
    const subjects: Array<Timed> = []
    for (const kind of [fromPubSub, pubSub, emitter, memory, disk]) {
      subjects.push({ ...kind, ...(await latencies(kind, followers, rate, repeats)) })
    }
    rows.push(...(await timed(`10,000 a second, to ${followers}, until handled`, subjects, repeats)))
  }
  const audiences = [
    ["no followers", 0, 0],
    ["1,000 followers, 500 of them stalled", 500, 500],
    ["1,000 followers, all of them stalled", 0, 1000]
  ] as const
  const waited: Array<Timed> = []
  const subjects = []
  const fans: Array<Fan> = []
  for (const [name, followers, stalled] of audiences) {
    const does = "append on disk, acknowledged when it is durable"
    waited.push({ name, does, ...(await acknowledgements(disk, followers, stalled, rate)) })
    const fan = await disk.open(followers, stalled, () => {})
    fans.push(fan)
    const events = 65_536
    subjects.push({ name, does, operations: events, run: () => fan.send(events) })
  }
  rows.push(...(await timed("10,000 a second, until acknowledged", waited, repeats)))
  rows.push(...(await measure("fan-out", "64 producers, 16 at a time", subjects, repeats)))
  for (const fan of fans) await fan.close()
  return rows
}
