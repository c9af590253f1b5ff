import type { Cursor } from "./Cursor.js"
import type { Expression, Reference } from "./Expression.js"
import { operand, reference, startsOperand } from "./ExpressionParser.js"
import { operands, overflowBranches, type ReadStatement } from "./Phrases.js"
import type {
  Inspect,
  InspectBounds,
  InspectReplacement,
  InspectTally,
  StringSource,
  UnstringTarget
} from "./Statement.js"

const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }

const pointerPhrase = (cursor: Cursor): Reference | undefined =>
  cursor.acceptAll("WITH", "POINTER") || cursor.accept("POINTER") !== undefined
    ? reference(cursor)
    : undefined

const stringSource = (cursor: Cursor): StringSource | undefined => {
  const values = operands(cursor)
  if (values.length === 0) return undefined
  if (cursor.accept("DELIMITED") === undefined) return { values }
  cursor.accept("BY")
  if (cursor.accept("SIZE") !== undefined) return { values }
  const delimitedBy = operand(cursor)
  return delimitedBy === undefined ? undefined : { values, delimitedBy }
}

const stringStatement: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const sources: StringSource[] = []
  while (startsOperand(cursor)) {
    const source = stringSource(cursor)
    if (source === undefined) return undefined
    sources.push(source)
  }
  if (sources.length === 0 || cursor.accept("INTO") === undefined) return undefined
  const into = reference(cursor)
  if (into === undefined) return undefined
  const pointer = pointerPhrase(cursor)
  const branches = overflowBranches(cursor, body)
  cursor.accept("END-STRING")
  return { _tag: "String", at, sources, into, ...optional("pointer", pointer), ...branches }
}

const unstringTarget = (cursor: Cursor): UnstringTarget | undefined => {
  const target = reference(cursor)
  if (target === undefined) return undefined
  let delimiterIn: Reference | undefined
  let countIn: Reference | undefined
  if (cursor.accept("DELIMITER") !== undefined) {
    cursor.accept("IN")
    delimiterIn = reference(cursor)
  }
  if (cursor.accept("COUNT") !== undefined) {
    cursor.accept("IN")
    countIn = reference(cursor)
  }
  return { reference: target, ...optional("delimiterIn", delimiterIn), ...optional("countIn", countIn) }
}

const delimiters = (cursor: Cursor) => {
  const found: { value: Expression; all: boolean }[] = []
  if (cursor.accept("DELIMITED") === undefined) return found
  cursor.accept("BY")
  do {
    const all = cursor.accept("ALL") !== undefined
    const value = operand(cursor)
    if (value === undefined) break
    found.push({ value, all })
  } while (cursor.accept("OR") !== undefined)
  return found
}

const unstring: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const source = operand(cursor)
  if (source === undefined) return undefined
  const separators = delimiters(cursor)
  if (cursor.accept("INTO") === undefined) return undefined
  const into: UnstringTarget[] = []
  while (cursor.isName()) {
    const target = unstringTarget(cursor)
    if (target === undefined) break
    into.push(target)
  }
  if (into.length === 0) return undefined
  const pointer = pointerPhrase(cursor)
  let tallying: Reference | undefined
  if (cursor.accept("TALLYING") !== undefined) {
    cursor.accept("IN")
    tallying = reference(cursor)
  }
  const branches = overflowBranches(cursor, body)
  cursor.accept("END-UNSTRING")
  const found = { ...optional("pointer", pointer), ...optional("tallying", tallying) }
  return { _tag: "Unstring", at, source, delimiters: separators, into, ...found, ...branches }
}

const bounds = (cursor: Cursor): InspectBounds => {
  let found: InspectBounds = {}
  for (;;) {
    const side = cursor.accept("BEFORE", "AFTER")
    if (side === undefined) return found
    cursor.accept("INITIAL")
    const limit = operand(cursor)
    if (limit === undefined) return found
    found = side === "BEFORE" ? { ...found, before: limit } : { ...found, after: limit }
  }
}

const tallyKinds = ["ALL", "LEADING", "TRAILING"] as const
const replacementKinds = ["ALL", "LEADING", "FIRST", "TRAILING"] as const

const tallies = (cursor: Cursor): readonly InspectTally[] => {
  const found: InspectTally[] = []
  while (cursor.isName()) {
    const counter = reference(cursor)
    if (counter === undefined || cursor.accept("FOR") === undefined) break
    for (;;) {
      if (cursor.accept("CHARACTERS") !== undefined) {
        found.push({ counter, kind: "CHARACTERS", ...bounds(cursor) })
        continue
      }
      const word = cursor.accept(...tallyKinds)
      const kind = tallyKinds.find((candidate) => candidate === word)
      if (kind === undefined) break
      while (startsOperand(cursor) && !(cursor.isName() && isCounter(cursor))) {
        const value = operand(cursor)
        if (value === undefined) break
        found.push({ counter, kind, value, ...bounds(cursor) })
      }
    }
  }
  return found
}

// `TALLYING a FOR ALL x b FOR …`: a name is the next counter when FOR follows it.
const isCounter = (cursor: Cursor): boolean => {
  const start = cursor.index
  const noted = cursor.diagnostics.length
  reference(cursor)
  const found = cursor.isWord("FOR")
  cursor.rewind(start)
  cursor.diagnostics.length = noted
  return found
}

const replacements = (cursor: Cursor): readonly InspectReplacement[] => {
  const found: InspectReplacement[] = []
  for (;;) {
    if (cursor.accept("CHARACTERS") !== undefined) {
      cursor.accept("BY")
      const by = operand(cursor)
      if (by === undefined) return found
      found.push({ kind: "CHARACTERS", by, ...bounds(cursor) })
      continue
    }
    const word = cursor.accept(...replacementKinds)
    const kind = replacementKinds.find((candidate) => candidate === word)
    if (kind === undefined) return found
    while (startsOperand(cursor)) {
      const value = operand(cursor)
      if (value === undefined || cursor.accept("BY") === undefined) return found
      const by = operand(cursor)
      if (by === undefined) return found
      found.push({ kind, value, by, ...bounds(cursor) })
    }
  }
}

const converting = (cursor: Cursor): Inspect["converting"] => {
  if (cursor.accept("CONVERTING") === undefined) return undefined
  const from = operand(cursor)
  if (from === undefined || cursor.accept("TO") === undefined) return undefined
  const to = operand(cursor)
  return to === undefined ? undefined : { from, to, ...bounds(cursor) }
}

const inspect: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const target = operand(cursor)
  if (target === undefined) return undefined
  const tallying = cursor.accept("TALLYING") === undefined ? [] : tallies(cursor)
  const replacing = cursor.accept("REPLACING") === undefined ? [] : replacements(cursor)
  const conversion = converting(cursor)
  cursor.accept("END-INSPECT")
  if (tallying.length === 0 && replacing.length === 0 && conversion === undefined) return undefined
  return { _tag: "Inspect", at, target, tallying, replacing, ...optional("converting", conversion) }
}

/** The statements that take texts apart and put them together. */
export const textStatements: Readonly<Record<string, ReadStatement>> = {
  STRING: stringStatement,
  UNSTRING: unstring,
  INSPECT: inspect
}
