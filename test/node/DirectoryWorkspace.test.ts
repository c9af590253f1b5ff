import { spawnSync } from "node:child_process"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join, relative } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { generateRunId, RunId } from "@switchyard/core/Ids"
import {
  removeAll,
  Suspended,
  type WorkspaceError,
  WorkspaceService
} from "@switchyard/core/WorkspaceService"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "switchyard-test-"))),
  (path) =>
    Effect.promise(() => {
      spawnSync("chmod", ["-R", "u+rwx", path])
      return rm(path, { recursive: true, force: true })
    })
)

const io = <A>(thunk: () => Promise<A>) => Effect.promise(thunk)

const reason = <A, R>(effect: Effect.Effect<A, WorkspaceError, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.strictEqual(error._tag, "WorkspaceError")
    return error.message
  })

const one = RunId.make("one")

/** Runs with the rights of an ordinary user, because permissions do not hold root back. */
const become = (uid: number) =>
  Effect.sync(() => {
    if (process.getuid?.() === 0) process.seteuid?.(uid)
  })
const asOrdinaryUser = Effect.acquireRelease(become(65534), () => become(0))

describe("links", () => {
  it.scoped("are refused where they lead outside, for writing, reading and resolving", () =>
    Effect.gen(function* () {
      const outside = yield* directory
      yield* io(() => writeFile(join(outside, "secret"), "secret"))
      const service = yield* WorkspaceService
      const workspace = yield* service.create(one, null)
      const out = workspace.outputsDir
      yield* workspace.write("reports", "r", "report")
      yield* io(() => symlink(outside, join(out, "dir")))
      yield* io(() => symlink(join(outside, "secret"), join(out, "file")))
      yield* io(() => symlink(join(outside, "missing"), join(out, "dangling")))
      yield* io(() => symlink("../reports/r", join(out, "sibling")))
      yield* io(() => symlink("..", join(out, "up")))
      for (const path of [
        "dir/secret",
        "dir/new/file",
        "file",
        "dangling",
        "dangling/x",
        "sibling",
        "up/x"
      ]) {
        for (const attempt of [
          workspace.write("outputs", path, "evil"),
          workspace.read("outputs", path),
          workspace.resolve("outputs", path)
        ]) {
          assert.strictEqual((yield* Effect.flip(attempt))._tag, "PathOutsideWorkspace", path)
        }
      }
      assert.deepStrictEqual(yield* io(() => readdir(outside)), ["secret"])
      assert.strictEqual(yield* io(() => readFile(join(outside, "secret"), "utf8")), "secret")
      assert.strictEqual(yield* workspace.read("reports", "r"), "report")
      assert.deepStrictEqual(yield* workspace.list("outputs"), [], "links are not listed, nor followed")
    }).pipe(Effect.provide(DirectoryWorkspace.layerTemp()))
  )

  it.scoped("are followed where they stay inside", () =>
    Effect.gen(function* () {
      const workspace = yield* (yield* WorkspaceService).create(one, null)
      yield* workspace.write("outputs", "real/file", "content")
      yield* io(() => symlink("real", join(workspace.outputsDir, "link")))
      assert.strictEqual(yield* workspace.read("outputs", "link/file"), "content")
      yield* workspace.write("outputs", "link/other", "more")
      assert.deepStrictEqual(yield* workspace.list("outputs"), ["real/file", "real/other"])
    }).pipe(Effect.provide(DirectoryWorkspace.layerTemp()))
  )

  it.scoped("are refused in place of a directory of the workspace", () =>
    Effect.gen(function* () {
      const outside = yield* directory
      const workspace = yield* (yield* WorkspaceService).create(one, null)
      yield* io(() => writeFile(join(outside, "x"), "x"))
      yield* io(() => rm(workspace.outputsDir, { recursive: true }))
      yield* io(() => symlink(outside, workspace.outputsDir))
      const written = yield* Effect.flip(workspace.write("outputs", "y", "evil"))
      assert.strictEqual(written._tag, "PathOutsideWorkspace")
      assert.include(yield* reason(workspace.list("outputs")), "outside")
      assert.deepStrictEqual(yield* io(() => readdir(outside)), ["x"])
    }).pipe(Effect.provide(DirectoryWorkspace.layerTemp()))
  )

  it.scoped("in place of a workspace are neither opened nor followed on removal", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const outside = yield* directory
      yield* io(() => writeFile(join(outside, "config.json"), "{}"))
      yield* io(() => symlink(outside, join(root, "run-one")))
      yield* Effect.gen(function* () {
        const service = yield* WorkspaceService
        assert.include(yield* reason(Effect.scoped(service.create(one, null))), "remove the link")
        yield* service.cleanup(one)
      }).pipe(Effect.provide(DirectoryWorkspace.layer({ directory: root })))
      assert.deepStrictEqual(yield* io(() => readdir(outside)), ["config.json"])
      assert.deepStrictEqual(yield* io(() => readdir(root)), [])
    })
  )

  it.scoped("and pipes do not make reading wait for ever", () =>
    Effect.gen(function* () {
      const workspace = yield* (yield* WorkspaceService).create(one, null)
      spawnSync("mkfifo", [join(workspace.outputsDir, "pipe")])
      assert.include((yield* Effect.flip(workspace.read("outputs", "pipe"))).message, "regular file")
    }).pipe(Effect.provide(DirectoryWorkspace.layerTemp()))
  )
})

