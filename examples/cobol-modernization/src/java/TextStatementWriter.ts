import type { Expression, Reference } from "../cobol/Expression.js"
import type { Inspect, InspectBounds, StringStatement, Unstring } from "../cobol/Statement.js"
import { increase } from "./ArithmeticWriter.js"
import { move, storeNumber } from "./Assignment.js"
import { branches } from "./BranchWriter.js"
import { block, javaString } from "./JavaText.js"
import { intCode, type Operand, repeatedText, textCode, Untranslatable } from "./Operand.js"
import { imageCode, type Place, placeOperand } from "./Place.js"
import { type Body, type Translation, through } from "./Translation.js"

const text = (code: string): Operand => ({ _tag: "Text", code, group: false })

const current = (place: Place): string =>
  place.slice === undefined ? imageCode(place) : textCode(placeOperand(place))

const start = (t: Translation, pointer: Reference | undefined): string =>
  pointer === undefined ? "1" : intCode(t.evaluation.value(pointer))

const stored = (t: Translation, target: Reference | undefined, code: string): readonly string[] =>
  target === undefined ? [] : storeNumber(t.evaluation.place(target), code, false)

/** STRING. */
export const stringStatement = (t: Translation, statement: StringStatement): Body => {
  const joiner = t.local("joiner")
  const into = t.evaluation.place(statement.into)
  const lines = [
    `Joiner ${joiner} = new Joiner(${current(into)}, ${start(t, statement.pointer)});`,
    ...statement.sources.flatMap(({ values, delimitedBy }) => {
      const delimiter = delimitedBy === undefined ? "null" : t.evaluation.text(delimitedBy)
      return values.map((value) => `${joiner}.add(${t.evaluation.text(value)}, ${delimiter});`)
    }),
    ...move(into, text(`${joiner}.text()`)),
    ...stored(t, statement.pointer, `${joiner}.pointer()`)
  ]
  const { onOverflow, notOnOverflow } = statement
  if (onOverflow.length === 0 && notOnOverflow.length === 0) return through(lines)
  const decision = branches([
    { condition: `${joiner}.overflow()`, body: t.statements(onOverflow) },
    { body: t.statements(notOnOverflow) }
  ])
  return { lines: [...lines, ...decision.lines], completes: decision.completes }
}

/** UNSTRING. */
export const unstring = (t: Translation, statement: Unstring): Body => {
  const splitter = t.local("splitter")
  const lines = [
    `Splitter ${splitter} = new Splitter(${t.evaluation.text(statement.source)}, ${start(t, statement.pointer)});`,
    ...statement.delimiters.map(
      ({ value, all }) => `${splitter}.delimiter(${t.evaluation.text(value)}, ${all});`
    ),
    ...statement.into.flatMap(({ reference, delimiterIn, countIn }) => {
      const field = t.local("field")
      const place = t.evaluation.place(reference)
      const delimiter =
        delimiterIn === undefined
          ? []
          : move(t.evaluation.place(delimiterIn), text(`${splitter}.delimiter()`))
      return [
        `String ${field} = ${splitter}.next(${place.size});`,
        ...block(`if (${field} != null)`, [
          ...move(place, text(field)),
          ...delimiter,
          ...stored(t, countIn, `${splitter}.count()`)
        ])
      ]
    }),
    ...stored(t, statement.pointer, `${splitter}.pointer()`),
    ...(statement.tallying === undefined
      ? []
      : increase(t.evaluation.place(statement.tallying), `${splitter}.fields()`))
  ]
  const { onOverflow, notOnOverflow } = statement
  if (onOverflow.length === 0 && notOnOverflow.length === 0) return through(lines)
  const decision = branches([
    { condition: `${splitter}.overflow()`, body: t.statements(onOverflow) },
    { body: t.statements(notOnOverflow) }
  ])
  return { lines: [...lines, ...decision.lines], completes: decision.completes }
}

const optional = (t: Translation, value: Expression | undefined): string =>
  value === undefined ? "null" : t.evaluation.text(value)

const bounds = (t: Translation, { before, after }: InspectBounds): string =>
  `${optional(t, before)}, ${optional(t, after)}`

/** INSPECT with one phrase of each kind; several of a kind depend on each other and are not translated. */
export const inspect = (t: Translation, statement: Inspect): Body => {
  if (statement.tallying.length > 1 || statement.replacing.length > 1) {
    throw new Untranslatable("INSPECT with several phrases")
  }
  if (statement.target._tag !== "Reference") throw new Untranslatable("INSPECT of a function")
  const place = t.evaluation.place(statement.target)
  const seen = current(place)
  const [tally] = statement.tallying
  const [replacement] = statement.replacing
  const { converting } = statement
  const lines: string[] = []
  if (tally !== undefined) {
    const counted = `tally(${seen}, ${javaString(tally.kind)}, ${optional(t, tally.value)}, ${bounds(t, tally)})`
    lines.push(...increase(t.evaluation.place(tally.counter), counted))
  }
  if (replacement !== undefined) {
    const value = `${optional(t, replacement.value)}, ${t.evaluation.text(replacement.by)}`
    const code = `replace(${seen}, ${javaString(replacement.kind)}, ${value}, ${bounds(t, replacement)})`
    lines.push(...move(place, text(code)))
  }
  if (converting !== undefined) {
    const from = t.evaluation.text(converting.from)
    const by = repeatedText(t.evaluation.value(converting.to))
    const to =
      by === undefined ? t.evaluation.text(converting.to) : `fill(${javaString(by)}, ${from}.length())`
    lines.push(...move(place, text(`convert(${seen}, ${from}, ${to}, ${bounds(t, converting)})`)))
  }
  return through(lines)
}
