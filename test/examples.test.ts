import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { EventLog } from "@switchyard/core/EventLog"
import { QueryService, runRow } from "@switchyard/core/QueryService"
import * as Run from "@switchyard/core/Run"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { start } from "./e2e/process.js"
import { temporaryDirectory } from "./node/temporary.js"

const demo = "examples/cobol-modernization/src/main.ts"
const noEndpoint = { OPENAI_API_KEY: "a key for other programs", OPENAI_BASE_URL: "", OPENAI_MODEL: "" }
const sample = new URL("../examples/cobol-modernization/sample/", import.meta.url)
const programs = fs.readdirSync(new URL("src/", sample)).length

const runDemo = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  Effect.promise(() => start(demo, args, { env: { ...noEndpoint, ...env } }).ended)

const stepsById = (summary: { readonly steps: ReadonlyArray<{ readonly id: string }> }) =>
  Object.fromEntries(summary.steps.map((step) => [step.id, step]))

describe("examples/cobol-modernization", () => {
  it.scopedLive(
    "modernises its sample, and prints one JSON object and nothing else",
    () =>
      Effect.gen(function* () {
        const data = path.join(yield* temporaryDirectory, "data")
        const { code, stderr, stdout } = yield* runDemo(["--json", "--data", data])
        expect([code, stderr]).toEqual([0, ""])
        const summary = JSON.parse(stdout)
        expect(Object.keys(summary)).toEqual(
          expect.arrayContaining(["runId", "status", "steps", "items", "durationMs", "workspace", "reports"])
        )
        expect(summary).toMatchObject({ status: "Completed", items: { total: 4 + 2 * programs, failed: 0 } })
        expect(stepsById(summary)).toMatchObject({
          discovery: { status: "Succeeded", items: 1 },
          analysis: { status: "Succeeded", items: programs },
          mapping: { status: "Succeeded", items: 1 },
          transformation: { status: "Succeeded", items: programs },
          validation: { status: "Succeeded", items: 1 },
          documentation: { status: "Succeeded", items: 1 }
        })
        expect(summary.java).toMatch(/compiled by javac without an error|not compiled: There is no javac/)
        expect(summary.reports.map((report: string) => path.basename(report))).toEqual(
          expect.arrayContaining([
            "summary.md",
            "dependency-graph.md",
            "migration-plan.md",
            "inventory.md",
            "translation.md"
          ])
        )
        for (const report of summary.reports) expect(fs.statSync(report).size).toBeGreaterThan(100)
        const graph = fs.readFileSync(path.join(summary.workspace, "reports", "dependency-graph.md"), "utf8")
        expect(graph).toMatch(/```mermaid\nflowchart LR[\s\S]*NIGHTDRV/)
        const java = fs.readdirSync(path.join(summary.workspace, "outputs", "java", "modernized"))
        expect(java.length).toBe(programs + 1)
        expect(fs.existsSync(path.join(summary.workspace, "temp"))).toBe(false)

        yield* Effect.gen(function* () {
          const log = yield* EventLog
          const query = yield* QueryService
          yield* query.sync
          const entries = yield* Stream.runCollect(log.read({}))
          const run = Run.fold(entries)
          expect(run?.id).toBe(summary.runId)
          expect(yield* query.getRun(summary.runId)).toEqual(run && runRow(run))
        }).pipe(Effect.provide(Switchyard.layer({ directory: data })))
      }),
    60_000
  )

  it.scopedLive(
    "shows progress and a summary to people",
    () =>
      Effect.gen(function* () {
        const data = path.join(yield* temporaryDirectory, "data")
        const { code, stderr, stdout } = yield* runDemo(["--data", data, "--concurrency", "2"])
        expect(code).toBe(0)
        expect(stderr).toContain(`▸ analysis: ${programs} items`)
        expect(stderr).toContain(`✓ transformation: ${programs} succeeded, 0 failed`)
        expect(stdout).toContain(`Completed in`)
        expect(stdout).toMatch(/step +status +items +failed +retries +time +tokens +cost/)
        expect(stdout).toMatch(new RegExp(`analysis +Succeeded +${programs} +0 +0 +\\d`))
        expect(stdout).toContain(`${path.join("reports", "summary.md")}\n`)
        expect(stdout + stderr).not.toContain("\u001b[")
      }),
    60_000
  )

  it.scopedLive(
    "makes a file that it cannot read a failed item with a reason, and goes on with the others",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const source = path.join(parent, "source")
        fs.cpSync(sample, source, { recursive: true })
        fs.writeFileSync(path.join(source, "src", "EMPTY.cbl"), "")
        fs.writeFileSync(
          path.join(source, "src", "BINARY.cbl"),
          Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256))
        )
        fs.writeFileSync(path.join(source, "src", "NOTES.cbl"), "Dear all,\nthis is a letter.\n")
        fs.symlinkSync("/nowhere/at/all.cbl", path.join(source, "src", "DANGLING.cbl"))
        const { code, stdout } = yield* runDemo([
          "--json",
          "--source",
          source,
          "--data",
          path.join(parent, "data")
        ])
        const summary = JSON.parse(stdout)
        expect(code).toBe(0)
        expect(stepsById(summary)).toMatchObject({
          analysis: { status: "Succeeded", succeeded: programs, failed: 4 },
          transformation: { succeeded: programs, failed: 0 }
        })
        const reasons = Object.fromEntries(
          summary.failures.map((failure: { item: string; reason: string }) => [
            path.basename(failure.item),
            failure.reason
          ])
        )
        expect(reasons["EMPTY.cbl"]).toMatch(/empty/)
        expect(reasons["BINARY.cbl"]).toMatch(/NUL bytes/)
        expect(reasons["NOTES.cbl"]).toMatch(/not a COBOL program/i)
        expect(reasons["DANGLING.cbl"]).toMatch(/cannot be opened/)
      }),
    60_000
  )

  it.scopedLive(
    "says what is wrong with its arguments and its directories",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        expect(yield* runDemo(["--source", "/nowhere"])).toMatchObject({
          code: 2,
          stdout: "",
          stderr: "--source /nowhere is not a directory\nTry --help.\n"
        })
        expect(yield* runDemo(["--concurrency", "none"])).toMatchObject({ code: 2, stdout: "" })
        expect(yield* runDemo(["--verbose"])).toMatchObject({ code: 2, stdout: "" })
        expect(yield* runDemo(["--help"])).toMatchObject({ code: 0, stderr: "" })
        const unusable = yield* runDemo(["--json", "--data", "/proc/nope"])
        expect(unusable).toMatchObject({ code: 1, stdout: "" })
        expect(unusable.stderr).toMatch(/^The directory \/proc\/nope cannot be used: .*\n$/)
        const empty = yield* runDemo(["--json", "--source", parent, "--data", path.join(parent, "data")])
        expect(empty.code).toBe(1)
        expect(JSON.parse(empty.stdout)).toMatchObject({
          status: "Failed",
          failure: expect.stringContaining("holds no COBOL file")
        })
      }),
    60_000
  )

  it.scopedLive(
    "cancels cleanly on Ctrl-C and exits 130",
    () =>
      Effect.gen(function* () {
        const data = path.join(yield* temporaryDirectory, "data")
        const program = start(demo, ["--data", data, "--concurrency", "1"], { env: noEndpoint })
        yield* Effect.promise(() => program.prints("▸ analysis"))
        program.child.kill("SIGINT")
        const { code, stderr, stdout } = yield* Effect.promise(() => program.ended)
        expect(code).toBe(130)
        expect(stdout).toContain("Cancelled in")
        expect(stderr).toContain("RunCancelled")
        expect(stdout + stderr).not.toMatch(/Error|\.ts:\d/)
        const again = yield* runDemo(["--json", "--data", data])
        expect(again.code).toBe(0)
      }),
    60_000
  )

  it.scopedLive(
    "lets a language model translate where one is configured, and the rules where it fails",
    () =>
      Effect.gen(function* () {
        const parent = yield* temporaryDirectory
        const asked: Array<string> = []
        const server = http.createServer((request, response) => {
          let body = ""
          request.on("data", (data) => {
            body += data
          })
          request.on("end", () => {
            const { messages, model } = JSON.parse(body)
            const className = /class named (\w+)/.exec(messages[0].content)?.[1] ?? ""
            asked.push(`${request.url} ${request.headers.authorization} ${model} ${className}`)
            if (className === "Fraudchk") {
              response.writeHead(400).end("no")
              return
            }
            if (className === "Errhand" && asked.filter((each) => each.endsWith(className)).length === 1) {
              response.writeHead(429, { "retry-after": "0" }).end("slow down")
              return
            }
            const content = `Here it is:\n\`\`\`java\npackage modernized;\npublic class ${className} {}\n\`\`\``
            const usage = { prompt_tokens: 1000, completion_tokens: 100 }
            response
              .writeHead(200, { "content-type": "application/json" })
              .end(JSON.stringify({ choices: [{ message: { content } }], usage }))
          })
        })
        yield* Effect.acquireRelease(
          Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
          () => Effect.sync(() => server.closeAllConnections())
        )
        yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
        const { code, stdout } = yield* runDemo(["--json", "--data", path.join(parent, "data")], {
          OPENAI_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
          OPENAI_API_KEY: "secret",
          OPENAI_MODEL: "test-model",
          OPENAI_INPUT_PRICE: "2",
          OPENAI_OUTPUT_PRICE: "10"
        })
        expect(code).toBe(0)
        const summary = JSON.parse(stdout)
        expect(asked[0]).toMatch(/^\/v1\/chat\/completions Bearer secret test-model \w+$/)
        expect(stepsById(summary)).toMatchObject({
          transformation: {
            status: "Succeeded",
            succeeded: programs,
            failed: 0,
            retries: 2,
            tokens: 1100 * (programs - 1)
          }
        })
        expect(summary.costUsd).toBeCloseTo(0.003 * (programs - 1), 6)
        const translation = fs.readFileSync(path.join(summary.workspace, "reports", "translation.md"), "utf8")
        expect(translation).toMatch(/FRAUDCHK \| Fraudchk \| rules/)
        expect(translation).toMatch(/ERRHAND \| Errhand \| test-model/)
        expect(
          fs.readFileSync(path.join(parent, "data", "log", "0000000000000001.jsonl"), "utf8")
        ).not.toContain("secret")
      }),
    60_000
  )
})

