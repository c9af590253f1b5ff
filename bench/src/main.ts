import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { engineSuite } from "./EngineSuite.js"
import { fanOutSuite } from "./FanOutSuite.js"
import { graphSuite } from "./GraphSuite.js"
import { indexSuite } from "./IndexSuite.js"
import { limitSuite } from "./LimitSuite.js"
import { logSuite } from "./LogSuite.js"
import type { Options, Row } from "./Measure.js"
import { overheadSuite } from "./OverheadSuite.js"
import { scaleSuite } from "./ScaleSuite.js"
import { selectionSuite } from "./SelectionSuite.js"
import { table } from "./Table.js"

const suites: Record<string, (options: Options) => Promise<ReadonlyArray<Row>>> = {
  limit: limitSuite,
  log: logSuite,
  "fan-out": ({ directory, repeats }) => fanOutSuite(directory, repeats),
  engine: engineSuite,
  graph: graphSuite,
  index: indexSuite,
  overhead: overheadSuite,
  scale: scaleSuite,
  selection: selectionSuite
}

const usage = `npm run bench -- [suite …] [options]

  Suites: ${Object.keys(suites).join(", ")}; all of them where none is named.

  --group TEXT  only the tables with this in their titles, such as W1
  --repeats N   how often everything is measured: 7 times, or N, 5 at least
  --json        one JSON object a row
  --quick       tiny sizes, once: whether everything works, not how fast it is
  --no-peers    without other products
`

const fail = (message: string): never => {
  process.stderr.write(`${message}\n\n${usage}`)
  process.exit(2)
}

const parse = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        "no-peers": { type: "boolean", default: false },
        group: { type: "string", default: "" },
        help: { type: "boolean", default: false },
        repeats: { type: "string", default: "7" }
      }
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const { positionals, values } = parse()
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const repeats = Number(values.repeats)
if (!(repeats >= 5)) fail(`--repeats ${values.repeats}: a median needs 5 at least`)
const chosen = positionals.length === 0 ? Object.keys(suites) : positionals
const unknown = chosen.find((name) => suites[name] === undefined)
if (unknown !== undefined) fail(`There is no suite "${unknown}"`)

process.stderr.write(
  `Node ${process.version} on ${os.cpus().length} processors (${os.cpus()[0]?.model ?? "unknown"}), load ${os
    .loadavg()[0]
    ?.toFixed(2)}; what else runs is measured as well\n\n`
)
// Ending by a call has directories removed and servers ended, which a signal alone does not.
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143))

for (const name of chosen) {
  const suite = suites[name]
  if (suite === undefined) continue
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-bench-"))
  const remove = () => fs.rmSync(directory, { recursive: true, force: true })
  process.once("exit", remove)
  const rows = await suite({
    directory,
    repeats: values.quick ? 1 : repeats,
    quick: values.quick,
    peers: !values["no-peers"],
    group: values.group
  })
  remove()
  process.stdout.write(
    values.json ? rows.map((row) => `${JSON.stringify(row)}\n`).join("") : `${table(rows)}\n`
  )
}
