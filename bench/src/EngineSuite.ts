import * as path from "node:path"
import * as Agent from "@switchyard/core/Agent"
import type { Definition } from "@switchyard/core/Workflow"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import { measure, type Row } from "./Measure.js"
import { line, openRaw } from "./Raw.js"

const definition = (
  name: string,
  count: number,
  after: (index: number) => ReadonlyArray<number>
): Definition => ({
  name,
  steps: Array.from({ length: count }, (_, index) =>
    Workflow.stepDefinition(`s${index}`, { skill: "noop", after: after(index).map((each) => `s${each}`) })
  )
})

const chain = (count: number) =>
  definition(`chain-${count}`, count, (index) => (index === 0 ? [] : [index - 1]))

const fanOut = (width: number) =>
  definition(`fan-out-${width}`, width + 1, (index) =>
    index < width ? [] : Array.from({ length: width }, (_, n) => n)
  )

/** Steps a second of no-op steps, durable, beside a plain loop that writes and syncs one line where a step must wait. */
export const engineSuite = async (directory: string, repeats: number): Promise<ReadonlyArray<Row>> => {
  const noop = Agent.make("noop", { capabilities: [{ skill: "noop" }], run: () => Effect.succeed(null) })
  await using yard = await Switchyard.open({
    directory: path.join(directory, "yard"),
    agents: [noop],
    maxConcurrentRuns: 1000,
    retention: { completed: "remove" }
  })
  const raw = openRaw(path.join(directory, "raw"), true)
  const runs = async (workflow: Definition, count: number) => {
    const started = await Promise.all(Array.from({ length: count }, () => yard.registerRun({ workflow })))
    for (const { status } of await Promise.all(started.map(({ result }) => result))) {
      if (status !== "Completed") throw new Error(`a run of ${workflow.name} is ${status}`)
    }
  }
  const rawChain = async (length: number) => {
    for (let n = 0; n < length; n++) await raw.append(line(n))
  }
  const does = "four events a step, index and workspace kept, fdatasync before a dependent starts"
  const rawDoes = "one line a step, fdatasync before a dependent starts"
  const [w1, w2, w3] = [chain(200), fanOut(500), chain(20)]
  const rows = [
    ...(await measure(
      "engine",
      "W1: a chain of 200",
      [
        { name: "raw loop", does: rawDoes, operations: 200, run: () => rawChain(200) },
        { name: "Switchyard", does, operations: 200, run: () => runs(w1, 1) }
      ],
      repeats
    )),
    ...(await measure(
      "engine",
      "W2: 500 in parallel and a join",
      [
        {
          name: "raw loop",
          does: rawDoes,
          operations: 501,
          run: async () => {
            await Promise.all(Array.from({ length: 500 }, (_, n) => raw.append(line(n))))
            await raw.append(line(500))
          }
        },
        { name: "Switchyard", does, operations: 501, run: () => runs(w2, 1) }
      ],
      repeats
    )),
    ...(await measure(
      "engine",
      "W3: 100 concurrent chains of 20",
      [
        {
          name: "raw loop",
          does: rawDoes,
          operations: 2000,
          run: async () => {
            await Promise.all(Array.from({ length: 100 }, () => rawChain(20)))
          }
        },
        { name: "Switchyard", does, operations: 2000, run: () => runs(w3, 100) }
      ],
      repeats
    ))
  ]
  raw.close()
  return rows
}