describe("examples/embed", () => {
  it.scopedLive("prints the events of its run and the total", () =>
    Effect.gen(function* () {
      const data = path.join(yield* temporaryDirectory, "data")
      const program = start("examples/embed/src/main.ts", [data])
      const { code, stderr, stdout } = yield* Effect.promise(() => program.ended)
      expect([code, stderr]).toEqual([0, ""])
      const lines = stdout.trim().split("\n")
      expect(lines[0]).toMatch(/^RunRegistered/)
      expect(lines).toEqual(expect.arrayContaining(["ItemCompleted count", "StepCompleted total"]))
      expect(lines.slice(-2)).toEqual(["RunCompleted ", "Completed: 9 words"])
    })
  )
})

describe("examples/agent-from-file", () => {
  it.scopedLive("has the work done by an agent that is a file, in under 50 lines", () =>
    Effect.gen(function* () {
      const directory = new URL("../examples/agent-from-file/", import.meta.url)
      const texts = ["src/main.ts", "agents/counter.yaml"].map((each) =>
        fs.readFileSync(new URL(each, directory), "utf8")
      )
      expect(texts.join("").split("\n").length).toBeLessThan(50)
      const data = path.join(yield* temporaryDirectory, "data")
      const program = start("examples/agent-from-file/src/main.ts", [data])
      const { code, stderr, stdout } = yield* Effect.promise(() => program.ended)
      expect([code, stderr, stdout]).toEqual([0, "", "Completed: [4,2,3] words\n"])
    })
  )
})

describe("examples/mock-layers", () => {
  it.scopedLive(
    "passes its own tests",
    () =>
      Effect.gen(function* () {
        const { code, stdout } = yield* Effect.promise(
          () =>
            start("node_modules/vitest/vitest.mjs", ["run", "examples/mock-layers", "--reporter=json"]).ended
        )
        expect(code).toBe(0)
        expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: 2, numFailedTests: 0 })
      }),
    60_000
  )
})
