import { readFile } from "node:fs/promises"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import type { JavaProject } from "../src/java/JavaProject.js"
import {
  type CompiledProject,
  compiled,
  expectedOutput,
  hasJava,
  programsIn,
  projectOf
} from "./JavaFixture.js"

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const withoutJava = hasJava ? "" : " (skipped: no JDK on the PATH)"

describe("the Java classes of the sample", () => {
  let project: JavaProject
  let build: CompiledProject | undefined

  beforeAll(async () => {
    project = await projectOf("../sample/src/")
    if (hasJava) build = await compiled(project)
  })

  afterAll(() => build?.remove())

  it("covers every program and counts every statement once", () => {
    expect(project.classes.map(({ className }) => className).sort()).toEqual([
      "Acctinq",
      "Acctmenu",
      "Acctpost",
      "Currconv",
      "Custmnt",
      "Dateutil",
      "Errhand",
      "Fraudchk",
      "Intcalc",
      "Loanamrt",
      "Nightdrv",
      "Rateupd",
      "Sorttrn",
      "Stmtprt"
    ])
    for (const { statistics } of project.classes) {
      expect(statistics.translated + statistics.todo).toBe(statistics.statements)
      expect(statistics.todoLines).toHaveLength(statistics.todo)
    }
    expect(project.statements).toBeGreaterThan(500)
    expect(project.translated / project.statements).toBeGreaterThan(0.85)
  })

  it("marks what it leaves with file, line and original text", () => {
    const update = project.classes.find(({ className }) => className === "Rateupd")
    const marked = update?.source.split("\n").filter((line) => line.includes("TODO(cobol)")) ?? []
    expect(marked).toHaveLength(update?.statistics.todo ?? -1)
    expect(
      marked.some((line) => /RATEUPD\.cbl:\d+: .*UPDATE PRODUCT SET RATE = :HV-NEW-RATE/.test(line))
    ).toBe(true)
  })

  it("is plain data", () => {
    expect(JSON.parse(JSON.stringify(project))).toEqual(project)
  })

  it.skipIf(!hasJava)(`compiles without an error${withoutJava}`, () => {
    expect(build?.result).toMatchObject({ available: true, ok: true, diagnostics: [] })
  })

  it.skipIf(!hasJava)(`prints the plan that COBOL prints${withoutJava}`, async () => {
    expect(await build?.run("Loanamrt")).toBe(await expectedOutput("LOANAMRT"))
  })

  it.skipIf(!hasJava)(`stops loudly at a statement without a Java form${withoutJava}`, async () => {
    expect(await build?.run("Custmnt")).toBe("exit 1\n")
  })
})

describe.skipIf(!hasJava)(`called services${withoutJava}`, () => {
  it("give their callers what they give under COBOL", async () => {
    const path = new URL("./java-programs/SERVICES.cbl", import.meta.url)
    const caller = programsIn("SERVICES.cbl", await readFile(path, "utf8"))
    const build = await compiled(await projectOf("../sample/src/", caller))
    const printed = await build.run("Services")
    await build.remove()
    expect(printed).toBe(await expectedOutput("SERVICES"))
  })
})
