import type { Cursor } from "./Cursor.js"
import type { Condition, Expression, RelationalOperator } from "./Expression.js"
import { arithmeticOrCondition, isCondition } from "./ExpressionParser.js"

type Node = Expression | Condition

interface Abbreviation {
  subject?: Expression
  operator?: RelationalOperator
}

const opposites: Readonly<Record<RelationalOperator, RelationalOperator>> = {
  "=": "<>",
  "<>": "=",
  "<": ">=",
  ">": "<=",
  "<=": ">",
  ">=": "<"
}

const classWords = new Set([
  "NUMERIC",
  "ALPHABETIC",
  "ALPHABETIC-LOWER",
  "ALPHABETIC-UPPER",
  "DBCS",
  "KANJI",
  "OMITTED"
])
const signWords: Readonly<Record<string, "POSITIVE" | "NEGATIVE" | "ZERO">> = {
  POSITIVE: "POSITIVE",
  NEGATIVE: "NEGATIVE",
  ZERO: "ZERO",
  ZEROS: "ZERO",
  ZEROES: "ZERO"
}
const operatorWords = new Set(["EQUAL", "EQUALS", "GREATER", "LESS", "UNEQUAL", "EXCEEDS"])

const isOperatorAt = (cursor: Cursor, ahead: number): boolean => {
  const token = cursor.peek(ahead)
  if (token.kind === "symbol") return ["=", "<", ">", "<=", ">=", "<>"].includes(token.text)
  return token.kind === "word" && operatorWords.has(token.text)
}

const startsOperator = (cursor: Cursor): boolean => {
  let ahead = cursor.isWord("IS") ? 1 : 0
  if (cursor.isWord("NOT", ahead) || cursor.isSymbol("NOT", ahead)) ahead++
  return isOperatorAt(cursor, ahead)
}

const orEqual = (cursor: Cursor): boolean => {
  if (cursor.isWord("OR") && (cursor.isWord("EQUAL", 1) || cursor.isSymbol("=", 1))) {
    cursor.next()
    cursor.next()
    return true
  }
  return cursor.acceptSymbol("=")
}

const plainOperator = (cursor: Cursor): RelationalOperator => {
  const word = cursor.next().text
  if (word === "<>" || word === "UNEQUAL") {
    cursor.accept("TO")
    return "<>"
  }
  if (word === "<=" || word === ">=") return word
  if (word === ">" || word === "GREATER" || word === "EXCEEDS") {
    cursor.accept("THAN")
    const operator = orEqual(cursor) ? ">=" : ">"
    cursor.accept("TO")
    return operator
  }
  if (word === "<" || word === "LESS") {
    if (cursor.acceptSymbol(">")) return "<>"
    cursor.accept("THAN")
    const operator = orEqual(cursor) ? "<=" : "<"
    cursor.accept("TO")
    return operator
  }
  cursor.accept("TO", "THAN")
  return "="
}

const acceptNot = (cursor: Cursor): boolean =>
  cursor.accept("NOT") !== undefined || cursor.acceptSymbol("NOT")

const relationalOperator = (cursor: Cursor): RelationalOperator => {
  cursor.accept("IS", "ARE")
  const isNegated = acceptNot(cursor)
  const operator = plainOperator(cursor)
  return isNegated ? opposites[operator] : operator
}

const asCondition = (cursor: Cursor, node: Node, abbreviation: Abbreviation): Condition => {
  if (isCondition(node)) return node
  const { subject, operator } = abbreviation
  const isConditionName = node._tag === "Reference" && cursor.conditionNames.has(node.name)
  if (subject !== undefined && operator !== undefined && !isConditionName) {
    return { _tag: "Relation", operator, left: subject, right: node }
  }
  if (node._tag === "Reference") return { _tag: "ConditionName", reference: node }
  cursor.report("warning", "A value stands where a condition is expected.")
  return { _tag: "UnknownCondition", text: node._tag === "Text" ? node.value : node._tag }
}

