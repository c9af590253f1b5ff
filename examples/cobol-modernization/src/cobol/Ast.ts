import type { DataDivision, FileControl } from "./DataItem.js"
import type { Expression } from "./Expression.js"
import type { LineCounts } from "./LogicalText.js"
import type { Diagnostic, Position } from "./Position.js"
import type { SourceFormat } from "./SourceFormat.js"
import type { Statement } from "./Statement.js"

/** Statements up to one period; NEXT SENTENCE continues at the following sentence. */
export interface Sentence {
  readonly at: Position
  readonly statements: readonly Statement[]
}

/** A paragraph; the statements before the first paragraph name of a section form one with an empty name. */
export interface Paragraph {
  readonly name: string
  readonly at: Position
  readonly endLine: number
  readonly sentences: readonly Sentence[]
}

/** A section; paragraphs outside every section belong to one with an empty name. */
export interface Section {
  readonly name: string
  readonly at: Position
  readonly declarative: boolean
  readonly paragraphs: readonly Paragraph[]
}

/** A parameter of PROCEDURE DIVISION USING. */
export interface Parameter {
  readonly name: string
  readonly byValue: boolean
}

/** The PROCEDURE DIVISION in source order; DECLARATIVES come first and are marked. */
export interface ProcedureDivision {
  readonly at: Position
  readonly using: readonly Parameter[]
  readonly returning?: string
  readonly sections: readonly Section[]
}

/** A COPY (or EXEC SQL INCLUDE) in the program or in one of its copybooks; no `path` means it was not found. */
export interface CopyUse {
  readonly name: string
  readonly library?: string
  readonly at: Position
  readonly path?: string
  readonly replacements: number
}

/** A name of SPECIAL-NAMES standing for something of the system. */
export interface SpecialName {
  readonly system: string
  readonly mnemonic: string
}

/** What the CONFIGURATION SECTION says about the reading of the rest. */
export interface Configuration {
  readonly decimalPointIsComma: boolean
  readonly currencySign?: string
  readonly classes: readonly { readonly name: string; readonly values: readonly Expression[] }[]
  readonly specialNames: readonly SpecialName[]
}

/** A COBOL program; `nested` are the programs contained between it and its END PROGRAM. */
export interface Program {
  readonly _tag: "Program"
  readonly name: string
  readonly path: string
  readonly at: Position
  readonly endLine: number
  readonly isInitial: boolean
  readonly identification: readonly { readonly name: string; readonly text: string }[]
  readonly configuration: Configuration
  readonly fileControl: readonly FileControl[]
  readonly data: DataDivision
  readonly procedure?: ProcedureDivision
  readonly copies: readonly CopyUse[]
  readonly nested: readonly Program[]
}

/** How the text of a file was read: its column format and what its lines hold. */
export interface SourceReading {
  readonly format: SourceFormat
  readonly lines: LineCounts
}

/** A file that holds a program; `others` are the programs that follow the first in the same file. */
export interface ParsedProgram {
  readonly _tag: "Parsed"
  readonly reading: SourceReading
  readonly program: Program
  readonly others: readonly Program[]
  readonly diagnostics: readonly Diagnostic[]
}

/** A file that reads as COBOL text meant to be copied: no program of its own. */
export interface ParsedCopyBook {
  readonly _tag: "CopyBook"
  readonly path: string
  readonly reading: SourceReading
  readonly data: DataDivision
  readonly copies: readonly CopyUse[]
  readonly diagnostics: readonly Diagnostic[]
}

/** A file that is no COBOL; the reason is a full sentence fit for a report. */
export interface NotCobol {
  readonly _tag: "NotCobol"
  readonly path: string
  readonly reading: SourceReading
  readonly reason: string
  readonly diagnostics: readonly Diagnostic[]
}

/** The result of parsing any text. */
export type ParseResult = ParsedProgram | ParsedCopyBook | NotCobol