describe("a directory that cannot be used", () => {
  const opening = (path: string) =>
    reason(Effect.provide(Effect.asVoid(WorkspaceService), DirectoryWorkspace.layer({ directory: path })))

  it.scoped("is a typed error that says what to do", () =>
    Effect.gen(function* () {
      const root = yield* directory
      yield* io(() => writeFile(join(root, "file"), ""))
      const below = yield* opening(join(root, "file", "workspaces"))
      assert.include(below, join(root, "file", "workspaces"))
      assert.include(below, "a part of the path is a file where a directory has to be (ENOTDIR)")
      assert.include(yield* opening(join(root, "file")), "something else is there already (EEXIST)")
      assert.include(yield* opening(""), "no directory is named")
      assert.include(yield* opening("/proc/switchyard"), "Cannot open /proc/switchyard")
    })
  )

  it.scoped("without permission, too", () =>
    Effect.gen(function* () {
      const root = yield* directory
      yield* io(() => chmod(root, 0o555))
      const said = yield* Effect.scoped(Effect.andThen(asOrdinaryUser, opening(root)))
      assert.include(said, "permission is denied; give this user the right to read and write there (EACCES)")
    })
  )

  it.scoped("that becomes unwritable later fails the creation and leaves nothing", () =>
    Effect.gen(function* () {
      const root = yield* directory
      yield* io(() => chmod(root, 0o777))
      yield* Effect.gen(function* () {
        const service = yield* WorkspaceService
        yield* io(() => chmod(root, 0o555))
        yield* asOrdinaryUser
        assert.include(yield* reason(service.create(one, null)), "EACCES")
        assert.deepStrictEqual(yield* service.listActive, [])
      }).pipe(Effect.scoped, Effect.provide(DirectoryWorkspace.layer({ directory: root })))
      assert.deepStrictEqual(yield* io(() => readdir(root)), [])
    })
  )

  it.scoped("is resolved once, wherever the process goes later", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const before = process.cwd()
      yield* Effect.gen(function* () {
        const service = yield* WorkspaceService
        const create = Effect.scoped(service.create(one, null))
        const { root: made } = yield* Effect.acquireUseRelease(
          Effect.sync(() => process.chdir("/")),
          () => create,
          () => Effect.sync(() => process.chdir(before))
        )
        assert.strictEqual(made, join(root, "inner", "run-one"))
      }).pipe(Effect.provide(DirectoryWorkspace.layer({ directory: relative(before, join(root, "inner")) })))
    })
  )
})

describe("what a crash left", () => {
  it.scoped("is swept when the layer starts, what belongs to a living process is not", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const dead = spawnSync("true").pid
      const random = "0123456789abcdef"
      const own = (yield* io(() => readFile("/proc/self/stat", "latin1"))).split(") ")[1]?.split(" ")[19]
      const names = [
        `.new-${dead}-1-${random}-a`,
        `.gone-${dead}-1-${random}-b.c-d`,
        `.new-${process.pid}-1-${random}-reused-pid`,
        `.new-${process.pid}-${own}-${random}-ours`,
        ".new-somebody-else",
        ".hidden"
      ]
      for (const name of names) yield* io(() => mkdir(join(root, name, "state"), { recursive: true }))
      yield* Effect.provide(Effect.asVoid(WorkspaceService), DirectoryWorkspace.layer({ directory: root }))
      assert.deepStrictEqual((yield* io(() => readdir(root))).sort(), names.slice(3).sort())
    })
  )

  it.scoped("while a file was written is not listed", () =>
    Effect.gen(function* () {
      const workspace = yield* (yield* WorkspaceService).create(one, null)
      yield* io(() => writeFile(join(workspace.outputsDir, ".new-1-1-0123456789abcdef"), "half"))
      yield* workspace.write("outputs", "whole", "1")
      assert.deepStrictEqual(yield* workspace.list("outputs"), ["whole"])
      assert.deepStrictEqual(
        (yield* io(() => readdir(workspace.outputsDir))).sort(),
        [".new-1-1-0123456789abcdef", "whole"],
        "writing leaves no other file"
      )
    }).pipe(Effect.provide(DirectoryWorkspace.layerTemp()))
  )
})

