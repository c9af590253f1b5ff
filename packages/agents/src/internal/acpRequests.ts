import { isAbsolute, join, relative } from "node:path"
import {
  type PermissionOption,
  type ReadTextFileRequest,
  type ReadTextFileResponse,
  RequestError,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
  type WriteTextFileRequest
} from "@agentclientprotocol/sdk"
import { type AgentError, type Progress, progress, type Task } from "@switchyard/core/Agent"
import type { Permission } from "@switchyard/core/Permission"
import { Area, type PathOutsideWorkspace, type WorkspaceError } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Turn } from "./acpTurn.js"

/** What an agent may ask of its host in one turn. */
export interface Requests {
  readonly read: (request: ReadTextFileRequest) => Effect.Effect<ReadTextFileResponse, RequestError>
  readonly write: (request: WriteTextFileRequest) => Effect.Effect<void, RequestError>
  /** Answers whether a tool may be used; nobody is asked. */
  readonly permit: (request: RequestPermissionRequest) => Effect.Effect<RequestPermissionResponse>
}

/** What a host that answers needs to know. */
export interface Host {
  readonly task: Task
  /** The directory that paths are relative to. */
  readonly cwd: string
  readonly turn: Turn
  /** What is answered where the run restricts nothing. */
  readonly unattended: "allow" | "deny"
  readonly report: (progress: Progress) => void
}

const forbidden = (message: string): RequestError => new RequestError(-32001, message)

const isArea = Schema.is(Area)

interface Place {
  readonly area: Area
  readonly path: string
}

const refused = (error: WorkspaceError | PathOutsideWorkspace): RequestError =>
  error._tag === "WorkspaceError" && error.reason.includes("does not exist")
    ? new RequestError(-32002, error.message)
    : forbidden(error.message)

const denied = (error: AgentError): RequestError => forbidden(error.reason)

const linesOf = (content: string, { limit, line }: ReadTextFileRequest): string => {
  if ((line ?? undefined) === undefined && (limit ?? undefined) === undefined) return content
  const from = Math.max(1, line ?? 1) - 1
  return content
    .split("\n")
    .slice(from, limit === null || limit === undefined ? undefined : from + limit)
    .join("\n")
}

const permissionOf: { readonly [kind: string]: Permission } = {
  read: "ReadFiles",
  search: "ReadFiles",
  edit: "WriteFiles",
  delete: "WriteFiles",
  move: "WriteFiles",
  execute: "Execute",
  fetch: "Network"
}

const changes: ReadonlySet<string> = new Set(["edit", "delete", "move"])

const choose = (
  options: ReadonlyArray<PermissionOption>,
  kinds: ReadonlyArray<PermissionOption["kind"]>
): RequestPermissionResponse => {
  // Once is preferred, so that the next use is asked for too.
  for (const kind of kinds) {
    const option = options.find((each) => each.kind === kind)
    if (option !== undefined) return { outcome: { outcome: "selected", optionId: option.optionId } }
  }
  return { outcome: { outcome: "cancelled" } }
}

/** Answers what an agent asks: files of the workspace only, and tools as far as the run grants them. */
export const makeRequests = ({ cwd, report, task, turn, unattended }: Host): Requests => {
  const { permissions, workspace } = task

  const placeOf = (path: string): Place | undefined => {
    const below = relative(workspace.root, isAbsolute(path) ? path : join(cwd, path))
    const [area = "", ...rest] = below.split("/")
    return isArea(area) && rest.length > 0 ? { area, path: rest.join("/") } : undefined
  }

  const placed = (path: string): Effect.Effect<Place, RequestError> => {
    const place = placeOf(path)
    return place === undefined
      ? Effect.fail(forbidden(`${JSON.stringify(path)} is outside of the workspace ${workspace.root}`))
      : Effect.succeed(place)
  }

  /** The permissions of which one is enough, the one that is asked for first. */
  const needs = (request: RequestPermissionRequest): ReadonlyArray<Permission> => {
    const known = turn.tool(request.toolCall.toolCallId)
    const kind = request.toolCall.kind ?? known?.kind ?? "other"
    const name = (request.toolCall.name ?? known?.name ?? kind).replaceAll(/\s+/g, "-")
    const permission = permissionOf[kind]
    return permission === undefined ? [`tool:${name}`] : [permission, `tool:${name}`]
  }

  const refusal = (request: RequestPermissionRequest, title: string): Effect.Effect<string | undefined> => {
    const known = turn.tool(request.toolCall.toolCallId)
    const kind = request.toolCall.kind ?? known?.kind
    if (kind === "think") return Effect.succeed(undefined)
    const paths = request.toolCall.locations?.map(({ path }) => path) ?? known?.paths ?? []
    const outside = paths.find((path) => {
      const place = placeOf(path)
      return place === undefined || place.area === "state"
    })
    if (kind !== undefined && changes.has(kind) && outside !== undefined)
      return Effect.succeed(`${outside} is not in the workspace`)
    if (permissions.granted === undefined)
      return Effect.succeed(unattended === "allow" ? undefined : "nobody is there to be asked")
    const needed = needs(request)
    if (needed.some(permissions.allows)) return Effect.succeed(undefined)
    const [first = "Execute"] = needed
    return Effect.match(permissions.require(first, `for "${title}"`), {
      onFailure: ({ reason }) => reason,
      onSuccess: () => undefined
    })
  }

  return {
    read: (request) =>
      Effect.gen(function* () {
        yield* Effect.mapError(permissions.require("ReadFiles", `to read ${request.path}`), denied)
        const { area, path } = yield* placed(request.path)
        const content = yield* Effect.mapError(workspace.read(area, path), refused)
        return { content: linesOf(content, request) }
      }),
    write: ({ content, path: given }) =>
      Effect.gen(function* () {
        yield* Effect.mapError(permissions.require("WriteFiles", `to write ${given}`), denied)
        const { area, path } = yield* placed(given)
        if (area === "state")
          return yield* Effect.fail(forbidden(`${given} belongs to the host, not to agents`))
        yield* Effect.mapError(workspace.write(area, path, content), refused)
      }),
    permit: (request) =>
      Effect.gen(function* () {
        const title =
          request.toolCall.title ??
          turn.tool(request.toolCall.toolCallId)?.title ??
          request.toolCall.toolCallId
        const reason = yield* refusal(request, title)
        if (reason === undefined) return choose(request.options, ["allow_once", "allow_always"])
        report(progress({ message: `refused: ${title} (${reason})`.slice(0, 2000) }))
        return choose(request.options, ["reject_once", "reject_always"])
      })
  }
}
