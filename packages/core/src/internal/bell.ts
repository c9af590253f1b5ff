import * as Scheduler from "effect/Scheduler"
import type { Entry } from "../Event.js"
import type { RunId, Seq } from "../Ids.js"

/** One who waits for entries; there is nothing for it up to its position, which the bell moves on for who waits for some runs. */
export interface Waiter {
  /** The runs that it waits for; all where none are named. */
  readonly runs: ReadonlySet<RunId> | undefined
  position: Seq
  /** Called once after each time that it was added, with a turn of the host's loop of its own or shared with few others. */
  wake: () => void
}

/**
 * Tells those who wait that entries have become durable: a bell, not a mailbag, for it carries nothing and holds nothing
 * but who waits. Ringing is cheap however many wait; they are woken later and a few at a time.
 */
export interface Bell {
  /**
   * Rung after entries have become durable, with those that became so since the last time: then only those are woken who
   * wait for all or for one of their runs. Without them everybody is woken, and what was read before is read anew.
   */
  readonly ring: (entries?: ReadonlyArray<Entry>) => void
  /** How often it was rung without saying for what: what was read when it was less may have changed. */
  readonly era: () => number
  /** Waits for the next ring. Who looks whether there is something and then adds itself in the same turn misses none. */
  readonly add: (waiter: Waiter) => void
  /** Waits no more. */
  readonly remove: (waiter: Waiter) => void
  /** Calls back when others had their turn: for who has much to read and would keep everybody else from running. */
  readonly turn: (callback: () => void) => void
}

/** How many are woken before the loop goes on to what else there is to do, which is the writing of what is appended. */
const wakesPerTurn = 32

/** A bell whose wakes are spread by a function that calls back after what else is waiting to run. */
export const makeBell = (
  later: (callback: () => void) => void = (callback) => Scheduler.defaultScheduler.scheduleTask(callback, 0)
): Bell => {
  const forAll = new Set<Waiter>()
  const forRuns = new Map<RunId, Set<Waiter>>()
  let called = new Set<Waiter>()
  const turns: Array<() => void> = []
  let queue: Array<Waiter> = []
  let next = 0
  let rung = false
  let awake = false
  let through = 0
  let era = 0

  const removeFromRuns = (waiter: Waiter): void => {
    for (const runId of waiter.runs ?? []) {
      const waiters = forRuns.get(runId)
      if (waiters?.delete(waiter) === true && waiters.size === 0) forRuns.delete(runId)
    }
  }

  const call = (waiters: Iterable<Waiter>, before: number): void => {
    for (const waiter of [...waiters]) {
      removeFromRuns(waiter)
      if (before > waiter.position) waiter.position = before as Seq
      called.add(waiter)
    }
  }

  const spread = (): void => {
    if (next >= queue.length) {
      next = 0
      queue = rung ? [...forAll, ...called] : []
      if (rung) {
        rung = false
        forAll.clear()
        called = new Set()
      }
    }
    const last = Math.min(queue.length, next + wakesPerTurn)
    while (next < last) queue[next++]?.wake()
    turns.shift()?.()
    awake = next < queue.length || rung || turns.length > 0
    if (awake) later(spread)
  }

  const rouse = (): void => {
    if (awake) return
    awake = true
    later(spread)
  }

  return {
    era: () => era,
    ring: (entries) => {
      if (entries === undefined) era++
      const first = entries?.[0]
      if (forRuns.size > 0) {
        if (entries === undefined || first === undefined || first.seq !== through + 1) {
          for (const waiters of [...forRuns.values()]) call(waiters, 0)
        } else {
          for (const { runId } of entries) {
            const waiters = forRuns.get(runId)
            if (waiters !== undefined) call(waiters, first.seq - 1)
          }
        }
      }
      through = entries?.at(-1)?.seq ?? -1
      if (forAll.size + called.size === 0) return
      rung = true
      rouse()
    },
    add: (waiter) => {
      if (waiter.runs === undefined) {
        forAll.add(waiter)
        return
      }
      for (const runId of waiter.runs) {
        const waiters = forRuns.get(runId)
        if (waiters === undefined) forRuns.set(runId, new Set([waiter]))
        else waiters.add(waiter)
      }
    },
    remove: (waiter) => {
      forAll.delete(waiter)
      called.delete(waiter)
      removeFromRuns(waiter)
    },
    turn: (callback) => {
      turns.push(callback)
      rouse()
    }
  }
}
