import { contest } from "./Contest.js"
import type { Options, Row } from "./Measure.js"

/** Durable appends by producers that wait for each one, beside raw group commit of lines as long. */
export const logSuite = async (options: Options): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  const log = (task: { readonly producers: number; readonly each: number }) => ({
    name: "JsonlEventLog.append",
    does: "one entry with checksum and both sequence numbers; a write + fdatasync per group before it answers",
    module: "jsonlLog",
    task
  })
  for (const [producers, times] of [
    [1, 500],
    [16, 300],
    [100, 150],
    [1000, 50]
  ] as const) {
    const task = { producers, each: options.quick ? 3 : times }
    const raw = {
      name: "raw group commit",
      does: "one line as long, written as JSON; a write + fdatasync per group before it answers",
      module: "groupCommit",
      task
    }
    rows.push(
      ...(await contest(
        {
          suite: "log",
          group: `${producers} ${producers === 1 ? "producer" : "producers"}`,
          references: [raw],
          others: [
            {
              ...raw,
              name: "raw group commit, overwriting",
              does: "the same over blocks that were written before, which need less syncing",
              settings: { overwrite: true }
            },
            log(task),
            {
              name: "JsonlEventLog.enqueue",
              does: "the same by callbacks instead of effects, as the engine uses the log",
              module: "jsonlLog",
              settings: { enqueue: true },
              task
            }
          ]
        },
        options
      ))
    )
  }
  const groups = options.quick ? 3 : 500
  const disk = (name: string, does: string, settings: Record<string, boolean>) => ({
    name,
    does,
    module: "disk",
    settings,
    task: { batch: 1, groups }
  })
  rows.push(
    ...(await contest(
      {
        suite: "log",
        group: "a lone durable append",
        references: [disk("write + fdatasync", "one line of bytes that are ready, callbacks", {})],
        others: [
          disk("write + fdatasync, overwriting", "the same over blocks that were written before", {
            overwrite: true
          }),
          disk("write + fdatasync, blocking", "the same, by calls that block the process", {
            blocking: true
          }),
          log({ producers: 1, each: groups })
        ]
      },
      options
    ))
  )
  return rows
}
