import type { Cursor } from "./Cursor.js"
import type { Expression, Reference } from "./Expression.js"
import { operand, reference, startsOperand } from "./ExpressionParser.js"
import type { Open, Read, Sort, SortKey, Start } from "./FileStatement.js"
import { inputOutput, procedureReference, type ReadStatement, references, writeBranches } from "./Phrases.js"

const modes = ["INPUT", "OUTPUT", "I-O", "EXTEND"] as const

const skipOpenOptions = (cursor: Cursor): void => {
  while (
    cursor.acceptAll("WITH", "NO", "REWIND") ||
    cursor.acceptAll("NO", "REWIND") ||
    cursor.acceptAll("WITH", "LOCK") ||
    cursor.acceptAll("FOR", "REMOVAL") ||
    cursor.acceptAll("SHARING", "WITH", "ALL", "OTHER") ||
    cursor.acceptAll("SHARING", "WITH", "NO", "OTHER") ||
    cursor.acceptAll("SHARING", "WITH", "READ", "ONLY") ||
    cursor.accept("REVERSED", "REEL", "UNIT", "LOCK") !== undefined
  ) {
    cursor.accept("OTHER")
  }
}

const open: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const files: Open["files"][number][] = []
  for (;;) {
    const word = cursor.accept(...modes)
    const mode = modes.find((candidate) => candidate === word)
    if (mode === undefined) break
    skipOpenOptions(cursor)
    while (cursor.isName() && !cursor.isAnyWord(...modes)) {
      files.push({ mode, file: cursor.next().text })
      skipOpenOptions(cursor)
    }
  }
  return files.length === 0 ? undefined : { _tag: "Open", at, files }
}

const close: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const files: string[] = []
  while (cursor.isName()) {
    files.push(cursor.next().text)
    skipOpenOptions(cursor)
  }
  return files.length === 0 ? undefined : { _tag: "Close", at, files }
}

const skipLock = (cursor: Cursor): void => {
  if (cursor.acceptAll("WITH", "NO", "LOCK") || cursor.acceptAll("WITH", "LOCK")) return
  if (cursor.acceptAll("WITH", "KEPT", "LOCK") || cursor.acceptAll("NO", "LOCK")) return
  if (cursor.acceptAll("WITH", "IGNORE", "LOCK")) return
  cursor.acceptAll("IGNORE", "LOCK")
}

const read: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const file = cursor.name()
  if (file === undefined) return undefined
  const word = cursor.accept("NEXT", "PREVIOUS")
  cursor.accept("RECORD")
  const into = cursor.accept("INTO") === undefined ? undefined : reference(cursor)
  skipLock(cursor)
  let key: Reference | undefined
  if (cursor.accept("KEY") !== undefined) {
    cursor.accept("IS")
    key = reference(cursor)
  }
  skipLock(cursor)
  const branches = inputOutput(cursor, body)
  cursor.accept("END-READ")
  const base = { _tag: "Read" as const, at, file, ...branches }
  const direction = word === "NEXT" || word === "PREVIOUS" ? word : undefined
  const directed: Read = direction === undefined ? base : { ...base, direction }
  const moved = into === undefined ? directed : { ...directed, into }
  return key === undefined ? moved : { ...moved, key }
}

const advancing = (cursor: Cursor): string | undefined => {
  if (!cursor.isAnyWord("BEFORE", "AFTER")) return undefined
  const start = cursor.index
  cursor.next()
  cursor.accept("ADVANCING")
  if (startsOperand(cursor)) operand(cursor)
  cursor.accept("LINE", "LINES")
  return cursor.textBetween(start, cursor.index).toUpperCase()
}

const fromPhrase = (cursor: Cursor): Expression | undefined =>
  cursor.accept("FROM") === undefined ? undefined : operand(cursor)

const write: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const record = reference(cursor)
  if (record === undefined) return undefined
  const from = fromPhrase(cursor)
  const movement = advancing(cursor)
  const branches = writeBranches(cursor, body)
  cursor.accept("END-WRITE")
  const base = { _tag: "Write" as const, at, record, ...branches }
  const filled = from === undefined ? base : { ...base, from }
  return movement === undefined ? filled : { ...filled, advancing: movement }
}

const rewrite: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const record = reference(cursor)
  if (record === undefined) return undefined
  const from = fromPhrase(cursor)
  skipLock(cursor)
  const branches = inputOutput(cursor, body)
  cursor.accept("END-REWRITE")
  const base = { _tag: "Rewrite" as const, at, record, ...branches }
  return from === undefined ? base : { ...base, from }
}

const deleteStatement: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  cursor.accept("FILE")
  const file = cursor.name()
  if (file === undefined) return undefined
  cursor.accept("RECORD")
  const branches = inputOutput(cursor, body)
  cursor.accept("END-DELETE")
  return { _tag: "Delete", at, file, ...branches }
}

