import * as Effect from "effect/Effect"
import type { Service as AgentRegistry } from "../AgentRegistry.js"
import type { AgentId } from "../Ids.js"
import { allows, attenuate, type Granted } from "../Permission.js"
import type { Plan } from "../Plan.js"
import type { Definition, StepDefinition } from "../WorkflowDefinition.js"
import { queryOf } from "./planStep.js"
import type { Problem } from "./problem.js"

/** The message of the error that something fails with, or `undefined` where it succeeds. */
type Why = Effect.Effect<string | undefined>

const why = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E>): Why =>
  Effect.match(effect, { onFailure: ({ message }) => message, onSuccess: () => undefined })

/** Asks a registry the same thing once, since a workflow may have ten thousand steps and few kinds of them. */
const makeAsking = (registry: AgentRegistry) => {
  const answers = new Map<string, string | undefined>()
  const once = (key: string, ask: () => Why): Why =>
    Effect.suspend(() =>
      answers.has(key)
        ? Effect.succeed(answers.get(key))
        : Effect.tap(ask(), (answer) => Effect.sync(() => answers.set(key, answer)))
    )
  return {
    agent: (id: AgentId, granted: Granted) =>
      once(`agent ${id} ${granted?.join()}`, () =>
        Effect.match(registry.get(id), {
          onFailure: ({ message }) => message,
          onSuccess: ({ requires }) => {
            const missing = requires.filter((each) => !allows(granted, each))
            return missing.length === 0
              ? undefined
              : `the agent "${id}" needs ${missing.join(", ")}, which is not granted here, so that it would be denied`
          }
        })
      ),
    skill: (step: StepDefinition, granted: Granted) => {
      const query = queryOf(step)
      return once(JSON.stringify([query, granted]), () => why(registry.selectAgent(query, { granted })))
    }
  }
}

const capabilityWarnings = (
  { defaults, steps }: Definition,
  ask: ReturnType<typeof makeAsking>,
  granted: Granted
): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.gen(function* () {
    const found: Array<Problem> = []
    const warn = (path: string, answer: Why) =>
      Effect.map(answer, (message) => {
        if (message !== undefined) found.push({ path, rule: "capability", message })
      })
    const others = (path: string, fallback: StepDefinition["fallback"], given: Granted) =>
      typeof fallback === "object"
        ? Effect.forEach(fallback, (id, index) => warn(`${path}.fallback[${index}]`, ask.agent(id, given)), {
            discard: true
          })
        : Effect.void

    let usesDefaults = false
    for (const [index, step] of steps.entries()) {
      const path = `steps[${index}]`
      const given = attenuate(granted, step.permissions)
      if (step.subworkflow !== undefined) {
        const { subworkflow } = step
        const inner = yield* capabilityWarnings(subworkflow, ask, attenuate(given, subworkflow.permissions))
        found.push(...inner.map((each) => ({ ...each, path: `${path}.subworkflow.${each.path}` })))
      } else if (step.agent !== undefined) yield* warn(`${path}.agent`, ask.agent(step.agent, given))
      else if (step.skill !== undefined) yield* warn(`${path}.skill`, ask.skill(step, given))
      else continue
      usesDefaults ||= step.subworkflow === undefined && step.fallback === undefined
      yield* others(path, step.fallback, given)
    }
    if (usesDefaults) yield* others("defaults", defaults?.fallback, granted)
    return found
  })

/** What of a plan is most likely not meant: what it says itself, and what none of the agents that there are now could do. */
export const warningsOf = (
  { definition, warnings }: Plan,
  registry: AgentRegistry
): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.map(capabilityWarnings(definition, makeAsking(registry), definition.permissions), (more) => [
    ...warnings,
    ...more
  ])

/** Logs the warnings of plans, those of each plan once. */
export const makeWarning = (registry: AgentRegistry) => {
  const told = new WeakSet<Plan>()
  return (plan: Plan): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (told.has(plan)) return Effect.void
      told.add(plan)
      return Effect.flatMap(warningsOf(plan, registry), (warnings) => {
        const lines = warnings.map(({ message, path }) => `  ${path}: ${message}`)
        const first = `The workflow "${plan.definition.name}" may not run as it is meant to:`
        return lines.length === 0 ? Effect.void : Effect.logWarning([first, ...lines].join("\n"))
      })
    })
}
