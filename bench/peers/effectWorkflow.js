import { randomUUID } from "node:crypto"
import { join } from "node:path"
import * as ClusterWorkflowEngine from "@effect/cluster/ClusterWorkflowEngine"
import * as SingleRunner from "@effect/cluster/SingleRunner"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Activity from "@effect/workflow/Activity"
import * as Workflow from "@effect/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import { subjectOf, times } from "./workload.js"

const Steps = Workflow.make({
  name: "Steps",
  payload: { id: Schema.String, shape: Schema.String, length: Schema.Number },
  success: Schema.Number,
  idempotencyKey: ({ id }) => id
})

const start = (directory, holder) => {
  const work = (index) =>
    Activity.make({
      name: `s${index}`,
      success: Schema.Number,
      execute: Effect.as(
        Effect.promise(() => holder.step(index)),
        1
      )
    })
  const live = Steps.toLayer(({ length, shape }) =>
    Effect.gen(function* () {
      let done = 0
      if (shape === "chain") {
        for (let index = 0; index < length; index++) done += yield* work(index)
        return done
      }
      for (const one of yield* Effect.all(times(length, work), { concurrency: "unbounded" })) done += one
      return done + (yield* work(length))
    })
  )
  const layer = live.pipe(
    Layer.provideMerge(ClusterWorkflowEngine.layer),
    Layer.provideMerge(SingleRunner.layer({ runnerStorage: "sql" })),
    Layer.provideMerge(SqliteClient.layer({ filename: join(directory, "store.sqlite") }))
  )
  return ManagedRuntime.make(layer)
}

export const open = async (directory) => {
  const holder = { step: undefined }
  const runtime = start(directory, holder)
  await runtime.runPromise(Effect.void)
  return subjectOf(
    ({ length, shape }, step) => {
      holder.step = step
      return runtime.runPromise(Steps.execute({ id: randomUUID(), shape, length }))
    },
    () => runtime.dispose()
  )
}

const theRun = (length) => Steps.execute({ id: "the-run", shape: "chain", length })

export const begin = async (directory, { length }, step) => {
  await start(directory, { step }).runPromise(theRun(length))
}

export const resume = (directory, { length }, step) => start(directory, { step }).runPromise(theRun(length))
