import type { Cursor } from "./Cursor.js"
import type { Reference } from "./Expression.js"
import { operand, reference, startsOperand } from "./ExpressionParser.js"
import { exceptionBranches, operands, type ReadStatement, references } from "./Phrases.js"
import type { CallArgument } from "./Statement.js"

const modeOf = (cursor: Cursor): CallArgument["mode"] | undefined => {
  const hasBy = cursor.accept("BY") !== undefined
  const word = cursor.accept("REFERENCE", "CONTENT", "VALUE")
  if (word === "REFERENCE" || word === "CONTENT" || word === "VALUE") return word
  return hasBy ? "REFERENCE" : undefined
}

const callArguments = (cursor: Cursor): readonly CallArgument[] => {
  const found: CallArgument[] = []
  let mode: CallArgument["mode"] = "REFERENCE"
  for (;;) {
    mode = modeOf(cursor) ?? mode
    if (cursor.accept("OMITTED") !== undefined) {
      found.push({ mode })
      continue
    }
    const value = startsOperand(cursor) ? operand(cursor) : undefined
    if (value === undefined) return found
    found.push({ mode, value })
  }
}

const call: ReadStatement = (cursor, body) => {
  const { at } = cursor
  cursor.next()
  const program = operand(cursor)
  if (program === undefined) return undefined
  const using = cursor.accept("USING") === undefined ? [] : callArguments(cursor)
  let returning: Reference | undefined
  if (cursor.accept("RETURNING", "GIVING") !== undefined) {
    cursor.accept("INTO")
    returning = reference(cursor)
  }
  const branches = exceptionBranches(cursor, body)
  cursor.accept("END-CALL")
  const base = { _tag: "Call" as const, at, program, using, ...branches }
  return returning === undefined ? base : { ...base, returning }
}

const cancel: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const programs = operands(cursor)
  return programs.length === 0 ? undefined : { _tag: "Cancel", at, programs }
}

const entry: ReadStatement = (cursor) => {
  const { at } = cursor
  cursor.next()
  const name = operand(cursor)
  if (name?._tag !== "Text") return undefined
  const using = cursor.accept("USING") === undefined ? [] : references(cursor)
  return { _tag: "Entry", at, name: name.value.toUpperCase(), using }
}

const use: ReadStatement = (cursor) => {
  const { at } = cursor
  const start = cursor.index
  while (!cursor.isAtEnd && !cursor.isPeriod()) cursor.next()
  return { _tag: "Use", at, text: cursor.textBetween(start, cursor.index) }
}

/** The statements that deal with other programs and with the program's own ways in. */
export const programStatements: Readonly<Record<string, ReadStatement>> = {
  CALL: call,
  CANCEL: cancel,
  ENTRY: entry,
  USE: use
}
