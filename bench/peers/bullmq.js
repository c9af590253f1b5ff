import { randomUUID } from "node:crypto"
import { basename } from "node:path"
import { FlowProducer, Queue, QueueEvents, Worker } from "bullmq"
import { Redis } from "ioredis"
import { subjectOf, times } from "./workload.js"

/** The last job of a flow comes first: a chain is nested, a join has everything before it as children. */
const flowOf = (queueName, { length, shape }, id) => {
  const job = (index, children) => ({
    name: "step",
    queueName,
    data: { index },
    opts: { jobId: `${id}-${index}` },
    ...(children.length === 0 ? {} : { children })
  })
  if (shape === "fanOut")
    return job(
      length,
      times(length, (index) => job(index, []))
    )
  let flow = job(0, [])
  for (let index = 1; index < length; index++) flow = job(index, [flow])
  return flow
}

const start = async (directory, { url }, holder) => {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const name = basename(directory)
  const events = new QueueEvents(name, { connection })
  // Children complete before their parent, and each job adds itself to what they counted.
  const worker = new Worker(
    name,
    async (job) => {
      await holder.step(job.data.index)
      const children = Object.values(await job.getChildrenValues())
      return children.reduce((sum, each) => sum + each, 1)
    },
    { connection, concurrency: 500 }
  )
  const flows = new FlowProducer({ connection })
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()])
  return { connection, events, flows, name, worker }
}

export const open = async (directory, settings) => {
  const holder = { step: undefined }
  const { connection, events, flows, name, worker } = await start(directory, settings, holder)
  return subjectOf(
    async (workload, step) => {
      holder.step = step
      const { job } = await flows.add(flowOf(name, workload, randomUUID()))
      return job.waitUntilFinished(events)
    },
    async () => {
      await Promise.all([worker.close(), events.close(), flows.close()])
      connection.disconnect()
    }
  )
}

export const begin = async (directory, settings, step) => {
  const { events, flows, name } = await start(directory, settings, { step })
  const { job } = await flows.add(flowOf(name, { shape: "chain", length: settings.length }, "the-run"))
  await job.waitUntilFinished(events)
}

export const resume = async (directory, settings, step) => {
  const { connection, events, name } = await start(directory, settings, { step })
  const job = await new Queue(name, { connection }).getJob(`the-run-${settings.length - 1}`)
  return job.waitUntilFinished(events)
}
