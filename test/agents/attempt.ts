import type * as Agent from "@switchyard/core/Agent"
import { AgentError, unrestricted } from "@switchyard/core/Agent"
import type { RunId, StepId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import type { Permission } from "@switchyard/core/Permission"
import type { Workspace } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** How an attempt ended, and what it showed on the way. */
export interface Attempted {
  readonly outcome: Agent.Output | AgentError
  readonly progress: ReadonlyArray<Agent.Progress>
}

const outside = (path: string) => Effect.die(`nothing is to be done with ${path}`)

/** A workspace of a few files in `outputs`. */
export const workspaceOf = (files: Map<string, string>): Workspace => ({
  runId: "run" as RunId,
  root: "/nowhere",
  stateDir: "/nowhere/state",
  reportsDir: "/nowhere/reports",
  outputsDir: "/nowhere/outputs",
  tempDir: "/nowhere/temp",
  config: {},
  resolve: (_, path) => outside(path),
  write: (area, path, content) =>
    Effect.sync(() => {
      files.set(`${area}/${path}`, String(content))
      return `/nowhere/${area}/${path}`
    }),
  read: (area, path) => Effect.sync(() => files.get(`${area}/${path}`) ?? ""),
  list: (area) =>
    Effect.sync(() =>
      [...files.keys()]
        .filter((each) => each.startsWith(`${area}/`))
        .map((each) => each.slice(area.length + 1))
    )
})

/** Permissions of a run that grants no more than this, and what was denied. */
export const granting = (granted: ReadonlyArray<Permission>) => {
  const denied: Array<string> = []
  const permissions: Agent.Permissions = {
    granted,
    allows: (permission) => granted.includes(permission),
    deny: unrestricted.deny,
    require: (permission, reason) =>
      Effect.suspend(() => {
        if (granted.includes(permission)) return Effect.void
        denied.push(permission)
        return Effect.fail(
          new AgentError({ kind: "PermissionDenied", reason: `${permission} is not granted (${reason})` })
        )
      })
  }
  return { permissions, denied }
}

/** A task with an input. */
export const taskOf = (input: Json, more: Partial<Agent.Task> = {}): Agent.Task => ({
  runId: "run" as RunId,
  stepId: "step" as StepId,
  skill: "write",
  item: "0",
  index: 0,
  total: 1,
  attempt: 1,
  idempotencyKey: "run/step/0/1",
  input,
  workspace: workspaceOf(new Map()),
  permissions: unrestricted,
  ...more
})

/** Lets an agent make one attempt, to its end. */
export const attempt = (agent: Agent.Agent, task: Agent.Task): Effect.Effect<Attempted> => {
  const progress: Array<Agent.Progress> = []
  let last: Agent.Output | undefined
  const running = agent.run(task)
  const events = Effect.isEffect(running) ? Stream.fromEffect(running) : running
  return Stream.runForEach(events, (event) =>
    Effect.sync(() => {
      if (event._tag === "Output") last = event
      else progress.push(event)
    })
  ).pipe(
    Effect.match({
      onFailure: (error): Attempted => ({ outcome: error, progress }),
      onSuccess: (): Attempted => ({
        outcome: last ?? new AgentError({ kind: "InvalidOutput", reason: "no output" }),
        progress
      })
    })
  )
}
