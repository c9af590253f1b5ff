import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { async } from "./compat.js"

/** Processes that are to end. */
export interface Targets {
  /** Whether none of them is left. */
  readonly gone: Effect.Effect<boolean>
  /** Sends a signal to those that are left. */
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
}

/** How often the targets are looked at, in milliseconds on the host's clock. */
const pollMillis = 10

/** How long SIGKILL is repeated before a process counts as one that nobody can end, such as one waiting for a dead device. */
const unkillableAfter = Duration.seconds(10)

const pause = (millis: number): Effect.Effect<void> =>
  async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Signals one process, or with a negative number a group; one that is gone, or that this user may not signal, is passed over. */
export const kill = (target: number, name: NodeJS.Signals): void => {
  try {
    process.kill(target, name)
  } catch {
    // The next look at the targets tells which it was.
  }
}

const goneWithin = (
  { gone, signal }: Targets,
  duration: Duration.DurationInput,
  again?: NodeJS.Signals
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const until = (yield* Clock.currentTimeNanos) + BigInt(Math.ceil(Duration.toMillis(duration) * 1e6))
    while (!(yield* gone)) {
      if ((yield* Clock.currentTimeNanos) >= until) return false
      if (again !== undefined) yield* signal(again)
      yield* pause(pollMillis)
    }
    return true
  })

/**
 * Makes processes end: each stage waits as long as it says before it sends its signal, and SIGKILL comes after the last
 * wait. It is over as soon as no target is left, and gives false when some survive SIGKILL for ten seconds.
 */
export const escalate = (
  targets: Targets,
  stages: ReadonlyArray<readonly [wait: Duration.DurationInput, signal: NodeJS.Signals]>,
  lastWait: Duration.DurationInput
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    for (const [wait, name] of stages) {
      if (yield* goneWithin(targets, wait)) return true
      yield* targets.signal(name)
    }
    if (yield* goneWithin(targets, lastWait)) return true
    return yield* goneWithin(targets, unkillableAfter, "SIGKILL")
  })