const startOperator = (cursor: Cursor): Start["operator"] => {
  cursor.accept("IS")
  const negated = cursor.accept("NOT") !== undefined
  const token = cursor.next()
  cursor.accept("THAN")
  cursor.accept("TO")
  const isOrEqual = cursor.acceptAll("OR", "EQUAL") || cursor.acceptSymbol("=")
  cursor.accept("TO")
  if (token.text === ">" || token.text === "GREATER") return negated ? "<=" : isOrEqual ? ">=" : ">"
  if (token.text === "<" || token.text === "LESS") return negated ? ">=" : isOrEqual ? "<=" : "<"
  if (token.text === ">=" || token.text === "<=") return token.text
  return negated || token.text === "<>" ? "<>" : "="
}

const start: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const file = cursor.name()
  if (file === undefined) return undefined
  let operator: Start["operator"] = "="
  let key: Reference | undefined
  if (cursor.accept("KEY") !== undefined) {
    operator = startOperator(cursor)
    key = reference(cursor)
  }
  const branches = inputOutput(cursor, body)
  cursor.accept("END-START")
  const base = { _tag: "Start" as const, at, file, operator, ...branches }
  return key === undefined ? base : { ...base, key }
}

const release: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const record = reference(cursor)
  if (record === undefined) return undefined
  const from = fromPhrase(cursor)
  return from === undefined ? { _tag: "Release", at, record } : { _tag: "Release", at, record, from }
}

const returnStatement: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const file = cursor.name()
  if (file === undefined) return undefined
  cursor.accept("RECORD")
  const into = cursor.accept("INTO") === undefined ? undefined : reference(cursor)
  const branches = inputOutput(cursor, body)
  cursor.accept("END-RETURN")
  const base = { _tag: "Return" as const, at, file, ...branches }
  return into === undefined ? base : { ...base, into }
}

const sortKeys = (cursor: Cursor): readonly SortKey[] => {
  const keys: SortKey[] = []
  while (cursor.isAnyWord("ON", "ASCENDING", "DESCENDING")) {
    cursor.accept("ON")
    const order = cursor.accept("ASCENDING", "DESCENDING")
    if (order === undefined) break
    cursor.accept("KEY")
    cursor.accept("IS")
    keys.push({ ascending: order === "ASCENDING", names: references(cursor) })
  }
  return keys
}

const fileNames = (cursor: Cursor): readonly string[] => {
  const names: string[] = []
  for (let name = cursor.name(); name !== undefined; name = cursor.name()) names.push(name)
  return names
}

const sortProcedure = (cursor: Cursor): Sort["input"] => {
  cursor.accept("IS")
  const procedure = procedureReference(cursor)
  if (procedure === undefined) return undefined
  const through = cursor.accept("THRU", "THROUGH") === undefined ? undefined : procedureReference(cursor)
  return through === undefined ? { procedure } : { procedure, through }
}

const sort: ReadStatement = (cursor) => {
  const { at } = cursor
  const _tag = cursor.next().text === "MERGE" ? ("Merge" as const) : ("Sort" as const)
  const file = cursor.name()
  if (file === undefined) return undefined
  while (cursor.isAnyWord("OF", "IN") && cursor.isName(1)) {
    cursor.next()
    cursor.next()
  }
  const keys = sortKeys(cursor)
  const duplicates = cursor.acceptAll("WITH", "DUPLICATES") || cursor.accept("DUPLICATES") !== undefined
  if (duplicates && cursor.accept("IN") !== undefined) cursor.accept("ORDER")
  if (cursor.accept("ORDER") !== undefined || cursor.accept("COLLATING") !== undefined) {
    cursor.accept("SEQUENCE")
    cursor.accept("IS")
    cursor.name()
  }
  const input = cursor.acceptAll("INPUT", "PROCEDURE") ? sortProcedure(cursor) : undefined
  const using = cursor.accept("USING") === undefined ? [] : fileNames(cursor)
  const output = cursor.acceptAll("OUTPUT", "PROCEDURE") ? sortProcedure(cursor) : undefined
  const giving = cursor.accept("GIVING") === undefined ? [] : fileNames(cursor)
  const base = { _tag, at, file, keys, duplicates, using, giving }
  const fed = input === undefined ? base : { ...base, input }
  return output === undefined ? fed : { ...fed, output }
}

/** The statements that work on files. */
export const fileStatements: Readonly<Record<string, ReadStatement>> = {
  OPEN: open,
  CLOSE: close,
  READ: read,
  WRITE: write,
  REWRITE: rewrite,
  DELETE: deleteStatement,
  START: start,
  RELEASE: release,
  RETURN: returnStatement,
  SORT: sort,
  MERGE: sort
}
