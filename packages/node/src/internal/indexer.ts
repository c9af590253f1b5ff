import { performance } from "node:perf_hooks"
import type { Entry } from "@switchyard/core/Event"
import type * as EventLog from "@switchyard/core/EventLog"
import type { Seq } from "@switchyard/core/Ids"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { async, catchAllCause } from "./compat.js"
import { reasonOf } from "./fileSystem.js"
import type { Projection } from "./projection.js"
import { isDamage } from "./schemaUpgrade.js"

/**
 * How long entries wait for others to be projected with them, when nobody waits for the index. A transaction costs about as
 * much as fifty rows, and a row that changes often is written once.
 */
const gatherMillis = 25

/** How far the tables may be behind while the host has other work to do: the projection does not compete with it until then. */
const mostMillis = 250
const mostEntries = 16_384

/** A host whose event loop was busy for a larger part of the time has other work to do. */
const busyFrom = 0.5

/** How long one batch may hold up the event loop; batches become longer and shorter so that they take about this time. */
const batchMillis = 6

/** A transaction costs as much as this many entries or more, so that shorter batches would only make everything longer. */
const fewestEntries = 32

/** How long after a write that failed the next one is tried. */
const retryMillis = 1000

/** Keeps a projection at the head of a log. */
export interface Indexer {
  /** Follows the log for as long as it runs; it never fails, because the tables can be read without it. */
  readonly run: Effect.Effect<void>
  /** Waits until the tables are complete up to a position, or until they cannot be. */
  readonly reached: (seq: Seq) => Effect.Effect<void>
  /** Brings the tables up to the head where it is near; to be called when nothing runs any more. */
  readonly finish: Effect.Effect<void>
  /** Why the tables do not follow the log at present. */
  readonly failure: () => string | undefined
}

/** Something to be done when the tables are complete up to a position, and say nothing of what comes after it. */
export interface Stop {
  readonly seq: number
  readonly act: Effect.Effect<void>
}

interface Waiter {
  readonly seq: number
  readonly resume: () => void
}

/** The time that this process has worked: what else the machine does must not make batches shorter. */
const cpuMillis = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** Lets timers, files and sockets have their turn. */
const turn = async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Waits by the clock of the machine: whoever only pretends that time passes still gets an index. */
const wait = (millis: number) =>
  async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** An indexer of a projection that nobody else writes to. */
