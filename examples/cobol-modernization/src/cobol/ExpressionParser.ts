import type { Cursor } from "./Cursor.js"
import type {
  ArithmeticOperator,
  Condition,
  Expression,
  FigurativeName,
  Reference,
  ReferenceModification
} from "./Expression.js"
import type { Token } from "./Tokens.js"
import { figurativeOf } from "./Words.js"

/** Reads what a parenthesis holds; the condition parser passes one that also accepts conditions. */
export type ReadParenthesis<A> = (cursor: Cursor) => A

const figurative = (name: string): Expression => ({ _tag: "Figurative", name: name as FigurativeName })

/** True where an operand can start. */
export const startsOperand = (cursor: Cursor): boolean => {
  const token = cursor.peek()
  if (token.kind === "number" || token.kind === "text") return true
  if (token.kind !== "word") return false
  if (figurativeOf(token.text) !== undefined || !cursor.isReserved(token.text)) return true
  return (
    token.text === "ALL" &&
    (cursor.peek(1).kind === "text" || figurativeOf(cursor.peek(1).text) !== undefined)
  )
}

const literalOf = (cursor: Cursor, token: Token): Expression => {
  let value = token.text
  while (cursor.isSymbol("&") && cursor.peek(1).kind === "text") {
    cursor.next()
    value += cursor.next().text
  }
  return { _tag: "Text", value, kind: token.literal ?? "text" }
}

const modificationAfter = (cursor: Cursor, start: Expression): ReferenceModification | undefined => {
  if (!cursor.acceptSymbol(":")) return undefined
  return cursor.isSymbol(")") ? { start } : { start, length: arithmetic(cursor) }
}

const parenthesisContent = (
  cursor: Cursor
): { readonly items: readonly Expression[]; readonly modification?: ReferenceModification } => {
  const items: Expression[] = []
  let modification: ReferenceModification | undefined
  cursor.next()
  while (!cursor.isAtEnd && !cursor.isSymbol(")") && !cursor.isPeriod()) {
    const before = cursor.index
    if (cursor.isAnyWord("LEADING", "TRAILING", "ALL", "NATIONAL", "ANY")) {
      items.push({ _tag: "Reference", name: cursor.next().text, qualifiers: [], subscripts: [] })
      continue
    }
    const item = arithmetic(cursor)
    if (cursor.index === before) break
    modification = modificationAfter(cursor, item)
    if (modification !== undefined) break
    items.push(item)
  }
  if (!cursor.acceptSymbol(")")) cursor.report("error", "A closing parenthesis is missing.")
  return modification === undefined ? { items } : { items, modification }
}

// Looking for the colon first keeps the reading linear: a parenthesis is never read twice.
const holdsColon = (cursor: Cursor): boolean => {
  let depth = 0
  for (let ahead = 0; ahead < 80; ahead++) {
    const token = cursor.peek(ahead)
    if (token.kind === "period" || token.kind === "end") return false
    if (token.kind !== "symbol") continue
    if (token.text === "(") depth++
    else if (token.text === ")") depth--
    else if (token.text === ":" && depth === 1) return true
    if (depth === 0) return false
  }
  return false
}

const modificationOnly = (cursor: Cursor): ReferenceModification | undefined =>
  cursor.isSymbol("(") && holdsColon(cursor) ? parenthesisContent(cursor).modification : undefined

/** A data name with its qualifiers, subscripts and reference modification, or undefined where no name stands. */
export const reference = (cursor: Cursor): Reference | undefined => {
  const name = cursor.name()
  if (name === undefined) return undefined
  const qualifiers: string[] = []
  while (cursor.isAnyWord("OF", "IN") && cursor.isName(1)) {
    cursor.next()
    qualifiers.push(cursor.next().text)
  }
  if (!cursor.isSymbol("(")) return { _tag: "Reference", name, qualifiers, subscripts: [] }
  const content = cursor.nested<ReturnType<typeof parenthesisContent>>({ items: [] }, () =>
    parenthesisContent(cursor)
  )
  const modification =
    content.modification ??
    (cursor.isSymbol("(") ? cursor.nested(undefined, () => modificationOnly(cursor)) : undefined)
  const base = { _tag: "Reference" as const, name, qualifiers, subscripts: content.items }
  return modification === undefined ? base : { ...base, modification }
}

const functionCall = (cursor: Cursor): Expression => {
  const name = cursor.next().text
  const content = cursor.isSymbol("(")
    ? cursor.nested<ReturnType<typeof parenthesisContent>>({ items: [] }, () => parenthesisContent(cursor))
    : { items: [] }
  const direct = "modification" in content ? content.modification : undefined
  const modification = direct ?? cursor.nested(undefined, () => modificationOnly(cursor))
  const base = { _tag: "Function" as const, name, arguments: content.items }
  return modification === undefined ? base : { ...base, modification }
}

