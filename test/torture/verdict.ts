import * as fs from "node:fs"
import * as path from "node:path"
import { isDeepStrictEqual } from "node:util"
import { logId } from "@switchyard/core/Ids"
import * as QueryService from "@switchyard/core/QueryService"
import * as JsonlEventLog from "@switchyard/node/JsonlEventLog"
import * as SqliteIndex from "@switchyard/node/SqliteIndex"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dump } from "../node/indexTables.js"
import { hashOf } from "./content.js"
import { type Found, type LogFiles, readLogFiles } from "./logFiles.js"
import type { Record } from "./record.js"
import { itemsOf, outputsOf, retention, statusOf } from "./workload.js"

/** What was found in the end; what is lost, duplicated, reordered or left has to be 0. */
export interface Verdict {
  readonly log: LogFiles
  readonly acknowledged: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly started: number
  readonly finished: number
  /** How many steps waited, and how many of them longer than the host that they began with lived. */
  readonly waited: number
  readonly survived: number
  readonly indexIsFold: boolean
  readonly workspaces: number
  readonly processes: number
}

const terminal: Readonly<{ [tag: string]: keyof typeof retention }> = {
  RunCompleted: "completed",
  RunFailed: "failed",
  RunCancelled: "cancelled"
}

const groupBy = <A>(
  values: ReadonlyArray<A>,
  key: (value: A) => string
): ReadonlyMap<string, ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const value of values) {
    const group = groups.get(key(value))
    if (group === undefined) groups.set(key(value), [value])
    else group.push(value)
  }
  return groups
}

/** Everything that a host or a follower was told is durable, against what the files hold. */
const compare = (record: Record, { entries }: LogFiles) => {
  const { commands, notes, runs, seen, violations } = record
  const acknowledged = new Set<number>()
  let lost = 0
  let duplicated = 0
  let reordered = 0
  const lose = (what: string) => {
    lost++
    violations.push(`${what} was acknowledged and is lost`)
  }
  const expect = (seq: number, hash: string, what: string) => {
    acknowledged.add(seq)
    const entry = entries[seq - 1]
    if (entry === undefined || hashOf(entry) !== hash) lose(what)
  }
  for (const [seq, hash] of seen) expect(seq, hash, `entry ${seq}, which was seen,`)

  const of = (tag: string, key: (entry: Found) => string) =>
    groupBy(
      entries.filter(({ event }) => (tag === "" ? "commandId" in event : event._tag === tag)),
      key
    )
  const once = (found: ReadonlyArray<Found> | undefined, isAcknowledged: boolean, what: string) => {
    if (isAcknowledged && found?.[0] === undefined) lose(what)
    if (isAcknowledged && found?.[0] !== undefined) acknowledged.add(found[0].seq)
    if (found !== undefined && found.length > 1) {
      duplicated++
      violations.push(
        `${what} is in the log ${found.length} times: ${found.map(({ seq }) => seq).join(", ")}`
      )
    }
  }

  const registrations = of("RunRegistered", ({ runId }) => runId)
  for (const [id, run] of runs) once(registrations.get(id), run.acknowledged, `run ${id}`)
  const accepted = of("", ({ event, runId }) => `${runId} ${event.commandId}`)
  for (const { answer, id, runId } of commands.values()) {
    const found = accepted.get(`${runId} ${id}`)
    once(found, answer === "accepted", `command ${id} of run ${runId}`)
    if (answer === "refused" && found !== undefined)
      violations.push(`command ${id} was refused, and is in the log`)
  }
  const raw = of("StepSkipped", ({ event, runId }) => (runId === "raw" ? String(event.reason) : ""))
  for (const { answer, note } of notes.values()) {
    const found = raw.get(`note ${note}`)
    once(found, typeof answer === "object", `note ${note}`)
    if (typeof answer === "object") expect(answer.seq, answer.hash, `note ${note} at ${answer.seq}`)
    if (answer === "refused" && found !== undefined)
      violations.push(`note ${note} was refused, and is in the log`)
  }
  let before = 0
  for (const { event, runId, seq } of entries) {
    if (runId !== "raw") continue
    const note = Number(String(event.reason).slice("note ".length))
    if (note < before) {
      reordered++
      violations.push(`note ${note} stands behind note ${before}, at ${seq}`)
    }
    before = note
  }
  return { acknowledged: acknowledged.size, lost, duplicated, reordered }
}

