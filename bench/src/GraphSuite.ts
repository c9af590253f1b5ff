import { contest } from "./Contest.js"
import type { Shape } from "./Graphs.js"
import type { Options, Row } from "./Measure.js"
import type { Settings } from "./Subject.js"

const alike = async (
  group: string,
  does: string,
  module: string,
  entries: ReadonlyArray<readonly [name: string, task: Settings, settings?: Settings]>,
  options: Options,
  warmUps?: number
): Promise<ReadonlyArray<Row>> => {
  const [first, ...others] = entries.map(([name, task, settings = {}]) => ({
    name,
    does,
    module,
    settings,
    task
  }))
  if (first === undefined) return []
  const more = warmUps === undefined ? {} : { warmUps }
  return contest({ suite: "graph", group, references: [first], others, flushes: false, ...more }, options)
}

/** What large graphs cost: to plan, to execute, to remember, and to have waiting. */
export const graphSuite = async (options: Options): Promise<ReadonlyArray<Row>> => {
  const { quick } = options
  const steps = quick ? 200 : 10_000
  const size = steps.toLocaleString("en-GB")
  const planned: ReadonlyArray<Shape> = ["chain", "diamonds", "fan-out"]
  return [
    ...(await alike(
      `planning ${size} steps`,
      "validates and compiles a definition; per step",
      "planning",
      planned.flatMap((shape) => [
        [shape, { shape, steps, expressions: false }] as const,
        [`${shape}, an expression on each`, { shape, steps, expressions: true }] as const
      ]),
      options
    )),
    ...(await alike(
      `drawing and editing ${size} steps`,
      "gives the text of a diagram, or inserts a step in the middle and removes another one; per step",
      "planning",
      (["mermaid", "dot", "edit"] as const).map(
        (use) => [use, { use, shape: "diamonds", steps, expressions: true }] as const
      ),
      options
    )),
    ...(await alike(
      `engine over its log, ${size} steps`,
      "a run of steps that do nothing, and then its events, in the same groups, to the same log without an engine",
      "engineOverLog",
      (["100 wide", "fan-out", "chain"] as const).flatMap((shape) => [
        [`${shape}, log in memory`, { shape, steps }, { log: "memory" }] as const,
        [`${shape}, log in files, no sync`, { shape, steps }, { log: "files" }] as const
      ]),
      options
    )),
    ...(await alike(
      "heap of what is done",
      "heap after a collection, less what there was before, while the last step of the run waits and once it has ended",
      "finishedSteps",
      (quick ? [100] : [10_000, 100_000]).flatMap((size) =>
        (["steps", "items"] as const).map(
          (what) => [`${size.toLocaleString("en-GB")} ${what}`, { what, size }] as const
        )
      ),
      options,
      1
    )),
    ...(await alike(
      `${size} steps that wait`,
      `processor time of ${quick ? "0.1" : "5"} s before, while they wait, and after the host was opened again; per step of opening it`,
      "waitingSteps",
      (["approval", "time"] as const).map(
        (what) => [`for ${what}`, { what, size: steps, millis: quick ? 100 : 5000 }] as const
      ),
      options,
      1
    ))
  ]
}
