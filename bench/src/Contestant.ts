import { type ChildProcess, fork } from "node:child_process"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import type { Outcome, Settings } from "./Subject.js"
import type { Request } from "./subjectProcess.js"

/** A subject that cannot take part, with the words for its row. */
export class Absent extends Error {}

/** A subject in a process of its own, so that heaps and compiled code do not mix. */
export interface Contestant {
  readonly open: (module: string, directory: string, settings: Settings) => Promise<void>
  readonly run: (task: Settings) => Promise<Outcome>
  /** Starts a chain and comes back when the step that never ends has begun. */
  readonly begin: (recovery: Recovery) => Promise<void>
  /** Recovers in this process what was begun in another one. */
  readonly resume: (recovery: Recovery) => Promise<Outcome>
  /** Ends the process without a warning. */
  readonly kill: () => Promise<void>
  /** Closes the subject and ends its process. */
  readonly close: () => Promise<void>
}

/** A chain of steps that is killed at one of them. */
export interface Recovery {
  readonly module: string
  readonly directory: string
  readonly settings: Settings
  readonly steps: number
  readonly killAt: number
}

interface Answer {
  readonly value?: unknown
  readonly error?: string
  readonly code?: string
}

// Run from the sources, this file has another extension than it has when it is compiled.
const program = new URL(`./subjectProcess${path.extname(import.meta.url)}`, import.meta.url)

const absence = ({ code, error = "" }: Answer): string => {
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(error)?.[1]
  return code === "ERR_MODULE_NOT_FOUND" && missing !== undefined && !missing.startsWith("/")
    ? `not installed: ${missing}`
    : `failed: ${error}`
}

const exited = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()))

/** Starts the process of a subject; a request that is not answered within the limit ends it. */
export const startContestant = (limitMillis: number): Contestant => {
  const child = fork(fileURLToPath(program), {
    execArgv: [...process.execArgv.filter((each) => each !== "--expose-gc"), "--expose-gc"],
    stdio: ["ignore", "ignore", "pipe", "ipc"]
  })
  let said = ""
  child.stderr?.on("data", (data: Buffer) => {
    said = `${said}${data}`.slice(-2000)
  })

  const request = <A>(message: Request): Promise<A> =>
    new Promise((resolve, reject) => {
      const settle = (use: () => void) => {
        clearTimeout(timer)
        child.off("message", onMessage)
        child.off("exit", onExit)
        use()
      }
      const onMessage = (answer: Answer) =>
        settle(() =>
          answer.error === undefined ? resolve(answer.value as A) : reject(new Absent(absence(answer)))
        )
      const onExit = () => settle(() => reject(new Absent(`failed: its process ended; ${said.trim()}`)))
      const timer = setTimeout(() => {
        child.kill("SIGKILL")
        settle(() => reject(new Absent(`failed: no answer within ${limitMillis / 1000} s`)))
      }, limitMillis)
      if (!child.connected) {
        onExit()
        return
      }
      child.on("message", onMessage)
      child.on("exit", onExit)
      child.send(message)
    })

  const kill = async () => {
    child.kill("SIGKILL")
    await exited(child)
  }
  return {
    open: (module, directory, settings) => request({ call: "open", module, directory, settings }),
    run: (task) => request({ call: "run", task }),
    begin: (recovery) => request({ call: "begin", ...recovery }),
    resume: (recovery) => request({ call: "resume", ...recovery }),
    kill,
    close: async () => {
      await request({ call: "close" }).catch(() => undefined)
      // It ends by itself then, so that Node writes the profile that it may have been asked for.
      if (child.connected) child.disconnect()
      const late = setTimeout(() => child.kill("SIGKILL"), 5000)
      await exited(child)
      clearTimeout(late)
    }
  }
}
