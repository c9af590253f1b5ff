import type { ClassTest, Condition, Reference, SignTest } from "../cobol/Expression.js"
import { relation } from "./Comparison.js"
import type { Evaluation } from "./Evaluation.js"
import type { ConditionMethods } from "./Field.js"
import { numberCode, textCode, Untranslatable } from "./Operand.js"
import { fieldPlace, imageCode, methodOwner } from "./Place.js"
import type { Storage } from "./Storage.js"

const classTests: Readonly<Record<string, string>> = {
  ALPHABETIC: "isAlphabetic",
  "ALPHABETIC-LOWER": "isLower",
  "ALPHABETIC-UPPER": "isUpper"
}

const wrapped = (code: string): string => (/^[\w.[\]]+\([^()]*\)$/.test(code) ? code : `(${code})`)

/** Turns COBOL conditions into Java ones. */
export class ConditionWriter {
  readonly #storage: Storage
  readonly #evaluation: Evaluation

  constructor(storage: Storage, evaluation: Evaluation) {
    this.#storage = storage
    this.#evaluation = evaluation
  }

  /** The Java condition; never one that the Java compiler itself could work out. */
  write(condition: Condition): string {
    switch (condition._tag) {
      case "Relation": {
        const left = this.#evaluation.value(condition.left)
        return relation(condition.operator, left, this.#evaluation.value(condition.right))
      }
      case "ClassTest":
        return this.#classTest(condition)
      case "SignTest":
        return this.#signTest(condition)
      case "ConditionName":
        return this.#conditionName(condition.reference)
      case "Not":
        return `!${wrapped(this.write(condition.condition))}`
      case "And":
        return condition.conditions.map((each) => this.#operand(each, "Or")).join(" && ")
      case "Or":
        return condition.conditions.map((each) => this.#operand(each, "And")).join(" || ")
      case "UnknownCondition":
        throw new Untranslatable(condition.text)
    }
  }

  /** The lines that make a level 88 true or false. */
  set(reference: Reference, value: boolean): readonly string[] {
    const methods = this.#methods(reference)
    if (!value && methods.condition.whenFalse === undefined) {
      throw new Untranslatable(`${reference.name} has no FALSE value`)
    }
    const { prefix, index } = methodOwner(methods.field, reference.subscripts, this.#evaluation.value)
    const place = fieldPlace(methods.field, reference.subscripts, this.#evaluation.value)
    const first = index === undefined ? "" : `${index}, `
    return [`${prefix}${methods.set}(${first}${value});`, ...place.after]
  }

  #operand(condition: Condition, looser: "Or" | "And"): string {
    const code = this.write(condition)
    return condition._tag === looser ? wrapped(code) : code
  }

  #methods(reference: Reference): ConditionMethods {
    const meaning = this.#storage.find(reference)
    if (meaning?._tag !== "Condition") throw new Untranslatable(`${reference.name} is no condition name`)
    return meaning.methods
  }

  #conditionName(reference: Reference): string {
    const methods = this.#methods(reference)
    const { prefix, index } = methodOwner(methods.field, reference.subscripts, this.#evaluation.value)
    return `${prefix}${methods.test}(${index ?? ""})`
  }

  #classTest({ operand, test, negated }: ClassTest): string {
    const not = negated ? "!" : ""
    const value = this.#evaluation.value(operand)
    if (test === "NUMERIC") {
      if (operand._tag === "Reference") {
        const place = this.#evaluation.place(operand)
        if (place.type._tag === "Number" && place.slice === undefined) {
          return `${not}${place.type.constant}.isNumeric(${imageCode(place)})`
        }
      }
      return `${not}isDigits(${textCode(value)})`
    }
    const method = classTests[test]
    if (method === undefined) throw new Untranslatable(`class test ${test}`)
    return `${not}${method}(${textCode(value)})`
  }

  #signTest({ operand, sign, negated }: SignTest): string {
    const operators = { POSITIVE: [">", "<="], NEGATIVE: ["<", ">="], ZERO: ["==", "!="] } as const
    const value = numberCode(this.#evaluation.value(operand))
    return `${value}.signum() ${operators[sign][negated ? 1 : 0]} 0`
  }
}
