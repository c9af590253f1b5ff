/** Text made safe for a Markdown line or table cell: nothing in it can format, link or end the cell. */
export const plain = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/[\\`*_{}[\]|#~]/g, "\\$&")
    .replace(/^([-+>])/, "\\$1")
    .trim()

/** Text as inline code, safe in a table cell, whatever backticks and bars it holds. */
export const code = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim().replace(/\|/g, "\\|")
  if (line === "") return ""
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length))
  const fence = "`".repeat(longest + 1)
  return longest > 0 ? `${fence} ${line} ${fence}` : `${fence}${line}${fence}`
}

/** A table of cells that are already safe Markdown; without rows it is the given sentence. */
export const table = (
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  whenEmpty = "None."
): string => {
  if (rows.length === 0) return whenEmpty
  const isNumeric = heads.map((_, column) => rows.every((row) => typeof row[column] === "number"))
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`
  const rule = isNumeric.map((numeric) => (numeric ? "---:" : "---"))
  return [line(heads), line(rule), ...rows.map(line)].join("\n")
}

/** Blocks separated by blank lines, ending with a line end. */
export const page = (...blocks: readonly string[]): string =>
  `${blocks.filter((block) => block !== "").join("\n\n")}\n`

/** A bullet list of lines that are already safe Markdown; without lines it is the given sentence. */
export const list = (lines: readonly string[], whenEmpty = "None."): string =>
  lines.length === 0 ? whenEmpty : lines.map((line) => `- ${line}`).join("\n")

/** The singular for one thing and the plural for any other number. */
export const count = (amount: number, singular: string, plural = `${singular}s`): string =>
  `${amount} ${amount === 1 ? singular : plural}`
