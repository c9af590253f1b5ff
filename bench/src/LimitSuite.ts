import { contest } from "./Contest.js"
import type { Options, Row } from "./Measure.js"

const batches = (quick: boolean) =>
  (
    [
      [1, 300],
      [16, 300],
      [100, 200],
      [1000, 50]
    ] as const
  ).map(([batch, groups]) => ({ batch, groups: quick ? 5 : groups }))

/** What this machine can do at the most: its disk, SQLite, and a scheduler that does nothing else. */
export const limitSuite = async (options: Options): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  for (const task of batches(options.quick)) {
    const does = "one write + fdatasync a batch, of bytes that are ready"
    const disk = (name: string, how: string, settings: Record<string, boolean>) => ({
      name,
      does: `${does}; ${how}`,
      module: "disk",
      settings,
      task
    })
    rows.push(
      ...(await contest(
        {
          suite: "limit",
          group: `the disk, ${task.batch} ${task.batch === 1 ? "line" : "lines"} a batch`,
          references: [disk("append", "callbacks, so that the process can do something else", {})],
          others: [
            disk("append, blocking", "calls that block the process", { blocking: true }),
            disk("overwrite", "callbacks, over blocks that were written before", { overwrite: true }),
            disk("overwrite, blocking", "calls that block, over blocks that were written before", {
              overwrite: true,
              blocking: true
            })
          ]
        },
        options
      ))
    )
  }
  for (const [batch, groups] of [
    [1, 2000],
    [100, 100],
    [1000, 20]
  ] as const) {
    const sqlite = (synchronous: string, syncs: string) => ({
      name: `better-sqlite3, WAL, ${synchronous}`,
      does: `prepared inserts of an event; ${syncs}`,
      module: "sqlite",
      settings: { synchronous },
      task: { batch, groups: options.quick ? 5 : groups }
    })
    rows.push(
      ...(await contest(
        {
          suite: "limit",
          group: `SQLite, ${batch} ${batch === 1 ? "row" : "rows"} a transaction`,
          references: [sqlite("NORMAL", "nothing is synced but checkpoints")],
          others: [sqlite("FULL", "every transaction is synced")]
        },
        options
      ))
    )
  }
  const nodes = options.quick ? 100 : 10_000
  const kahn = (name: string, does: string, promises: boolean) => ({
    name,
    does,
    module: "kahn",
    settings: { promises },
    task: { nodes, times: options.quick ? 1 : 20 }
  })
  rows.push(
    ...(await contest(
      {
        suite: "limit",
        group: `a graph of ${nodes.toLocaleString("en-GB")} nodes that do nothing`,
        references: [kahn("Kahn's algorithm", "in memory, a call a node", false)],
        others: [kahn("Kahn's algorithm, promises", "in memory, a promise a node", true)]
      },
      options
    ))
  )
  return rows
}
