import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { compileJava, findJavaTool } from "../src/java/Javac.js"
import { hasJava } from "./JavaFixture.js"

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const withoutJava = hasJava ? "" : " (skipped: no JDK on the PATH)"

let root = ""

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "javac test "))
  await mkdir(join(root, "source"))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true, force: true })
})

const directories = () => ({ sourceDirectory: join(root, "source"), targetDirectory: join(root, "classes") })

describe("without a compiler", () => {
  it("says so in the result", async () => {
    vi.stubEnv("PATH", join(root, "nowhere"))
    vi.stubEnv("JAVA_HOME", "")
    expect(await findJavaTool("javac")).toBeUndefined()
    expect(await compileJava(directories())).toEqual({
      available: false,
      reason: "There is no javac in JAVA_HOME or on the PATH."
    })
  })
})

describe.skipIf(!hasJava)(`with a compiler${withoutJava}`, () => {
  it("lists the class files", async () => {
    await mkdir(join(root, "source", "a"))
    await writeFile(join(root, "source", "a", "Good.java"), "package a; class Good { static class Inner {} }")
    expect(await compileJava(directories())).toEqual({
      available: true,
      ok: true,
      diagnostics: [],
      classes: [join("a", "Good$Inner.class"), join("a", "Good.class")]
    })
  })

  it("reports every error with file and line", async () => {
    await writeFile(join(root, "source", "Bad.java"), "class Bad {\n  int x = nothing;\n  String y = 5;\n}\n")
    const result = await compileJava(directories())
    expect(result).toMatchObject({
      ok: false,
      diagnostics: [
        { file: "Bad.java", line: 2, message: "cannot find symbol" },
        { file: "Bad.java", line: 3 }
      ],
      classes: []
    })
  })

  it("can be interrupted", async () => {
    await writeFile(join(root, "source", "Good.java"), "class Good {}")
    const controller = new AbortController()
    const reason = new Error("enough")
    const running = compileJava({ ...directories(), signal: controller.signal })
    setTimeout(() => controller.abort(reason), 50)
    await expect(running).rejects.toBe(reason)
    await expect(compileJava({ ...directories(), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it("gives up after its time", async () => {
    await writeFile(join(root, "source", "Good.java"), "class Good {}")
    await expect(compileJava({ ...directories(), timeoutMillis: 1 })).rejects.toMatchObject({
      name: "TimeoutError"
    })
  })
})
