import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { type Agent, type Permissions, unrestricted } from "@switchyard/core/Agent"
import { allows, type Granted } from "@switchyard/core/Permission"
import * as Workflow from "@switchyard/core/Workflow"
import type { Workspace, WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import type * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { endOrphans } from "../../packages/node/src/internal/orphans.js"
import {
  argumentsOf,
  HostSandbox,
  type Mode,
  makeHostSandbox
} from "../../packages/node/src/internal/sandbox.js"
import {
  eventsOf,
  eventually,
  files,
  marked,
  markedEnv,
  program,
  script,
  shell,
  short,
  taskIn,
  workspace
} from "./programs.js"

/** Whether this host can make sandboxes. */
const canConfine = (() => {
  try {
    execFileSync("bwrap", [
      "--unshare-user-try",
      "--unshare-pid",
      "--ro-bind",
      "/",
      "/",
      "--proc",
      "/proc",
      "true"
    ])
    return true
  } catch {
    return false
  }
})()

const confines = (name: string, body: Effect.Effect<void, unknown, WorkspaceService | Scope.Scope>) =>
  (canConfine ? it.live : it.live.skip)(
    name,
    () => Effect.scoped(body).pipe(Effect.provide(DirectoryWorkspace.layerTemp())),
    30_000
  )

const permissionsOf = (granted: Granted): Permissions => ({
  granted,
  allows: (permission) => allows(granted, permission),
  require: () => Effect.void,
  deny: unrestricted.deny
})

type Made = Effect.Effect<Agent, ProcessAgent.InvalidCommand>

const runIn = (place: Workspace, made: Made, granted: Granted, input = "in") =>
  Effect.gen(function* () {
    const agent = yield* Effect.orDie(made)
    const events = yield* eventsOf(agent, taskIn(place, input, { permissions: permissionsOf(granted) }))
    const last = events.at(-1)
    return last?._tag === "Output" ? last.value : undefined
  })

const said = (made: Made, granted: Granted) =>
  Effect.flatMap(workspace, (place) => runIn(place, made, granted))

const stubborn = `
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {})
  const child = require("child_process").spawn(process.execPath, ["-e",
    "for (const n of ['SIGINT','SIGTERM','SIGHUP']) process.on(n, () => {}); console.log('ready'); setInterval(() => {}, 1000)"],
    { stdio: ["ignore", "inherit", "inherit"], detached: true })
  setInterval(() => {}, 1000)
`

const begun = (place: Workspace) =>
  eventually("the program", () =>
    files(join(place.stateDir, "programs/step")).includes("0-1.stdout") &&
    readFileSync(join(place.stateDir, "programs/step/0-1.stdout"), "utf8").includes("ready")
      ? true
      : undefined
  )

describe("a program in a sandbox", () => {
  const look = (place: Workspace) => {
    const outside = join(dirname(place.root), "outside.txt")
    mkdirSync(join(dirname(place.root), "run-other"), { recursive: true })
    writeFileSync(outside, "outside")
    writeFileSync(join(place.outputsDir, "mine.txt"), "mine")
    writeFileSync(join(dirname(place.root), "run-other", "theirs.txt"), "theirs")
    return shell(`
      try() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi }
      echo "read $(try cat mine.txt)"
      echo "write $(try touch new.txt)"
      echo "config $(try sh -c 'echo x > ../config.json')"
      echo "other $(try cat ${join(dirname(place.root), "run-other", "theirs.txt")})"
      echo "outside $(try cat ${outside})"
      echo "system $(try touch /usr/switchyard-test)"
      echo "etc $(try cat /etc/hostname)"
      echo "tmp $(try touch /tmp/switchyard-sandbox-test)"
      echo "home $(try touch $HOME/x)"
      echo "net $(ls /sys/class/net 2>/dev/null | grep -v '^lo$' | head -1 || true) $(cat /proc/net/dev | tail -n +3 | grep -vc 'lo:')"
    `)
  }
  const outcomes = (granted: Granted) =>
    Effect.gen(function* () {
      const place = yield* workspace
      const text = String(yield* runIn(place, look(place), granted))
      return Object.fromEntries(
        text.split("\n").map((line) => [line.split(" ")[0] ?? "", line.split(" ").at(-1)])
      )
    })

  confines(
    "sees and changes what is granted, and nothing of other runs",
    Effect.gen(function* () {
      const all = yield* outcomes(["ReadFiles", "WriteFiles", "Execute", "Network"])
      assert.include(all, {
        read: "yes",
        write: "yes",
        config: "no",
        other: "no",
        outside: "no",
        system: "no"
      })
      assert.include(all, { etc: "yes", tmp: "yes" })
      assert.isFalse(existsSync("/tmp/switchyard-sandbox-test"))
    })
  )

  confines(
    "changes nothing where only reading is granted",
    Effect.gen(function* () {
      const readOnly = yield* outcomes(["ReadFiles", "Execute"])
      assert.include(readOnly, {
        read: "yes",
        write: "no",
        config: "no",
        other: "no",
        system: "no",
        etc: "yes"
      })
      assert.strictEqual(readOnly.net, "0")
    })
  )

  confines(
    "sees no more than what it needs to run where no files are granted",
    Effect.gen(function* () {
      const none = yield* outcomes(["Execute"])
      assert.include(none, {
        read: "no",
        write: "no",
        config: "no",
        other: "no",
        outside: "no",
        system: "no",
        etc: "no"
      })
      assert.include(none, { tmp: "yes", net: "0" })
      const place = yield* workspace
      assert.deepStrictEqual(files(place.outputsDir), ["mine.txt"])
    })
  )

  confines(
    "gets its prompt as a file whatever is granted, and runs where it is installed",
    Effect.gen(function* () {
      const made = script("process.stdout.write(require('fs').readFileSync(process.argv[1], 'utf8'))", {
        prompt: "file"
      })
      assert.strictEqual(yield* runIn(yield* workspace, made, ["Execute"], "the prompt"), "the prompt")
    })
  )

  confines(
    "reads what its agent says that it needs, whatever is granted",
    Effect.gen(function* () {
      const place = yield* workspace
      const directory = mkdtempSync(join(tmpdir(), "switchyard-readable-"))
      writeFileSync(join(directory, "main.cjs"), 'console.log(require("./part.cjs"))')
      writeFileSync(join(directory, "part.cjs"), 'module.exports = "both parts"')
      const args = [join(directory, "main.cjs")]
      const alone = yield* Effect.flip(runIn(place, program({ args }), ["Execute"]))
      assert.include(alone.message, "Cannot find module")
      const whole = yield* runIn(place, program({ args, readable: [directory] }), ["Execute"])
      assert.strictEqual(whole, "both parts")
      rmSync(directory, { recursive: true })
    })
  )

  confines(
    "has no network unless that is granted",
    Effect.gen(function* () {
      const made = shell("readlink /proc/self/ns/net")
      const host = execFileSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" }).trim()
      assert.notStrictEqual(yield* said(made, ["ReadFiles"]), host)
      assert.strictEqual(yield* said(made, ["ReadFiles", "Network"]), host)
      assert.strictEqual(yield* said(made, undefined), host)
    })
  )

  confines(
    "keeps its exit code, its complaint and its output",
    Effect.gen(function* () {
      const place = yield* workspace
      const failing = yield* Effect.flip(runIn(place, shell("echo out; echo bad >&2; exit 3"), ["Execute"]))
      assert.match(failing.message, /failed with exit code 3:\nbad/)
      assert.strictEqual(readFileSync(join(place.stateDir, "programs/step/0-1.stdout"), "utf8"), "out\n")
      const crashed = yield* Effect.flip(runIn(place, shell("kill -9 $$"), ["Execute"]))
      assert.propertyVal(crashed, "kind", "Crashed")
      const missing = yield* Effect.flip(runIn(place, program({ command: "/nowhere/x" }), ["Execute"]))
      assert.propertyVal(missing, "kind", "NotFound")
    })
  )

  confines(
    "is ended with all it started, also where they ignore signals and leave the group",
    Effect.gen(function* () {
      const { env, mark } = markedEnv()
      const place = yield* workspace
      const fiber = yield* Effect.forkScoped(
        runIn(place, script(stubborn, { env, escalation: short }), ["Execute"])
      )
      yield* begun(place)
      assert.isAbove(marked(mark).length, 1)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(marked(mark), [])
      assert.deepStrictEqual(files(join(place.stateDir, "processes")), [])
    })
  )

  confines(
    "can end by itself when it is asked to",
    Effect.gen(function* () {
      const place = yield* workspace
      const polite = `
        process.on("SIGINT", () => { console.log("bye"); process.exit(0) })
        console.log("ready"); setInterval(() => {}, 1000)`
      const fiber = yield* Effect.forkScoped(runIn(place, script(polite), ["Execute"]))
      yield* begun(place)
      yield* Fiber.interrupt(fiber)
      assert.include(readFileSync(join(place.stateDir, "programs/step/0-1.stdout"), "utf8"), "bye")
    })
  )
})

describe("a directory with sandboxes", () => {
  const seen = async (sandbox: Mode) => {
    const directory = mkdtempSync(join(tmpdir(), "switchyard-yard-"))
    try {
      const look = shell(
        `ls ${directory}/log ${directory}/index.sqlite 2>/dev/null | wc -l; ls ${directory}/workspaces`
      )
      await using yard = await Switchyard.open({ directory, agents: [look], sandbox })
      const workflow = Workflow.make("w", { permissions: ["Execute", "ReadFiles"] }).pipe(
        Workflow.step("look", { skill: "work" })
      )
      await (await yard.registerRun({ workflow, id: "first" })).result
      const result = await (await yard.registerRun({ workflow, id: "second" })).result
      return (result.output as { readonly look: string }).look.split("\n")
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  ;(canConfine ? it : it.skip)(
    "hides the log, the index and the workspaces of other runs from programs",
    async () => {
      assert.deepStrictEqual(await seen("require"), ["0", "run-second"])
      const [files, ...runs] = await seen("off")
      assert.isAbove(Number(files), 1)
      assert.deepStrictEqual(runs, ["run-first", "run-second"])
    },
    20_000
  )

  confines(
    "ends what a host that was killed has left in one",
    Effect.gen(function* () {
      const place = yield* workspace
      const { env, mark } = markedEnv()
      const scope = yield* Scope.make()
      // A scope that is never closed is a host that is gone.
      yield* Effect.forkIn(runIn(place, script(stubborn, { env }), ["Execute"]), scope)
      yield* begun(place)
      assert.isAbove(marked(mark).length, 1)
      yield* endOrphans({ workspaces: dirname(place.root), runs: [place.runId], grace: "100 millis" })
      assert.deepStrictEqual(marked(mark), [])
      yield* Scope.close(scope, Exit.void)
    })
  )
})

describe("a host that makes no sandboxes", () => {
  const outside = (name: string, body: Effect.Effect<void, unknown, WorkspaceService | Scope.Scope>) =>
    it.live(name, () => Effect.scoped(body).pipe(Effect.provide(DirectoryWorkspace.layerTemp())))
  const host = (mode: Mode) => makeHostSandbox(mode, [], Effect.succeed("bwrap is not here"))
  const place = (mode: Mode, made: Made = shell("echo ran")) =>
    Effect.provideService(said(made, ["Execute"]), HostSandbox, host(mode))

  outside(
    "starts programs all the same, and says once what is not held",
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const twice = Effect.zipRight(
        said(shell("echo ran"), ["Execute"]),
        said(shell("echo ran"), ["Execute"])
      )
      const result = yield* twice.pipe(
        Effect.provideService(HostSandbox, host("auto")),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      assert.strictEqual(result, "ran")
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "bwrap is not here")
      assert.include(lines[0], "reading files, writing files, the network")
    })
  )

  outside(
    "denies them where it requires one, also those that are trusted",
    Effect.gen(function* () {
      for (const made of [shell("echo ran"), shell("echo ran", { sandbox: "off" })]) {
        const error = yield* Effect.flip(place("require", made))
        assert.propertyVal(error, "kind", "PermissionDenied")
        assert.include(
          error.message,
          "may only be started in a sandbox, and there can be none: bwrap is not here"
        )
      }
      assert.strictEqual(yield* place("off"), "ran")
      assert.strictEqual(yield* place("auto", shell("echo ran", { sandbox: "off" })), "ran")
      const required = yield* Effect.flip(place("auto", shell("echo ran", { sandbox: "require" })))
      assert.propertyVal(required, "kind", "PermissionDenied")
    })
  )

  it("would say to bwrap what is granted, and nothing else", () => {
    const tool = {
      command: "/opt/tool/bin/tool",
      args: ["--x", "-- y"],
      cwd: "/data/run-1/outputs",
      env: {}
    }
    const of = (reads: boolean, writes: boolean, network: boolean) =>
      argumentsOf(
        tool,
        { reads, writes, network },
        {
          workspace: "/data/run-1",
          areas: ["/data/run-1/outputs"],
          hidden: ["/data"],
          own: ["/opt/tool/bin"],
          readable: ["/opt/data"],
          given: ["/data/run-1/temp/prompt"],
          kept: ["/data/run-1/config.json"]
        }
      ).join(" ")
    assert.include(of(true, true, true), "--ro-bind / /")
    assert.notInclude(of(true, true, true), "--unshare-net")
    assert.include(of(true, true, false), "--unshare-net")
    assert.match(
      of(true, true, true),
      /--tmpfs \/data .*--bind \/data\/run-1 \/data\/run-1 --ro-bind \/data\/run-1\/config.json/
    )
    assert.match(of(true, false, true), /--tmpfs \/data .*--ro-bind \/data\/run-1 \/data\/run-1 /)
    assert.notInclude(of(false, false, false), "--ro-bind / /")
    assert.match(
      of(false, false, false),
      /--tmpfs \/data .*--tmpfs \/data\/run-1 --dir \/data\/run-1\/outputs /
    )
    assert.match(of(false, false, false), /--ro-bind-try \/opt\/data \/opt\/data --tmpfs \/data /)
    assert.match(of(false, false, false), / -- \/opt\/tool\/bin\/tool --x -- y$/)
  })
})
