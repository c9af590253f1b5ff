import type { Agent, Metadata } from "@switchyard/core/Agent"
import type { CapabilityInput } from "@switchyard/core/Capability"
import { didYouMean } from "@switchyard/core/Nearest"
import type * as Secrets from "@switchyard/core/Secrets"
import * as Effect from "effect/Effect"
import { type AgentKind, InvalidAgent } from "./AgentKind.js"
import { durationMillis } from "./internal/resetTime.js"
import { ToolFields } from "./internal/toolSchema.js"
import * as ProcessAgent from "./ProcessAgent.js"
import { type WellKnownTool, wellKnownTools } from "./WellKnownTools.js"

/**
 * A command-line tool as data: what is run and how it gets its prompt and its model, what it may see of the host, and what its
 * output and its failures mean. A file of an agent has these fields beside those of all agents, and reading it executes
 * nothing.
 */
export const ToolDefinition = ToolFields
export type ToolDefinition = typeof ToolDefinition.Type

/** The name of a ready definition. */
export type WellKnownName = keyof typeof wellKnownTools

/** What is known of an agent beside its definition. */
export interface Options {
  /** What it can do; what the ready definition says that it extends, and otherwise nothing. */
  readonly capabilities?: ReadonlyArray<CapabilityInput>
  readonly metadata?: Partial<Metadata>
  /** Gives the secrets that its environment names; there are none by default. */
  readonly secrets?: Secrets.Provider
}

const names = Object.keys(wellKnownTools) as ReadonlyArray<WellKnownName>

const invalid = (agentId: string, reason: string) => new ProcessAgent.InvalidCommand({ agentId, reason })

const find = (name: string): WellKnownTool | undefined =>
  Object.hasOwn(wellKnownTools, name) ? wellKnownTools[name as WellKnownName] : undefined

/** A definition with everything that the one it extends says and it does not; names of variables and models come together. */
const extended = (base: ToolDefinition, own: ToolDefinition): ToolDefinition => {
  const { env: baseEnv = {}, models: baseModels } = base
  const { env = {}, models } = own
  const inherit = [...(baseEnv.inherit ?? []), ...(env.inherit ?? [])]
  const required = [...(baseEnv.required ?? []), ...(env.required ?? [])]
  return {
    ...base,
    ...own,
    env: {
      ...(inherit.length === 0 ? {} : { inherit: [...new Set(inherit)] }),
      ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
      set: { ...baseEnv.set, ...env.set }
    },
    ...(baseModels === undefined && models === undefined ? {} : { models: { ...baseModels, ...models } })
  }
}

const millis = (written: string | number): number => durationMillis(written) ?? 0

const stages = (escalation: ToolDefinition["escalation"]) =>
  Object.fromEntries(Object.entries(escalation ?? {}).map(([stage, wait]) => [stage, millis(wait)]))

const toOptions = (
  command: string,
  definition: ToolDefinition,
  base: WellKnownTool | undefined,
  { capabilities, metadata, secrets }: Options
): ProcessAgent.Options => {
  const { args = [], env, escalation, extends: _, moreArgs = [], timeout, ...others } = definition
  const { set, ...named } = env ?? {}
  return {
    ...others,
    command,
    args: [...args, ...moreArgs],
    env: { ...named, ...(set === undefined ? {} : { expand: set }) },
    ...(timeout === undefined ? {} : { timeout: millis(timeout) }),
    escalation: stages(escalation),
    capabilities: capabilities ?? base?.capabilities ?? [],
    metadata: { ...base?.metadata, ...metadata },
    requires: base?.requires ?? [],
    ...(secrets === undefined ? {} : { secrets })
  }
}

/**
 * An agent that runs a tool, as `ProcessAgent.make` makes it. Making it executes nothing and looks nothing up; a definition
 * that cannot work is an `InvalidCommand` that says why.
 *
 * @example
 * ```ts
 * import * as ToolDefinition from "@switchyard/node/ToolDefinition"
 *
 * export const reviewer = ToolDefinition.make(
 *   "reviewer",
 *   { extends: "claude-code", model: "opus", timeout: "20m" },
 *   { capabilities: [{ skill: "code-review", priority: 1 }] }
 * )
 * ```
 */
export const make = (
  id: string,
  definition: ToolDefinition,
  options: Options = {}
): Effect.Effect<Agent, ProcessAgent.InvalidCommand> =>
  Effect.suspend(() => {
    const { extends: name } = definition
    const base = name === undefined ? undefined : find(name)
    if (name !== undefined && base === undefined) {
      const hint = didYouMean(name, names)
      return Effect.fail(
        invalid(id, `there is no ready definition "${name}"${hint} (there are ${names.join(", ")})`)
      )
    }
    const whole = base === undefined ? definition : extended(base.definition, definition)
    const { command } = whole
    return command === undefined
      ? Effect.fail(invalid(id, `it has neither a command nor a ready definition that it extends`))
      : ProcessAgent.make(id, toOptions(command, whole, base, options))
  })

/**
 * A ready definition as an agent, by its name: `claude-code`, `codex`, `gemini`, `opencode` or `aider`. The tool has to be
 * installed and logged in, or have its key in the environment of the host; its health says whether it is there.
 *
 * @example
 * ```ts
 * import * as Switchyard from "@switchyard/node/Switchyard"
 * import * as ToolDefinition from "@switchyard/node/ToolDefinition"
 *
 * export const live = Switchyard.layer({ directory: ".switchyard", agents: [ToolDefinition.wellKnown("claude-code")] })
 * ```
 */
export const wellKnown = (
  name: WellKnownName,
  options: Options = {}
): Effect.Effect<Agent, ProcessAgent.InvalidCommand> => make(name, { extends: name }, options)

/** Tools in files of agents, whose `kind` is `process`. */
export const kind: AgentKind<typeof ToolDefinition.Type, typeof ToolDefinition.Encoded> = {
  name: "process",
  schema: ToolDefinition,
  make: (id, definition, { secrets }) =>
    Effect.mapError(
      make(id, definition, { secrets }),
      ({ reason }) => new InvalidAgent({ agentId: id, reason })
    )
}
