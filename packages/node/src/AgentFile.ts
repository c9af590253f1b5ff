import { basename, extname, resolve } from "node:path"
import type { Agent } from "@switchyard/core/Agent"
import * as Capability from "@switchyard/core/Capability"
import type { EventOf } from "@switchyard/core/Event"
import { AgentId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import { didYouMean } from "@switchyard/core/Nearest"
import * as Secrets from "@switchyard/core/Secrets"
import * as Shape from "@switchyard/core/Shape"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AnyAgentKind } from "./AgentKind.js"
import * as AgentFields from "./internal/agentFields.js"
import { agentSchema } from "./internal/agentSchema.js"
import { catchAllCause } from "./internal/compat.js"
import { processKind } from "./internal/processKind.js"
import * as SourceFile from "./internal/sourceFile.js"

export { type AgentHost, type AgentKind, type AnyAgentKind, InvalidAgent } from "./AgentKind.js"

/** The kinds of agents that files may describe where nothing else is said: `process`. */
export const defaultKinds: ReadonlyArray<AnyAgentKind> = [processKind]

/**
 * One thing that is wrong in a file: the path of the part, such as `capabilities[0].skill`, where that is written, which rule,
 * what to do about it. Lines and columns begin at 1; a part that is not there is where the nearest part around it is.
 */
export const FileProblem = Schema.Struct({
  path: Schema.String,
  line: Schema.Int,
  column: Schema.Int,
  rule: Schema.Literal(
    "syntax",
    "duplicate",
    "tag",
    "alias",
    "merge",
    "document",
    "shape",
    "unknown",
    "kind",
    "agent",
    "taken"
  ),
  message: Schema.String
})
export type FileProblem = typeof FileProblem.Type

/** A file of which no agent can be made, with every problem found in it in the order of the file. */
export class InvalidAgentFile extends Schema.TaggedError<InvalidAgentFile>()("InvalidAgentFile", {
  file: Schema.String,
  problems: Schema.Array(FileProblem)
}) {
  override get message() {
    return SourceFile.listed(`The agent in ${this.file} cannot be used:`, this.file, this.problems)
  }
}

/** A file or a directory of agents that cannot be read, with the reason and what to do about it. */
export class AgentFileUnreadable extends Schema.TaggedError<AgentFileUnreadable>()("AgentFileUnreadable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The agents in ${this.file} cannot be read: ${this.reason}`
  }
}

/** What is wrong with a file of an agent. */
export type AgentFileError = InvalidAgentFile | AgentFileUnreadable

/** An agent as a file has it. */
export interface FileAgent {
  readonly agent: Agent
  /** Whether it is to be given work, where the file says so. */
  readonly enabled: boolean | undefined
  /** The file, as it was named to whoever read it. */
  readonly file: string
  /** Where the file says the id of the agent, or where it begins. */
  readonly at: { readonly line: number; readonly column: number }
}

/** How files become agents. */
export interface Options {
  /** The kinds of agents that files may describe; `defaultKinds` unless said otherwise. */
  readonly kinds?: ReadonlyArray<AnyAgentKind>
  /** Where agents look up secrets; there are none by default. */
  readonly secrets?: Secrets.Provider
}

/** What is known about a text beside what it says. */
export interface ParseOptions extends Options {
  /** What problems name as the file, and what the agent is named after where the text has no id; `agent` by default. */
  readonly file?: string
  /** By default JSON where the name of the file ends with `.json`, otherwise YAML. */
  readonly format?: SourceFile.Format
}

type Rule = FileProblem["rule"]
type Wrong = SourceFile.Wrong<Rule>
type Parts = Readonly<Record<string, unknown>>

/** The size in bytes of the largest file that is read. */
export const mostBytes = 1024 * 1024

const isParts = (value: unknown): value is Parts =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const checkCommon = Shape.check(AgentFields.CommonFields)

/** The fields of a description, or everything that is wrong with them. */
const described = (
  value: unknown,
  kinds: ReadonlyArray<AnyAgentKind>
): Effect.Effect<
  { readonly kind: AnyAgentKind; readonly fields: AgentFields.CommonFields },
  ReadonlyArray<Wrong>
> => {
  if (!isParts(value)) return Effect.zipRight(checkCommon(value), Effect.fail([]))
  const names = kinds.map(({ name }) => name)
  const { kind: name = processKind.name } = value
  const kind = kinds.find((each) => each.name === name)
  if (kind !== undefined)
    return Effect.map(Shape.check(AgentFields.wholeOf(kind))(value), (fields) => ({ kind, fields }))
  const known = names.length === 0 ? "no kind is known here" : `the kinds here are ${names.join(", ")}`
  const message =
    value.kind === undefined
      ? `say of which kind the agent is; ${known}`
      : `there is no kind ${JSON.stringify(name)}${didYouMean(String(name), names)} (${known})`
  const wrong: Wrong = { path: "kind", rule: "kind", message }
  const { kind: _, ...others } = AgentFields.commonOf(value)
  return Effect.matchEffect(checkCommon(others), {
    onFailure: (problems) => Effect.fail([wrong, ...problems]),
    onSuccess: () => Effect.fail([wrong])
  })
}

/** What a kind makes of a description; a kind that breaks says so like any other problem of the file. */
const madeBy = (
  kind: AnyAgentKind,
  id: string,
  fields: AgentFields.CommonFields,
  secrets: Secrets.Provider
): Effect.Effect<Agent, ReadonlyArray<Wrong>> =>
  Effect.suspend(() => kind.make(id, fields as never, { secrets })).pipe(
    Effect.mapError(({ reason }): ReadonlyArray<Wrong> => [{ path: "", rule: "agent", message: reason }]),
    catchAllCause((cause) => {
      if (Cause.isFailure(cause)) return Effect.failCause(cause)
      const error = Cause.squash(cause)
      const said = error instanceof Error ? error.message : String(error)
      return Effect.fail([{ path: "", rule: "agent", message: `the kind "${kind.name}" broke: ${said}` }])
    })
  )

