import { describe, expect, it } from "@effect/vitest"
import type * as Run from "@switchyard/core/Run"
import type * as Workflow from "@switchyard/core/Workflow"
import * as WorkflowDiagram from "@switchyard/core/WorkflowDiagram"
import { type AttributeASTNode, type DotASTNode, type NodeRefASTNode, parse } from "@ts-graphviz/ast"
import * as fc from "fast-check"

/** Texts that mean something to Mermaid, Markdown, HTML or Graphviz. */
const nasty = fc.oneof(
  { arbitrary: fc.fullUnicodeString({ minLength: 1, maxLength: 20 }), weight: 2 },
  { arbitrary: fc.string({ minLength: 1, maxLength: 20 }), weight: 2 },
  {
    arbitrary: fc
      .array(
        fc.constantFrom(
          ..."\"'`#;:&<>[](){}|\\/%*_-~.!=@^$+?\n\r\t ",
          "end",
          "style a:#b;",
          "classDef",
          "#34;",
          "&quot;",
          "<br/>",
          "-->",
          "%%{init: {}}%%",
          "www.a.b",
          "1. ",
          "ﬂ°°34¶ß",
          "\\n",
          "\\N",
          "é",
          "日本",
          "🎉",
          "\u2028",
          "a"
        ),
        { minLength: 1, maxLength: 12 }
      )
      .map((parts) => parts.join("")),
    weight: 5
  }
)

const reserved = [
  "end",
  "graph",
  "class",
  "default",
  "subgraph",
  "style",
  "click",
  "node",
  "edge",
  "digraph",
  "x",
  "o",
  "a--b",
  "a.b",
  "a_b",
  "a_2d_b",
  "a-b"
]

/** Ids as they may be, and now and then as they may not. */
const ids = fc.uniqueArray(
  fc.oneof(
    { arbitrary: fc.constantFrom(...reserved), weight: 4 },
    { arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,12}$/), weight: 4 },
    { arbitrary: nasty.map(shown).filter((id) => id !== ""), weight: 1 }
  ),
  { minLength: 1, maxLength: 8 }
)

/** What is left of a short text, said in another way than the code says it. */
function shown(text: string): string {
  const joined = text.split(/\s+/u).join(" ").trim()
  const isShown = (character: string) =>
    !/[\p{Cc}\p{Cs}]/u.test(character) &&
    !"\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\uFFFE\uFFFF".includes(character)
  const characters = [...joined].map((character) => (isShown(character) ? character : "\uFFFD"))
  return characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : characters.join("")
}

const all: ReadonlyArray<Run.StepStatus> = [
  "Pending",
  "Running",
  "Waiting",
  "Succeeded",
  "Failed",
  "Skipped",
  "Cancelled"
]

/** Kinds of work, each with what a text becomes in it, and in its picture. */
const works = [
  { given: (text: string) => ({ skill: text }), said: (text: string) => `skill ${text}` },
  { given: (text: string) => ({ agent: text }), said: (text: string) => `agent ${text}` },
  { given: (text: string) => ({ map: { over: text, value: 0 } }), said: (text: string) => `map ${text}` },
  {
    given: (text: string) => ({ approval: { approvers: [text] } }),
    said: (text: string) => `approval by ${text}`
  },
  {
    given: (text: string) => ({ wait: { signal: text } }),
    said: (text: string) => `wait for the signal ${text}`
  }
]

interface Drawn {
  readonly definition: Workflow.Definition
  readonly state: ReadonlyMap<string, Run.StepStatus>
  /** The lines of each step. */
  readonly lines: ReadonlyArray<ReadonlyArray<string>>
  /** The edges by the positions of steps. */
  readonly edges: ReadonlyArray<readonly [number, number]>
}

const drawn: fc.Arbitrary<Drawn> = ids.chain((names) =>
  fc
    .tuple(
      ...names.map((_, index) =>
        fc.record({
          text: nasty,
          kind: fc.constantFrom(...works),
          when: fc.option(nasty, { nil: undefined }),
          forEach: fc.option(nasty, { nil: undefined }),
          after: index === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat(index - 1), { maxLength: 3 }),
          status: fc.option(fc.constantFrom(...all), { nil: undefined })
        })
      )
    )
    .map((steps): Drawn => {
      return {
        definition: {
          name: steps[0]?.text ?? "",
          steps: steps.map(({ after, forEach, kind, text, when }, index) => ({
            id: names[index],
            ...kind.given(text),
            after: after.map((at) => names[at]),
            ...(when === undefined ? {} : { when }),
            ...(forEach === undefined ? {} : { forEach })
          }))
        } as unknown as Workflow.Definition,
        state: new Map(
          steps.flatMap(({ status }, index) => (status === undefined ? [] : [[names[index] ?? "", status]]))
        ),
        lines: steps.map(({ forEach, kind, status, text, when }, index) => [
          names[index] ?? "",
          ...(status === undefined ? [] : [expect.stringMatching(new RegExp(`^[^\\w\\s] ${status}$`, "u"))]),
          shown(kind.said(text)),
          ...(forEach === undefined ? [] : [shown(`for each of ${forEach}`)]),
          ...(when === undefined ? [] : [shown(`when ${when}`)])
        ]),
        edges: steps.flatMap(({ after }, to) => after.map((from) => [from, to] as const))
      }
    })
)

