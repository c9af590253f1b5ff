import { execFile } from "node:child_process"
import { mkdir, realpath } from "node:fs/promises"
import { constants } from "node:os"
import { basename, dirname, join, sep } from "node:path"
import type { AgentError, Task } from "@switchyard/core/Agent"
import { unguarded, type Workspace } from "@switchyard/core/WorkspaceService"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { attempt } from "./fileSystem.js"
import type { Exit } from "./processGroup.js"
import { failure } from "./programFailure.js"
import { findExecutable } from "./programFiles.js"

/**
 * Whether programs of runs that restrict something are started in a sandbox: `auto`, where the host can do that, and with a
 * warning otherwise; `require`, or they are denied; or `off`.
 */
export type Mode = "auto" | "require" | "off"

/** What is said of the sandbox of a program. */
export interface Sandboxed {
  /**
   * Whether it is started in a sandbox by a run that restricts what its agents do: as the host says, and `off` for a program
   * that is trusted, unless the host requires one.
   */
  readonly sandbox?: Mode
  /** Files and directories that it reads in a sandbox whatever the run grants, such as a script and what that imports. */
  readonly readable?: ReadonlyArray<string>
}

interface HostSandboxes {
  readonly mode: Mode
  /** Directories that no program sees, but for the workspace of its run. */
  readonly hidden: ReadonlyArray<string>
  /** Why there can be no sandbox on this host, or `undefined` where there can. */
  readonly missing: Effect.Effect<string | undefined>
  /** Says once that there is none. */
  readonly warn: (message: string) => Effect.Effect<void>
}

/** What a host says about sandboxes. */
export class HostSandbox extends Context.Reference<HostSandbox>()("@switchyard/node/HostSandbox", {
  defaultValue: () => makeHostSandbox("auto", [])
}) {}

/** A function that logs a warning the first time it is called. */
const warnOnce = (): ((message: string) => Effect.Effect<void>) => {
  let told = false
  return (message) =>
    Effect.suspend(() => {
      if (told) return Effect.void
      told = true
      return Effect.logWarning(message)
    })
}

/** What a host says about sandboxes, in full; it warns once. */
export const makeHostSandbox = (
  mode: Mode,
  hidden: ReadonlyArray<string>,
  missing = missingHere
): HostSandboxes => ({ mode, hidden, missing, warn: warnOnce() })

/** A program as it is started. */
export interface Confined {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Whether it is started in a sandbox. */
  readonly isConfined?: boolean
}

const signals = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name])
)

/** How a program ended: a sandbox says that it was by a signal in an exit code, as a shell does. */
export const exitOf = ({ isConfined }: Confined, exit: Exit): Exit => {
  const signal = isConfined === true && exit.code !== null ? signals.get(exit.code - 128) : undefined
  return signal === undefined ? exit : { code: null, signal }
}

/** What a sandbox lets a program do. */
export interface Bounds {
  readonly reads: boolean
  readonly writes: boolean
  readonly network: boolean
}

/** What programs are made of that are not installed somewhere special; what of it there is not is left out. */
const system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"]

/** What programs look at to find libraries, users and hosts. */
const settings = [
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "alternatives",
  "passwd",
  "group",
  "nsswitch.conf"
]
  .concat(["hosts", "resolv.conf", "localtime", "ssl", "pki", "ca-certificates", "mime.types", "terminfo"])
  .map((name) => `/etc/${name}`)

/** What of `/run`, which holds the sockets of other programs, is needed to find hosts. */
const resolvers = ["/run/systemd/resolve", "/run/NetworkManager/resolv.conf", "/run/resolvconf"]

/** Where private files go, of which nothing is left. */
const scratch = ["/tmp", "/var/tmp", "/run", "/dev/shm"]

const bind = (how: "--ro-bind" | "--ro-bind-try" | "--bind", paths: ReadonlyArray<string>) =>
  paths.flatMap((path) => [how, path, path])

