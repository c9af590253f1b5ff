import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import type { ControlCommand } from "@switchyard/core/Command"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { AgentId, StepId } from "@switchyard/core/Ids"
import * as Workflow from "@switchyard/core/Workflow"
import { AgentDirectory } from "@switchyard/node/AgentDirectory"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { eventually } from "../node/eventually.js"
import { temporaryDirectory } from "../node/temporary.js"

const lines = (...text: ReadonlyArray<string>) => text.join("\n")

/** An agent that prints the word and its input. */
const saying = (word: string) =>
  lines("capabilities: [say]", "command: sh", `args: ["-c", 'printf "${word} %s" "$1"', sh, "{{input}}"]`)

const twoSteps = Workflow.make("two").pipe(
  Workflow.step("first", { skill: "wait", input: "" }),
  Workflow.step("second", { skill: "say", input: "hello", after: ["first"] })
)

/** An agent that waits for its gate, and tells when it does. */
const gated = Effect.gen(function* () {
  const begun = yield* Deferred.make<void>()
  const gate = yield* Deferred.make<void>()
  const agent = Agent.make("gatekeeper", {
    capabilities: [{ skill: "wait" }],
    run: () => Effect.as(Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(gate)), "opened")
  })
  return { agent, begun: Deferred.await(begun), open: Deferred.succeed(gate, undefined) }
})

const threeSteps = Workflow.make("three").pipe(
  Workflow.step("first", { skill: "say", input: "hello" }),
  Workflow.step("gate", { approval: {}, after: ["first"] }),
  Workflow.step("second", { skill: "say", input: "hello", after: ["gate"] })
)

const approve: ControlCommand = { _tag: "Decide", stepId: StepId.make("gate"), decision: "approve" }

