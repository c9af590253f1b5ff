import { readdirSync, readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { RunId, StepId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import { type Workspace, WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const runId = RunId.make("run")

export const taskIn = (workspace: Workspace, input: Json, more: Partial<Agent.Task> = {}): Agent.Task => ({
  runId,
  stepId: StepId.make("step"),
  skill: "work",
  item: "item",
  index: 0,
  total: 1,
  attempt: 1,
  idempotencyKey: "run/step/item/1",
  permissions: Agent.unrestricted,
  input,
  workspace,
  ...more
})

export const node = process.execPath

export const program = (options: Partial<ProcessAgent.Options>) =>
  ProcessAgent.make("program", { capabilities: [{ skill: "work" }], command: node, ...options })

/** An agent that runs a script of Node.js with arguments. */
export const script = (source: string, options: Partial<ProcessAgent.Options> = {}) =>
  program({ ...options, args: ["-e", source, "--", ...(options.args ?? [])] })

export const shell = (source: string, options: Partial<ProcessAgent.Options> = {}) =>
  program({ ...options, command: "/bin/sh", args: ["-c", source, ...(options.args ?? [])] })

export const workspace = Effect.flatMap(WorkspaceService, (service) => service.create(runId, null))

export const eventsOf = (
  agent: Agent.Agent,
  task: Agent.Task
): Effect.Effect<ReadonlyArray<Agent.AgentEvent>, Agent.AgentError> => {
  const running = agent.run(task)
  return Effect.isEffect(running)
    ? Effect.map(running, (output) => [output])
    : Effect.map(Stream.runCollect(running), Chunk.toReadonlyArray)
}

export const outcome = (made: Effect.Effect<Agent.Agent, ProcessAgent.InvalidCommand>, input: Json = "in") =>
  Effect.gen(function* () {
    const agent = yield* Effect.orDie(made)
    const events = yield* eventsOf(agent, taskIn(yield* workspace, input))
    const last = events.at(-1)
    assert.strictEqual(last?._tag, "Output")
    return last as Agent.Output
  })

export const value = (made: Effect.Effect<Agent.Agent, ProcessAgent.InvalidCommand>, input?: Json) =>
  Effect.map(outcome(made, input), (output) => output.value)

export const error = (made: Effect.Effect<Agent.Agent, ProcessAgent.InvalidCommand>, input?: Json) =>
  Effect.flatMap(Effect.flip(value(made, input)), (failure) =>
    failure instanceof Agent.AgentError ? Effect.succeed(failure) : Effect.die(failure)
  )

export const test = (name: string, body: Effect.Effect<void, unknown, WorkspaceService | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(body).pipe(Effect.provide(DirectoryWorkspace.layerTemp())))

export const io = <A>(thunk: () => Promise<A>) => Effect.promise(thunk)

export const eventually = <A>(what: string, look: () => A | undefined): Effect.Effect<A> =>
  Effect.gen(function* () {
    for (let i = 0; i < 500; i++) {
      const found = look()
      if (found !== undefined) return found
      yield* Effect.sleep("10 millis")
    }
    return yield* Effect.die(new Error(`${what} did not happen within 5 seconds`))
  })

/** The processes whose environment holds this mark, zombies aside. */
export const marked = (mark: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`MARK=${mark}\0`)
      } catch {
        return false
      }
    })

export const files = (path: string): ReadonlyArray<string> => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

let marks = 0
export const markedEnv = () => {
  const mark = `${process.pid}-${marks++}`
  return { mark, env: { set: { MARK: mark } } }
}

export const short = { terminate: "200 millis", kill: "200 millis" } as const
