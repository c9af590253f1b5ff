import type { Condition } from "../cobol/Expression.js"
import type { Evaluate, EvaluateSubject, EvaluateTest, GoTo, If } from "../cobol/Statement.js"
import { relation } from "./Comparison.js"
import { block } from "./JavaText.js"
import { intCode, Untranslatable } from "./Operand.js"
import { placeOperand } from "./Place.js"
import { type Body, jump, type Translation, through } from "./Translation.js"

/** A body with the Java condition that leads to it; without one it is the ELSE. */
export interface Branch {
  readonly condition?: string
  readonly body: Body
}

/** An if-else chain; empty bodies at the end are left out. */
export const branches = (list: readonly Branch[]): Body => {
  const kept = [...list]
  while (kept.length > 1 && kept.at(-1)?.body.lines.length === 0 && kept.at(-1)?.condition === undefined)
    kept.pop()
  const lines: string[] = []
  for (const { condition, body } of kept) {
    const test = condition === undefined ? "" : `if (${condition})`
    if (lines.length === 0) {
      if (test === "") return body
      lines.push(...block(test, body.lines))
    } else {
      lines.pop()
      lines.push(...block(test === "" ? "} else" : `} else ${test}`, body.lines))
    }
  }
  const last = kept.at(-1)
  const exhaustive = last !== undefined && last.condition === undefined
  return { lines, completes: !exhaustive || kept.some(({ body }) => body.completes) }
}

/** IF with its ELSE. */
export const ifStatement = (t: Translation, statement: If): Body => {
  const condition = t.conditions.write(statement.condition)
  return branches([
    { condition, body: t.statements(statement.then) },
    { body: t.statements(statement.otherwise) }
  ])
}

const truth = (t: Translation, condition: Condition, wanted: boolean): string => {
  const code = t.conditions.write(condition)
  return wanted ? code : `!(${code})`
}

const column = (
  t: Translation,
  subject: EvaluateSubject | undefined,
  test: EvaluateTest
): string | undefined => {
  if (test._tag === "Any") return undefined
  if (subject === undefined) throw new Untranslatable("a WHEN with more values than EVALUATE has subjects")
  if (test._tag === "Condition") return truth(t, test.condition, subject._tag !== "False")
  if (test._tag === "True" || test._tag === "False") {
    const wanted = test._tag === "True"
    if (subject._tag === "Condition") return truth(t, subject.condition, wanted)
    if (subject._tag === "True" || subject._tag === "False") {
      return (subject._tag === "True") === wanted ? "always()" : "!always()"
    }
    throw new Untranslatable("a truth value compared with data")
  }
  if (subject._tag !== "Value") throw new Untranslatable("data compared with a truth value")
  const left = t.evaluation.value(subject.value)
  const low = t.evaluation.value(test.value)
  const code =
    test.through === undefined
      ? relation("=", left, low)
      : `${relation(">=", left, low)} && ${relation("<=", left, t.evaluation.value(test.through))}`
  return test.negated ? `!(${code})` : code
}

const enclosed = (code: string, several: boolean): string =>
  several && /&&|\|\|/.test(code) ? `(${code})` : code

const when = (
  t: Translation,
  subjects: readonly EvaluateSubject[],
  tests: readonly EvaluateTest[]
): string => {
  const codes = tests
    .map((test, place) => column(t, subjects[place], test))
    .filter((code) => code !== undefined)
  if (codes.length === 0) return "always()"
  return codes.map((code) => enclosed(code, codes.length > 1)).join(" && ")
}

/** EVALUATE as an if-else chain. */
export const evaluate = (t: Translation, { subjects, branches: list, otherwise }: Evaluate): Body => {
  const chain: Branch[] = list.map(({ whens, body }) => ({
    condition: whens.map((tests) => enclosed(when(t, subjects, tests), whens.length > 1)).join(" || "),
    body: t.statements(body)
  }))
  return branches([...chain, { body: t.statements(otherwise) }])
}

/** GO TO, also with DEPENDING ON. */
export const goTo = (t: Translation, { targets, dependingOn }: GoTo): Body => {
  const numbers = targets.map((target) => t.range(target).first.constant)
  if (dependingOn === undefined) {
    const only = numbers[0]
    if (only === undefined || numbers.length > 1) throw new Untranslatable("GO TO that an ALTER completes")
    return jump([`return ${only};`])
  }
  const choice = t.local("choice")
  const value = intCode(placeOperand(t.evaluation.place(dependingOn)))
  return through([
    `int ${choice} = ${value};`,
    ...numbers.flatMap((number, place) => block(`if (${choice} == ${place + 1})`, [`return ${number};`]))
  ])
}
