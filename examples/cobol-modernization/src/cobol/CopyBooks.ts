import type { CopyUse } from "./Ast.js"
import { layout } from "./LogicalText.js"
import type { Diagnostic, Severity } from "./Position.js"
import { type ReplacementRule, replaceTokens, rulesAt, type TokenizeText } from "./Replacing.js"
import { detectFormat } from "./SourceFormat.js"
import { type Token, tokenize } from "./Tokens.js"

/** A copybook as a resolver found it. */
export interface CopyBook {
  readonly path: string
  readonly text: string
}

/** Finds the text of a copybook, or undefined when there is none of that name. */
export type CopyResolver = (name: string, library: string | undefined) => CopyBook | undefined

/** The tokens of a program with every COPY written out and every REPLACE carried out. */
export interface Expansion {
  readonly tokens: readonly Token[]
  readonly copies: readonly CopyUse[]
  readonly diagnostics: readonly Diagnostic[]
}

const extensions = ["cpy", "copy", "cpb", "inc", "dcl", "cbl", "cob", ""]
const deepest = 40
const mostTokens = 400_000
const suppliedBySql = new Set(["SQLCA", "SQLDA"])

const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path

const withoutExtension = (name: string): string => {
  const dot = name.lastIndexOf(".")
  return dot > 0 ? name.slice(0, dot) : name
}

const extensionOf = (name: string): string => {
  const dot = name.lastIndexOf(".")
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : ""
}

/**
 * A resolver over known files that ignores case and directories: an exact file name wins, then the
 * copybook extensions before the program ones, and a library that names a directory of the path is preferred.
 */
export const copyResolver = (files: readonly CopyBook[]): CopyResolver => {
  const byName = new Map<string, CopyBook[]>()
  for (const file of files) {
    const name = baseName(file.path).toUpperCase()
    for (const key of new Set([name, withoutExtension(name)])) {
      byName.set(key, [...(byName.get(key) ?? []), file])
    }
  }
  const rank = (file: CopyBook, library: string | undefined): number => {
    const place = extensions.indexOf(extensionOf(baseName(file.path)))
    const directories = file.path.toUpperCase().split(/[\\/]/).slice(0, -1)
    const isElsewhere = library !== undefined && !directories.includes(library.toUpperCase())
    return (place < 0 ? extensions.length : place) + (isElsewhere ? 100 : 0)
  }
  return (name, library) => {
    const found = byName.get(baseName(name).toUpperCase()) ?? []
    return [...found].sort((a, b) => rank(a, library) - rank(b, library))[0]
  }
}

const tokensOf = (text: string, path: string, decimalComma: boolean) =>
  tokenize(layout(text, detectFormat(text)), path, decimalComma)

