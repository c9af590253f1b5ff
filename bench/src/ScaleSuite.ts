import { contest } from "./Contest.js"
import type { Options, Row } from "./Measure.js"
import type { Settings } from "./Subject.js"

/** Something whose cost per unit should not depend on how much there is. */
interface Scaled {
  readonly group: string
  readonly does: string
  readonly module: string
  readonly settings?: Settings
  /** How often it is done at a size, so that a short one is measured as well as a long one. */
  readonly times: (size: number) => number
  readonly what: string
}

const enough = (units: number) => (size: number) => Math.max(1, Math.round(units / size))

const subjects: ReadonlyArray<Scaled> = [
  {
    group: "nodes in a graph, engine on its log",
    does: "one run, 100 steps wide, of steps that do nothing; per step",
    module: "graphScale",
    settings: { form: "log" },
    times: enough(5000),
    what: "run"
  },
  {
    group: "nodes in a graph, everything on",
    does: "one run, 100 steps wide, of steps that do nothing; per step",
    module: "graphScale",
    settings: { form: "everything" },
    times: enough(5000),
    what: "run"
  },
  {
    group: "runs in the index, building it",
    does: "the index of runs of one step, from the log; per run",
    module: "indexScale",
    times: () => 1,
    what: "build"
  },
  {
    group: "runs in the index, asking it",
    does: "pages of 50 by status, owner, tag and workflow, at the end and in the middle, and one run; per query",
    module: "indexScale",
    times: () => 50,
    what: "ask"
  },
  {
    group: "events in the log, appending",
    does: "durable appends by 100 producers to a log of that size; per append",
    module: "logScale",
    times: () => 20,
    what: "append"
  },
  {
    group: "events in the log, its end from the file",
    does: "the last 100 entries after opening it; per entry",
    module: "logScale",
    times: () => 10,
    what: "tail"
  },
  {
    group: "events in the log, reading",
    does: "all of its entries; per entry",
    module: "logScale",
    times: enough(10_000),
    what: "read"
  },
  {
    group: "events in the log, opening",
    does: "closing does not count; per entry that is in it",
    module: "logScale",
    times: enough(10_000),
    what: "open"
  }
]

/** What a unit costs at 10², 10³, 10⁴ and 10⁵ of them; 10³ is what the others are measured beside. */
export const scaleSuite = async (options: Options): Promise<ReadonlyArray<Row>> => {
  const sizes = options.quick ? [100, 200] : [100, 1000, 10_000, 100_000]
  const reference = options.quick ? 100 : 1000
  const rows: Array<Row> = []
  for (const { does, group, module, settings = {}, times, what } of subjects) {
    const entrants = sizes.map((size) => ({
      name: size.toLocaleString("en-GB"),
      size,
      does,
      module,
      settings: { ...settings, size },
      task: { size, what, times: options.quick ? 1 : times(size) }
    }))
    const found = await contest(
      {
        suite: "scale",
        group,
        references: entrants.filter(({ size }) => size === reference),
        others: entrants.filter(({ size }) => size !== reference),
        warmUps: 1,
        flushes: false
      },
      options
    )
    const inOrder = entrants.flatMap(({ name }) => found.filter((row) => row.name === name))
    rows.push(
      ...inOrder.map((row, index) => {
        const before = inOrder[index - 1]?.microsPerOperation ?? Number.NaN
        const figures = {
          "cost ÷ cost before": row.microsPerOperation / before,
          [`cost ÷ cost at ${reference.toLocaleString("en-GB")}`]: 1 / row.ratio
        }
        return { ...row, figures: { ...figures, ...row.figures } }
      })
    )
  }
  return rows
}
