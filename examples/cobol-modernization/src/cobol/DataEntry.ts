import type { Cursor } from "./Cursor.js"
import type { ConditionName, ConditionValue, Occurs, Renames, Usage, ValueLiteral } from "./DataItem.js"
import type { DataDraft } from "./DataLayout.js"
import { operand, reference, startsOperand } from "./ExpressionParser.js"
import { type PictureRules, parsePicture } from "./PictureParser.js"

interface UsageMeaning {
  readonly usage: Usage
  readonly size?: number
}

const usages: ReadonlyMap<string, UsageMeaning> = new Map<string, UsageMeaning>([
  ["DISPLAY", { usage: "DISPLAY" }],
  ...["COMP", "COMPUTATIONAL", "COMP-4", "COMPUTATIONAL-4", "BINARY"].map((word): [string, UsageMeaning] => [
    word,
    { usage: "BINARY" }
  ]),
  ...["COMP-3", "COMPUTATIONAL-3", "PACKED-DECIMAL"].map((word): [string, UsageMeaning] => [
    word,
    { usage: "COMP-3" }
  ]),
  ...["COMP-1", "COMPUTATIONAL-1", "FLOAT-SHORT"].map((word): [string, UsageMeaning] => [
    word,
    { usage: "COMP-1" }
  ]),
  ...["COMP-2", "COMPUTATIONAL-2", "FLOAT-LONG"].map((word): [string, UsageMeaning] => [
    word,
    { usage: "COMP-2" }
  ]),
  ...["COMP-5", "COMPUTATIONAL-5"].map((word): [string, UsageMeaning] => [word, { usage: "COMP-5" }]),
  ...["COMP-6", "COMPUTATIONAL-6"].map((word): [string, UsageMeaning] => [word, { usage: "COMP-6" }]),
  ...["COMP-X", "COMPUTATIONAL-X"].map((word): [string, UsageMeaning] => [word, { usage: "COMP-X" }]),
  ["INDEX", { usage: "INDEX" }],
  ["POINTER", { usage: "POINTER" }],
  ["FUNCTION-POINTER", { usage: "POINTER" }],
  ["PROGRAM-POINTER", { usage: "POINTER" }],
  ["PROCEDURE-POINTER", { usage: "POINTER", size: 8 }],
  ["NATIONAL", { usage: "NATIONAL" }],
  ["DISPLAY-1", { usage: "NATIONAL" }],
  ["BINARY-CHAR", { usage: "COMP-5", size: 1 }],
  ["BINARY-SHORT", { usage: "COMP-5", size: 2 }],
  ["BINARY-LONG", { usage: "COMP-5", size: 4 }],
  ["BINARY-INT", { usage: "COMP-5", size: 4 }],
  ["BINARY-DOUBLE", { usage: "COMP-5", size: 8 }],
  ["OBJECT", { usage: "OTHER" }]
])

const clauseWords = new Set(
  `PIC PICTURE USAGE VALUE VALUES REDEFINES RENAMES OCCURS SIGN LEADING TRAILING JUSTIFIED JUST BLANK
  SYNCHRONIZED SYNC EXTERNAL GLOBAL INDEXED ASCENDING DESCENDING DEPENDING CONSTANT TYPEDEF IS`.split(/\s+/)
)

const isClauseWord = (word: string): boolean => clauseWords.has(word) || usages.has(word)

const isLevel = (text: string): boolean => /^(?:0?[1-9]|[1-4]\d|66|77|78|88)$/.test(text)

/** True where a data description entry starts: a level number before a name, a clause or a period. */
export const startsEntry = (cursor: Cursor): boolean => {
  const token = cursor.peek()
  const next = cursor.peek(1)
  return token.kind === "number" && isLevel(token.raw) && (next.kind === "word" || next.kind === "period")
}

const startsHeader = (cursor: Cursor): boolean => cursor.isWord("SECTION", 1) || cursor.isWord("DIVISION", 1)

const endsEntry = (cursor: Cursor): boolean =>
  cursor.isAtEnd ||
  cursor.isPeriod() ||
  cursor.peek().kind === "exec" ||
  startsHeader(cursor) ||
  (cursor.peek().first && startsEntry(cursor))

const valueLiteral = (cursor: Cursor, rules: PictureRules): ValueLiteral | undefined => {
  if (!startsOperand(cursor) || isClauseWord(cursor.peek().text)) return undefined
  const isNextEntry = cursor.peek().first && startsEntry(cursor) && !cursor.isPeriod(1)
  if (isNextEntry && !cursor.isWord("THRU", 1) && !cursor.isWord("THROUGH", 1)) return undefined
  const found = operand(cursor)
  if (found === undefined) return undefined
  if (
    found._tag === "Text" ||
    found._tag === "Number" ||
    found._tag === "Figurative" ||
    found._tag === "All"
  ) {
    return found
  }
  const constant = found._tag === "Reference" ? rules.constants.get(found.name) : undefined
  if (constant === undefined) {
    cursor.report("warning", "The VALUE is neither a literal nor a known constant.")
    return { _tag: "Text", value: found._tag === "Reference" ? found.name : "", kind: "text" }
  }
  return /^-?[\d.]+$/.test(constant)
    ? { _tag: "Number", text: constant }
    : { _tag: "Text", value: constant, kind: "text" }
}

