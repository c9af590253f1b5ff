import { contest } from "./Contest.js"
import type { Options, Row } from "./Measure.js"

const entrants = [
  {
    name: "direct, effects",
    does: "a loop of effects a chain, with the packages loaded and not used; nothing is kept",
    module: "direct",
    settings: { effects: true }
  },
  {
    name: "direct, promises",
    does: "a loop of promises a chain, with the packages loaded and not used; nothing is kept",
    module: "direct",
    settings: { effects: false }
  },
  {
    name: "Switchyard, log only",
    does: "a run a chain: no index, workspaces in memory; each step is durable before the next",
    module: "controlled",
    settings: { form: "log" }
  },
  {
    name: "Switchyard",
    does: "a run a chain, everything on by its defaults; each step is durable before the next",
    module: "controlled",
    settings: { form: "everything" }
  }
] as const

/** The ratio says it as a rate; this says by how much longer it takes. */
const withOverhead = (row: Row): Row => ({
  ...row,
  figures: { "overhead %": (1 / row.ratio - 1) * 100, ...row.figures }
})

/** The same steps directly and through the control plane: how long they take, and what they cost the host. */
export const overheadSuite = async (options: Options): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  const against = async (
    group: string,
    task: Record<string, number | boolean>,
    compared: ReadonlyArray<string>,
    warmUps?: number
  ) => {
    const [first, ...others] = entrants.map((each) => ({ ...each, task }))
    if (first === undefined) return []
    return contest(
      {
        suite: "overhead",
        group,
        references: [first],
        others,
        compared,
        flushes: false,
        ...(warmUps === undefined ? {} : { warmUps })
      },
      options
    )
  }
  for (const [millis, steps, times] of options.quick
    ? ([[1, 3, 1]] as const)
    : ([
        [1, 100, 5],
        [10, 50, 2],
        [100, 10, 1]
      ] as const)) {
    for (const runs of options.quick ? [3] : [1, 100]) {
      const found = await against(
        `${runs} ${runs === 1 ? "run" : "concurrent runs"}, ${steps} steps of ${millis} ms`,
        { runs, steps, millis, times: runs === 1 ? times : 1 },
        ["cpu µs/step"]
      )
      rows.push(...found.map(withOverhead))
    }
  }
  const runs = options.quick ? 3 : 100
  // The latest entries are kept in memory for followers: what they take has to be there before memory is judged.
  const held = { hold: true, runs, steps: 20, millis: 0, times: 1 }
  rows.push(...(await against(`memory while ${runs} runs are under way`, held, ["heap MB", "RSS MB"], 8)))
  return rows
}
