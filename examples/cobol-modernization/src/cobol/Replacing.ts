import type { Token } from "./Tokens.js"

/** How a rule matches: whole tokens, the beginning or end of words, or a tag such as `:TAG:` inside words. */
export type ReplacementMode = "whole" | "leading" | "trailing" | "inside"

/** One `pattern BY replacement` of COPY REPLACING or REPLACE. */
export interface ReplacementRule {
  readonly mode: ReplacementMode
  readonly pattern: readonly Token[]
  readonly patternText: string
  readonly replacement: readonly Token[]
  readonly replacementText: string
}

/** Reads pseudo-text as tokens. */
export type TokenizeText = (text: string, file: string, line: number) => readonly Token[]

const modeOf = (requested: ReplacementMode, text: string): ReplacementMode => {
  if (requested !== "whole") return requested
  if (/^:[^:\s]+:$/.test(text)) return "inside"
  if (/^[A-Z0-9][A-Z0-9-]*-$/i.test(text)) return "leading"
  return /^-[A-Z][A-Z0-9-]*$/i.test(text) ? "trailing" : "whole"
}

interface Operand {
  readonly tokens: readonly Token[]
  readonly text: string
  readonly end: number
}

const operandAt = (tokens: readonly Token[], at: number, tokenizeText: TokenizeText): Operand | undefined => {
  const token = tokens[at]
  if (token === undefined || token.kind === "period" || token.kind === "end") return undefined
  if (token.kind === "pseudo") {
    return { tokens: tokenizeText(token.text, token.file, token.line), text: token.text, end: at + 1 }
  }
  let end = at + 1
  while (tokens[end]?.text === "OF" || tokens[end]?.text === "IN") end += 2
  return { tokens: tokens.slice(at, end), text: token.raw, end }
}

/** The rules written from `at` on, and where they end; what is no rule ends the list. */
export const rulesAt = (
  tokens: readonly Token[],
  at: number,
  tokenizeText: TokenizeText
): { readonly rules: readonly ReplacementRule[]; readonly end: number } => {
  const rules: ReplacementRule[] = []
  let end = at
  for (;;) {
    const word = tokens[end]?.kind === "word" ? tokens[end]?.text : undefined
    const isPartial = (word === "LEADING" || word === "TRAILING") && tokens[end + 1]?.kind === "pseudo"
    const requested = isPartial ? (word === "LEADING" ? "leading" : "trailing") : "whole"
    const pattern = operandAt(tokens, isPartial ? end + 1 : end, tokenizeText)
    if (pattern === undefined || tokens[pattern.end]?.text !== "BY") return { rules, end }
    const replacement = operandAt(tokens, pattern.end + 1, tokenizeText)
    if (replacement === undefined) return { rules, end }
    rules.push({
      mode: modeOf(requested, pattern.text),
      pattern: pattern.tokens,
      patternText: pattern.text.toUpperCase(),
      replacement: replacement.tokens,
      replacementText: replacement.text.toUpperCase()
    })
    end = replacement.end
  }
}

const sameToken = (a: Token | undefined, b: Token | undefined): boolean =>
  a !== undefined && b !== undefined && a.kind === b.kind && a.text === b.text

const rewritten = (token: Token, text: string): Token => {
  const kind = token.kind === "word" && /^\d+$/.test(text) ? "number" : token.kind
  return { ...token, kind, text, raw: text }
}

const partial = (token: Token, rule: ReplacementRule): Token | undefined => {
  const { patternText: pattern, replacementText } = rule
  if (pattern === "") return undefined
  if (rule.mode === "inside") {
    if (token.kind !== "word" && token.kind !== "picture" && token.kind !== "exec") return undefined
    if (!token.text.toUpperCase().includes(pattern)) return undefined
    const text = token.kind === "exec" ? token.text : token.text.toUpperCase()
    return rewritten(
      token,
      text.replaceAll(pattern, () => replacementText)
    )
  }
  if (token.kind !== "word" || token.text.length < pattern.length) return undefined
  if (rule.mode === "leading" && token.text.startsWith(pattern)) {
    return rewritten(token, replacementText + token.text.slice(pattern.length))
  }
  return rule.mode === "trailing" && token.text.endsWith(pattern)
    ? rewritten(token, token.text.slice(0, -pattern.length) + replacementText)
    : undefined
}

const matchesWhole = (tokens: readonly Token[], at: number, pattern: readonly Token[]): boolean =>
  pattern.length > 0 && pattern.every((token, index) => sameToken(tokens[at + index], token))

const placed = (replacement: readonly Token[], place: Token): readonly Token[] =>
  replacement.map((token, index) => ({
    ...token,
    file: place.file,
    line: place.line,
    glued: index === 0 ? place.glued : token.glued,
    afterComma: index === 0 ? place.afterComma : token.afterComma,
    first: index === 0 && place.first
  }))

/**
 * Applies the rules from left to right; each token takes part in at most one replacement, and replaced
 * text is not searched again. A word that was split by a parenthesised tag, `(TAG)-NAME`, is joined again.
 */
export const replaceTokens = (
  tokens: readonly Token[],
  rules: readonly ReplacementRule[]
): readonly Token[] => {
  if (rules.length === 0) return tokens
  const result: Token[] = []
  let joins = false
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at]
    if (token === undefined) break
    const next = tokens[at + 1]
    const last = result.at(-1)
    if (joins && token.glued && token.text === "-" && next?.glued === true && last?.kind === "word") {
      result[result.length - 1] = rewritten(last, `${last.text}-${next.text}`)
      joins = false
      at += 2
      continue
    }
    joins = false
    const whole = rules.find((rule) => rule.mode === "whole" && matchesWhole(tokens, at, rule.pattern))
    if (whole !== undefined) {
      result.push(...placed(whole.replacement, token))
      joins = whole.pattern[0]?.text === "("
      at += whole.pattern.length
      continue
    }
    let changed = token
    for (const rule of rules) changed = rule.mode === "whole" ? changed : (partial(changed, rule) ?? changed)
    result.push(changed)
    at++
  }
  return result
}
