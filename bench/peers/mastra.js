import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { Mastra } from "@mastra/core"
import { createStep, createWorkflow } from "@mastra/core/workflows"
import { LibSQLStore } from "@mastra/libsql"
import { z } from "zod"
import { subjectOf, times } from "./workload.js"

const done = z.object({ done: z.number() })
const all = z.record(done)

const workflowOf = ({ length, shape }, holder) => {
  const stepOf = (index, inputSchema = done) =>
    createStep({
      id: `s${index}`,
      inputSchema,
      outputSchema: done,
      execute: async ({ inputData }) => {
        await holder.step(index)
        if (inputSchema === done) return { done: shape === "chain" ? inputData.done + 1 : 1 }
        return { done: Object.values(inputData).reduce((sum, each) => sum + each.done, 1) }
      }
    })
  const workflow = createWorkflow({ id: `${shape}-${length}`, inputSchema: done, outputSchema: done })
  if (shape === "chain") times(length, (index) => workflow.then(stepOf(index)))
  else workflow.parallel(times(length, (index) => stepOf(index))).then(stepOf(length, all))
  return workflow.commit()
}

const workloads = [
  { shape: "chain", length: 200 },
  { shape: "fanOut", length: 500 },
  { shape: "chain", length: 20 },
  { shape: "chain", length: 10 },
  { shape: "fanOut", length: 20 },
  { shape: "chain", length: 4 }
]

const start = (directory, holder) => {
  const flows = workloads.map((workload) => workflowOf(workload, holder))
  const storage = new LibSQLStore({ url: `file:${join(directory, "store.db")}` })
  const mastra = new Mastra({
    workflows: Object.fromEntries(flows.map((workflow) => [workflow.id, workflow])),
    storage,
    logger: false
  })
  return { storage, workflow: ({ length, shape }) => mastra.getWorkflow(`${shape}-${length}`) }
}

const resultOf = (answer) => {
  if (answer.status !== "success") throw new Error(`the run is ${answer.status}: ${answer.error?.message}`)
  return answer.result.done
}

export const open = async (directory) => {
  const holder = { step: undefined }
  const { storage, workflow } = start(directory, holder)
  await storage.init()
  return subjectOf(
    async (workload, step) => {
      holder.step = step
      const run = await workflow(workload).createRunAsync({ runId: randomUUID() })
      return resultOf(await run.start({ inputData: { done: 0 } }))
    },
    async () => undefined
  )
}

const chain = (length) => ({ shape: "chain", length })

export const begin = async (directory, { length }, step) => {
  const run = await start(directory, { step }).workflow(chain(length)).createRunAsync({ runId: "the-run" })
  await run.start({ inputData: { done: 0 } })
}

export const resume = async (directory, { length }, step) => {
  const run = await start(directory, { step }).workflow(chain(length)).createRunAsync({ runId: "the-run" })
  return resultOf(await run.restart())
}
