import { readdirSync, readFileSync } from "node:fs"

/** One line of the process table; `startTicks` is the start time in clock ticks since boot. */
export interface Row {
  readonly state: string
  readonly group: number
  readonly startTicks: number
}

/** The row of a process, or `undefined` where it does not exist or the host has no `/proc`. */
export const row = (pid: number): Row | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1")
    // The command name is in parentheses and may hold spaces and parentheses itself: count from the last one.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    return { state: fields[0] ?? "", group: Number(fields[2]), startTicks: Number(fields[19]) }
  } catch {
    return undefined
  }
}

/** Whether this host has a process table that can be read. */
export const readable: boolean = row(process.pid) !== undefined

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

/**
 * Whether a process group has a member that still runs. A zombie that nobody has reaped does not count, because no signal
 * ends it. `seen` is a member from an earlier answer and is looked at first.
 */
export const groupMember = (pgid: number, seen?: number): number | undefined => {
  if (!exists(-pgid)) return undefined
  if (!readable) return pgid
  const runs = (pid: number): boolean => {
    const found = row(pid)
    return found !== undefined && found.group === pgid && !ended(found)
  }
  if (seen !== undefined && runs(seen)) return seen
  return readdirSync("/proc")
    .map(Number)
    .find((pid) => Number.isInteger(pid) && pid > 0 && runs(pid))
}
