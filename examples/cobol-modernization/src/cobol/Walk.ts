import type { Paragraph, ProcedureDivision, Program } from "./Ast.js"
import type { Condition } from "./Expression.js"
import type { Statement } from "./Statement.js"

const branchNames = [
  "then",
  "otherwise",
  "body",
  "onSizeError",
  "notOnSizeError",
  "onException",
  "notOnException",
  "onOverflow",
  "notOnOverflow",
  "atEnd",
  "notAtEnd",
  "invalidKey",
  "notInvalidKey",
  "atEndOfPage",
  "notAtEndOfPage"
] as const

type BranchName = (typeof branchNames)[number]

/** The branches of a statement that hold statements, by the name of their property. */
export const branchesOf = (
  statement: Statement
): readonly { readonly name: BranchName | "when"; readonly statements: readonly Statement[] }[] => {
  const fields = statement as unknown as Partial<Record<BranchName, readonly Statement[]>>
  const found = branchNames.flatMap((name) => {
    const statements = fields[name]
    return statements === undefined || statements.length === 0 ? [] : [{ name, statements }]
  })
  if (statement._tag === "Evaluate") {
    const whens = statement.branches.map((branch) => ({ name: "when" as const, statements: branch.body }))
    return [...whens, ...found]
  }
  if (statement._tag !== "Search") return found
  return [...found, ...statement.whens.map((when) => ({ name: "when" as const, statements: when.body }))]
}

/** Every statement in source order, the ones inside branches after the one that holds them. */
export function* walk(statements: readonly Statement[]): Generator<Statement> {
  const pending = [...statements].reverse()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    yield next
    const inner = branchesOf(next).flatMap((branch) => branch.statements)
    for (let at = inner.length - 1; at >= 0; at--) {
      const statement = inner[at]
      if (statement !== undefined) pending.push(statement)
    }
  }
}

/** The top-level statements of a paragraph, sentence after sentence. */
export const statementsOf = (paragraph: Paragraph): readonly Statement[] =>
  paragraph.sentences.flatMap((sentence) => sentence.statements)

/** Every statement of a procedure division. */
export function* walkProcedure(procedure: ProcedureDivision | undefined): Generator<Statement> {
  for (const section of procedure?.sections ?? []) {
    for (const paragraph of section.paragraphs) yield* walk(statementsOf(paragraph))
  }
}

/** Every program of a list with the programs nested in it, outermost first. */
export const withNested = (programs: readonly Program[]): readonly Program[] =>
  programs.flatMap((program) => [program, ...withNested(program.nested)])

/** The conditions a statement decides on by itself. */
export const conditionsOf = (statement: Statement): readonly Condition[] => {
  switch (statement._tag) {
    case "If":
      return [statement.condition]
    case "Search":
      return statement.whens.map((when) => when.condition)
    case "Evaluate":
      return statement.branches.flatMap((branch) =>
        branch.whens.flat().flatMap((test) => (test._tag === "Condition" ? [test.condition] : []))
      )
    case "Perform":
    case "PerformInline": {
      const { loop } = statement
      if (loop._tag === "Until") return [loop.condition]
      return loop._tag === "Varying" ? loop.variables.map((variable) => variable.until) : []
    }
    default:
      return []
  }
}
