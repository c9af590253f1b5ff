import { existsSync, readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawnError } from "../../packages/node/src/internal/programFailure.js"
import { loadFrom } from "../../packages/node/src/internal/terminal.js"
import {
  error,
  eventsOf,
  eventually,
  files,
  io,
  marked,
  markedEnv,
  program,
  script,
  shell,
  short,
  taskIn,
  test,
  value,
  workspace
} from "./programs.js"

/** Works in a terminal only, in color. */
const insists = `
  const { isTTY, columns, rows } = process.stdout
  if (!isTTY || !process.stdin.isTTY || !process.stderr.isTTY) { console.error("not a terminal"); process.exit(2) }
  process.stdout.write("\\u001b[31m" + columns + "x" + rows + "\\u001b[0m " + process.argv[1] + "\\r\\n")
`

describe("a program in a terminal", () => {
  test(
    "finds one on all its streams, of the size that is asked for, and is read without its control sequences",
    Effect.gen(function* () {
      const piped = yield* error(script(insists, { prompt: "argument" }))
      assert.include(piped.message, "not a terminal")
      assert.strictEqual(yield* value(script(insists, { terminal: true }), "héllo"), "80x24 héllo")
      const wide = script(insists, { terminal: { columns: 132, rows: 50 }, prompt: "file" })
      assert.match(String(yield* value(wide)), /^132x50 \/.*prompts\/step\/0-1\.txt$/)
      const kept = join((yield* workspace).stateDir, "programs/step/0-1.stdout")
      assert.include(yield* io(() => readFile(kept, "utf8")), "\u001b[31m132x50\u001b[0m")
    })
  )

  test(
    "has only the environment that is allowed, and runs in the workspace",
    Effect.gen(function* () {
      const show = "process.stdout.write(JSON.stringify([process.cwd(), Object.keys(process.env).sort()]))"
      const found = yield* value(script(show, { terminal: { columns: 500, rows: 5 }, output: "json" }))
      const [cwd, names] = found as readonly [string, ReadonlyArray<string>]
      assert.strictEqual(cwd, (yield* workspace).outputsDir)
      assert.deepStrictEqual(names, [
        "HOME",
        "PATH",
        "PWD",
        "SWITCHYARD_ATTEMPT",
        "SWITCHYARD_WORKSPACE",
        "TERM"
      ])
    })
  )

  test(
    "is read by lines as any other, and to its end",
    Effect.gen(function* () {
      const lines = `
        console.log(JSON.stringify({ progress: 0.5 }))
        for (let i = 0; i < 2000; i++) console.log("x".repeat(500))
        console.error("on the other stream")
        console.log(JSON.stringify({ result: "done" }))
        // The terminal is closed 200 ms after its leader has ended, which a busy host may spend elsewhere.
        setTimeout(() => {}, 500)
      `
      const made = yield* script(lines, { terminal: { columns: 1000, rows: 10 }, output: "jsonl" })
      const events = yield* eventsOf(made, taskIn(yield* workspace, "in"))
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["Progress", "Output"]
      )
      const kept = join((yield* workspace).stateDir, "programs/step/0-1.stdout")
      const text = yield* io(() => readFile(kept, "utf8"))
      assert.strictEqual(text.split("\n").filter((line) => line.startsWith("xxx")).length, 2000)
      assert.include(text, "on the other stream")
    })
  )

  test(
    "ends by a code or a signal, and is looked for before anything is started",
    Effect.gen(function* () {
      const failed = yield* error(shell("echo the reason; exit 3", { terminal: true }))
      assert.strictEqual(failed.kind, "Failed")
      assert.include(failed.message, "exit code 3")
      assert.include(failed.message, "the reason")
      const killed = yield* error(shell("kill -KILL $$", { terminal: true }))
      assert.strictEqual(killed.kind, "Crashed")
      assert.include(killed.message, "SIGKILL")
      const missing = yield* error(program({ command: "no-such-program", terminal: true }))
      assert.strictEqual(missing.kind, "NotFound")
      assert.include(missing.message, '"no-such-program" was not found')
      assert.deepStrictEqual(files(join((yield* workspace).stateDir, "processes")), [])
    })
  )

  test(
    "is ended with everything it started, although they ignore all but SIGKILL",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const { stateDir } = yield* workspace
      const source = "trap '' INT TERM HUP; (trap '' INT TERM HUP; sleep 60) & echo ready; sleep 60"
      const agent = yield* shell(source, { env, escalation: short, terminal: true })
      const fiber = yield* Effect.forkScoped(eventsOf(agent, taskIn(yield* workspace, "in")))
      const path = join(stateDir, "programs/step/0-1.stdout")
      yield* eventually("the start", () =>
        existsSync(path) && readFileSync(path, "utf8").includes("ready") ? true : undefined
      )
      assert.isAtLeast(marked(mark).length, 2)
      const record = yield* eventually("the record of its group", () =>
        files(join(stateDir, "processes")).find((name) => /^\d+\.json$/.test(name))
      )
      assert.include(marked(mark), Number.parseInt(record, 10))
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(marked(mark), [])
      assert.deepStrictEqual(files(join(stateDir, "processes")), [])
    })
  )

  it.effect("has no standard input, and needs a library, which both is said", () =>
    Effect.gen(function* () {
      const stdin = yield* Effect.flip(program({ terminal: true, prompt: "stdin" }))
      assert.include(stdin.message, "no standard input in a terminal")
      const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" })
      const absent = yield* Effect.flip(loadFrom(() => Promise.reject(missing)))
      const failed = spawnError("tool", absent)
      assert.strictEqual(failed.kind, "NotFound")
      assert.include(failed.message, "run `npm install node-pty`")
      const size = yield* Effect.flip(program({ terminal: { columns: 0, rows: 1 } }))
      assert.include(size.message, "positive integers")
    })
  )
})