export const makeIndexer = (
  projection: Projection,
  log: Pick<EventLog.Service, "follow" | "head" | "read">,
  filename: string,
  stop?: Stop
): Indexer => {
  let ahead = stop
  let gathered: Array<Entry> = []
  let last = projection.watermark()
  /** When the first of what is gathered came, and what the event loop had done until then. */
  let begun = { at: performance.now(), load: performance.eventLoopUtilization() }
  let size = 256
  let failure: string | undefined
  let isOver = false
  let waiting: ReadonlyArray<Waiter> = []
  let hurry: (() => void) | undefined

  const wake = (): void => {
    const reached = failure === undefined ? projection.watermark() : Number.POSITIVE_INFINITY
    const woken = waiting.filter(({ seq }) => seq <= reached)
    waiting = waiting.filter(({ seq }) => seq > reached)
    for (const { resume } of woken) resume()
  }

  const fail = (error: unknown, remedy: string): void => {
    failure = `the index ${filename} does not follow the log: ${reasonOf(error)}; ${remedy}`
    wake()
  }

  const end = (error: unknown): void => {
    isOver = true
    fail(error, "open the directory again")
  }

  const add = (entries: ReadonlyArray<Entry>): void => {
    if (gathered.length === 0) begun = { at: performance.now(), load: performance.eventLoopUtilization() }
    for (const entry of entries) gathered.push(entry)
    last = entries.at(-1)?.seq ?? last
  }

  const project = (): void => {
    const before = ahead?.seq
    const beyond = before === undefined ? -1 : gathered.findIndex(({ seq }) => seq > before)
    const length = beyond > 0 ? Math.min(size, beyond) : size
    const batch = gathered.slice(0, length)
    // Where writing fails, what the batch holds is folded nevertheless, and written with the next one.
    gathered = gathered.slice(length)
    const begunAt = cpuMillis()
    try {
      projection.project(batch)
    } catch (error) {
      if (!isDamage(error)) {
        fail(error, "it is tried again every second")
        return
      }
      projection.spoil()
      end(error)
      return
    }
    failure = undefined
    const took = cpuMillis() - begunAt
    if (batch.length === size || took > batchMillis) {
      const fitting = Math.floor((batch.length * batchMillis) / Math.max(took, 0.01))
      size = Math.max(fewestEntries, Math.min(mostEntries, 2 * size, fitting))
    }
    wake()
  }

  /** Does what is to be done at the stop, where the tables have come to it. */
  const halt: Effect.Effect<void> = Effect.suspend(() => {
    const reached = ahead
    if (reached === undefined || projection.watermark() < reached.seq) return Effect.void
    ahead = undefined
    return reached.act
  })

  const drain: Effect.Effect<void> = Effect.suspend(() => {
    if (isOver || (gathered.length === 0 && failure === undefined)) return Effect.void
    project()
    // Even after the last batch: whoever catches up goes on with the next entries at once.
    const next = failure === undefined || isOver ? turn : wait(retryMillis)
    return Effect.zipRight(Effect.zipRight(halt, next), drain)
  })

  /** Waits for others to come, but not while somebody waits for the index. */
  const gather = async<void>((resume) => {
    if (waiting.length > 0) {
      resume(Effect.void)
      return
    }
    const done = () => {
      clearTimeout(timer)
      hurry = undefined
      resume(Effect.void)
    }
    const timer = setTimeout(done, gatherMillis)
    hurry = done
    return Effect.sync(() => clearTimeout(timer))
  })

  /** Whether what is gathered has to be projected now, even if more is at hand. */
  const isUrgent = () =>
    waiting.length > 0 || gathered.length >= mostEntries || performance.now() - begun.at >= mostMillis

  /** Whether it is time to project what is gathered, or whether the host had better go on first. */
  const isTime = () =>
    performance.now() - begun.at >= gatherMillis &&
    performance.eventLoopUtilization(begun.load).utilization < busyFrom

  const take = (entries: ReadonlyArray<Entry>): Effect.Effect<void> =>
    Effect.gen(function* () {
      add(entries)
      for (;;) {
        if (isUrgent()) return yield* drain
        if (last < (yield* log.head)) return
        if (isTime()) return yield* drain
        yield* gather
      }
    })

  return {
    run: Effect.flatMap(halt, () =>
      Stream.runForEach(Stream.chunks(log.follow({ after: last as Seq })), (entries) =>
        isOver ? Effect.never : take(Chunk.toReadonlyArray(entries))
      )
    ).pipe(catchAllCause((cause) => Effect.sync(() => end(Cause.squash(cause))))),
    reached: (seq) =>
      async<void>((resume) => {
        const waiter: Waiter = { seq, resume: () => resume(Effect.void) }
        if (failure !== undefined || projection.watermark() >= seq) {
          waiter.resume()
          return
        }
        waiting = [...waiting, waiter]
        hurry?.()
        return Effect.sync(() => {
          waiting = waiting.filter((each) => each !== waiter)
        })
      }),
    finish: Effect.suspend(() => log.head).pipe(
      Effect.flatMap((head) =>
        head - last > mostEntries
          ? Effect.void
          : Stream.runForEach(Stream.chunks(log.read({ after: last as Seq })), (entries) =>
              Effect.sync(() => add(Chunk.toReadonlyArray(entries)))
            )
      ),
      Effect.andThen(
        Effect.sync(() => {
          do project()
          while (gathered.length > 0 && failure === undefined)
        })
      ),
      // What is not in the tables now is projected when they are opened again.
      catchAllCause(() => Effect.void)
    ),
    failure: () => failure
  }
}
