const escapes = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"]
])

const escaped = (unit: string): string => {
  const known = escapes.get(unit)
  if (known !== undefined) return known
  const code = unit.charCodeAt(0)
  if (code >= 0x20 && code < 0x7f) return unit
  if (code < 0x20 || code === 0x7f) return `\\${code.toString(8).padStart(3, "0")}`
  return `\\u${code.toString(16).padStart(4, "0")}`
}

/** A Java string literal of the value, in pure ASCII. */
export const javaString = (value: string): string => `"${value.split("").map(escaped).join("")}"`

/** The text as it can stand in any Java comment: on one line, unable to end the comment or to form an escape. */
export const commentText = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must go.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replaceAll("\\", "\\ ")
    .replaceAll("*/", "* /")
    .replaceAll("/*", "/ *")
    .replace(/ {2,}/g, " ")
    .trim()

/** The lines one step further in. */
export const indent = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === "" ? line : `  ${line}`))

/** A braced block; a head such as `if (x)` comes before the brace. */
export const block = (head: string, body: readonly string[]): readonly string[] => [
  `${head} {`,
  ...indent(body),
  "}"
]
