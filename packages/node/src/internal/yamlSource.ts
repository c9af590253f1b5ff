import {
  Composer,
  type Document,
  isAlias,
  isScalar,
  type Node,
  Parser,
  type Scalar,
  visit,
  type YAMLParseError
} from "yaml"
import * as nodes from "./sourceNodes.js"
import { findTooDeep, type SourceText, type TextProblem, tooDeep } from "./sourceText.js"

/** YAML 1.2 with the core schema and nothing else: no merge keys, and names are texts as in JSON. */
export const dialect = {
  version: "1.2",
  schema: "core",
  merge: false,
  stringKeys: true,
  // The library would compare each name with every other one.
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "error"
} as const

const mostAliases = 100

const coreTags = new Set(["str", "int", "float", "bool", "null", "map", "seq"])
const isCoreTag = (tag: string): boolean =>
  tag === "!" || (tag.startsWith("tag:yaml.org,2002:") && coreTags.has(tag.slice(18)))

type Report = (problem: TextProblem) => void

/** Composes the documents of a text; none where one of them is nested too deeply. */
export const compose = (text: string, report: Report): ReadonlyArray<Document.Parsed> => {
  const tokens = [...new Parser().parse(text)]
  for (const token of tokens) {
    const deep = findTooDeep(token)
    if (deep === undefined) continue
    report({ offset: deep.offset, rule: "syntax", message: tooDeep })
    return []
  }
  return [...new Composer(dialect).compose(tokens)]
}

const lineAt = (text: string, offset: number): string => {
  const from = text.lastIndexOf("\n", offset - 1) + 1
  const to = text.indexOf("\n", offset)
  return text.slice(from, to < 0 ? undefined : to)
}

const hintFor = (text: string, offset: number): string =>
  /(?:^|[-:,[])\s*\{\{/.test(lineAt(text, offset)) ? '; put quotes around a text with {{ }}: "{{ … }}"' : ""

/** What the library says about a text, in the words of this one. */
const problemOf = (text: string, { code, message, pos }: YAMLParseError): TextProblem => {
  const [offset] = pos
  const hint = hintFor(text, offset)
  const said = code === "NON_STRING_KEY" ? "this is the name of something, and must be a text" : message
  return { offset, rule: "syntax", message: `${said}${hint}` }
}

const checkNode = (node: Node, anchors: Map<string, Node>, report: Report): void => {
  const offset = node.range?.[0] ?? 0
  if (isAlias(node)) {
    const source = anchors.get(node.source)
    const [from = 0, to = 0] = source?.range ?? []
    if (source === undefined)
      report({ offset, rule: "alias", message: `there is no anchor &${node.source} before this` })
    else if (from <= offset && offset < to)
      report({ offset, rule: "alias", message: `*${node.source} stands for something that it is a part of` })
    return
  }
  if ("anchor" in node && node.anchor !== undefined) anchors.set(node.anchor, node)
  if (node.tag !== undefined && !isCoreTag(node.tag)) {
    const message = `the tag ${node.tag} is not one of YAML's core schema; remove it`
    report({ offset, rule: "tag", message })
  }
  if (isScalar(node) && typeof node.value === "number" && !Number.isFinite(node.value)) {
    const message = `this is ${node.value}, which JSON cannot carry; put quotes around it where a text is meant`
    report({ offset, rule: "syntax", message })
    // A number that fits nearly everywhere, so that nothing else is said about it.
    const scalar: Scalar = node
    scalar.value = 1
  }
}

const checkNodes = (document: Document, report: Report): void => {
  const anchors = new Map<string, Node>()
  visit(document, {
    Node: (_, node) => checkNode(node, anchors, report),
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === "<<" && key.type === "PLAIN") {
        const message = "YAML 1.2 has no merge keys; write out what this stands for"
        report({ offset: key.range?.[0] ?? 0, rule: "merge", message })
      }
    }
  })
}

/** Names that are in an object more than once. */
export const checkNames = (document: Document, report: Report): void => {
  visit(document, {
    Map: (_, { items }) => {
      const names = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        const message = "this is here for the second time; remove one"
        if (names.has(key.value)) report({ offset: key.range?.[0] ?? 0, rule: "duplicate", message })
        names.add(key.value)
      }
    }
  })
}

const firstAlias = (document: Document): number => {
  let offset = 0
  visit(document, {
    Alias: (_, { range }) => {
      offset = range?.[0] ?? 0
      return visit.BREAK
    }
  })
  return offset
}

/** Reads YAML 1.2. Problems of the text that leave its meaning clear are reported, and it is read all the same. */
export const readYaml = (text: string, subject: "workflow" | "agent"): SourceText => {
  const problems: Array<TextProblem> = []
  const report: Report = (problem) => {
    problems.push(problem)
  }
  const nowhere = { value: undefined, problems, offsetOf: () => 0, pathAt: () => "" }
  const [document, second] = compose(text, report)
  if (document === undefined) {
    if (problems.length === 0) report({ offset: 0, rule: "syntax", message: "there is nothing in it" })
    return nowhere
  }
  if (second !== undefined) {
    const message = `a file has one ${subject}; put this document into a file of its own`
    report({ offset: second.range[0], rule: "document", message })
  }
  if (document.directives.yaml.version !== "1.2") {
    const message = `only YAML 1.2 is read, not ${document.directives.yaml.version}; remove the directive`
    report({ offset: Math.max(0, text.indexOf("%YAML")), rule: "syntax", message })
  }
  for (const error of document.errors) report(problemOf(text, error))
  for (const warning of document.warnings)
    if (warning.code !== "TAG_RESOLVE_FAILED") report(problemOf(text, warning))
  checkNodes(document, report)
  checkNames(document, report)

  const read = (): unknown => {
    if (document.errors.length > 0) return undefined
    if (problems.some(({ rule }) => rule === "alias")) return undefined
    try {
      return document.toJS({ maxAliasCount: mostAliases })
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error
      const instead = subject === "workflow" ? ", or let an expression make it" : ""
      const message = `aliases stand for too much here; write it out${instead}`
      report({ offset: firstAlias(document), rule: "alias", message })
      return undefined
    }
  }
  return {
    value: read(),
    problems,
    offsetOf: (path, at) => nodes.offsetOf(document, path, at),
    pathAt: (offset) => nodes.pathAt(document, offset)
  }
}