const conditionName = (cursor: Cursor, rules: PictureRules): ConditionName | undefined => {
  const { at } = cursor
  const name = cursor.peek().kind === "word" ? cursor.next().text : undefined
  if (name === undefined) return undefined
  cursor.accept("VALUE", "VALUES")
  cursor.accept("IS", "ARE")
  const values: ConditionValue[] = []
  for (let from = valueLiteral(cursor, rules); from !== undefined; from = valueLiteral(cursor, rules)) {
    const through = cursor.accept("THRU", "THROUGH") === undefined ? undefined : valueLiteral(cursor, rules)
    values.push(through === undefined ? { from } : { from, through })
  }
  let whenFalse: ValueLiteral | undefined
  if (cursor.accept("WHEN", "FALSE") !== undefined) {
    while (cursor.accept("SET", "TO", "FALSE", "IS") !== undefined);
    whenFalse = valueLiteral(cursor, rules)
  }
  return whenFalse === undefined ? { name, at, values } : { name, at, values, whenFalse }
}

const nameList = (cursor: Cursor): readonly string[] => {
  const names: string[] = []
  while (cursor.isName() && !isClauseWord(cursor.peek().text) && !startsHeader(cursor))
    names.push(cursor.next().text)
  return names
}

const countOf = (cursor: Cursor, rules: PictureRules): number | undefined => {
  const token = cursor.peek()
  const text = token.kind === "word" ? rules.constants.get(token.text) : token.text
  const number = Number.parseInt(text ?? "", 10)
  if ((token.kind !== "number" && token.kind !== "word") || !Number.isFinite(number)) return undefined
  cursor.next()
  return number
}

const occurs = (cursor: Cursor, rules: PictureRules): Occurs => {
  const first = countOf(cursor, rules)
  if (first === undefined) {
    cursor.report("error", "OCCURS has no number.")
    if (cursor.accept("UNBOUNDED", "ANY") === undefined && cursor.isName()) cursor.next()
  }
  const last = cursor.accept("TO") === undefined ? first : countOf(cursor, rules)
  cursor.accept("TIMES")
  let dependingOn: Occurs["dependingOn"]
  const indexedBy: string[] = []
  const keys: Occurs["keys"][number][] = []
  for (;;) {
    if (cursor.accept("DEPENDING") !== undefined) {
      cursor.accept("ON")
      dependingOn = reference(cursor)
      continue
    }
    const order = cursor.accept("ASCENDING", "DESCENDING")
    if (order !== undefined) {
      cursor.accept("KEY")
      cursor.accept("IS")
      keys.push({ ascending: order === "ASCENDING", names: nameList(cursor) })
      continue
    }
    if (cursor.accept("INDEXED") === undefined) break
    cursor.accept("BY")
    indexedBy.push(...nameList(cursor))
  }
  const max = last ?? first ?? 1
  const base = { min: first ?? 1, max, indexedBy, keys }
  return dependingOn === undefined ? base : { ...base, dependingOn }
}

const sign = (cursor: Cursor, draft: DataDraft): void => {
  cursor.accept("SIGN")
  cursor.accept("IS")
  const leading = cursor.accept("LEADING", "TRAILING") === "LEADING"
  const separate = cursor.accept("SEPARATE") !== undefined
  cursor.accept("CHARACTER")
  draft.sign = { leading, separate }
}

const usage = (cursor: Cursor, draft: DataDraft): boolean => {
  const hasWord = cursor.accept("USAGE") !== undefined
  if (hasWord) cursor.accept("IS")
  const word = cursor.peek().kind === "word" ? cursor.peek().text : ""
  const meaning = usages.get(word)
  if (meaning === undefined) {
    if (!hasWord) return false
    cursor.report("warning", `The usage ${word} is not known.`)
    if (cursor.isName()) cursor.next()
    draft.usage = "OTHER"
    return true
  }
  cursor.next()
  draft.usage = meaning.usage
  if (meaning.size !== undefined) draft.fixedSize = meaning.size
  if (word === "OBJECT" && cursor.accept("REFERENCE") !== undefined) nameList(cursor)
  if (word.startsWith("BINARY-")) cursor.accept("SIGNED", "UNSIGNED")
  if (word === "POINTER") cursor.accept("TO")
  return true
}

const flags = {
  JUSTIFIED: "justified",
  JUST: "justified",
  SYNCHRONIZED: "synchronized",
  SYNC: "synchronized",
  EXTERNAL: "external",
  GLOBAL: "global"
} as const

