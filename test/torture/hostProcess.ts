import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { build } from "tsup"
import type { Report, Request } from "./messages.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The program of the hosts as one file, since it is started again and again; it goes with `remove`. */
export const bundleHost = async (): Promise<{ readonly file: string; readonly remove: () => void }> => {
  // What is not bundled is found from there.
  const cache = path.join(root, "node_modules/.cache")
  fs.mkdirSync(cache, { recursive: true })
  const directory = fs.mkdtempSync(path.join(cache, "torture-"))
  await build({
    entry: [path.join(root, "test/torture/host.ts")],
    outDir: directory,
    format: "esm",
    outExtension: () => ({ js: ".mjs" }),
    target: "node20",
    tsconfig: path.join(root, "tsconfig.json"),
    config: false,
    silent: true,
    splitting: false,
    noExternal: [/^effect/, /^@/],
    external: ["better-sqlite3", "chokidar", "node-pty", "yaml"]
  })
  return {
    file: path.join(directory, "host.mjs"),
    remove: () => fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** How a host came to its end. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** A host, from its start to its end. */
export interface HostProcess {
  readonly child: ChildProcess
  readonly send: (request: Request) => void
  /** Resolves when it is gone and everything it had reported was heard. */
  readonly ended: Promise<End>
  /** Is told of every report from now on, and of those before. */
  readonly listen: (listener: (report: Report) => void) => void
}

const linesOf = (stream: Readable, heard: (line: string) => void): void => {
  let rest = ""
  stream.setEncoding("utf8")
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) heard(line)
  })
}

/** Starts a host, which loads its program and then waits to be told what to open. */
export const startHost = (file: string): HostProcess => {
  const child = spawn(process.execPath, ["--enable-source-maps", file], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"]
  })
  let early: Array<Report> = []
  let tell = (report: Report): void => {
    early.push(report)
  }
  let stderr = ""
  child.stderr.on("data", (data: Buffer) => {
    stderr = (stderr + data).slice(-20_000)
  })
  linesOf(child.stdout, (line) => tell(JSON.parse(line)))
  // A host that is gone takes no requests.
  child.stdin.on("error", () => undefined)
  return {
    child,
    send: (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`)
    },
    ended: new Promise((resolve) => {
      child.on("close", (code, signal) => resolve({ code, signal, stderr }))
    }),
    listen: (listener) => {
      tell = listener
      for (const report of early) listener(report)
      early = []
    }
  }
}
