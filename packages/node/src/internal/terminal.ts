import { constants } from "node:os"
import * as Effect from "effect/Effect"
import { errnoOf, reasonOf } from "./fileSystem.js"

/** How large a terminal is, in characters. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** A program that runs in a terminal of its own, as the leader of a session and a process group. */
export interface Terminal {
  readonly pid: number
  /** Called with what the program writes, and with what is typed for it, in order. */
  readonly onData: (consume: (chunk: Uint8Array) => void) => void
  /** Called once it has ended and everything it wrote is read. */
  readonly onExit: (ended: (code: number | null, signal: string | null) => void) => void
  /** Nothing is read for a while. */
  readonly pause: () => void
  readonly resume: () => void
}

/** Why there is no terminal for a program. */
export interface NoTerminal {
  readonly code: string
  readonly reason: string
}

/** Starts a program in a terminal. */
export type Open = (
  path: string,
  args: ReadonlyArray<string>,
  size: TerminalSize,
  cwd: string,
  env: Readonly<Record<string, string>>
) => Terminal

const nameOf = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name])
)

/** The code of a failure to load the library that makes terminals. */
export const notInstalled = "ERR_NO_TERMINAL"

/** What is used of the library that makes terminals; named here, so that nobody needs its types who does not have it. */
export interface Library {
  readonly spawn: (
    file: string,
    args: Array<string>,
    options: {
      name: string
      cols: number
      rows: number
      cwd: string
      env: Record<string, string>
      encoding: null
    }
  ) => {
    readonly pid: number
    readonly onData: (consume: (data: string) => void) => unknown
    readonly onExit: (ended: (exit: { exitCode: number; signal?: number }) => void) => unknown
    readonly pause: () => void
    readonly resume: () => void
  }
}

const openWith =
  ({ spawn }: Library): Open =>
  (path, args, { columns, rows }, cwd, env) => {
    const name = env.TERM ?? "xterm-256color"
    const size = { cols: columns, rows }
    const terminal = spawn(path, [...args], { name, ...size, cwd, env: { ...env }, encoding: null })
    return {
      pid: terminal.pid,
      onData: (consume) => {
        // Without an encoding it gives the bytes as they are, which its types do not say.
        terminal.onData((data: string | Uint8Array) =>
          consume(typeof data === "string" ? Buffer.from(data) : data)
        )
      },
      onExit: (ended) => {
        terminal.onExit(({ exitCode, signal }) =>
          signal === undefined || signal === 0
            ? ended(exitCode, null)
            : ended(null, nameOf.get(signal) ?? `signal ${signal}`)
        )
      },
      pause: () => terminal.pause(),
      resume: () => terminal.resume()
    }
  }

/** Loads a library that makes terminals; where it cannot be, the reason says what to do. */
export const loadFrom = (library: () => Promise<Library>): Effect.Effect<Open, NoTerminal> =>
  Effect.map(
    Effect.tryPromise({
      try: library,
      catch: (error): NoTerminal => ({
        code: notInstalled,
        reason:
          errnoOf(error) === "ERR_MODULE_NOT_FOUND"
            ? "node-pty is not installed; run `npm install node-pty`"
            : `node-pty cannot be loaded (${reasonOf(error)}); run \`npm install node-pty\` with this version of Node.js`
      })
    }),
    openWith
  )

/** Loads node-pty, an optional dependency, when a terminal is needed for the first time. */
export const load: Effect.Effect<Open, NoTerminal> = loadFrom(() => import("node-pty"))
