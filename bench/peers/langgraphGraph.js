import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { Annotation, END, START, StateGraph } from "@langchain/langgraph"
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite"
import { subjectOf, times } from "./workload.js"

const State = Annotation.Root({ done: Annotation({ reducer: (a, b) => a + b, default: () => 0 }) })

const compile = ({ length, shape }, saver, holder) => {
  const graph = new StateGraph(State)
  const name = (index) => `s${index}`
  const count = shape === "chain" ? length : length + 1
  for (let index = 0; index < count; index++) {
    graph.addNode(name(index), async () => {
      await holder.step(index)
      return { done: 1 }
    })
  }
  if (shape === "chain") {
    graph.addEdge(START, name(0))
    for (let index = 1; index < length; index++) graph.addEdge(name(index - 1), name(index))
  } else {
    for (let index = 0; index < length; index++) graph.addEdge(START, name(index))
    graph.addEdge(times(length, name), name(length))
  }
  graph.addEdge(name(count - 1), END)
  return graph.compile({ checkpointer: saver })
}

const configOf = (length, thread_id) => ({
  configurable: { thread_id },
  durability: "sync",
  recursionLimit: length + 10
})

const saverIn = (directory) => SqliteSaver.fromConnString(join(directory, "store.sqlite"))

export const open = async (directory) => {
  const saver = saverIn(directory)
  const graphs = new Map()
  const holder = { step: undefined }
  return subjectOf(
    async (workload, step) => {
      const key = `${workload.shape}-${workload.length}`
      if (!graphs.has(key)) graphs.set(key, compile(workload, saver, holder))
      holder.step = step
      const { done } = await graphs.get(key).invoke({ done: 0 }, configOf(workload.length, randomUUID()))
      return done
    },
    async () => saver.db.close()
  )
}

export const begin = async (directory, { length }, step) => {
  const graph = compile({ shape: "chain", length }, saverIn(directory), { step })
  await graph.invoke({ done: 0 }, configOf(length, "the-run"))
}

export const resume = async (directory, { length }, step) => {
  const graph = compile({ shape: "chain", length }, saverIn(directory), { step })
  return (await graph.invoke(null, configOf(length, "the-run"))).done
}
