import { arithmeticStatements } from "./ArithmeticStatements.js"
import { controlStatements } from "./ControlStatements.js"
import type { Cursor } from "./Cursor.js"
import { execStatement } from "./ExecParser.js"
import { fileStatements } from "./FileStatements.js"
import { movementStatements } from "./MovementStatements.js"
import type { ReadStatement } from "./Phrases.js"
import { programStatements } from "./ProgramStatements.js"
import type { Statement, Unknown } from "./Statement.js"
import { textStatements } from "./TextStatements.js"
import { isTerminator, verbs } from "./Words.js"

const readers: ReadonlyMap<string, ReadStatement> = new Map(
  Object.entries({
    ...movementStatements,
    ...arithmeticStatements,
    ...controlStatements,
    ...programStatements,
    ...fileStatements,
    ...textStatements
  })
)

const phraseWords = new Set([
  "ELSE",
  "WHEN",
  "ON",
  "NOT",
  "AT",
  "END",
  "INVALID",
  "SIZE",
  "OVERFLOW",
  "EXCEPTION",
  "EOP",
  "END-OF-PAGE"
])

const unknown = (cursor: Cursor): Unknown => {
  const { at } = cursor
  const start = cursor.index
  const verb = cursor.next().text
  const closer = `END-${verb}`
  // JSON and XML statements hold whole statements in their phrases; END-JSON says where they stop.
  const isBlock = verb === "JSON" || verb === "XML"
  while (!cursor.isAtEnd && !cursor.isPeriod()) {
    if (isBlock && cursor.accept(closer) !== undefined) break
    const edge = cursor.isStatementEdge() || cursor.isWord("WHEN")
    if (!isBlock && edge && !cursor.isWord(closer)) break
    if (cursor.next().text === closer) break
  }
  return { _tag: "Unknown", at, verb, text: cursor.textBetween(start, cursor.index) }
}

const statement = (cursor: Cursor): Statement => {
  const token = cursor.peek()
  if (token.kind === "exec") {
    const { at } = cursor
    return execStatement(cursor.next().text, at)
  }
  const reader = token.kind === "word" && cursor.isVerb(token.text) ? readers.get(token.text) : undefined
  const start = cursor.index
  const { at } = cursor
  const read = reader?.(cursor, statements)
  if (read !== undefined) return read
  cursor.rewind(start)
  const kept = unknown(cursor)
  const reason = reader === undefined ? "is not known" : "could not be read"
  const message = verbs.has(kept.verb)
    ? `The statement ${kept.verb} ${reason}: ${kept.text.slice(0, 120)}`
    : `Text that is no statement: ${kept.text.slice(0, 120)}`
  cursor.report("warning", message, at)
  return kept
}

const endsBody = (cursor: Cursor): boolean => {
  const token = cursor.peek()
  if (token.kind === "end" || token.kind === "period") return true
  return token.kind === "word" && (phraseWords.has(token.text) || isTerminator(token.text))
}

/** Reads statements up to the period, scope terminator or phrase that ends them. */
export const statements = (cursor: Cursor): readonly Statement[] =>
  cursor.nested<readonly Statement[]>([], () => {
    const found: Statement[] = []
    while (!endsBody(cursor)) found.push(statement(cursor))
    return found
  })

/**
 * Reads one sentence with its period. Terminators without a beginning are reported and skipped, other
 * stray words are kept as an unknown statement.
 */
export const sentence = (cursor: Cursor): readonly Statement[] => {
  const found: Statement[] = []
  for (;;) {
    for (const one of statements(cursor)) found.push(one)
    if (cursor.isAtEnd || cursor.acceptPeriod()) return found
    const token = cursor.peek()
    if (isTerminator(token.text)) {
      cursor.report("warning", `${token.text} ends nothing that is open.`)
      cursor.next()
      continue
    }
    if (token.text === "END" && (cursor.isWord("PROGRAM", 1) || cursor.isWord("DECLARATIVES", 1)))
      return found
    const { at } = cursor
    const kept = unknown(cursor)
    cursor.report("warning", `Text that is no statement: ${kept.text.slice(0, 120)}`, at)
    found.push(kept)
  }
}