/** Every step of a run has settled once, and waited once and as long as it had to; says how many waited, and how many of them longer than their host lived. */
const judgeSteps = (found: ReadonlyArray<Found>, bad: (what: string) => void) => {
  const until = new Map<unknown, number>()
  const waiting = new Set<unknown>()
  const settled = new Set<unknown>()
  const survivors = new Set<unknown>()
  for (const { event, time } of found) {
    const { _tag, stepId } = event
    if (_tag === "RunInterrupted") for (const each of waiting) survivors.add(each)
    if (_tag === "StepWaiting") {
      if (until.has(stepId)) bad(`has ${stepId} begin to wait twice`)
      until.set(stepId, Number(event.until ?? 0))
      waiting.add(stepId)
    }
    if (!/^Step(Completed|Failed|Skipped|Cancelled)$/.test(String(_tag))) continue
    if (settled.has(stepId)) bad(`has settled ${stepId} twice`)
    settled.add(stepId)
    waiting.delete(stepId)
    if (_tag === "StepCompleted" && time < (until.get(stepId) ?? 0) && event.output === null)
      bad(`has ended the waiting of ${stepId} before its time`)
  }
  return { waited: until.size, survived: survivors.size }
}

/** Every run that was registered has ended once, as it had to, and did nothing twice that was recorded. */
const judgeRuns = ({ runs, violations }: Record, { entries }: LogFiles) => {
  const byRun = groupBy(entries, ({ runId }) => runId)
  let started = 0
  let finished = 0
  let waited = 0
  let survived = 0
  const endings = new Map<string, keyof typeof retention>()
  for (const [runId, found] of byRun) {
    // What concerns the log itself, and the agents, belongs to no run.
    if (runId === "raw" || runId === logId) continue
    started++
    const bad = (what: string) => violations.push(`run ${runId} ${what}`)
    const ends = found.filter(({ event }) => terminal[event._tag] !== undefined)
    const [end] = ends
    if (end === undefined || ends.length > 1 || found.at(-1) !== end) {
      bad(`has ${ends.length} terminal entries, and its last one is ${found.at(-1)?.event._tag}`)
      continue
    }
    finished++
    const outcome = terminal[end.event._tag] ?? "completed"
    endings.set(runId, outcome)
    const known = runs.get(runId)
    if (known === undefined) {
      bad("is in the log, but nobody asked for it")
      continue
    }
    const cancelled = found.some(({ event }) => event._tag === "CancelRequested")
    const due = cancelled ? "cancelled" : statusOf(known.request.kind).toLowerCase()
    if (outcome !== due) bad(`is ${outcome}, and has to be ${due}`)
    const completed = groupBy(
      found.filter(({ event }) => event._tag === "ItemCompleted"),
      ({ event }) => `${event.stepId}/${event.index}`
    )
    for (const [item, times] of completed)
      if (times.length > 1) bad(`has completed ${item} ${times.length} times`)
    const waits = judgeSteps(found, bad)
    waited += waits.waited
    survived += waits.survived
    if (outcome !== "completed") continue
    const outputs = new Map(
      found.map(({ event }) => [event._tag === "StepCompleted" ? event.stepId : "", event.output])
    )
    for (const [step, output] of Object.entries(outputsOf(known.request))) {
      if (!isDeepStrictEqual(outputs.get(step), output))
        bad(`has ${JSON.stringify(outputs.get(step))} of ${step}, and has to have ${JSON.stringify(output)}`)
    }
    for (const [step, count] of Object.entries(itemsOf(known.request))) {
      const done = [...completed.keys()].filter((item) => item.startsWith(`${step}/`)).length
      // Only the first item of this step can succeed.
      const wanted = step === "some" ? Math.min(1, count) : count
      if (done !== wanted) bad(`is complete with ${done} of ${wanted} items of ${step}`)
    }
  }
  return { started, finished, waited, survived, endings }
}

