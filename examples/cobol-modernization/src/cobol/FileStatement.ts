import type { Expression, Reference } from "./Expression.js"
import type { ProcedureReference, Statement, StatementOf } from "./Statement.js"

/** The AT END and INVALID KEY branches of input-output; an empty list means the phrase is absent. */
export interface InputOutputBranches {
  readonly atEnd: readonly Statement[]
  readonly notAtEnd: readonly Statement[]
  readonly invalidKey: readonly Statement[]
  readonly notInvalidKey: readonly Statement[]
}

/** OPEN of files in their modes. */
export interface Open extends StatementOf<"Open"> {
  readonly files: readonly {
    readonly mode: "INPUT" | "OUTPUT" | "I-O" | "EXTEND"
    readonly file: string
  }[]
}

/** CLOSE of files. */
export interface Close extends StatementOf<"Close"> {
  readonly files: readonly string[]
}

/** READ; `direction` is absent for a random or plain sequential read. */
export interface Read extends StatementOf<"Read">, InputOutputBranches {
  readonly file: string
  readonly direction?: "NEXT" | "PREVIOUS"
  readonly into?: Reference
  readonly key?: Reference
}

/** WRITE of a record; `advancing` is the BEFORE/AFTER ADVANCING phrase as text. */
export interface Write extends StatementOf<"Write">, InputOutputBranches {
  readonly record: Reference
  readonly from?: Expression
  readonly advancing?: string
  readonly atEndOfPage: readonly Statement[]
  readonly notAtEndOfPage: readonly Statement[]
}

/** REWRITE of the record read last or found by key. */
export interface Rewrite extends StatementOf<"Rewrite">, InputOutputBranches {
  readonly record: Reference
  readonly from?: Expression
}

/** DELETE of the record read last or found by key. */
export interface Delete extends StatementOf<"Delete">, InputOutputBranches {
  readonly file: string
}

/** START, the positioning of a keyed file; without a key the first record key with `=` applies. */
export interface Start extends StatementOf<"Start">, InputOutputBranches {
  readonly file: string
  readonly operator: "=" | "<" | ">" | "<=" | ">=" | "<>"
  readonly key?: Reference
}

/** A key of SORT or MERGE. */
export interface SortKey {
  readonly ascending: boolean
  readonly names: readonly Reference[]
}

/** SORT or MERGE of a file; a table SORT has no input or output. */
export interface Sort extends StatementOf<"Sort" | "Merge"> {
  readonly file: string
  readonly keys: readonly SortKey[]
  readonly duplicates: boolean
  readonly using: readonly string[]
  readonly giving: readonly string[]
  readonly input?: { readonly procedure: ProcedureReference; readonly through?: ProcedureReference }
  readonly output?: { readonly procedure: ProcedureReference; readonly through?: ProcedureReference }
}

/** RELEASE of a record to a SORT. */
export interface Release extends StatementOf<"Release"> {
  readonly record: Reference
  readonly from?: Expression
}

/** RETURN of a record from a SORT or MERGE. */
export interface Return extends StatementOf<"Return">, InputOutputBranches {
  readonly file: string
  readonly into?: Reference
}

/** Every statement that works on a file or on the sorting of one. */
export type FileStatement = Open | Close | Read | Write | Rewrite | Delete | Start | Sort | Release | Return
