import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import { kill } from "./escalation.js"
import { gathered } from "./gathered.js"
import { alive, environment, ownLine, pids, row } from "./processTable.js"

/**
 * What the environment of every program says that an agent starts, and of everything that those start in turn: which
 * workspace they work in, and which attempt they belong to. It tells them apart from all other processes of the host, also
 * when they have left their process group or when the host was killed before it could note them.
 */
export interface Marker {
  readonly workspace: string
  readonly attempt: string
}

/** A fresh marker of an attempt; the same attempt made again has another one. */
export const makeMarker = (workspace: string, idempotencyKey: string): Marker => ({
  workspace,
  attempt: `${idempotencyKey}#${randomBytes(8).toString("hex")}`
})

/** The marker as environment variables. */
export const toEnvironment = ({ attempt, workspace }: Marker): Readonly<Record<string, string>> => ({
  SWITCHYARD_WORKSPACE: workspace,
  SWITCHYARD_ATTEMPT: attempt
})

const pattern = /(?:^|\0)SWITCHYARD_(WORKSPACE|ATTEMPT)=([^\0]*)/g

const markerIn = (text: string): Marker | undefined => {
  // Most processes of a host have none, and their environments are long.
  if (!text.includes("SWITCHYARD_WORKSPACE=")) return undefined
  const values = new Map([...text.matchAll(pattern)].map(([, name, value]) => [name, value]))
  const workspace = values.get("WORKSPACE")
  return workspace === undefined ? undefined : { workspace, attempt: values.get("ATTEMPT") ?? "" }
}

/** A process with a marker; pid and start ticks together name it. */
export interface Marked {
  readonly pid: number
  readonly startTicks: number
  readonly group: number
  readonly name: string
  readonly marker: Marker
}

/** The processes of this host that carry a marker; never this process, nor one that it descends from. */
export const markedProcesses = (): ReadonlyArray<Marked> => {
  const own = ownLine()
  return pids().flatMap((pid) => {
    const marker = own.has(pid) ? undefined : markerIn(environment(pid) ?? "")
    const found = marker === undefined ? undefined : row(pid)
    if (marker === undefined || found === undefined) return []
    const { group, name, startTicks } = found
    return [{ pid, startTicks, group, name, marker }]
  })
}

/** Signals marked processes, each with its whole group unless that is a group of this process's own line. */
export const signalMarked = (found: ReadonlyArray<Marked>, name: NodeJS.Signals): void => {
  const spared = new Set([...ownLine()].map((pid) => row(pid)?.group))
  for (const group of new Set(found.map((each) => each.group))) if (!spared.has(group)) kill(-group, name)
  for (const { group, pid, startTicks } of found)
    if (spared.has(group) && alive(pid, startTicks)) kill(pid, name)
}

const look = gathered(markedProcesses)

/** The processes that carry this very marker, by a look that begins after this was asked. */
export const processesOf = ({ attempt, workspace }: Marker): Effect.Effect<ReadonlyArray<Marked>> =>
  Effect.map(look, (found) =>
    found.filter(({ marker }) => marker.attempt === attempt && marker.workspace === workspace)
  )
