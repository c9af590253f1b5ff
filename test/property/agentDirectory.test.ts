import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as AgentDirectory from "@switchyard/node/AgentDirectory"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import fc from "fast-check"
import { eventually } from "../node/eventually.js"
import { temporaryDirectory } from "../node/temporary.js"

const names = ["a.yaml", "b.json", "c.yml", "d.yaml"]
const ids = ["x", "X", "y", "z", "host"]

/** What a file says: an agent, or something that is wrong in one of several ways. */
type Content = { readonly id: string; readonly version: number } | { readonly wrong: string }

type Change =
  | { readonly do: "write"; readonly name: string; readonly content: Content }
  | { readonly do: "remove"; readonly name: string }
  | { readonly do: "move"; readonly name: string; readonly to: string }
  | { readonly do: "look" }

const name = fc.constantFrom(...names)
const content: fc.Arbitrary<Content> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id: fc.constantFrom(...ids), version: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ wrong: fc.constantFrom("", "comand: x", "{", "\u0000", "[]", "a: *b") })
  }
)
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("write" as const), name, content }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move" as const), name, to: name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("look" as const) }) }
)

/** JSON, which YAML is too. */
const textOf = (given: Content): string =>
  "wrong" in given
    ? given.wrong
    : JSON.stringify({ id: given.id, command: "cat", capabilities: [`v${given.version}`] })

interface Served {
  readonly file: string
  readonly id: string
  readonly version: number
}

/** A registry as it has to be, in the plainest words: files in their order, then what they had before. */
class Model {
  readonly files = new Map<string, Content>()
  served: ReadonlyArray<Served> = []
  wrong: ReadonlyArray<string> = []

  look() {
    const present = [...this.files.keys()].sort()
    const next: Array<Served> = []
    const wrong: Array<string> = []
    const isFree = ({ id }: Served) =>
      id.toLowerCase() !== "host" && next.every((each) => each.id.toLowerCase() !== id.toLowerCase())
    const before = (file: string) => this.served.filter((each) => each.file === file)
    for (const file of present) {
      const given = this.files.get(file)
      const says = given !== undefined && "id" in given ? [{ file, ...given }] : []
      const wants = says.length > 0 ? says : before(file)
      const gets = wants.filter(isFree)
      next.push(...gets)
      if (says.length === 0 || gets.length === 0) wrong.push(file)
    }
    for (const file of wrong) {
      if (next.every((each) => each.file !== file)) next.push(...before(file).filter(isFree))
    }
    this.served = next
    this.wrong = wrong
  }

  get listed() {
    return this.served.map(({ file, id, version }) => `${id} v${version} of ${file}`).sort()
  }
}

const host = Agent.make("Host", { capabilities: [{ skill: "x" }], run: () => Effect.succeed(null) })

const listed = Effect.map(
  Effect.flatMap(AgentRegistry.AgentRegistry, (registry) => registry.list),
  (registrations) =>
    registrations
      .filter(({ agent }) => agent.id !== "Host")
      .map(
        ({ agent }) =>
          `${agent.id} ${agent.capabilities[0]?.skill} of ${path.basename(agent.definition?.source ?? "")}`
      )
      .sort()
)

const wrongFiles = Effect.map(
  Effect.flatMap(AgentDirectory.AgentDirectory, ({ problems }) => problems),
  (problems) => problems.map(({ file }) => path.basename(file))
)

const apply = (directory: string, model: Model, step: Exclude<Change, { readonly do: "look" }>) => {
  const at = (file: string) => path.join(directory, file)
  if (step.do === "write") {
    fs.writeFileSync(at(step.name), textOf(step.content))
    model.files.set(step.name, step.content)
  }
  const given = model.files.get(step.name)
  if (given === undefined || step.do === "write") return
  if (step.do === "remove") fs.rmSync(at(step.name))
  else fs.renameSync(at(step.name), at(step.to))
  model.files.delete(step.name)
  if (step.do === "move") model.files.set(step.to, given)
}

const kept = (directory: string, watch: boolean) =>
  AgentDirectory.layer({ directory, watch }).pipe(
    Layer.provideMerge(AgentRegistry.layerMemory([host])),
    Layer.merge(Logger.remove(Logger.defaultLogger))
  )

const inDirectory = <A, E>(use: (directory: string) => Effect.Effect<A, E>) =>
  Effect.runPromise(Effect.scoped(Effect.flatMap(temporaryDirectory, use)))

describe("a registry that is kept to a directory", () => {
  it("says at each look what a plain model says", () =>
    fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 30 }), (changes) =>
        inDirectory((directory) =>
          Effect.gen(function* () {
            const model = new Model()
            const { refresh } = yield* AgentDirectory.AgentDirectory
            for (const step of [...changes, { do: "look" as const }]) {
              if (step.do !== "look") {
                apply(directory, model, step)
                continue
              }
              yield* refresh
              model.look()
              expect(yield* listed).toEqual(model.listed)
              expect(yield* wrongFiles).toEqual(model.wrong)
            }
          }).pipe(Effect.provide(kept(directory, false)))
        )
      ),
      { numRuns: 150 }
    ))

  it("comes to the same by itself when files come, change and go as they like", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ name, version: fc.option(fc.nat(9)), wait: fc.constantFrom(0, 0, 1, 30, 150) }),
          { minLength: 1, maxLength: 12 }
        ),
        (changes) =>
          inDirectory((directory) =>
            Effect.gen(function* () {
              const model = new Model()
              for (const { name: file, version, wait } of changes) {
                const content = { id: path.parse(file).name, version: version ?? 0 }
                apply(
                  directory,
                  model,
                  version === null ? { do: "remove", name: file } : { do: "write", name: file, content }
                )
                if (wait > 0) yield* Effect.sleep(wait)
              }
              model.look()
              yield* eventually(listed, model.listed)
              expect(yield* wrongFiles).toEqual([])
            }).pipe(Effect.provide(kept(directory, true)))
          )
      ),
      { numRuns: 6 }
    ))
})
