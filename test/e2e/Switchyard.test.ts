import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { EventLog } from "@switchyard/core/EventLog"
import * as Workflow from "@switchyard/core/Workflow"
import { WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { temporaryDirectory } from "../node/temporary.js"
import { start } from "./process.js"
import { critic, scribe, words } from "./workflows.js"

const workspacesOf = (directory: string) => fs.readdirSync(path.join(directory, "workspaces"))
const segmentOf = (directory: string) => {
  const [name = ""] = fs.readdirSync(path.join(directory, "log")).filter((file) => file.endsWith(".jsonl"))
  return path.join(directory, "log", name)
}

describe("100 parallel runs", () => {
  it.scopedLive("share nothing: files, events, results and metrics are each run's own", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const workspaces = yield* WorkspaceService
        const runs = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          (n) =>
            Effect.map(
              plane.registerRun({ workflow: words, params: { words: [`alpha${n}`, `beta${n}`, `bad${n}`] } }),
              (run) => ({ n, run })
            ),
          { concurrency: "unbounded" }
        )
        yield* Effect.forEach(
          runs,
          ({ n, run }) =>
            Effect.gen(function* () {
              const result = yield* run.result
              expect(result.status).toBe("Completed")
              expect(result.outputs.review).toEqual([`alpha${n}: fine`, `beta${n}: fine`])
              expect(result.summary.items).toEqual({ succeeded: 6, failed: 1 })
              expect(result.summary.usage).toMatchObject({
                inputTokens: 40,
                outputTokens: 4,
                costMicroUsd: 4000
              })
              const workspace = yield* workspaces.get(run.runId)
              expect(yield* workspace.list("outputs")).toEqual(
                [`alpha${n}.txt`, `bad${n}.txt`, `beta${n}.txt`, "report.txt"].sort()
              )
              expect(yield* workspace.read("outputs", `alpha${n}.txt`)).toBe(`alpha${n}`)
              const events = Chunk.toReadonlyArray(yield* Stream.runCollect(run.events))
              expect(events.every(({ runId }) => runId === run.runId)).toBe(true)
              expect(events.map(({ runSeq }) => runSeq)).toEqual(events.map((_, i) => i + 1))
              // Not in ids, which may spell such a word by chance.
              const contents = JSON.stringify(events).replaceAll(run.runId, "")
              expect(new Set(contents.match(/(?:alpha|beta|bad)\d+/g))).toEqual(
                new Set([`alpha${n}`, `beta${n}`, `bad${n}`])
              )
            }),
          { concurrency: "unbounded", discard: true }
        )
        const registry = yield* AgentRegistry
        expect(yield* registry.metrics("scribe")).toMatchObject({ totalInvocations: 400, successCount: 400 })
        expect(yield* registry.metrics("critic")).toMatchObject({ successCount: 200, failureCount: 100 })
        expect(yield* workspaces.listActive).toEqual([])
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents: [scribe, critic] })))
      expect(workspacesOf(directory).length).toBe(100)
      expect(
        workspacesOf(directory).every(
          (name) => !fs.existsSync(path.join(directory, "workspaces", name, "temp"))
        )
      ).toBe(true)
    })
  )

  it.scopedLive("leave the workspaces that the policy keeps, and no other", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const retention = { completed: "remove", failed: "keep", cancelled: "remove" } as const
      const failed = yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const runs = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          (n) => plane.registerRun({ workflow: words, params: { words: n % 10 === 0 ? ["bad"] : ["good"] } }),
          { concurrency: "unbounded" }
        )
        const results = yield* Effect.forEach(runs, ({ result }) => result)
        return results.filter(({ status }) => status === "Failed").map(({ runId }) => `run-${runId}`)
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents: [scribe, critic], retention })))
      expect(failed.length).toBe(10)
      expect(workspacesOf(directory).sort()).toEqual(failed.sort())
    })
  )
})

