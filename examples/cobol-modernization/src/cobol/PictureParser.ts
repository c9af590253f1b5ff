import type { Picture, PictureCategory } from "./DataItem.js"

/** What SPECIAL-NAMES and constants change about the reading of a PICTURE. */
export interface PictureRules {
  readonly decimalComma: boolean
  readonly currencySign: string
  readonly constants: ReadonlyMap<string, string>
}

interface Symbol {
  readonly symbol: string
  readonly count: number
}

const symbolsOf = (text: string, rules: PictureRules): readonly Symbol[] => {
  const found: Symbol[] = []
  for (let at = 0; at < text.length; ) {
    const pair = text.slice(at, at + 2)
    const symbol = pair === "CR" || pair === "DB" ? pair : (text[at] ?? "")
    at += symbol.length
    let count = 1
    if (text[at] === "(") {
      const close = text.indexOf(")", at)
      const inner = text.slice(at + 1, close < 0 ? text.length : close).trim()
      const number = Number.parseInt(rules.constants.get(inner) ?? inner, 10)
      count = Number.isFinite(number) && number >= 0 ? number : 1
      at = close < 0 ? text.length : close + 1
    }
    found.push({ symbol, count })
  }
  return found
}

const categoryOf = (symbols: readonly Symbol[], floating: ReadonlySet<string>): PictureCategory => {
  const has = (...wanted: readonly string[]) => symbols.some(({ symbol }) => wanted.includes(symbol))
  if (has("N", "G")) return "national"
  const isText = has("X") || (has("A") && has("9"))
  if (isText) return has("B", "0", "/") ? "alphanumeric-edited" : "alphanumeric"
  if (has("A")) return has("0", "/") ? "alphanumeric-edited" : "alphabetic"
  const isEdited =
    has("Z", "*", ",", ".", "/", "0", "B", "CR", "DB", "E") || symbols.some((s) => floating.has(s.symbol))
  return isEdited ? "numeric-edited" : "numeric"
}

const weightless = new Set(["S", "V", "P"])

/** Works out category, digits, scale, sign and length of a PICTURE; it accepts any text. */
export const parsePicture = (text: string, rules: PictureRules): Picture => {
  const symbols = symbolsOf(text, rules)
  const point = rules.decimalComma ? "," : "."
  const floating = new Set(["+", "-", rules.currencySign])
  const totals = new Map<string, number>()
  for (const { symbol, count } of symbols) totals.set(symbol, (totals.get(symbol) ?? 0) + count)
  const seen = new Set<string>()
  let digits = 0
  let fraction = 0
  let scaling = 0
  let length = 0
  let afterPoint = false
  let scalesLeft = false
  for (const { symbol, count } of symbols) {
    if (!weightless.has(symbol)) length += symbol.length * count
    if (symbol === "V" || symbol === point) afterPoint = true
    if (symbol === "P") {
      scaling += count
      if (digits === 0) scalesLeft = true
    }
    const isFloating = floating.has(symbol) && (totals.get(symbol) ?? 0) > 1
    // The first of a floating string is only the sign or currency itself.
    const positions = isFloating && !seen.has(symbol) ? count - 1 : count
    if (symbol === "9" || symbol === "Z" || symbol === "*" || isFloating) {
      digits += positions
      if (afterPoint) fraction += positions
    }
    seen.add(symbol)
  }
  const scale = scalesLeft ? scaling + digits : scaling > 0 ? fraction - scaling : fraction
  const category = categoryOf(symbols, floating)
  const signed = totals.has("S") || ["+", "-", "CR", "DB"].some((symbol) => totals.has(symbol))
  const isNumber = category === "numeric" || category === "numeric-edited"
  return {
    text,
    category,
    digits: isNumber ? digits : 0,
    scale: isNumber ? scale : 0,
    signed: isNumber && signed,
    length
  }
}
