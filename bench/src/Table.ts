import type { Row } from "./Measure.js"

const rounded = (value: number): string => {
  if (Number.isNaN(value)) return "–"
  const size = Math.abs(value)
  const digits = size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

const cellsOf = (row: Row): ReadonlyArray<readonly [string, string]> => [
  ["subject", row.name],
  ["per second", rounded(row.perSecond)],
  ["µs each", rounded(row.microsPerOperation)],
  ["ratio", rounded(row.ratio)],
  ...(row.p50Millis === undefined ? [] : [["p50 ms", rounded(row.p50Millis)] as const]),
  ...(row.p99Millis === undefined ? [] : [["p99 ms", rounded(row.p99Millis)] as const]),
  ...Object.entries(row.figures ?? {}).map(([name, value]) => [name, rounded(value)] as const),
  ...(row.status === undefined ? [] : [["", row.status] as const])
]

const groupText = (rows: ReadonlyArray<Row>): string => {
  const lines = rows.map((row) => new Map(cellsOf(row)))
  const columns = [...new Set(lines.flatMap((line) => [...line.keys()]))]
  columns.sort((a, b) => Number(a === "") - Number(b === ""))
  const widths = columns.map((column) =>
    Math.max(column.length, ...lines.map((line) => (line.get(column) ?? "").length))
  )
  const lineOf = (cell: (column: string) => string) =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0
        return column === "subject" || column === ""
          ? cell(column).padEnd(width)
          : cell(column).padStart(width)
      })
      .join("  ")
      .trimEnd()
  const alike = rows.every(({ does }) => does === rows[0]?.does)
  const notes = alike ? [`    ${rows[0]?.does}`] : rows.map(({ does, name }) => `    ${name}: ${does}`)
  return [lineOf((column) => column), ...lines.map((line) => lineOf((column) => line.get(column) ?? ""))]
    .map((line) => `  ${line}`)
    .concat("", notes, "")
    .join("\n")
}

/** Rows as text: a table for each group, and below it what its subjects do. */
export const table = (rows: ReadonlyArray<Row>): string => {
  const groups = new Map<string, Array<Row>>()
  for (const row of rows) {
    const title = `${row.suite}: ${row.group}`
    groups.set(title, [...(groups.get(title) ?? []), row])
  }
  return [...groups].map(([title, members]) => `${title}\n\n${groupText(members)}`).join("\n")
}
