import type { ProgramCall } from "../cobol/ProgramCalls.js"
import type { DataArea, ProgramSummary } from "../cobol/ProgramSummary.js"
import { code, list, page, plain, table } from "./Markdown.js"

const metricRows = (program: ProgramSummary): readonly (readonly [string, number])[] => {
  const { metrics, reading } = program
  return [
    ["Lines of code in the file", reading.lines.code],
    ["Comment lines", reading.lines.comment],
    ["Blank lines", reading.lines.blank],
    ["Sections", metrics.sections],
    ["Paragraphs", metrics.paragraphs],
    ["Statements", metrics.statementCount],
    ["Cyclomatic complexity", metrics.complexity],
    ["GO TO", metrics.goTos],
    ["Data items", metrics.dataItems],
    ["Condition names", metrics.conditionNames],
    ["Unknown statements", metrics.unknownStatements]
  ]
}

const countRows = (counts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] =>
  Object.entries(counts)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([name, amount]) => [plain(name), amount])

const dataSection = ({ area, rows }: DataArea): string =>
  page(
    `### ${plain(area)}`,
    table(
      ["Level", "Name", "PIC", "Usage", "Occurs", "Redefines", "Offset", "Bytes", "Conditions"],
      rows.map((row) => [
        String(row.level).padStart(2, "0"),
        `${"&nbsp;&nbsp;".repeat(row.depth)}${code(row.name)}`,
        code(row.picture),
        plain(row.usage),
        plain(row.occurs),
        code(row.redefines),
        row.offset,
        row.size,
        plain(row.conditions.join(", "))
      ])
    )
  ).trimEnd()

const callTarget = (call: ProgramCall): string => {
  const targets = call.targets.map(code).join(", ")
  if (call.kind === "static") return targets
  const known = targets === "" ? "unknown" : call.isComplete ? targets : `${targets} and others`
  return `${code(call.identifier ?? "")} → ${known}`
}

const flowLines = ({ flow }: ProgramSummary): readonly string[] => [
  ...flow.unreachable.map((name) => `${code(name)} is never reached.`),
  ...flow.unresolved.map(({ name, line }) => `${code(name)}, named on line ${line}, does not exist.`),
  ...flow.recursions.map((group) => `${group.map(code).join(", ")} perform each other.`)
]

/** `program-<NAME>.md`: everything that was found in one program. */
export const programReport = (program: ProgramSummary): string =>
  page(
    `# Program ${plain(program.name)}`,
    list([
      `File: ${code(program.path)}, lines ${program.line}–${program.endLine}`,
      `Format: ${program.reading.format}`,
      ...(program.within === undefined ? [] : [`Contained in: ${code(program.within)}`]),
      ...(program.parameters.length === 0 ? [] : [`Parameters: ${program.parameters.map(code).join(", ")}`]),
      ...(program.entries.length === 0 ? [] : [`Further entries: ${program.entries.map(code).join(", ")}`]),
      ...program.identification.map(({ name, text }) => `${plain(name)}: ${plain(text)}`)
    ]),
    "## Metrics",
    table(["Metric", "Value"], metricRows(program)),
    "## Statements",
    table(["Statement", "Count"], countRows(program.metrics.statements)),
    "## Data",
    ...program.data.map(dataSection),
    program.data.length === 0 ? "None." : "",
    "## Paragraphs",
    table(
      ["Paragraph", "Section", "Lines", "Statements", "Complexity"],
      program.paragraphs.map((paragraph) => [
        paragraph.name === "" ? "(unnamed)" : code(paragraph.name),
        code(paragraph.section),
        `${paragraph.line}–${paragraph.endLine}`,
        paragraph.statements,
        paragraph.complexity
      ])
    ),
    "## Transfers of control",
    table(
      ["From", "Kind", "To", "Line"],
      program.flow.transfers.map((transfer) => [
        code(transfer.from),
        transfer.kind === "perform" ? "PERFORM" : "GO TO",
        transfer.through === undefined
          ? code(transfer.to)
          : `${code(transfer.to)} thru ${code(transfer.through)}`,
        transfer.line
      ])
    ),
    list(flowLines(program), "Every paragraph is reached, and every target exists."),
    "## Calls",
    table(
      ["By", "Kind", "Target", "Line"],
      program.calls.map((call) => [call.by, call.kind, callTarget(call), call.line])
    ),
    "## Copybooks",
    table(
      ["Copybook", "File", "Copied in", "Line"],
      program.copies.map((copy) => [
        code(copy.name),
        copy.path === undefined ? "not found" : code(copy.path),
        code(copy.at.file),
        copy.at.line
      ])
    ),
    "## Files",
    table(
      ["File", "Assigned to", "Organization", "Opened for"],
      program.files.map((file) => [
        code(file.name),
        code(file.assign),
        file.organization,
        file.modes.join(", ")
      ])
    ),
    "## SQL",
    table(
      ["Table", "Access"],
      program.metrics.sqlTables.map(({ name, access }) => [code(name), access])
    ),
    table(["Command", "Count"], countRows(program.metrics.sqlCommands), ""),
    "## CICS",
    table(["Command", "Count"], countRows(program.metrics.cicsCommands)),
    "## Unknown statements",
    table(
      ["Line", "Statement"],
      program.unknown.map(({ line, text }) => [line, code(text.slice(0, 200))])
    ),
    "## Diagnostics",
    table(
      ["Severity", "File", "Line", "Message"],
      program.diagnostics.map(({ severity, file, line, message }) => [
        severity,
        code(file),
        line,
        plain(message)
      ])
    )
  )
