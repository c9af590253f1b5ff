import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** What a program printed and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A program of this repository, run by Node from its sources. */
export interface Program {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when the output has this text in it, and rejects when the program ends without it. */
  readonly prints: (text: string) => Promise<void>
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Starts a program by its path in the repository. */
export const start = (
  file: string,
  args: ReadonlyArray<string>,
  options: {
    readonly flags?: ReadonlyArray<string>
    readonly env?: NodeJS.ProcessEnv
    readonly cwd?: string
  } = {}
): Program => {
  const child = spawn(
    process.execPath,
    [...(options.flags ?? []), "--import", "tsx", `${root}${file}`, ...args],
    {
      cwd: options.cwd ?? root,
      env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json`, ...options.env },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  let stdout = ""
  let stderr = ""
  const watchers = new Set<() => void>()
  const heard = () => {
    for (const watch of watchers) watch()
  }
  child.stdout.on("data", (data: Buffer) => {
    stdout += data
    heard()
  })
  child.stderr.on("data", (data: Buffer) => {
    stderr += data
    heard()
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  const prints = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const watch = () => {
        if (!(stdout + stderr).includes(text)) return
        watchers.delete(watch)
        resolve()
      }
      watchers.add(watch)
      watch()
      ended.then((end) => reject(new Error(`it ended without printing ${text}: ${JSON.stringify(end)}`)))
    })
  return { child, ended, prints }
}
