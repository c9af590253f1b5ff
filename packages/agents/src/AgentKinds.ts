import type { Agent } from "@switchyard/core/Agent"
import { type AgentKind, InvalidAgent } from "@switchyard/node/AgentKind"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as AcpAgent from "./AcpAgent.js"
import * as RemoteAgent from "./RemoteAgent.js"

const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })

const Millis = Schema.Int.pipe(Schema.positive())
const Names = Schema.Array(Schema.NonEmptyString)
const Pairs = Schema.Record({ key: Schema.String, value: Schema.String })

const commandFields = {
  args: optional(Schema.Array(Schema.String), "The arguments, one per element, as they are."),
  cwd: optional(
    Schema.Literal("state", "reports", "outputs", "temp"),
    "The directory of the workspace in which the program runs; `outputs` by default."
  ),
  env: optional(
    Schema.Struct({
      inherit: optional(Names, "Variables of the host that are passed on."),
      set: optional(Pairs, "Variables to add."),
      secrets: optional(Pairs, "Variables whose values are secrets, by the names of those.")
    }),
    "The whole environment of the program."
  )
}

/** What describes an agent that speaks the Agent Client Protocol, in a file. */
export const AcpDefinition = Schema.Struct({
  command: Schema.propertySignature(Schema.NonEmptyString).annotations({
    description: "The program: a name that is in PATH, or an absolute path."
  }),
  ...commandFields,
  instructions: optional(Schema.String, "What stands before the input in the prompt."),
  mode: optional(Schema.NonEmptyString, "The mode of the session, by the id that the agent has for it."),
  authMethod: optional(
    Schema.NonEmptyString,
    "How the host authenticates itself, by an id that the agent names."
  ),
  unattended: optional(
    Schema.Literal("allow", "deny"),
    "Whether tools may be used in a run that restricts nothing; `allow` by default."
  ),
  startTimeoutMillis: optional(Millis, "How long the agent may take to open a session, in milliseconds."),
  stallTimeoutMillis: optional(Millis, "How long the agent may say nothing while it works, in milliseconds."),
  cancelTimeoutMillis: optional(Millis, "How long the agent may take to stop, in milliseconds."),
  maxOutputCharacters: optional(Millis, "How many characters of the agent's text are held."),
  maxMessageBytes: optional(Millis, "How long a message may be, in bytes.")
})
export type AcpDefinition = typeof AcpDefinition.Type

/** What describes an agent of a worker, in a file: a `command` or a `url`, and not both. */
export const RemoteDefinition = Schema.Struct({
  command: optional(Schema.NonEmptyString, "The program that is the worker; instead of `url`."),
  ...commandFields,
  url: optional(Schema.NonEmptyString, "Where the worker takes requests; instead of `command`."),
  token: optional(
    Schema.NonEmptyString,
    "The name of the secret that is sent as the bearer token to the `url`."
  ),
  agent: optional(Schema.NonEmptyString, "The name that the worker has for the agent; the id by default."),
  shareWorkspace: optional(Schema.Boolean, "Whether the worker is told where the files of the run are."),
  heartbeatMillis: optional(Millis, "How often both sides say that they are alive, in milliseconds."),
  startTimeoutMillis: optional(Millis, "How long the worker may take to come up, in milliseconds."),
  cancelTimeoutMillis: optional(Millis, "How long work may take to stop, in milliseconds."),
  reconnectTimeoutMillis: optional(Millis, "How long a broken connection is sought again, in milliseconds."),
  timeoutMillis: optional(Millis, "How long one attempt may take, in milliseconds."),
  maxMessageBytes: optional(Millis, "How long a message may be, in bytes.")
})
export type RemoteDefinition = typeof RemoteDefinition.Type

const refusal = (agentId: string) => (error: { readonly reason: string }) =>
  new InvalidAgent({ agentId, reason: error.reason })

/** Only what is there, because an option that is `undefined` is not one that is left out. */
const given = <const Fields extends { readonly [name: string]: unknown }>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined>
  }

/** Agents that speak the Agent Client Protocol, for files with `kind: acp`. */
export const acpKind: AgentKind<AcpDefinition, typeof AcpDefinition.Encoded> = {
  name: "acp",
  schema: AcpDefinition,
  make: (id, definition, { secrets }) => {
    const { cancelTimeoutMillis, stallTimeoutMillis, startTimeoutMillis, ...options } = definition
    const timeouts = given({
      cancelTimeout: cancelTimeoutMillis,
      stallTimeout: stallTimeoutMillis,
      startTimeout: startTimeoutMillis
    })
    return Effect.mapError(
      AcpAgent.make(id, { ...options, ...timeouts, secrets, capabilities: [] }),
      refusal(id)
    )
  }
}

const workerOf = ({
  args,
  command,
  cwd,
  env,
  token,
  url
}: RemoteDefinition): Effect.Effect<RemoteAgent.Options["worker"], { readonly reason: string }> => {
  if (command !== undefined && url === undefined)
    return token === undefined
      ? Effect.succeed({ command, ...given({ args, cwd, env }) })
      : Effect.fail({ reason: "a token is for a url; give a program its secrets by env.secrets" })
  if (url !== undefined && command === undefined)
    return args === undefined && cwd === undefined && env === undefined
      ? Effect.succeed({ url, ...given({ token }) })
      : Effect.fail({ reason: "args, cwd and env are for a command, not for a url" })
  return Effect.fail({ reason: "give it either a command or a url" })
}

/** Agents of workers in any language, for files with `kind: remote`. */
export const remoteKind: AgentKind<RemoteDefinition, typeof RemoteDefinition.Encoded> = {
  name: "remote",
  schema: RemoteDefinition,
  make: (id, definition, { secrets }): Effect.Effect<Agent, InvalidAgent> =>
    Effect.mapError(
      Effect.flatMap(workerOf(definition), (worker) =>
        RemoteAgent.make(id, {
          worker,
          secrets,
          capabilities: [],
          ...given({
            agent: definition.agent,
            shareWorkspace: definition.shareWorkspace,
            heartbeat: definition.heartbeatMillis,
            startTimeout: definition.startTimeoutMillis,
            cancelTimeout: definition.cancelTimeoutMillis,
            reconnectTimeout: definition.reconnectTimeoutMillis,
            timeout: definition.timeoutMillis,
            maxMessageBytes: definition.maxMessageBytes
          })
        })
      ),
      refusal(id)
    )
}
