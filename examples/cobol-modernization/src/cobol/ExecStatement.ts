import type { StatementOf } from "./Statement.js"

/** An SQL table and whether the statement changes it. */
export interface SqlTable {
  readonly name: string
  readonly access: "read" | "write"
}

/** EXEC SQL: `command` is upper case (`SELECT`, `DECLARE CURSOR`, `FETCH`, …), host variables are without the colon. */
export interface ExecSql extends StatementOf<"ExecSql"> {
  readonly text: string
  readonly command: string
  readonly hostVariables: readonly string[]
  readonly tables: readonly SqlTable[]
  readonly cursor?: string
  readonly include?: string
}

/** EXEC CICS: `options` are in source order; `program`, `map` and the like are without quotes. */
export interface ExecCics extends StatementOf<"ExecCics"> {
  readonly text: string
  readonly command: string
  readonly options: readonly { readonly name: string; readonly value?: string }[]
  readonly program?: string
  readonly programIsLiteral: boolean
  readonly transaction?: string
  readonly map?: string
  readonly mapset?: string
  readonly file?: string
  readonly hostVariables: readonly string[]
}

/** EXEC of any other language, for example DLI. */
export interface ExecOther extends StatementOf<"ExecOther"> {
  readonly dialect: string
  readonly text: string
}

/** An EXEC … END-EXEC block. */
export type ExecStatement = ExecSql | ExecCics | ExecOther
