import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Agent from "../Agent.js"
import type { Json } from "../Json.js"
import type * as Usage from "../Usage.js"

/** One thing a scripted agent does when it is called. */
export type Act =
  | { readonly _tag: "Say"; readonly progress: Omit<Agent.Progress, "_tag"> }
  | { readonly _tag: "Wait"; readonly millis: number }
  | { readonly _tag: "Give"; readonly value: Json; readonly usage?: Usage.Usage }
  | { readonly _tag: "Fail"; readonly error: Agent.AgentError }
  | { readonly _tag: "Die"; readonly defect: unknown }
  | { readonly _tag: "Hang" }

/** Reports a sign of life. */
export const say = (progress: Omit<Agent.Progress, "_tag">): Act => ({ _tag: "Say", progress })
/** Takes time, by the Effect clock, so that a test clock moves it. */
export const wait = (millis: number): Act => ({ _tag: "Wait", millis })
/** Ends with an output. */
export const give = (value: Json, usage?: Usage.Usage): Act => ({
  _tag: "Give",
  value,
  ...(usage === undefined ? {} : { usage })
})
/** Ends with an error. */
export const fail = (kind: Agent.AgentErrorKind, reason: string = kind, retryAfterMillis?: number): Act => ({
  _tag: "Fail",
  error: new Agent.AgentError({
    kind,
    reason,
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  })
})
/** Breaks, as a bug in an agent would. */
export const die = (defect: unknown): Act => ({ _tag: "Die", defect })
/** Never ends by itself. */
export const hang: Act = { _tag: "Hang" }

const perform = (act: Act): Stream.Stream<Agent.AgentEvent, Agent.AgentError> => {
  switch (act._tag) {
    case "Say":
      return Stream.make(Agent.progress(act.progress))
    case "Wait":
      return Stream.drain(Stream.fromEffect(Effect.sleep(act.millis)))
    case "Give":
      return Stream.make(Agent.output(act.value, act.usage))
    case "Fail":
      return Stream.fail(act.error)
    case "Die":
      return Stream.die(act.defect)
    case "Hang":
      return Stream.never
  }
}

/** A script: what to do when called for a task, given how often it was called before. */
export type Script = (task: Agent.Task, call: number) => ReadonlyArray<Act>

/** An agent that does what its script says, and remembers what it was asked and how each call ended. */
export interface ScriptedAgent extends Agent.Agent {
  readonly calls: ReadonlyArray<Agent.Task>
  /** How many calls are under way now. */
  readonly running: () => number
  /** How many calls were interrupted. */
  readonly interrupted: () => number
}

/** A scripted agent with one skill, named like itself unless another is given. */
export const make = (
  id: string,
  script: Script | ReadonlyArray<Act>,
  options: Partial<Omit<Agent.Options, "run">> = {}
): ScriptedAgent => {
  const calls: Array<Agent.Task> = []
  let running = 0
  let interrupted = 0
  const agent = Agent.make(id, {
    capabilities: [{ skill: id }],
    ...options,
    run: (task) =>
      Stream.unwrapScoped(
        Effect.acquireRelease(
          Effect.sync(() => {
            running++
            const call = calls.push(task) - 1
            return typeof script === "function" ? script(task, call) : script
          }),
          (_, exit) =>
            Effect.sync(() => {
              running--
              if (Exit.isInterrupted(exit)) interrupted++
            })
        ).pipe(Effect.map((acts) => Stream.flatMap(Stream.fromIterable(acts), perform)))
      )
  })
  return { ...agent, calls, running: () => running, interrupted: () => interrupted }
}
