import type { Sentence } from "../cobol/Ast.js"
import type { Statement } from "../cobol/Statement.js"
import type { ConditionWriter } from "./ConditionWriter.js"
import type { Evaluation } from "./Evaluation.js"
import { block } from "./JavaText.js"
import type { NumberedParagraph, Procedure, Range } from "./Procedure.js"
import type { Storage } from "./Storage.js"

/** Java statements; `completes` is false when the Java compiler knows that control never reaches their end. */
export interface Body {
  readonly lines: readonly string[]
  readonly completes: boolean
}

/** Statements that control runs through. */
export const through = (lines: readonly string[]): Body => ({ lines, completes: true })

/** Statements that end with a jump. */
export const jump = (lines: readonly string[]): Body => ({ lines, completes: false })

/** The lines of a body that others follow: a jump is hidden from the compiler, which rejects dead code. */
export const followed = (body: Body): readonly string[] =>
  body.completes ? body.lines : block("if (true)", body.lines)

/** The bodies one after the other. */
export const sequence = (bodies: readonly Body[]): Body => ({
  lines: bodies.flatMap((body, place) => (place === bodies.length - 1 ? body.lines : followed(body))),
  completes: bodies.at(-1)?.completes ?? true
})

interface Loop {
  readonly label: string
  readonly cycle: string
  left: boolean
  cycled: boolean
}

/** What the writers of single statements share while one paragraph is translated. */
export class Translation {
  readonly storage: Storage
  readonly evaluation: Evaluation
  readonly conditions: ConditionWriter
  readonly procedure: Procedure
  readonly paragraph: NumberedParagraph
  readonly #translate: (statement: Statement, within: Translation) => Body
  readonly #loops: Loop[] = []
  #locals = 0
  #sentence: { readonly label: string; left: boolean } | undefined

  constructor(
    shared: Pick<Translation, "storage" | "evaluation" | "conditions" | "procedure">,
    paragraph: NumberedParagraph,
    translate: (statement: Statement, within: Translation) => Body
  ) {
    this.storage = shared.storage
    this.evaluation = shared.evaluation
    this.conditions = shared.conditions
    this.procedure = shared.procedure
    this.paragraph = paragraph
    this.#translate = translate
  }

  /** A local name that no other local and no field has. */
  local(name: string): string {
    this.#locals += 1
    return `${name}_${this.#locals}`
  }

  /** The statements in order. */
  statements(list: readonly Statement[]): Body {
    return sequence(list.map((statement) => this.#translate(statement, this)))
  }

  /** One sentence, in pieces that follow each other; it is one labelled piece if NEXT SENTENCE occurs in it. */
  sentence({ statements }: Sentence): readonly Body[] {
    const current = { label: this.local("sentence"), left: false }
    this.#sentence = current
    const bodies = statements.map((statement) => this.#translate(statement, this))
    this.#sentence = undefined
    return current.left ? [through(block(`${current.label}:`, sequence(bodies).lines))] : bodies
  }

  /** The label to break from for NEXT SENTENCE. */
  leaveSentence(): string | undefined {
    if (this.#sentence === undefined) return undefined
    this.#sentence.left = true
    return this.#sentence.label
  }

  /** Translates the body of an inline PERFORM; `label` is empty unless EXIT PERFORM occurs in it. */
  loopBody(list: readonly Statement[]): { readonly body: Body; readonly label: string } {
    const loop: Loop = { label: this.local("loop"), cycle: this.local("cycle"), left: false, cycled: false }
    this.#loops.push(loop)
    const body = this.statements(list)
    this.#loops.pop()
    return {
      body: loop.cycled ? through(block(`${loop.cycle}:`, body.lines)) : body,
      label: loop.left ? `${loop.label}: ` : ""
    }
  }

  /** The label to break from for EXIT PERFORM, or EXIT PERFORM CYCLE. */
  leaveLoop(cycle: boolean): string | undefined {
    const loop = this.#loops.at(-1)
    if (loop === undefined) return undefined
    if (cycle) loop.cycled = true
    else loop.left = true
    return cycle ? loop.cycle : loop.label
  }

  /** What a procedure name means at this point. */
  range(reference: Parameters<Procedure["find"]>[0]): Range {
    return this.procedure.find(reference, this.paragraph.section)
  }
}
