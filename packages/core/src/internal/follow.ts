import * as Channel from "effect/Channel"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Entry } from "../Event.js"
import type { RunId, Seq } from "../Ids.js"
import type { Bell, Waiter } from "./bell.js"
import { async, chunkOf } from "./compat.js"
import { makeLatest } from "./latest.js"

/** What is followed: the entries that are durable, and the bell that tells of more. */
export interface Source<E> {
  readonly head: () => Seq
  readonly readAfter: (
    after: Seq,
    runs: ReadonlySet<RunId> | undefined
  ) => Effect.Effect<{ readonly entries: ReadonlyArray<Entry>; readonly through: Seq }, E>
  readonly bell: Bell
}

/** A batch as followers share it. */
interface Shared {
  readonly chunk: Chunk.Chunk<Entry>
  readonly through: Seq
}

/** How many batches are kept for followers that come to the same position. */
const sharedBatches = 8

/** From how many entries on a batch is worth giving although the log has gone on, and others have their turn after it. */
const largeBatch = 512

/** How many entries may wait for a follower that asks for the latest progress, beside those of one batch. */
const mostWaiting = 4096

/** How many of them are given at once: what was given is not replaced any more, however long it takes to be handled. */
const latestAtOnce = 16

/** The batches that were read last, by the position that they follow. */
const makeShared = (bell: Bell) => {
  const batches = new Map<Seq, Shared>()
  let era = bell.era()
  return {
    get: (position: Seq) => {
      if (era !== bell.era()) {
        batches.clear()
        era = bell.era()
      }
      return batches.get(position)
    },
    keep: (position: Seq, batch: Shared, readIn: number): void => {
      if (readIn !== bell.era()) return
      batches.delete(position)
      batches.set(position, batch)
      for (const oldest of batches.keys()) {
        if (batches.size <= sharedBatches) return
        batches.delete(oldest)
      }
    }
  }
}

/** Following a source: everything, or of the progress that waits the latest of each item only. Never ends. */
export const makeFollow = <E>(source: Source<E>) => {
  const { bell, head, readAfter } = source
  const shared = makeShared(bell)

  const entriesFor = (waiter: Waiter, progress: "all" | "latest") => {
    let busy = false

    const advance = ({ chunk, through }: Shared): Chunk.Chunk<Entry> => {
      busy = through - waiter.position >= largeBatch
      waiter.position = through
      return chunk
    }

    const read: Effect.Effect<Chunk.Chunk<Entry>, E> = Effect.suspend(() => {
      const { position, runs } = waiter
      // Whoever follows everything from one position is given one and the same batch, which is read once.
      const known = runs === undefined ? shared.get(position) : undefined
      if (known !== undefined && (known.through >= head() || known.chunk.length >= largeBatch)) {
        return Effect.succeed(advance(known))
      }
      const era = bell.era()
      return Effect.map(readAfter(position, runs), ({ entries, through }) => {
        const batch = { chunk: chunkOf(entries), through }
        if (runs === undefined) shared.keep(position, batch, era)
        return advance(batch)
      })
    })

    const arrival = <A>(then: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      async((resume) => {
        const arrive = () => resume(then)
        if (busy) {
          busy = false
          bell.turn(arrive)
        } else if (waiter.position < head()) {
          // It came since the follower looked, for a fiber can give way in between.
          arrive()
        } else {
          waiter.wake = arrive
          bell.add(waiter)
        }
      })

    const takeAll: Effect.Effect<Chunk.Chunk<Entry>, E> = Effect.suspend(() =>
      busy || waiter.position >= head()
        ? arrival(takeAll)
        : Effect.flatMap(read, (chunk) => (chunk.length === 0 ? takeAll : Effect.succeed(chunk)))
    )

    const latest = makeLatest()
    /** Reads on up to a position before anything is given, so that the progress given is the latest. */
    const takeLatest = (until: Seq): Effect.Effect<Chunk.Chunk<Entry>, E> =>
      Effect.suspend(() => {
        if (latest.size() < mostWaiting && waiter.position < until) {
          return busy
            ? arrival(takeLatest(until))
            : Effect.flatMap(read, (chunk) => {
                latest.add(chunk)
                return takeLatest(until)
              })
        }
        return latest.size() > 0
          ? Effect.succeed(chunkOf(latest.take(latestAtOnce)))
          : arrival(Effect.suspend(() => takeLatest(head())))
      })

    const take = progress === "all" ? takeAll : Effect.suspend(() => takeLatest(head()))
    // The constructors of Stream for the same pass each batch through more hands, which doubles what a wake costs.
    const loop: Channel.Channel<Chunk.Chunk<Entry>, unknown, E> = Channel.flatMap(
      Channel.fromEffect(take),
      (chunk) => Channel.flatMap(Channel.write(chunk), () => loop)
    )
    return loop
  }

  return (
    after: Seq,
    runs: ReadonlySet<RunId> | undefined,
    progress: "all" | "latest"
  ): Stream.Stream<Entry, E> =>
    Stream.fromChannel(
      Channel.suspend(() => {
        const waiter: Waiter = { runs, position: after, wake: () => {} }
        return Channel.ensuring(
          entriesFor(waiter, progress),
          Effect.sync(() => bell.remove(waiter))
        )
      })
    )
}
