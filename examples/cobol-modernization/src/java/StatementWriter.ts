import type { Statement } from "../cobol/Statement.js"
import { add, compute, divide, multiply, subtract } from "./ArithmeticWriter.js"
import { evaluate, goTo, ifStatement } from "./BranchWriter.js"
import { initialize, moveStatement, setStatement } from "./DataStatementWriter.js"
import { commentText, javaString } from "./JavaText.js"
import { perform, performInline, search } from "./LoopWriter.js"
import { Untranslatable } from "./Operand.js"
import { accept, call, display, exit, outcome, returning, stop } from "./ServiceWriter.js"
import { type SourceText, statementsIn } from "./SourceText.js"
import { inspect, stringStatement, unstring } from "./TextStatementWriter.js"
import { type Body, jump, type Translation, through } from "./Translation.js"

/** A statement that became a marked line. */
export interface TodoLine {
  readonly file: string
  readonly line: number
  readonly text: string
}

const declarations = /^(DECLARE|INCLUDE|BEGIN DECLARE|END DECLARE|WHENEVER)/

const nestedStatements = (statement: Statement): readonly Statement[] => statementsIn(statement).slice(1)

const attempt = (statement: Statement, t: Translation): Body | undefined => {
  switch (statement._tag) {
    case "Move":
      return moveStatement(t, statement)
    case "Add":
      return add(t, statement)
    case "Subtract":
      return subtract(t, statement)
    case "Multiply":
      return multiply(t, statement)
    case "Divide":
      return divide(t, statement)
    case "Compute":
      return compute(t, statement)
    case "If":
      return ifStatement(t, statement)
    case "Evaluate":
      return evaluate(t, statement)
    case "Perform":
      return perform(t, statement)
    case "PerformInline":
      return performInline(t, statement)
    case "GoTo":
      return goTo(t, statement)
    case "Call":
      return call(t, statement)
    case "Cancel":
      return through(statement.programs.map((program) => `cancel(${t.evaluation.text(program)});`))
    case "Display":
      return display(t, statement)
    case "Accept":
      return accept(t, statement)
    case "String":
      return stringStatement(t, statement)
    case "Unstring":
      return unstring(t, statement)
    case "Inspect":
      return inspect(t, statement)
    case "Initialize":
      return initialize(t, statement)
    case "Set":
      return setStatement(t, statement)
    case "Search":
      return search(t, statement)
    case "Stop":
      return stop(t, statement)
    case "Exit":
      return exit(t, statement)
    case "Goback": {
      const value = statement.returning
      const code = value === undefined ? [] : returning(t, t.evaluation.number(value))
      return jump([...code, "throw goback();"])
    }
    case "Continue":
      return through([])
    case "NextSentence": {
      const label = t.leaveSentence()
      return label === undefined ? undefined : jump([`break ${label};`])
    }
    default:
      return undefined
  }
}

/** Translates statements one by one, marks what has no Java form and counts both. */
export class StatementWriter {
  readonly #source: SourceText
  readonly #todo: TodoLine[] = []
  #statements = 0

  constructor(source: SourceText) {
    this.#source = source
  }

  /** The statements seen so far, nested ones included. */
  get statements(): number {
    return this.#statements
  }

  /** The statements that became marked lines, in source order. */
  get todoLines(): readonly TodoLine[] {
    return this.#todo
  }

  /** The Java form of a statement; one without a form becomes a marked line and a call of `pending`. */
  readonly write = (statement: Statement, t: Translation): Body => {
    const [statements, todos] = [this.#statements, this.#todo.length]
    this.#statements += 1
    try {
      const body = attempt(statement, t)
      if (body !== undefined) return body
      return this.#left(statement, t)
    } catch (error) {
      if (!(error instanceof Untranslatable)) throw error
      this.#statements = statements + 1
      this.#todo.length = todos
      return this.#given(statement)
    }
  }

  #left(statement: Statement, t: Translation): Body {
    const marker = this.#mark(statement)
    if (statement._tag === "ExecSql" && declarations.test(statement.command)) return through([marker])
    if (!("notAtEnd" in statement)) {
      const others = nestedStatements(statement)
      this.#statements += others.length
      return through([marker, ...others.map((each) => this.#mark(each)), this.#pending(statement)])
    }
    const body = outcome(t, this.#title(statement), statement)
    return { lines: [marker, ...body.lines], completes: body.completes }
  }

  #given(statement: Statement): Body {
    const others = nestedStatements(statement)
    this.#statements += others.length
    const markers = [statement, ...others].map((each) => this.#mark(each))
    return through([...markers, this.#pending(statement)])
  }

  #mark(statement: Statement): string {
    const text = this.#source.of(statement).slice(0, 300)
    const { file, line } = statement.at
    this.#todo.push({ file, line, text })
    return `// TODO(cobol) ${commentText(file)}:${line}: ${commentText(text)}`
  }

  #pending(statement: Statement): string {
    return `pending(${javaString(this.#title(statement))});`
  }

  #title(statement: Statement): string {
    const text = this.#source.of(statement)
    return text.length > 60 ? `${text.slice(0, 60)}…` : text
  }
}
