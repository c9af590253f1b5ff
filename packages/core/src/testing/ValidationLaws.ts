import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { AgentRegistry } from "../AgentRegistry.js"
import type { Problem } from "../Plan.js"
import * as Workflow from "../Workflow.js"
import type { Definition } from "../WorkflowDefinition.js"
import { law, type Plane } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal, fails, type Law } from "./Law.js"
import * as ScriptedAgent from "./ScriptedAgent.js"

const step = Workflow.stepDefinition

const lines = (problems: ReadonlyArray<Problem>): ReadonlyArray<string> =>
  problems.map(({ message, path, rule }) => `${rule} ${path}: ${message}`)

const other = (id: string) => ScriptedAgent.make(id, () => [ScriptedAgent.give(null)])

const register = (id: string) => Effect.flatMap(AgentRegistry, (registry) => registry.register(other(id)))

const doubtful: Definition = {
  name: "doubtful",
  defaults: { fallback: ["spare", "work"] as never },
  steps: [
    step("a", { skill: "wrok" }),
    step("b", { skill: "work" }),
    step("c", { agent: "wokr", fallback: ["work", "second"] as never }),
    step("d", { agent: "WORK" as never, fallback: true }),
    step("e", { approval: {} }),
    step("f", { skill: "work", when: "1 > 2" }),
    step("g", { subworkflow: { name: "inner", steps: [step("h", { skill: "zzz" })] } })
  ]
}

const notRegistered = (id: string, hint = "") =>
  `No agent is registered as "${id}"${hint} (registered are work)`

const warnings = [
  "unreachable steps[5].when: this is false whatever happens, so the step never runs; remove it or the condition",
  'capability steps[0].skill: No agent can do "wrok"; did you mean "work"? (the registered skills are work)',
  `capability steps[2].agent: ${notRegistered("wokr", '; did you mean "work"?')}`,
  `capability steps[2].fallback[1]: ${notRegistered("second")}`,
  'capability steps[6].subworkflow.steps[0].skill: No agent can do "zzz" (the registered skills are work)',
  `capability defaults.fallback[0]: ${notRegistered("spare")}`
]

/** What is logged while an effect is executed. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const messages: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
      messages.push(`${logLevel.label} ${String(message)}`)
    })
    return Effect.as(Effect.provide(effect, Logger.add(logger)), messages)
  })

/** What every control plane promises about what it says of workflows before they are run. */
export const ValidationLaws: ReadonlyArray<Law<Plane>> = [
  law("warns of what is most likely not meant, and of what no agent could do now", ({ plane }) =>
    Effect.gen(function* () {
      yield* equal("the warnings", lines(yield* plane.validate(doubtful)), warnings)
      const dry = yield* plane.dryRun({ workflow: doubtful })
      yield* equal("a dry run says the same", lines(dry.warnings), warnings)
      for (const id of ["wrok", "wokr", "second", "spare", "zzz"]) yield* register(id)
      const left = yield* plane.validate(Workflow.fromDefinition(doubtful))
      yield* equal("what is registered is not missed", lines(left), warnings.slice(0, 1))
    })
  ),

  law("says that there is no agent at all where there is none", ({ plane }) =>
    Effect.gen(function* () {
      yield* Effect.flatMap(AgentRegistry, (registry) => registry.unregister("work"))
      const found = yield* plane.validate({ name: "w", steps: [step("a", { skill: "x" })] })
      yield* equal("the warning", lines(found), [
        'capability steps[0].skill: No agent can do "x": no agent is registered'
      ])
      const named = yield* plane.validate({ name: "w", steps: [step("a", { agent: "x" })] })
      yield* equal("of an agent", lines(named), [
        'capability steps[0].agent: No agent is registered as "x" (none is registered)'
      ])
    })
  ),

  law("refuses what cannot be run with every problem, groups included", () =>
    Effect.gen(function* () {
      const { plane } = yield* Host.start({ groups: { openai: { concurrency: 1 } } })
      const group = { skill: "work", group: "opnai" }
      const inner = { name: "inner", steps: [step("b", group)] }
      const steps = [step("a", { ...group, after: ["x"] }), step("c", { subworkflow: inner })]
      const workflow: Definition = { name: "w", defaults: { group: "zzz" }, steps }
      const problems = [
        'defaults.group: there is no group "zzz"; there is openai',
        'steps[0].group: there is no group "opnai"; did you mean "openai"?',
        'steps[1].subworkflow.steps[0].group: there is no group "opnai"; did you mean "openai"?'
      ]
      const error = yield* fails("it is refused", "InvalidWorkflow", plane.validate(workflow))
      yield* equal("why", error.message.split("\n"), [
        'The workflow "w" cannot be run:',
        ...['steps[0].after[0]: there is no step "x"', ...problems].map((each) => `  ${each}`)
      ])
      const rest: Definition = { ...workflow, steps: [step("a", group), step("c", { subworkflow: inner })] }
      const groups = yield* fails("groups alone", "InvalidWorkflow", plane.validate(rest))
      yield* equal(
        "why",
        groups.problems.map(({ message, path }) => `${path}: ${message}`),
        problems
      )
      yield* fails("a run of it", "InvalidWorkflow", plane.registerRun({ workflow: rest }))
    })
  ),

  law("logs the warnings of a workflow with its first run, and executes it all the same", ({ plane, work }) =>
    Effect.gen(function* () {
      const workflow: Definition = {
        name: "w",
        steps: [step("a", { skill: "work" }), step("b", { skill: "work", when: "false" })]
      }
      yield* work.open
      const run = Effect.gen(function* () {
        const handle = yield* plane.registerRun({ workflow })
        yield* equal("it completes", (yield* handle.result).status, "Completed")
      })
      yield* equal("with the first run", yield* logged(run), [
        [
          'WARN The workflow "w" may not run as it is meant to:',
          "  steps[1].when: this is false whatever happens, so the step never runs; remove it or the condition"
        ].join("\n")
      ])
      yield* equal("with the next one", yield* logged(run), [])
      yield* equal("validation logs nothing", yield* logged(plane.validate({ ...workflow })), [])
      const sound: Definition = { name: "w", steps: [step("a", { skill: "work" })] }
      const other = plane.registerRun({ workflow: sound })
      yield* equal("nothing to warn of", yield* logged(other), [])
    })
  )
]
