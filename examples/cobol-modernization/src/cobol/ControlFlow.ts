import type { Paragraph, ProcedureDivision } from "./Ast.js"
import type { ProcedureReference, Statement } from "./Statement.js"
import { stronglyConnected } from "./StronglyConnected.js"
import { branchesOf, statementsOf, walk } from "./Walk.js"

/** A transfer from one paragraph to another; `through` is the last paragraph of a PERFORM … THRU. */
export interface Transfer {
  readonly from: string
  readonly to: string
  readonly through?: string
  readonly kind: "perform" | "goto"
  readonly line: number
}

/**
 * How the paragraphs of a program reach each other. A paragraph is unreachable when no path of PERFORM,
 * GO TO and falling through leads to it from the beginning; `unresolved` names targets that do not exist;
 * `recursions` are groups of paragraphs that perform each other.
 */
export interface ControlFlow {
  readonly transfers: readonly Transfer[]
  readonly unreachable: readonly string[]
  readonly unresolved: readonly { readonly name: string; readonly line: number }[]
  readonly recursions: readonly (readonly string[])[]
}

interface Node {
  readonly paragraph: Paragraph
  readonly section: string
  readonly declarative: boolean
}

interface Jump {
  readonly kind: "perform" | "goto"
  readonly first: ProcedureReference
  readonly last?: ProcedureReference
  readonly line: number
}

const labelsOf = (statement: Statement): readonly string[] => {
  if (statement._tag === "ExecCics" && statement.command.startsWith("HANDLE")) {
    return statement.options.flatMap(({ name, value }) =>
      value === undefined || name === "PROGRAM" ? [] : [value.toUpperCase()]
    )
  }
  if (statement._tag !== "ExecSql" || statement.command !== "WHENEVER") return []
  const label = /\bGO\s*TO\s*:?\s*([\w-]+)/i.exec(statement.text)?.[1]
  return label === undefined ? [] : [label.toUpperCase()]
}

const jumpsOf = (statement: Statement): readonly Jump[] => {
  const { line } = statement.at
  const perform = (first: ProcedureReference, last: ProcedureReference | undefined): Jump =>
    last === undefined ? { kind: "perform", first, line } : { kind: "perform", first, last, line }
  if (statement._tag === "Perform") return [perform(statement.procedure, statement.through)]
  if (statement._tag === "GoTo") return statement.targets.map((first) => ({ kind: "goto", first, line }))
  if (statement._tag === "Alter")
    return statement.changes.map(({ to }) => ({ kind: "goto", first: to, line }))
  if (statement._tag === "Sort" || statement._tag === "Merge") {
    return [statement.input, statement.output].flatMap((part) =>
      part === undefined ? [] : [perform(part.procedure, part.through)]
    )
  }
  return labelsOf(statement).map((name) => ({ kind: "goto", first: { name }, line }))
}

const endsRun = (statement: Statement): boolean => {
  switch (statement._tag) {
    case "GoTo":
      return statement.dependingOn === undefined && statement.targets.length > 0
    case "Stop":
      return statement.run
    case "Goback":
      return true
    case "Exit":
      return statement.of === "PROGRAM" || statement.of === "FUNCTION" || statement.of === "METHOD"
    case "ExecCics":
      return ["RETURN", "XCTL", "ABEND"].includes(statement.command)
    case "If":
      return leaves(statement.then) && leaves(statement.otherwise)
    case "Evaluate":
      return leaves(statement.otherwise) && branchesOf(statement).every((branch) => leaves(branch.statements))
    default:
      return false
  }
}

const leaves = (statements: readonly Statement[]): boolean => {
  const last = statements.at(-1)
  return last !== undefined && endsRun(last)
}

interface Range {
  readonly first: number
  readonly last: number
}

const mostStates = 200_000

const lookup = (nodes: readonly Node[]) => {
  const paragraphs = new Map<string, number[]>()
  const sections = new Map<string, Range>()
  nodes.forEach(({ paragraph, section }, index) => {
    paragraphs.set(paragraph.name, [...(paragraphs.get(paragraph.name) ?? []), index])
    sections.set(section, { first: sections.get(section)?.first ?? index, last: index })
  })
  return (name: ProcedureReference, from: Node): Range | undefined => {
    const candidates = paragraphs.get(name.name) ?? []
    const home = name.section ?? from.section
    const index = candidates.find((candidate) => nodes[candidate]?.section === home) ?? candidates[0]
    return index === undefined ? sections.get(name.name) : { first: index, last: index }
  }
}

