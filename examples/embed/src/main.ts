import * as Agent from "@switchyard/core/Agent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Schema from "effect/Schema"

const counter = Agent.fromPromise("counter", {
  capabilities: [{ skill: "count-words" }],
  run: async (task) => String(task.input).trim().split(/\s+/).length
})
const adder = Agent.fromPromise("adder", {
  capabilities: [{ skill: "sum" }],
  run: async (task) => (task.input as ReadonlyArray<number>).reduce((sum, each) => sum + each, 0)
})

const digest = Workflow.make("digest", {
  params: Schema.Struct({ texts: Schema.Array(Schema.String) })
}).pipe(
  Workflow.step("count", { skill: "count-words", forEach: ({ params }) => params.texts, concurrency: 4 }),
  Workflow.step("total", { skill: "sum", after: ["count"], input: ({ steps }) => steps.count.output })
)

await using yard = await Switchyard.open({
  directory: process.argv[2] ?? ".switchyard",
  agents: [counter, adder]
})
const run = await yard.registerRun({
  workflow: digest,
  params: { texts: ["a quick brown fox", "jumps over", "the lazy dog"] }
})
for await (const { event } of run.events) console.log(event._tag, "stepId" in event ? event.stepId : "")
const { outputs, status } = await run.result
console.log(`${status}: ${outputs.total} words`)
