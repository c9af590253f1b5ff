import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { makeDriver } from "./driver.js"
import { bundleHost, startHost } from "./hostProcess.js"
import { type Ending, finish, live, type Place } from "./life.js"
import { lastCycle, planOf } from "./plan.js"
import { judge, type Verdict } from "./verdict.js"

const usage = `torture: kills a host again and again, and checks that nothing is lost

  --kills N    how many hosts are killed before the last one finishes; 100 by default
  --seed S     what the plan of kills and faults and the workload depend on; another one each time by default
  --keep       keeps the directory also when nothing is wrong
  --verbose    says how each host died
`

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string" },
    keep: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})
const kills = Number(values.kills)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
if (values.help || !Number.isSafeInteger(kills) || kills < 0 || !Number.isSafeInteger(seed)) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

const say = (line: string) => process.stdout.write(`${line}\n`)
const counted = (count: number) => count.toLocaleString("en-US")

const summary = (endings: ReadonlyArray<Ending>, verdict: Verdict, seconds: number): string => {
  const by = (kind: Ending["by"]) => counted(endings.filter((ending) => ending.by === kind).length)
  const faults = endings.filter(({ fault }) => fault !== undefined).length
  return [
    `${counted(endings.length)} kills (${by("kill")} while working, ${by("opening")} while opening, ` +
      `${by("short")} in the middle of a write, ${by("power")} with a loss of power; ` +
      `${counted(faults)} after a disk fault)`,
    `${counted(verdict.acknowledged)} of ${counted(verdict.log.entries.length)} entries acknowledged: ` +
      `lost ${verdict.lost}, duplicated ${verdict.duplicated}, reordered ${verdict.reordered}`,
    `${counted(verdict.started)} runs started, ${counted(verdict.finished)} finished`,
    `index ${verdict.indexIsFold ? "=" : "≠"} log`,
    `${counted(verdict.waited)} steps waited, ${counted(verdict.survived)} of them longer than their host lived`,
    `${verdict.log.segments} segments, ${verdict.log.torn} torn tails set aside, ` +
      `${counted(verdict.log.payloads)} payloads, ${counted(verdict.log.chained)} entries chained`,
    `workspaces left ${verdict.workspaces}`,
    `processes left ${verdict.processes}`,
    `${Math.round(seconds)} s`,
    `seed ${seed}`
  ].join("; ")
}

say(`seed ${seed}, ${kills} kills`)
const began = performance.now()
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-torture-"))
const place: Place = {
  directory: path.join(directory, "yard"),
  marker: `${path.basename(directory)}-${process.pid}`
}
const program = await bundleHost()
const driver = makeDriver(seed)
const { violations } = driver.record
const endings: Array<Ending> = []

// The next host loads its program while the one before it works.
let next = startHost(program.file)
const host = () => {
  const current = next
  next = startHost(program.file)
  return current
}
process.on("exit", () => {
  next.child.kill("SIGKILL")
  program.remove()
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

for (const [index, cycle] of planOf(seed, kills).entries()) {
  const since = performance.now()
  const ending = await live(host(), cycle, driver, place)
  endings.push(ending)
  if (values.verbose) {
    say(
      `${index + 1}: ${JSON.stringify({ millis: Math.round(performance.now() - since), ...ending, cycle, durable: driver.record.durable() })}`
    )
  }
  if (violations.length > 0) break
}
if (violations.length === 0) await finish(next, lastCycle, driver, place)
else next.child.kill("SIGKILL")
const verdict =
  violations.length === 0 ? await judge(place.directory, place.marker, driver.record) : undefined
if (verdict !== undefined) say(summary(endings, verdict, (performance.now() - began) / 1000))
if (violations.length > 0) {
  for (const violation of violations.slice(0, 20)) say(`violation: ${violation}`)
  say(
    `${violations.length} violations after ${endings.length} kills; seed ${seed}; everything is in ${directory}`
  )
  process.exitCode = 1
} else if (values.keep) say(`everything is in ${directory}`)
else fs.rmSync(directory, { recursive: true, force: true })
