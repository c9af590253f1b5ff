import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { AgentId } from "@switchyard/core/Ids"
import * as Workflow from "@switchyard/core/Workflow"
import { AgentDirectory } from "@switchyard/node/AgentDirectory"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
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

describe("agents from files", () => {
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
})
