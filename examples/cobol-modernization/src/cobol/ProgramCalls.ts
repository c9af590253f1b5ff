import type { Program } from "./Ast.js"
import type { Expression } from "./Expression.js"
import { initialTexts } from "./InitialValues.js"
import { allItems } from "./Metrics.js"
import type { Statement } from "./Statement.js"
import { walkProcedure } from "./Walk.js"

/**
 * A call of another program. `targets` are upper case; a dynamic call has those its identifier is known to
 * hold, and `isComplete` is false when other values may reach it.
 */
export interface ProgramCall {
  readonly by: "CALL" | "LINK" | "XCTL" | "START"
  readonly kind: "static" | "dynamic"
  readonly identifier?: string
  readonly targets: readonly string[]
  readonly isComplete: boolean
  readonly line: number
  readonly file: string
}

interface Values {
  readonly literals: Set<string>
  readonly sources: Set<string>
  isOpen: boolean
}

const programName = (text: string): string => {
  const trimmed = text.trim().toUpperCase()
  return trimmed.split("/").at(-1) ?? trimmed
}

const assigned = (statement: Statement): readonly string[] => {
  switch (statement._tag) {
    case "Accept":
      return [statement.target.name]
    case "String":
      return [statement.into.name]
    case "Unstring":
      return statement.into.map((target) => target.reference.name)
    case "Read":
      return statement.into === undefined ? [] : [statement.into.name]
    case "Inspect":
      return statement.target._tag === "Reference" && statement.tallying.length === 0
        ? [statement.target.name]
        : []
    case "ExecSql":
      return statement.command === "SELECT" || statement.command === "FETCH" ? statement.hostVariables : []
    default:
      return []
  }
}

const valuesByName = (program: Program): ReadonlyMap<string, Values> => {
  const byName = new Map<string, Values>()
  const of = (name: string): Values => {
    const values = byName.get(name) ?? { literals: new Set(), sources: new Set(), isOpen: false }
    byName.set(name, values)
    return values
  }
  const byCondition = new Map<string, { item: string; literal: string }>()
  const linkage = new Set<string>()
  const note = (items: Program["data"]["linkage"]) => {
    for (const item of items) {
      linkage.add(item.name)
      note(item.children)
    }
  }
  note(program.data.linkage)
  for (const item of allItems(program)) {
    if (item.value?._tag === "Text") of(item.name).literals.add(programName(item.value.value))
    if (linkage.has(item.name)) of(item.name).isOpen = true
    for (const condition of item.conditions) {
      const first = condition.values[0]?.from
      if (first?._tag === "Text") byCondition.set(condition.name, { item: item.name, literal: first.value })
    }
  }
  const { workingStorage, localStorage } = program.data
  for (const [name, texts] of initialTexts([...workingStorage, ...localStorage])) {
    for (const text of texts) of(name).literals.add(programName(text))
  }
  for (const statement of walkProcedure(program.procedure)) {
    for (const name of assigned(statement)) of(name).isOpen = true
    if (statement._tag === "Set") {
      for (const assignment of statement.assignments) {
        for (const target of assignment._tag === "Condition" ? assignment.targets : []) {
          const meaning = byCondition.get(target.name)
          if (meaning !== undefined) of(meaning.item).literals.add(programName(meaning.literal))
        }
      }
    }
    if (statement._tag !== "Move") continue
    for (const target of statement.targets) {
      const values = of(target.name)
      const { source } = statement
      if (source._tag === "Text") values.literals.add(programName(source.value))
      else if (source._tag === "Reference") values.sources.add(source.name)
      else if (source._tag !== "Figurative") values.isOpen = true
    }
  }
  return byName
}

const resolved = (name: string, byName: ReadonlyMap<string, Values>) => {
  const targets = new Set<string>()
  let isComplete = true
  const seen = new Set<string>()
  const pending = [name]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    const values = byName.get(next)
    if (values === undefined || values.isOpen) isComplete = false
    for (const literal of values?.literals ?? []) if (literal !== "") targets.add(literal)
    pending.push(...(values?.sources ?? []))
  }
  return { targets: [...targets].sort(), isComplete: isComplete && targets.size > 0 }
}

/** The calls of one program; identifiers are followed through VALUE, MOVE, SET and tables of VALUEs as far as literals go. */
export const callsOf = (program: Program): readonly ProgramCall[] => {
  const found: ProgramCall[] = []
  let byName: ReadonlyMap<string, Values> | undefined
  const dynamic = (by: ProgramCall["by"], identifier: string, statement: Statement) => {
    byName = byName ?? valuesByName(program)
    found.push({ by, kind: "dynamic", identifier, ...resolved(identifier, byName), ...statement.at })
  }
  const fixed = (by: ProgramCall["by"], name: string, statement: Statement) => {
    found.push({ by, kind: "static", targets: [programName(name)], isComplete: true, ...statement.at })
  }
  const callee = (program_: Expression, statement: Statement) => {
    if (program_._tag === "Text") fixed("CALL", program_.value, statement)
    else
      dynamic("CALL", program_._tag === "Reference" ? program_.name : program_._tag.toUpperCase(), statement)
  }
  for (const statement of walkProcedure(program.procedure)) {
    if (statement._tag === "Call") callee(statement.program, statement)
    if (statement._tag !== "ExecCics" || statement.program === undefined) continue
    const by = statement.command === "LINK" ? "LINK" : statement.command === "XCTL" ? "XCTL" : undefined
    if (by === undefined) continue
    if (statement.programIsLiteral) fixed(by, statement.program, statement)
    else dynamic(by, /^[\w-]+/.exec(statement.program)?.[0] ?? statement.program, statement)
  }
  return found
}