/** The rows of the index, beside those of one that is made anew, and beside what the log says of each run. */
const judgeIndex = async (
  directory: string,
  { violations }: Record,
  endings: ReadonlyMap<string, string>
): Promise<boolean> => {
  const file = path.join(directory, "index.sqlite")
  const fresh = path.join(directory, "rebuilt.sqlite")
  const tables = dump(file)
  const layer = SqliteIndex.layer({ filename: fresh }).pipe(
    Layer.provide(JsonlEventLog.layer({ directory: path.join(directory, "log") }))
  )
  await Effect.runPromise(
    Effect.provide(
      Effect.flatMap(QueryService.QueryService, ({ sync }) => sync),
      layer
    )
  )
  const rebuilt = dump(fresh)
  const before = violations.length
  for (const name of new Set([...Object.keys(tables), ...Object.keys(rebuilt)])) {
    const [rows, others] = [tables[name] ?? [], rebuilt[name] ?? []]
    if (rows.length !== others.length)
      violations.push(`table ${name} has ${rows.length} rows, not ${others.length}`)
    const at = rows.findIndex((row, index) => JSON.stringify(row) !== JSON.stringify(others[index]))
    if (at >= 0) {
      violations.push(
        `table ${name} has ${JSON.stringify(rows[at])}, rebuilt it has ${JSON.stringify(others[at])}`
      )
    }
  }
  const statuses = new Map(
    (tables.runs as ReadonlyArray<{ readonly run_id: string; readonly status: string }>).map((row) => [
      row.run_id,
      row.status.toLowerCase()
    ])
  )
  if (statuses.size !== endings.size)
    violations.push(`the index has ${statuses.size} runs, the log ${endings.size}`)
  for (const [runId, outcome] of endings) {
    const status = statuses.get(runId)
    if (status !== outcome) violations.push(`the index has run ${runId} as ${status}, the log as ${outcome}`)
  }
  return violations.length === before
}

/** The workspaces that should not be there, or not so. */
const leftWorkspaces = (
  directory: string,
  { violations }: Record,
  endings: ReadonlyMap<string, keyof typeof retention>
): number => {
  const root = path.join(directory, "workspaces")
  const left = fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => {
    const [top = "", area] = name.split(path.sep)
    const outcome = endings.get(top.slice("run-".length))
    const isKept = top.startsWith("run-") && outcome !== undefined && retention[outcome] === "keep"
    return !isKept || area === "temp" || /(^|\/)\.(new|gone)-/.test(name)
  })
  for (const name of left) violations.push(`the workspaces still have ${name}`)
  return left.length
}

/** Processes that carry a marker, by what they are. */
const leftProcesses = (marker: string, { violations }: Record): number => {
  const read = (file: string): string => {
    try {
      return fs.readFileSync(file, "utf8")
    } catch {
      return ""
    }
  }
  const left = fs
    .readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter(
      (pid) => read(`/proc/${pid}/environ`).includes(marker) || read(`/proc/${pid}/cmdline`).includes(marker)
    )
  for (const pid of left)
    violations.push(`process ${pid} is left: ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`)
  return left.length
}

/** Judges a directory that its last host has closed. */
export const judge = async (directory: string, marker: string, record: Record): Promise<Verdict> => {
  const processes = leftProcesses(marker, record)
  const log = readLogFiles(path.join(directory, "log"), record.violations)
  const compared = compare(record, log)
  const { endings, ...runs } = judgeRuns(record, log)
  return {
    log,
    ...compared,
    ...runs,
    indexIsFold: await judgeIndex(directory, record, endings),
    workspaces: leftWorkspaces(directory, record, endings),
    processes
  }
}