const includeName = (token: Token): string | undefined =>
  token.kind === "exec"
    ? /^SQL\s+INCLUDE\s+["']?([\w$#@-]+)/i.exec(token.text)?.[1]?.toUpperCase()
    : undefined

const isName = (token: Token | undefined): token is Token =>
  token !== undefined && (token.kind === "word" || token.kind === "text" || token.kind === "number")

interface CopyStatement {
  readonly name: string
  readonly library?: string
  readonly rules: readonly ReplacementRule[]
  readonly end: number
  readonly hasPeriod: boolean
}

const copyStatementAt = (
  tokens: readonly Token[],
  at: number,
  tokenizeText: TokenizeText
): CopyStatement | undefined => {
  const name = tokens[at + 1]
  if (tokens[at]?.kind !== "word" || tokens[at]?.text !== "COPY" || !isName(name)) return undefined
  let end = at + 2
  const extension = tokens[end + 1]
  const isSplitName =
    tokens[end]?.kind === "period" &&
    tokens[end]?.glued === true &&
    extension?.glued === true &&
    isName(extension)
  const fullName = isSplitName ? `${name.text}.${extension.text}` : name.text
  if (isSplitName) end += 2
  const library = tokens[end]?.text === "OF" || tokens[end]?.text === "IN" ? tokens[end + 1] : undefined
  if (library !== undefined) end += 2
  if (tokens[end]?.text === "SUPPRESS") end++
  if (tokens[end]?.text === "PRINTING") end++
  let rules: readonly ReplacementRule[] = []
  if (tokens[end]?.text === "REPLACING") {
    const list = rulesAt(tokens, end + 1, tokenizeText)
    rules = list.rules
    end = list.end
  }
  const hasPeriod = tokens[end]?.kind === "period"
  const base = { name: fullName, rules, end: hasPeriod ? end + 1 : end, hasPeriod }
  return isName(library) ? { ...base, library: library.text } : base
}

/** Writes out every COPY and EXEC SQL INCLUDE, then carries out the REPLACE statements. */
export const expandCopies = (
  source: readonly Token[],
  resolveCopy: CopyResolver,
  decimalComma: boolean
): Expansion => {
  const copies: CopyUse[] = []
  const diagnostics: Diagnostic[] = []
  let budget = mostTokens
  const tokenizeText: TokenizeText = (text, file, line) =>
    tokenize(
      { text, starts: [0], numbers: [line], counts: { code: 1, comment: 0, blank: 0 } },
      file,
      decimalComma
    ).tokens
  const report = (severity: Severity, at: Token, message: string) => {
    diagnostics.push({ severity, file: at.file, line: at.line, message })
  }

  const contentOf = (
    name: string,
    library: string | undefined,
    place: Token,
    rules: readonly ReplacementRule[],
    chain: readonly string[]
  ): readonly Token[] | undefined => {
    const book = resolveCopy(name, library)
    const use = { name: withoutExtension(baseName(name)).toUpperCase(), replacements: rules.length }
    const at = { file: place.file, line: place.line }
    copies.push({
      ...use,
      at,
      ...(library === undefined ? {} : { library }),
      ...(book === undefined ? {} : { path: book.path })
    })
    if (book === undefined) {
      if (!suppliedBySql.has(use.name)) report("error", place, `The copybook ${use.name} was not found.`)
      return undefined
    }
    if (chain.includes(book.path)) {
      report(
        "error",
        place,
        `The copybooks copy each other: ${[...chain, book.path].map(baseName).join(" → ")}.`
      )
      return []
    }
    if (chain.length >= deepest || budget <= 0) {
      report("error", place, `COPY ${use.name} was left out because the copies are too deep or too large.`)
      return []
    }
    const read = tokensOf(book.text, book.path, decimalComma)
    budget -= read.tokens.length
    diagnostics.push(...read.diagnostics)
    return expand(replaceTokens(read.tokens, rules), [...chain, book.path])
  }

  const expand = (tokens: readonly Token[], chain: readonly string[]): readonly Token[] => {
    const result: Token[] = []
    const append = (more: readonly Token[]) => {
      for (const token of more) result.push(token)
    }
    for (let at = 0; at < tokens.length; ) {
      const token = tokens[at]
      if (token === undefined) break
      const include = includeName(token)
      const content = include === undefined ? undefined : contentOf(include, undefined, token, [], chain)
      if (content !== undefined) {
        append(content)
        at++
        continue
      }
      const copy = copyStatementAt(tokens, at, tokenizeText)
      if (copy === undefined) {
        result.push(token)
        at++
        continue
      }
      if (!copy.hasPeriod) report("warning", token, `COPY ${copy.name} does not end with a period.`)
      append(contentOf(copy.name, copy.library, token, copy.rules, chain) ?? [])
      at = copy.end
    }
    return result
  }

  const tokens = carryOutReplace(expand(source, []), tokenizeText)
  return { tokens, copies, diagnostics }
}

const carryOutReplace = (tokens: readonly Token[], tokenizeText: TokenizeText): readonly Token[] => {
  const isReplace = (at: number): boolean => {
    const next = tokens[at + 1]
    return (
      tokens[at]?.kind === "word" &&
      tokens[at]?.text === "REPLACE" &&
      (next?.kind === "pseudo" || ["OFF", "ALSO", "LAST", "LEADING", "TRAILING"].includes(next?.text ?? ""))
    )
  }
  if (!tokens.some((_, at) => isReplace(at))) return tokens
  const result: Token[] = []
  let rules: readonly ReplacementRule[] = []
  let from = 0
  const flush = (until: number) => {
    for (const token of replaceTokens(tokens.slice(from, until), rules)) result.push(token)
  }
  for (let at = 0; at < tokens.length; at++) {
    if (!isReplace(at)) continue
    flush(at)
    const isAlso = tokens[at + 1]?.text === "ALSO"
    const list = rulesAt(tokens, isAlso ? at + 2 : at + 1, tokenizeText)
    rules = isAlso ? [...list.rules, ...rules] : list.rules
    let end = list.end
    while (end < tokens.length && tokens[end]?.kind !== "period" && end < list.end + 3) end++
    from = end + 1
    at = end
  }
  flush(tokens.length)
  return result
}