const nodesOf = (procedure: ProcedureDivision): readonly Node[] =>
  procedure.sections.flatMap((section) => {
    // A section without any paragraph still is a place to go to.
    const empty: Paragraph = { name: "", at: section.at, endLine: section.at.line, sentences: [] }
    const paragraphs = section.paragraphs.length === 0 ? [empty] : section.paragraphs
    return paragraphs.map((paragraph) => ({
      paragraph,
      section: section.name,
      declarative: section.declarative
    }))
  })

const labelOf = (node: Node | undefined): string =>
  node === undefined ? "" : node.paragraph.name === "" ? node.section : node.paragraph.name

/** Follows PERFORM, GO TO and falling through over the paragraphs of a program. */
export const controlFlow = (procedure: ProcedureDivision | undefined): ControlFlow => {
  const nodes = procedure === undefined ? [] : nodesOf(procedure)
  const find = lookup(nodes)
  const transfers: Transfer[] = []
  const unresolved: { name: string; line: number }[] = []
  const jumps = nodes.map((node) => {
    const ranges: { kind: Jump["kind"]; range: Range }[] = []
    for (const statement of walk(statementsOf(node.paragraph))) {
      for (const jump of jumpsOf(statement)) {
        const first = find(jump.first, node)
        const last = jump.last === undefined ? first : find(jump.last, node)
        if (first === undefined) unresolved.push({ name: jump.first.name, line: jump.line })
        if (jump.last !== undefined && last === undefined) {
          unresolved.push({ name: jump.last.name, line: jump.line })
        }
        if (first === undefined) continue
        const range = { first: first.first, last: Math.max(first.first, last?.last ?? first.last) }
        ranges.push({ kind: jump.kind, range })
        const base = { from: labelOf(node), to: jump.first.name, kind: jump.kind, line: jump.line }
        transfers.push(jump.last === undefined ? base : { ...base, through: jump.last.name })
      }
    }
    return ranges
  })

  const reached = new Set<number>()
  const states = new Set<string>()
  const pending: { at: number; end: number }[] = []
  const go = (at: number, end: number) => {
    const state = `${at}:${end}`
    if (at >= nodes.length || states.has(state) || states.size >= mostStates) return
    states.add(state)
    reached.add(at)
    pending.push({ at, end })
  }
  const isEntry = (node: Node) => [...walk(statementsOf(node.paragraph))].some((one) => one._tag === "Entry")
  const beginning = nodes.findIndex((node) => !node.declarative)
  nodes.forEach((node, index) => {
    if (node.declarative || index === beginning || isEntry(node)) go(index, -1)
  })
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const { at, end } = state
    for (const { kind, range } of jumps[at] ?? []) {
      if (kind === "goto") go(range.first, end)
      else {
        go(range.first, range.last)
        // The last paragraph of a range is where the PERFORM returns, even when it is entered by GO TO only.
        go(range.last, range.last)
      }
    }
    const node = nodes[at]
    if (at !== end && node !== undefined && !leaves(statementsOf(node.paragraph))) go(at + 1, end)
  }

  const performs = nodes.map((_, index) =>
    (jumps[index] ?? []).flatMap(({ kind, range }) => {
      if (kind !== "perform") return []
      const width = Math.min(range.last - range.first, 50)
      return Array.from({ length: width + 1 }, (__, step) => range.first + step)
    })
  )
  const recursions = stronglyConnected(performs)
    .filter((group) => group.length > 1 || group.some((index) => performs[index]?.includes(index)))
    .map((group) => group.map((index) => labelOf(nodes[index])))
  const unreachable = nodes.flatMap((node, index) =>
    reached.has(index) || node.paragraph.name === "" ? [] : [node.paragraph.name]
  )
  return { transfers, unreachable: states.size >= mostStates ? [] : unreachable, unresolved, recursions }
}
