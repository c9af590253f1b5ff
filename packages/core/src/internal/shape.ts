import * as ParseResult from "effect/ParseResult"
import * as AST from "effect/SchemaAST"
import { didYouMean, typoOf } from "../Nearest.js"
import type { Problem } from "./problem.js"

/** A part that does not have the shape it must have. */
export interface Misshapen {
  readonly path: ReadonlyArray<PropertyKey>
  /** `unknown` where there should be nothing, otherwise `shape`. */
  readonly rule: "shape" | "unknown"
  readonly message: string
  /** For an unknown name the one that was most likely meant. */
  readonly meant?: string
  /** The name that is missing from what is at the path. */
  readonly missing?: string
}

/** A path in words, such as `steps[0].after`. */
export const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    ""
  )

/** The problem that a misshapen part is. */
export const problemOf = ({ message, missing, path, rule }: Misshapen): Problem => ({
  path: pathText(missing === undefined ? path : [...path, missing]),
  rule,
  message
})

interface Bounds {
  readonly type?: unknown
  readonly minLength?: unknown
  readonly minItems?: unknown
  readonly minimum?: unknown
  readonly exclusiveMinimum?: unknown
  readonly maximum?: unknown
}

/** What the refinements of a schema say about its values, in the terms of JSON Schema. */
const boundsOf = (ast: AST.AST): Bounds => {
  const own: Bounds = AST.getJSONSchemaAnnotation(ast).pipe((found) =>
    found._tag === "Some" ? found.value : {}
  )
  return AST.isRefinement(ast) ? { ...boundsOf(ast.from), ...own } : own
}

