import type { Expression } from "../cobol/Expression.js"
import type {
  Add,
  ArithmeticTarget,
  Compute,
  Divide,
  Multiply,
  SizeError,
  Subtract
} from "../cobol/Statement.js"
import { holds, storeNumber } from "./Assignment.js"
import { branches } from "./BranchWriter.js"
import { block } from "./JavaText.js"
import { canFail, numberCode, Untranslatable } from "./Operand.js"
import { assign, type Place, placeOperand } from "./Place.js"
import { type Body, type Translation, through } from "./Translation.js"

interface Result {
  readonly place: Place
  readonly code: string
  readonly rounded: boolean
  readonly fails: boolean
}

const rounding = ({ place, rounded }: Result, code: string): string =>
  rounded && place.type._tag === "Number" ? `${place.type.constant}.round(${code})` : code

const checked = (t: Translation, result: Result, failure: string): readonly string[] => {
  const value = t.local("value")
  const computed = result.fails ? `attempt(() -> ${result.code})` : result.code
  const keptRounding = result.place.type._tag === "Number" ? false : result.rounded
  return [
    `BigDecimal ${value} = ${rounding(result, computed)};`,
    ...block(`if (${holds(result.place, value)})`, storeNumber(result.place, value, keptRounding)).slice(
      0,
      -1
    ),
    ...block("} else", [`${failure} = true;`])
  ]
}

const unchecked = (t: Translation, result: Result): readonly string[] => {
  if (!result.fails) return storeNumber(result.place, result.code, result.rounded)
  const value = t.local("value")
  return [
    `BigDecimal ${value} = attempt(() -> ${result.code});`,
    ...block(`if (${value} != null)`, storeNumber(result.place, value, result.rounded))
  ]
}

const storing = (
  t: Translation,
  phrase: SizeError,
  before: readonly string[],
  results: readonly Result[]
): Body => {
  if (phrase.onSizeError.length === 0 && phrase.notOnSizeError.length === 0) {
    return through([...before, ...results.flatMap((result) => unchecked(t, result))])
  }
  const failure = t.local("sizeError")
  const stores = [
    ...before,
    `boolean ${failure} = false;`,
    ...results.flatMap((result) => checked(t, result, failure))
  ]
  const decision = branches([
    { condition: failure, body: t.statements(phrase.onSizeError) },
    { body: t.statements(phrase.notOnSizeError) }
  ])
  return { lines: [...stores, ...decision.lines], completes: decision.completes }
}

const once = (t: Translation, name: string, code: string, fails: boolean, uses: number) => {
  if (uses < 2 || fails) return { before: [], code }
  const local = t.local(name)
  return { before: [`BigDecimal ${local} = ${code};`], code: local }
}

const targetsOf = (t: Translation, targets: readonly ArithmeticTarget[]) =>
  targets.map(({ reference, rounded }) => ({ place: t.evaluation.place(reference), rounded }))

const current = (place: Place): string => numberCode(placeOperand(place))

const sum = (t: Translation, operands: readonly Expression[]): string =>
  operands.map((operand) => t.evaluation.number(operand)).reduce((left, right) => `${left}.add(${right})`)

/** ADD in both forms. */
export const add = (t: Translation, statement: Add): Body => {
  if (statement.corresponding) throw new Untranslatable("ADD CORRESPONDING")
  const fails = statement.operands.some(canFail)
  const operands = once(t, "sum", sum(t, statement.operands), fails, statement.targets.length)
  const results = targetsOf(t, statement.targets).map(({ place, rounded }) => ({
    place,
    rounded,
    fails,
    code: statement.giving ? operands.code : `${current(place)}.add(${operands.code})`
  }))
  return storing(t, statement, operands.before, results)
}

/** SUBTRACT in both forms. */
export const subtract = (t: Translation, statement: Subtract): Body => {
  if (statement.corresponding) throw new Untranslatable("SUBTRACT CORRESPONDING")
  const fails = statement.operands.some(canFail)
  const operands = once(t, "sum", sum(t, statement.operands), fails, statement.targets.length)
  const from = statement.from === undefined ? undefined : t.evaluation.number(statement.from)
  const results = targetsOf(t, statement.targets).map(({ place, rounded }) => ({
    place,
    rounded,
    fails,
    code: `${from ?? current(place)}.subtract(${operands.code})`
  }))
  return storing(t, statement, operands.before, results)
}

/** MULTIPLY in both forms. */
export const multiply = (t: Translation, statement: Multiply): Body => {
  const operand = t.evaluation.number(statement.operand)
  const factor = once(t, "factor", operand, false, statement.targets.length)
  const by = statement.by === undefined ? undefined : t.evaluation.number(statement.by)
  const results = targetsOf(t, statement.targets).map(({ place, rounded }) => ({
    place,
    rounded,
    fails: false,
    code: `${by ?? current(place)}.multiply(${factor.code})`
  }))
  return storing(t, statement, factor.before, results)
}

/** DIVIDE in its forms, with the remainder of the quotient as the first target keeps it. */
export const divide = (t: Translation, statement: Divide): Body => {
  const divisor = once(t, "divisor", t.evaluation.number(statement.divisor), false, 2)
  const targets = targetsOf(t, statement.targets)
  const whole = statement.dividend === undefined ? undefined : t.evaluation.number(statement.dividend)
  const dividend = whole === undefined ? undefined : once(t, "dividend", whole, false, 2)
  const results: Result[] = targets.map(({ place, rounded }) => ({
    place,
    rounded,
    fails: true,
    code: `divide(${dividend?.code ?? current(place)}, ${divisor.code})`
  }))
  if (statement.remainder !== undefined) {
    const first = results[0]
    if (dividend === undefined || first?.place.type._tag !== "Number") {
      throw new Untranslatable("REMAINDER without a numeric quotient")
    }
    const quotient = `${first.place.type.constant}.toDecimal(${first.code})`
    results.push({
      place: t.evaluation.place(statement.remainder),
      rounded: false,
      fails: true,
      code: `${dividend.code}.subtract(${quotient}.multiply(${divisor.code}))`
    })
  }
  return storing(t, statement, [...divisor.before, ...(dividend?.before ?? [])], results)
}

/** COMPUTE. */
export const compute = (t: Translation, statement: Compute): Body => {
  const fails = canFail(statement.expression)
  const value = once(t, "result", t.evaluation.number(statement.expression), fails, statement.targets.length)
  const results = targetsOf(t, statement.targets).map(({ place, rounded }) => ({
    place,
    rounded,
    fails,
    code: value.code
  }))
  return storing(t, statement, value.before, results)
}

/** The lines that change a number by a value, as SET UP BY and the steps of VARYING do. */
export const increase = (
  place: Place,
  by: string,
  operation: "add" | "subtract" = "add"
): readonly string[] => {
  const step = /^num\((-?\d+)\)$/.exec(by)?.[1]
  return step !== undefined && place.type._tag === "Number" && place.type.usage === "INDEX"
    ? assign(
        place,
        `${place.path} ${operation === "add" ? "+" : "-"} ${step.startsWith("-") ? `(${step})` : step}`
      )
    : storeNumber(place, `${current(place)}.${operation}(${by})`, false)
}
