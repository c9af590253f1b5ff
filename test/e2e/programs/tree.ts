import * as Workflow from "@switchyard/core/Workflow"
import * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Switchyard from "@switchyard/node/Switchyard"

// A host to be killed while it runs a tree of stubborn programs: `tree.ts DIRECTORY MARK`.
const [directory = ".switchyard", mark = ""] = process.argv.slice(2)

// One that left its group, one that cleared its environment, and the leader; none of them obeys.
const source = `
  trap '' INT TERM
  setsid sleep 300 &
  env -i sleep 300 &
  sleep 300 &
  echo grown
  while :; do sleep 1; done
`

await using yard = await Switchyard.open({
  directory,
  agents: [
    ProcessAgent.make("tree", {
      capabilities: [{ skill: "grow" }],
      command: "sh",
      args: ["-c", source],
      env: { set: { MARK: mark } }
    })
  ]
})
const workflow = Workflow.make("trees").pipe(Workflow.step("grow", { skill: "grow" }))
const run = await yard.registerRun({ workflow, id: "the-run" })
process.stdout.write(`${JSON.stringify(await run.result)}\n`)
