import * as Effect from "effect/Effect"
import { async, type Fork } from "./compat.js"
import { insertSorted } from "./sorted.js"
import { makeTimer, type Timer } from "./timer.js"

/** What the attempts of a group may do together, whatever run they belong to. */
export interface GroupLimit {
  /** How many may be under way at once. */
  readonly concurrency?: number
  /** How many may begin in any minute. */
  readonly perMinute?: number
}

interface Waiter {
  readonly priority: number
  readonly grant: () => void
}

interface Group {
  readonly limit: GroupLimit
  underWay: number
  /** When the latest ones began, the oldest first; no more than may begin in a minute. */
  readonly begun: Array<number>
  /** By priority, the next one last; among equals first come, first served. */
  readonly waiting: Array<Waiter>
  timer: Timer | undefined
}

/** Lets attempts begin as the limits of their groups allow. */
export interface Limiter {
  /** Runs an attempt once its group has room for it; higher priorities go first. Groups without a limit have room always. */
  readonly within: (
    group: string | undefined,
    priority: number
  ) => <A, E>(attempt: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** How many of a group may be under way at once, as far as it is limited. */
  readonly mostOf: (group: string | undefined) => number
  /** Limits a group that has no limit yet. */
  readonly limit: (group: string, limit: GroupLimit) => void
}

const minute = 60_000

/** No group is limited. */
export const unlimited: Limiter = {
  within: () => (attempt) => attempt,
  mostOf: () => Number.POSITIVE_INFINITY,
  limit: () => undefined
}

/** A limiter whose groups have nothing under way. */
export const makeLimiter = (
  limits: Readonly<Record<string, GroupLimit>>,
  fork: Fork,
  now: () => number
): Limiter => {
  const groups = new Map<string, Group>()
  const add = (name: string, limit: GroupLimit): void => {
    groups.set(name, { limit, underWay: 0, begun: [], waiting: [], timer: undefined })
  }
  for (const [name, limit] of Object.entries(limits)) add(name, limit)

  /** How long until one may begin: 0 is now, and `undefined` is once another one has ended. */
  const delayOf = ({ begun, limit, underWay }: Group): number | undefined => {
    if (underWay >= (limit.concurrency ?? Number.POSITIVE_INFINITY)) return undefined
    const oldest = begun.length < (limit.perMinute ?? Number.POSITIVE_INFINITY) ? undefined : begun[0]
    return oldest === undefined ? 0 : Math.max(0, oldest + minute - now())
  }

  const begin = (group: Group): void => {
    group.underWay++
    const { perMinute } = group.limit
    if (perMinute === undefined) return
    group.begun.push(now())
    if (group.begun.length > perMinute) group.begun.shift()
  }

  const serve = (group: Group): void => {
    group.timer?.stop()
    group.timer = undefined
    while (group.waiting.length > 0) {
      const delay = delayOf(group)
      if (delay === undefined) return
      if (delay > 0) {
        group.timer = makeTimer(delay, fork, now, () => serve(group))
        group.timer.start()
        return
      }
      begin(group)
      group.waiting.pop()?.grant()
    }
  }

  const end = (group: Group) =>
    Effect.sync(() => {
      group.underWay--
      serve(group)
    })

  const acquire = (group: Group, priority: number) =>
    async<void>((resume) => {
      const waiter = { priority, grant: () => resume(Effect.void) }
      insertSorted<Waiter>(group.waiting, waiter, ({ priority }) => -priority)
      serve(group)
      return Effect.suspend(() => {
        const at = group.waiting.indexOf(waiter)
        if (at < 0) return end(group)
        group.waiting.splice(at, 1)
        return Effect.void
      })
    })

  return {
    within: (name, priority) => (attempt) => {
      const group = name === undefined ? undefined : groups.get(name)
      if (group === undefined) return attempt
      return Effect.acquireUseRelease(
        Effect.interruptible(acquire(group, priority)),
        () => attempt,
        () => end(group)
      )
    },
    mostOf: (name) => {
      const limit = name === undefined ? undefined : groups.get(name)?.limit
      return limit?.concurrency ?? limit?.perMinute ?? Number.POSITIVE_INFINITY
    },
    limit: (name, limit) => {
      if (!groups.has(name)) add(name, limit)
    }
  }
}
