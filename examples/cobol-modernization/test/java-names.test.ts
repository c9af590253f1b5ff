import { describe, expect, it, vi } from "vitest"
import type { Paragraph, Program } from "../src/cobol/Ast.js"
import type { DataItem } from "../src/cobol/DataItem.js"
import type { Condition, Expression, Reference } from "../src/cobol/Expression.js"
import type { PerformLoop, Statement } from "../src/cobol/Statement.js"
import { javaClass } from "../src/java/JavaClass.js"
import { camelCase, NameScope, programClassName, runtimeMemberNames } from "../src/java/JavaName.js"
import { javaProject } from "../src/java/JavaProject.js"
import { commentText, javaString } from "../src/java/JavaText.js"
import { compiled, hasJava } from "./JavaFixture.js"

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const withoutJava = hasJava ? "" : " (skipped: no JDK on the PATH)"
const at = { file: "ODD.cbl", line: 7 }

const oddNames = [
  ..."abstract boolean byte case catch class const default do double else enum final float for goto if int".split(
    " "
  ),
  ..."interface long native new null package private return short static super switch this throw true try".split(
    " "
  ),
  ..."void volatile while var record yield string integer object math system override big-decimal group".split(
    " "
  ),
  ...runtimeMemberNames.map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter}`)),
  ..."1000 1ST-NAME A--B A-B AB ab P P-1 PIC N-1 1 FILLER FILLER main run out i index-".split(" "),
  "THIRTY-CHARACTERS-LONG-NAME-X1",
  "THIRTY-CHARACTERS-LONG-NAME-X2",
  "RETURN-CODE",
  "KÜNDE",
  "顧客",
  ""
]

const item = (name: string, more: Partial<DataItem>): DataItem => ({
  level: 5,
  name,
  at,
  usage: "DISPLAY",
  justified: false,
  blankWhenZero: false,
  synchronized: false,
  external: false,
  global: false,
  offset: 0,
  size: 3,
  totalSize: 3,
  conditions: [{ name: `IS-${name}`, at, values: [{ from: { _tag: "Figurative", name: "ZERO" } }] }],
  renames: [],
  children: [],
  ...more
})

const text = (name: string): DataItem =>
  item(name, {
    picture: { text: "X(3)", category: "alphanumeric", digits: 0, scale: 0, signed: false, length: 3 }
  })

const number = (name: string, occurs?: number): DataItem =>
  item(name, {
    picture: { text: "S9(3)V99", category: "numeric", digits: 5, scale: 2, signed: true, length: 5 },
    usage: "COMP-3",
    ...(occurs === undefined
      ? {}
      : { occurs: { min: occurs, max: occurs, indexedBy: [`${name}-IX`], keys: [] } })
  })

const reference = (name: string, qualifiers: readonly string[] = []): Reference => ({
  _tag: "Reference",
  name,
  qualifiers,
  subscripts: []
})

const program = (
  name: string,
  data: readonly DataItem[],
  paragraphs: readonly Paragraph[],
  sections: readonly string[] = ["MAIN", "OTHER"]
): Program => ({
  _tag: "Program",
  name,
  path: "ODD.cbl",
  at,
  endLine: 9,
  isInitial: false,
  identification: [],
  configuration: { decimalPointIsComma: false, classes: [], specialNames: [] },
  fileControl: [],
  data: { files: [], workingStorage: data, localStorage: [], linkage: [], embedded: [] },
  procedure: {
    at,
    using: [],
    sections: sections.map((section) => ({ name: section, at, declarative: false, paragraphs }))
  },
  copies: [],
  nested: []
})

const paragraph = (name: string, statements: readonly Statement[]): Paragraph => ({
  name,
  at,
  endLine: 8,
  sentences: [{ at, statements }]
})

const oddProgram = (): Program => {
  const flat = oddNames.flatMap((name) => [text(name), number(name)])
  const groups = oddNames.map((name) =>
    item(name, { level: 1, children: [text(name), number(name, 3), text("SAME"), number("SAME")] })
  )
  const redefining = oddNames.slice(0, 30).map((name) => ({ ...number(name, 2), redefines: name }))
  const paragraphs = oddNames.map((name) =>
    paragraph(name, [
      { _tag: "Move", at, source: reference(name, [name]), targets: [reference(name)], corresponding: false },
      { _tag: "Perform", at, procedure: { name, section: "OTHER" }, loop: { _tag: "Once" } },
      { _tag: "Unknown", at, verb: "ODD", text: "odd */ text \\u000a } \\u0022 /* \u0007\n next \\" }
    ])
  )
  return program("STRING", [...flat, ...groups, ...redefining], paragraphs)
}

const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const controlFlow = (seed: number): Program => {
  const next = random(seed)
  const pick = <T>(...choices: readonly (() => T)[]): T => {
    const chosen = choices[Math.floor(next() * choices.length)]
    if (chosen === undefined) throw new Error("nothing to pick from")
    return chosen()
  }
  const one: Expression = { _tag: "Number", text: "1" }
  const condition: Condition = { _tag: "Relation", operator: "=", left: one, right: one }
  const leaf = (): Statement =>
    pick<Statement>(
      () => ({ _tag: "GoTo", at, targets: [{ name: "P-1" }] }),
      () => ({ _tag: "Stop", at, run: true }),
      () => ({ _tag: "Goback", at }),
      () => ({ _tag: "NextSentence", at }),
      () => ({ _tag: "Continue", at }),
      () => ({
        _tag: "Exit",
        at,
        of: pick(
          () => "PERFORM" as const,
          () => "PERFORM CYCLE" as const
        )
      }),
      () => ({
        _tag: "Exit",
        at,
        of: pick(
          () => "PARAGRAPH" as const,
          () => "SECTION" as const
        )
      }),
      () => ({ _tag: "Display", at, operands: [one], noAdvancing: false }),
      () => ({ _tag: "Set", at, assignments: [{ _tag: "Up", targets: [reference("T-IX")], by: one }] })
    )
  const list = (depth: number): readonly Statement[] =>
    Array.from({ length: 1 + Math.floor(next() * 3) }, () => (depth === 0 ? leaf() : statement(depth - 1)))
  const maybe = (depth: number): readonly Statement[] => (next() < 0.4 ? [] : list(depth))
  const variable = { variable: reference("N"), from: one, by: one, until: condition }
  const statement = (depth: number): Statement =>
    pick<Statement>(
      leaf,
      () => ({
        _tag: "If",
        at,
        condition,
        // biome-ignore lint/suspicious/noThenProperty: the tree calls the branch so.
        then: maybe(depth),
        otherwise: maybe(depth)
      }),
      () => ({
        _tag: "Evaluate",
        at,
        subjects: [{ _tag: "True" }],
        branches: [{ at, whens: [[{ _tag: "Condition", condition }]], body: maybe(depth) }],
        otherwise: maybe(depth)
      }),
      () => ({
        _tag: "PerformInline",
        at,
        body: list(depth),
        loop: pick<PerformLoop>(
          () => ({ _tag: "Once" }),
          () => ({ _tag: "Forever" }),
          () => ({ _tag: "Times", count: one }),
          () => ({ _tag: "Until", condition, testAfter: next() < 0.5 }),
          () => ({ _tag: "Varying", variables: [variable, variable], testAfter: next() < 0.5 })
        )
      }),
      () => ({
        _tag: "Search",
        at,
        table: reference("T"),
        all: next() < 0.5,
        atEnd: maybe(depth),
        whens: [{ condition, body: list(depth) }]
      }),
      () => ({
        _tag: "Compute",
        at,
        expression: { _tag: "Binary", operator: "/", left: one, right: one },
        targets: [{ reference: reference("N"), rounded: true }],
        onSizeError: maybe(depth),
        notOnSizeError: maybe(depth)
      }),
      () => ({
        _tag: "Call",
        at,
        program: reference("X"),
        using: [],
        onException: maybe(depth),
        notOnException: list(depth)
      })
    )
  const paragraphs = Array.from({ length: 12 }, (_, place) => ({
    ...paragraph(`P-${place}`, []),
    sentences: [
      { at, statements: list(3) },
      { at, statements: list(3) }
    ]
  }))
  return program(
    `FLOW-${seed}`,
    [number("N"), text("X"), item("TT", { children: [number("T", 5)] })],
    paragraphs
  )
}

describe("Java names", () => {
  it("are never keywords and never start with a digit", () => {
    expect(["CLASS", "1ST", "NEW", "WS-COUNT", "--", "KÜNDE"].map((name) => camelCase(name))).toEqual([
      "classItem",
      "n1st",
      "newItem",
      "wsCount",
      "item",
      "kunde"
    ])
    expect(programClassName("STRING")).toBe("StringProgram")
    expect(programClassName("1-A")).toBe("P1A")
  })

  it("differ even where case does not count", () => {
    const scope = new NameScope(["run"])
    expect(["run", "Run", "aB", "ab"].map((name) => scope.claim(name))).toEqual(["run2", "Run3", "aB", "ab2"])
  })
})

describe("foreign text in Java", () => {
  it("cannot end a comment or form an escape", () => {
    expect(commentText("a */ b \\u002a/ /* c\nd\u0000e")).toBe("a * / b \\ u002a/ / * c d e")
    expect(javaString('"\\u0022\n\u00e9\u0001')).toBe('"\\"\\\\u0022\\n\\u00e9\\001"')
  })
})

describe.skipIf(!hasJava)(`generated classes for odd programs${withoutJava}`, () => {
  it("compile whatever names the program uses", async () => {
    const build = await compiled(javaProject([oddProgram()], { packageName: "odd" }))
    await build.remove()
    expect(build.result).toMatchObject({ ok: true, diagnostics: [] })
  })

  it("compile whatever control flow the program has", async () => {
    const programs = Array.from({ length: 3 }, (_, seed) => controlFlow(seed + 1))
    const build = await compiled(javaProject(programs, { packageName: "flow" }))
    await build.remove()
    expect(build.result).toMatchObject({ ok: true, diagnostics: [] })
  })
})

it.skipIf(!hasJava)(`a paragraph of any length compiles and runs${withoutJava}`, async () => {
  const counter = item("N", {
    picture: { text: "9(5)", category: "numeric", digits: 5, scale: 0, signed: false, length: 5 },
    value: { _tag: "Number", text: "0" }
  })
  const one = { _tag: "Number", text: "1" } as const
  const target = { reference: reference("N"), rounded: false }
  const add: Statement = {
    _tag: "Add",
    at,
    operands: [one],
    targets: [target],
    giving: false,
    corresponding: false,
    onSizeError: [],
    notOnSizeError: []
  }
  const statements: readonly Statement[] = [
    ...Array.from({ length: 4000 }, () => add),
    { _tag: "Display", at, operands: [reference("N")], noAdvancing: false },
    { _tag: "Stop", at, run: true },
    add
  ]
  const build = await compiled(
    javaProject([program("LONG", [counter], [paragraph("P", statements)], ["MAIN"])], { packageName: "odd" })
  )
  const printed = await build.run("LongProgram")
  await build.remove()
  expect(printed).toBe("04000\n")
})

it("a program without a procedure division is a class without statements", () => {
  const { procedure: _none, ...data } = program("EMPTY", [text("A")], [])
  const { statistics, className } = javaClass(data, { packageName: "odd" })
  expect({ className, statistics }).toEqual({
    className: "Empty",
    statistics: { statements: 0, translated: 0, todo: 0, todoLines: [] }
  })
})