const tmpfs = (paths: ReadonlyArray<string>) => paths.flatMap((path) => ["--tmpfs", path])

/**
 * The arguments of `bwrap` for a program. `own` is where the program itself is installed, `readable` what it reads besides,
 * `given` what of the workspace it needs whatever the run grants, and `kept` what of the workspace belongs to the host.
 */
export const argumentsOf = (
  program: Confined,
  bounds: Bounds,
  places: {
    readonly workspace: string
    readonly areas: ReadonlyArray<string>
    readonly hidden: ReadonlyArray<string>
    readonly own: ReadonlyArray<string>
    readonly readable: ReadonlyArray<string>
    readonly given: ReadonlyArray<string>
    readonly kept: ReadonlyArray<string>
  }
): ReadonlyArray<string> => {
  const { areas, given, hidden, kept, own, readable, workspace } = places
  const isSeen = bounds.reads || bounds.writes
  return [
    // Not with --new-session, because signals go to the process group; there is no terminal to take over without it. Not
    // with --die-with-parent either, because SIGINT ends the outer process at once, and the program is to end by itself.
    "--unshare-user-try",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    ...(bounds.network ? [] : ["--unshare-net"]),
    "--cap-drop",
    "ALL",
    ...(bounds.reads ? bind("--ro-bind", ["/"]) : bind("--ro-bind-try", [...system, ...settings])),
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    ...tmpfs(scratch),
    ...(bounds.network ? bind("--ro-bind-try", resolvers) : []),
    ...bind("--ro-bind-try", readable),
    ...tmpfs(hidden),
    ...bind("--ro-bind", own),
    ...(isSeen
      ? [...bind(bounds.writes ? "--bind" : "--ro-bind", [workspace]), ...bind("--ro-bind", kept)]
      : [...tmpfs([workspace]), ...areas.flatMap((area) => ["--dir", area])]),
    ...bind("--ro-bind", given),
    // What is written where nothing is kept fails, and does not vanish.
    ...[...(isSeen ? [] : [workspace]), ...hidden, ...(bounds.reads ? [] : ["/"])].flatMap((path) => [
      "--remount-ro",
      path
    ]),
    "--chdir",
    program.cwd,
    "--",
    program.command,
    ...program.args
  ]
}

const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)

/**
 * Where a program is installed that is in no usual place: its directory, the one that a link leads to, and libraries next to
 * them. Of a directory that holds what is hidden there is nothing but the program.
 */
const installed = async (path: string, secluded: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const found = new Set<string>()
  for (const file of [path, await realpath(path).catch(() => path)]) {
    const directory = dirname(file)
    if (system.some((each) => isWithin(directory, each))) continue
    if (secluded.some((each) => isWithin(each, directory))) {
      found.add(file)
      continue
    }
    found.add(directory)
    const libraries = join(dirname(directory), "lib")
    if (basename(directory) === "bin" && (await realpath(libraries).catch(() => "")) === libraries)
      found.add(libraries)
  }
  return [...found]
}

/** Why there can be no sandbox on this host: it is tried, because what is installed need not be allowed. */
const missingHere: Effect.Effect<string | undefined> = Effect.runSync(
  Effect.cached(
    Effect.promise(
      () =>
        new Promise<string | undefined>((resolve) => {
          const args = [
            "--unshare-user-try",
            "--unshare-pid",
            "--unshare-net",
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc"
          ]
          execFile("bwrap", [...args, "--dev", "/dev", "true"], { timeout: 10_000 }, (error, _, stderr) => {
            if (error === null) resolve(undefined)
            else if (error.code === "ENOENT") resolve("bwrap (bubblewrap) is not installed")
            else
              resolve(
                `bwrap cannot make a sandbox here: ${stderr.trim().split("\n").at(-1) || error.message}`
              )
          })
        })
    )
  )
)

