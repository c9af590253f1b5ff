import type { ExecStatement } from "./ExecStatement.js"
import type { AllLiteral, Figurative, NumberLiteral, Reference, TextLiteral } from "./Expression.js"
import type { Position } from "./Position.js"

/** The PICTURE categories of the COBOL standard. */
export type PictureCategory =
  | "numeric"
  | "alphabetic"
  | "alphanumeric"
  | "numeric-edited"
  | "alphanumeric-edited"
  | "national"

/**
 * A PICTURE with its repetition counts worked out: `S9(7)V99` has 9 digits of which 2 (the scale) are
 * fractional. The scale is negative for trailing `P`. `length` counts character positions (a sign
 * without SEPARATE, `V` and `P` take none).
 */
export interface Picture {
  readonly text: string
  readonly category: PictureCategory
  readonly digits: number
  readonly scale: number
  readonly signed: boolean
  readonly length: number
}

/** The storage forms; synonyms are folded (COMPUTATIONAL-3 is COMP-3, PACKED-DECIMAL too, COMP and COMP-4 are BINARY). */
export type Usage =
  | "DISPLAY"
  | "BINARY"
  | "COMP-1"
  | "COMP-2"
  | "COMP-3"
  | "COMP-5"
  | "COMP-6"
  | "COMP-X"
  | "INDEX"
  | "POINTER"
  | "NATIONAL"
  | "OTHER"

/** A literal as VALUE clauses allow it. */
export type ValueLiteral = TextLiteral | NumberLiteral | Figurative | AllLiteral

/** `OCCURS [min TO] max TIMES [DEPENDING ON …]`; min equals max for a table of fixed size. */
export interface Occurs {
  readonly min: number
  readonly max: number
  readonly dependingOn?: Reference
  readonly indexedBy: readonly string[]
  readonly keys: readonly { readonly ascending: boolean; readonly names: readonly string[] }[]
}

/** One value or range of a level 88. */
export interface ConditionValue {
  readonly from: ValueLiteral
  readonly through?: ValueLiteral
}

/** A level-88 name with the values that make it true. */
export interface ConditionName {
  readonly name: string
  readonly at: Position
  readonly values: readonly ConditionValue[]
  readonly whenFalse?: ValueLiteral
}

/** A level-66 regrouping of a record. */
export interface Renames {
  readonly name: string
  readonly at: Position
  readonly from: string
  readonly through?: string
}

/**
 * One data description with its subordinate items. A group has children and no picture. `usage` is the
 * effective one, inherited from the group where the item has none. `offset` is the 0-based byte offset in
 * the level-01/77 record (the first occurrence for tables), `size` the bytes of one occurrence, and
 * `totalSize` the bytes of all occurrences at the maximum. A redefining item shares the offset of what it
 * redefines. Unnamed items are called FILLER.
 */
export interface DataItem {
  readonly level: number
  readonly name: string
  readonly at: Position
  readonly usage: Usage
  readonly picture?: Picture
  readonly value?: ValueLiteral
  readonly occurs?: Occurs
  readonly redefines?: string
  readonly sign?: { readonly leading: boolean; readonly separate: boolean }
  readonly justified: boolean
  readonly blankWhenZero: boolean
  readonly synchronized: boolean
  readonly external: boolean
  readonly global: boolean
  readonly offset: number
  readonly size: number
  readonly totalSize: number
  readonly conditions: readonly ConditionName[]
  readonly renames: readonly Renames[]
  readonly children: readonly DataItem[]
}

/** A SELECT entry of FILE-CONTROL; `assign` is the external name as written, without quotes. */
export interface FileControl {
  readonly name: string
  readonly at: Position
  readonly optional: boolean
  readonly assign: string
  readonly organization: "SEQUENTIAL" | "LINE SEQUENTIAL" | "INDEXED" | "RELATIVE"
  readonly access: "SEQUENTIAL" | "RANDOM" | "DYNAMIC"
  readonly recordKey?: Reference
  readonly alternateKeys: readonly { readonly key: Reference; readonly duplicates: boolean }[]
  readonly relativeKey?: Reference
  readonly status?: Reference
}

/** An FD or SD entry with its records; `clauses` keeps the entry's own clauses as text. */
export interface FileDescription {
  readonly kind: "FD" | "SD" | "RD" | "CD"
  readonly name: string
  readonly at: Position
  readonly clauses: string
  readonly records: readonly DataItem[]
}

/** The DATA DIVISION; sections that are absent are empty, and EXEC blocks between items are kept apart. */
export interface DataDivision {
  readonly files: readonly FileDescription[]
  readonly workingStorage: readonly DataItem[]
  readonly localStorage: readonly DataItem[]
  readonly linkage: readonly DataItem[]
  readonly embedded: readonly ExecStatement[]
}
