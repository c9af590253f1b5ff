import type { Paragraph, Program } from "../cobol/Ast.js"
import type { ProcedureReference } from "../cobol/Statement.js"
import { camelCase, constantCase, type NameScope } from "./JavaName.js"
import { Untranslatable } from "./Operand.js"

/** A paragraph with its number, which is its place in the source, and its Java names. */
export interface NumberedParagraph {
  readonly number: number
  readonly name: string
  readonly constant: string
  readonly method: string
  readonly section: string
  readonly sentences: Paragraph["sentences"]
}

/** A section as the range of its paragraphs. */
export interface NumberedSection {
  readonly name: string
  readonly method: string
  readonly first: NumberedParagraph
  readonly last: NumberedParagraph
}

/** The first and the last paragraph of what a procedure name stands for; a section has a method of its own. */
export interface Range {
  readonly method?: string
  readonly first: NumberedParagraph
  readonly last: NumberedParagraph
}

/** The paragraphs of one program in the order in which control falls through them. */
export class Procedure {
  readonly paragraphs: readonly NumberedParagraph[]
  readonly sections: readonly NumberedSection[]
  /** The number of the first paragraph behind the DECLARATIVES. */
  readonly entry: number

  constructor(program: Program, members: NameScope, constants: NameScope) {
    const paragraphs: NumberedParagraph[] = []
    const sections: NumberedSection[] = []
    let entry = 0
    const number = (name: string, section: string, sentences: Paragraph["sentences"]): NumberedParagraph => {
      const shown = name !== "" ? name : section !== "" ? `${section}-START` : "MAIN-PROCEDURE"
      const numbered = {
        number: paragraphs.length,
        name,
        section,
        sentences,
        constant: constants.claim(constantCase(shown, "P")),
        method: members.claim(camelCase(shown, "p"))
      }
      paragraphs.push(numbered)
      return numbered
    }
    for (const section of program.procedure?.sections ?? []) {
      const own = section.paragraphs.map((each) => number(each.name, section.name, each.sentences))
      const first = own[0] ?? number("", section.name, [])
      if (section.declarative) entry = paragraphs.length
      if (section.name === "") continue
      const method = members.claim(camelCase(`SECTION-${section.name}`))
      sections.push({ name: section.name, method, first, last: own.at(-1) ?? first })
    }
    if (paragraphs.length === entry) number("", "", [])
    this.paragraphs = paragraphs
    this.sections = sections
    this.entry = entry
  }

  /** What the name stands for when it is used within `section`; throws `Untranslatable` for an unknown name. */
  find(reference: ProcedureReference, section: string): Range {
    const wanted = reference.name.toUpperCase()
    const named = this.paragraphs.filter((each) => each.name.toUpperCase() === wanted)
    const within = (reference.section ?? section).toUpperCase()
    const near = named.find((each) => each.section.toUpperCase() === within)
    if (near !== undefined) return { first: near, last: near }
    if (reference.section === undefined) {
      const whole = this.sections.find((each) => each.name.toUpperCase() === wanted)
      if (whole !== undefined) return whole
      const far = named[0]
      if (far !== undefined) return { first: far, last: far }
    }
    throw new Untranslatable(`there is no procedure ${reference.name}`)
  }

  /** The last paragraph of the section that the paragraph belongs to. */
  endOfSection(paragraph: NumberedParagraph): NumberedParagraph {
    return this.sections.find((each) => each.name === paragraph.section)?.last ?? paragraph
  }
}