/** The directories that are hidden as far as they exist; of those inside others only the outer ones. */
const hiddenFor = async (
  workspace: string,
  hidden: ReadonlyArray<string>
): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const each of [...hidden, dirname(workspace)]) {
    const real = await realpath(each).catch(() => undefined)
    if (real !== undefined && real !== sep) found.push(real)
  }
  const all = [...new Set(found)]
  return all.filter((each) => !all.some((other) => other !== each && isWithin(each, other)))
}

const whatIsMissing = ({ network, reads, writes }: Bounds): string =>
  [
    ...(reads ? [] : ["reading files"]),
    ...(writes ? [] : ["writing files"]),
    ...(network ? [] : ["the network"])
  ].join(", ")

/** What a program needs whatever the run grants: files of the workspace, and what it reads where it is installed. */
interface Needs {
  readonly given?: ReadonlyArray<string>
  readonly readable?: ReadonlyArray<string>
}

const confined = async (
  program: Confined,
  path: string,
  bounds: Bounds,
  workspace: Workspace,
  { given = [], readable = [] }: Needs,
  hidden: ReadonlyArray<string>
): Promise<Confined> => {
  const { outputsDir, reportsDir, root, stateDir, tempDir } = workspace
  const kept = [join(stateDir, "processes"), join(stateDir, "programs")]
  for (const each of kept) await mkdir(each, { recursive: true })
  const behind = await hiddenFor(root, hidden)
  const args = argumentsOf({ ...program, command: path }, bounds, {
    workspace: root,
    areas: [stateDir, reportsDir, outputsDir, tempDir],
    hidden: behind,
    own: await installed(path, [...scratch, ...behind]),
    readable,
    given: bounds.reads || bounds.writes ? [] : given,
    kept: [join(root, "config.json"), ...kept]
  })
  // What was the home of the user is not there.
  const env = bounds.reads || program.env.HOME === undefined ? program.env : { ...program.env, HOME: "/tmp" }
  // A terminal is opened for a path only.
  const command =
    (await Effect.runPromise(findExecutable("bwrap", { PATH: process.env.PATH ?? "/usr/bin:/bin" }))) ??
    "bwrap"
  return { command, args, cwd: program.cwd, env: { PATH: "/usr/bin:/bin", ...env }, isConfined: true }
}

/**
 * The program as it is started for a task: in a sandbox where the run restricts something, as it is otherwise. A program that is not there is left to whoever starts it.
 */
export const confine = (
  program: Confined,
  { permissions, workspace }: Pick<Task, "permissions" | "workspace">,
  options: Needs & Sandboxed = {}
): Effect.Effect<Confined, AgentError> =>
  Effect.gen(function* () {
    if (permissions.granted === undefined) return program
    const host = yield* HostSandbox
    const mode = host.mode === "require" ? host.mode : (options.sandbox ?? host.mode)
    const bounds: Bounds = {
      reads: permissions.allows("ReadFiles"),
      writes: permissions.allows("WriteFiles"),
      network: permissions.allows("Network")
    }
    if (mode === "off") return program
    const missing = yield* host.missing
    if (missing !== undefined && mode === "require") {
      const reason = `The program "${program.command}" may only be started in a sandbox, and there can be none: ${missing}`
      return yield* permissions.deny("Execute", reason)
    }
    if (missing !== undefined) {
      yield* host.warn(
        `Programs of runs that restrict what their agents do are started without a sandbox: ${missing}. ` +
          `They are not kept from what is not granted, such as ${whatIsMissing(bounds) || "other workspaces"}; ` +
          `install bubblewrap, or set sandbox: "require" to deny them`
      )
      return program
    }
    const path = yield* findExecutable(program.command, program.env)
    if (path === undefined) return program
    return yield* Effect.mapError(
      attempt("prepare", workspace.root, () =>
        confined(program, path, bounds, unguarded(workspace), options, host.hidden)
      ),
      (error) => failure("Failed", error.message)
    )
  })
