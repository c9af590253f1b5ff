import { Environment } from "@marcbachmann/cel-js"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
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

/** What an expression can see; nothing else of the host is reachable. */
export interface Scope {
  readonly params: Json
  readonly steps: Json
  readonly run: Json
  readonly item: Json
  readonly index: number
}

const environment = new Environment({
  homogeneousAggregateLiterals: false,
  limits: {
    maxAstNodes: 2_000,
    maxDepth: 64,
    maxListElements: 1_000,
    maxMapEntries: 1_000,
    maxCallArguments: 32
  }
})
for (const name of ["params", "steps", "run", "item", "index"]) environment.registerVariable(name, "dyn")

// JSON has one kind of number, CEL two: `params.n + 1` must work whichever way the number was written.
const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b
}
for (const [operator, compute] of Object.entries(arithmetic)) {
  const mixed = (a: number | bigint, b: number | bigint) => compute(Number(a), Number(b))
  environment.registerOperator(`double ${operator} int`, mixed)
  environment.registerOperator(`int ${operator} double`, mixed)
}

const firstLine = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return text.split("\n", 1)[0] ?? text
}

const toJson = (value: unknown): Json => {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case "bigint":
      return Number(value)
    case "number":
      if (!Number.isFinite(value)) throw new Error(`it gave ${value}, which JSON cannot carry`)
      return value
    case "string":
    case "boolean":
      return value
    default:
  }
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, entry]) => [String(key), toJson(entry)]))
  if (value instanceof Date) return value.toISOString()
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return String(value)
  return Object.fromEntries(Object.entries(value as object).map(([key, entry]) => [key, toJson(entry)]))
}

type Compiled = (scope: Scope) => Json

const compile = (source: string): Effect.Effect<Compiled, ExpressionError> =>
  Effect.try({
    try: () => {
      const program = environment.parse(source)
      const check = program.check()
      if (!check.valid) throw check.error ?? new Error("it is not well typed")
      return (scope: Scope) => toJson(program({ ...scope }))
    },
    catch: (error) => new ExpressionError({ source, reason: firstLine(error) })
  })

const evaluate = (source: string, compiled: Compiled, scope: Scope): Effect.Effect<Json, ExpressionError> =>
  Effect.try({
    try: () => compiled(scope),
    catch: (error) => new ExpressionError({ source, reason: firstLine(error) })
  })

/** A condition, compiled once and evaluated at run time; the result must be a boolean, anything else is an error. */
export interface Condition {
  readonly source: string
  /** Whether the condition holds. */
  readonly evaluate: (scope: Scope) => Effect.Effect<boolean, ExpressionError>
}

/** Compiles a condition in CEL (https://cel.dev) over `params`, `steps`, `run`, `item` and `index`. */
export const condition = (source: string): Effect.Effect<Condition, ExpressionError> =>
  Effect.map(compile(source), (compiled) => ({
    source,
    evaluate: (scope) =>
      Effect.flatMap(evaluate(source, compiled, scope), (value) =>
        typeof value === "boolean"
          ? Effect.succeed(value)
          : Effect.fail(
              new ExpressionError({ source, reason: `it gave ${JSON.stringify(value)}, not true or false` })
            )
      )
  }))

/** A JSON value with `{{ }}` in its strings, compiled once; values are inserted as data and never scanned again. */
export interface Template {
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
    if (parts.length === 1) return { evaluate: () => Effect.succeed(text) }
    const expressions = yield* Effect.forEach(
      parts.filter((_, i) => i % 2 === 1),
      (source) => Effect.map(compile(source), (compiled) => ({ source, compiled }))
    )
    const [whole] = expressions
    if (parts.length === 3 && parts[0] === "" && parts[2] === "" && whole !== undefined) {
      return { evaluate: (scope) => evaluate(whole.source, whole.compiled, scope) }
    }
    return {
      evaluate: (scope) =>
        Effect.map(
          Effect.forEach(expressions, ({ compiled, source }) => evaluate(source, compiled, scope)),
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
    return Effect.succeed({ evaluate: () => Effect.succeed(value) })
  if (Array.isArray(value)) {
    return Effect.map(Effect.forEach(value as ReadonlyArray<Json>, template), (templates) => ({
      evaluate: (scope) => Effect.forEach(templates, (part) => part.evaluate(scope))
    }))
  }
  return Effect.map(
    Effect.forEach(Object.entries(value), ([key, part]) =>
      Effect.map(template(part), (compiled) => [key, compiled] as const)
    ),
    (templates) => ({
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
