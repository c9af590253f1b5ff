import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as cel from "./internal/cel.js"
import type { Json } from "./Json.js"

/** An expression that does not parse, or that could not be evaluated; `source` is its text and `reason` says what to change. */
export class ExpressionError extends Schema.TaggedError<ExpressionError>()("ExpressionError", {
  source: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Cannot evaluate \`${this.source}\`: ${this.reason}`
  }
}

/** A place that an expression looks at, as far as its text says where: `["steps", "a", "output"]`. */
export type Reference = ReadonlyArray<string>

/** What an expression can see; nothing else of the host is reachable. */
export interface Scope {
  readonly params: Json
  readonly steps: Json
  readonly run: Json
  readonly item: Json
  readonly index: number
  /** What a `reduce` has come to so far. */
  readonly acc?: Json
}

/** What was compiled: evaluating it throws an `ExpressionError` where there is no value. */
interface Compiled<A> {
  readonly references: ReadonlyArray<Reference>
  readonly run: (scope: Scope) => A
}

const failure = (source: string, error: unknown): ExpressionError =>
  new ExpressionError({ source, reason: cel.firstLine(error) })

/** Templates are compiled and evaluated in plain code, and compiled at once, since a workflow may have ten thousand of them. */
const compiled = <A>(make: () => A): Effect.Effect<A, ExpressionError> => {
  try {
    return Effect.succeed(make())
  } catch (error) {
    return error instanceof ExpressionError ? Effect.fail(error) : Effect.die(error)
  }
}

const attempt = <A>(make: () => A): Effect.Effect<A, ExpressionError> => Effect.suspend(() => compiled(make))

const compile = (source: string): Compiled<Json> & Pick<cel.Compiled, "type"> => {
  const { evaluate, references, type } = (() => {
    try {
      return cel.compile(source)
    } catch (error) {
      throw failure(source, error)
    }
  })()
  return {
    references,
    type,
    run: (scope) => {
      try {
        return evaluate({ ...scope })
      } catch (error) {
        throw failure(source, error)
      }
    }
  }
}

/** A condition, compiled once and evaluated at run time; the result must be a boolean, anything else is an error. */
export interface Condition {
  readonly source: string
  /** What it looks at. */
  readonly references: ReadonlyArray<Reference>
  /** Whether the condition holds. */
  readonly evaluate: (scope: Scope) => Effect.Effect<boolean, ExpressionError>
}

/** Compiles a condition in CEL (https://cel.dev) over `params`, `steps`, `run`, `item` and `index`. */
export const condition = (source: string): Effect.Effect<Condition, ExpressionError> =>
  compiled(() => {
    const { references, run, type } = compile(source)
    if (type !== "bool" && type !== "dyn")
      throw new ExpressionError({ source, reason: `it gives a value of type ${type}, not true or false` })
    const holds = (scope: Scope): boolean => {
      const value = run(scope)
      if (typeof value === "boolean") return value
      throw new ExpressionError({ source, reason: `it gave ${JSON.stringify(value)}, not true or false` })
    }
    return { source, references, evaluate: (scope) => attempt(() => holds(scope)) }
  })

/** A JSON value with `{{ }}` in its strings, compiled once; values are inserted as data and never scanned again. */
export interface Template {
  /** What its expressions look at. */
  readonly references: ReadonlyArray<Reference>
  /** The value with every expression replaced. */
  readonly evaluate: (scope: Scope) => Effect.Effect<Json, ExpressionError>
}

/** The text and the expressions of a string with `{{ }}`; a `}}` inside a quoted literal does not end an expression. */
const split = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let at = 0
  for (;;) {
    const open = text.indexOf("{{", at)
    if (open < 0) {
      parts.push(text.slice(at))
      return parts
    }
    parts.push(text.slice(at, open))
    let quote = ""
    let end = open + 2
    for (; end < text.length; end++) {
      const character = text[end]
      if (quote !== "") {
        if (character === "\\") end++
        else if (character === quote) quote = ""
      } else if (character === '"' || character === "'") quote = character
      else if (character === "}" && text[end + 1] === "}") break
    }
    if (end >= text.length)
      throw new ExpressionError({ source: text.slice(open), reason: "a `{{` has no closing `}}`" })
    parts.push(text.slice(open + 2, end).trim())
    at = end + 2
  }
}

const asText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))

const compileText = (text: string): Compiled<Json> => {
  const parts = split(text)
  if (parts.length === 1) return { references: [], run: () => text }
  const expressions = parts.filter((_, i) => i % 2 === 1).map(compile)
  const references = expressions.flatMap((each) => each.references)
  const [whole] = expressions
  if (parts.length === 3 && parts[0] === "" && parts[2] === "" && whole !== undefined) return whole
  const part = (text: string, i: number, scope: Scope) =>
    i % 2 === 0 ? text : asText(expressions[(i - 1) / 2]?.run(scope) ?? null)
  return { references, run: (scope) => parts.map((text, i) => part(text, i, scope)).join("") }
}

const compileValue = (value: Json): Compiled<Json> => {
  if (typeof value === "string") return compileText(value)
  if (value === null || typeof value !== "object") return { references: [], run: () => value }
  if (Array.isArray(value)) {
    const parts = value.map(compileValue)
    return {
      references: parts.flatMap(({ references }) => references),
      run: (scope) => parts.map(({ run }) => run(scope))
    }
  }
  const parts = Object.entries(value).map(([key, part]) => [key, compileValue(part)] as const)
  return {
    references: parts.flatMap(([, { references }]) => references),
    run: (scope) => Object.fromEntries(parts.map(([key, { run }]) => [key, run(scope)]))
  }
}

/**
 * Compiles every string of `value` (not its keys). A string that is one `{{ expression }}` keeps the type of the value;
 * otherwise values are inserted as text, objects and lists as JSON.
 */
export const template = (value: Json): Effect.Effect<Template, ExpressionError> =>
  compiled(() => {
    const { references, run } = compileValue(value)
    return { references, evaluate: (scope) => attempt(() => run(scope)) }
  })
