import { condition, conditionOrValue, relationWith } from "./ConditionParser.js"
import type { Cursor } from "./Cursor.js"
import type { Expression, Reference } from "./Expression.js"
import { isCondition, operand, reference, startsOperand } from "./ExpressionParser.js"
import { endBranch, procedureReference, type ReadBody, type ReadStatement } from "./Phrases.js"
import type {
  EvaluateBranch,
  EvaluateSubject,
  EvaluateTest,
  Exit,
  PerformLoop,
  ProcedureReference,
  Search,
  Statement,
  VaryingVariable
} from "./Statement.js"

const ifStatement: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const tested = condition(cursor)
  cursor.accept("THEN")
  const consequence = body(cursor)
  const otherwise = cursor.accept("ELSE") === undefined ? [] : body(cursor)
  cursor.accept("END-IF")
  // biome-ignore lint/suspicious/noThenProperty: the branch is named after the COBOL word, and it is a list.
  return { _tag: "If", at, condition: tested, then: consequence, otherwise }
}

const subject = (cursor: Cursor): EvaluateSubject => {
  if (cursor.accept("TRUE") !== undefined) return { _tag: "True" }
  if (cursor.accept("FALSE") !== undefined) return { _tag: "False" }
  const node = conditionOrValue(cursor)
  return isCondition(node) ? { _tag: "Condition", condition: node } : { _tag: "Value", value: node }
}

const test = (cursor: Cursor, of: EvaluateSubject | undefined): EvaluateTest => {
  if (cursor.accept("ANY") !== undefined) return { _tag: "Any" }
  if (cursor.accept("TRUE") !== undefined) return { _tag: "True" }
  if (cursor.accept("FALSE") !== undefined) return { _tag: "False" }
  if (of?._tag !== "Value") return { _tag: "Condition", condition: condition(cursor) }
  const relation = relationWith(cursor, of.value)
  if (relation !== undefined) return { _tag: "Condition", condition: relation }
  const negated = cursor.accept("NOT") !== undefined
  const node = conditionOrValue(cursor)
  if (isCondition(node)) {
    return { _tag: "Condition", condition: negated ? { _tag: "Not", condition: node } : node }
  }
  if (cursor.accept("THRU", "THROUGH") === undefined) return { _tag: "Value", value: node, negated }
  const through = conditionOrValue(cursor)
  return isCondition(through)
    ? { _tag: "Value", value: node, negated }
    : { _tag: "Value", value: node, through, negated }
}

const tests = (cursor: Cursor, subjects: readonly EvaluateSubject[]): readonly EvaluateTest[] => {
  const found = [test(cursor, subjects[0])]
  while (cursor.accept("ALSO") !== undefined) found.push(test(cursor, subjects[found.length]))
  return found
}

const evaluate: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const subjects = [subject(cursor)]
  while (cursor.accept("ALSO") !== undefined) subjects.push(subject(cursor))
  const branches: EvaluateBranch[] = []
  let otherwise: readonly Statement[] = []
  while (cursor.isWord("WHEN")) {
    const branchAt = cursor.at
    const whens: (readonly EvaluateTest[])[] = []
    let isOther = false
    while (cursor.accept("WHEN") !== undefined) {
      if (cursor.accept("OTHER") !== undefined) isOther = true
      else whens.push(tests(cursor, subjects))
    }
    cursor.accept("THEN")
    const statements = body(cursor)
    if (isOther) otherwise = statements
    else branches.push({ at: branchAt, whens, body: statements })
  }
  cursor.accept("END-EVALUATE")
  return { _tag: "Evaluate", at, subjects, branches, otherwise }
}

const testAfter = (cursor: Cursor): boolean => {
  if (!cursor.isWord("TEST") && !(cursor.isWord("WITH") && cursor.isWord("TEST", 1))) return false
  cursor.accept("WITH")
  cursor.next()
  return cursor.accept("BEFORE", "AFTER") === "AFTER"
}

const varying = (cursor: Cursor): VaryingVariable | undefined => {
  const variable = reference(cursor)
  if (variable === undefined) return undefined
  const one: Expression = { _tag: "Number", text: "1" }
  const from = cursor.accept("FROM") === undefined ? one : loopValue(cursor)
  const by = cursor.accept("BY") === undefined ? one : loopValue(cursor)
  if (cursor.accept("UNTIL") === undefined) return undefined
  return { variable, from, by, until: condition(cursor) }
}

const loopValue = (cursor: Cursor): Expression => {
  const node = conditionOrValue(cursor)
  return isCondition(node) ? { _tag: "Number", text: "1" } : node
}

const loopOf = (cursor: Cursor): PerformLoop | undefined => {
  const after = testAfter(cursor)
  if (cursor.accept("VARYING") !== undefined) {
    const variables: VaryingVariable[] = []
    do {
      const one = varying(cursor)
      if (one === undefined) return undefined
      variables.push(one)
    } while (cursor.accept("AFTER") !== undefined)
    return { _tag: "Varying", variables, testAfter: after }
  }
  if (cursor.accept("UNTIL") !== undefined) {
    if (cursor.accept("EXIT") !== undefined) return { _tag: "Forever" }
    return { _tag: "Until", condition: condition(cursor), testAfter: after }
  }
  if (cursor.accept("FOREVER") !== undefined) return { _tag: "Forever" }
  if (!startsOperand(cursor)) return { _tag: "Once" }
  const start = cursor.index
  const count = operand(cursor)
  if (count !== undefined && cursor.accept("TIMES") !== undefined) return { _tag: "Times", count }
  cursor.rewind(start)
  return { _tag: "Once" }
}

