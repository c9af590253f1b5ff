import type { Expression, FigurativeName } from "../cobol/Expression.js"
import { encoded, type FieldType, figurativeText } from "./FieldType.js"
import { javaString } from "./JavaText.js"

/** Says why a statement has no Java form; the statement becomes a marked line. */
export class Untranslatable extends Error {
  override readonly name = "Untranslatable"
}

/**
 * A value in Java. A number has its BigDecimal expression in `code`, a primitive expression in `native` where
 * there is one, its digits in `digits`, what DISPLAY shows in `shown` and its bytes in `image`.
 */
export type Operand =
  | {
      readonly _tag: "Number"
      readonly code: string
      readonly native?: string
      readonly digits: string
      readonly shown: string
      readonly image: string
    }
  | { readonly _tag: "Text"; readonly code: string; readonly group: boolean; readonly literal?: string }
  | { readonly _tag: "Figurative"; readonly name: FigurativeName }
  | { readonly _tag: "All"; readonly value: string }

/** The value of a field of this type found at this Java path. */
export const fieldOperand = (type: FieldType, path: string): Operand => {
  switch (type._tag) {
    case "Group":
      return { _tag: "Text", code: `${path}.toText()`, group: true }
    case "Text":
    case "Edited":
      return { _tag: "Text", code: path, group: false }
    case "Float": {
      const shown = `displayFloat(${path})`
      return { _tag: "Number", code: `num(${path})`, digits: shown, shown, image: encoded(type, path) }
    }
    case "Number": {
      const forms = {
        digits: `${type.constant}.digits(${path})`,
        shown: `${type.constant}.display(${path})${type.comma ? ".replace('.', ',')" : ""}`,
        image: encoded(type, path)
      }
      return type.java === "BigDecimal"
        ? { _tag: "Number", code: path, ...forms }
        : { _tag: "Number", code: `num(${path})`, native: path, ...forms }
    }
  }
}

/** The value of a text literal. */
export const literalOperand = (literal: string): Operand => ({
  _tag: "Text",
  code: javaString(literal),
  group: false,
  literal
})

/** The value of a numeric literal. */
export const numberOperand = (text: string): Operand => {
  const digits = javaString(text.replace(/[^0-9]/g, ""))
  const shown = { digits, shown: javaString(text.replace(/^\+/, "")), image: digits }
  return /^[+-]?\d{1,9}$/.test(text)
    ? { _tag: "Number", code: `num(${Number(text)})`, native: String(Number(text)), ...shown }
    : { _tag: "Number", code: `num(${javaString(text)})`, ...shown }
}

/** A computed BigDecimal; it can be calculated with, compared and stored, but has no digits of its own. */
export const computedOperand = (code: string): Operand => {
  const shown = `${code}.toPlainString()`
  return { _tag: "Number", code, digits: shown, shown, image: shown }
}

/** The BigDecimal expression of a value. */
export const numberCode = (operand: Operand): string => {
  if (operand._tag === "Number") return operand.code
  if (operand._tag === "Text") return `parse(${operand.code})`
  if (operand._tag === "All") return `parse(${javaString(operand.value)})`
  if (operand.name === "ZERO") return "BigDecimal.ZERO"
  throw new Untranslatable(`${operand.name} is no number`)
}

/** A Java int expression of a value, for positions and counts. */
export const intCode = (operand: Operand): string =>
  operand._tag === "Number" && operand.native !== undefined
    ? /^-?\d+$/.test(operand.native)
      ? operand.native
      : `(int) ${operand.native}`
    : `${numberCode(operand)}.intValue()`

/** The String expression of a value as alphanumeric text. */
export const textCode = (operand: Operand): string => {
  if (operand._tag === "Number") return operand.digits
  if (operand._tag === "Text") return operand.code
  return javaString(operand._tag === "All" ? operand.value : figurativeText(operand.name))
}

/** The text that a figurative constant or ALL literal repeats, or undefined for a value of its own length. */
export const repeatedText = (operand: Operand): string | undefined => {
  if (operand._tag === "Figurative") return figurativeText(operand.name)
  return operand._tag === "All" ? operand.value : undefined
}

/** Whether the expression divides or raises to a power, which can fail at run time. */
export const canFail = (expression: Expression): boolean => {
  switch (expression._tag) {
    case "Binary":
      return (
        expression.operator === "/" ||
        expression.operator === "**" ||
        canFail(expression.left) ||
        canFail(expression.right)
      )
    case "Negate":
      return canFail(expression.operand)
    case "Function":
      return true
    default:
      return false
  }
}
