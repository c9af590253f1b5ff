import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"

/** A world of its own for effects: its time moves only once nothing can be done, and everything in it depends on its seed. */
export interface Simulation {
  /** The time in milliseconds since 1970. */
  readonly now: () => number
  /** Calls back once what else can be done now had its turn. */
  readonly later: (callback: () => void) => void
  /** Calls back so many milliseconds later. */
  readonly after: (millis: number, callback: () => void) => void
  /** Waits so long, and then until nothing else can be done at that time. */
  readonly rest: (millis: number) => Effect.Effect<void>
}

interface Timer {
  readonly at: number
  readonly ring: () => void
}

/** How many tasks a simulation takes before it is believed to go round in circles. */
const mostTasks = 300_000

/** The first moment of every simulation. */
const beginning = 1_700_000_000_000

/**
 * Executes an effect to its end, without a timer and without a promise. Fails where the effect waits for what never comes, or never comes to rest.
 * Fibers give way after so many operations.
 */
export const simulate = <A, E>(
  seed: number,
  operations: number,
  effect: (simulation: Simulation) => Effect.Effect<A, E>
): Exit.Exit<A, E> => {
  let now = beginning
  let done = 0
  let queue = new Scheduler.PriorityBuckets()
  /** By their time, the latest first; among equals the one that was set last. */
  const timers: Array<Timer> = []
  let resting: Array<() => void> = []

  const set = (millis: number, ring: () => void): Timer => {
    const timer = { at: now + millis, ring }
    let low = 0
    for (let high = timers.length; low < high; ) {
      const middle = (low + high) >>> 1
      if ((timers[middle]?.at ?? 0) > timer.at) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, timer)
    return timer
  }
  const sleep = (millis: number): Effect.Effect<void> =>
    Effect.async((resume) => {
      const timer = set(millis, () => resume(Effect.void))
      return Effect.sync(() => {
        const at = timers.indexOf(timer)
        if (at >= 0) timers.splice(at, 1)
      })
    })
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: (duration) => sleep(Duration.toMillis(duration))
  }
  const scheduler: Scheduler.Scheduler = {
    shouldYield: Scheduler.defaultScheduler.shouldYield,
    scheduleTask: (task, priority) => queue.scheduleTask(task, priority)
  }
  const simulation: Simulation = {
    now: () => now,
    later: (callback) => queue.scheduleTask(callback, 0),
    after: set,
    rest: (millis) =>
      Effect.zipRight(
        sleep(millis),
        Effect.async((resume) => {
          resting.push(() => resume(Effect.void))
        })
      )
  }

  const main = Effect.runFork(
    effect(simulation).pipe(
      Effect.withClock(clock),
      Effect.withRandom(Random.make(seed)),
      Effect.withMaxOpsBeforeYield(operations)
    ),
    { scheduler }
  )
  for (;;) {
    while (queue.buckets.length > 0) {
      const { buckets } = queue
      queue = new Scheduler.PriorityBuckets()
      for (const [, tasks] of buckets) {
        done += tasks.length
        for (const task of tasks) task()
      }
      if (done > mostTasks) throw new Error("it never comes to rest")
    }
    const end = main.unsafePoll()
    if (end !== null) return end
    if (resting.length > 0) {
      const rested = resting
      resting = []
      for (const resume of rested) resume()
      continue
    }
    const timer = timers.pop()
    if (timer === undefined) throw new Error("everything waits, and for nothing that could come")
    now = timer.at
    timer.ring()
  }
}