const isTimes = (cursor: Cursor): boolean => {
  const start = cursor.index
  const noted = cursor.diagnostics.length
  operand(cursor)
  const found = cursor.isWord("TIMES")
  cursor.rewind(start)
  cursor.diagnostics.length = noted
  return found
}

const through = (cursor: Cursor): ProcedureReference | undefined =>
  cursor.accept("THRU", "THROUGH") === undefined ? undefined : procedureReference(cursor)

const perform: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const isOutOfLine =
    (cursor.isName() || cursor.peek().kind === "number") && !cursor.isWord("FOREVER") && !isTimes(cursor)
  const procedure = isOutOfLine ? procedureReference(cursor) : undefined
  if (procedure === undefined) return performInline(cursor, body, at)
  const last = through(cursor)
  const loop = loopOf(cursor)
  if (loop === undefined) return undefined
  const base = { _tag: "Perform" as const, at, procedure, loop }
  return last === undefined ? base : { ...base, through: last }
}

const performInline = (cursor: Cursor, body: ReadBody, at: Statement["at"]): Statement | undefined => {
  const loop = loopOf(cursor)
  if (loop === undefined) return undefined
  const statements = body(cursor)
  if (cursor.accept("END-PERFORM") === undefined) {
    cursor.report("error", "The PERFORM has no END-PERFORM.", at)
  }
  return { _tag: "PerformInline", at, loop, body: statements }
}

const goTo: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  cursor.accept("TO")
  const targets: ProcedureReference[] = []
  for (let target = procedureReference(cursor); target !== undefined; target = procedureReference(cursor)) {
    targets.push(target)
  }
  let dependingOn: Reference | undefined
  if (cursor.accept("DEPENDING") !== undefined) {
    cursor.accept("ON")
    dependingOn = reference(cursor)
  }
  return dependingOn === undefined
    ? { _tag: "GoTo", at, targets }
    : { _tag: "GoTo", at, targets, dependingOn }
}

const alter: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const changes: { from: ProcedureReference; to: ProcedureReference }[] = []
  for (let from = procedureReference(cursor); from !== undefined; from = procedureReference(cursor)) {
    cursor.accept("TO")
    if (cursor.accept("PROCEED") !== undefined) cursor.accept("TO")
    const to = procedureReference(cursor)
    if (to === undefined) return undefined
    changes.push({ from, to })
  }
  return { _tag: "Alter", at, changes }
}

const exitKinds = ["PROGRAM", "PARAGRAPH", "SECTION", "PERFORM", "FUNCTION", "METHOD"] as const

const returned = (cursor: Cursor): Expression | undefined =>
  cursor.accept("RETURNING", "GIVING") === undefined ? undefined : operand(cursor)

const exit: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const word = cursor.accept(...exitKinds)
  const kind = exitKinds.find((candidate) => candidate === word) ?? "NONE"
  const isCycle = kind === "PERFORM" && cursor.accept("CYCLE") !== undefined
  const returning = returned(cursor)
  const of: Exit["of"] = isCycle ? "PERFORM CYCLE" : kind
  const base = { _tag: "Exit" as const, at, of }
  return returning === undefined ? base : { ...base, returning }
}

const goback: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const returning = returned(cursor)
  return returning === undefined ? { _tag: "Goback", at } : { _tag: "Goback", at, returning }
}

const stop: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const run = cursor.accept("RUN") !== undefined
  cursor.accept("RETURNING", "GIVING")
  const value = operand(cursor)
  return value === undefined ? { _tag: "Stop", at, run } : { _tag: "Stop", at, run, value }
}

const continueStatement: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  return { _tag: "Continue", at }
}

const nextSentence: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  return cursor.accept("SENTENCE") === undefined ? undefined : { _tag: "NextSentence", at }
}

const search: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const all = cursor.accept("ALL") !== undefined
  const table = reference(cursor)
  if (table === undefined) return undefined
  const index = cursor.accept("VARYING") === undefined ? undefined : reference(cursor)
  const atEnd = endBranch(cursor, body)
  const whens: Search["whens"][number][] = []
  while (cursor.accept("WHEN") !== undefined) {
    const found = condition(cursor)
    cursor.accept("THEN")
    whens.push({ condition: found, body: body(cursor) })
  }
  cursor.accept("END-SEARCH")
  const base = { _tag: "Search" as const, at, table, all, atEnd, whens }
  return index === undefined ? base : { ...base, varying: index }
}

/** The statements that decide what runs next. */
export const controlStatements: Readonly<Record<string, ReadStatement>> = {
  IF: ifStatement,
  EVALUATE: evaluate,
  PERFORM: perform,
  GO: goTo,
  ALTER: alter,
  EXIT: exit,
  GOBACK: goback,
  STOP: stop,
  CONTINUE: continueStatement,
  NEXT: nextSentence,
  SEARCH: search
}
