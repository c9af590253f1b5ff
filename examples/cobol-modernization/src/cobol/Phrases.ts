import type { Cursor } from "./Cursor.js"
import type { Reference } from "./Expression.js"
import { operand, reference, startsOperand } from "./ExpressionParser.js"
import type { ProcedureReference, Statement } from "./Statement.js"
import { verbs } from "./Words.js"

/** Reads the statements of a branch up to whatever ends it. */
export type ReadBody = (cursor: Cursor) => readonly Statement[]

/** Reads one statement after its verb; undefined means that the text is not that statement after all. */
export type ReadStatement = (cursor: Cursor, body: ReadBody) => Statement | undefined

type Openings = readonly (readonly string[])[]

const withOptional = (optional: string, ...rest: readonly string[]): Openings => [[optional, ...rest], rest]

const negated = (openings: Openings): Openings => openings.map((words) => ["NOT", ...words])

const size = withOptional("ON", "SIZE", "ERROR")
const end = withOptional("AT", "END")
const invalid: Openings = [["INVALID", "KEY"], ["INVALID"]]
const overflow = withOptional("ON", "OVERFLOW")
const exception: Openings = [...withOptional("ON", "EXCEPTION"), ...overflow]
const page: Openings = [...withOptional("AT", "END-OF-PAGE"), ...withOptional("AT", "EOP")]

const branches = <Name extends string>(
  cursor: Cursor,
  body: ReadBody,
  openings: Readonly<Record<Name, Openings>>
): Record<Name, readonly Statement[]> => {
  const names = Object.keys(openings) as Name[]
  const read = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    readonly Statement[]
  >
  for (;;) {
    const name = names.find((candidate) => openings[candidate].some((words) => cursor.acceptAll(...words)))
    if (name === undefined) return read
    cursor.accept("STATEMENT")
    const statements = body(cursor)
    read[name] = [...read[name], ...statements]
  }
}

/** The ON SIZE ERROR phrases. */
export const sizeError = (cursor: Cursor, body: ReadBody) =>
  branches(cursor, body, { onSizeError: size, notOnSizeError: negated(size) })

/** The AT END and INVALID KEY phrases. */
export const inputOutput = (cursor: Cursor, body: ReadBody) =>
  branches(cursor, body, {
    atEnd: end,
    notAtEnd: negated(end),
    invalidKey: invalid,
    notInvalidKey: negated(invalid)
  })

/** The phrases of WRITE, which adds the end of the page. */
export const writeBranches = (cursor: Cursor, body: ReadBody) =>
  branches(cursor, body, {
    atEndOfPage: page,
    notAtEndOfPage: negated(page),
    atEnd: end,
    notAtEnd: negated(end),
    invalidKey: invalid,
    notInvalidKey: negated(invalid)
  })

/** The ON OVERFLOW phrases of STRING and UNSTRING. */
export const overflowBranches = (cursor: Cursor, body: ReadBody) =>
  branches(cursor, body, { onOverflow: overflow, notOnOverflow: negated(overflow) })

/** The ON EXCEPTION phrases of CALL, of which ON OVERFLOW is the old spelling. */
export const exceptionBranches = (cursor: Cursor, body: ReadBody) =>
  branches(cursor, body, { onException: exception, notOnException: negated(exception) })

/** The AT END phrase of SEARCH. */
export const endBranch = (cursor: Cursor, body: ReadBody) => branches(cursor, body, { atEnd: end }).atEnd

/** All references that follow. */
export const references = (cursor: Cursor): readonly Reference[] => {
  const found: Reference[] = []
  while (cursor.isName()) {
    const one = reference(cursor)
    if (one === undefined) break
    found.push(one)
  }
  return found
}

/** All operands that follow. */
export const operands = (cursor: Cursor) => {
  const found = []
  while (startsOperand(cursor)) {
    const one = operand(cursor)
    if (one === undefined) break
    found.push(one)
  }
  return found
}

/** The name of a paragraph or section, which may be a number, with the section it is in. */
export const procedureReference = (cursor: Cursor): ProcedureReference | undefined => {
  const token = cursor.peek()
  const isNumber = token.kind === "number" && /^\d+$/.test(token.raw)
  if (!isNumber && !cursor.isName()) return undefined
  const name = cursor.next().text
  if (!cursor.isAnyWord("OF", "IN") || verbs.has(cursor.peek(1).text)) return { name }
  cursor.next()
  return { name, section: cursor.next().text }
}

/** Takes everything up to the next statement and gives it back as text. */
export const restAsText = (cursor: Cursor): string => {
  const start = cursor.index
  while (!cursor.isStatementEdge() && !cursor.isWord("WHEN")) cursor.next()
  return cursor.textBetween(start, cursor.index)
}
