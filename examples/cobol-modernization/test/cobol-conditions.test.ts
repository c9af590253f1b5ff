import { describe, expect, it } from "vitest"
import type { Condition, Expression } from "../src/cobol/Expression.js"
import { first } from "./cobol-program.js"

const data = "01 A PIC 9.\n   88 FLAG-A VALUE 1.\n   88 FLAG-B VALUE 2.\n01 B PIC 9."

const show = (condition: Condition): string => {
  const value = (expression: Expression): string => {
    switch (expression._tag) {
      case "Binary":
        return `(${value(expression.left)}${expression.operator}${value(expression.right)})`
      case "Number":
        return expression.text
      case "Reference":
      case "Figurative":
        return expression.name
      default:
        return expression._tag
    }
  }
  switch (condition._tag) {
    case "Relation":
      return `${value(condition.left)}${condition.operator}${value(condition.right)}`
    case "ClassTest":
      return `${value(condition.operand)} ${condition.negated ? "not " : ""}${condition.test}`
    case "SignTest":
      return `${value(condition.operand)} ${condition.negated ? "not " : ""}${condition.sign}`
    case "ConditionName":
      return condition.reference.name
    case "Not":
      return `!(${show(condition.condition)})`
    case "And":
      return `[${condition.conditions.map(show).join(" & ")}]`
    case "Or":
      return `[${condition.conditions.map(show).join(" | ")}]`
    case "UnknownCondition":
      return "?"
  }
}

const read = (text: string) => show(first("If", `    IF ${text}\n      CONTINUE END-IF.`, data).condition)

describe("conditions", () => {
  it.each([
    ["A = B", "A=B"],
    ["A IS EQUAL TO B", "A=B"],
    ["A EQUALS B", "A=B"],
    ["A NOT = B", "A<>B"],
    ["A <> B", "A<>B"],
    ["A IS NOT GREATER THAN B", "A<=B"],
    ["A IS GREATER THAN OR EQUAL TO B", "A>=B"],
    ["A LESS B", "A<B"],
    ["A IS LESS THAN OR EQUAL TO B", "A<=B"],
    ["A NOT < B", "A>=B"],
    ["A > = B", "A>=B"],
    ["A ¬= B", "A<>B"]
  ])("normalises the relation %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each([
    ["A = 1 OR B = 2 AND NOT A = 3", "[A=1 | [B=2 & !(A=3)]]"],
    ["(A = 1 OR B = 2) AND A = 3", "[[A=1 | B=2] & A=3]"],
    ["NOT (A = 1 OR B = 2)", "!([A=1 | B=2])"],
    ["(A + 1) * 2 > B", "((A+1)*2)>B"],
    ["((A)) = ((B))", "A=B"],
    ["A + B > 5 - A", "(A+B)>(5-A)"]
  ])("respects precedence in %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each([
    ["A = 1 OR 2 OR 3", "[A=1 | A=2 | A=3]"],
    ["A > 1 AND < 5", "[A>1 & A<5]"],
    ["A NOT = 1 AND 2", "[A<>1 & A<>2]"],
    ["A = 1 OR > 5 AND < 9", "[A=1 | [A>5 & A<9]]"],
    ["A = 1 AND NOT = 2", "[A=1 & A<>2]"],
    ["A = 1 OR B", "[A=1 | A=B]"],
    ["A = 1 OR FLAG-A", "[A=1 | FLAG-A]"],
    ["A = (1 OR 2)", "[A=1 | A=2]"],
    ["A = 1 OR 2 AND B = 3 OR 4", "[A=1 | [A=2 & B=3] | B=4]"],
    ["A = 1 AND (B = 2 OR 3)", "[A=1 & [B=2 | B=3]]"]
  ])("writes out the abbreviation %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each([
    ["A NUMERIC", "A NUMERIC"],
    ["A IS NOT ALPHABETIC", "A not ALPHABETIC"],
    ["A IS HEXDIGIT", "A HEXDIGIT"],
    ["A POSITIVE", "A POSITIVE"],
    ["A IS NOT ZERO", "A not ZERO"],
    ["A - B IS NEGATIVE", "(A-B) NEGATIVE"],
    ["FLAG-A AND NOT FLAG-B", "[FLAG-A & !(FLAG-B)]"],
    ["A = SPACES OR LOW-VALUES", "[A=SPACE | A=LOW-VALUE]"]
  ])("reads the test %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })
})
