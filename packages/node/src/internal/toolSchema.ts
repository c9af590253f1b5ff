import * as Schema from "effect/Schema"
import { Format, OutputMapping } from "../OutputMapping.js"
import { durationMillis } from "./resetTime.js"

const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })

const Count = Schema.Int.pipe(Schema.positive())

const Usd = Schema.JsonNumber.pipe(Schema.nonNegative())

/** A duration as files write it: seconds, or a text such as `90s`, `30m` and `1h30m`. */
const Duration = Schema.Union(
  Schema.JsonNumber.pipe(Schema.nonNegative()),
  Schema.String.pipe(
    Schema.filter((text) => durationMillis(text) !== undefined, {
      message: () => "this must be a duration such as 90s, 30m or 1h30m",
      jsonSchema: {}
    })
  )
)

const Arguments = Schema.Array(Schema.Union(Schema.String, Schema.Array(Schema.String)))

/** A model as a program knows it, and what a million tokens cost in US dollars where the program does not say what it cost. */
export const ToolModel = Schema.Struct({
  argument: optional(Schema.NonEmptyString, "What the program is told; the name by default."),
  inputUsdPerMillion: optional(Usd, "US dollars per million tokens that the model is given."),
  outputUsdPerMillion: optional(Usd, "US dollars per million tokens that the model gives."),
  cachedUsdPerMillion: optional(
    Usd,
    "US dollars per million tokens of the input that come from a cache; as other input by default."
  )
})

/** The whole environment of a program, as a file describes it. */
export const ToolEnvironment = Schema.Struct({
  inherit: optional(
    Schema.Array(Schema.NonEmptyString),
    "Variables of the host that are passed on where they are set; PATH and HOME by default."
  ),
  set: optional(
    Schema.Record({ key: Schema.NonEmptyString, value: Schema.String }),
    `Variables to add; \${VAR} and \${VAR:default} are variables of the host, \${secret:NAME} is a secret, and \\\${ stands for itself.`
  ),
  required: optional(
    Schema.Array(Schema.NonEmptyString),
    "Variables that must have a value; without one nothing is started, and the agent is unhealthy."
  )
})

const Size = Schema.Struct({
  columns: Schema.propertySignature(Count).annotations({ description: "How many characters a line has." }),
  rows: Schema.propertySignature(Count).annotations({ description: "How many lines it has." })
})

/** A command-line tool as an agent, as a file describes it; it has a command, or extends a definition that has one. */
export const ToolFields = Schema.Struct({
  extends: optional(
    Schema.NonEmptyString,
    "A ready definition that holds for everything that is not said here: claude-code, codex, gemini, opencode or aider."
  ),
  command: optional(Schema.NonEmptyString, "The program: a name that is in PATH, or an absolute path."),
  args: optional(
    Arguments,
    "The arguments, one per element, with placeholders such as {{input}}; a list in it is left out where a placeholder has no value."
  ),
  moreArgs: optional(
    Arguments,
    "Arguments that are put behind the others, for instance behind those of a ready definition."
  ),
  prompt: optional(
    Schema.Literal("argument", "stdin", "file"),
    "How the program gets its input; on its standard input by default."
  ),
  promptField: optional(
    Schema.NonEmptyString,
    "The field that holds the prompt where the input is an object with such a text."
  ),
  models: optional(
    Schema.Record({ key: Schema.NonEmptyString, value: ToolModel }),
    "The models that can be asked for by name, in the field model of the input or in a constraint of the step."
  ),
  model: optional(Schema.NonEmptyString, "The model where nobody asks for one."),
  cwd: optional(
    Schema.Literal("state", "reports", "outputs", "temp"),
    "The directory of the workspace in which the program runs; outputs by default."
  ),
  env: optional(ToolEnvironment, "The whole environment of the program."),
  output: optional(
    Schema.Union(Format, OutputMapping),
    "What the program writes to its standard output: text (the default), json, jsonl, or how to read it."
  ),
  timeout: optional(Duration, "How long an attempt may take, as in 30m."),
  escalation: optional(
    Schema.Struct({
      interruptAfter: optional(Duration, "How long to wait before SIGINT; not at all by default."),
      terminate: optional(Duration, "How long from SIGINT to SIGTERM; 10 seconds by default."),
      kill: optional(Duration, "How long from SIGTERM to SIGKILL; 5 seconds by default.")
    }),
    "How the program is made to end."
  ),
  maxOutputBytes: optional(Count, "How many bytes of the output are held in memory; 1 MiB by default."),
  retryableExitCodes: optional(
    Schema.Array(Schema.Int.pipe(Schema.between(1, 255))),
    "Exit codes that mean that the same may succeed later."
  ),
  terminal: optional(
    Schema.Union(Schema.Boolean, Size),
    "Whether it runs in a terminal, or in which size; this needs node-pty."
  )
})
export type ToolFields = typeof ToolFields.Type
