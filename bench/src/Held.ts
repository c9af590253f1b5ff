import * as Effect from "effect/Effect"
import { type Outcome, quantile, type Settings } from "./Subject.js"

/** Steps that take their time, in chains at once. */
export interface Load {
  readonly runs: number
  readonly steps: number
  readonly millis: number
  /** How often all of it is done, one after the other. */
  readonly times: number
}

/** The load that a task names. */
export const loadOf = ({ millis, runs, steps, times }: Settings): Load => ({
  runs: Number(runs),
  steps: Number(steps),
  millis: Number(millis),
  times: Number(times)
})

/** Does a load by a way to do one chain: the time of each chain, and what it took of the processor. */
export const underLoad = async (load: Load, chain: () => Promise<unknown>): Promise<Outcome> => {
  const operations = load.times * load.runs * load.steps
  const latencies: Array<number> = []
  const one = async () => {
    const before = performance.now()
    await chain()
    latencies.push(performance.now() - before)
  }
  const used = process.cpuUsage()
  const before = performance.now()
  for (let n = 0; n < load.times; n++) await Promise.all(Array.from({ length: load.runs }, one))
  const millis = performance.now() - before
  const { system, user } = process.cpuUsage(used)
  return {
    millis,
    operations,
    figures: {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      "cpu µs/step": (system + user) / operations
    }
  }
}

/** A place where everybody waits until all are there and one has looked around. */
export interface Gate {
  /** What a step does: the one in the middle waits. */
  readonly step: (index: number) => Effect.Effect<void>
  readonly everybody: Promise<void>
  readonly open: () => void
}

/** A gate in the middle of so many chains. */
export const makeGate = ({ runs: count, steps }: Load): Gate => {
  let arrived = 0
  let arrive: () => void = () => undefined
  let open: () => void = () => undefined
  const everybody = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const wait = Effect.promise(() => {
    arrived++
    if (arrived === count) arrive()
    return opened
  })
  return {
    step: (index) => (index === Math.floor(steps / 2) ? wait : Effect.void),
    everybody,
    open: () => open()
  }
}

const megabytes = async () => {
  for (let n = 0; n < 4; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    globalThis.gc?.()
  }
  const { external, heapUsed, rss } = process.memoryUsage()
  return { heap: (heapUsed + external) / 2 ** 20, rss: rss / 2 ** 20 }
}

/** What this process holds while all runs are in the middle of their chains, and how much of it belongs to them. */
export const whileHeld = async (
  runs: number,
  gate: Gate,
  start: () => Promise<unknown>
): Promise<Outcome> => {
  const idle = await megabytes()
  const before = performance.now()
  const ended = start()
  await Promise.race([gate.everybody, ended.then(() => Promise.reject(new Error("nobody waited")))])
  const millis = performance.now() - before
  const held = await megabytes()
  gate.open()
  await ended
  return {
    millis,
    operations: runs,
    figures: { "heap MB": held.heap, "RSS MB": held.rss, "KB/run": ((held.heap - idle.heap) * 1024) / runs }
  }
}
