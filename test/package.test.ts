import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const modules = join(root, "node_modules")
const packages = ["core", "node", "agents"] as const

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const execute = promisify(execFile)
const run = async (cwd: string, file: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const { stdout } = await execute(file, [...args], { cwd, maxBuffer: 1 << 24 }).catch((error) => {
    throw new Error(`${file} ${args.join(" ")} failed:\n${error.stdout}\n${error.stderr}`)
  })
  return stdout
}

const filesOf = async (directory: string): Promise<ReadonlyArray<string>> =>
  existsSync(directory)
    ? (await readdir(directory, { recursive: true, withFileTypes: true }))
        .filter((each) => each.isFile())
        .map((each) => join(each.parentPath, each.name))
    : []

const changedAt = async (files: ReadonlyArray<string>): Promise<ReadonlyArray<number>> =>
  Promise.all(files.map(async (each) => (await stat(each)).mtimeMs))

/** Whether what is built is whole and no older than what it is built from. */
const isBuilt = async (name: string): Promise<boolean> => {
  const home = join(root, "packages", name)
  const configuration = ["package.json", "tsconfig.build.json", "tsup.config.ts"].map((each) =>
    join(home, each)
  )
  const sources = await changedAt([...(await filesOf(join(home, "src"))), ...configuration])
  const built = await changedAt(await filesOf(join(home, "dist")))
  return existsSync(join(home, "dist")) && Math.max(...sources) < Math.min(...built)
}

const withoutEffect = `
import * as Agent from "@switchyard/core/Agent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"

const counter = Agent.fromPromise("counter", {
  capabilities: [{ skill: "count-words" }],
  run: async (task) => String(task.input).split(" ").length
})
const digest = Workflow.make("digest").pipe(
  Workflow.step("count", { skill: "count-words", forEach: "{{ ['a b', 'c'] }}" })
)
const yard = await Switchyard.open({ directory: "without-effect", agents: [counter] })
const run = await yard.registerRun({ workflow: digest })
const seen = []
for await (const { event } of run.events) seen.push(event._tag)
const { outputs, status } = await run.result
const { items } = await yard.listRuns()
await yard.close()
console.log(JSON.stringify({ status, outputs, first: seen[0], last: seen.at(-1), indexed: items.length }))
`

const withLayers = `
import * as Agent from "@switchyard/core/Agent"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"

const agents = [
  Agent.make("echo", { capabilities: [{ skill: "echo" }], run: (task) => Effect.succeed(task.input) })
]
const workflow = Workflow.make("echoes").pipe(Workflow.step("say", { skill: "echo", input: "hello" }))
const program = Effect.gen(function* () {
  const plane = yield* ControlPlane
  const run = yield* plane.registerRun({ workflow })
  return (yield* run.result).outputs
})
const layers = [MemoryPlane.layer({ agents }), Switchyard.layer({ directory: "with-layers", agents })]
const results = await Promise.all(layers.map((each) => Effect.runPromise(Effect.provide(program, each))))
console.log(JSON.stringify(results))
`

const withModel = `
import { createServer } from "node:http"
import * as LanguageModelAgent from "@switchyard/agents/LanguageModelAgent"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"

const server = createServer((request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  const choices = [{ index: 0, delta: { content: "hello" }, finish_reason: "stop" }]
  response.end("data: " + JSON.stringify({ choices }) + "\\n\\ndata: [DONE]\\n\\n")
})
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
const baseUrl = "http://127.0.0.1:" + server.address().port
const writer = await Effect.runPromise(
  LanguageModelAgent.openAi("writer", { capabilities: [{ skill: "write" }], model: "local", baseUrl })
)
const workflow = Workflow.make("writing").pipe(Workflow.step("say", { skill: "write", input: "Hello?" }))
const program = Effect.gen(function* () {
  const plane = yield* ControlPlane
  const run = yield* plane.registerRun({ workflow })
  return (yield* run.result).outputs
})
const outputs = await Effect.runPromise(Effect.provide(program, MemoryPlane.layer({ agents: [writer] })))
server.closeAllConnections()
server.close()
console.log(JSON.stringify(outputs))
`

const typed = `
import * as LanguageModelAgent from "@switchyard/agents/LanguageModelAgent"
import * as Agent from "@switchyard/core/Agent"
import type { RunId } from "@switchyard/core/Ids"
import * as Workflow from "@switchyard/core/Workflow"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Schema from "effect/Schema"

const echo = Agent.fromPromise("echo", { capabilities: [{ skill: "echo" }], run: async (task) => task.input })
const workflow = Workflow.make("echoes", { params: Schema.Struct({ text: Schema.String }) }).pipe(
  Workflow.step("say", { skill: "echo", input: "{{ params.text }}" }),
  Workflow.step("repeat", { skill: "echo", after: ["say"] })
)
// @ts-expect-error: there is no such step to wait for
Workflow.make("broken").pipe(Workflow.step("b", { skill: "echo", after: ["a"] }))

await using yard = await Switchyard.open({ directory: ".switchyard", agents: [echo] })
const run = await yard.registerRun({ workflow, params: { text: "hello" } })
// @ts-expect-error: the parameters are those of the schema
await yard.registerRun({ workflow, params: { text: 1 } })
const id: RunId = run.runId
// @ts-expect-error: a key is redacted, or named as a secret
LanguageModelAgent.anthropic("reviewer", { capabilities: [], model: "m", apiKey: "sk-1" })
LanguageModelAgent.anthropic("reviewer", { capabilities: [], model: "m", apiKey: { secret: "KEY" } })
// @ts-expect-error: an id is not a number
const number: number = run.runId
export { id, number }
`

