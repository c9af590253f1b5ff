import type * as Agent from "@switchyard/core/Agent"
import * as Expression from "@switchyard/core/Expression"
import type { Json } from "@switchyard/core/Json"
import * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import type { OutputMapping, RecordRule } from "../OutputMapping.js"
import {
  amountOf,
  type Fields,
  isFields,
  progressOf,
  type Records,
  type SaidError
} from "./programRecords.js"

/** What a template gives for a record, or why it gives nothing. */
type Evaluated = { readonly value: Json } | { readonly trouble: string }

type Part = (scope: Expression.Scope) => Evaluated

type Parts<Name extends string> = { readonly [N in Name]?: Part }

type UsageName = "key" | "inputTokens" | "outputTokens" | "cachedTokens" | "costUsd"
type ErrorName = "message" | "resetsAt" | "retryAfter"

interface Rule extends Parts<"progress" | "message" | "remainingMillis" | "result"> {
  readonly applies: (scope: Expression.Scope) => boolean
  readonly pattern: RegExp | undefined
  readonly usage: (Parts<UsageName> & { readonly ofRecord: boolean }) | undefined
  readonly error: (Parts<ErrorName> & { readonly kind: Agent.AgentErrorKind | undefined }) | undefined
  readonly recovered: boolean
  readonly ends: boolean
}

/** Rules that were checked and can be applied. */
export type Rules = ReadonlyArray<Rule>

/** US dollars per million tokens. */
export interface Prices {
  readonly input: number
  readonly output: number
  readonly cached: number
}

const said = (place: string) => (error: Expression.ExpressionError) => `${place}: ${error.message}`

const compilePart = (source: Json, place: string): Effect.Effect<Part, string> =>
  Effect.map(
    Effect.mapError(Expression.template(source), said(place)),
    (template) => (scope) =>
      Effect.runSync(
        Effect.match(template.evaluate(scope), {
          onFailure: (error): Evaluated => ({ trouble: error.message }),
          onSuccess: (value): Evaluated => ({ value })
        })
      )
  )

const compileParts = <Name extends string>(
  sources: { readonly [N in Name]?: Json | undefined },
  names: ReadonlyArray<Name>,
  place: string
): Effect.Effect<Parts<Name>, string> =>
  Effect.map(
    Effect.forEach(names, (name) => {
      const source = sources[name]
      return source === undefined
        ? Effect.succeed([])
        : Effect.map(compilePart(source, `${place}.${name}`), (part) => [[name, part] as const])
    }),
    (found) => Object.fromEntries(found.flat()) as Parts<Name>
  )

/** A regular expression whose case does not matter; fails with a sentence where it is none. */
export const compilePattern = (source: string, place: string): Effect.Effect<RegExp, string> =>
  Effect.try({
    try: () => new RegExp(source, "imu"),
    catch: (error) => `${place}: ${error instanceof Error ? error.message : String(error)}`
  })

const compileRule = (rule: RecordRule, place: string): Effect.Effect<Rule, string> =>
  Effect.gen(function* () {
    const condition =
      rule.when === undefined
        ? undefined
        : yield* Effect.mapError(Expression.condition(rule.when), said(`${place}.when`))
    const pattern =
      rule.pattern === undefined ? undefined : yield* compilePattern(rule.pattern, `${place}.pattern`)
    const parts = yield* compileParts(rule, ["progress", "message", "remainingMillis", "result"], place)
    const usage =
      rule.usage === undefined
        ? undefined
        : yield* compileParts<UsageName>(
            rule.usage,
            ["key", "inputTokens", "outputTokens", "cachedTokens", "costUsd"],
            `${place}.usage`
          )
    const error =
      rule.error === undefined
        ? undefined
        : yield* compileParts<ErrorName>(rule.error, ["message", "resetsAt", "retryAfter"], `${place}.error`)
    return {
      ...parts,
      applies: (scope) =>
        condition === undefined ||
        Effect.runSync(Effect.orElseSucceed(condition.evaluate(scope), () => false)),
      pattern,
      usage: usage === undefined ? undefined : { ...usage, ofRecord: rule.usage?.of === "record" },
      error: error === undefined ? undefined : { ...error, kind: rule.error?.kind },
      recovered: rule.recovered ?? false,
      ends: rule.ends ?? false
    }
  })

/** Checks the rules of a mapping; fails with a sentence that says which one is wrong, and how. */
export const compileRules = ({
  format,
  records = []
}: OutputMapping): Effect.Effect<Rules | undefined, string> =>
  records.length === 0
    ? Effect.succeed(undefined)
    : Effect.forEach(records, (rule, index) =>
        rule.pattern !== undefined && format !== "text"
          ? Effect.fail(`output.records[${index}].pattern: patterns are for text; use \`when\` for ${format}`)
          : compileRule(rule, `output.records[${index}]`)
      )

const textOf = (value: Json): string =>
  typeof value === "string"
    ? value
    : Array.isArray(value)
      ? value.map(textOf).join("\n")
      : value === null
        ? ""
        : JSON.stringify(value)

const given = (part: Part | undefined, scope: Expression.Scope): Json | undefined => {
  const found = part?.(scope)
  return found !== undefined && "value" in found && found.value !== null ? found.value : undefined
}

