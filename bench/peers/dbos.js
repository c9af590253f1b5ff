import { basename } from "node:path"
import { DBOS } from "@dbos-inc/dbos-sdk"
import { subjectOf, times } from "./workload.js"

const holder = { step: undefined }

const work = (index) =>
  DBOS.runStep(
    async () => {
      await holder.step(index)
      return 1
    },
    { name: `s${index}` }
  )

const steps = DBOS.registerWorkflow(
  async (shape, length) => {
    let done = 0
    if (shape === "chain") {
      for (let index = 0; index < length; index++) done += await work(index)
      return done
    }
    for (const one of await Promise.all(times(length, work))) done += one
    return done + (await work(length))
  },
  { name: "steps" }
)

const launch = async (directory, { url }) => {
  // Two processes that share a database would recover each other's workflows.
  const systemDatabaseUrl = url.replace(/[^/]+$/, basename(directory).replaceAll("-", "_").toLowerCase())
  DBOS.setConfig({ name: "bench", systemDatabaseUrl, logLevel: "error", runAdminServer: false })
  await DBOS.launch()
}

export const open = async (directory, settings) => {
  await launch(directory, settings)
  return subjectOf(
    async ({ length, shape }, step) => {
      holder.step = step
      return (await DBOS.startWorkflow(steps)(shape, length)).getResult()
    },
    () => DBOS.shutdown()
  )
}

export const begin = async (directory, settings, step) => {
  holder.step = step
  await launch(directory, settings)
  const handle = await DBOS.startWorkflow(steps, { workflowID: "the-run" })("chain", settings.length)
  await handle.getResult()
}

export const resume = async (directory, settings, step) => {
  holder.step = step
  await launch(directory, settings)
  return DBOS.retrieveWorkflow("the-run").getResult()
}
