import { appendFileSync } from "node:fs"
import * as Agent from "@switchyard/core/Agent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"

// A host to be killed: `host.ts DIRECTORY register|recover`. Every finished call is noted in DIRECTORY/../calls.
const [directory = ".switchyard", mode = "register"] = process.argv.slice(2)

const worker = Agent.fromPromise("worker", {
  capabilities: [{ skill: "work" }],
  run: async (task, { signal }) => {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, 40)
      signal.addEventListener("abort", () => {
        clearTimeout(timer)
        reject(new Error("aborted"))
      })
    })
    appendFileSync(`${directory}/../calls`, `${task.stepId}/${task.index}\n`)
    return `${task.stepId}-${task.index}`
  }
})

const steps = Workflow.make("steps").pipe(
  Workflow.step("first", { skill: "work", forEach: Array.from({ length: 20 }, (_, i) => i), concurrency: 2 }),
  Workflow.step("second", {
    skill: "work",
    after: ["first"],
    forEach: "{{ steps.first.output }}",
    concurrency: 4
  }),
  Workflow.step("last", { skill: "work", after: ["second"] })
)

await using yard = await Switchyard.open({ directory, agents: [worker] })
const run =
  mode === "register" ? await yard.registerRun({ workflow: steps, id: "the-run" }) : await yard.get("the-run")
process.stdout.write("ready\n")
process.stdout.write(`${JSON.stringify(await run.result)}\n`)