describe("agents from files", () => {
  it.scopedLive(
    "stay what they were for a run that began with them, also over a restart and a new revision",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const files = path.join(parent, "agents")
        fs.mkdirSync(files)
        fs.writeFileSync(path.join(files, "speaker.yaml"), saying("said"))
        const yard = Switchyard.layer({
          directory: path.join(parent, "data"),
          agentFiles: { directory: files, watch: false }
        })
        const runId = yield* Effect.gen(function* () {
          const plane = yield* ControlPlane
          const run = yield* plane.registerRun({ workflow: threeSteps })
          yield* run.events.pipe(
            Stream.filter(({ event }) => event._tag === "StepWaiting"),
            Stream.runHead
          )
          return run.runId
        }).pipe(Effect.provide(yard))
        fs.writeFileSync(path.join(files, "speaker.yaml"), saying("shouted"))
        yield* Effect.gen(function* () {
          const plane = yield* ControlPlane
          const run = yield* plane.get(runId)
          yield* run.control(approve)
          expect((yield* run.result).outputs).toMatchObject({ first: "said hello", second: "said hello" })
          const events = [...(yield* Stream.runCollect(run.events))].map(({ event }) => event)
          expect(events.filter(({ _tag }) => _tag === "AgentPinned")).toEqual([
            { _tag: "AgentPinned", agentId: "speaker", revision: 1 }
          ])
          const other = yield* plane.registerRun({ workflow: threeSteps })
          yield* other
            .control(approve)
            .pipe(Effect.retry({ while: () => true, schedule: Schedule.spaced(20) }))
          expect((yield* other.result).outputs).toMatchObject({ second: "shouted hello" })
        }).pipe(Effect.provide(yard))
      })
  )

  it.scopedLive("a new agent needs no change: one that comes while a run executes does its next step", () =>
    Effect.gen(function* () {
      const parent = yield* temporaryDirectory
      const files = path.join(parent, "agents")
      fs.mkdirSync(files)
      const { agent, begun, open } = yield* gated
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const registry = yield* AgentRegistry
        const run = yield* plane.registerRun({ workflow: twoSteps })
        yield* begun
        expect(yield* registry.findAgentsWithSkill("say")).toEqual([])
        fs.writeFileSync(path.join(files, "speaker.yaml"), saying("said"))
        yield* eventually(registry.findAgentsWithSkill("say"), [AgentId.make("speaker")])
        yield* open
        const result = yield* run.result
        expect(result.outputs).toEqual({ first: "opened", second: "said hello" })
        const events = yield* Stream.runCollect(run.events)
        expect(JSON.stringify([...events])).toContain('"agentId":"speaker"')
      }).pipe(
        Effect.provide(
          Switchyard.layer({
            directory: path.join(parent, "data"),
            agents: [agent],
            agentFiles: { directory: files }
          })
        )
      )
    })
  )

  it.scopedLive("a changed file counts for the next step, and a bad change for none", () =>
    Effect.gen(function* () {
      const parent = yield* temporaryDirectory
      const files = path.join(parent, "agents")
      const file = path.join(files, "speaker.yaml")
      fs.mkdirSync(files)
      fs.writeFileSync(file, saying("first"))
      const { agent, begun, open } = yield* gated
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const registry = yield* AgentRegistry
        const directory = yield* AgentDirectory
        const old = yield* registry.get("speaker")
        const run = yield* plane.registerRun({ workflow: twoSteps })
        yield* begun
        fs.writeFileSync(file, saying("second"))
        yield* eventually(
          Effect.map(registry.get("speaker"), (now) => now !== old),
          true
        )
        fs.writeFileSync(file, "comand: x")
        yield* eventually(
          Effect.map(directory.problems, (problems) => problems.map((each) => each.file)),
          [file]
        )
        yield* open
        expect((yield* run.result).outputs.second).toBe("second hello")
      }).pipe(
        Effect.provide(
          Switchyard.layer({
            directory: path.join(parent, "data"),
            agents: [agent],
            agentFiles: { directory: files }
          })
        )
      )
    })
  )

  it.scopedLive("what is under way goes on with what the file was when it began", () =>
    Effect.gen(function* () {
      const parent = yield* temporaryDirectory
      const files = path.join(parent, "agents")
      const gate = path.join(parent, "gate")
      const file = path.join(files, "patient.yaml")
      const text = (word: string) =>
        lines(
          "capabilities: [say]",
          "command: sh",
          `args: ["-c", 'touch "$1.begun"; until [ -e "$1" ]; do sleep 0.02; done; printf ${word}', sh, "${gate}"]`
        )
      fs.mkdirSync(files)
      fs.writeFileSync(file, text("old"))
      const workflow = Workflow.make("one").pipe(Workflow.step("say", { skill: "say" }))
      yield* Effect.gen(function* () {
        const plane = yield* ControlPlane
        const registry = yield* AgentRegistry
        const { refresh } = yield* AgentDirectory
        const run = yield* plane.registerRun({ workflow })
        yield* eventually(
          Effect.sync(() => fs.existsSync(`${gate}.begun`)),
          true
        )
        fs.writeFileSync(file, text("new"))
        yield* refresh
        expect((yield* registry.list).map(({ revision }) => revision)).toEqual([2])
        fs.writeFileSync(gate, "")
        expect((yield* run.result).outputs).toEqual({ say: "old" })
        const next = yield* plane.registerRun({ workflow })
        expect((yield* next.result).outputs).toEqual({ say: "new" })
        fs.rmSync(file)
        yield* refresh
        const none = yield* plane.registerRun({ workflow })
        expect((yield* none.result).failure?.message).toContain('No agent can do "say"')
      }).pipe(
        Effect.provide(
          Switchyard.layer({
            directory: path.join(parent, "data"),
            agentFiles: { directory: files, watch: false }
          })
        )
      )
    })
  )

  it.scopedLive(
    "are there for runs that go on when a directory is opened again, and for hosts without Effect",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const files = path.join(parent, "agents")
        const more = path.join(parent, "more.yaml")
        const data = path.join(parent, "data")
        fs.mkdirSync(files)
        fs.writeFileSync(path.join(files, "speaker.yaml"), saying("said"))
        fs.writeFileSync(path.join(files, "wrong.yaml"), "comand: x")
        fs.writeFileSync(more, saying("more"))
        const { agent, begun } = yield* gated
        const runId = yield* Effect.gen(function* () {
          const plane = yield* ControlPlane
          const run = yield* plane.registerRun({ workflow: twoSteps })
          yield* begun
          return run.runId
        }).pipe(Effect.provide(Switchyard.layer({ directory: data, agents: [agent] })))

        const opened = Agent.make("gatekeeper", {
          capabilities: [{ skill: "wait" }],
          run: () => Effect.succeed("opened")
        })
        const quiet = { directory: files, watch: false }
        yield* Effect.promise(async () => {
          await using yard = await Switchyard.open({ directory: data, agents: [opened], agentFiles: quiet })
          const run = await yard.get(runId).catch(() => undefined)
          const status = run === undefined ? (await yard.getRun(runId)).status : (await run.result).status
          expect(status).toBe("Completed")
          expect((await yard.agentProblems()).map(({ file }) => path.basename(file))).toEqual(["wrong.yaml"])
          expect(await yard.loadAgents(more)).toEqual({ agents: ["more"], problems: [] })
          await expect(yard.loadAgents(path.join(parent, "none"))).rejects.toMatchObject({
            _tag: "AgentFileUnreadable"
          })
        })
        const missing = { directory: data, agentFiles: { directory: path.join(parent, "none") } }
        const refused = yield* Effect.promise(() => Switchyard.open(missing).catch((error: unknown) => error))
        expect(refused).toMatchObject({ _tag: "AgentFileUnreadable", file: path.join(parent, "none") })
      })
  )
})
