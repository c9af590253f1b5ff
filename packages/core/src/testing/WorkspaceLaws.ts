import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { generateRunId, type RunId } from "../Ids.js"
import { async } from "../internal/compat.js"
import type { Json } from "../Json.js"
import {
  type Area,
  keepAll,
  type Retention,
  Suspended,
  type Workspace,
  WorkspaceService
} from "../WorkspaceService.js"
import { equal, fails, type Law } from "./Law.js"

const areas: ReadonlyArray<Area> = ["state", "reports", "outputs", "temp"]

const ids = (workspaces: ReadonlyArray<Workspace>): ReadonlyArray<RunId> =>
  workspaces.map((workspace) => workspace.runId)

/** Lets the given number of milliseconds pass on the host's clock, whatever clock the test runs on. */
const pass = (millis: number): Effect.Effect<void> =>
  async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Opens the workspace of a run in a scope of its own, uses it, and closes the scope with an exit. */
const used = (
  runId: RunId,
  exit: Exit.Exit<unknown, unknown>,
  use: (workspace: Workspace) => Effect.Effect<unknown, unknown> = () => Effect.void
) =>
  Effect.gen(function* () {
    const service = yield* WorkspaceService
    const scope = yield* Scope.make()
    const workspace = yield* Effect.provideService(service.create(runId, { run: runId }), Scope.Scope, scope)
    yield* Effect.onExit(use(workspace), () => Scope.close(scope, exit))
    return workspace
  })

const law = (
  name: string,
  check: (
    service: WorkspaceService["Type"],
    runId: RunId
  ) => Effect.Effect<void, unknown, WorkspaceService | Scope.Scope>
): Law<WorkspaceService> => ({
  name,
  check: Effect.scoped(
    Effect.gen(function* () {
      yield* check(yield* WorkspaceService, yield* generateRunId)
    })
  )
})

const outside = ["../x", "/etc/x", "a/../../x", "a\0b", "", ".", "..", "..\\x", "C:\\x"]

/** What the retention policy promises, for a layer that was given this policy. */
export const retentionLaws = (retention: Retention): ReadonlyArray<Law<WorkspaceService>> => {
  const exits: { readonly [Outcome in keyof Retention]: Effect.Effect<unknown, unknown> } = {
    completed: Effect.void,
    failed: Effect.fail("boom"),
    cancelled: Effect.interrupt
  }
  return (["completed", "failed", "cancelled"] as const).map((outcome) =>
    law(`${retention[outcome]}s the workspace of a ${outcome} run`, (service, runId) =>
      Effect.gen(function* () {
        yield* used(runId, yield* Effect.exit(exits[outcome]), (workspace) =>
          Effect.all([workspace.write("outputs", "o", "1"), workspace.write("temp", "t", "2")])
        )
        if (retention[outcome] === "remove") {
          return yield* fails("the workspace is removed", "WorkspaceNotFound", service.get(runId))
        }
        const kept = yield* service.get(runId)
        yield* equal("its configuration is kept", kept.config, { run: runId })
        yield* equal("outputs are kept", yield* kept.read("outputs", "o"), "1")
        yield* equal("temp is removed", yield* kept.list("temp"), [])
      })
    )
  )
}

