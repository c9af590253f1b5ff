import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { entrypoint, task } from "@langchain/langgraph"
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite"
import { subjectOf, times } from "./workload.js"

const compile = (checkpointer, holder) => {
  const work = task("work", async (index) => {
    await holder.step(index)
    return 1
  })
  return entrypoint({ name: "steps", checkpointer }, async ({ length, shape }) => {
    let done = 0
    if (shape === "chain") {
      for (let index = 0; index < length; index++) done += await work(index)
      return done
    }
    for (const one of await Promise.all(times(length, (index) => work(index)))) done += one
    return done + (await work(length))
  })
}

const configOf = (thread_id) => ({ configurable: { thread_id }, durability: "sync" })

const saverIn = (directory) => SqliteSaver.fromConnString(join(directory, "store.sqlite"))

export const open = async (directory) => {
  const saver = saverIn(directory)
  const holder = { step: undefined }
  const workflow = compile(saver, holder)
  return subjectOf(
    ({ length, shape }, step) => {
      holder.step = step
      return workflow.invoke({ length, shape }, configOf(randomUUID()))
    },
    async () => saver.db.close()
  )
}

export const begin = async (directory, { length }, step) => {
  await compile(saverIn(directory), { step }).invoke({ shape: "chain", length }, configOf("the-run"))
}

export const resume = (directory, _, step) =>
  compile(saverIn(directory), { step }).invoke(null, configOf("the-run"))
