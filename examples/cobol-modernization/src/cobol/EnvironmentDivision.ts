import type { Configuration, SpecialName } from "./Ast.js"
import type { Cursor } from "./Cursor.js"
import { startsDivision } from "./DataDivision.js"
import type { FileControl } from "./DataItem.js"
import type { Expression, Reference } from "./Expression.js"
import { operand, reference } from "./ExpressionParser.js"

/** What the ENVIRONMENT DIVISION says. */
export interface Environment {
  readonly configuration: Configuration
  readonly fileControl: readonly FileControl[]
}

/** A configuration in which everything has its default. */
export const noConfiguration: Configuration = { decimalPointIsComma: false, classes: [], specialNames: [] }

const intrinsics = `ABS ACOS ANNUITY ASIN ATAN BYTE-LENGTH CHAR CONCATENATE COS CURRENT-DATE DATE-OF-INTEGER
  DATE-TO-YYYYMMDD DAY-OF-INTEGER DAY-TO-YYYYDDD EXP FACTORIAL INTEGER INTEGER-OF-DATE INTEGER-OF-DAY INTEGER-PART
  LENGTH LOG LOG10 LOWER-CASE MAX MEAN MEDIAN MIDRANGE MIN MOD NUMVAL NUMVAL-C NUMVAL-F ORD ORD-MAX ORD-MIN
  PRESENT-VALUE RANDOM RANGE REM REVERSE SIN SQRT STANDARD-DEVIATION SUBSTITUTE SUM TAN TRIM UPPER-CASE VARIANCE
  WHEN-COMPILED YEAR-TO-YYYY`.split(/\s+/)

const paragraphs = new Set([
  "SOURCE-COMPUTER",
  "OBJECT-COMPUTER",
  "SPECIAL-NAMES",
  "REPOSITORY",
  "FILE-CONTROL",
  "I-O-CONTROL"
])

const startsParagraph = (cursor: Cursor): boolean =>
  startsDivision(cursor) ||
  cursor.isWord("SECTION", 1) ||
  (paragraphs.has(cursor.peek().text) && cursor.isPeriod(1))

interface ConfigurationDraft {
  decimalPointIsComma: boolean
  currencySign?: string
  classes: { name: string; values: readonly Expression[] }[]
  specialNames: SpecialName[]
}

const classValues = (cursor: Cursor): readonly Expression[] => {
  const values: Expression[] = []
  while (
    cursor.peek().kind === "text" ||
    cursor.peek().kind === "number" ||
    cursor.isAnyWord("THRU", "THROUGH")
  ) {
    if (cursor.accept("THRU", "THROUGH") !== undefined) continue
    const value = operand(cursor)
    if (value !== undefined) values.push(value)
  }
  return values
}

const specialNames = (cursor: Cursor, draft: ConfigurationDraft): void => {
  while (!startsParagraph(cursor)) {
    if (cursor.acceptPeriod()) continue
    if (cursor.accept("DECIMAL-POINT") !== undefined) {
      cursor.accept("IS")
      draft.decimalPointIsComma = cursor.accept("COMMA") !== undefined
    } else if (cursor.accept("CURRENCY") !== undefined) {
      cursor.accept("SIGN")
      cursor.accept("IS")
      if (cursor.peek().kind === "text") draft.currencySign = cursor.next().text
    } else if (cursor.accept("CLASS") !== undefined) {
      const name = cursor.next().text
      cursor.accept("IS")
      draft.classes.push({ name, values: classValues(cursor) })
    } else if (cursor.isAnyWord("ON", "OFF")) {
      cursor.next()
      cursor.accept("STATUS")
      cursor.accept("IS")
      if (cursor.isName()) cursor.conditionNames.add(cursor.next().text)
    } else if (cursor.isName() && cursor.isWord("IS", 1) && cursor.peek(2).kind === "word") {
      const system = cursor.next().text
      cursor.next()
      draft.specialNames.push({ system, mnemonic: cursor.next().text })
    } else cursor.next()
  }
}

const repository = (cursor: Cursor): void => {
  while (!startsParagraph(cursor)) {
    if (cursor.accept("FUNCTION") === undefined) {
      cursor.next()
      continue
    }
    if (cursor.acceptAll("ALL", "INTRINSIC")) for (const name of intrinsics) cursor.plainFunctions.add(name)
    while (cursor.isName() && !cursor.isWord("FUNCTION")) {
      const name = cursor.next().text
      if (name !== "INTRINSIC") cursor.plainFunctions.add(name)
    }
  }
}

interface FileDraft {
  assign: string
  organization: FileControl["organization"]
  access: FileControl["access"]
  recordKey?: Reference
  alternateKeys: { key: Reference; duplicates: boolean }[]
  relativeKey?: Reference
  status?: Reference
}

const accesses = ["SEQUENTIAL", "RANDOM", "DYNAMIC"] as const

