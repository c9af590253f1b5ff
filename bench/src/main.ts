import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { engineSuite } from "./EngineSuite.js"
import { logSuite } from "./LogSuite.js"
import type { Row } from "./Measure.js"

const suites: Record<string, (directory: string, repeats: number) => Promise<ReadonlyArray<Row>>> = {
  log: logSuite,
  engine: engineSuite
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, repeats: { type: "string", default: "7" } }
})
const repeats = Math.max(5, Number(values.repeats) || 5)
const chosen = positionals.length === 0 ? Object.keys(suites) : positionals

for (const name of chosen) {
  const suite = suites[name]
  if (suite === undefined) {
    process.stderr.write(`There is no suite ${name}; there are ${Object.keys(suites).join(", ")}\n`)
    process.exitCode = 2
    break
  }
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-bench-"))
  const rows = await suite(directory, repeats)
  fs.rmSync(directory, { recursive: true, force: true })
  if (values.json) {
    for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`)
  } else {
    console.table(
      rows.map(({ does, group, microsPerOperation, name: subject, perSecond, ratio }) => ({
        group,
        subject,
        "per second": Math.round(perSecond),
        "µs each": Number(microsPerOperation.toFixed(1)),
        ratio: Number(ratio.toFixed(2)),
        does
      }))
    )
  }
}
