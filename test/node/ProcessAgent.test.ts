import { createHash } from "node:crypto"
import { chmod, stat } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { layerMemory } from "@switchyard/core/WorkspaceService"
import type * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import {
  error,
  eventsOf,
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

const showArguments = "process.stdout.write(JSON.stringify(process.argv.slice(1)))"

describe("arguments", () => {
  const nasty = "a \"b\" 'c' $HOME `id` $(id) \n\t*; rm -rf / & {{item}} \\ é😀"

  test(
    "reach the program as they are, whatever is in the values",
    Effect.gen(function* () {
      const made = script(showArguments, {
        args: ["{{input}}", "pre-{{ input }}-{{item}}-post", "{{index}}/{{total}}", "\\{{item}}", ""],
        output: "json"
      })
      assert.deepStrictEqual(yield* value(made, nasty), [
        nasty,
        `pre-${nasty}-item-post`,
        "0/1",
        "{{item}}",
        ""
      ])
    })
  )

  test(
    "name the run, the step and the directories, and reach into the input",
    Effect.gen(function* () {
      const { root } = yield* workspace
      const names = ["runId", "stepId", "skill", "attempt", "idempotencyKey", "workspace", "outputs", "state"]
      const args = [...names.map((name) => `{{${name}}}`), "{{input.file.name}}", "{{input}}"]
      const input = { file: { name: "a b.txt" }, list: [1] }
      assert.deepStrictEqual(yield* value(script(showArguments, { args, output: "json" }), input), [
        "run",
        "step",
        "work",
        "1",
        "run/step/item/1",
        root,
        `${root}/outputs`,
        `${root}/state`,
        "a b.txt",
        JSON.stringify(input)
      ])
      const missing = yield* error(script(showArguments, { args: ["{{input.file.size}}"] }), input)
      assert.strictEqual(missing.kind, "InvalidInput")
      assert.include(missing.message, "no value for {{input.file.size}}")
    })
  )

  it.effect("with a mistake are a typed error when the agent is made", () =>
    Effect.gen(function* () {
      const said = (options: Partial<ProcessAgent.Options>) =>
        Effect.map(Effect.flip(program(options)), (failure) => {
          assert.strictEqual(failure._tag, "InvalidCommand")
          return failure.message
        })
      assert.include(yield* said({ args: ["{{imput}}"] }), 'did you mean "input"?')
      assert.include(yield* said({ args: ["{{__proto__}}"] }), "unknown placeholder")
      assert.include(yield* said({ args: ["{{item.name}}"] }), "unknown placeholder {{item.name}}")
      assert.include(yield* said({ args: ["{{input"] }), 'without its "}}"')
      assert.include(yield* said({ args: ["{{promptFile}}"] }), 'needs prompt: "file"')
      assert.include(yield* said({ command: "./tool" }), "relative")
      assert.include(yield* said({ command: "" }), "empty")
      assert.include(yield* said({ maxOutputBytes: 0 }), "positive integer")
    })
  )

  test(
    "that no program can take are errors of the input",
    Effect.gen(function* () {
      const made = script(showArguments, { prompt: "argument" })
      const long = yield* error(made, "x".repeat(5_000_000))
      assert.strictEqual(long.kind, "InvalidInput")
      assert.include(long.message, "too long for an argument")
      assert.strictEqual((yield* error(made, "a\0b")).kind, "InvalidInput")
    })
  )
})

describe("the prompt", () => {
  const length = `
    const hash = require("crypto").createHash("sha256")
    let length = 0
    process.stdin.on("data", (chunk) => { length += chunk.length; hash.update(chunk) })
    process.stdin.on("end", () => console.log(JSON.stringify([length, hash.digest("hex")])))
  `
  test(
    "of 5 MB arrives whole on the standard input",
    Effect.gen(function* () {
      const prompt = "é'\"\n$x".repeat(625_000)
      const bytes = Buffer.from(prompt)
      assert.deepStrictEqual(yield* value(script(length, { output: "json" }), prompt), [
        bytes.length,
        createHash("sha256").update(bytes).digest("hex")
      ])
    })
  )

  test(
    "that the program does not read is no error",
    Effect.gen(function* () {
      assert.strictEqual(yield* value(shell("exec 0<&-; echo done"), "x".repeat(5_000_000)), "done")
    })
  )

  test(
    "is appended as an argument, or as the path of a file, where no element mentions it",
    Effect.gen(function* () {
      const shown = script(showArguments, { args: ["--"], prompt: "argument", output: "json" })
      assert.deepStrictEqual(yield* value(shown, "a b"), ["--", "a b"])
      assert.deepStrictEqual(yield* value(shown, { a: 1 }), ["--", '{"a":1}'])
      const prompt = "long ".repeat(400_000)
      const read = `process.stdout.write(String(require("fs").readFileSync(process.argv[1]).length))`
      assert.strictEqual(yield* value(script(read, { prompt: "file", output: "json" }), prompt), 2_000_000)
      const named = script(`${read}; process.stdin.resume()`, {
        args: ["{{promptFile}}"],
        prompt: "file",
        output: "json"
      })
      assert.strictEqual(yield* value(named, "abc"), 3)
    })
  )
})

describe("output", () => {
  test(
    "of 80 MB on each stream neither blocks nor fills the memory, and is in the files as a whole",
    Effect.gen(function* () {
      const both = `
        const line = "x".repeat(1023) + "\\n"
        for (let i = 0; i < 80 * 1024; i++) { require("fs").writeSync(1, line); require("fs").writeSync(2, line) }
        console.log("the end")
      `
      const before = process.memoryUsage()
      let peak = 0
      const timer = setInterval(() => {
        const { arrayBuffers } = process.memoryUsage()
        peak = Math.max(peak, arrayBuffers - before.arrayBuffers)
      }, 5)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(timer)))
      const text = yield* value(script(both, { maxOutputBytes: 100_000 }))
      assert.isString(text)
      assert.isBelow(String(text).length, 101_000)
      assert.match(String(text), /^\[\d+ bytes before this are only in .+\.stdout\]\n/)
      assert.isTrue(String(text).endsWith("\nthe end"))
      assert.isBelow(peak, 64 * 1024 * 1024)
      const { stateDir } = yield* workspace
      const size = (stream: string) => io(() => stat(join(stateDir, `programs/step/0-1.${stream}`)))
      assert.strictEqual((yield* size("stdout")).size, 80 * 1024 * 1024 + 8)
      assert.strictEqual((yield* size("stderr")).size, 80 * 1024 * 1024)
    })
  )

  test(
    "as text loses only the line ends at its end, and invalid UTF-8 is replaced",
    Effect.gen(function* () {
      assert.strictEqual(yield* value(shell("printf ' a\\nb \\n\\n'")), " a\nb ")
      assert.strictEqual(yield* value(shell("printf 'a\\377b'")), "a\uFFFDb")
      assert.strictEqual(yield* value(shell(":")), "")
    })
  )

  test(
    "as JSON has to be JSON, and short enough",
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* value(shell(`echo '{"a":[1,null]}'`, { output: "json" })), {
        a: [1, null]
      })
      const prose = yield* error(shell("echo Sorry, I cannot; printf '\\377'", { output: "json" }))
      assert.strictEqual(prose.kind, "InvalidOutput")
      assert.isTrue(prose.retryable)
      assert.include(prose.message, "Sorry, I cannot\n\uFFFD")
      assert.include((yield* error(shell(":", { output: "json" }))).message, "it is empty")
      const long = yield* error(shell("echo '[1,2,3,4]'", { output: "json", maxOutputBytes: 5 }))
      assert.include(long.message, "raise maxOutputBytes")
    })
  )

  test(
    "as JSON lines reports progress at once, however the chunks are cut",
    Effect.gen(function* () {
      const lines = [
        "banner",
        '{"progress":0.5,"message":"é😀 half","usage":{"inputTokens":10,"costUsd":0.25}}',
        '{"progress":7,"remainingMillis":1500.4}\r',
        "[1]",
        '{"unknown":true}',
        '{"result":{"ok":"é"},"usage":{"inputTokens":20,"outputTokens":5,"costMicroUsd":3}}'
      ].join("\n")
      const dribble = `
        const bytes = Buffer.from(process.argv[1])
        const next = (at) => { if (at < bytes.length) process.stdout.write(bytes.subarray(at, at + 1), () => setTimeout(next, 1, at + 1)) }
        next(0)
      `
      const made = script(dribble, { output: "jsonl", prompt: "argument" })
      const agent = yield* made
      const events = yield* eventsOf(agent, taskIn(yield* workspace, lines))
      assert.deepStrictEqual(events, [
        Agent.progress({
          progress: 0.5,
          message: "é😀 half",
          usage: { inputTokens: 10, outputTokens: 0, cachedTokens: 0, costMicroUsd: 250_000 }
        }),
        Agent.progress({ progress: 1, remainingMillis: 1500 }),
        Agent.output({ ok: "é" }, { inputTokens: 20, outputTokens: 5, cachedTokens: 0, costMicroUsd: 3 })
      ])
    })
  )

  test(
    "as JSON lines is read while the program runs",
    Effect.gen(function* () {
      const { mark, env } = markedEnv()
      const agent = yield* shell(`echo '{"progress":0.1}'; exec sleep 60`, {
        output: "jsonl",
        env,
        escalation: short
      })
      const running = agent.run(taskIn(yield* workspace, null)) as Stream.Stream<
        Agent.AgentEvent,
        Agent.AgentError
      >
      const first = yield* Stream.runHead(running)
      assert.deepStrictEqual(first, Option.some(Agent.progress({ progress: 0.1 })))
      assert.deepStrictEqual(marked(mark), [], "ending the stream ends the program")
    })
  )

  test(
    "as JSON lines without a result is an error that keeps what was consumed",
    Effect.gen(function* () {
      const made = shell(`echo '{"progress":1,"usage":{"inputTokens":3}}'`, { output: "jsonl" })
      const none = yield* error(made)
      assert.strictEqual(none.kind, "InvalidOutput")
      assert.strictEqual(none.usage?.inputTokens, 3)
      const failed = yield* error(shell(`echo '{"usage":{"outputTokens":4}}'; exit 3`, { output: "jsonl" }))
      assert.strictEqual(failed.kind, "Failed")
      assert.strictEqual(failed.usage?.outputTokens, 4)
      const long = shell(`printf '{"result":"%0100d"}\\n{"result":1}\\n' 1`, {
        output: "jsonl",
        maxOutputBytes: 50
      })
      assert.strictEqual(yield* value(long), 1)
    })
  )
})

