import { celLiteral, inTemplate, pathSource, textTemplate } from "./internal/celText.js"
import type { Json } from "./Json.js"

const TypeId: unique symbol = Symbol.for("@switchyard/core/WorkflowReference")
const TextId: unique symbol = Symbol.for("@switchyard/core/WorkflowReference/Text")

interface Typed<out A> {
  readonly source: string
  /** Whether it can stand next to an operator as it is. */
  readonly isPath: boolean
  readonly _A?: () => A
}

/** A CEL expression that gives an `A` when a run evaluates it; it is written by `cel`, or is a reference. */
export interface Expression<out A> {
  /** @internal Its text, and its type. */
  readonly [TypeId]: Typed<A>
}

/** A text with expressions in it, as `text` writes it. */
export interface Text {
  /** @internal Plain text and the sources of expressions, in turns. */
  readonly [TextId]: ReadonlyArray<string>
}

/**
 * What can be named inside a value of type `A`. The elements of a list are `list.at(0)`; a value whose type nothing says has
 * no members, and `cel` looks into it all the same.
 */
export type Members<A> =
  A extends ReadonlyArray<infer Element>
    ? {
        /** The element at a position, from 0 on. */
        readonly at: (index: number) => Reference<Element>
      }
    : A extends object
      ? { readonly [K in keyof A]-?: Reference<Exclude<A[K], undefined>> }
      : unknown

/**
 * A place in what expressions see. Its members are references too, and nothing is read before a run evaluates it: a value
 * that is not there then fails the step, with the path and the nearest name.
 */
export type Reference<A> = Expression<A> & ([A] extends [never] ? unknown : Members<NonNullable<A>>)

/** JSON in which expressions and texts may stand wherever a value may. */
export type Template =
  | Json
  | Expression<unknown>
  | Text
  | ReadonlyArray<Template>
  | { readonly [key: string]: Template }

/** A template that gives an `A`. */
export type TemplateOf<A> = unknown extends A
  ? Template
  :
      | Expression<A>
      | (A extends string
          ? A | Text
          : A extends ReadonlyArray<infer Element>
            ? ReadonlyArray<TemplateOf<Element>>
            : A extends object
              ? { readonly [K in keyof A]: TemplateOf<A[K]> }
              : A)

/** The type of what a template gives. */
export type Given<T> =
  T extends Expression<infer A>
    ? A
    : T extends Text | string
      ? string
      : T extends number
        ? number
        : T extends boolean
          ? boolean
          : T extends readonly []
            ? ReadonlyArray<unknown>
            : T extends ReadonlyArray<infer Element>
              ? ReadonlyArray<Given<Element>>
              : T extends object
                ? { readonly [K in keyof T]: Given<T[K]> }
                : T

/** What the builder knows of a step: the steps that are settled before it, what it gives, and whether it has items. */
export interface DeclaredStep<out Before extends string, out Output, out HasItems extends boolean> {
  /** @internal Carries the type only. */
  readonly before: Before
  /** @internal Carries the type only. */
  readonly output: Output
  /** @internal Carries the type only. */
  readonly hasItems: HasItems
}

/** The ids of the steps that are settled before a step that waits for `After`. */
export type Before<Steps, After extends string> =
  | After
  | { [K in After]: K extends keyof Steps ? BeforeOf<Steps[K]> : never }[After]

type BeforeOf<Step> = Step extends DeclaredStep<infer Ids, unknown, boolean> ? Ids : never

interface Failed {
  readonly kind: string
  readonly message: string
}

interface Settled<Output> {
  readonly status: "Succeeded" | "Failed" | "Skipped" | "Cancelled"
  readonly output: Output
  readonly failure: Failed | null
}

interface SettledItem<Output> {
  readonly index: number
  readonly item: string
  readonly status: "Succeeded" | "Failed" | "Cancelled"
  readonly output: Output
  readonly failure: Failed | null
}

/** What expressions see of a step; the `output` of a step that did not succeed is null, whatever its type says. */
export type StepView<Step> =
  Step extends DeclaredStep<string, infer Output, infer HasItems>
    ? HasItems extends true
      ? Settled<Output> & { readonly items: ReadonlyArray<SettledItem<ElementOf<Output>>> }
      : Settled<Output>
    : never

/** The elements of a list, and nothing known of those of anything else. */
export type ElementOf<List> = List extends ReadonlyArray<infer Element> ? Element : unknown

/** What a function that stands for a template or a condition gets; nothing where the workflow is not known. */
export type Scope<Params, Steps, After extends string> = [Params] extends [never]
  ? unknown
  : {
      /** The parameters as a host writes them, with their defaults. */
      readonly params: Reference<Params>
      /** The steps that are settled before this one. */
      readonly steps: {
        readonly [K in Before<Steps, After>]: Reference<K extends keyof Steps ? StepView<Steps[K]> : unknown>
      }
      readonly run: Reference<{ readonly id: string; readonly workflow: string }>
    }

