import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { type CompiledProject, compiled, expectedOutput, hasJava, projectOf } from "./JavaFixture.js"

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const withoutJava = hasJava ? "" : " (skipped: no JDK on the PATH)"

describe.skipIf(!hasJava)(`generated classes against the output of a COBOL compiler${withoutJava}`, () => {
  let build: CompiledProject | undefined

  beforeAll(async () => {
    build = await compiled(await projectOf("./java-programs/"))
  })

  afterAll(() => build?.remove())

  it("compile", () => {
    expect(build?.result).toMatchObject({ ok: true, diagnostics: [] })
  })

  it.each([
    ["Flow", "GO TO, fall-through, PERFORM THRU, sections, NEXT SENTENCE, GO TO DEPENDING"],
    ["Loops", "PERFORM in all forms, tables, SEARCH"],
    ["Nums", "truncation, ROUNDED, SIZE ERROR, REMAINDER, edited pictures"],
    ["Caller", "CALL by fixed and variable name, by reference and content, CANCEL, STOP RUN below"],
    ["Comma", "DECIMAL-POINT IS COMMA"],
    ["Misc", "defaults, signs, REDEFINES in tables, abbreviated conditions, RETURN-CODE"],
    ["Datas", "groups, REDEFINES, RENAMES, level 88, STRING, UNSTRING, INSPECT, INITIALIZE, EVALUATE"]
  ])("%s: %s", async (className) => {
    expect(await build?.run(className)).toBe(await expectedOutput(className.toUpperCase()))
  })
})
