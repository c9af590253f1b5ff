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

const compile = (source: string): Effect.Effect<cel.Compiled, ExpressionError> =>
  Effect.try({
    try: () => cel.compile(source),
    catch: (error) => new ExpressionError({ source, reason: cel.firstLine(error) })
  })

const evaluate = ({ evaluate, source }: cel.Compiled, scope: Scope): Effect.Effect<Json, ExpressionError> =>
  Effect.try({
    try: () => evaluate({ ...scope }),
    catch: (error) => new ExpressionError({ source, reason: cel.firstLine(error) })
  })

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
  Effect.map(compile(source), (compiled) => ({
    source,
    references: compiled.references,
    evaluate: (scope) =>
      Effect.flatMap(evaluate(compiled, scope), (value) =>
        typeof value === "boolean"
          ? Effect.succeed(value)
          : Effect.fail(
              new ExpressionError({ source, reason: `it gave ${JSON.stringify(value)}, not true or false` })
            )
      )
  }))

/** A JSON value with `{{ }}` in its strings, compiled once; values are inserted as data and never scanned again. */
export interface Template {
  /** What its expressions look at. */
  readonly references: ReadonlyArray<Reference>
  /** The value with every expression replaced. */
  readonly evaluate: (scope: Scope) => Effect.Effect<Json, ExpressionError>
}

/** The text and the expressions of a string with `{{ }}`; a `}}` inside a quoted literal does not end an expression. */
const split = (text: string): Effect.Effect<ReadonlyArray<string>, ExpressionError> => {
  const parts: Array<string> = []
  let at = 0
  for (;;) {
    const open = text.indexOf("{{", at)
    if (open < 0) {
      parts.push(text.slice(at))
      return Effect.succeed(parts)
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
    if (end >= text.length) {
      return Effect.fail(
        new ExpressionError({ source: text.slice(open), reason: "a `{{` has no closing `}}`" })
      )
    }
    parts.push(text.slice(open + 2, end).trim())
    at = end + 2
  }
}

const asText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))

const compileText = (text: string): Effect.Effect<Template, ExpressionError> =>
  Effect.gen(function* () {
    const parts = yield* split(text)
    if (parts.length === 1) return { references: [], evaluate: () => Effect.succeed(text) }
    const expressions = yield* Effect.forEach(
      parts.filter((_, i) => i % 2 === 1),
      compile
    )
    const references = expressions.flatMap((each) => each.references)
    const [whole] = expressions
    if (parts.length === 3 && parts[0] === "" && parts[2] === "" && whole !== undefined) {
      return { references, evaluate: (scope) => evaluate(whole, scope) }
    }
    return {
      references,
      evaluate: (scope) =>
        Effect.map(
          Effect.forEach(expressions, (each) => evaluate(each, scope)),
          (values) =>
            parts.map((part, i) => (i % 2 === 0 ? part : asText(values[(i - 1) / 2] ?? null))).join("")
        )
    }
  })

/**
 * Compiles every string of `value` (not its keys). A string that is one `{{ expression }}` keeps the type of the value;
 * otherwise values are inserted as text, objects and lists as JSON.
 */
export const template = (value: Json): Effect.Effect<Template, ExpressionError> => {
  if (typeof value === "string") return compileText(value)
  if (value === null || typeof value !== "object")
    return Effect.succeed({ references: [], evaluate: () => Effect.succeed(value) })
  if (Array.isArray(value)) {
    return Effect.map(Effect.forEach(value as ReadonlyArray<Json>, template), (templates) => ({
      references: templates.flatMap((each) => each.references),
      evaluate: (scope) => Effect.forEach(templates, (part) => part.evaluate(scope))
    }))
  }
  return Effect.map(
    Effect.forEach(Object.entries(value), ([key, part]) =>
      Effect.map(template(part), (compiled) => [key, compiled] as const)
    ),
    (templates) => ({
      references: templates.flatMap(([, each]) => each.references),
      evaluate: (scope) =>
        Effect.map(
          Effect.forEach(templates, ([key, part]) =>
            Effect.map(part.evaluate(scope), (result) => [key, result] as const)
          ),
          (entries) => Object.fromEntries(entries)
        )
    })
  )
}