const isId = Schema.is(AgentId)

/** The agent that a value describes. */
const agentOf = (
  value: unknown,
  { file, kinds = defaultKinds, secrets = Secrets.none }: ParseOptions
): Effect.Effect<{ readonly agent: Agent; readonly enabled: boolean | undefined }, ReadonlyArray<Wrong>> =>
  Effect.gen(function* () {
    const { fields, kind } = yield* described(value, kinds)
    const name = file === undefined ? "agent" : basename(file, extname(file))
    const id = fields.id ?? name
    if (!isId(id)) {
      const message = `give the agent an id: the name of the file, ${JSON.stringify(name)}, cannot be one`
      return yield* Effect.fail([{ path: "id", rule: "shape" as const, message }])
    }
    const made = yield* madeBy(kind, id, fields, secrets)
    const capabilities =
      fields.capabilities?.map((each) =>
        Capability.make(typeof each === "string" ? { skill: each } : each)
      ) ?? made.capabilities
    if (capabilities.length === 0) {
      const message = "say what the agent can do, as in capabilities: [code-review]; nothing could select it"
      return yield* Effect.fail([{ path: "capabilities", rule: "shape" as const, message }])
    }
    const agent: Agent = {
      ...made,
      id,
      metadata: { ...made.metadata, ...fields.metadata },
      capabilities,
      requires: [...new Set([...made.requires, ...(fields.requires ?? [])])],
      definition: {
        kind: kind.name,
        data: AgentFields.ownOf(value as Parts) as Json,
        ...(file === undefined ? {} : { source: resolve(file) })
      }
    }
    return { agent, enabled: fields.enabled }
  })

/**
 * The agent that a text describes. Nothing is executed and nothing looked up: a program that is not installed, or a secret that
 * is not there, is found when the agent is asked to do something. All problems are reported at once, as far as the text can be
 * understood.
 *
 * @example
 * ```ts
 * import * as AgentFile from "@switchyard/node/AgentFile"
 *
 * export const counter = AgentFile.parse("id: wc\ncapabilities: [count-words]\ncommand: wc\nargs: [-w]")
 * ```
 */
export const parse = (text: string, options: ParseOptions = {}): Effect.Effect<FileAgent, InvalidAgentFile> =>
  Effect.suspend(() => {
    const { file = "agent", format } = options
    const { content, source } = SourceFile.sourceOf(text, {
      file,
      subject: "agent",
      ...(format === undefined ? {} : { format })
    })
    const found = SourceFile.textProblems(source)
    const invalid = (problems: ReadonlyArray<SourceFile.Located<Rule>>) =>
      new InvalidAgentFile({ file, problems: SourceFile.placed<Rule>(content, problems) })
    if (source.value === undefined) return Effect.fail(invalid(found))
    return Effect.matchEffect(agentOf(SourceFile.withoutSchema(source.value), options), {
      onFailure: (problems) => {
        const named = new Set(found.map(({ offset }) => offset))
        const others = problems
          .map((each) => SourceFile.located(source, each))
          // What is no part of YAML here is no part of an agent either, which need not be said twice.
          .filter(({ offset, rule }) => rule !== "unknown" || !named.has(offset))
        return Effect.fail(invalid([...found, ...others]))
      },
      onSuccess: (described) => {
        if (found.length > 0) return Effect.fail(invalid(found))
        const offset = source.offsetOf("id", "value")
        const [at = { column: 1, line: 1 }] = SourceFile.placed(content, [
          { path: "id", rule: "shape", message: "", offset }
        ])
        return Effect.succeed({ ...described, file, at: { line: at.line, column: at.column } })
      }
    })
  })

/**
 * Makes an agent again that was made of data and registered, as a run needs it that began with it; `undefined` where its kind is
 * not known here, or makes nothing of it any more.
 */
export const remake =
  ({ kinds = defaultKinds, secrets }: Options = {}) =>
  (registered: EventOf<"AgentRegistered">): Effect.Effect<Agent | undefined> => {
    const { agentId: id, capabilities, definition, kind, metadata, requires, source: file } = registered
    if (kind === undefined || !isParts(definition)) return Effect.succeed(undefined)
    const whole = { ...definition, id, kind, metadata, capabilities, ...(requires ? { requires } : {}) }
    const host = secrets === undefined ? { kinds } : { kinds, secrets }
    return Effect.match(agentOf(whole, file === undefined ? host : { ...host, file }), {
      onFailure: () => undefined,
      onSuccess: ({ agent }) => agent
    })
  }

/** Reads the agent in a file of UTF-8, YAML or JSON by its name. Files of more than 1 MiB, and what is no file, are refused unread. */
export const load = (file: string, options: Options = {}): Effect.Effect<FileAgent, AgentFileError> =>
  SourceFile.textOf(file, mostBytes, "agent").pipe(
    Effect.mapError((reason) => new AgentFileUnreadable({ file, reason })),
    Effect.flatMap((text) => parse(text, { ...options, file }))
  )

/**
 * The JSON Schema (draft 7) of files of agents of these kinds, with a description of every property, for editors. It says what
 * editors can check; a file that it accepts may still be refused when it is read.
 */
export const jsonSchema = (
  kinds: ReadonlyArray<AnyAgentKind> = defaultKinds
): Readonly<Record<string, unknown>> => agentSchema(kinds, processKind.name)
