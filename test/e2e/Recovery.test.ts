import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import type { Entry } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import { collect, wellFormed } from "@switchyard/core/testing/ControlPlaneLaws"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import { marked, markedEnv } from "../node/programs.js"
import { temporaryDirectory } from "../node/temporary.js"
import { start } from "./process.js"

/** A sequence of numbers between 0 and 1 that a seed decides (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const holderOf = (directory: string): string => {
  try {
    return fs.readFileSync(path.join(directory, "holder.json"), "utf8")
  } catch {
    return ""
  }
}

const itemOf = ({ event, runId }: Entry) =>
  "index" in event ? `${runId}/${event.stepId}/${event.index}` : ""

describe("a host that is killed again and again", () => {
  it.scopedLive(
    "finishes what it started, repeats nothing that is recorded, and leaves no process and no file behind",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const directory = path.join(parent, "yard")
        const { mark } = markedEnv()
        const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
        const random = randomFrom(seed)
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            for (const pid of marked(mark)) process.kill(pid, "SIGKILL")
          })
        )
        let kills = 0
        for (let finished = false; !finished; ) {
          const host = start("test/e2e/programs/churn.ts", [directory, mark])
          if (kills < 20) {
            // Half of them while the directory is being opened, from the moment that somebody holds it.
            const opening = random() < 0.5
            const holds = () =>
              host.child.exitCode !== null || holderOf(directory).includes(`"pid":${host.child.pid},`)
            yield* opening
              ? Effect.repeat(Effect.sync(holds), { until: Boolean, schedule: Schedule.spaced("1 millis") })
              : Effect.promise(() => host.prints("open"))
            yield* Effect.sleep(random() * (opening ? 40 : 300))
            host.child.kill("SIGKILL")
            kills++
          }
          const { code, signal, stdout } = yield* Effect.promise(() => host.ended)
          finished = signal === null
          if (!finished) continue
          expect([code, stdout.trim().split("\n").at(-1)], `seed ${seed}`).toEqual([
            0,
            JSON.stringify(Array(6).fill("Completed"))
          ])
        }
        console.log(`seed ${seed}: ${kills} kills`)
        expect(marked(mark), `seed ${seed}`).toEqual([])

        const entries = yield* Effect.flatMap(EventLog, (log) => collect(log.read({}))).pipe(
          Effect.provide(Switchyard.layer({ directory, recover: false }))
        )
        const completed = new Set<string>()
        for (const entry of entries) {
          const item = itemOf(entry)
          if (entry.event._tag === "ItemStarted") expect(completed, `seed ${seed}`).not.toContain(item)
          if (entry.event._tag === "ItemCompleted") completed.add(item)
        }
        expect(completed.size).toBe(6 * 27)
        for (let n = 0; n < 6; n++) yield* wellFormed(entries.filter(({ runId }) => runId === `run-${n}`))
        const calls = fs.readFileSync(path.join(parent, "calls"), "utf8").trim().split("\n")
        expect(new Set(calls).size).toBe(6 * 21)

        const workspaces = path.join(directory, "workspaces")
        expect(fs.readdirSync(workspaces).sort()).toEqual([0, 1, 2, 3, 4, 5].map((n) => `run-run-${n}`))
        for (const name of fs.readdirSync(workspaces)) {
          expect(fs.readdirSync(path.join(workspaces, name)).sort()).toEqual(
            ["config.json", "outputs", "reports", "state"].sort()
          )
          expect(fs.readdirSync(path.join(workspaces, name, "state", "processes")), `seed ${seed}`).toEqual(
            []
          )
        }
      }),
    300_000
  )
})

describe("a run that kills its host", () => {
  it.scopedLive(
    "is parked after the third time, and goes on when it is told to",
    () =>
      Effect.gen(function* () {
        const directory = path.join(yield* temporaryDirectory, "yard")
        for (let turn = 1; turn <= 3; turn++) {
          const host = start("test/e2e/programs/poison.ts", [directory])
          expect((yield* Effect.promise(() => host.ended)).signal, `host ${turn}`).toBe("SIGKILL")
        }
        const fourth = start("test/e2e/programs/poison.ts", [directory])
        const { code, stdout } = yield* Effect.promise(() => fourth.ended)
        expect(code).toBe(0)
        const found = stdout.split("\n").find((line) => line.startsWith("{")) ?? ""
        expect(JSON.parse(found)).toMatchObject({
          status: "Interrupted",
          interruption:
            "its host crashed 3 times while it was running; send Resume to try again, or Cancel to end it"
        })
        const harmless = Agent.make("harmless", {
          capabilities: [{ skill: "die" }],
          run: () => Effect.succeed("alive")
        })
        const yard = yield* Effect.promise(() => Switchyard.open({ directory, agents: [harmless] }))
        expect((yield* Effect.promise(() => yard.getRun("the-run"))).status).toBe("Interrupted")
        yield* Effect.promise(() => yard.sendCommand("the-run", { _tag: "Resume" }, "once"))
        const run = yield* Effect.promise(() => yard.get("the-run"))
        expect(yield* Effect.promise(() => run.result)).toMatchObject({
          status: "Completed",
          outputs: { die: "alive" }
        })
        yield* Effect.promise(() => yard.close())
        const again = yield* Effect.promise(() => Switchyard.open({ directory }))
        yield* Effect.promise(() => again.sendCommand("the-run", { _tag: "Resume" }, "once"))
        yield* Effect.promise(() => again.close())
      }),
    60_000
  )
})

describe("workspaces of runs that the log does not know", () => {
  it.scopedLive("are left as they are, and reported", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* temporaryDirectory, "yard")
      const agent = Agent.make("agent", {
        capabilities: [{ skill: "work" }],
        run: () => Effect.succeed(null)
      })
      const register = Effect.gen(function* () {
        const plane = yield* ControlPlane
        const workflow = Workflow.make("known").pipe(Workflow.step("one", { skill: "work" }))
        const run = yield* plane.registerRun({ workflow, id: "known" })
        yield* run.result
      })
      yield* Effect.provide(register, Switchyard.layer({ directory, agents: [agent] }))
      const unknown = path.join(directory, "workspaces", "run-unknown")
      fs.mkdirSync(unknown)
      fs.writeFileSync(path.join(unknown, "precious"), "")
      const warnings: Array<string> = []
      const logger = Logger.make<unknown, void>(({ message }) => {
        warnings.push(String(message))
      })
      const warned = Effect.repeat(
        Effect.sync(() => warnings.length > 0),
        { until: Boolean, schedule: Schedule.spaced("5 millis") }
      )
      yield* warned.pipe(
        Effect.provide(Switchyard.layer({ directory })),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      expect(warnings).toEqual([
        `The log does not know the runs of these workspaces in ${path.join(directory, "workspaces")}, so they are left as ` +
          "they are: run-unknown. Restore the log that they belong to, or move them away"
      ])
      expect(fs.existsSync(path.join(unknown, "precious"))).toBe(true)
    })
  )
})
