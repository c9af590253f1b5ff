import type { ExecStatement } from "./ExecStatement.js"
import type { AddressOf, Condition, Expression, Reference } from "./Expression.js"
import type { FileStatement } from "./FileStatement.js"
import type { Position } from "./Position.js"

/** A paragraph or section name in use; `section` is the qualifier of `PARAGRAPH OF SECTION`. */
export interface ProcedureReference {
  readonly name: string
  readonly section?: string
}

/** A receiving field of arithmetic with its own ROUNDED phrase. */
export interface ArithmeticTarget {
  readonly reference: Reference
  readonly rounded: boolean
}

/** The SIZE ERROR branches; an empty list means the phrase is absent. */
export interface SizeError {
  readonly onSizeError: readonly Statement[]
  readonly notOnSizeError: readonly Statement[]
}

/** The OVERFLOW branches; an empty list means the phrase is absent. */
export interface Overflow {
  readonly onOverflow: readonly Statement[]
  readonly notOnOverflow: readonly Statement[]
}

/** What every statement knows: its kind and where it starts. */
export interface StatementOf<Tag extends string> {
  readonly _tag: Tag
  readonly at: Position
}

/** MOVE of one source to every target in turn. */
export interface Move extends StatementOf<"Move"> {
  readonly source: Expression
  readonly targets: readonly Reference[]
  readonly corresponding: boolean
}

/** With `giving`, every target becomes the sum of the operands; without, each is increased by that sum. */
export interface Add extends StatementOf<"Add">, SizeError {
  readonly operands: readonly Expression[]
  readonly targets: readonly ArithmeticTarget[]
  readonly giving: boolean
  readonly corresponding: boolean
}

/** With `from` (the GIVING form) every target becomes `from` minus the operands; without, each target is decreased. */
export interface Subtract extends StatementOf<"Subtract">, SizeError {
  readonly operands: readonly Expression[]
  readonly from?: Expression
  readonly targets: readonly ArithmeticTarget[]
  readonly giving: boolean
  readonly corresponding: boolean
}

/** With `by` (the GIVING form) every target becomes `operand * by`; without, each target is multiplied by `operand`. */
export interface Multiply extends StatementOf<"Multiply">, SizeError {
  readonly operand: Expression
  readonly by?: Expression
  readonly targets: readonly ArithmeticTarget[]
  readonly giving: boolean
}

/** With `dividend` (the GIVING form) every target becomes `dividend / divisor`; without, each target is divided by `divisor`. */
export interface Divide extends StatementOf<"Divide">, SizeError {
  readonly divisor: Expression
  readonly dividend?: Expression
  readonly targets: readonly ArithmeticTarget[]
  readonly giving: boolean
  readonly remainder?: Reference
}

/** COMPUTE: every target becomes the value of the expression. */
export interface Compute extends StatementOf<"Compute">, SizeError {
  readonly targets: readonly ArithmeticTarget[]
  readonly expression: Expression
}

/** IF; `ELSE` absent means an empty `otherwise`. */
export interface If extends StatementOf<"If"> {
  readonly condition: Condition
  readonly then: readonly Statement[]
  readonly otherwise: readonly Statement[]
}

/** What an EVALUATE looks at. */
export type EvaluateSubject =
  | { readonly _tag: "True" }
  | { readonly _tag: "False" }
  | { readonly _tag: "Value"; readonly value: Expression }
  | { readonly _tag: "Condition"; readonly condition: Condition }

/** What one column of a WHEN asks of the subject in the same position; a `Condition` already names the subject itself. */
export type EvaluateTest =
  | { readonly _tag: "Any" }
  | { readonly _tag: "True" }
  | { readonly _tag: "False" }
  | { readonly _tag: "Condition"; readonly condition: Condition }
  | {
      readonly _tag: "Value"
      readonly value: Expression
      readonly through?: Expression
      readonly negated: boolean
    }

/** A body and the WHEN phrases that lead to it; stacked WHENs share a body, so `whens` is a list of alternatives. */
export interface EvaluateBranch {
  readonly at: Position
  readonly whens: readonly (readonly EvaluateTest[])[]
  readonly body: readonly Statement[]
}