/** One operand: a literal, constant, reference or function call; undefined where none stands. */
export const operand = (cursor: Cursor): Expression | undefined => {
  const token = cursor.peek()
  if (token.kind === "number") {
    cursor.next()
    return { _tag: "Number", text: token.text }
  }
  if (token.kind === "text") return literalOf(cursor, cursor.next())
  if (token.kind !== "word") return undefined
  if (token.text === "ALL") {
    const next = cursor.peek(1)
    const constant = figurativeOf(next.text)
    if (next.kind === "text") {
      cursor.next()
      return { _tag: "All", value: cursor.next().text }
    }
    if (next.kind !== "word" || constant === undefined) return undefined
    cursor.next()
    cursor.next()
    return figurative(constant)
  }
  const constant = figurativeOf(token.text)
  if (constant !== undefined) {
    cursor.next()
    return figurative(constant)
  }
  if (token.text === "FUNCTION" && cursor.peek(1).kind === "word") {
    cursor.next()
    return functionCall(cursor)
  }
  if (token.text === "LENGTH" && (cursor.isWord("OF", 1) || cursor.isName(1))) {
    cursor.next()
    cursor.accept("OF")
    return { _tag: "LengthOf", of: operand(cursor) ?? { _tag: "Text", value: "", kind: "text" } }
  }
  if (token.text === "ADDRESS" && cursor.isWord("OF", 1) && cursor.isName(2)) {
    cursor.next()
    cursor.next()
    const of = reference(cursor)
    return of === undefined ? undefined : { _tag: "AddressOf", of }
  }
  if (cursor.plainFunctions.has(token.text) && cursor.isSymbol("(", 1)) return functionCall(cursor)
  return reference(cursor)
}

const conditionTags = new Set([
  "Relation",
  "ClassTest",
  "SignTest",
  "ConditionName",
  "Not",
  "And",
  "Or",
  "UnknownCondition"
])

/** True when a parenthesis or operand turned out to be a condition. */
export const isCondition = (node: Expression | Condition): node is Condition => conditionTags.has(node._tag)

type Node = Expression | Condition

const missing: Expression = { _tag: "Text", value: "", kind: "text" }

const negated = (node: Node): Node => {
  if (isCondition(node)) return node
  if (node._tag !== "Number") return { _tag: "Negate", operand: node }
  return { _tag: "Number", text: node.text.startsWith("-") ? node.text.slice(1) : `-${node.text}` }
}

const primary = (cursor: Cursor, parenthesis: ReadParenthesis<Node>): Node => {
  if (cursor.isSymbol("(")) {
    return cursor.nested<Node>(missing, () => {
      cursor.next()
      const inner = parenthesis(cursor)
      if (!cursor.acceptSymbol(")")) cursor.report("error", "A closing parenthesis is missing.")
      return inner
    })
  }
  if (cursor.acceptSymbol("+")) return cursor.nested<Node>(missing, () => primary(cursor, parenthesis))
  if (cursor.acceptSymbol("-"))
    return negated(cursor.nested<Node>(missing, () => primary(cursor, parenthesis)))
  const found = operand(cursor)
  if (found !== undefined) return found
  const { raw, kind } = cursor.peek()
  cursor.report(
    "error",
    `An operand is missing before ${kind === "end" ? "the end" : `"${raw.slice(0, 40)}"`}.`
  )
  return missing
}

const levels: readonly (readonly ArithmeticOperator[])[] = [["+", "-"], ["*", "/"], ["**"]]

const operatorAt = (cursor: Cursor, level: number): ArithmeticOperator | undefined => {
  const token = cursor.peek()
  if (token.kind === "symbol") return levels[level]?.find((symbol) => symbol === token.text)
  // `A -5` reads as a signed literal, but after an operand it can only be a subtraction.
  const isSigned = token.kind === "number" && /^[+-]/.test(token.raw) && !token.afterComma
  return level === 0 && isSigned ? (token.raw.startsWith("-") ? "-" : "+") : undefined
}

const unsignedOperand = (cursor: Cursor): Expression => {
  const text = cursor.next().text
  return { _tag: "Number", text: text.replace(/^-/, "") }
}

const binary = (cursor: Cursor, level: number, parenthesis: ReadParenthesis<Node>): Node => {
  if (level >= levels.length) return primary(cursor, parenthesis)
  let left = binary(cursor, level + 1, parenthesis)
  for (;;) {
    if (isCondition(left)) return left
    const operator = operatorAt(cursor, level)
    if (operator === undefined) return left
    const isSigned = cursor.peek().kind === "number"
    if (!isSigned) cursor.next()
    const right: Node = isSigned ? signedRight(cursor, parenthesis) : binary(cursor, level + 1, parenthesis)
    if (isCondition(right)) {
      cursor.report("error", "A condition stands where a value is expected.")
      return left
    }
    left = { _tag: "Binary", operator, left, right }
  }
}

const signedRight = (cursor: Cursor, parenthesis: ReadParenthesis<Node>): Node => {
  let left: Expression = unsignedOperand(cursor)
  for (;;) {
    const operator = operatorAt(cursor, 2) ?? operatorAt(cursor, 1)
    if (operator === undefined) return left
    cursor.next()
    const right = binary(cursor, operator === "**" ? 3 : 2, parenthesis)
    if (isCondition(right)) return left
    left = { _tag: "Binary", operator, left, right }
  }
}

/** An arithmetic expression whose parentheses may turn out to hold conditions. */
export const arithmeticOrCondition = (cursor: Cursor, parenthesis: ReadParenthesis<Node>): Node =>
  cursor.nested<Node>(missing, () => binary(cursor, 0, parenthesis))

/** An arithmetic expression; a missing operand is reported and read as an empty text. */
export const arithmetic = (cursor: Cursor): Expression => {
  const node = arithmeticOrCondition(cursor, arithmetic)
  return isCondition(node) ? missing : node
}
