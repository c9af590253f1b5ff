import type { ConditionValue, ValueLiteral } from "../cobol/DataItem.js"
import type { RelationalOperator } from "../cobol/Expression.js"
import { literalText } from "./FieldType.js"
import { javaString } from "./JavaText.js"
import { literalOperand, numberCode, numberOperand, type Operand, repeatedText, textCode } from "./Operand.js"

const java = { "=": "==", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=" } as const
const mirrored = { "=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<=" } as const

const isZero = (operand: Operand): boolean => operand._tag === "Figurative" && operand.name === "ZERO"

const constant = (code: string | undefined): boolean => code !== undefined && /^-?\d+$/.test(code)

/** A Java condition for a COBOL relation: algebraic between numbers, otherwise between padded texts. */
export const relation = (operator: RelationalOperator, left: Operand, right: Operand): string => {
  if (repeatedText(left) !== undefined && repeatedText(right) === undefined) {
    return relation(mirrored[operator], right, left)
  }
  const sign = java[operator]
  if (left._tag === "Number" && (right._tag === "Number" || isZero(right))) {
    const native = right._tag === "Number" ? right.native : "0"
    if (left.native !== undefined && native !== undefined && !(constant(left.native) && constant(native))) {
      return `${left.native} ${sign} ${native}`
    }
    return right._tag === "Number"
      ? `${left.code}.compareTo(${numberCode(right)}) ${sign} 0`
      : `${left.code}.signum() ${sign} 0`
  }
  const repeated = repeatedText(right)
  return repeated === undefined
    ? `compareText(${textCode(left)}, ${textCode(right)}) ${sign} 0`
    : `compareFill(${textCode(left)}, ${javaString(repeated === "" ? " " : repeated)}) ${sign} 0`
}

/** The value of a literal in a VALUE clause. */
export const valueOperand = (literal: ValueLiteral): Operand => {
  if (literal._tag === "Text") return literalOperand(literalText(literal))
  return literal._tag === "Number" ? numberOperand(literal.text) : literal
}

/** A Java condition that is true when the value is one of those of a level 88. */
export const anyValue = (subject: Operand, values: readonly ConditionValue[]): string => {
  const tests = values.map(({ from, through }) => {
    const low = valueOperand(from)
    if (through === undefined) return relation("=", subject, low)
    return `${relation(">=", subject, low)} && ${relation("<=", subject, valueOperand(through))}`
  })
  return tests.length === 0 ? "false" : tests.join(" || ")
}