const clause = (cursor: Cursor, draft: DataDraft, rules: PictureRules): boolean => {
  cursor.accept("IS")
  if (cursor.accept("PIC", "PICTURE") !== undefined) {
    cursor.accept("IS")
    if (cursor.peek().kind !== "picture") return false
    draft.picture = parsePicture(cursor.next().text, rules)
    return true
  }
  if (cursor.accept("VALUE", "VALUES") !== undefined) {
    cursor.accept("IS", "ARE")
    const value = valueLiteral(cursor, rules)
    if (value !== undefined) draft.value = value
    // A table may be given one value per occurrence; the first stands for them all.
    while (valueLiteral(cursor, rules) !== undefined);
    return value !== undefined
  }
  if (cursor.accept("REDEFINES") !== undefined) {
    const name = cursor.name()
    if (name !== undefined) draft.redefines = name
    return name !== undefined
  }
  if (cursor.accept("OCCURS") !== undefined) {
    draft.occurs = occurs(cursor, rules)
    return true
  }
  if (cursor.isAnyWord("SIGN", "LEADING", "TRAILING")) {
    sign(cursor, draft)
    return true
  }
  if (cursor.accept("BLANK") !== undefined) {
    cursor.accept("WHEN")
    draft.blankWhenZero = cursor.accept("ZERO", "ZEROS", "ZEROES") !== undefined
    return draft.blankWhenZero
  }
  const flag = cursor.accept("JUSTIFIED", "JUST", "SYNCHRONIZED", "SYNC", "EXTERNAL", "GLOBAL")
  if (flag !== undefined) {
    draft[flags[flag as keyof typeof flags]] = true
    cursor.accept("RIGHT", "LEFT")
    if (cursor.accept("AS") !== undefined) operand(cursor)
    return true
  }
  return usage(cursor, draft)
}

const renames = (cursor: Cursor): Renames | undefined => {
  const { at } = cursor
  const name = cursor.name()
  if (name === undefined || cursor.accept("RENAMES") === undefined) return undefined
  const from = reference(cursor)?.name
  if (from === undefined) return undefined
  const through = cursor.accept("THRU", "THROUGH") === undefined ? undefined : reference(cursor)?.name
  return through === undefined ? { name, at, from } : { name, at, from, through }
}

const screenWords = new Set(
  `LINE COL COLUMN FOREGROUND-COLOR BACKGROUND-COLOR FOREGROUND-COLOUR BACKGROUND-COLOUR HIGHLIGHT LOWLIGHT
  UNDERLINE REVERSE-VIDEO BLINK AUTO REQUIRED SECURE FULL BELL BEEP ERASE PROMPT`.split(/\s+/)
)

const isScreenClause = (cursor: Cursor): boolean =>
  screenWords.has(cursor.peek().text) ||
  cursor.isAnyWord("USING", "FROM", "TO") ||
  (cursor.isWord("BLANK") && (cursor.isWord("SCREEN", 1) || cursor.isWord("LINE", 1)))

/** What one data description entry turned out to be. */
export type DataEntry =
  | { readonly _tag: "Item"; readonly draft: DataDraft }
  | { readonly _tag: "Condition"; readonly condition: ConditionName }
  | { readonly _tag: "Renames"; readonly renames: Renames }
  | { readonly _tag: "Broken" }

const item = (cursor: Cursor, level: number, rules: PictureRules): DataEntry => {
  const at = cursor.at
  const token = cursor.peek()
  const isPlaced = screenWords.has(token.text) && !cursor.isPeriod(1) && !isClauseWord(cursor.peek(1).text)
  const hasName = token.kind === "word" && !isClauseWord(token.text) && !isPlaced
  const draft: DataDraft = {
    level,
    name: hasName ? cursor.next().text : "FILLER",
    at,
    justified: false,
    blankWhenZero: false,
    synchronized: false,
    external: false,
    global: false,
    conditions: [],
    renames: [],
    children: []
  }
  if (cursor.accept("CONSTANT") !== undefined) {
    cursor.accept("IS")
    cursor.accept("GLOBAL")
    cursor.accept("AS")
    const value = valueLiteral(cursor, rules)
    draft.level = 78
    if (value !== undefined) draft.value = value
  }
  while (!endsEntry(cursor)) {
    const before = cursor.index
    if (isScreenClause(cursor)) {
      cursor.report("note", "The clauses of a screen item are skipped.")
      while (!endsEntry(cursor)) cursor.next()
      break
    }
    if (clause(cursor, draft, rules)) continue
    cursor.report("warning", `"${cursor.peek().raw.slice(0, 40)}" is no clause of a data description.`)
    if (cursor.index === before) cursor.next()
  }
  return { _tag: "Item", draft }
}

/** Reads one entry from its level number to its period; clauses it does not know are reported and skipped. */
export const dataEntry = (cursor: Cursor, rules: PictureRules): DataEntry => {
  const level = Number.parseInt(cursor.next().text, 10)
  const entry = ((): DataEntry => {
    if (level === 88) {
      const condition = conditionName(cursor, rules)
      return condition === undefined ? { _tag: "Broken" } : { _tag: "Condition", condition }
    }
    if (level === 66) {
      const found = renames(cursor)
      return found === undefined ? { _tag: "Broken" } : { _tag: "Renames", renames: found }
    }
    return item(cursor, level, rules)
  })()
  if (cursor.acceptPeriod()) return entry
  cursor.report("warning", "The data description does not end with a period.")
  while (!endsEntry(cursor)) cursor.next()
  cursor.acceptPeriod()
  return entry
}
