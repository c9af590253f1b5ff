import * as Switchyard from "@switchyard/node/Switchyard"
import { critic, scribe, words } from "../workflows.js"

// Prints the live heap in bytes after a warm-up and after many more runs: `memory.ts DIRECTORY WARM-UP RUNS`.
const [directory = ".switchyard", warmUp = "200", runs = "1000"] = process.argv.slice(2)
const removeAll = { completed: "remove", failed: "remove", cancelled: "remove" } as const

await using yard = await Switchyard.open({ directory, agents: [scribe, critic], retention: removeAll })

const execute = async (count: number) => {
  for (let done = 0; done < count; done += 20) {
    const started = await Promise.all(
      Array.from({ length: 20 }, () =>
        yard.registerRun({ workflow: words, params: { words: ["a", "b", "bad"] } })
      )
    )
    for (const { status } of await Promise.all(started.map(({ result }) => result))) {
      if (status !== "Completed") throw new Error(`a run is ${status}`)
    }
  }
  await yard.listRuns()
}

const liveHeap = async () => {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed
}

await execute(Number(warmUp))
const before = await liveHeap()
await execute(Number(runs))
process.stdout.write(`${JSON.stringify({ before, after: await liveHeap() })}\n`)