const relationTo = (cursor: Cursor, left: Expression, abbreviation: Abbreviation): Condition => {
  const operator = relationalOperator(cursor)
  abbreviation.subject = left
  abbreviation.operator = operator
  const right = arithmeticOrCondition(cursor, (inner) => disjunction(inner, { ...abbreviation }))
  return isCondition(right) ? right : { _tag: "Relation", operator, left, right }
}

const testOf = (cursor: Cursor, operand: Expression): Condition | undefined => {
  const start = cursor.index
  const hasIs = cursor.accept("IS", "ARE") !== undefined
  const negated = acceptNot(cursor)
  const word = cursor.peek().kind === "word" ? cursor.peek().text : ""
  const sign = signWords[word]
  if (classWords.has(word)) return { _tag: "ClassTest", operand, test: cursor.next().text, negated }
  if (sign !== undefined) {
    cursor.next()
    return { _tag: "SignTest", operand, sign, negated }
  }
  if (hasIs && (word === "NULL" || word === "NULLS")) {
    cursor.next()
    const right: Expression = { _tag: "Figurative", name: "NULL" }
    return { _tag: "Relation", operator: negated ? "<>" : "=", left: operand, right }
  }
  if (hasIs && cursor.isName()) return { _tag: "ClassTest", operand, test: cursor.next().text, negated }
  cursor.rewind(start)
  return undefined
}

const relation = (cursor: Cursor, abbreviation: Abbreviation): Node => {
  if (startsOperator(cursor) && abbreviation.subject !== undefined) {
    return relationTo(cursor, abbreviation.subject, abbreviation)
  }
  const left = arithmeticOrCondition(cursor, (inner) => disjunction(inner, { ...abbreviation }))
  if (isCondition(left)) return left
  if (startsOperator(cursor)) return relationTo(cursor, left, abbreviation)
  return testOf(cursor, left) ?? left
}

const negation = (cursor: Cursor, abbreviation: Abbreviation): Node => {
  const isNot = cursor.isWord("NOT") || cursor.isSymbol("NOT")
  if (!isNot || (abbreviation.subject !== undefined && startsOperator(cursor)))
    return relation(cursor, abbreviation)
  cursor.next()
  const unreadable: Condition = { _tag: "UnknownCondition", text: "" }
  const inner = cursor.nested<Node>(unreadable, () => negation(cursor, abbreviation))
  return { _tag: "Not", condition: asCondition(cursor, inner, abbreviation) }
}

const conjunction = (cursor: Cursor, abbreviation: Abbreviation): Node => {
  const first = negation(cursor, abbreviation)
  if (!cursor.isWord("AND")) return first
  const conditions = [asCondition(cursor, first, abbreviation)]
  while (cursor.accept("AND") !== undefined) {
    conditions.push(asCondition(cursor, negation(cursor, abbreviation), abbreviation))
  }
  return { _tag: "And", conditions }
}

const disjunction = (cursor: Cursor, abbreviation: Abbreviation): Node => {
  const first = conjunction(cursor, abbreviation)
  if (!cursor.isWord("OR")) return first
  const conditions = [asCondition(cursor, first, abbreviation)]
  while (cursor.accept("OR") !== undefined) {
    conditions.push(asCondition(cursor, conjunction(cursor, abbreviation), abbreviation))
  }
  return { _tag: "Or", conditions }
}

/** A condition; what cannot be read as one becomes an unknown condition with a diagnostic. */
export const condition = (cursor: Cursor): Condition => {
  const abbreviation: Abbreviation = {}
  return asCondition(cursor, disjunction(cursor, abbreviation), abbreviation)
}

/** A condition or a plain value, as EVALUATE allows either. */
export const conditionOrValue = (cursor: Cursor): Expression | Condition => disjunction(cursor, {})

/** The rest of a relation whose left side is already known, as in `WHEN > 5`. */
export const relationWith = (cursor: Cursor, subject: Expression): Condition | undefined => {
  if (!startsOperator(cursor)) return undefined
  const abbreviation: Abbreviation = { subject }
  return asCondition(cursor, disjunction(cursor, abbreviation), abbreviation)
}