describe("failures", () => {
  test(
    "of the program carry the exit code and the end of what it said",
    Effect.gen(function* () {
      const failed = yield* error(script(`console.error("x".repeat(10000) + " the reason"); process.exit(3)`))
      assert.strictEqual(failed.kind, "Failed")
      assert.isFalse(failed.retryable)
      assert.include(failed.message, "exit code 3")
      assert.isTrue(failed.message.endsWith("the reason"))
      assert.isBelow(failed.message.length, 2200)
      assert.include((yield* error(shell("echo on stdout; exit 1"))).message, "on stdout")
    })
  )

  test(
    "are classified by exit code and signal",
    Effect.gen(function* () {
      const kinds = [
        ["exit 75", "Unavailable"],
        ["exit 1", "Failed"],
        ["exit 126", "NotFound"],
        ["no-such-program", "NotFound"],
        ["kill -SEGV $$", "Crashed"],
        ["kill -KILL $$", "Crashed"]
      ] as const
      for (const [source, kind] of kinds) {
        const failed = yield* error(shell(source, { retryableExitCodes: [75] }))
        assert.strictEqual(failed.kind, kind, source)
      }
      assert.include((yield* error(shell("kill -SEGV $$"))).message, "SIGSEGV")
    })
  )

  test(
    "to start name the program and are not repeated",
    Effect.gen(function* () {
      const missing = yield* error(program({ command: "no-such-program" }))
      assert.strictEqual(missing.kind, "NotFound")
      assert.isFalse(missing.retryable)
      assert.include(missing.message, '"no-such-program" was not found')
      const path = yield* (yield* workspace).write("outputs", "script", "#!/bin/sh\necho hi\n")
      const forbidden = yield* error(program({ command: path }))
      assert.strictEqual(forbidden.kind, "NotFound")
      assert.include(forbidden.message, "may not execute it")
      yield* io(() => chmod(path, 0o755))
      assert.strictEqual(yield* value(program({ command: path })), "hi")
      assert.deepStrictEqual(files(join((yield* workspace).stateDir, "processes")), [])
    })
  )

  it.effect("of a workspace that is not on disk say so", () =>
    Effect.gen(function* () {
      const failed = yield* error(shell("echo hi"))
      assert.strictEqual(failed.kind, "Failed")
      assert.include(failed.message, "needs a workspace on disk")
    }).pipe(Effect.scoped, Effect.provide(layerMemory()))
  )

  test(
    "are foreseen by the health of an agent",
    Effect.gen(function* () {
      const health = (options: Partial<ProcessAgent.Options>) =>
        Effect.flatMap(program(options), (agent) => agent.probe ?? Effect.die("no probe"))
      assert.deepStrictEqual(yield* health({ command: "sh" }), { _tag: "Healthy" })
      assert.strictEqual((yield* health({ command: "no-such-program" }))._tag, "Unhealthy")
    })
  )
})