describe("a host that is killed", () => {
  it.scopedLive(
    "goes on where it stopped: what is recorded as done is not done again",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const directory = path.join(parent, "yard")
        const calls = () => fs.readFileSync(path.join(parent, "calls"), "utf8").trim().split("\n")
        const first = start("test/e2e/programs/host.ts", [directory, "register"])
        yield* Effect.promise(() => first.prints("ready"))
        yield* Effect.repeat(
          Effect.sync(() => fs.existsSync(path.join(parent, "calls")) && calls().length >= 10),
          { until: Boolean, schedule: Schedule.spaced("5 millis") }
        )
        first.child.kill("SIGKILL")
        yield* Effect.promise(() => first.ended)
        const log = fs.readFileSync(segmentOf(directory), "utf8")
        const recorded = [
          ...log.matchAll(/"_tag":"ItemCompleted","stepId":"(\w+)","item":"[^"]*","index":(\d+)/g)
        ].map(([, step, index]) => `${step}/${index}`)
        expect(recorded.length).toBeGreaterThan(5)
        const second = start("test/e2e/programs/host.ts", [directory, "recover"])
        const { code, stderr, stdout } = yield* Effect.promise(() => second.ended)
        expect(stderr).toBe("")
        expect(code).toBe(0)
        const result = JSON.parse(stdout.split("\n")[1] ?? "")
        expect(result).toMatchObject({
          status: "Completed",
          summary: { items: { succeeded: 41, failed: 0 } }
        })
        const count = new Map<string, number>()
        for (const call of calls()) count.set(call, (count.get(call) ?? 0) + 1)
        expect(count.size).toBe(41)
        for (const item of recorded) expect(count.get(item), item).toBe(1)
        for (const [item, times] of count) expect(times, item).toBeLessThanOrEqual(2)
      }),
    60_000
  )

  it.scopedLive(
    "holds its directory while it lives, and lets go of it when it dies",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const directory = path.join(parent, "yard")
        const host = start("test/e2e/programs/host.ts", [directory, "register"])
        yield* Effect.promise(() => host.prints("ready"))
        const rejected = yield* Effect.promise(() =>
          Switchyard.open({ directory }).then(String, (error) => error)
        )
        expect(rejected).toMatchObject({ _tag: "DirectoryInUse", directory, pid: host.child.pid })
        expect(rejected.message).toBe(
          `The directory ${directory} is in use by process ${host.child.pid}; stop it, or choose another directory`
        )
        host.child.kill("SIGKILL")
        yield* Effect.promise(() => host.ended)
        const yard = yield* Effect.promise(() => Switchyard.open({ directory, recover: false }))
        yield* Effect.promise(() => yard.close())
      }),
    60_000
  )
})

describe("what a user can get wrong", () => {
  const rejection = (promise: Promise<unknown>) =>
    Effect.promise(() =>
      promise.then(
        () => undefined,
        (error) => error
      )
    )

  it.scopedLive("is a typed error that names the thing and the way out", () =>
    Effect.gen(function* () {
      const parent = yield* temporaryDirectory
      const directory = path.join(parent, "yard")
      const yard = yield* Effect.promise(() => Switchyard.open({ directory, agents: [scribe] }))

      const unknown = Workflow.make("unknown").pipe(Workflow.step("a", { agent: "scribbe" }))
      const run = yield* Effect.promise(() => yard.registerRun({ workflow: unknown }))
      const result = yield* Effect.promise(() => run.result)
      expect(result).toMatchObject({ status: "Failed", failedStep: "a", failure: { kind: "AgentNotFound" } })
      expect(result.failure?.message).toContain(`No agent is registered as "scribbe"; did you mean "scribe"?`)

      const cyclic = {
        name: "cyclic",
        steps: [
          { id: "a", skill: "write", after: ["b"] },
          { id: "b", skill: "write", after: ["a"] },
          { id: "c", after: ["nope"] }
        ]
      }
      const invalid = yield* rejection(yard.registerRun({ workflow: cyclic as never }))
      expect(invalid).toMatchObject({ _tag: "InvalidWorkflow", workflow: "cyclic" })
      expect(String(invalid)).toContain("a → b → a")
      expect(String(invalid)).toContain(`there is no step "nope"`)

      expect(
        yield* rejection(yard.registerRun({ workflow: words, params: { words: [1] as never } }))
      ).toMatchObject({
        _tag: "InvalidParams"
      })
      expect(
        yield* rejection(yard.registerRun({ workflow: words, params: { words: [] }, id: "../x" }))
      ).toMatchObject({
        _tag: "InvalidId"
      })
      expect(yield* rejection(yard.sendCommand("nobody", { _tag: "Pause" }))).toMatchObject({
        _tag: "RunNotFound"
      })
      expect(yield* rejection(yard.sendCommand(run.runId, { _tag: "Pause" }))).toMatchObject({
        _tag: "IllegalCommand"
      })
      yield* Effect.promise(() => yard.close())

      fs.writeFileSync(path.join(parent, "file"), "")
      const unusable = yield* rejection(Switchyard.open({ directory: path.join(parent, "file", "yard") }))
      expect(unusable).toMatchObject({ _tag: "DirectoryUnusable" })

      const segment = segmentOf(directory)
      const text = fs.readFileSync(segment, "utf8")
      const line = text.split("\n").findIndex((each) => each.includes("RunStarted")) + 1
      fs.writeFileSync(segment, text.replace("RunStarted", "RunStartet"))
      const damaged = yield* rejection(Switchyard.open({ directory }))
      expect(damaged).toMatchObject({ _tag: "LogDamaged", segment, line })
      fs.writeFileSync(segment, text)
      const again = yield* Effect.promise(() => Switchyard.open({ directory }))
      expect((yield* Effect.promise(() => again.listRuns())).items.length).toBe(1)
      yield* Effect.promise(() => again.close())
    })
  )
})