describe("what a crash left half written", () => {
  it.scoped(
    "goes when the workspace is opened again, what is being written and what a link leads to stays",
    () =>
      Effect.gen(function* () {
        const root = yield* directory
        const elsewhere = yield* directory
        const session = <A, E>(
          use: (service: WorkspaceService["Type"]) => Effect.Effect<A, E, Scope.Scope>
        ) =>
          Effect.provide(
            Effect.scoped(Effect.flatMap(WorkspaceService, use)),
            DirectoryWorkspace.layer({ directory: root })
          )
        const outputs = yield* session((service) =>
          Effect.map(service.create(one, null), ({ outputsDir }) => outputsDir)
        )
        const random = "0123456789abcdef"
        const own = (yield* io(() => readFile("/proc/self/stat", "latin1"))).split(") ")[1]?.split(" ")[19]
        const dead = `.new-${spawnSync("true").pid}-1-${random}`
        const ours = `.new-${process.pid}-${own}-${random}`
        yield* io(() => mkdir(join(outputs, "deep"), { recursive: true }))
        for (const name of [dead, ours, "whole"]) yield* io(() => writeFile(join(outputs, "deep", name), ""))
        yield* io(() => writeFile(join(elsewhere, dead), ""))
        yield* io(() => symlink(elsewhere, join(outputs, "linked")))
        yield* session((service) => service.create(one, null))
        assert.deepStrictEqual((yield* io(() => readdir(join(outputs, "deep")))).sort(), [ours, "whole"])
        assert.deepStrictEqual(yield* io(() => readdir(elsewhere)), [dead])
      })
  )
})

describe("a restart", () => {
  const session = <A, E>(root: string, use: (service: WorkspaceService["Type"]) => Effect.Effect<A, E>) =>
    Effect.provide(Effect.flatMap(WorkspaceService, use), DirectoryWorkspace.layer({ directory: root }))

  it.scoped("finds kept and suspended workspaces with their configuration", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const two = RunId.make("two")
      yield* session(root, (service) =>
        Effect.gen(function* () {
          yield* Effect.scoped(
            Effect.flatMap(service.create(one, { n: 1 }), (each) => each.write("reports", "r", "kept"))
          )
          const suspended = Effect.scoped(
            Effect.gen(function* () {
              yield* (yield* service.create(two, [2])).write("temp", "t", "kept too")
              return yield* new Suspended()
            })
          )
          yield* Effect.exit(suspended)
        })
      )
      yield* session(root, (service) =>
        Effect.gen(function* () {
          const first = yield* service.get(one)
          assert.deepStrictEqual(first.config, { n: 1 })
          assert.strictEqual(yield* first.read("reports", "r"), "kept")
          const second = yield* service.get(two)
          assert.deepStrictEqual(second.config, [2])
          assert.strictEqual(yield* second.read("temp", "t"), "kept too")
          assert.deepStrictEqual(yield* service.listActive, [])
        })
      )
      assert.deepStrictEqual(
        JSON.parse(yield* io(() => readFile(join(root, "run-one", "config.json"), "utf8"))),
        { n: 1 }
      )
    })
  )

  it.scoped("says which configuration is damaged or missing", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const config = join(root, "run-one", "config.json")
      yield* session(root, (service) => Effect.scoped(service.create(one, { n: 1 })))
      yield* io(() => writeFile(config, '{ "n": '))
      yield* session(root, (service) =>
        Effect.gen(function* () {
          const damaged = Effect.catchTag(service.get(one), "WorkspaceNotFound", Effect.die)
          assert.match(
            yield* reason(damaged),
            /run-one: its config\.json is damaged \(.+\); restore the file/
          )
          assert.include(yield* reason(Effect.scoped(service.create(one, null))), "damaged")
          yield* io(() => rm(config))
          assert.include(yield* reason(damaged), "it has no config.json")
          yield* service.cleanup(one)
          assert.strictEqual((yield* Effect.flip(service.get(one)))._tag, "WorkspaceNotFound")
        })
      )
    })
  )

  it.scoped("after a power failure makes a configuration again that did not reach the disk", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const config = join(root, "run-one", "config.json")
      yield* Effect.gen(function* () {
        const service = yield* WorkspaceService
        yield* Effect.scoped(service.create(one, { a: 1 }))
        for (const content of ["", "\0\0\0"]) {
          yield* io(() => writeFile(config, content))
          const workspace = yield* Effect.scoped(service.create(one, { a: 1 }))
          assert.deepStrictEqual(workspace.config, { a: 1 })
          assert.deepStrictEqual((yield* service.get(one)).config, { a: 1 })
        }
      }).pipe(Effect.provide(DirectoryWorkspace.layer({ directory: root })))
    })
  )

  it.scoped("or a second process agrees about who created a workspace", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const made = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, i) => i),
        (i) =>
          session(root, (service) =>
            Effect.scoped(Effect.map(service.create(one, i), (workspace) => workspace.config))
          ),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(made).size, 1)
      assert.deepStrictEqual(yield* io(() => readdir(root)), ["run-one"])
    })
  )
})

