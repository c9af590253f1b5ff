import type { Graph } from "../cobol/Graph.js"
import type { ProgramSummary } from "../cobol/ProgramSummary.js"
import { code, count, list, page, plain, table } from "./Markdown.js"

/** Something that makes a program harder to migrate. */
export interface Risk {
  readonly program: string
  readonly risk: string
}

const altersOf = (program: ProgramSummary): number => program.metrics.statements.Alter ?? 0

const risksOf = (program: ProgramSummary): readonly string[] => {
  const { metrics, flow, calls } = program
  const open = calls.filter((call) => call.kind === "dynamic" && !call.isComplete)
  const errors = program.diagnostics.filter((diagnostic) => diagnostic.severity === "error").length
  const possible: readonly (readonly [boolean, string])[] = [
    [metrics.goTos > 0, `${metrics.goTos} GO TO`],
    [altersOf(program) > 0, `${altersOf(program)} ALTER, which change GO TO targets at run time`],
    [open.length > 0, `${count(open.length, "dynamic call")} whose targets are not all known`],
    [
      metrics.unknownStatements > 0,
      `${count(metrics.unknownStatements, "statement")} that could not be read`
    ],
    [flow.unreachable.length > 0, `${count(flow.unreachable.length, "paragraph")} that nothing reaches`],
    [
      flow.unresolved.length > 0,
      `${count(flow.unresolved.length, "transfer")} to paragraphs that do not exist`
    ],
    [flow.recursions.length > 0, "paragraphs that perform each other"],
    [metrics.complexity > 50, `cyclomatic complexity ${metrics.complexity}`],
    [errors > 0, `${count(errors, "error")} while reading`]
  ]
  return possible.flatMap(([applies, text]) => (applies ? [text] : []))
}

/** Every risk of every program, in the order of the programs, then the missing parts. */
export const migrationRisks = (graph: Graph, programs: readonly ProgramSummary[]): readonly Risk[] => [
  ...[...programs]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((program) => risksOf(program).map((risk) => ({ program: program.name, risk }))),
  ...graph.missing
    .filter(({ isSystem }) => !isSystem)
    .flatMap(({ name, calledBy }) =>
      calledBy.map((program) => ({ program, risk: `calls ${name}, which is missing` }))
    ),
  ...graph.missingCopyBooks.flatMap(({ name, usedBy }) =>
    usedBy.map((program) => ({ program, risk: `copies ${name}, which is missing` }))
  )
]

/** `migration-plan.md`: the order in which to migrate, callees first, and what stands in the way. */
export const migrationPlan = (graph: Graph, programs: readonly ProgramSummary[]): string => {
  const byName = new Map(programs.map((program) => [program.name, program]))
  const risks = migrationRisks(graph, programs)
  const sizeOf = (group: readonly string[], of: (program: ProgramSummary) => number): number =>
    group.reduce((sum, name) => {
      const program = byName.get(name)
      return sum + (program === undefined ? 0 : of(program))
    }, 0)
  return page(
    "# Migration plan",
    "Programs that are called come before their callers. Programs that call each other form one step.",
    "## Order",
    table(
      ["Step", "Programs", "Statements", "Complexity", "Risks"],
      graph.order.map((group, index) => [
        index + 1,
        group.map(code).join(", "),
        sizeOf(group, ({ metrics }) => metrics.statementCount),
        sizeOf(group, ({ metrics }) => metrics.complexity),
        risks.filter((risk) => group.includes(risk.program)).length
      ])
    ),
    "## Risks",
    table(
      ["Program", "Risk"],
      risks.map(({ program, risk }) => [code(program), plain(risk)]),
      "None was found."
    ),
    "## Dynamic calls",
    table(
      ["Program", "Identifier", "Known targets", "Line"],
      graph.openCalls.map((call) => [
        code(call.program),
        code(call.identifier),
        call.targets.length === 0 ? "none" : call.targets.map(code).join(", "),
        call.line
      ]),
      "Every call has a known target."
    ),
    "## Names used twice",
    list(graph.duplicates.map((name) => `More than one file holds a program ${code(name)}.`))
  )
}