describe("cancel", () => {
  it.scopedLive("during any step leaves no process, no running agent and no temporary file", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const marker = `cancel-${process.pid}-${Date.now()}`
      const shell = ProcessAgent.make("shell", {
        capabilities: [{ skill: "shell" }],
        command: "sh",
        args: ["-c", `trap '' INT; (sleep 300; echo ${marker}) & sleep 300; echo ${marker}`],
        escalation: { terminate: "50 millis", kill: "50 millis" }
      })
      const hanging = Agent.make("hanging", {
        capabilities: [{ skill: "hang" }],
        run: (task) => Effect.zipRight(Effect.ignore(task.workspace.write("temp", "t", "t")), Effect.never)
      })
      const steps = ["hang", "shell"]
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const workspaces = yield* WorkspaceService
        for (let at = 0; at < steps.length; at++) {
          const workflow = Workflow.make("cancelled").pipe(
            Workflow.step("before", { skill: "write", input: "x" }),
            Workflow.step("during", { skill: steps[at] ?? "", after: ["before"], forEach: [1, 2, 3] }),
            Workflow.step("after", { skill: "write", after: ["during"] })
          )
          const run = yield* plane.registerRun({ workflow })
          yield* run.events.pipe(
            Stream.filter(({ event }) => event._tag === "ItemStarted" && event.stepId === "during"),
            Stream.take(3),
            Stream.runDrain
          )
          yield* run.control({ _tag: "Cancel", reason: "enough" })
          const result = yield* run.result
          expect(result.status).toBe("Cancelled")
          expect(result.steps.map(({ status }) => status)).toEqual(["Succeeded", "Cancelled", "Skipped"])
          const workspace = yield* workspaces.get(run.runId)
          expect(fs.existsSync(workspace.tempDir)).toBe(false)
          expect(
            fs
              .readdirSync(workspace.stateDir)
              .filter((name) => name === "processes")
              .flatMap((name) => fs.readdirSync(path.join(workspace.stateDir, name)))
          ).toEqual([])
          const last = yield* Stream.runLast(run.events)
          expect(last._tag === "Some" && last.value.event).toMatchObject({
            _tag: "RunCancelled",
            reason: "enough"
          })
        }
        yield* Effect.flatMap(EventLog, ({ head }) => head)
      }).pipe(Effect.provide(Switchyard.layer({ directory, agents: [scribe, shell, hanging] })))
      const alive = fs.readdirSync("/proc").filter((pid) => {
        if (!/^\d+$/.test(pid)) return false
        try {
          return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(marker)
        } catch {
          return false
        }
      })
      expect(alive).toEqual([])
    })
  )
})

describe("memory", () => {
  it.scopedLive(
    "stays flat over 1,000 runs in one process",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const program = start("test/e2e/programs/memory.ts", [path.join(directory, "yard"), "700", "1000"], {
          flags: ["--expose-gc"]
        })
        const { code, stderr, stdout } = yield* Effect.promise(() => program.ended)
        expect([code, stderr]).toEqual([0, ""])
        const { after, before } = JSON.parse(stdout)
        // The warm-up fills the tail of the log that is kept in memory; a leak of 4 kB a run would show.
        expect(after - before).toBeLessThan(4_000_000)
      }),
    120_000
  )
})
