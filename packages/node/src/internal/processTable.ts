import { readdirSync, readFileSync } from "node:fs"

/** One line of the process table; `startTicks` is the start time in clock ticks since boot. */
export interface Row {
  readonly name: string
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly startTicks: number
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** The row of a process, or `undefined` where it does not exist or the host has no `/proc`. */
export const row = (pid: number): Row | undefined => {
  const text = textOf(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The command name is in parentheses and may hold spaces and parentheses itself: count from the last one.
  const end = text.lastIndexOf(")")
  const fields = text.slice(end + 2).split(" ")
  return {
    name: text.slice(text.indexOf("(") + 1, end),
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startTicks: Number(fields[19])
  }
}

/** Whether this host has a process table that can be read. */
export const readable: boolean = row(process.pid) !== undefined

/** The processes of this host; none where it has no `/proc`. */
export const pids = (): ReadonlyArray<number> => {
  if (!readable) return []
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)
}

/**
 * The environment that a process was started with, as `NAME=value` pairs that each end with a NUL; `undefined` where it
 * cannot be read, because the process is gone or another user's.
 */
export const environment = (pid: number): string | undefined => textOf(`/proc/${pid}/environ`)

/** Names the time since the operating system was started, in which start ticks never repeat. */
export const bootId: string =
  textOf("/proc/sys/kernel/random/boot_id")?.trim() ??
  /^btime \d+$/m.exec(textOf("/proc/stat") ?? "")?.[0] ??
  ""

/** When a process was started, in clock ticks since boot; 0 where that cannot be known. With the pid it names one process. */
export const startTicks = (pid: number): number => row(pid)?.startTicks ?? 0

const ended = (found: Row): boolean => found.state === "Z" || found.state === "X"

const exists = (target: number): boolean => {
  try {
    process.kill(target, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Whether the process that had this pid and these start ticks is alive; a later process with the same pid is not it. */
export const alive = (pid: number, ticks: number): boolean => {
  if (!readable) return exists(pid)
  const found = row(pid)
  return found !== undefined && found.startTicks === ticks && !ended(found)
}

/** This process and those that it descends from. */
export const ownLine = (): ReadonlySet<number> => {
  const line = new Set<number>()
  for (let pid = process.pid; pid > 0 && !line.has(pid); pid = row(pid)?.parent ?? 0) line.add(pid)
  return line
}

/** Whether a process group may have a member; a zombie that nobody has reaped is one here. */
export const groupExists = (pgid: number): boolean => exists(-pgid)

/** Whether a process still runs and is a member of a group. */
export const runsIn = (pid: number, pgid: number): boolean => {
  if (!readable) return groupExists(pgid)
  const found = row(pid)
  return found !== undefined && found.group === pgid && !ended(found)
}

/** A member that still runs of each process group of this host that has one; none where it has no `/proc`. */
export const groupMembers = (): ReadonlyMap<number, number> => {
  const members = new Map<number, number>()
  for (const pid of pids()) {
    const found = row(pid)
    if (found !== undefined && !ended(found)) members.set(found.group, pid)
  }
  return members
}

/** A member of a process group that still runs. A zombie does not count, because no signal ends it. */
export const groupMember = (pgid: number): number | undefined => {
  if (!groupExists(pgid)) return undefined
  return readable ? pids().find((pid) => runsIn(pid, pgid)) : pgid
}