/** EVALUATE; the first branch with a matching WHEN runs, otherwise `otherwise` (WHEN OTHER). */
export interface Evaluate extends StatementOf<"Evaluate"> {
  readonly subjects: readonly EvaluateSubject[]
  readonly branches: readonly EvaluateBranch[]
  readonly otherwise: readonly Statement[]
}

/** One VARYING or AFTER variable. */
export interface VaryingVariable {
  readonly variable: Reference
  readonly from: Expression
  readonly by: Expression
  readonly until: Condition
}

/** How often a PERFORM runs; the outermost VARYING variable comes first. */
export type PerformLoop =
  | { readonly _tag: "Once" }
  | { readonly _tag: "Forever" }
  | { readonly _tag: "Times"; readonly count: Expression }
  | { readonly _tag: "Until"; readonly condition: Condition; readonly testAfter: boolean }
  | { readonly _tag: "Varying"; readonly variables: readonly VaryingVariable[]; readonly testAfter: boolean }

/** PERFORM of paragraphs or sections written elsewhere. */
export interface Perform extends StatementOf<"Perform"> {
  readonly procedure: ProcedureReference
  readonly through?: ProcedureReference
  readonly loop: PerformLoop
}

/** PERFORM … END-PERFORM with its body in place. */
export interface PerformInline extends StatementOf<"PerformInline"> {
  readonly loop: PerformLoop
  readonly body: readonly Statement[]
}

/** GO TO; several targets only with DEPENDING ON, none for a bare GO TO that an ALTER completes. */
export interface GoTo extends StatementOf<"GoTo"> {
  readonly targets: readonly ProcedureReference[]
  readonly dependingOn?: Reference
}

/** ALTER, the self-modifying GO TO. */
export interface Alter extends StatementOf<"Alter"> {
  readonly changes: readonly { readonly from: ProcedureReference; readonly to: ProcedureReference }[]
}

/** An argument of CALL; no value means OMITTED. */
export interface CallArgument {
  readonly mode: "REFERENCE" | "CONTENT" | "VALUE"
  readonly value?: Expression
}

/** CALL; a `Text` program is static, a `Reference` dynamic. */
export interface Call extends StatementOf<"Call"> {
  readonly program: Expression
  readonly using: readonly CallArgument[]
  readonly returning?: Reference
  readonly onException: readonly Statement[]
  readonly notOnException: readonly Statement[]
}

/** CANCEL of the named programs. */
export interface Cancel extends StatementOf<"Cancel"> {
  readonly programs: readonly Expression[]
}

/** ENTRY, a second way into the program. */
export interface Entry extends StatementOf<"Entry"> {
  readonly name: string
  readonly using: readonly Reference[]
}

/** DISPLAY; `upon` is the device's mnemonic, upper case, `screen` the position and attributes as text. */
export interface Display extends StatementOf<"Display"> {
  readonly operands: readonly Expression[]
  readonly upon?: string
  readonly noAdvancing: boolean
  readonly screen?: string
}

/** ACCEPT; `from` is the source as written, for example `DATE YYYYMMDD`, `screen` the position and attributes as text. */
export interface Accept extends StatementOf<"Accept"> {
  readonly target: Reference
  readonly from?: string
  readonly screen?: string
}

/** Values of a STRING that share a delimiter; without `delimitedBy` they are taken whole (BY SIZE). */
export interface StringSource {
  readonly values: readonly Expression[]
  readonly delimitedBy?: Expression
}

/** STRING; it does not clear the rest of the receiving field. */
export interface StringStatement extends StatementOf<"String">, Overflow {
  readonly sources: readonly StringSource[]
  readonly into: Reference
  readonly pointer?: Reference
}

/** A receiving field of UNSTRING. */
export interface UnstringTarget {
  readonly reference: Reference
  readonly delimiterIn?: Reference
  readonly countIn?: Reference
}

/** UNSTRING; without delimiters the receiving fields' sizes decide. */
export interface Unstring extends StatementOf<"Unstring">, Overflow {
  readonly source: Expression
  readonly delimiters: readonly { readonly value: Expression; readonly all: boolean }[]
  readonly into: readonly UnstringTarget[]
  readonly pointer?: Reference
  readonly tallying?: Reference
}

