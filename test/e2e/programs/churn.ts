import { appendFileSync } from "node:fs"
import * as Agent from "@switchyard/core/Agent"
import * as Workflow from "@switchyard/core/Workflow"
import * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Switchyard from "@switchyard/node/Switchyard"

// A host to be killed at any instant and started again until all of its runs have ended: `churn.ts DIRECTORY MARK`.
const [directory = ".switchyard", mark = ""] = process.argv.slice(2)

const scribe = Agent.fromPromise("scribe", {
  capabilities: [{ skill: "note" }],
  run: async (task) => {
    await new Promise((resolve) => setTimeout(resolve, 15))
    appendFileSync(`${directory}/../calls`, `${task.runId}/${task.stepId}/${task.index}\n`)
    return task.index
  }
})
// Each attempt leaves a process behind that has left its group, and something temporary.
const program = ProcessAgent.make("program", {
  capabilities: [{ skill: "spawn" }],
  command: "sh",
  args: ["-c", "setsid sleep 300 & echo x > ../temp/$0; sleep 0.05; echo $0", "{{index}}"],
  env: { set: { MARK: mark } },
  escalation: { terminate: "50 millis", kill: "50 millis" }
})

const list = (length: number) => Array.from({ length }, (_, index) => index)
const workflow = Workflow.make("churn").pipe(
  Workflow.step("notes", { skill: "note", forEach: list(20), concurrency: 3 }),
  Workflow.step("programs", { skill: "spawn", forEach: list(6), concurrency: 2 }),
  Workflow.step("last", { skill: "note", after: ["notes", "programs"] })
)

await using yard = await Switchyard.open({
  directory,
  agents: [scribe, program],
  orphanGrace: "50 millis",
  maxRecoveryAttempts: Number.POSITIVE_INFINITY
})
process.stdout.write("open\n")
const runs = await Promise.all(list(6).map((n) => yard.registerRun({ workflow, id: `run-${n}` })))
const results = await Promise.all(runs.map(({ result }) => result))
process.stdout.write(`${JSON.stringify(results.map(({ status }) => status))}\n`)