describe("surroundings", () => {
  test(
    "hold only the variables that are named",
    Effect.gen(function* () {
      process.env.SWITCHYARD_TEST_SECRET = "secret"
      process.env.SWITCHYARD_TEST_NAMED = "named"
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          delete process.env.SWITCHYARD_TEST_SECRET
          delete process.env.SWITCHYARD_TEST_NAMED
        })
      )
      const show = "process.stdout.write(JSON.stringify(process.env))"
      const names = (made: ReturnType<typeof script>) =>
        Effect.map(value(made), (env) =>
          Object.keys(env as object)
            .filter((name) => name !== "__CF_USER_TEXT_ENCODING" && !name.startsWith("SWITCHYARD_"))
            .sort()
        )
      assert.deepStrictEqual(yield* names(script(show, { output: "json" })), ["HOME", "PATH"])
      const set = { EXTRA: "a b", SWITCHYARD_WORKSPACE: "another" }
      const env = { inherit: ["PATH", "SWITCHYARD_TEST_NAMED", "NOT_SET"], set }
      const chosen = yield* value(script(show, { output: "json", env }))
      const { SWITCHYARD_ATTEMPT: attempt, ...named } = chosen as Record<string, string>
      assert.deepStrictEqual(named, {
        PATH: process.env.PATH ?? "",
        SWITCHYARD_TEST_NAMED: "named",
        SWITCHYARD_WORKSPACE: (yield* workspace).root,
        EXTRA: "a b"
      })
      assert.match(String(attempt), /^run\/step\/item\/1#[0-9a-f]{16}$/)
    })
  )

  test(
    "are a directory of the workspace",
    Effect.gen(function* () {
      const { outputsDir, tempDir } = yield* workspace
      assert.strictEqual(yield* value(shell("pwd -P")), outputsDir)
      assert.strictEqual(yield* value(shell("pwd -P", { cwd: "temp" })), tempDir)
    })
  )
})