/** The named groups of a match that are part of it. */
const namedIn = ({ groups = {} }: RegExpExecArray): Fields =>
  Object.fromEntries(Object.entries(groups).filter(([, text]) => text !== undefined))

interface Consumed {
  readonly usage: Usage.Usage
  /** Whether the program says what it costs. */
  readonly priced: boolean
}

const nothing: Consumed = { usage: Usage.zero, priced: false }

const plus = (a: Consumed, b: Consumed): Consumed => ({
  usage: Usage.add(a.usage, b.usage),
  priced: a.priced || b.priced
})

const withPrice = ({ priced, usage }: Consumed, prices: Prices | undefined): Usage.Usage => {
  if (priced || prices === undefined) return usage
  const cached = Math.min(usage.cachedTokens, usage.inputTokens)
  const microUsd =
    (usage.inputTokens - cached) * prices.input + cached * prices.cached + usage.outputTokens * prices.output
  return { ...usage, costMicroUsd: Math.round(microUsd) }
}

const longest = (value: Json): number =>
  typeof value === "string" ? value.length : JSON.stringify(value).length

/**
 * What the records of a program come to by the rules; a result of more than `limit` characters is none. Memory is bounded by
 * the result and the error, however many records there are.
 */
export const makeMappedRecords = (
  rules: Rules,
  limit: number,
  prices: Prices | undefined,
  report: (progress: Agent.Progress) => void
): Records => {
  let index = 0
  let result: { readonly value: Json } | undefined
  let error: SaidError | undefined
  let trouble: string | undefined
  let overflowed = false
  let whole = !rules.some(({ ends }) => ends)
  // What is settled, what the records with the latest key come to, and whether anything was said at all.
  let settled: Consumed = nothing
  let open: { readonly key: string; readonly consumed: Consumed } | undefined
  let consumed: Usage.Usage | undefined

  const consume = (rule: NonNullable<Rule["usage"]>, scope: Expression.Scope) => {
    const before = rule.ofRecord ? nothing : settled
    const amount = (part: Part | undefined, otherwise: number) => {
      const value = given(part, scope)
      return value === undefined ? otherwise : amountOf(value)
    }
    const { usage } = before
    const found: Consumed = {
      usage: Usage.make({
        inputTokens: amount(rule.inputTokens, usage.inputTokens),
        outputTokens: amount(rule.outputTokens, usage.outputTokens),
        cachedTokens: amount(rule.cachedTokens, usage.cachedTokens),
        costUsd: amount(rule.costUsd, Usage.costUsd(usage))
      }),
      priced: before.priced || given(rule.costUsd, scope) !== undefined
    }
    if (rule.ofRecord) {
      const key = textOf(given(rule.key, scope) ?? "")
      if (open !== undefined && (key === "" || open.key !== key)) settled = plus(settled, open.consumed)
      open = { key, consumed: found }
    } else {
      settled = found
      open = undefined
    }
    consumed = withPrice(open === undefined ? settled : plus(settled, open.consumed), prices)
  }

  const fail = (rule: NonNullable<Rule["error"]>, scope: Expression.Scope) => {
    const message = given(rule.message, scope)
    const resetsAt = given(rule.resetsAt, scope)
    const retryAfter = given(rule.retryAfter, scope)
    error = {
      ...error,
      ...(message === undefined ? {} : { message: textOf(message).slice(0, 4000) }),
      ...(rule.kind === undefined ? {} : { kind: rule.kind }),
      ...(resetsAt === undefined ? {} : { resetsAt }),
      ...(retryAfter === undefined ? {} : { retryAfter })
    }
  }

  const settle = (part: Part, scope: Expression.Scope) => {
    const found = part(scope)
    if ("trouble" in found) {
      trouble = found.trouble
      return
    }
    if (overflowed || longest(found.value) > limit) {
      // What came together so far is gone, and a part of a result is none.
      overflowed = true
      trouble = `the result is longer than ${limit} characters; raise maxOutputBytes`
      result = undefined
      return
    }
    result = found
    error = undefined
  }

  const apply = (rule: Rule, item: Fields | Json) => {
    const scope: Expression.Scope = {
      params: {},
      steps: {},
      run: {},
      item,
      index,
      acc: result?.value ?? null
    }
    if (!rule.applies(scope)) return
    const message = given(rule.message, scope)
    if (rule.usage !== undefined) consume(rule.usage, scope)
    const progress = progressOf({
      progress: given(rule.progress, scope),
      message: message === undefined ? undefined : textOf(message),
      remainingMillis: given(rule.remainingMillis, scope),
      usage: rule.usage === undefined ? undefined : consumed
    })
    if (progress !== undefined) report(progress)
    if (rule.result !== undefined) settle(rule.result, scope)
    if (rule.recovered) error = undefined
    if (rule.ends) whole = true
    if (rule.error !== undefined) fail(rule.error, scope)
  }

  return {
    accept: (record) => {
      for (const rule of rules) {
        if (rule.pattern === undefined) apply(rule, record)
        else if (isFields(record) && typeof record.line === "string") {
          const groups = rule.pattern.exec(record.line)
          if (groups !== null) apply(rule, { ...record, ...namedIn(groups) })
        }
      }
      index++
    },
    result: () => (whole ? result : undefined),
    usage: () => consumed,
    error: () => error,
    trouble: () => trouble ?? (whole ? undefined : "it ended before the record that ends it")
  }
}