/** What every implementation promises, for a layer that keeps all workspaces, which is the default. */
export const WorkspaceLaws: ReadonlyArray<Law<WorkspaceService>> = [
  law("creates all four directories and keeps the configuration", (service, runId) =>
    Effect.gen(function* () {
      const config: Json = { text: 'é\n"', list: [1, null, true], nested: { a: {} } }
      const workspace = yield* service.create(runId, config)
      yield* equal("the configuration", workspace.config, config)
      yield* equal("the run id", workspace.runId, runId)
      const { outputsDir, reportsDir, root, stateDir, tempDir } = workspace
      yield* equal(
        "the directories lie below the root",
        [stateDir, reportsDir, outputsDir, tempDir],
        areas.map((area) => `${root}/${area}`)
      )
      for (const area of areas) yield* equal(`${area} is there and empty`, yield* workspace.list(area), [])
      yield* equal("get gives the same", (yield* service.get(runId)).root, root)
    })
  ),

  law("reads back what was written, and lists it sorted", (service, runId) =>
    Effect.gen(function* () {
      const workspace = yield* service.create(runId, null)
      const text = "a \u0000 b\n\uFEFFé 😀"
      const path = yield* workspace.write("outputs", "b/c/d.txt", text)
      yield* equal("write gives the absolute path", path, `${workspace.outputsDir}/b/c/d.txt`)
      yield* equal("resolve gives the same", yield* workspace.resolve("outputs", "./b//c/x/../d.txt"), path)
      yield* workspace.write("outputs", "a.txt", new Uint8Array([104, 105]))
      yield* workspace.write("outputs", "..hidden", "")
      yield* equal("text comes back", yield* workspace.read("outputs", "b/c/d.txt"), text)
      yield* equal("bytes come back", yield* workspace.read("outputs", "a.txt"), "hi")
      yield* equal("a list", yield* workspace.list("outputs"), ["..hidden", "a.txt", "b/c/d.txt"])
      yield* workspace.write("outputs", "a.txt", "")
      yield* equal("a file is replaced as a whole", yield* workspace.read("outputs", "a.txt"), "")
      yield* equal("other areas are not touched", yield* workspace.list("reports"), [])
      yield* workspace.write("outputs", "bad", new Uint8Array([0xff, 0x41]))
      yield* equal(
        "bytes that are not UTF-8 are replaced",
        yield* workspace.read("outputs", "bad"),
        "\uFFFDA"
      )
    })
  ),

  law("answers with an error where a file system refuses", (service, runId) =>
    Effect.gen(function* () {
      const workspace = yield* service.create(runId, null)
      yield* workspace.write("outputs", "a/b", "x")
      yield* fails("a missing file", "WorkspaceError", workspace.read("outputs", "missing"))
      yield* fails("a directory is not read", "WorkspaceError", workspace.read("outputs", "a"))
      yield* fails("a directory is not overwritten", "WorkspaceError", workspace.write("outputs", "a", "x"))
      yield* fails("a file is no directory", "WorkspaceError", workspace.write("outputs", "a/b/c", "x"))
      yield* equal("nothing was changed", yield* workspace.list("outputs"), ["a/b"])
    })
  ),

  law("shows a written file whole or not at all", (service, runId) =>
    Effect.gen(function* () {
      const workspace = yield* service.create(runId, null)
      const contents = ["a", "b"].map((letter) => letter.repeat(200_000))
      yield* workspace.write("outputs", "file", contents[0] ?? "")
      const write = Effect.forEach(
        Array.from({ length: 40 }, (_, i) => contents[i % 2] ?? ""),
        (content) => workspace.write("outputs", "file", content),
        { concurrency: 4 }
      )
      const read = Effect.forEach(Array.from({ length: 80 }), () =>
        Effect.gen(function* () {
          const text = yield* workspace.read("outputs", "file")
          yield* equal("the content is one of those written", contents.includes(text), true)
          yield* equal("no other name is listed", yield* workspace.list("outputs"), ["file"])
        })
      )
      yield* Effect.all([write, read], { concurrency: 2 })
    })
  ),

  law("takes many files at once into directories that do not exist yet", (service, runId) =>
    Effect.gen(function* () {
      const workspace = yield* service.create(runId, null)
      const names = Array.from({ length: 600 }, (_, i) => `new-${i >> 3}/deep/${i}`)
      yield* Effect.forEach(names, (name) => workspace.write("state", name, name), { concurrency: 5 })
      yield* equal("all are there", (yield* workspace.list("state")).length, 600)
    })
  ),

  law("gives one workspace to every creation of the same run", (service, runId) =>
    Effect.gen(function* () {
      const all = yield* Effect.all(
        Array.from({ length: 10 }, (_, i) => service.create(runId, { i })),
        { concurrency: "unbounded" }
      )
      const first = all[0]
      for (const each of all) {
        yield* equal("the same root", each.root, first?.root)
        yield* equal("the configuration of the first", each.config, first?.config)
      }
      yield* equal("listed once", ids(yield* service.listActive), [runId])
    })
  ),

  law("settles a shared workspace when its last scope closes", (service, runId) =>
    Effect.gen(function* () {
      const workspace = yield* service.create(runId, null)
      yield* used(runId, Exit.void, (other) => other.write("temp", "t", "1"))
      yield* equal("it is active still", ids(yield* service.listActive), [runId])
      yield* equal("temp is there still", yield* workspace.read("temp", "t"), "1")
    })
  ),

  law("lists a workspace as active while its scope is open, and not after", (service, runId) =>
    Effect.gen(function* () {
      yield* equal("not before", ids(yield* service.listActive), [])
      yield* used(runId, Exit.void, () =>
        Effect.flatMap(service.listActive, (active) => equal("while open", ids(active), [runId]))
      )
      yield* equal("not after", ids(yield* service.listActive), [])
    })
  ),

  law("keeps a suspended workspace as it is, temp included, and opens it again", (service, runId) =>
    Effect.gen(function* () {
      yield* used(runId, Exit.fail(new Suspended()), (workspace) =>
        Effect.all([workspace.write("outputs", "o", "1"), workspace.write("temp", "t", "2")])
      )
      yield* equal("it is not active", ids(yield* service.listActive), [])
      const again = yield* service.create(runId, { other: true })
      yield* equal("the configuration is the first one", again.config, { run: runId })
      yield* equal("temp is there", yield* again.read("temp", "t"), "2")
      yield* equal("outputs are there", yield* again.read("outputs", "o"), "1")
    })
  ),

  law("opens a kept workspace again with all its directories", (service, runId) =>
    Effect.gen(function* () {
      yield* used(runId, Exit.void, (workspace) => workspace.write("reports", "r", "1"))
      const again = yield* service.create(runId, null)
      yield* equal("reports are there", yield* again.read("reports", "r"), "1")
      yield* again.write("temp", "t", "2")
      yield* equal("temp works", yield* again.list("temp"), ["t"])
    })
  ),

  ...retentionLaws(keepAll),

  law("cleans up whatever the policy says, once or more often", (service, runId) =>
    Effect.gen(function* () {
      yield* service.cleanup(runId)
      const workspace = yield* used(runId, Exit.void, (each) => each.write("outputs", "o", "1"))
      yield* service.cleanup(runId)
      yield* service.cleanup(runId)
      yield* fails("it is gone", "WorkspaceNotFound", service.get(runId))
      yield* fails("nothing is written any more", "WorkspaceError", workspace.write("outputs", "o", "2"))
      yield* fails("it stays gone", "WorkspaceNotFound", service.get(runId))
    })
  ),

  law(
    "does not let an old scope settle a workspace that was cleaned up and created again",
    (service, runId) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* used(runId, Exit.void, () =>
          Effect.gen(function* () {
            yield* service.cleanup(runId)
            yield* equal("it is not active any more", ids(yield* service.listActive), [])
            const again = yield* Effect.provideService(
              service.create(runId, { again: true }),
              Scope.Scope,
              scope
            )
            yield* again.write("temp", "t", "1")
          })
        )
        const now = yield* service.get(runId)
        yield* equal("it is active", ids(yield* service.listActive), [runId])
        yield* equal("it is the later one", now.config, { again: true })
        yield* equal("its temp is there", yield* now.read("temp", "t"), "1")
        yield* Scope.close(scope, Exit.void)
      })
  ),

  law("does not find a workspace that was never created", (service, runId) =>
    fails("an unknown run", "WorkspaceNotFound", service.get(runId))
  ),

  law("refuses paths that lead outside, and touches nothing", (service, runId) =>
    Effect.gen(function* () {
      const workspace = yield* service.create(runId, null)
      yield* workspace.write("reports", "x", "untouched")
      for (const path of outside) {
        const which = JSON.stringify(path)
        yield* fails(`write ${which}`, "PathOutsideWorkspace", workspace.write("outputs", path, "evil"))
        yield* fails(`read ${which}`, "PathOutsideWorkspace", workspace.read("outputs", path))
        yield* fails(`resolve ${which}`, "PathOutsideWorkspace", workspace.resolve("outputs", path))
      }
      yield* fails("another area", "PathOutsideWorkspace", workspace.write("outputs", "../reports/x", "evil"))
      for (const area of areas) {
        yield* equal(`${area} is as it was`, yield* workspace.list(area), area === "reports" ? ["x"] : [])
      }
      yield* equal("no content was changed", yield* workspace.read("reports", "x"), "untouched")
    })
  ),

  law("refuses what is not a run id, and a configuration that is not JSON", (service, runId) =>
    Effect.gen(function* () {
      for (const id of ["../x", "", "a/b", ".", "a..b", "a\0"] as ReadonlyArray<string>) {
        const forged = id as RunId
        yield* fails("create", "WorkspaceError", Effect.scoped(service.create(forged, null)))
        yield* fails("get", "WorkspaceError", service.get(forged))
        yield* fails("cleanup", "WorkspaceError", service.cleanup(forged))
      }
      const config = { at: Number.NaN }
      yield* fails("a number that JSON lacks", "WorkspaceError", service.create(runId, config))
      yield* fails("nothing was created", "WorkspaceNotFound", service.get(runId))
    })
  ),

  law("keeps the files of runs apart, also where ids begin alike", (service, runId) =>
    Effect.gen(function* () {
      const longer = `${runId}-2` as RunId
      const one = yield* service.create(runId, 1)
      const two = yield* service.create(longer, 2)
      yield* one.write("outputs", "same", "one")
      yield* two.write("outputs", "same", "two")
      yield* two.write("outputs", "only", "two")
      yield* equal("the content of the first", yield* one.read("outputs", "same"), "one")
      yield* equal("the files of the first", yield* one.list("outputs"), ["same"])
      yield* service.cleanup(runId)
      yield* equal("the other one is untouched", yield* two.list("outputs"), ["only", "same"])
    })
  ),

  law("leaks nothing when it is interrupted in the middle of a creation", (service) =>
    Effect.forEach(
      Array.from({ length: 24 }, (_, i) => i / 4),
      (millis) =>
        Effect.gen(function* () {
          const runId = yield* generateRunId
          const running = Effect.scoped(Effect.andThen(service.create(runId, { whole: true }), Effect.never))
          yield* Effect.raceFirst(running, millis === 0 ? Effect.void : pass(millis))
          yield* equal("nothing is active", ids(yield* service.listActive), [])
          const left = yield* Effect.catchTag(service.get(runId), "WorkspaceNotFound", () =>
            Effect.succeed(undefined)
          )
          if (left !== undefined) yield* equal("what is kept is whole", left.config, { whole: true })
        })
    )
  ),

  law("creates a hundred workspaces at once", (service) =>
    Effect.gen(function* () {
      const all = yield* Effect.all(Array.from({ length: 100 }, () => generateRunId))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const made = yield* Effect.forEach(
            all,
            (runId) =>
              Effect.tap(service.create(runId, runId), (workspace) =>
                workspace.write("outputs", "id", runId)
              ),
            { concurrency: "unbounded" }
          )
          for (const each of made) {
            yield* equal("each has its configuration", each.config, each.runId)
            yield* equal("each has its file", yield* each.read("outputs", "id"), each.runId)
          }
          yield* equal("the roots are distinct", new Set(made.map(({ root }) => root)).size, 100)
          yield* equal("all are active, sorted", ids(yield* service.listActive), [...all].sort())
        })
      )
      yield* equal("none is active after", ids(yield* service.listActive), [])
    })
  )
]