const brackets = [
  ["[", "]"],
  ["[/", "/]"],
  ["[\\", "/]"],
  ["{{", "}}"],
  ["([", "])"]
] as const

/** Reads the part of Mermaid that is printed, and nothing else; every text may only have signs that have no meaning. */
const readMermaid = (text: string) => {
  const [first, ...rest] = text.split("\n")
  expect(first).toMatch(/^flowchart (TB|LR)$/)
  expect(rest.pop()).toBe("")
  const nodes = new Map<string, ReadonlyArray<string>>()
  const edges: Array<readonly [string, string]> = []
  const classes = new Map<string, string>()
  for (const line of rest) {
    const node = /^ {2}(s_[A-Za-z0-9_]+)([^\w"]+)"([^"]+)"([^\w"]+)$/u.exec(line)
    const edge = /^ {2}(s_[A-Za-z0-9_]+) (?:-->|-\.->) (s_[A-Za-z0-9_]+)$/.exec(line)
    const styled = /^ {2}class (s_[A-Za-z0-9_,]+) ([a-z]+)$/.exec(line)
    if (node !== null) {
      const [, id = "", open, label = "", close] = node
      expect(brackets).toContainEqual([open, close])
      expect(nodes.has(id), `${id} is there twice`).toBe(false)
      const bare = label
        .replaceAll("<br/>", "\n")
        .replaceAll("#64258;", "fl")
        .replace(/#\d+;/g, "")
        .replace(/(?<=\p{L})[._-](?=\p{L})/gu, "")
      expect(bare).not.toMatch(/[!-+\-./:-@[-`{-~ﬂ¶\r\t]/u)
      expect(label).not.toMatch(/www\./i)
      nodes.set(
        id,
        label
          .split("<br/>")
          .map((each) => each.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))))
      )
    } else if (edge !== null) edges.push([edge[1] ?? "", edge[2] ?? ""])
    else if (styled !== null) {
      for (const id of (styled[1] ?? "").split(",")) classes.set(id, styled[2] ?? "")
    } else
      expect(line).toMatch(
        /^ {2}classDef [a-z]+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#[0-9a-f]{6}(,stroke-dasharray:4 3)?$/
      )
  }
  return { nodes, edges, classes }
}

const attributes = (children: ReadonlyArray<{ readonly type: string }>): ReadonlyMap<string, string> =>
  new Map(
    children
      .filter((each): each is AttributeASTNode => each.type === "Attribute")
      .map(({ key, value }) => [key.value, value.value])
  )

/** Undoes what Graphviz undoes in a label: backslashes and the one code of a character that is printed. */
const readLabel = (label: string): ReadonlyArray<string> =>
  label
    .replace(/\\(.)/gsu, (_, sign) => (sign === "n" ? "\u0000" : sign))
    .replace(/&(\w+|#\d+);/g, (code) => {
      expect(code).toBe("&amp;")
      return "&"
    })
    .split("\u0000")

describe("pictures of workflows", () => {
  it("survive every text in Mermaid, and mean what was drawn", () =>
    fc.assert(
      fc.property(drawn, ({ definition, edges, lines, state }) => {
        const text = WorkflowDiagram.toMermaid(definition, { state })
        const read = readMermaid(text)
        expect([...read.nodes.values()]).toEqual(lines)
        const names = [...read.nodes.keys()]
        expect(read.edges).toEqual(edges.map(([from, to]) => [names[from], names[to]]))
        for (const [index, { id }] of definition.steps.entries())
          expect(read.classes.get(names[index] ?? "")).toBe(state.get(id)?.toLowerCase())
        expect(WorkflowDiagram.toMermaid(structuredClone(definition), { state })).toBe(text)
      }),
      { numRuns: 2_000 }
    ))

  it("survive every text in DOT, read by a parser of its own", () =>
    fc.assert(
      fc.property(drawn, ({ definition, edges, lines, state }) => {
        const document: DotASTNode = parse(WorkflowDiagram.toDot(definition, { state }))
        const graph = document.children.find((each) => each.type === "Graph")
        expect(graph?.directed).toBe(true)
        const names: Array<string> = []
        const labels: Array<ReadonlyArray<string>> = []
        const found: Array<readonly [number, number]> = []
        const at = (node: NodeRefASTNode | { readonly type: "NodeRefGroup" }) =>
          node.type === "NodeRef" ? names.indexOf(node.id.value) : -1
        for (const each of graph?.children ?? []) {
          if (each.type === "Node") {
            names.push(each.id.value)
            labels.push(readLabel(attributes(each.children).get("label") ?? ""))
          } else if (each.type === "Edge") found.push([at(each.targets[0]), at(each.targets[1])])
          else expect(["Attribute", "AttributeList"]).toContain(each.type)
        }
        expect(new Set(names).size).toBe(definition.steps.length)
        expect(labels).toEqual(lines)
        expect(found).toEqual(edges)
      }),
      { numRuns: 2_000 }
    ))
})
