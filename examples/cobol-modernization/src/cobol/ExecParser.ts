import type { ExecCics, ExecSql, ExecStatement, SqlTable } from "./ExecStatement.js"
import type { Position } from "./Position.js"

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)]

const withoutLiterals = (text: string): string =>
  text.replace(/'(?:[^'\n]|'')*'|"(?:[^"\n]|"")*"/g, "''").replace(/--[^\n]*/g, " ")

const hostVariablesOf = (text: string): readonly string[] =>
  unique(
    [...text.matchAll(/:[ \t]{0,4}([A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)?)/g)].map((match) =>
      (match[1] ?? "").toUpperCase()
    )
  )

const sqlWords = (text: string): readonly string[] =>
  [...text.matchAll(/:[ \t]{0,4}[\w-]+|[\w$#@]+(?:\.[\w$#@]+)*|[(),]|''/g)].map((match) =>
    match[0].toUpperCase()
  )

const commandsWithTables = new Set([
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "MERGE",
  "WITH",
  "DECLARE CURSOR"
])

const isTableName = (word: string | undefined): word is string =>
  word !== undefined &&
  /^[A-Z_$#@"][\w$#@.]*$/.test(word) &&
  !["SELECT", "WHERE", "SET", "VALUES", "ON", "LATERAL", "TABLE", "FINAL", "OLD", "NEW"].includes(word)

const tablesOf = (words: readonly string[]): readonly SqlTable[] => {
  const found = new Map<string, SqlTable>()
  const withNames = new Set<string>()
  const note = (name: string | undefined, access: SqlTable["access"]) => {
    if (!isTableName(name) || withNames.has(name)) return
    if (found.get(name)?.access !== "write") found.set(name, { name, access })
  }
  // FROM belongs to a query only where its own parenthesis holds a SELECT: EXTRACT(YEAR FROM D) does not.
  const frames: { isQuery: boolean; inFrom: boolean }[] = [{ isQuery: false, inFrom: false }]
  words.forEach((word, index) => {
    const frame = frames.at(-1) ?? { isQuery: false, inFrom: false }
    const next = words[index + 1]
    if (word === "(") frames.push({ isQuery: false, inFrom: false })
    else if (word === ")" && frames.length > 1) frames.pop()
    else if (word === "SELECT") frame.isQuery = true
    else if (word === "AS" && next === "(") withNames.add(words[index - 1] ?? "")
    else if (word === "DELETE" && index === 0 && next === "FROM") note(words[index + 2], "write")
    else if (word === "UPDATE" && index === 0) note(next, "write")
    else if (word === "INTO" && (words[index - 1] === "INSERT" || words[index - 1] === "MERGE"))
      note(next, "write")
    else if (word === "USING" && words[0] === "MERGE") note(next, "read")
    else if (word === "FROM" && frame.isQuery) {
      frame.inFrom = true
      note(next, "read")
    } else if (word === "JOIN" && frame.isQuery) note(next, "read")
    else if (word === "," && frame.inFrom) note(next, "read")
    else if (["WHERE", "GROUP", "ORDER", "HAVING", "UNION", "ON", "FOR", "FETCH", "SET"].includes(word)) {
      frame.inFrom = false
    }
  })
  return [...found.values()]
}

const sqlCommand = (words: readonly string[]): string => {
  const [first = "", second = "", third = ""] = words
  if (first === "DECLARE") {
    if (words.slice(0, 8).includes("CURSOR")) return "DECLARE CURSOR"
    return third === "TABLE" || third === "STATEMENT" ? `DECLARE ${third}` : "DECLARE"
  }
  if (first === "EXECUTE" && second === "IMMEDIATE") return "EXECUTE IMMEDIATE"
  if ((first === "BEGIN" || first === "END") && second === "DECLARE") return `${first} DECLARE SECTION`
  if (first === "LOCK" || first === "ALTER" || first === "CREATE" || first === "DROP")
    return `${first} ${second}`.trim()
  return first
}

const cursorOf = (command: string, words: readonly string[]): string | undefined => {
  if (command === "DECLARE CURSOR" || command === "OPEN" || command === "CLOSE") return words[1]
  if (command === "FETCH") {
    const from = words.indexOf("FROM")
    return from > 0 ? words[from + 1] : words[1]
  }
  const current = words.indexOf("CURRENT")
  return current > 0 && words[current + 1] === "OF" ? words[current + 2] : undefined
}

const sql = (text: string, at: Position): ExecSql => {
  const plain = withoutLiterals(text)
  const words = sqlWords(plain)
  const command = sqlCommand(words)
  const cursor = cursorOf(command, words)
  const include =
    command === "INCLUDE" ? (words[1] ?? "").replaceAll("'", "") || /'([^']+)'/.exec(text)?.[1] : undefined
  return {
    _tag: "ExecSql",
    at,
    text,
    command,
    hostVariables: hostVariablesOf(plain),
    tables: commandsWithTables.has(command) ? tablesOf(words) : [],
    ...(cursor === undefined ? {} : { cursor }),
    ...(include === undefined ? {} : { include })
  }
}

const secondWords = new Set([
  "SEND MAP",
  "SEND TEXT",
  "SEND PAGE",
  "SEND CONTROL",
  "RECEIVE MAP",
  "WRITEQ TS",
  "WRITEQ TD",
  "READQ TS",
  "READQ TD",
  "DELETEQ TS",
  "DELETEQ TD",
  "HANDLE CONDITION",
  "HANDLE AID",
  "HANDLE ABEND",
  "IGNORE CONDITION",
  "PUSH HANDLE",
  "POP HANDLE",
  "GET CONTAINER",
  "PUT CONTAINER",
  "SYNCPOINT ROLLBACK"
])

type CicsOption = ExecCics["options"][number]

const closingParenthesis = (text: string, open: number): number => {
  let depth = 0
  let quote = ""
  for (let at = open; at < text.length; at++) {
    const char = text[at] ?? ""
    if (quote !== "") {
      if (char === quote) quote = ""
    } else if (char === "'" || char === '"') quote = char
    else if (char === "(") depth++
    else if (char === ")") {
      depth--
      if (depth === 0) return at
    }
  }
  return text.length
}

const cicsOptions = (text: string): readonly CicsOption[] => {
  const options: CicsOption[] = []
  const name = /[A-Za-z][\w-]*/y
  for (let at = 0; at < text.length; ) {
    name.lastIndex = at
    const match = name.exec(text)
    if (match === null) {
      at++
      continue
    }
    at += match[0].length
    while (/\s/.test(text[at] ?? "")) at++
    const word = match[0].toUpperCase()
    if (text[at] !== "(") {
      options.push({ name: word })
      continue
    }
    const close = closingParenthesis(text, at)
    options.push({
      name: word,
      value: text
        .slice(at + 1, close)
        .replace(/\s+/g, " ")
        .trim()
    })
    at = close + 1
  }
  return options
}

const unquoted = (value: string | undefined): string | undefined => value?.replace(/^['"]|['"]$/g, "").trim()

const dataNames = (value: string): readonly string[] =>
  [...withoutLiterals(value).matchAll(/[A-Za-z][\w-]*/g)]
    .map((match) => match[0].toUpperCase())
    .filter((word) => word !== "OF" && word !== "LENGTH" && word !== "ADDRESS" && word !== "IN")

const cics = (text: string, at: Position): ExecCics => {
  const all = cicsOptions(text)
  const first = all[0]?.name ?? ""
  const pair = `${first} ${all[1]?.name ?? ""}`
  const command = secondWords.has(pair) ? pair : first
  // SEND MAP('X') has the option MAP as its second word, and READ FILE(…) may even open with a value.
  const options = all.filter(
    (option, index) => index > 0 && !(index === 1 && command === pair && !option.value)
  )
  const optionValue = (...names: readonly string[]) =>
    all.find((option) => names.includes(option.name))?.value
  const programValue = optionValue("PROGRAM")
  const found = {
    program: unquoted(programValue)?.toUpperCase(),
    transaction: unquoted(optionValue("TRANSID")),
    map: unquoted(optionValue("MAP")),
    mapset: unquoted(optionValue("MAPSET")),
    file: unquoted(optionValue("FILE", "DATASET"))
  }
  const labels = new Set(["CONDITION", "AID", "ABEND"])
  const holdsLabels = labels.has(command.split(" ")[1] ?? "")
  const present = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
  return {
    _tag: "ExecCics",
    at,
    text,
    command,
    options,
    ...present,
    programIsLiteral: /^['"]/.test(programValue ?? ""),
    hostVariables: holdsLabels ? [] : unique(options.flatMap((option) => dataNames(option.value ?? "")))
  }
}

/** Reads the inside of an EXEC … END-EXEC block, whose first word is the dialect. */
export const execStatement = (inner: string, at: Position): ExecStatement => {
  const dialect = /^[A-Za-z][\w-]*/.exec(inner)?.[0] ?? ""
  const text = inner.slice(dialect.length).trim()
  if (dialect.toUpperCase() === "SQL") return sql(text, at)
  if (dialect.toUpperCase() === "CICS") return cics(text, at)
  return { _tag: "ExecOther", at, dialect: dialect.toUpperCase(), text }
}
