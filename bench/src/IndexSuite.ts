import { contest } from "./Contest.js"
import type { Options, Row } from "./Measure.js"

/** How fresh the index is. */
export const indexSuite = (options: Options): Promise<ReadonlyArray<Row>> => {
  const module = "freshIndex"
  return contest(
    {
      suite: "index",
      group: "until the index has an entry",
      references: [
        {
          name: "asked for",
          does: "appends three entries and waits until the index has them, again and again",
          module,
          task: { times: options.quick ? 5 : 40 }
        }
      ],
      others: [
        {
          name: "a busy host",
          does: "appends one entry and keeps the event loop for 4 ms, again and again, and nobody waits for the index",
          module,
          task: { millis: options.quick ? 100 : 1500 }
        }
      ],
      flushes: false
    },
    options
  )
}
