import { execFileSync } from "node:child_process"
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import * as Workflow from "@switchyard/core/Workflow"
import * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import { files, marked, markedEnv } from "../node/programs.js"
import { temporaryDirectory } from "../node/temporary.js"

const size = 200

const eventually = (what: string, holds: () => boolean) =>
  Effect.gen(function* () {
    for (let i = 0; i < 1500 && !holds(); i++) yield* Effect.sleep("20 millis")
    assert.isTrue(holds(), `${what} within 30 seconds`)
  })

/** The children of this process that have ended and were not waited for. */
const zombies = (): ReadonlyArray<string> =>
  readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8")
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      return state === "Z" && Number(parent) === process.pid
    } catch {
      return false
    }
  })

const descriptors = (): number => readdirSync("/proc/self/fd").length

/** As many items as there are programs to be. */
const workflow = (skill: string) =>
  Workflow.make(skill).pipe(
    Workflow.step("work", { skill, forEach: `{{ params.items }}`, concurrency: size })
  )
const items = Array.from({ length: size }, (_, index) => `item ${index}`)

describe(`${size} programs at once`, () => {
  it.scopedLive("all give their own result, and leave nothing in the host", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const gate = join(directory, "gate")
      execFileSync("mkfifo", [gate])
      const { mark, env } = markedEnv()
      const agent = ProcessAgent.make("worker", {
        capabilities: [{ skill: "work" }],
        command: "/bin/sh",
        // It waits for one byte, and writes more than pipes hold to both of its streams.
        args: ["-c", 'read -r go < "$0"; printf "%0100000d" 0 >&2; printf "%0100000d\\n" 0; cat', gate],
        maxOutputBytes: 64,
        env
      })
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const registry = yield* AgentRegistry
        const before = { descriptors: descriptors(), rss: process.memoryUsage().rss }
        const run = yield* plane.registerRun({ workflow: workflow("work"), params: { items } })
        yield* eventually("all programs run at the same time", () => marked(mark).length === size)
        const opened = openSync(gate, "r+")
        writeSync(opened, "\n".repeat(size))
        const { outputs, status } = yield* run.result
        closeSync(opened)
        assert.strictEqual(status, "Completed")
        const results = outputs.work as ReadonlyArray<string>
        assert.deepStrictEqual(
          results.map((each) => each.slice(each.lastIndexOf("\n") + 1).replace(/^0+/, "")),
          items
        )
        assert.strictEqual((yield* registry.metrics("worker")).successCount, size)
        assert.deepStrictEqual(marked(mark), [])
        assert.deepStrictEqual(zombies(), [])
        const state = join(directory, "workspaces", `run-${run.runId}`, "state")
        assert.deepStrictEqual(files(join(state, "processes")), [])
        assert.strictEqual(files(join(state, "programs/work")).length, 2 * size)
        yield* eventually("the descriptors are closed", () => descriptors() <= before.descriptors)
        assert.isBelow(process.memoryUsage().rss - before.rss, 300 * 1024 * 1024)
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents: [agent] })))
    })
  )

  it.scopedLive(
    "are gone after a cancellation in the configured time, although they ignore all but SIGKILL",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const { mark, env } = markedEnv()
        const polite = "trap '' INT TERM HUP"
        const agent = ProcessAgent.make("stubborn", {
          capabilities: [{ skill: "stay" }],
          command: "/bin/sh",
          args: ["-c", `${polite}; sleep 60 & exec sleep 60`],
          escalation: { terminate: "500 millis", kill: "500 millis" },
          env
        })
        yield* Effect.gen(function* () {
          const plane = yield* ControlPlane
          const run = yield* plane.registerRun({ workflow: workflow("stay"), params: { items } })
          // Each a shell that becomes the second one; both inherit what it ignores.
          yield* eventually("all programs and their children run", () => marked(mark).length >= 2 * size)
          const before = descriptors()
          const at = Date.now()
          yield* run.control({ _tag: "Cancel" })
          const { status } = yield* run.result
          const took = Date.now() - at
          assert.strictEqual(status, "Cancelled")
          assert.deepStrictEqual(marked(mark), [])
          assert.isAtLeast(took, 1000)
          assert.isBelow(took, 10_000)
          assert.deepStrictEqual(zombies(), [])
          const state = join(directory, "workspaces", `run-${run.runId}`, "state")
          assert.deepStrictEqual(files(join(state, "processes")), [])
          assert.isBelow(descriptors(), before - 3 * size)
        }).pipe(Effect.provide(Switchyard.layer({ directory, agents: [agent] })))
      })
  )
})
