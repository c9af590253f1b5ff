/** Words that CEL does not take for the name of a member. */
const reserved: ReadonlySet<string> = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace " +
    "return var void while"
  ).split(" ")
)

const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !reserved.has(name)

/** The expression that looks at a place: names after the first one in brackets where CEL needs it. */
export const pathSource = (path: ReadonlyArray<string | number>): string =>
  path.reduce<string>((before, part) => {
    if (typeof part === "number") return `${before}[${part}]`
    if (before === "") return part
    return isName(part) ? `${before}.${part}` : `${before}[${JSON.stringify(part)}]`
  }, "")

const refuse = (what: string): never => {
  throw new TypeError(`${what} cannot stand in a CEL expression, because JSON cannot carry it`)
}

const numberSource = (value: number): string => {
  if (!Number.isFinite(value)) return refuse(String(value))
  const digits = String(value)
  // Whole numbers that a JavaScript number does not hold exactly are decimals, as they are for JSON.
  const source = Number.isSafeInteger(value) || /[.e]/.test(digits) ? digits : `${digits}.0`
  return value < 0 ? `(${source})` : source
}

/** A value in CEL; `own` says how what is in it and is no JSON is written, or `undefined` where it is JSON. */
export const celLiteral = (value: unknown, own: (value: unknown) => string | undefined): string => {
  const source = own(value)
  if (source !== undefined) return source
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value === "number") return numberSource(value)
  if (typeof value === "boolean" || value === null) return String(value)
  if (typeof value !== "object") return refuse(typeof value)
  if (Array.isArray(value)) return `[${value.map((each) => celLiteral(each, own)).join(", ")}]`
  const entries = Object.entries(value).map(
    ([key, each]) => `${JSON.stringify(key)}: ${celLiteral(each, own)}`
  )
  return `{${entries.join(", ")}}`
}

/** An expression as a template of its own. Braces that close at once are kept apart, since two of them would end it. */
export const inTemplate = (source: string): string => {
  let quote = ""
  let written = ""
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at)
    if (quote !== "") {
      if (character === "\\") written += source.charAt(at++)
      else if (character === quote) quote = ""
    } else if (character === '"' || character === "'") quote = character
    else if (character === "}" && written.endsWith("}")) written += " "
    written += source.charAt(at)
  }
  return `{{ ${written} }}`
}

/** A text as a template, from what is plain in it and the sources of its expressions, in turns. */
export const textTemplate = (parts: ReadonlyArray<string>): string => {
  const isWhole = parts.length === 3 && parts[0] === "" && parts[2] === ""
  // An expression by itself would keep the type of its value.
  if (isWhole) return `${inTemplate(parts[1] ?? "")}{{ "" }}`
  return parts
    .map((part, i) => {
      if (i % 2 === 1) return inTemplate(part)
      const written = part.replaceAll("{{", '{{ "{{" }}')
      // One brace would be taken for the first of the expression that follows.
      const isTaken = i < parts.length - 1 && written.endsWith("{")
      return isTaken ? `${written.slice(0, -1)}{{ "{" }}` : written
    })
    .join("")
}