/** What there is beside that for each element of a list; nothing where there is no list. */
export type ItemScope<Item> = [Item] extends [never]
  ? unknown
  : { readonly item: Reference<Item>; readonly index: Reference<number> }

const refuse = (path: string, what: string): never => {
  throw new TypeError(`\`${path}\` is a reference, whose value is known when a run gets there; ${what}`)
}

const reference = (path: ReadonlyArray<string | number>): unknown => {
  const source = pathSource(path)
  const typed: Typed<unknown> = { source, isPath: true }
  return new Proxy(() => undefined, {
    get: (_, key) => {
      if (key === TypeId) return typed
      if (key === Symbol.toPrimitive)
        return () => refuse(source, "put it into a Workflow.text or Workflow.cel template, not a plain one")
      return typeof key === "symbol" ? undefined : reference([...path, key])
    },
    has: (_, key) => key === TypeId,
    apply: (_, __, [index, ...more]: ReadonlyArray<unknown>) =>
      path.at(-1) === "at" && more.length === 0 && Number.isSafeInteger(index) && Number(index) >= 0
        ? reference([...path.slice(0, -1), Number(index)])
        : refuse(source, "Workflow.cel can compute with it, and at(0) is the first element of a list"),
    ownKeys: () => refuse(source, "name its members one by one, or use it as a whole"),
    set: () => false
  })
}

const roots = Object.fromEntries(
  ["params", "steps", "run", "item", "index", "acc"].map((name) => [name, reference([name])])
)

const isExpression = (value: unknown): value is Expression<unknown> =>
  (typeof value === "object" || typeof value === "function") && value !== null && TypeId in value

const isText = (value: unknown): value is Text =>
  typeof value === "object" && value !== null && TextId in value

const literal = (value: unknown): string =>
  celLiteral(value, (each) => {
    if (!isExpression(each)) return undefined
    const { isPath, source } = each[TypeId]
    return isPath ? source : `(${source})`
  })

/**
 * A CEL expression. References stand for their values, other values become literals: a text of the host is a text in CEL
 * whatever is in it. It is taken to give what its place asks for; a plan checks that it parses, and a run what it gives.
 *
 * @example
 * ```ts
 * import * as Workflow from "@switchyard/core/Workflow"
 *
 * const least = 0.8
 * export const review = Workflow.make("review").pipe(
 *   Workflow.step("judge", { skill: "judging" }),
 *   Workflow.step("merge", {
 *     skill: "merging",
 *     after: ["judge"],
 *     when: ({ steps }) => Workflow.cel`${steps.judge.output}.score >= ${least}`
 *   })
 * )
 * ```
 */
export const cel = <A>(
  strings: TemplateStringsArray,
  ...values: ReadonlyArray<Exclude<Template, Text>>
): Expression<A> => {
  const source = strings.raw.reduce((before, part, i) => `${before}${literal(values[i - 1])}${part}`)
  return { [TypeId]: { source: source.trim(), isPath: false } }
}

/**
 * A text in which references and other expressions are replaced by their values, texts as they are and everything else as
 * JSON. All else in it is plain text, `{{` included. What it gives is always a text.
 */
export const text = (
  strings: TemplateStringsArray,
  ...values: ReadonlyArray<Json | Expression<unknown> | Text>
): Text => {
  const parts = [strings[0] ?? ""]
  const add = (plain: string) => parts.push((parts.pop() ?? "") + plain)
  for (const [i, value] of values.entries()) {
    if (isExpression(value)) parts.push(value[TypeId].source, "")
    else if (isText(value)) {
      const [first = "", ...more] = value[TextId]
      add(first)
      parts.push(...more)
    } else add(typeof value === "string" ? value : JSON.stringify(value))
    add(strings[i + 1] ?? "")
  }
  return { [TextId]: parts }
}

const rendered = (value: unknown): Json => {
  if (isExpression(value)) return inTemplate(value[TypeId].source)
  if (isText(value)) return textTemplate(value[TextId])
  if (typeof value === "string") return textTemplate([value])
  if (typeof value !== "object" || value === null) return value as Json
  if (Array.isArray(value)) return value.map(rendered)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, rendered(each)]))
}

/** The template that a function stands for: every expression as `{{ }}`, and every text of its own as data. */
export const templateOf = (make: (scope: never) => unknown): Json => rendered(make(roots as never))

/** The condition that a function stands for. */
export const conditionOf = (make: (scope: never) => Expression<boolean>): string =>
  make(roots as never)[TypeId].source
