import type { Cursor } from "./Cursor.js"
import type { Expression } from "./Expression.js"
import { arithmetic, operand, startsOperand } from "./ExpressionParser.js"
import { operands, type ReadStatement, references, sizeError } from "./Phrases.js"
import type { ArithmeticTarget } from "./Statement.js"

interface Candidate {
  readonly value: Expression
  readonly rounded: boolean
}

const candidates = (cursor: Cursor): readonly Candidate[] => {
  const found: Candidate[] = []
  while (startsOperand(cursor)) {
    const value = operand(cursor)
    if (value === undefined) break
    const rounded = cursor.accept("ROUNDED") !== undefined
    if (rounded && cursor.accept("MODE") !== undefined) {
      cursor.accept("IS")
      cursor.next()
    }
    found.push({ value, rounded })
  }
  return found
}

const targetsOf = (found: readonly Candidate[]): readonly ArithmeticTarget[] | undefined => {
  const targets: ArithmeticTarget[] = []
  for (const { value, rounded } of found) {
    if (value._tag !== "Reference") return undefined
    targets.push({ reference: value, rounded })
  }
  return targets.length === 0 ? undefined : targets
}

const givingTargets = (cursor: Cursor): readonly ArithmeticTarget[] | undefined =>
  cursor.accept("GIVING") === undefined ? undefined : targetsOf(candidates(cursor))

/** What follows FROM or BY: the other operand, which receives the result itself where no GIVING says what does. */
const receivers = (cursor: Cursor) => {
  const second = candidates(cursor)
  const giving = cursor.isWord("GIVING")
  const targets = giving ? givingTargets(cursor) : targetsOf(second)
  const value = second[0]?.value
  return targets === undefined || value === undefined ? undefined : { giving, targets, value }
}

const add: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const corresponding = cursor.accept("CORRESPONDING", "CORR") !== undefined
  const first = operands(cursor)
  const second = cursor.accept("TO") === undefined ? [] : candidates(cursor)
  const isGiving = cursor.isWord("GIVING")
  const targets = isGiving ? givingTargets(cursor) : targetsOf(second)
  if (targets === undefined || first.length === 0) return undefined
  const all = isGiving ? [...first, ...second.map(({ value }) => value)] : first
  const branches = sizeError(cursor, body)
  cursor.accept("END-ADD")
  return { _tag: "Add", at, operands: all, targets, giving: isGiving, corresponding, ...branches }
}

const subtract: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const corresponding = cursor.accept("CORRESPONDING", "CORR") !== undefined
  const taken = operands(cursor)
  if (taken.length === 0 || cursor.accept("FROM") === undefined) return undefined
  const received = receivers(cursor)
  if (received === undefined) return undefined
  const { giving, targets, value: from } = received
  const branches = sizeError(cursor, body)
  cursor.accept("END-SUBTRACT")
  const base = { _tag: "Subtract" as const, at, operands: taken, targets, giving, corresponding, ...branches }
  return giving ? { ...base, from } : base
}

const multiply: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const first = operand(cursor)
  if (first === undefined || cursor.accept("BY") === undefined) return undefined
  const received = receivers(cursor)
  if (received === undefined) return undefined
  const { giving, targets, value: by } = received
  const branches = sizeError(cursor, body)
  cursor.accept("END-MULTIPLY")
  const base = { _tag: "Multiply" as const, at, operand: first, targets, giving, ...branches }
  return giving ? { ...base, by } : base
}

const divide: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const first = operand(cursor)
  const preposition = cursor.accept("INTO", "BY")
  if (first === undefined || preposition === undefined) return undefined
  const second = candidates(cursor)
  const giving = cursor.isWord("GIVING")
  const targets = giving ? givingTargets(cursor) : targetsOf(second)
  const other = second[0]?.value
  if (targets === undefined || other === undefined) return undefined
  const remainder = cursor.accept("REMAINDER") === undefined ? undefined : references(cursor)[0]
  cursor.accept("ROUNDED")
  const branches = sizeError(cursor, body)
  cursor.accept("END-DIVIDE")
  const divisor = preposition === "INTO" ? first : other
  const base = { _tag: "Divide" as const, at, divisor, targets, giving, ...branches }
  const whole = giving ? { ...base, dividend: preposition === "INTO" ? other : first } : base
  return remainder === undefined ? whole : { ...whole, remainder }
}

const compute: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const targets = targetsOf(candidates(cursor))
  if (targets === undefined) return undefined
  if (!cursor.acceptSymbol("=") && cursor.accept("EQUAL", "EQUALS") === undefined) return undefined
  cursor.accept("TO")
  const expression = arithmetic(cursor)
  const branches = sizeError(cursor, body)
  cursor.accept("END-COMPUTE")
  return { _tag: "Compute", at, targets, expression, ...branches }
}

/** The arithmetic statements. */
export const arithmeticStatements: Readonly<Record<string, ReadStatement>> = {
  ADD: add,
  SUBTRACT: subtract,
  MULTIPLY: multiply,
  DIVIDE: divide,
  COMPUTE: compute
}