/** The BEFORE/AFTER INITIAL limits of an INSPECT phrase. */
export interface InspectBounds {
  readonly before?: Expression
  readonly after?: Expression
}

/** One counter of INSPECT TALLYING; CHARACTERS has no value. */
export interface InspectTally extends InspectBounds {
  readonly counter: Reference
  readonly kind: "CHARACTERS" | "ALL" | "LEADING" | "TRAILING"
  readonly value?: Expression
}

/** One replacement of INSPECT REPLACING; CHARACTERS has no value. */
export interface InspectReplacement extends InspectBounds {
  readonly kind: "CHARACTERS" | "ALL" | "LEADING" | "FIRST" | "TRAILING"
  readonly value?: Expression
  readonly by: Expression
}

/** INSPECT; TALLYING happens before REPLACING when both are present. */
export interface Inspect extends StatementOf<"Inspect"> {
  readonly target: Expression
  readonly tallying: readonly InspectTally[]
  readonly replacing: readonly InspectReplacement[]
  readonly converting?: InspectBounds & { readonly from: Expression; readonly to: Expression }
}

/** INITIALIZE; without `replacing` numeric items become zero and the others spaces. */
export interface Initialize extends StatementOf<"Initialize"> {
  readonly targets: readonly Reference[]
  readonly replacing: readonly { readonly category: string; readonly by: Expression }[]
}

/** One phrase of SET; `Condition` targets are level-88 names (or switches). */
export type SetAssignment =
  | { readonly _tag: "To"; readonly targets: readonly (Reference | AddressOf)[]; readonly value: Expression }
  | { readonly _tag: "Up"; readonly targets: readonly Reference[]; readonly by: Expression }
  | { readonly _tag: "Down"; readonly targets: readonly Reference[]; readonly by: Expression }
  | { readonly _tag: "Condition"; readonly targets: readonly Reference[]; readonly value: boolean }

/** SET of indexes, pointers and condition names. */
export interface SetStatement extends StatementOf<"Set"> {
  readonly assignments: readonly SetAssignment[]
}

/** SEARCH; `all` is the binary search over the table's keys. */
export interface Search extends StatementOf<"Search"> {
  readonly table: Reference
  readonly all: boolean
  readonly varying?: Reference
  readonly atEnd: readonly Statement[]
  readonly whens: readonly { readonly condition: Condition; readonly body: readonly Statement[] }[]
}

/** STOP; `run` is false for the operator message `STOP literal`, whose literal is the value. */
export interface Stop extends StatementOf<"Stop"> {
  readonly run: boolean
  readonly value?: Expression
}

/** EXIT; `NONE` is the plain EXIT that only ends a paragraph list. */
export interface Exit extends StatementOf<"Exit"> {
  readonly of:
    | "NONE"
    | "PROGRAM"
    | "PARAGRAPH"
    | "SECTION"
    | "PERFORM"
    | "PERFORM CYCLE"
    | "FUNCTION"
    | "METHOD"
  readonly returning?: Expression
}

/** GOBACK with the optional return code. */
export interface Goback extends StatementOf<"Goback"> {
  readonly returning?: Expression
}

/** USE, the heading of a declarative section, as text. */
export interface Use extends StatementOf<"Use"> {
  readonly text: string
}

/** A statement that only transfers control or does nothing. */
export type Plain = StatementOf<"Continue"> | StatementOf<"NextSentence">

/** A statement the parser has no form for, kept as its source words so that nothing is dropped. */
export interface Unknown extends StatementOf<"Unknown"> {
  readonly verb: string
  readonly text: string
}

/** Every statement of the PROCEDURE DIVISION. */
export type Statement =
  | Move
  | Add
  | Subtract
  | Multiply
  | Divide
  | Compute
  | If
  | Evaluate
  | Perform
  | PerformInline
  | GoTo
  | Alter
  | Call
  | Cancel
  | Entry
  | Display
  | Accept
  | StringStatement
  | Unstring
  | Inspect
  | Initialize
  | SetStatement
  | Search
  | Stop
  | Exit
  | Goback
  | Use
  | Plain
  | FileStatement
  | ExecStatement
  | Unknown
