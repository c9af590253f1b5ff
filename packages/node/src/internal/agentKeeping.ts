import type * as AgentRegistry from "@switchyard/core/AgentRegistry"
import type { LogWriteFailed } from "@switchyard/core/EventLog"
import * as Effect from "effect/Effect"
import { type FileAgent, InvalidAgentFile } from "../AgentFile.js"
import { type Claimant, type Claims, claim, keyOf } from "./agentClaims.js"

/** Which of the agents of a registry come from the files that are looked at, by the file that they say they were read from. */
export type IsOurs = (source: string) => boolean

/** Everybody else in a registry, by their ids without case. */
const othersIn = (registry: AgentRegistry.Service, isOurs: IsOurs): Effect.Effect<Map<string, string>> =>
  Effect.map(registry.list, (registrations) => {
    const others = new Map<string, string>()
    for (const { agent } of registrations) {
      const source = agent.definition?.source
      if (source !== undefined && isOurs(source)) continue
      const named = source === undefined ? "an agent of the host" : `the agent in ${source}`
      others.set(agent.id.toLowerCase(), named)
    }
    return others
  })

/** Whether two agents of files are made of the same: what the agent is, and whether it is to be given work. */
const isSame = (a: FileAgent, b: FileAgent): boolean => {
  const text = ({ agent, enabled }: FileAgent) =>
    JSON.stringify([
      agent.id,
      agent.metadata,
      agent.capabilities,
      agent.requires,
      agent.definition ?? null,
      enabled ?? null
    ])
  return text(a) === text(b)
}

/** Registers an agent, in the place of an earlier one of the same files, and has it be given work or not, where a file says so. */
const register = (
  registry: AgentRegistry.Service,
  next: FileAgent,
  previous: FileAgent | undefined
): Effect.Effect<InvalidAgentFile | undefined, LogWriteFailed> =>
  Effect.gen(function* () {
    const { agent, enabled } = next
    yield* registry.register(agent, { replace: true })
    // What a file says counts when it begins to say it, so that a change of something else undoes no decision of the host.
    if (enabled === previous?.enabled) return undefined
    if (enabled === false) yield* registry.disable(agent.id)
    else if (enabled === true || previous?.enabled === false) yield* registry.enable(agent.id)
    return undefined
  }).pipe(
    Effect.catchTags({
      AgentNotFound: () => Effect.succeed(undefined),
      AgentRejected: ({ reason }) =>
        Effect.succeed(
          new InvalidAgentFile({
            file: next.file,
            problems: [{ path: "", ...next.at, rule: "agent", message: reason }]
          })
        )
    })
  )

/**
 * Makes a registry say what files say, one agent at a time; an agent that is the same is not touched. `kept` are the agents of
 * the files that are registered, by their ids without case, and is brought up to date. Gives what keeps agents from it.
 */
export const settle = (
  registry: AgentRegistry.Service,
  files: Iterable<Claimant>,
  isOurs: IsOurs,
  kept: Map<string, FileAgent>
): Effect.Effect<Claims, LogWriteFailed> =>
  Effect.gen(function* () {
    const others = yield* othersIn(registry, isOurs)
    const claims = claim(files, others)
    const refused: Array<InvalidAgentFile> = []
    for (const next of claims.holders.values()) {
      const key = keyOf(next)
      const previous = kept.get(key)
      if (previous === next || (previous !== undefined && isSame(previous, next))) continue
      yield* Effect.uninterruptible(
        Effect.map(register(registry, next, previous), (problem) => {
          if (problem === undefined) kept.set(key, next)
          else refused.push(problem)
        })
      )
    }
    // Who comes is there before others go, so that what both can do can be done at any moment.
    for (const [key, previous] of [...kept]) {
      if (claims.holders.has(key)) continue
      const withdraw = others.has(key)
        ? Effect.void
        : Effect.catchTag(registry.unregister(previous.agent.id), "AgentNotFound", () => Effect.void)
      yield* Effect.uninterruptible(Effect.map(withdraw, () => kept.delete(key)))
    }
    return { holders: claims.holders, problems: [...claims.problems, ...refused] }
  })
