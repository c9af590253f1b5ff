import { contest } from "./Contest.js"
import type { Options, Row } from "./Measure.js"
import { startPeers } from "./Peers.js"
import { recoveries } from "./Recovery.js"

const rawLoop = {
  name: "raw loop",
  does: "one line a step; a write + fdatasync per group before a dependent starts",
  module: "rawLoop",
  settings: { sync: true }
}

const rawLoopOverwriting = {
  name: "raw loop, overwriting",
  does: "the same over blocks that were written before, which need less syncing",
  module: "rawLoop",
  settings: { sync: true, overwrite: true }
}

const rawLoopUnsynced = {
  name: "raw loop, no sync",
  does: "one line a step, written before a dependent starts and never synced",
  module: "rawLoop",
  settings: { sync: false }
}

const switchyard = {
  name: "Switchyard",
  does: "everything on, by its defaults: log, index and workspaces kept; the end of a step is synced before a dependent starts",
  module: "switchyard",
  settings: { form: "everything" }
}

const logOnly = {
  name: "Switchyard, log only",
  does: "the engine on its log: no index, workspaces in memory; the end of a step is synced before a dependent starts",
  module: "switchyard",
  settings: { form: "log" }
}

const logUnsynced = {
  name: "Switchyard, log only, no sync",
  does: "the same with a log that is opened with `sync: false`: written before a dependent starts and never synced",
  module: "switchyard",
  settings: { form: "log", sync: false }
}

/** Steps a second of steps that do nothing, beside loops that only write, and beside other products. */
export const engineSuite = async (options: Options): Promise<ReadonlyArray<Row>> => {
  const { peers, stop } = await startPeers(options)
  const { quick } = options
  const rows: Array<Row> = []
  try {
    for (const [group, task] of [
      [quick ? "W1, small" : "W1: one chain of 200", { shape: "chain", length: quick ? 10 : 200, runs: 1 }],
      [
        quick ? "W2, small" : "W2: 500 in parallel and a join",
        { shape: "fanOut", length: quick ? 20 : 500, runs: 1 }
      ],
      [
        quick ? "W3, small" : "W3: 100 concurrent chains of 20",
        { shape: "chain", length: quick ? 4 : 20, runs: quick ? 5 : 100 }
      ]
    ] as const) {
      rows.push(
        ...(await contest(
          {
            suite: "engine",
            group,
            references: [rawLoop, switchyard].map((each) => ({ ...each, task })),
            others: [rawLoopOverwriting, logOnly, rawLoopUnsynced, logUnsynced, ...peers].map((each) => ({
              ...each,
              task
            }))
          },
          options
        ))
      )
    }
    rows.push(
      ...(await recoveries(
        quick ? "W5, small" : "W5: a chain of 200 killed at step 101, until its first new step",
        quick ? { steps: 10, killAt: 5 } : { steps: 200, killAt: 100 },
        [
          rawLoop,
          switchyard,
          logOnly,
          ...peers.map(({ slowRecovery, ...peer }) => ({
            ...peer,
            ...(slowRecovery ? { mostRepeats: 1 } : {})
          }))
        ],
        options
      ))
    )
  } finally {
    await stop()
  }
  return rows
}