const assignment = (cursor: Cursor): string => {
  cursor.accept("TO")
  while (cursor.isAnyWord("EXTERNAL", "DYNAMIC", "DISK", "PRINTER", "KEYBOARD", "DISPLAY")) {
    const isDevice = cursor.isAnyWord("EXTERNAL", "DYNAMIC") ? cursor.isName(1) : false
    if (!isDevice && cursor.peek(1).kind !== "text") break
    cursor.next()
  }
  const token = cursor.peek()
  return token.kind === "word" || token.kind === "text" || token.kind === "number" ? cursor.next().text : ""
}

const organization = (cursor: Cursor): FileControl["organization"] => {
  cursor.accept("IS")
  const isLine = cursor.accept("LINE") !== undefined
  cursor.accept("RECORD")
  const word = cursor.accept("SEQUENTIAL", "INDEXED", "RELATIVE", "BINARY")
  if (word === "INDEXED" || word === "RELATIVE") return word
  return isLine ? "LINE SEQUENTIAL" : "SEQUENTIAL"
}

const key = (cursor: Cursor): Reference | undefined => {
  cursor.accept("KEY")
  cursor.accept("IS")
  return reference(cursor)
}

const fileClause = (cursor: Cursor, draft: FileDraft): void => {
  if (cursor.accept("ASSIGN") !== undefined) draft.assign = assignment(cursor)
  else if (cursor.accept("ORGANIZATION", "ORGANISATION") !== undefined)
    draft.organization = organization(cursor)
  else if (cursor.accept("ACCESS") !== undefined) {
    cursor.accept("MODE")
    cursor.accept("IS")
    const word = cursor.accept(...accesses)
    draft.access = accesses.find((candidate) => candidate === word) ?? draft.access
  } else if (cursor.acceptAll("ALTERNATE", "RECORD") || cursor.accept("ALTERNATE") !== undefined) {
    const alternate = key(cursor)
    const duplicates = cursor.acceptAll("WITH", "DUPLICATES") || cursor.accept("DUPLICATES") !== undefined
    if (alternate !== undefined) draft.alternateKeys.push({ key: alternate, duplicates })
  } else if (cursor.isWord("RECORD") && !cursor.isWord("DELIMITER", 1)) {
    cursor.next()
    const found = key(cursor)
    if (found !== undefined) draft.recordKey = found
  } else if (cursor.isWord("RELATIVE") && (cursor.isWord("KEY", 1) || cursor.isName(1))) {
    cursor.next()
    const found = key(cursor)
    if (found !== undefined) draft.relativeKey = found
  } else if (cursor.acceptAll("FILE", "STATUS") || cursor.accept("STATUS") !== undefined) {
    cursor.accept("IS")
    const found = reference(cursor)
    if (found !== undefined) draft.status = found
  } else if (cursor.isAnyWord("LINE", "SEQUENTIAL", "INDEXED", "RELATIVE"))
    draft.organization = organization(cursor)
  else cursor.next()
}

const select = (cursor: Cursor): FileControl => {
  const { at } = cursor
  cursor.next()
  const optional = cursor.accept("OPTIONAL") !== undefined
  const name = cursor.name() ?? ""
  if (name === "") cursor.report("error", "SELECT has no file name.")
  const draft: FileDraft = { assign: "", organization: "SEQUENTIAL", access: "SEQUENTIAL", alternateKeys: [] }
  while (!cursor.isPeriod() && !cursor.isWord("SELECT") && !startsDivision(cursor)) fileClause(cursor, draft)
  cursor.acceptPeriod()
  return { name, at, optional, ...draft }
}

/** Reads the file control entries up to whatever follows them. */
export const fileControls = (cursor: Cursor): readonly FileControl[] => {
  const found: FileControl[] = []
  while (!startsParagraph(cursor)) {
    if (cursor.isWord("SELECT")) found.push(select(cursor))
    else {
      const { raw, kind } = cursor.peek()
      if (kind !== "period") cursor.report("warning", `"${raw.slice(0, 40)}" is no entry of FILE-CONTROL.`)
      cursor.next()
    }
  }
  return found
}

/** Reads the ENVIRONMENT DIVISION after its header. */
export const environmentDivision = (cursor: Cursor): Environment => {
  const draft: ConfigurationDraft = { decimalPointIsComma: false, classes: [], specialNames: [] }
  const fileControl: FileControl[] = []
  while (!startsDivision(cursor)) {
    if (cursor.isWord("SECTION", 1)) {
      if (cursor.isAnyWord("FILE", "WORKING-STORAGE", "LOCAL-STORAGE", "LINKAGE")) break
      cursor.next()
      cursor.next()
      cursor.acceptPeriod()
      continue
    }
    const word = cursor.next().text
    cursor.acceptPeriod()
    if (word === "SPECIAL-NAMES") specialNames(cursor, draft)
    else if (word === "REPOSITORY") repository(cursor)
    else if (word === "FILE-CONTROL") fileControl.push(...fileControls(cursor))
    else while (!startsParagraph(cursor)) cursor.next()
  }
  return { configuration: draft, fileControl }
}
