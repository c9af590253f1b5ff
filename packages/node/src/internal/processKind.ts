import type { Agent } from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type AgentKind, InvalidAgent } from "../AgentKind.js"
import * as ProcessAgent from "../ProcessAgent.js"

const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })

const Definition = Schema.Struct({
  command: Schema.propertySignature(Schema.NonEmptyString).annotations({
    description: "The program: a name that is in PATH, or an absolute path."
  }),
  args: optional(
    Schema.Array(Schema.String),
    "The arguments, one per element, with placeholders such as {{input}}."
  ),
  prompt: optional(
    Schema.Literal("argument", "stdin", "file"),
    "How the program gets its input; on its standard input by default."
  ),
  cwd: optional(
    Schema.Literal("state", "reports", "outputs", "temp"),
    "The directory of the workspace in which the program runs; `outputs` by default."
  ),
  env: optional(
    Schema.Struct({
      inherit: optional(Schema.Array(Schema.NonEmptyString), "Variables of the host that are passed on."),
      set: optional(Schema.Record({ key: Schema.String, value: Schema.String }), "Variables to add.")
    }),
    "The whole environment of the program."
  ),
  output: optional(
    Schema.Literal("text", "json", "jsonl"),
    "What the program writes to its standard output; `text` by default."
  ),
  maxOutputBytes: optional(
    Schema.Int.pipe(Schema.positive()),
    "How many bytes of the output are held in memory."
  ),
  retryableExitCodes: optional(
    Schema.Array(Schema.Int.pipe(Schema.between(1, 255))),
    "Exit codes that mean that the same may succeed later."
  )
})

/** Command-line programs as agents. */
export const processKind: AgentKind<typeof Definition.Type, typeof Definition.Encoded> = {
  name: "process",
  schema: Definition,
  make: (id, definition) =>
    ProcessAgent.make(id, { ...definition, capabilities: [] }).pipe(
      Effect.mapBoth({
        onFailure: ({ reason }) => new InvalidAgent({ agentId: id, reason }),
        onSuccess: (agent): Agent => ({ ...agent, requires: ["Execute"] })
      })
    )
}
