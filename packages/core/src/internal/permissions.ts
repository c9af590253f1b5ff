import * as Effect from "effect/Effect"
import type * as Agent from "../Agent.js"
import { AgentError } from "../Agent.js"
import type { EventOf } from "../Event.js"
import { allows, type Granted, type Permission } from "../Permission.js"
import { type Workspace, WorkspaceError } from "../WorkspaceService.js"
import { runOnce } from "./agentCall.js"
import { guard } from "./guarding.js"

/** Denials of one attempt that are recorded; an agent that asks for other things without end must not fill the log. */
const mostRecorded = 100

/** How much of what an agent says something is for is recorded. */
const longestReason = 500

/** What an attempt may do, and where what it may not do is recorded. */
export interface Restricted {
  readonly task: Agent.Task
  readonly agentId: Agent.Agent["id"]
  readonly granted: ReadonlyArray<Permission>
  /** Whether the step itself has a list of what may be done. */
  readonly byStep: boolean
  readonly emit: (event: EventOf<"PermissionDenied">) => void
}

/** The handles of one attempt. */
interface Handles {
  readonly permissions: Agent.Permissions
  readonly workspace: Workspace
  /** Denies, and gives the sentence that says so. */
  readonly deny: (permission: Permission, reason: string) => string
  /** After this, denials are no part of the run any more. */
  readonly close: () => void
}

const makeHandles = ({ agentId, byStep, emit, granted, task }: Restricted): Handles => {
  const { index, item, runId, stepId, workspace } = task
  const recorded = new Set<string>()
  let isOpen = true

  const deny = (permission: Permission, given: string): string => {
    const reason = given.length > longestReason ? `${given.slice(0, longestReason)}…` : given
    const key = `${permission} ${reason}`
    if (isOpen && recorded.size < mostRecorded && !recorded.has(key)) {
      recorded.add(key)
      const last =
        recorded.size === mostRecorded ? "; what else is denied to this attempt is not recorded" : ""
      emit({ _tag: "PermissionDenied", stepId, item, index, agentId, permission, reason: reason + last })
    }
    const places = byStep
      ? `of the workflow, of the request and of the step "${stepId}"`
      : "of the workflow and of the request"
    return `run ${runId} does not grant ${permission} (${reason}); add it to the permissions ${places}`
  }
  const mayAny = (wanted: ReadonlyArray<Permission>) => wanted.some((each) => allows(granted, each))
  const guarded = <A, E>(
    wanted: readonly [Permission, ...Array<Permission>],
    operation: string,
    path: string,
    effect: Effect.Effect<A, E>
  ): Effect.Effect<A, E | WorkspaceError> =>
    mayAny(wanted)
      ? effect
      : Effect.suspend(() => {
          const [permission] = wanted
          const reason = deny(permission, `to ${operation} ${path}`)
          return Effect.fail(new WorkspaceError({ operation, path, reason, permission }))
        })

  return {
    permissions: {
      granted,
      allows: (permission) => allows(granted, permission),
      require: (permission, reason) =>
        allows(granted, permission)
          ? Effect.void
          : Effect.suspend(() =>
              Effect.fail(new AgentError({ kind: "PermissionDenied", reason: deny(permission, reason) }))
            ),
      deny: (permission, reason) =>
        Effect.suspend(() => {
          deny(permission, reason)
          return Effect.fail(new AgentError({ kind: "PermissionDenied", reason }))
        })
    },
    workspace:
      mayAny(["ReadFiles"]) && mayAny(["WriteFiles"])
        ? workspace
        : guard(workspace, {
            read: (area, path) =>
              guarded(["ReadFiles"], "read", `${area}/${path}`, workspace.read(area, path)),
            list: (area) => guarded(["ReadFiles"], "list", area, workspace.list(area)),
            write: (area, path, content) =>
              guarded(["WriteFiles"], "write", `${area}/${path}`, workspace.write(area, path, content)),
            resolve: (area, path) =>
              guarded(
                ["ReadFiles", "WriteFiles"],
                "resolve",
                `${area}/${path}`,
                workspace.resolve(area, path)
              )
          }),
    deny,
    close: () => {
      isOpen = false
    }
  }
}

/** Lets an agent make an attempt with handles that are guarded, unless it needs what is not granted. */
const runRestricted = (
  restricted: Restricted,
  agent: Agent.Agent,
  onProgress: (progress: Agent.Progress) => void
): Effect.Effect<Agent.Output, AgentError> => {
  const { granted, task } = restricted
  const { close, deny, permissions, workspace } = makeHandles(restricted)
  const [missing, ...more] = agent.requires.filter((each) => !allows(granted, each))
  if (missing !== undefined) {
    const reason = deny(missing, `the agent "${agent.id}" needs it`)
    for (const each of more) deny(each, `the agent "${agent.id}" needs it`)
    return Effect.fail(new AgentError({ kind: "PermissionDenied", reason }))
  }
  return Effect.ensuring(
    Effect.suspend(() => runOnce(agent, { ...task, permissions, workspace }, onProgress)),
    Effect.sync(close)
  )
}

/** Lets an agent make an attempt, as far as what is granted goes. */
export const runWithin = (
  granted: Granted,
  byStep: boolean,
  agent: Agent.Agent,
  task: Agent.Task,
  onProgress: (progress: Agent.Progress) => void,
  emit: Restricted["emit"]
): Effect.Effect<Agent.Output, AgentError> =>
  granted === undefined
    ? runOnce(agent, task, onProgress)
    : runRestricted({ task, agentId: agent.id, granted, byStep, emit }, agent, onProgress)
