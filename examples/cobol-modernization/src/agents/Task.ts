import * as Agent from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SourceTree } from "../SourceTree.js"

/** Reads the sources of a run; every agent gets the same one. */
export type Sources = (run: string, directory: string) => Promise<SourceTree>

/** Decodes what a step was given, or fails as an agent does for input that is not its own. */
export const decode = <A, I>(
  schema: Schema.Schema<A, I>,
  task: Agent.Task
): Effect.Effect<A, Agent.AgentError> =>
  Effect.mapError(
    Schema.decodeUnknown(schema)(task.input),
    (error) =>
      new Agent.AgentError({ kind: "InvalidInput", reason: `its input does not fit: ${error.message}` })
  )

/** A plain value as JSON: what the front end gives holds only JSON, with `undefined` for what is absent. */
export const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value))

/** What the file system or a parser refused, as the failure of an item. */
export const refused = (reason: string): Agent.AgentError =>
  new Agent.AgentError({ kind: "InvalidInput", reason })

/** Runs a promise, whose rejection is a failure of the agent. */
export const attempt = <A>(
  promise: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, Agent.AgentError> => Effect.tryPromise({ try: promise, catch: Agent.fromUnknown })
