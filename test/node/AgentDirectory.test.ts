import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as AgentDirectory from "@switchyard/node/AgentDirectory"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import { eventually } from "./eventually.js"
import { temporaryDirectory } from "./temporary.js"

const good = (skill: string, ...more: ReadonlyArray<string>) =>
  ["command: cat", `capabilities: [${skill}]`, ...more].join("\n")

/** A directory of files, and what writes and removes them. */
const folder = Effect.map(temporaryDirectory, (parent) => {
  const directory = path.join(parent, "agents")
  fs.mkdirSync(directory)
  const at = (name: string) => path.join(directory, name)
  return {
    parent,
    directory,
    at,
    write: (name: string, text: string | Uint8Array) => fs.writeFileSync(at(name), text),
    remove: (name: string) => fs.rmSync(at(name))
  }
})

const warnings = () => {
  const found: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel._tag === "Warning") found.push(String(message))
  })
  return { found, layer: Logger.replace(Logger.defaultLogger, logger) }
}

const host = Agent.make("Builtin", {
  capabilities: [{ skill: "built" }],
  run: () => Effect.succeed(null)
})

const keeping = (options: AgentDirectory.Options) =>
  AgentDirectory.layer(options).pipe(Layer.provideMerge(AgentRegistry.layerMemory([host])))

/** What the registry has of the directory: ids with their skills. */
const listed = Effect.map(
  Effect.flatMap(AgentRegistry.AgentRegistry, (registry) => registry.list),
  (registrations) =>
    registrations
      .filter(({ agent }) => agent.id !== "Builtin")
      .map(({ agent, enabled }) =>
        [agent.id, ...agent.capabilities.map(({ skill }) => skill), ...(enabled ? [] : ["disabled"])].join(
          " "
        )
      )
)

const problemsNow = Effect.map(
  Effect.flatMap(AgentDirectory.AgentDirectory, ({ problems }) => problems),
  (problems) => problems.map(({ message }) => message)
)

describe("a directory of agents", () => {
  it.scoped("gives the good ones and says what is wrong with the others", () =>
    Effect.gen(function* () {
      const { at, directory, parent, write } = yield* folder
      write("a.yaml", good("one", "id: First"))
      write("b.yml", good("two", "id: first"))
      write("c.json", '{"command": "cat", "capabilities": ["three"]}')
      write("d.yaml", "comand: cat")
      write("e.yaml", Uint8Array.of(0xff))
      write("f.yaml", new Uint8Array(1024 * 1024 + 1))
      write(".hidden.yaml", "wrong")
      write("notes.txt", "wrong")
      write("x.yaml~", "wrong")
      fs.mkdirSync(at("g.yaml"))
      fs.mkdirSync(at("below"))
      write("below/h.yaml", "wrong")
      fs.writeFileSync(path.join(parent, "outside.yaml"), good("out"))
      fs.symlinkSync("../outside.yaml", at("i.yaml"))
      fs.symlinkSync("below/h.yaml", at("j.yaml"))
      fs.symlinkSync("nowhere.yaml", at("k.yaml"))
      fs.symlinkSync("l.yaml", at("l.yaml"))
      const { agents, problems } = yield* AgentDirectory.load(directory)
      expect(agents.map(({ agent }) => agent.id)).toEqual(["First", "c"])
      const said = (name: string, reason: string) => `The agents in ${at(name)} cannot be read: ${reason}`
      expect(problems.map(({ message }) => message)).toEqual([
        `The agent in ${at("b.yml")} cannot be used:\n  ${at("b.yml")}:3:5 id: the id "first" is that of the agent in ${at("a.yaml")} already; give one of them another one`,
        `The agent in ${at("d.yaml")} cannot be used:\n  ${at("d.yaml")}:1:1 comand: "comand" is not known here; did you mean "command"?`,
        said("e.yaml", "it is not UTF-8; save it as that"),
        said("f.yaml", "it is larger than 1 MiB, which no agent is"),
        said("g.yaml", "it is not a file"),
        said("i.yaml", "it is a symbolic link that leads out of the directory; put a copy of the file there"),
        `The agent in ${at("j.yaml")} cannot be used:\n  ${at("j.yaml")}:1:1 this must be an object, not "wrong"`,
        said("k.yaml", "it is a symbolic link to a file that does not exist"),
        said("l.yaml", "its symbolic links lead in a circle, or to a place that must not be followed (ELOOP)")
      ])
    })
  )

  it.scoped("that cannot be read is an error", () =>
    Effect.gen(function* () {
      const { at, directory, write } = yield* folder
      write("a.yaml", good("one"))
      const reasons = [
        [at("none"), "it does not exist (ENOENT)"],
        [at("a.yaml"), "a part of the path is a file where a directory has to be (ENOTDIR)"]
      ] as const
      for (const [place, reason] of reasons) {
        const error = yield* Effect.flip(AgentDirectory.load(place))
        expect(error.message).toBe(`The agents in ${place} cannot be read: ${reason}`)
        expect(yield* Effect.flip(Layer.build(keeping({ directory: place })))).toMatchObject({ file: place })
      }
      // The superuser may read everything.
      if (process.getuid?.() === 0) return
      fs.chmodSync(directory, 0)
      expect((yield* Effect.flip(AgentDirectory.load(directory))).reason).toContain("permission is denied")
      fs.chmodSync(directory, 0o700)
      fs.chmodSync(at("a.yaml"), 0)
      expect((yield* AgentDirectory.load(directory)).problems).toMatchObject([{ file: at("a.yaml") }])
    })
  )
})

