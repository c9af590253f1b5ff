/** A place in the original text: COPY-expanded code keeps the copybook's own path and 1-based line. */
export interface Position {
  readonly file: string
  readonly line: number
}

/** An error makes the result incomplete, a warning makes it doubtful, and a note changes nothing. */
export type Severity = "error" | "warning" | "note"

/** A finding of the front end that never stops it: reading goes on after every diagnostic. */
export interface Diagnostic extends Position {
  readonly severity: Severity
  readonly message: string
}
