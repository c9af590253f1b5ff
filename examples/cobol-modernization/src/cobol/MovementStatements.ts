import type { Cursor } from "./Cursor.js"
import type { AddressOf, Expression, Reference } from "./Expression.js"
import { arithmetic, operand, reference, startsOperand } from "./ExpressionParser.js"
import { operands, type ReadStatement, references, restAsText } from "./Phrases.js"
import type { SetAssignment } from "./Statement.js"

const move: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const corresponding = cursor.accept("CORRESPONDING", "CORR") !== undefined
  const source = operand(cursor)
  if (source === undefined || cursor.accept("TO") === undefined) return undefined
  const targets = references(cursor)
  return targets.length === 0 ? undefined : { _tag: "Move", at, source, targets, corresponding }
}

const initialize: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const targets = references(cursor)
  if (targets.length === 0) return undefined
  const replacing: { category: string; by: Expression }[] = []
  if (cursor.acceptAll("WITH", "FILLER") || cursor.accept("FILLER") !== undefined) cursor.accept("THEN")
  if (cursor.isAnyWord("THEN", "REPLACING")) {
    cursor.accept("THEN")
    cursor.accept("REPLACING")
    while (cursor.peek().kind === "word" && !cursor.isStatementEdge()) {
      const category = cursor.next().text
      cursor.accept("DATA")
      cursor.accept("BY")
      const by = operand(cursor)
      if (by === undefined) break
      replacing.push({ category, by })
    }
  }
  return { _tag: "Initialize", at, targets, replacing }
}

const setTargets = (cursor: Cursor): readonly (Reference | AddressOf)[] => {
  const targets: (Reference | AddressOf)[] = []
  while (startsOperand(cursor)) {
    const target = operand(cursor)
    if (target?._tag !== "Reference" && target?._tag !== "AddressOf") break
    targets.push(target)
  }
  return targets
}

const isReference = (target: Reference | AddressOf): target is Reference => target._tag === "Reference"

const truths: Readonly<Record<string, boolean>> = { TRUE: true, FALSE: false, ON: true, OFF: false }

const setAssignment = (cursor: Cursor): SetAssignment | undefined => {
  const targets = setTargets(cursor)
  if (targets.length === 0) return undefined
  if (cursor.accept("UP") !== undefined) {
    cursor.accept("BY")
    return { _tag: "Up", targets: targets.filter(isReference), by: arithmetic(cursor) }
  }
  if (cursor.accept("DOWN") !== undefined) {
    cursor.accept("BY")
    return { _tag: "Down", targets: targets.filter(isReference), by: arithmetic(cursor) }
  }
  if (cursor.accept("TO") === undefined) return undefined
  const truth = cursor.accept("TRUE", "FALSE", "ON", "OFF")
  if (truth !== undefined) {
    return { _tag: "Condition", targets: targets.filter(isReference), value: truths[truth] === true }
  }
  if (cursor.accept("ENTRY") !== undefined) {
    return { _tag: "To", targets, value: operand(cursor) ?? { _tag: "Text", value: "", kind: "text" } }
  }
  return { _tag: "To", targets, value: arithmetic(cursor) }
}

const set: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const assignments: SetAssignment[] = []
  while (startsOperand(cursor)) {
    const assignment = setAssignment(cursor)
    if (assignment === undefined)
      return assignments.length === 0 ? undefined : { _tag: "Set", at, assignments }
    assignments.push(assignment)
  }
  return assignments.length === 0 ? undefined : { _tag: "Set", at, assignments }
}

const startsScreen = (cursor: Cursor): boolean =>
  cursor.isAnyWord("AT", "LINE", "COLUMN", "COL", "WITH", "ERASE")

const display: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const values: Expression[] = []
  while (startsOperand(cursor) && !startsScreen(cursor)) values.push(...operandList(cursor))
  if (values.length === 0) return undefined
  let upon: string | undefined
  let noAdvancing = false
  for (;;) {
    if (cursor.accept("UPON") !== undefined) upon = cursor.next().text
    else if (cursor.acceptAll("WITH", "NO", "ADVANCING") || cursor.acceptAll("NO", "ADVANCING"))
      noAdvancing = true
    else break
  }
  const screen = startsScreen(cursor) ? restAsText(cursor) : ""
  cursor.accept("END-DISPLAY")
  const base = { _tag: "Display" as const, at, operands: values, noAdvancing }
  return { ...base, ...(upon === undefined ? {} : { upon }), ...(screen === "" ? {} : { screen }) }
}

const operandList = (cursor: Cursor): readonly Expression[] => {
  const one = operand(cursor)
  return one === undefined ? operands(cursor) : [one]
}

const accept: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const target = reference(cursor)
  if (target === undefined) return undefined
  const start = cursor.accept("FROM") === undefined ? undefined : cursor.index
  if (start !== undefined) {
    cursor.next()
    if (startsOperand(cursor) && !startsScreen(cursor)) operand(cursor)
  }
  const from = start === undefined ? undefined : cursor.textBetween(start, cursor.index).toUpperCase()
  const screen = startsScreen(cursor) ? restAsText(cursor) : ""
  cursor.accept("END-ACCEPT")
  const base = { _tag: "Accept" as const, at, target }
  return { ...base, ...(from === undefined ? {} : { from }), ...(screen === "" ? {} : { screen }) }
}

/** The statements that move values into data items or in and out of the program. */
export const movementStatements: Readonly<Record<string, ReadStatement>> = {
  MOVE: move,
  INITIALIZE: initialize,
  SET: set,
  DISPLAY: display,
  ACCEPT: accept
}
