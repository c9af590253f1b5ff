import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import { start } from "../e2e/process.js"
import { eventually, files, marked, markedEnv } from "./programs.js"
import { temporaryDirectory } from "./temporary.js"

interface Row {
  readonly pid: number
  readonly state: string
  readonly group: number
  readonly ticks: number
}

const rowOf = (pid: number): Row | undefined => {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    return { pid, state: fields[0] ?? "", group: Number(fields[2]), ticks: Number(fields[19]) }
  } catch {
    return undefined
  }
}

const table = () =>
  fs.readdirSync("/proc").flatMap((name) => {
    const found = /^\d+$/.test(name) ? rowOf(Number(name)) : undefined
    return found === undefined ? [] : [found]
  })

const runs = ({ pid, ticks }: Row) => {
  const found = rowOf(pid)
  return found !== undefined && found.ticks === ticks && !"ZX".includes(found.state)
}

/** Marked processes, and the members of their groups. */
const treeOf = (mark: string) => {
  const rows = table()
  const roots = new Set(marked(mark))
  const groups = new Set(rows.filter(({ pid }) => roots.has(pid)).map(({ group }) => group))
  return rows.filter(({ group, pid }) => roots.has(pid) || groups.has(group))
}

/** A program of nobody's, which ends with the scope. */
const bystander = (env: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(
    Effect.sync((): ChildProcess & { readonly pid: number } => {
      const child = spawn("sleep", ["300"], {
        detached: true,
        stdio: "ignore",
        env: { PATH: process.env.PATH, ...env }
      })
      const { pid } = child
      if (pid === undefined) throw new Error("sleep did not start")
      return Object.assign(child, { pid })
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const isAlive = (pid: number) => {
  const found = rowOf(pid)
  return found !== undefined && !"ZX".includes(found.state)
}

/** Has a host killed while its run has a tree of programs under way. */
const killedHost = (directory: string) =>
  Effect.gen(function* () {
    const { mark } = markedEnv()
    const host = start("test/e2e/programs/tree.ts", [directory, mark])
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        host.child.kill("SIGKILL")
        for (const pid of marked(mark)) process.kill(pid, "SIGKILL")
      })
    )
    const state = path.join(directory, "workspaces", "run-the-run", "state")
    const said = path.join(state, "programs", "grow", "0-1.stdout")
    const records = path.join(state, "processes")
    const grown = () =>
      fs.existsSync(said) &&
      fs.readFileSync(said, "utf8") === "grown\n" &&
      treeOf(mark).length >= 5 &&
      files(records).some((name) => name.endsWith(".json"))
    yield* Effect.repeat(Effect.sync(grown), { until: Boolean, schedule: Schedule.spaced("10 millis") })
    const tree = treeOf(mark)
    host.child.kill("SIGKILL")
    yield* Effect.promise(() => host.ended)
    yield* Effect.sleep("50 millis")
    expect(tree.filter(runs).length).toBeGreaterThanOrEqual(5)
    return { mark, tree, records }
  })

const reopen = (directory: string) => {
  const warnings: Array<string> = []
  const logger = Logger.make<unknown, void>(({ message }) => {
    warnings.push(String(message))
  })
  return Effect.as(
    Effect.void.pipe(
      Effect.provide(Switchyard.layer({ directory, recover: false, orphanGrace: "200 millis" })),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    ),
    warnings
  )
}

describe("programs of a host that was killed", () => {
  it.scopedLive(
    "are ended before anything else when the directory is opened, whatever they have done to stay",
    () =>
      Effect.gen(function* () {
        const directory = path.join(yield* temporaryDirectory, "yard")
        const { mark, records, tree } = yield* killedHost(directory)
        fs.writeFileSync(path.join(records, ".new-1-2-0123456789abcdef"), '{"pgid"')
        const other = yield* bystander({ SWITCHYARD_WORKSPACE: `${directory}2/workspaces/run-a` })
        const sibling = yield* bystander({ SWITCHYARD_WORKSPACE: `${directory}/workspaces2/run-a` })
        const warnings = yield* reopen(directory)
        expect(tree.filter(runs)).toEqual([])
        expect(marked(mark)).toEqual([])
        expect(files(records)).toEqual([])
        expect([other, sibling].map(({ pid }) => isAlive(pid))).toEqual([true, true])
        expect(warnings.length).toBe(1)
        expect(warnings[0]).toMatch(
          /left processes running in .*workspaces, \d+ in all; they were ended: .*sleep/
        )
        expect(yield* reopen(directory)).toEqual([])
      }),
    60_000
  )

  it.scopedLive(
    "are found where no record was made of them, and also below another name of the directory",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const directory = path.join(parent, "yard")
        const { records, tree, mark } = yield* killedHost(directory)
        fs.rmSync(records, { recursive: true })
        fs.symlinkSync(directory, path.join(parent, "link"))
        const warnings = yield* reopen(path.join(parent, "link"))
        expect(warnings.length).toBe(1)
        expect(marked(mark)).toEqual([])
        // The group goes as a whole, so the member without a marker does too.
        expect(tree.filter(runs)).toEqual([])
      }),
    60_000
  )

  it.scopedLive(
    "are not taken for others that have their numbers now",
    () =>
      Effect.gen(function* () {
        const directory = path.join(yield* temporaryDirectory, "yard")
        const { records } = yield* killedHost(directory)
        const [name = ""] = files(records)
        const real = JSON.parse(fs.readFileSync(path.join(records, name), "utf8"))
        const note = (pid: number, changes: object) => {
          const startTicks = rowOf(pid)?.ticks
          const record = { ...real, pgid: pid, command: "sleep", startTicks, ...changes }
          fs.writeFileSync(path.join(records, `${pid}.json`), JSON.stringify(record))
        }
        const later = yield* bystander()
        note(later.pid, { startTicks: (rowOf(later.pid)?.ticks ?? 0) - 1 })
        const afterBoot = yield* bystander()
        note(afterBoot.pid, { bootId: "another boot" })
        const member = yield* bystander()
        note(member.pid, { pgid: 1 })
        const same = yield* bystander()
        note(same.pid, {})
        for (const [pgid, file] of [
          [0, "0.json"],
          [1, "1.json"],
          [-1, "-1.json"]
        ] as const) {
          fs.writeFileSync(path.join(records, file), JSON.stringify({ ...real, pgid }))
        }
        fs.writeFileSync(path.join(records, "7.json"), "{")
        yield* reopen(directory)
        expect([later, afterBoot, member].map(({ pid }) => isAlive(pid))).toEqual([true, true, true])
        expect(isAlive(same.pid), "this one is the recorded one").toBe(false)
      }),
    60_000
  )

  it.scopedLive(
    "are left alone and reported where nothing proves whose they are",
    () =>
      Effect.gen(function* () {
        const directory = path.join(yield* temporaryDirectory, "yard")
        const { records } = yield* killedHost(directory)
        const [name = ""] = files(records)
        const real = JSON.parse(fs.readFileSync(path.join(records, name), "utf8"))
        // The leader goes, a member stays, and neither has a marker.
        const leader = spawn("setsid", ["sh", "-c", "sleep 300 & echo $$ $!; exit"], {
          stdio: ["ignore", "pipe", "ignore"],
          env: { PATH: process.env.PATH }
        })
        const said = yield* Effect.promise(async () => {
          let text = ""
          for await (const chunk of leader.stdout) {
            text += chunk
            if (text.includes("\n")) break
          }
          return text
        })
        const [pgid = 0, member = 0] = said.trim().split(" ").map(Number)
        yield* Effect.addFinalizer(() => Effect.sync(() => process.kill(member, "SIGKILL")))
        yield* eventually("the end of the leader", () => (rowOf(pgid) === undefined ? true : undefined))
        fs.writeFileSync(
          path.join(records, `${pgid}.json`),
          JSON.stringify({ ...real, pgid, startTicks: rowOf(member)?.ticks })
        )
        const warnings = yield* reopen(directory)
        expect(isAlive(member)).toBe(true)
        expect(files(records)).toEqual([`${pgid}.json`])
        expect(warnings.at(-1)).toContain("nothing proves that they are its own")
        expect(warnings.at(-1)).toContain(path.join(records, `${pgid}.json`))
      }),
    60_000
  )
})
