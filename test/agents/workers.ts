import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { createRequire } from "node:module"
import { createInterface } from "node:readline"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as RemoteAgent from "@switchyard/agents/RemoteAgent"
import * as Agent from "@switchyard/core/Agent"
import { RunId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as Secrets from "@switchyard/core/Secrets"
import { type Workspace, WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import { eventsOf, taskIn } from "../node/programs.js"

const examples = fileURLToPath(new URL("../../examples/", import.meta.url))

/** How one of the reference workers is started. */
export interface Reference {
  readonly command: string
  readonly args: ReadonlyArray<string>
}

export const typescript: Reference = {
  command: process.execPath,
  args: [
    "--import",
    pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href,
    `${examples}remote-worker-typescript/src/main.ts`
  ]
}

const findPython = (): string | undefined => {
  try {
    const script = "import sys; assert sys.version_info >= (3, 8); print(sys.executable)"
    return execFileSync("python3", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim()
  } catch {
    return undefined
  }
}

const found = findPython()

/** The worker in Python, where there is one to run it. */
export const python: Reference | undefined =
  found === undefined ? undefined : { command: found, args: [`${examples}remote-worker-python/worker.py`] }

export const token = "t0ken-of-the-test"

export const secrets = Secrets.make((name) =>
  name === "WORKER_TOKEN" ? Effect.succeed(token) : Effect.succeed(`wrong-${name}`)
)

/** A worker that serves HTTP, on its own, until the scope ends. */
export const served = ({ args, command }: Reference) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ readonly child: ChildProcess; readonly url: string }>((resolve, reject) => {
          const child = spawn(command, [...args, "--http", "0"], {
            env: { PATH: process.env.PATH, HOME: process.env.HOME, WORKER_TOKEN: token },
            stdio: ["ignore", "pipe", "inherit"]
          })
          child.on("exit", (code) => reject(new Error(`the worker ended with ${code}`)))
          createInterface({ input: child.stdout }).once("line", (line) =>
            resolve({ child, url: line.replace("listening on ", "") })
          )
        })
    ),
    ({ child }) =>
      Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve()
            child.on("exit", () => resolve())
            child.kill("SIGKILL")
          })
      )
  )

/** Little patience, for tests. */
export const impatient = {
  heartbeat: "400 millis",
  startTimeout: "10 seconds",
  cancelTimeout: "4 seconds",
  reconnectTimeout: "3 seconds"
} as const

export const agentOf = (
  name: string,
  worker: RemoteAgent.Program | RemoteAgent.Service,
  more: Partial<RemoteAgent.Options> = {}
) =>
  Effect.orDie(
    RemoteAgent.make(name, { ...impatient, capabilities: [{ skill: name }], worker, secrets, ...more })
  )

/** A workspace of its own, so that keys of different tests are different. */
export const place = (name: string) =>
  Effect.flatMap(WorkspaceService, (service) => service.create(RunId.make(name), null))

export const attemptIn = (
  agent: Agent.Agent,
  workspace: Workspace,
  input: Json,
  more: Partial<Agent.Task> = {}
): Effect.Effect<ReadonlyArray<Agent.AgentEvent>, Agent.AgentError> =>
  eventsOf(agent, taskIn(workspace, input, more))

export const outputOf = (events: ReadonlyArray<Agent.AgentEvent>): Agent.Output => {
  const last = events.at(-1)
  if (last?._tag !== "Output") throw new Error("it ended without an output")
  return last
}

export const messagesOf = (events: ReadonlyArray<Agent.AgentEvent>): ReadonlyArray<string> =>
  events.flatMap((event) => (event._tag === "Progress" && event.message !== undefined ? [event.message] : []))

/** The failure of an attempt; a success is a defect. */
export const failureOf = <A, E, R>(
  attempt: Effect.Effect<A, E, R>
): Effect.Effect<Agent.AgentError, never, R> =>
  Effect.matchEffect(attempt, {
    onFailure: (error) => (error instanceof Agent.AgentError ? Effect.succeed(error) : Effect.die(error)),
    onSuccess: (value) => Effect.die(new Error(`it succeeded with ${JSON.stringify(value)}`))
  })
