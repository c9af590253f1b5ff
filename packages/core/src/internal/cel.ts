import { type ASTNode, Environment, EvaluationError } from "@marcbachmann/cel-js"
import type { Json } from "../Json.js"
import { didYouMean, typoOf } from "../Nearest.js"

/** Values by name that an expression can see. */
export type Values = { readonly [name: string]: Json }

/** A place that an expression looks at, as far as its text says where: `["steps", "a", "output"]`. */
export type Reference = ReadonlyArray<string>

/** An expression that was checked and can be evaluated. */
export interface Compiled {
  readonly source: string
  /** What it refers to; variables of its own comprehensions are none. */
  readonly references: ReadonlyArray<Reference>
  /** The kind of value that it gives whatever there is, or `dyn` where that is not known. */
  readonly type: string
  /** Its value; throws an error whose message says what is wrong. */
  readonly evaluate: (values: Values) => Json
}

/** How often the innermost of comprehensions that stand within one another may be gone through. */
const mostRounds = 10_000_000

/** How long all texts of a value may be together, in UTF-16 units. */
const mostText = 64 * 1024 * 1024

/** How many parts a value may have. */
const mostParts = 10_000_000

const variables = ["params", "steps", "run", "item", "index", "acc"]

const limits = {
  maxAstNodes: 2_000,
  maxDepth: 64,
  maxListElements: 1_000,
  maxCallArguments: 32
}

/** What there is too much of, by the limits of the library. */
const tooMuch: { readonly [Limit in keyof typeof limits]: string } = {
  maxAstNodes: "it has more than 2,000 parts; do it in several steps",
  maxDepth: "it is nested more than 64 levels deep; do it in several steps",
  maxListElements: "a list in it has more than 1,000 elements; give the list as a parameter",
  maxCallArguments: "a function in it is given more than 32 arguments; give it a list"
}

const environment = new Environment({ homogeneousAggregateLiterals: false, limits })
for (const name of variables) environment.registerVariable(name, "dyn")

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

/** What an error says, without the picture of where. */
export const firstLine = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return text.split("\n", 1)[0] ?? text
}

const comprehensions: ReadonlySet<string> = new Set(["map", "filter", "all", "exists", "exists_one"])

const isNode = (value: unknown): value is ASTNode =>
  typeof value === "object" && value !== null && "op" in value && "args" in value

/** The names from the root to this place, or `undefined` where one of them is computed. */
const pathOf = (node: ASTNode): Reference | undefined => {
  if (node.op === "id") return [node.args]
  if (node.op === ".") {
    const path = pathOf(node.args[0])
    return path === undefined ? undefined : [...path, node.args[1]]
  }
  if (node.op === "[]") {
    const [receiver, key] = node.args
    const path = pathOf(receiver)
    const isName = key.op === "value" && typeof key.args === "string"
    return path === undefined || !isName ? undefined : [...path, String(key.args)]
  }
  return undefined
}

interface Survey {
  readonly references: ReadonlyArray<Reference>
  /** How many loops stand within one another; a search in a list is one, too. */
  readonly nesting: number
  /** How often lists may be put one behind the other. */
  readonly additions: number
}

const survey = (ast: ASTNode): Survey => {
  const references: Array<Reference> = []
  let nesting = 0
  let additions = 0
  const visit = (node: ASTNode, bound: ReadonlySet<string>, depth: number): void => {
    const path = pathOf(node)
    if (path !== undefined) {
      if (!bound.has(path[0] ?? "")) references.push(path)
      return
    }
    if (node.op === "+") additions++
    if (node.op === "in" && depth > 0) nesting = Math.max(nesting, depth + 1)
    if (node.op === "rcall") {
      const [name, receiver, args] = node.args
      if (name === "matches") throw new Error("`matches` is not available, because its time has no bound")
      if (comprehensions.has(name)) {
        const [variable, ...bodies] = args
        visit(receiver, bound, depth)
        const inner = variable?.op === "id" ? new Set([...bound, variable.args]) : bound
        nesting = Math.max(nesting, depth + 1)
        for (const body of bodies) visit(body, inner, depth + 1)
        return
      }
    }
    const parts: ReadonlyArray<unknown> = Array.isArray(node.args) ? node.args.flat(2) : [node.args]
    for (const part of parts) if (isNode(part)) visit(part, bound, depth)
  }
  visit(ast, new Set(), 0)
  return { references, nesting, additions }
}