const expectedNumber = ({ exclusiveMinimum, maximum, minimum, type }: Bounds): string => {
  const kind = type === "integer" ? "a whole number" : "a number"
  if (minimum !== undefined && maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`
  if (exclusiveMinimum !== undefined) return `${kind} above ${exclusiveMinimum}`
  return minimum === undefined ? kind : `${kind} not below ${minimum}`
}

const oneOf = (names: ReadonlyArray<string>): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`

/** The members of a union, those of unions in it included. */
const membersOf = ({ types }: AST.Union): ReadonlyArray<AST.AST> =>
  types.flatMap((each) => (AST.isUnion(each) ? membersOf(each) : [each]))

/** What a schema accepts, in words. */
const expected = (ast: AST.AST): string => {
  switch (ast._tag) {
    case "Refinement": {
      const inner = expected(ast.from)
      if (/number/.test(inner)) return expectedNumber(boundsOf(ast))
      return boundsOf(ast).minLength === undefined ? inner : "a text that is not empty"
    }
    case "Transformation":
      return expected(ast.from)
    case "Suspend":
      return expected(ast.f())
    case "Union":
      return oneOf([...new Set(membersOf(ast).map(expected))])
    case "Literal":
      return JSON.stringify(ast.literal)
    case "StringKeyword":
      return "a text"
    case "TemplateLiteral":
      return `"${ast.head}…"`
    case "NumberKeyword":
      return "a number"
    case "BooleanKeyword":
      return "true or false"
    case "TupleType":
      return ast.elements.length === 0 ? "a list" : "a list with something in it"
    case "TypeLiteral":
      return "an object"
    default:
      return "something else"
  }
}

/** A value as a message shows it: whole where it is short, otherwise its kind or its beginning. */
export const shown = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list"
  if (typeof value === "object" && value !== null) return "an object"
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`
}

/** The literal that a text is a slip away from, in words. */
const literalMeant = (ast: AST.AST, value: unknown): string => {
  if (typeof value !== "string" || !AST.isUnion(ast)) return ""
  return didYouMean(
    value,
    membersOf(ast).flatMap((each) =>
      AST.isLiteral(each) && typeof each.literal === "string" ? [each.literal] : []
    )
  )
}

const mismatch = (ast: AST.AST, value: unknown, path: ReadonlyArray<PropertyKey>): Misshapen => ({
  path,
  rule: "shape",
  message: `this must be ${expected(ast)}, not ${shown(value)}${literalMeant(ast, value)}`
})

const namesOf = (ast: AST.AST): ReadonlyArray<string> =>
  AST.isTypeLiteral(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []

const childrenOf = (issue: ParseResult.Composite): ReadonlyArray<ParseResult.ParseIssue> =>
  Array.isArray(issue.issues) ? issue.issues : [issue.issues as ParseResult.ParseIssue]

/** The problems of an object, or of a list, without what is only missing because it is spelt wrongly. */
const inside = (issue: ParseResult.Composite, path: ReadonlyArray<PropertyKey>): ReadonlyArray<Misshapen> => {
  const found = childrenOf(issue).flatMap((each) => find(each, path, namesOf(issue.ast)))
  const meant = new Set(found.flatMap((each) => each.meant ?? []))
  return found.filter(
    ({ missing, path: at }) => !(missing !== undefined && at === path && meant.has(missing))
  )
}

/** What speaks against each member of a union that has parts. */
const membersIn = (issue: ParseResult.Composite): ReadonlyArray<ParseResult.Composite> =>
  childrenOf(issue).flatMap((each) =>
    each._tag !== "Composite" ? [] : AST.isUnion(each.ast) ? membersIn(each) : [each]
  )

/** The problems of the member of a union that a value is most likely meant to be. */
const among = (issue: ParseResult.Composite, path: ReadonlyArray<PropertyKey>): ReadonlyArray<Misshapen> => {
  const members = membersIn(issue).map((each) => inside(each, path))
  const [best] = members.toSorted((a, b) => a.length - b.length)
  if (best === undefined) return [mismatch(issue.ast, issue.actual, path)]
  const missing = members.map((each) => (each.length === 1 ? each[0]?.missing : undefined))
  if (members.length > 1 && missing.every((name) => name !== undefined))
    return [{ path, rule: "shape", message: `this needs one of ${missing.join(", ")}` }]
  return best
}

const unknown = (path: ReadonlyArray<PropertyKey>, known: ReadonlyArray<string>): Misshapen => {
  const name = String(path.at(-1))
  const meant = typoOf(name, known)
  const hint = didYouMean(name, known) || (known.length === 0 ? "" : `; there is ${known.join(", ")}`)
  return {
    path,
    rule: "unknown",
    message: `"${name}" is not known here${hint}`,
    ...(meant === undefined ? {} : { meant })
  }
}

const find = (
  issue: ParseResult.ParseIssue,
  path: ReadonlyArray<PropertyKey>,
  known: ReadonlyArray<string>
): ReadonlyArray<Misshapen> => {
  switch (issue._tag) {
    case "Pointer": {
      const keys: ReadonlyArray<PropertyKey> = Array.isArray(issue.path)
        ? issue.path
        : [issue.path as PropertyKey]
      if (issue.issue._tag !== "Missing") return find(issue.issue, [...path, ...keys], known)
      const missing = String(keys.at(-1))
      return typeof keys.at(-1) === "number"
        ? [{ path, rule: "shape", message: "this must be a list with something in it, not an empty list" }]
        : [{ path, rule: "shape", message: "this is missing", missing }]
    }
    case "Unexpected":
      return [unknown(path, known)]
    case "Composite":
      return AST.isUnion(issue.ast) ? among(issue, path) : inside(issue, path)
    case "Transformation":
      return find(issue.issue, path, known)
    case "Refinement": {
      if (issue.kind === "From" && issue.issue._tag === "Composite") return find(issue.issue, path, known)
      const said = issue.kind === "Predicate" ? AST.getMessageAnnotation(issue.ast)._tag : "None"
      if (said === "None") return [mismatch(issue.ast, issue.actual, path)]
      const [first] = ParseResult.ArrayFormatter.formatIssueSync(issue)
      return [{ path, rule: "shape", message: first?.message ?? "this does not fit" }]
    }
    case "Missing":
      return [{ path, rule: "shape", message: "this is missing" }]
    case "Forbidden":
    case "Type":
      return [mismatch(issue.ast, issue.actual, path)]
  }
}

/** Every part of a value that does not have the shape it must have. */
export const misshapenIn = ({ issue }: ParseResult.ParseError): ReadonlyArray<Misshapen> =>
  find(issue, [], [])
