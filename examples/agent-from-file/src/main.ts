import { fileURLToPath } from "node:url"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"

const texts = ["a quick brown fox", "jumps over", "the lazy dog"]
const digest = Workflow.make("digest").pipe(Workflow.step("count", { skill: "count-words", forEach: texts }))

await using yard = await Switchyard.open({
  directory: process.argv[2] ?? ".switchyard",
  agentFiles: { directory: fileURLToPath(new URL("../agents", import.meta.url)) }
})
for (const { message } of await yard.agentProblems()) console.error(message)
const run = await yard.registerRun({ workflow: digest })
const { outputs, status } = await run.result
console.log(`${status}: ${JSON.stringify(outputs.count)} words`)