/** The most elements that one list or object in a value has. */
const longestIn = (value: Json): number => {
  if (typeof value !== "object" || value === null) return 0
  const parts: ReadonlyArray<Json> = Array.isArray(value) ? value : Object.values(value)
  return parts.reduce<number>((longest, part) => Math.max(longest, longestIn(part)), parts.length)
}

/** Fails where loops within loops could take longer than anybody waits for a condition. */
const checkRounds = ({ additions, nesting }: Survey, values: Values): void => {
  if (nesting < 2) return
  const longest = Math.max(longestIn(values), 1) * (1 + additions)
  if (longest ** nesting > mostRounds) {
    throw new Error(
      `it goes through lists within lists, ${nesting} deep and up to ${longest} long, which is more than ` +
        `${mostRounds.toLocaleString("en")} rounds; let an agent do this`
    )
  }
}

/** What a name that is not there should have been, from the values along its path. */
const absent = (path: Reference, values: Values): string | undefined => {
  let at: Json = values
  for (const [index, name] of path.entries()) {
    const upTo = path.slice(0, index).join(".")
    if (typeof at !== "object" || at === null || Array.isArray(at)) {
      const kind = Array.isArray(at) ? "a list" : at === null ? "null" : `a ${typeof at}`
      return `there is no \`${path.join(".")}\`, because \`${upTo}\` is ${kind}`
    }
    const object = at as { readonly [key: string]: Json }
    if (!Object.hasOwn(object, name)) {
      const known = Object.keys(object)
      const names = known.length === 0 ? "it is empty" : `it has ${known.slice(0, 10).join(", ")}`
      const hint =
        didYouMean(name, known) || (upTo === "" ? "" : `; ${names}${known.length > 10 ? " …" : ""}`)
      return `there is no \`${path.slice(0, index + 1).join(".")}\`${hint}`
    }
    at = object[name] ?? null
  }
  return undefined
}

const reasonOf = (error: unknown, values: Values): string => {
  if (error instanceof EvaluationError && error.code === "no_such_key" && error.node !== undefined) {
    const { node } = error
    const path = pathOf(node)
    // A variable of a comprehension has no value any more.
    const isOurs = path?.[0] !== undefined && Object.hasOwn(values, path[0])
    const found = isOurs ? absent(path, values) : undefined
    return found ?? `there is no \`${node.input.slice(node.range.start, node.range.end)}\``
  }
  return firstLine(error)
}

const makeToJson = () => {
  let text = 0
  let parts = 0
  const toJson = (value: unknown): Json => {
    if (++parts > mostParts) throw new Error(`it gave more than ${mostParts.toLocaleString("en")} values`)
    if (value === null || value === undefined) return null
    switch (typeof value) {
      case "bigint":
        return Number(value)
      case "number":
        if (!Number.isFinite(value)) throw new Error(`it gave ${value}, which JSON cannot carry`)
        return value
      case "string":
        text += value.length
        if (text > mostText) throw new Error(`it gave more than ${mostText.toLocaleString("en")} characters`)
        return value
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
  return toJson
}

/** What is wrong with an expression, where the library does not say how it can be helped. */
const refusal = (error: unknown): Error => {
  const said = firstLine(error)
  const [, limit] = /^Exceeded (\w+)/.exec(said) ?? []
  if (limit !== undefined && limit in tooMuch) return new Error(tooMuch[limit as keyof typeof tooMuch])
  const [, name] = /^Unknown variable: (.*)$/.exec(said) ?? []
  if (name === undefined) return new Error(said)
  const isSlip = typoOf(name, variables) !== undefined
  const hint = isSlip ? didYouMean(name, variables) : `; there is ${variables.join(", ")}`
  return new Error(`there is no \`${name}\`${hint}`)
}

const parsed = (source: string) => {
  try {
    return environment.parse(source)
  } catch (error) {
    throw refusal(error)
  }
}

/** Checks an expression (https://cel.dev); throws where it does not parse or is not well typed. */
export const compile = (source: string): Compiled => {
  const program = parsed(source)
  const check = program.check()
  if (!check.valid) throw refusal(check.error)
  const found = survey(program.ast)
  return {
    source,
    type: String(check.type),
    references: found.references,
    evaluate: (values) => {
      checkRounds(found, values)
      try {
        return makeToJson()(program({ ...values }))
      } catch (error) {
        throw new Error(reasonOf(error, values))
      }
    }
  }
}
