import { fileURLToPath } from "node:url"
import * as Agent from "@switchyard/core/Agent"
import * as Usage from "@switchyard/core/Usage"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"

const usage = Usage.make({ inputTokens: 7, outputTokens: 2, costUsd: 0.0001 })

/** Agents with a history: one that fails now and then, one that is as good but disabled, and one whose circuit opens. */
export const agents = [
  Agent.make("Digger", {
    capabilities: [{ skill: "dig" }, { skill: "rest" }],
    run: ({ index }) =>
      index % 3 === 2
        ? Effect.fail(new Agent.AgentError({ kind: "InvalidOutput", reason: "stones" }))
        : Effect.as(Effect.sleep(2), Agent.output(index, usage))
  }),
  Agent.make("idler", { capabilities: [{ skill: "idle" }], run: () => Effect.succeed(null) }),
  Agent.make("broken", {
    capabilities: [{ skill: "break" }],
    run: () => Effect.fail(new Agent.AgentError({ kind: "Crashed", reason: "gone" }))
  })
]

/** A run of nine items, a third of which fail. */
export const digging = Workflow.make("digging").pipe(
  Workflow.step("dig", {
    skill: "dig",
    forEach: Array.from({ length: 9 }, (_, n) => n),
    onItemFailure: "continue",
    concurrency: 2
  })
)

const breaking = Workflow.make("breaking").pipe(
  Workflow.step("break", {
    agent: "broken",
    forEach: [1, 2, 3, 4, 5],
    concurrency: 1,
    onItemFailure: "continue"
  })
)

const main = async (directory: string): Promise<void> => {
  const yard = await Switchyard.open({ directory, agents })
  for (let n = 0; n < 3; n++) await (await yard.registerRun({ workflow: digging })).result
  await (await yard.registerRun({ workflow: breaking })).result
  await yard.disableAgent("IDLER")
  const told = { metrics: await yard.agentMetrics("digger"), dig: await yard.agentMetrics("digger", "dig") }
  console.log(`told ${JSON.stringify(told)}`)
}

const [, script, directory] = process.argv
if (script === fileURLToPath(import.meta.url) && directory !== undefined) await main(directory)
