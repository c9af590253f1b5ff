import type { Expression, FunctionCall, Reference } from "../cobol/Expression.js"
import { literalText } from "./FieldType.js"
import {
  computedOperand,
  literalOperand,
  numberCode,
  numberOperand,
  type Operand,
  textCode,
  Untranslatable
} from "./Operand.js"
import { type Place, placeOf, placeOperand } from "./Place.js"
import type { Storage } from "./Storage.js"

const operators = { "+": "add", "-": "subtract", "*": "multiply" } as const

const text = (code: string): Operand => ({ _tag: "Text", code, group: false })

/** Turns COBOL expressions into Java ones over the data of one program. */
export class Evaluation {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** The value of any expression; throws `Untranslatable` for what has no Java form. */
  readonly value = (expression: Expression): Operand => {
    switch (expression._tag) {
      case "Text":
        return literalOperand(literalText(expression))
      case "Number":
        return numberOperand(expression.text)
      case "Figurative":
        return expression
      case "All":
        return expression
      case "Reference":
        return placeOperand(this.place(expression))
      case "LengthOf":
        return this.#length(expression.of)
      case "Binary": {
        const left = this.number(expression.left)
        const right = this.number(expression.right)
        if (expression.operator === "/") return computedOperand(`divide(${left}, ${right})`)
        if (expression.operator === "**") return computedOperand(`power(${left}, ${right})`)
        return computedOperand(`${left}.${operators[expression.operator]}(${right})`)
      }
      case "Negate":
        return computedOperand(`${this.number(expression.operand)}.negate()`)
      case "Function":
        return this.#function(expression)
      case "AddressOf":
        throw new Untranslatable("addresses have no Java form")
    }
  }

  /** The storage that a reference names. */
  place(reference: Reference): Place {
    return placeOf(this.#storage, reference, this.value)
  }

  /** The BigDecimal expression of a numeric expression. */
  number(expression: Expression): string {
    return numberCode(this.value(expression))
  }

  /** The String expression of an expression used as text. */
  text(expression: Expression): string {
    return textCode(this.value(expression))
  }

  #length(of: Expression): Operand {
    if (of._tag === "Reference") return numberOperand(String(this.place(of).size))
    return computedOperand(`num(${this.text(of)}.length())`)
  }

  #function(call: FunctionCall): Operand {
    const result = this.#intrinsic(call)
    if (call.modification === undefined) return result
    const start = `${this.number(call.modification.start)}.intValue()`
    const length = call.modification.length
    const count = length === undefined ? "-1" : `${this.number(length)}.intValue()`
    return text(`part(${textCode(result)}, ${start}, ${count})`)
  }

  #intrinsic(call: FunctionCall): Operand {
    const [first, second] = call.arguments
    if (call.name === "CURRENT-DATE") return text("currentDate()")
    if (first === undefined) throw new Untranslatable(`FUNCTION ${call.name} has no Java form`)
    switch (call.name) {
      case "UPPER-CASE":
        return text(`${this.text(first)}.toUpperCase(java.util.Locale.ROOT)`)
      case "LOWER-CASE":
        return text(`${this.text(first)}.toLowerCase(java.util.Locale.ROOT)`)
      case "REVERSE":
        return text(`reverse(${this.text(first)})`)
      case "TRIM":
        if (second !== undefined) break
        return text(`trim(${this.text(first)})`)
      case "LENGTH":
        return this.#length(first)
      case "NUMVAL":
        return computedOperand(`parse(${this.text(first)})`)
      case "ABS":
        return computedOperand(`${this.number(first)}.abs()`)
      case "INTEGER":
        return computedOperand(`floor(${this.number(first)})`)
      case "INTEGER-PART":
        return computedOperand(`integer(${this.number(first)})`)
      case "MAX":
      case "MIN": {
        const method = call.name.toLowerCase()
        const values = call.arguments.map((argument) => this.number(argument))
        return computedOperand(values.reduce((left, right) => `${left}.${method}(${right})`))
      }
      case "MOD":
      case "REM":
        if (second === undefined) break
        return computedOperand(
          `${call.name === "MOD" ? "modulo" : "remainder"}(${this.number(first)}, ${this.number(second)})`
        )
    }
    throw new Untranslatable(`FUNCTION ${call.name} has no Java form`)
  }
}
