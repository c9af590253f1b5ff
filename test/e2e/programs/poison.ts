import * as Agent from "@switchyard/core/Agent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"

// A host that is killed by an item of its one run, as soon as that starts: `poison.ts DIRECTORY`.
const [directory = ".switchyard"] = process.argv.slice(2)

const poison = Agent.fromPromise("poison", {
  capabilities: [{ skill: "die" }],
  run: async () => {
    process.kill(process.pid, "SIGKILL")
    return new Promise(() => undefined)
  }
})

await using yard = await Switchyard.open({ directory, agents: [poison] })
const workflow = Workflow.make("poison").pipe(Workflow.step("die", { skill: "die" }))
const run = await yard.registerRun({ workflow, id: "the-run" })
process.stdout.write(`${JSON.stringify(await run.result)}\n`)
