import { existsSync, readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type * as Agent from "@switchyard/core/Agent"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import type * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import {
  eventsOf,
  eventually,
  files,
  io,
  marked,
  markedEnv,
  node,
  script,
  shell,
  short,
  taskIn,
  test,
  value,
  workspace
} from "./programs.js"

/** Ignores both polite signals, as does the child that it starts and leaves alone. */
const stubborn = `
  const polite = () => { for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {}) }
  polite()
  const child = require("child_process").spawn(process.execPath, ["-e", "(" + polite + ")();" +
    "console.log('grandchild ready'); setInterval(() => {}, 1000)"], { stdio: ["ignore", "inherit", "inherit"] })
  setInterval(() => {}, 1000)
`

describe("process groups", () => {
  const start = (made: Effect.Effect<Agent.Agent, ProcessAgent.InvalidCommand>) =>
    Effect.gen(function* () {
      const agent = yield* made
      const task = taskIn(yield* workspace, "in")
      return yield* Effect.forkScoped(eventsOf(agent, task))
    })

  test(
    "that ignore SIGINT and SIGTERM are gone after an interruption, grandchildren too",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const { stateDir } = yield* workspace
      const fiber = yield* start(script(stubborn, { env, escalation: short }))
      yield* eventually("the grandchild", () => {
        const said = files(join(stateDir, "programs/step"))
        return said.includes("0-1.stdout") &&
          readFileSync(join(stateDir, "programs/step/0-1.stdout"), "utf8").includes("ready")
          ? true
          : undefined
      })
      assert.strictEqual(marked(mark).length, 2)
      const [record] = files(join(stateDir, "processes"))
      const read = JSON.parse(yield* io(() => readFile(join(stateDir, "processes", String(record)), "utf8")))
      assert.strictEqual(record, `${read.pgid}.json`)
      assert.include(marked(mark), read.pgid)
      assert.strictEqual(read.command, node)
      assert.isAbove(read.startTicks, 0)
      assert.closeTo(read.startedAt, Date.now(), 10_000)

      const before = Date.now()
      yield* Fiber.interrupt(fiber)
      assert.isAtLeast(Date.now() - before, 400)
      assert.deepStrictEqual(marked(mark), [])
      assert.deepStrictEqual(files(join(stateDir, "processes")), [])
      const kept = yield* io(() => readFile(join(stateDir, "programs/step/0-1.stdout"), "utf8"))
      assert.strictEqual(kept, "grandchild ready\n")
    })
  )

  test(
    "that obey are gone at once, and may still write",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const { stateDir } = yield* workspace
      const obedient = `
        process.on("SIGINT", () => process.stdout.write("x".repeat(1000000) + "bye", () => process.exit(130)))
        console.log("ready"); setInterval(() => {}, 1000)
      `
      const fiber = yield* start(script(obedient, { env }))
      const path = join(stateDir, "programs/step/0-1.stdout")
      yield* eventually("the start", () => {
        // The other stream's file may be there first.
        return existsSync(path) && readFileSync(path, "utf8").startsWith("ready") ? true : undefined
      })
      const before = Date.now()
      yield* Fiber.interrupt(fiber)
      assert.isBelow(Date.now() - before, 5000)
      assert.deepStrictEqual(marked(mark), [])
      assert.isTrue((yield* io(() => readFile(path, "utf8"))).endsWith("bye"))
    })
  )

  test(
    "are ended after a normal exit of their leader",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const made = shell("trap '' INT; sleep 60 & sleep 60 & echo done", { env, escalation: short })
      assert.strictEqual(yield* value(made), "done")
      assert.deepStrictEqual(marked(mark), [])
      assert.deepStrictEqual(files(join((yield* workspace).stateDir, "processes")), [])
    })
  )

  test(
    "are ended with the processes that left them, after a normal exit and on an interruption",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const source = "trap '' INT TERM; setsid sh -c 'setsid sleep 60 & sleep 60' & echo done"
      assert.strictEqual(yield* value(shell(source, { env, escalation: short })), "done")
      assert.deepStrictEqual(marked(mark), [])
      assert.deepStrictEqual(files(join((yield* workspace).stateDir, "processes")), [])

      const fiber = yield* start(shell(`${source}; sleep 60`, { env, escalation: short }))
      yield* eventually("all of them", () => (marked(mark).length >= 4 ? true : undefined))
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(marked(mark), [])
    })
  )

  test(
    "do not end the processes that left the group of another attempt",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const agent = yield* shell("setsid sleep 60 & test $0 = first || exec sleep 60", {
        args: ["{{input}}"],
        env,
        escalation: short
      })
      const space = yield* workspace
      const other = yield* Effect.forkScoped(eventsOf(agent, taskIn(space, "second", { index: 1 })))
      yield* eventually("the other one", () => (marked(mark).length === 2 ? true : undefined))
      yield* eventsOf(agent, taskIn(space, "first"))
      assert.strictEqual(marked(mark).length, 2)
      yield* Fiber.interrupt(other)
      assert.deepStrictEqual(marked(mark), [])
    })
  )

  test(
    "that a process left without its marker do not hold the attempt up through the streams",
    Effect.gen(function* () {
      const before = Date.now()
      const path = join((yield* workspace).outputsDir, "pid")
      const source = "env -i setsid sh -c 'echo $$ > pid; exec sleep 20' & sleep 0.2; echo done"
      assert.strictEqual(yield* value(shell(source, { escalation: short })), "done")
      assert.isBelow(Date.now() - before, 5000)
      process.kill(Number(readFileSync(path, "utf8")), "SIGKILL")
    })
  )

  test(
    "are over when only a zombie is left, which nobody reaps",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const before = Date.now()
      // The shell becomes the sleep that leaves the group; its child stays in the group, and is never waited for.
      const source =
        "(sleep 0.1 & exec env -u SWITCHYARD_WORKSPACE setsid sleep 20) >/dev/null 2>&1 & sleep 0.3; echo done"
      assert.strictEqual(yield* value(shell(source, { env, escalation: short })), "done")
      assert.isBelow(Date.now() - before, 5000)
      for (const pid of marked(mark)) process.kill(pid, "SIGKILL")
    })
  )

  test(
    "are not left behind by a cancellation during the start",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const agent = yield* shell("sleep 60", { env, escalation: short })
      const task = taskIn(yield* workspace, "in")
      for (let i = 0; i < 40; i++) {
        yield* Effect.timeoutOption(eventsOf(agent, task), `${i * 250} micros`)
        assert.deepStrictEqual(marked(mark), [], `after ${i * 250} µs`)
      }
      assert.deepStrictEqual(files(join((yield* workspace).stateDir, "processes")), [])
    })
  )

  test(
    "of a hundred attempts at once end apart",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const agent = yield* shell('sleep 0.05; cat; echo " $0"', { args: ["{{item}}"], env })
      const space = yield* workspace
      const values = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        (index) =>
          Effect.map(
            eventsOf(agent, taskIn(space, `in ${index}`, { index, item: `item ${index}` })),
            (events) => (events.at(-1) as Agent.Output).value
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        values,
        values.map((_, index) => `in ${index} item ${index}`)
      )
      assert.deepStrictEqual(marked(mark), [])
    })
  )

  it.effect("are ended by the stages of the escalation, on the clock of the program", () =>
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const { stateDir } = yield* workspace
      const fiber = yield* start(
        script(
          `for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => console.log(name))
          console.log("ready"); setInterval(() => {}, 1000)`,
          { env }
        )
      )
      const path = join(stateDir, "programs/step/0-1.stdout")
      const said = (text: string) =>
        Effect.promise(async () => {
          for (let i = 0; i < 500; i++) {
            const found = await readFile(path, "utf8").catch(() => "")
            if (found === text) return
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
          assert.fail(`expected ${text}`)
        })
      yield* said("ready\n")
      const interrupting = yield* Effect.forkScoped(Fiber.interrupt(fiber))
      yield* said("ready\nSIGINT\n")
      yield* TestClock.adjust("9 seconds")
      yield* said("ready\nSIGINT\n")
      yield* TestClock.adjust("1 seconds")
      yield* said("ready\nSIGINT\nSIGTERM\n")
      assert.strictEqual(marked(mark).length, 1)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(marked(mark), [])
    }).pipe(Effect.scoped, Effect.provide(DirectoryWorkspace.layerTemp()))
  )
})
