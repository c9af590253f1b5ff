import type { Perform, PerformInline, PerformLoop, Search, VaryingVariable } from "../cobol/Statement.js"
import { increase } from "./ArithmeticWriter.js"
import { move } from "./Assignment.js"
import { block } from "./JavaText.js"
import { intCode, Untranslatable } from "./Operand.js"
import { type Body, followed, sequence, type Translation, through } from "./Translation.js"

const initial = (t: Translation, variable: VaryingVariable): readonly string[] =>
  move(t.evaluation.place(variable.variable), t.evaluation.value(variable.from))

const varying = (
  t: Translation,
  [variable, ...others]: readonly VaryingVariable[],
  testAfter: boolean,
  body: Body,
  label: string
): readonly string[] => {
  if (variable === undefined) return followed(body)
  const inner = others[0]
  const test = block(`if (${t.conditions.write(variable.until)})`, ["break;"])
  const rest = varying(t, others, testAfter, body, "")
  return block(`${label}for (;;)`, [
    ...(inner === undefined ? [] : initial(t, inner)),
    ...(testAfter ? [...rest, ...test] : [...test, ...rest]),
    ...increase(t.evaluation.place(variable.variable), t.evaluation.number(variable.by))
  ])
}

const looped = (t: Translation, loop: PerformLoop, body: Body, label: string): readonly string[] => {
  switch (loop._tag) {
    case "Once":
      return label === "" ? body.lines : block(label.trimEnd(), body.lines)
    case "Forever":
      return block(`${label}while (always())`, body.lines)
    case "Times": {
      const left = t.local("times")
      const count = intCode(t.evaluation.value(loop.count))
      return block(`${label}for (int ${left} = ${count}; ${left} > 0; ${left}--)`, body.lines)
    }
    case "Until": {
      const condition = `!(${t.conditions.write(loop.condition)})`
      if (!loop.testAfter) return block(`${label}while (${condition})`, body.lines)
      return [...block(`${label}do`, followed(body)).slice(0, -1), `} while (${condition});`]
    }
    case "Varying": {
      const first = loop.variables[0]
      if (first === undefined) throw new Untranslatable("VARYING without a variable")
      return [...initial(t, first), ...varying(t, loop.variables, loop.testAfter, body, label)]
    }
  }
}

/** PERFORM of a procedure. */
export const perform = (t: Translation, { procedure, through: end, loop }: Perform): Body => {
  const from = t.range(procedure)
  const to = end === undefined ? from : t.range(end)
  const whole = end === undefined ? from.method : undefined
  const line = whole === undefined ? `perform(${from.first.constant}, ${to.last.constant});` : `${whole}();`
  return through(looped(t, loop, through([line]), ""))
}

/** PERFORM with its body in place. */
export const performInline = (t: Translation, { loop, body: list }: PerformInline): Body => {
  const { body, label } = t.loopBody(list)
  if (loop._tag === "Once") return label === "" ? body : through(looped(t, loop, body, label))
  return through(looped(t, loop, body, label))
}

/** SEARCH; the binary search of SEARCH ALL finds what this search from the first entry finds. */
export const search = (t: Translation, statement: Search): Body => {
  const meaning = t.storage.find(statement.table)
  const occurs = meaning?._tag === "Field" ? meaning.field.item.occurs : undefined
  const indexName = occurs?.indexedBy[0]
  if (occurs === undefined || indexName === undefined)
    throw new Untranslatable("SEARCH of a table without index")
  const varied = statement.varying
  const ownIndex = varied !== undefined && occurs.indexedBy.includes(varied.name)
  const reference = { _tag: "Reference", qualifiers: [], subscripts: [] } as const
  const index = t.evaluation.place({ ...reference, name: ownIndex ? varied.name : indexName })
  const places = varied === undefined || ownIndex ? [index] : [index, t.evaluation.place(varied)]
  const limit =
    occurs.dependingOn === undefined ? String(occurs.max) : intCode(t.evaluation.value(occurs.dependingOn))
  const label = t.local("search")
  const found = (body: Body): Body => sequence([body, { lines: [`break ${label};`], completes: false }])
  const leaving = (body: Body) => (body.completes ? found(body).lines : body.lines)
  const atEnd = t.statements(statement.atEnd)
  const whens = statement.whens.map(({ condition, body }) => ({
    test: t.conditions.write(condition),
    body: t.statements(body)
  }))
  return {
    lines: [
      ...(statement.all ? [`${index.path} = 1;`] : []),
      ...block(`${label}: for (;;)`, [
        ...block(`if (${index.path} < 1 || ${index.path} > ${limit})`, leaving(atEnd)),
        ...whens.flatMap(({ test, body }) => block(`if (${test})`, leaving(body))),
        ...places.flatMap((place) => increase(place, "num(1)"))
      ])
    ],
    completes: atEnd.completes || whens.some(({ body }) => body.completes)
  }
}