describe("removal", () => {
  it.scoped("copes with read-only directories and deep trees", () =>
    Effect.gen(function* () {
      const root = yield* directory
      yield* io(() => chmod(root, 0o777))
      yield* Effect.gen(function* () {
        yield* asOrdinaryUser
        const service = yield* WorkspaceService
        const { outputsDir, tempDir } = yield* service.create(one, null)
        for (const base of [outputsDir, tempDir]) {
          yield* io(() => mkdir(join(base, "a", "b", "c"), { recursive: true }))
          yield* io(() => writeFile(join(base, "a", "b", "file"), ""))
          yield* io(() => chmod(join(base, "a", "b"), 0o000))
          yield* io(() => chmod(join(base, "a"), 0o555))
          yield* io(() => chmod(base, 0o500))
        }
      }).pipe(
        Effect.scoped,
        Effect.provide(DirectoryWorkspace.layer({ directory: root, retention: removeAll }))
      )
      assert.deepStrictEqual(yield* io(() => readdir(root)), [])
    })
  )

  it.scoped("of temp copes with a read-only one", () =>
    Effect.gen(function* () {
      const root = yield* directory
      yield* io(() => chmod(root, 0o777))
      yield* Effect.gen(function* () {
        yield* asOrdinaryUser
        const { tempDir } = yield* (yield* WorkspaceService).create(one, null)
        yield* io(() => writeFile(join(tempDir, "file"), ""))
        yield* io(() => chmod(tempDir, 0o500))
      }).pipe(Effect.scoped, Effect.provide(DirectoryWorkspace.layer({ directory: root })))
      assert.deepStrictEqual(yield* io(() => readdir(root)), ["run-one"])
      assert.deepStrictEqual((yield* io(() => readdir(join(root, "run-one")))).sort(), [
        "config.json",
        "outputs",
        "reports",
        "state"
      ])
    })
  )

  it.scopedLive("leaves no name behind when creations are interrupted at any instant", () =>
    Effect.gen(function* () {
      const root = yield* directory
      yield* Effect.gen(function* () {
        const service = yield* WorkspaceService
        for (let i = 0; i < 60; i++) {
          const runId = yield* generateRunId
          const running = Effect.scoped(Effect.andThen(service.create(runId, { i }), Effect.never))
          yield* Effect.timeoutOption(running, `${i * 100} micros`)
        }
        assert.deepStrictEqual(yield* service.listActive, [])
      }).pipe(Effect.provide(DirectoryWorkspace.layer({ directory: root, retention: removeAll })))
      assert.deepStrictEqual(yield* io(() => readdir(root)), [])
    })
  )

  it.scoped("is not undone by what is written at the same time", () =>
    Effect.gen(function* () {
      const root = yield* directory
      yield* Effect.gen(function* () {
        const service = yield* WorkspaceService
        for (let i = 0; i < 40; i++) {
          const workspace = yield* service.create(one, null)
          const writes = Array.from({ length: 6 }, (_, j) =>
            Effect.ignore(workspace.write("temp", `a${j}/b/c`, "late"))
          )
          const turns = Array.from({ length: i % 10 })
          const later = Effect.forEach(turns, () => io(() => new Promise((resolve) => setImmediate(resolve))))
          const cleanup = Effect.andThen(later, service.cleanup(one))
          yield* Effect.all([...writes, cleanup], { concurrency: "unbounded" })
          assert.deepStrictEqual(yield* io(() => readdir(root)), [])
        }
      }).pipe(Effect.scoped, Effect.provide(DirectoryWorkspace.layer({ directory: root })))
    })
  )

  it.scoped("of the temporary layer removes its directory", () =>
    Effect.gen(function* () {
      const root = yield* Effect.scoped(
        Effect.gen(function* () {
          const workspace = yield* (yield* WorkspaceService).create(one, null)
          assert.isTrue((yield* io(() => stat(workspace.root))).isDirectory())
          return workspace.root
        })
      ).pipe(Effect.provide(DirectoryWorkspace.layerTemp()))
      assert.strictEqual(basename(root), "run-one")
      const left = yield* io(() => stat(join(root, "..")).catch(() => undefined))
      assert.isUndefined(left)
    })
  )
})
