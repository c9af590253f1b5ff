/** A quoted literal without its quotes; for `hex` the value holds the hexadecimal digits, upper case. */
export interface TextLiteral {
  readonly _tag: "Text"
  readonly value: string
  readonly kind: "text" | "hex" | "national"
}

/** A numeric literal as plain decimal text with `.` as decimal point, whatever DECIMAL-POINT says. */
export interface NumberLiteral {
  readonly _tag: "Number"
  readonly text: string
}

/** The figurative constants, in the singular whatever spelling the source uses. */
export type FigurativeName = "ZERO" | "SPACE" | "HIGH-VALUE" | "LOW-VALUE" | "QUOTE" | "NULL"

/** A figurative constant such as ZEROS or SPACES; `ALL ZEROS` means the same and reads the same. */
export interface Figurative {
  readonly _tag: "Figurative"
  readonly name: FigurativeName
}

/** `ALL "x"`: the literal repeated to the length of whatever it meets. */
export interface AllLiteral {
  readonly _tag: "All"
  readonly value: string
}

/** `(start:length)`, 1-based; without a length it reaches the end of the item. */
export interface ReferenceModification {
  readonly start: Expression
  readonly length?: Expression
}

/** A data name in use, upper case; `A OF B IN C` has the qualifiers `["B", "C"]`, innermost first. */
export interface Reference {
  readonly _tag: "Reference"
  readonly name: string
  readonly qualifiers: readonly string[]
  readonly subscripts: readonly Expression[]
  readonly modification?: ReferenceModification
}

/** An intrinsic function call; the name is upper case and carries no FUNCTION keyword. */
export interface FunctionCall {
  readonly _tag: "Function"
  readonly name: string
  readonly arguments: readonly Expression[]
  readonly modification?: ReferenceModification
}

/** `LENGTH OF x`. */
export interface LengthOf {
  readonly _tag: "LengthOf"
  readonly of: Expression
}

/** `ADDRESS OF x`. */
export interface AddressOf {
  readonly _tag: "AddressOf"
  readonly of: Reference
}

/** The arithmetic operators as written in COBOL; `**` binds tightest and associates to the left. */
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "**"

/** A binary arithmetic expression whose operands already respect precedence and parentheses. */
export interface Binary {
  readonly _tag: "Binary"
  readonly operator: ArithmeticOperator
  readonly left: Expression
  readonly right: Expression
}

/** A unary minus before anything but a plain number. */
export interface Negate {
  readonly _tag: "Negate"
  readonly operand: Expression
}

/** Anything that has a value; statements that allow only part of this are not stricter about it. */
export type Expression =
  | TextLiteral
  | NumberLiteral
  | Figurative
  | AllLiteral
  | Reference
  | FunctionCall
  | LengthOf
  | AddressOf
  | Binary
  | Negate

/** Relational operators after normalisation: `IS NOT GREATER THAN` is `<=`, `UNEQUAL` is `<>`. */
export type RelationalOperator = "=" | "<>" | "<" | ">" | "<=" | ">="

/** A comparison; abbreviated combined relations are already written out, so both sides are present. */
export interface Relation {
  readonly _tag: "Relation"
  readonly operator: RelationalOperator
  readonly left: Expression
  readonly right: Expression
}

/** `x IS [NOT] NUMERIC` and its kin; `test` is upper case and may name a CLASS of SPECIAL-NAMES. */
export interface ClassTest {
  readonly _tag: "ClassTest"
  readonly operand: Expression
  readonly test: string
  readonly negated: boolean
}

/** `x IS [NOT] POSITIVE`, `NEGATIVE` or `ZERO`. */
export interface SignTest {
  readonly _tag: "SignTest"
  readonly operand: Expression
  readonly sign: "POSITIVE" | "NEGATIVE" | "ZERO"
  readonly negated: boolean
}

/** A level-88 name (or a switch of SPECIAL-NAMES) standing for a whole condition. */
export interface ConditionNameTest {
  readonly _tag: "ConditionName"
  readonly reference: Reference
}

/** Logical negation of a whole condition. */
export interface Not {
  readonly _tag: "Not"
  readonly condition: Condition
}

/** A conjunction of at least two conditions. */
export interface And {
  readonly _tag: "And"
  readonly conditions: readonly Condition[]
}

/** A disjunction of at least two conditions. */
export interface Or {
  readonly _tag: "Or"
  readonly conditions: readonly Condition[]
}

/** Text the parser could not read as a condition; a diagnostic accompanies it. */
export interface UnknownCondition {
  readonly _tag: "UnknownCondition"
  readonly text: string
}

/** Anything that is true or false. */
export type Condition =
  | Relation
  | ClassTest
  | SignTest
  | ConditionNameTest
  | Not
  | And
  | Or
  | UnknownCondition