const compilerOptions = {
  target: "ES2022",
  lib: ["ES2023", "ESNext.Disposable", "DOM"],
  module: "NodeNext",
  moduleResolution: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  types: ["node"]
}

let project = ""

/** Unpacks what would be published; beside it only what it says that it needs. */
const install = async (name: string): Promise<void> => {
  const home = join(project, "node_modules", "@switchyard", name)
  await run(join(root, "packages", name), "npm", "pack", "--silent", "--pack-destination", project)
  const tarball = (await readdir(project)).find((each) => each.startsWith(`switchyard-${name}-`))
  if (tarball === undefined) throw new Error(`npm pack made no tarball of ${name}`)
  await mkdir(home, { recursive: true })
  await run(project, "tar", "-xzf", tarball, "-C", home, "--strip-components=1")
  const { dependencies, peerDependencies } = await manifestOf(name)
  for (const each of Object.keys({ ...dependencies, ...peerDependencies })) await link(each)
}

const link = async (name: string): Promise<void> => {
  const path = join(project, "node_modules", name)
  if (name.startsWith("@switchyard/") || existsSync(path)) return
  await mkdir(dirname(path), { recursive: true })
  await symlink(join(modules, name), path)
}

const manifestOf = async (name: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(project, "node_modules", "@switchyard", name, "package.json"), "utf8"))

const shipped = (name: string) => filesOf(join(project, "node_modules", "@switchyard", name))

beforeAll(async () => {
  const built = await Promise.all(packages.map(isBuilt))
  if (built.includes(false)) await run(root, "npm", "run", "build")
  project = await mkdtemp(join(tmpdir(), "switchyard-package-"))
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))
  for (const name of packages) await install(name)
}, 120_000)

afterAll(() => rm(project, { recursive: true, force: true }))

describe("the packed packages", () => {
  it("run a workflow for a host that does not use Effect", async () => {
    await writeFile(join(project, "without-effect.js"), withoutEffect)
    expect(JSON.parse(await run(project, "node", "without-effect.js"))).toEqual({
      status: "Completed",
      outputs: { count: [2, 1] },
      first: "RunRegistered",
      last: "RunCompleted",
      indexed: 1
    })
  })

  it("run a workflow on layers, in memory and on a directory", async () => {
    await writeFile(join(project, "with-layers.js"), withLayers)
    expect(JSON.parse(await run(project, "node", "with-layers.js"))).toEqual([
      { say: "hello" },
      { say: "hello" }
    ])
  })

  it("ask a language model", async () => {
    await writeFile(join(project, "with-model.js"), withModel)
    expect(JSON.parse(await run(project, "node", "with-model.js"))).toEqual({ say: "hello" })
  })

  it("carry declarations that a strict host compiles against, library checks included", async () => {
    await link("@types/node")
    await writeFile(join(project, "host.ts"), typed)
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["host.ts"] }))
    expect(await run(project, "node", join(modules, "typescript", "bin", "tsc"), "-p", ".")).toBe("")
  }, 60_000)

  it("let nobody in behind the public modules", async () => {
    for (const name of packages) {
      const home = join(project, "node_modules", "@switchyard", name)
      const inner = (await shipped(name))
        .map((each) => each.slice(home.length + 1))
        .find((each) => /^dist\/internal\/.*\.js$/.test(each))
      expect(inner).toBeDefined()
      const specifier = `@switchyard/${name}/${inner?.slice("dist/".length).replace(/\.js$/, "")}`
      await writeFile(join(project, "intruder.js"), `await import(${JSON.stringify(specifier)})`)
      await expect(run(project, "node", "intruder.js")).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED")
    }
  })

  it("carry their sources and licences, and nothing that is not theirs", async () => {
    for (const name of packages) {
      const home = join(project, "node_modules", "@switchyard", name)
      const files = (await shipped(name)).map((each) => each.slice(home.length + 1))
      expect(files).toContain("LICENSE")
      expect(files.filter((each) => each.startsWith("src/")).length).toBeGreaterThan(0)
      expect(files.filter((each) => /\.test\.|tsbuildinfo|tsup\.config|tsconfig/.test(each))).toEqual([])
    }
    const notices = await readFile(
      join(project, "node_modules/@switchyard/core/THIRD_PARTY_NOTICES.md"),
      "utf8"
    )
    for (const library of [
      "@marcbachmann/cel-js",
      "@cfworker/json-schema",
      "fastest-levenshtein",
      "@noble/hashes"
    ]) {
      expect(notices).toContain(library)
    }
  })

  it("leave the core with no dependency at run time but Effect", async () => {
    const { dependencies, peerDependencies } = await manifestOf("core")
    expect(dependencies).toBeUndefined()
    expect(Object.keys(peerDependencies ?? {})).toEqual(["effect"])
    const scripts = (await shipped("core")).filter((each) => each.endsWith(".js"))
    const imported = new Set<string>()
    for (const script of scripts) {
      const { importedFiles } = ts.preProcessFile(await readFile(script, "utf8"), true, true)
      for (const { fileName } of importedFiles) imported.add(fileName)
    }
    const foreign = [...imported].filter((each) => !each.startsWith("."))
    expect(foreign).toContain("effect/Effect")
    expect(foreign.filter((each) => !each.startsWith("effect/"))).toEqual([])
  })

  it("name no bundled library in a declaration", async () => {
    for (const file of (await shipped("core")).filter((each) => each.endsWith(".d.ts"))) {
      expect(await readFile(file, "utf8"), file).not.toMatch(/cel-js|cfworker|levenshtein|noble/)
    }
  })
})
