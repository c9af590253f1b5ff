import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Agent from "../Agent.js"
import { AgentError, fromUnknown } from "../Agent.js"
import { findNotJson } from "../Json.js"
import * as Usage from "../Usage.js"

const count = (value: unknown): number =>
  typeof value === "number" && value > 0 ? Math.min(Number.MAX_SAFE_INTEGER, Math.round(value)) : 0

/** What an agent says that it consumed, whole and not negative whatever it says: a log takes nothing else. */
export const reportedUsage = (usage: Partial<Usage.Usage> | undefined): Usage.Usage =>
  usage === Usage.zero
    ? Usage.zero
    : {
        inputTokens: count(usage?.inputTokens),
        outputTokens: count(usage?.outputTokens),
        cachedTokens: count(usage?.cachedTokens),
        costMicroUsd: count(usage?.costMicroUsd)
      }

/** What is wrong with an output, or `undefined` where it can be recorded. */
export const wrongOutput = (output: Agent.Output): AgentError | undefined => {
  const found = findNotJson(output.value)
  return found === undefined
    ? undefined
    : new AgentError({
        kind: "InvalidOutput",
        reason: `its output has ${found.found} at ${found.path}, which JSON cannot carry`,
        usage: reportedUsage(output.usage)
      })
}

/** Whatever else an agent does: a defect, or an interruption of its own making, is a failure of the attempt. */
export const fromCause = (cause: Cause.Cause<AgentError>): AgentError => {
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) return fromUnknown(failure.value)
  if (Cause.isInterruptedOnly(cause))
    return new AgentError({ kind: "Crashed", reason: "it interrupted itself" })
  return fromUnknown(Cause.squash(cause))
}

/** Lets an agent that gives a stream do so, whatever it says on the way; its last output is the one that counts. */
const lastOutput = (
  running: Stream.Stream<Agent.AgentEvent, AgentError>,
  onProgress: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, AgentError> =>
  Effect.suspend(() => {
    let last: Agent.Output | undefined
    return Effect.flatMap(
      Stream.runForEach(running, (event) =>
        Effect.sync(() => {
          if (event._tag === "Output") last = event
          else onProgress(event)
        })
      ),
      () =>
        last === undefined
          ? Effect.fail(new AgentError({ kind: "InvalidOutput", reason: "it ended without an output" }))
          : Effect.succeed(last)
    )
  })

/** Runs an agent once; what it throws is a defect of this effect. */
export const runOnce = (
  agent: Agent.Agent,
  task: Agent.Task,
  onProgress: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, AgentError> => {
  try {
    const running = agent.run(task)
    return Effect.isEffect(running) ? running : lastOutput(running, onProgress)
  } catch (thrown) {
    return Effect.die(thrown)
  }
}

/** Fails an attempt that takes longer than this, where it is finite. */
export const withTimeout = (
  attempt: Effect.Effect<Agent.Output, AgentError>,
  millis: number
): Effect.Effect<Agent.Output, AgentError> =>
  millis === Number.POSITIVE_INFINITY
    ? attempt
    : Effect.flatMap(
        Effect.timeoutOption(attempt, millis),
        Option.match({
          onNone: () =>
            Effect.fail(new AgentError({ kind: "Timeout", reason: `it took longer than ${millis} ms` })),
          onSome: Effect.succeed
        })
      )