describe("a registry that is kept to a directory", () => {
  it.scopedLive("follows files that come, change and go, and tells what is wrong once", () =>
    Effect.gen(function* () {
      const { at, directory, remove, write } = yield* folder
      write("a.yaml", good("one"))
      write("b.yaml", good("taken", "id: BUILTIN"))
      const log = warnings()
      const taken = `The agent in ${at("b.yaml")} cannot be used:\n  ${at("b.yaml")}:3:5 id: the id "BUILTIN" is that of an agent of the host already; give one of them another one`
      yield* Effect.gen(function* () {
        const registry = yield* AgentRegistry.AgentRegistry
        expect(yield* listed).toEqual(["a one"])
        expect(yield* problemsNow).toEqual([taken])

        write("c.yaml", good("three"))
        yield* eventually(listed, ["a one", "c three"])
        write("a.yaml", good("two"))
        yield* eventually(listed, ["a two", "c three"])

        const serving = yield* registry.get("a")
        write("a.yaml", good("two", "comand: x"))
        yield* eventually(
          Effect.map(problemsNow, ([first]) => first),
          `The agent in ${at("a.yaml")} cannot be used:\n  ${at("a.yaml")}:3:1 comand: "comand" is not known here; did you mean "command"?`
        )
        expect(yield* registry.get("a")).toBe(serving)
        write("a.yaml", good("two"))
        yield* eventually(problemsNow, [taken])
        expect(yield* registry.get("a")).toBe(serving)

        remove("c.yaml")
        yield* eventually(listed, ["a two"])
        fs.renameSync(at("a.yaml"), at("z.yaml"))
        yield* eventually(listed, ["z two"])
        remove("b.yaml")
        yield* eventually(problemsNow, [])
        expect(yield* registry.get("builtin")).toBe(host)
        expect(log.found.map((each) => /[abc]\.yaml:\d+:\d+/.exec(each)?.[0])).toEqual([
          "b.yaml:3:5",
          "a.yaml:3:1"
        ])
      }).pipe(Effect.provide(keeping({ directory })), Effect.provide(log.layer))
    })
  )

  it.scopedLive("never takes a file that is being written, and sees through how editors save", () =>
    Effect.gen(function* () {
      const { at, directory, write } = yield* folder
      write("a.yaml", good("one"))
      const log = warnings()
      yield* Effect.gen(function* () {
        const registry = yield* AgentRegistry.AgentRegistry
        const seen = new Set<string>()
        const watched = Effect.map(listed, (now) => {
          for (const each of now) seen.add(each)
          return now
        })
        const text = good("four")
        for (const [index] of [...text].entries()) {
          fs.writeFileSync(at("b.yaml"), text.slice(0, index + 1))
          yield* watched
          if (index % 8 === 0) yield* Effect.sleep("20 millis")
        }
        yield* eventually(watched, ["a one", "b four"])
        // An editor moves the old file away, writes a new one beside it, and puts that in its place.
        fs.renameSync(at("a.yaml"), at("a.yaml~"))
        fs.writeFileSync(at(".a.yaml.swp"), "x")
        fs.writeFileSync(at("4913"), "")
        fs.writeFileSync(at("a.yaml"), good("five"))
        fs.rmSync(at("4913"))
        fs.rmSync(at("a.yaml~"))
        yield* eventually(watched, ["a five", "b four"])
        fs.writeFileSync(at("a.tmp"), good("six"))
        fs.renameSync(at("a.tmp"), at("a.yaml"))
        yield* eventually(watched, ["a six", "b four"])
        expect([...seen].sort()).toEqual(["a five", "a one", "a six", "b four"])
        expect((yield* registry.list).find(({ agent }) => agent.id === "a")?.revision).toBe(3)
        expect(log.found).toEqual([])
      }).pipe(Effect.provide(keeping({ directory })), Effect.provide(log.layer))
    })
  )

  it.scopedLive("has agents be given work or not as their files say, unless the host decides", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* folder
      write("a.yaml", good("one", "enabled: false"))
      yield* Effect.gen(function* () {
        const registry = yield* AgentRegistry.AgentRegistry
        const { refresh } = yield* AgentDirectory.AgentDirectory
        const save = (skill: string, ...more: ReadonlyArray<string>) =>
          Effect.zipRight(
            Effect.sync(() => write("a.yaml", good(skill, ...more))),
            refresh
          )
        expect(yield* listed).toEqual(["a one disabled"])
        yield* registry.enable("a")
        yield* save("two", "enabled: false")
        expect(yield* listed).toEqual(["a two"])
        yield* registry.disable("a")
        yield* save("three", "enabled: true")
        expect(yield* listed).toEqual(["a three"])
        yield* registry.disable("a")
        yield* save("four")
        expect(yield* listed).toEqual(["a four disabled"])
        yield* save("four", "enabled: false")
        yield* save("four")
        expect(yield* listed).toEqual(["a four"])
      }).pipe(Effect.provide(keeping({ directory, watch: false })))
    })
  )

  it.scopedLive("keeps serving while its directory is away, and follows the next one", () =>
    Effect.gen(function* () {
      const { at, directory, parent, write } = yield* folder
      write("a.yaml", good("one"))
      yield* Effect.gen(function* () {
        fs.renameSync(directory, path.join(parent, "away"))
        yield* eventually(problemsNow, [
          `The agents in ${directory} cannot be read: it does not exist (ENOENT)`
        ])
        expect(yield* listed).toEqual(["a one"])
        fs.mkdirSync(directory)
        write("b.yaml", good("two"))
        yield* eventually(listed, ["b two"])
        expect(yield* problemsNow).toEqual([])
        fs.writeFileSync(at("c.yaml"), good("three"))
        yield* eventually(listed, ["b two", "c three"])
      }).pipe(Effect.provide(keeping({ directory })))
    })
  )

  it.scopedLive("can look at it again and again, and does not once its scope is closed", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* folder
      const registry = yield* AgentRegistry.make()
      const given = Layer.succeed(AgentRegistry.AgentRegistry, registry)
      for (const watch of ["polling", true] as const)
        yield* Effect.gen(function* () {
          write(`${watch}.yaml`, good("one"))
          yield* eventually(
            Effect.map(registry.findAgentsWithSkill("one"), (found) => found.includes(`${watch}` as never)),
            true
          )
        }).pipe(Effect.provide(AgentDirectory.layer({ directory, watch }).pipe(Layer.provide(given))))
      write("late.yaml", good("one"))
      yield* Effect.sleep("400 millis")
      expect(yield* registry.findAgentsWithSkill("one")).toEqual(["polling", "true"])
    })
  )

  it.scoped("sees every change of files that have long been as they are", () =>
    Effect.gen(function* () {
      const { at, directory, write } = yield* folder
      const ticks = () => fs.statSync(at("a.yaml"), { bigint: true }).ctimeNs
      write("a.yaml", good("one"))
      yield* TestClock.setTime(Date.now() + 60_000)
      yield* Effect.gen(function* () {
        const { refresh } = yield* AgentDirectory.AgentDirectory
        yield* refresh
        expect(yield* listed).toEqual(["a one"])
        const before = ticks()
        do write("a.yaml", good("two"))
        while (ticks() === before)
        yield* refresh
        expect(yield* listed).toEqual(["a two"])
        fs.rmSync(at("a.yaml"))
        fs.symlinkSync(".b.yaml", at("a.yaml"))
        for (const skill of ["six", "ten"]) {
          write(".b.yaml", good(skill))
          yield* refresh
          expect(yield* listed).toEqual([`a ${skill}`])
        }
      }).pipe(Effect.provide(keeping({ directory, watch: false })))
    })
  )

  it.scopedLive("gives files on demand, which may replace what they gave before and nothing else", () =>
    Effect.gen(function* () {
      const { at, directory, write } = yield* folder
      write("a.yaml", good("one"))
      write("b.yaml", good("two", "id: builtin"))
      yield* Effect.gen(function* () {
        const { load } = yield* AgentDirectory.AgentDirectory
        expect(yield* load(at("a.yaml"))).toEqual({ agents: ["a"], problems: [] })
        write("a.yaml", good("three"))
        expect(yield* load(directory)).toMatchObject({
          agents: ["a"],
          problems: [{ file: at("b.yaml"), problems: [{ rule: "taken", line: 3, column: 5 }] }]
        })
        expect(yield* listed).toEqual(["a three"])
        write("a.yaml", "wrong")
        expect(yield* load(at("a.yaml"))).toMatchObject({ agents: [], problems: [{ file: at("a.yaml") }] })
        expect(yield* listed).toEqual(["a three"])
        expect(yield* Effect.flip(load(at("none.yaml")))).toMatchObject({ _tag: "AgentFileUnreadable" })
        write("c.yaml", good("four", "id: A"))
        const other = yield* load(at("c.yaml"))
        expect(other.problems[0]?.message).toContain(`is that of the agent in ${at("a.yaml")} already`)
      }).pipe(
        Effect.provide(
          AgentDirectory.layerOnDemand().pipe(Layer.provideMerge(AgentRegistry.layerMemory([host])))
        )
      )
    })
  )
})
