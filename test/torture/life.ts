import * as path from "node:path"
import type { Driver } from "./driver.js"
import type { HostProcess } from "./hostProcess.js"
import type { Report } from "./messages.js"
import { readPublished } from "./onlooker.js"
import type { Cycle } from "./plan.js"

/** Where the hosts of one torture live. */
export interface Place {
  readonly directory: string
  /** What the programs of the agents carry in their environment. */
  readonly marker: string
}

/** How a life ended: by a signal of the parent, or by its own disk at some place. */
export interface Ending {
  readonly by: "kill" | "opening" | "power" | "short"
  readonly fault: string | undefined
}

/** How long something may take that is expected to happen at once. */
const patience = 30_000

/** How long a host works when what was to kill it does not come to pass. */
const longest = 1000

const say = (report: Report): string =>
  `${"tag" in report ? `${report.tag}: ` : ""}${"message" in report ? report.message : ""}`

/** Has a host open the directory and work until it dies as its cycle wants. */
export const live = async (
  host: HostProcess,
  cycle: Cycle,
  driver: Driver,
  place: Place
): Promise<Ending> => {
  const { death, fault } = cycle
  const { record } = driver
  const { violations } = record
  const timers: Array<NodeJS.Timeout> = []
  const after = (millis: number, then: () => void) => timers.push(setTimeout(then, millis))
  let dying: string | undefined
  let failing: string | undefined
  let wasReady = false
  let notOpened = false
  let probe = 0

  const log = path.join(place.directory, "log")
  const kill = () => {
    host.child.kill("SIGKILL")
  }
  const giveUp = (what: string) => {
    violations.push(`${what}; the cycle was ${JSON.stringify(cycle)}`)
    kill()
  }
  const slow = setTimeout(() => giveUp(`a host did not open in ${patience} ms`), patience)
  timers.push(slow)

  const ready = () => {
    wasReady = true
    clearTimeout(slow)
    driver.repeat(host)
    timers.push(setInterval(() => driver.ask(host), 6))
    timers.push(setInterval(() => driver.sendOn(host), 60))
    timers.push(setInterval(() => record.look(readPublished(log)), 10))
    if (death.by === "kill" && death.since === "ready") after(death.millis, kill)
    else after(longest, () => (failing === undefined || isFinal ? kill() : undefined))
    if (failing !== undefined && isFinal && death.by === "kill") after(60, kill)
  }

  const isFinal = fault?.kind === "sync" || fault?.kind === "syncs"

  const react = (report: Report) => {
    switch (report.t) {
      case "ready":
        ready()
        break
      case "fault":
        failing = report.kind
        if (death.by === "kill" && death.since === "fault") after(death.millis, kill)
        if (!isFinal) after(patience, () => giveUp(`a host did not go on after ${report.kind}`))
        break
      case "recovered":
        probe = driver.probe(host)
        break
      case "appended":
        if (report.entries.some(([note]) => note === probe) && death.by === "kill") after(death.millis, kill)
        break
      case "refused":
        if (report.tag !== "LogWriteFailed") break
        if (failing === undefined) violations.push(`a host refused without a reason: ${report.message}`)
        if (isFinal && death.by === "kill") after(death.millis, kill)
        break
      case "notOpened":
        notOpened = true
        if (failing === undefined || report.tag === "LogDamaged" || report.tag === "") {
          violations.push(`a host could not open the directory: ${say(report)}`)
        }
        break
      case "dying":
        dying = report.where
        break
      default:
    }
  }

  const follow = Math.max(0, record.followed() - cycle.back)
  record.begin(follow, fault?.kind !== "syncs")
  host.listen((report) => {
    record.hear(report)
    react(report)
  })
  host.send({ t: "go", ...place, cycle, after: follow, durable: record.durable() })
  if (death.by === "kill" && death.since === "go") after(death.millis, kill)
  const { code, signal, stderr } = await host.ended
  for (const timer of timers) clearTimeout(timer)
  if (signal !== "SIGKILL" && !notOpened) {
    violations.push(`a host ended by itself with ${signal ?? code}: ${stderr.slice(-2000)}`)
  }
  return {
    by: dying === undefined ? (wasReady ? "kill" : "opening") : death.by === "short" ? "short" : "power",
    fault: failing
  }
}

/** Has a host finish everything that was begun, and close the directory in order. */
export const finish = async (
  host: HostProcess,
  cycle: Cycle,
  driver: Driver,
  place: Place
): Promise<void> => {
  const { record } = driver
  const timers: Array<NodeJS.Timeout> = []
  let finished = false
  let asked = false
  const limit = setTimeout(() => {
    const left = driver
      .open()
      .map(({ request: { id, kind }, ...state }) => JSON.stringify({ id, kind, ...state }))
    record.violations.push(`not everything ended in ${4 * patience} ms: ${left.join(", ")}`)
    host.child.kill("SIGKILL")
  }, 4 * patience)
  record.begin(0, true)
  host.listen((report) => {
    record.hear(report)
    if (report.t === "ready") {
      driver.repeat(host)
      timers.push(
        setInterval(() => {
          driver.sendOn(host)
          if (asked || driver.open().length > 0) return
          asked = true
          host.send({ t: "finish" })
        }, 20)
      )
    } else if (report.t === "finished") finished = true
    else if (report.t === "notOpened" || (report.t === "refused" && report.tag === "LogWriteFailed")) {
      record.violations.push(`the last host was told: ${say(report)}`)
    }
  })
  host.send({ t: "go", ...place, cycle, after: 0, durable: record.durable() })
  const { code, signal, stderr } = await host.ended
  clearTimeout(limit)
  for (const timer of timers) clearTimeout(timer)
  if (!finished || code !== 0) {
    record.violations.push(`the last host ended with ${signal ?? code}: ${stderr.slice(-2000)}`)
  }
}
