import * as Agent from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import * as Usage from "@switchyard/core/Usage"

/** What a program says of an error of its own. */
export interface SaidError {
  readonly message?: string
  readonly kind?: Agent.AgentErrorKind
  /** As the program wrote it. */
  readonly resetsAt?: Json
  /** As the program wrote it. */
  readonly retryAfter?: Json
}

/** What the records of one program come to, while it runs. */
export interface Records {
  /** Takes note of a record: an object of a line, or the one value that the output is. */
  readonly accept: (record: Json) => void
  /** The result so far. */
  readonly result: () => { readonly value: Json } | undefined
  /** What was consumed so far. */
  readonly usage: () => Usage.Usage | undefined
  /** What went wrong, where nothing went well after it. */
  readonly error: () => SaidError | undefined
  /** Why there is no result, where a record should have given one. */
  readonly trouble: () => string | undefined
}

/** An object of JSON. */
export type Fields = { readonly [key: string]: Json }

/** Whether a value is an object. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const most = Number.MAX_SAFE_INTEGER / 1e6

const factors: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, b: 1e9 }

/** The number that a tool means: a number, a list of numbers, which are added up, or a text such as `2.1k` or `$0.05`. */
export const amountOf = (value: unknown): number => {
  if (typeof value === "number") return Math.min(value, most)
  if (Array.isArray(value))
    return Math.min(
      value.reduce<number>((sum, each) => sum + amountOf(each), 0),
      most
    )
  if (typeof value !== "string") return 0
  const [, digits, unit = ""] = /^\s*\$?\s*([\d,]*\.?\d+)\s*([kmb])?\b/i.exec(value) ?? []
  if (digits === undefined) return 0
  return Math.min(Number(digits.replaceAll(",", "")) * (factors[unit.toLowerCase()] ?? 1), most)
}

/** A sign of life from what a program says, made to fit; `undefined` where it says nothing. */
export const progressOf = (said: {
  readonly progress?: unknown
  readonly message?: unknown
  readonly remainingMillis?: unknown
  readonly usage?: Usage.Usage | undefined
}): Agent.Progress | undefined => {
  const { message, progress, remainingMillis, usage } = said
  const read = Agent.progress({
    ...(typeof progress === "number" ? { progress: Math.min(1, Math.max(0, progress)) } : {}),
    ...(typeof message === "string" && message !== "" ? { message: message.slice(0, 2000) } : {}),
    ...(typeof remainingMillis === "number" && remainingMillis >= 0
      ? { remainingMillis: Math.round(amountOf(remainingMillis)) }
      : {}),
    ...(usage === undefined ? {} : { usage })
  })
  return Object.keys(read).length > 1 ? read : undefined
}

const readUsage = (value: unknown): Usage.Usage | undefined =>
  isFields(value)
    ? Usage.make({
        inputTokens: amountOf(value.inputTokens),
        outputTokens: amountOf(value.outputTokens),
        cachedTokens: amountOf(value.cachedTokens),
        costUsd:
          typeof value.costUsd === "number" ? amountOf(value.costUsd) : amountOf(value.costMicroUsd) / 1e6
      })
    : undefined

/** Records that are written for this project: `{progress, message, usage, remainingMillis}` and `{result, usage}`. */
export const makeOwnRecords = (report: (progress: Agent.Progress) => void): Records => {
  let usage: Usage.Usage | undefined
  let result: { readonly value: Json } | undefined
  return {
    accept: (record) => {
      if (!isFields(record)) return
      const said = readUsage(record.usage)
      usage = said ?? usage
      if (Object.hasOwn(record, "result")) result = { value: record.result ?? null }
      else {
        const progress = progressOf({ ...record, usage: said })
        if (progress !== undefined) report(progress)
      }
    },
    result: () => result,
    usage: () => usage,
    error: () => undefined,
    trouble: () => undefined
  }
}
