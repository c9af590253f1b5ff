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

/** Loads what makes terminals, an optional dependency, when one is needed for the first time. */
export const load: Effect.Effect<Open, NoTerminal> = Effect.map(
  Effect.tryPromise({
    try: () => import("node-pty"),
    catch: (error): NoTerminal => ({
      code: notInstalled,
      reason:
        errnoOf(error) === "ERR_MODULE_NOT_FOUND"
          ? "node-pty is not installed; run `npm install node-pty`"
          : `node-pty cannot be loaded (${reasonOf(error)}); run \`npm install node-pty\` for this version of Node.js`
    })
  }),
  ({ spawn }) =>
    (path, args, { columns, rows }, cwd, env) => {
      // Without an encoding it gives the bytes as they are, which its types do not say.
      const terminal = spawn(path, [...args], {
        name: env.TERM ?? "xterm-256color",
        cols: columns,
        rows,
        cwd,
        env,
        encoding: null
      })
      return {
        pid: terminal.pid,
        onData: (consume) => {
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
)
