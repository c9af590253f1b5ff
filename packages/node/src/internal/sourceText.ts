import type { CST } from "yaml"

/** Something wrong with the text of a file, whatever it says; `offset` counts UTF-16 units from its beginning. */
export interface TextProblem {
  readonly offset: number
  readonly rule: "syntax" | "duplicate" | "tag" | "alias" | "merge" | "document"
  readonly message: string
}

/** What a text says, and where it says it. */
export interface SourceText {
  /** `undefined` where it cannot be told. */
  readonly value: unknown
  readonly problems: ReadonlyArray<TextProblem>
  /** Where a part of the value is written, or the nearest part around it: its name, or what it is. */
  readonly offsetOf: (path: string, at: "name" | "value") => number
  /** The path of the innermost part that is written around a place. */
  readonly pathAt: (offset: number) => string
}

/** How many levels of lists and objects are read; reading takes as many levels of the stack. */
export const deepest = 256

/** What is said about a text with more levels than are read. */
export const tooDeep = `this is nested more than ${deepest} levels deep`

const childrenOf = (token: CST.Token): ReadonlyArray<CST.Token> => {
  if (token.type === "document") return token.value === undefined ? [] : [token.value]
  if (!("items" in token)) return []
  return token.items.flatMap((item) =>
    [item.key, item.value].flatMap((each) => (each === undefined || each === null ? [] : [each]))
  )
}

/** The first part of a document that is nested too deeply to be read safely. */
export const findTooDeep = (document: CST.Token): CST.Token | undefined => {
  let level = [document]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return level[0]
    level = level.flatMap(childrenOf)
  }
  return undefined
}
