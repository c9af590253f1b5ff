import * as AiError from "@effect/ai/AiError"
import { AgentError } from "@switchyard/core/Agent"
import type { AgentErrorKind } from "@switchyard/core/AgentErrorKind"
import * as Cause from "effect/Cause"
import * as ParseResult from "effect/ParseResult"
import { type Headers, retryAfterMillis } from "./resetTime.js"

/** What a provider said when it did not answer: over HTTP, or in the middle of a stream that began well. */
export interface Refusal {
  readonly status?: number
  readonly headers?: Headers
  /** What it sent instead of an answer: JSON, or text. */
  readonly body?: unknown
}

interface Said {
  readonly code: string
  readonly message: string
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const textIn = (value: unknown): string => (typeof value === "string" ? value : "")

/** The words of an error in any of the shapes that are in use: `{error: {type, code, message}}`, `{message}`, `{detail}`, text. */
const saidIn = (body: unknown): Said => {
  if (typeof body === "string") {
    try {
      const parsed: unknown = JSON.parse(body)
      if (isRecord(parsed)) return saidIn(parsed)
    } catch {
      // It is text, such as the page of a proxy.
    }
    return { code: "", message: body.replace(/<[^>]*>/g, " ") }
  }
  if (!isRecord(body)) return { code: "", message: "" }
  if (isRecord(body.error)) return saidIn(body.error)
  const message = textIn(body.message) || textIn(body.detail) || textIn(body.error)
  return { code: `${textIn(body.code)} ${textIn(body.type)}`, message }
}

const kindsByWords: ReadonlyArray<readonly [AgentErrorKind, RegExp, RegExp]> = [
  [
    "QuotaExhausted",
    /insufficient_quota|billing|payment_required|quota_exceeded|usage_limit/,
    /credit balance is too low|exceeded your current quota|insufficient (credits|balance|funds)/i
  ],
  [
    "ContextTooLong",
    /context_length_exceeded|request_too_large|context_window_exceeded/,
    /prompt is too long|maximum context length|context (length|window)|input is too long|too many (input )?tokens in/i
  ],
  ["Failed", /content_filter|content_policy|invalid_prompt/, /content (management|filter|policy)/i],
  ["RateLimited", /rate_limit|too_many_requests/, /^rate limit/i],
  [
    "Unauthorized",
    /authentication|permission_error|invalid_api_key|unauthorized/,
    /^(invalid|incorrect) api key/i
  ],
  ["NotFound", /not_found/, /^(the )?model .* (does not exist|not found)/i],
  ["Unavailable", /overloaded|api_error|server_error|timeout_error|unavailable/, /^overloaded/i]
]

const kindOfStatus = (status: number | undefined): AgentErrorKind => {
  switch (status) {
    case 401:
    case 403:
      return "Unauthorized"
    case 402:
      return "QuotaExhausted"
    case 404:
      return "NotFound"
    case 408:
      return "Timeout"
    case 413:
      return "ContextTooLong"
    case 429:
      return "RateLimited"
    default:
      if (status === undefined || status >= 500 || status === 409 || status === 425) return "Unavailable"
      return status >= 400 ? "InvalidInput" : "Failed"
  }
}

/** Statuses that mean one thing whatever is said with them. */
const decisive: ReadonlySet<number | undefined> = new Set([401, 402, 529])

const kindOf = (status: number | undefined, { code, message }: Said): AgentErrorKind => {
  if (decisive.has(status)) return kindOfStatus(status)
  const found =
    kindsByWords.find(([, codes]) => codes.test(code)) ??
    (message === "" ? undefined : kindsByWords.find(([, , words]) => words.test(message)))
  if (found !== undefined) return found[0]
  return status === undefined && /invalid_request|invalid_value/.test(code)
    ? "InvalidInput"
    : kindOfStatus(status)
}

const waits: ReadonlySet<AgentErrorKind> = new Set<AgentErrorKind>([
  "RateLimited",
  "QuotaExhausted",
  "Unavailable"
])

const shortened = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > 500 ? `${line.slice(0, 500)}…` : line
}

/** A refusal as an error of the attempt, `who` being the model as a sentence names it. */
export const refused = (who: string, { body, headers, status }: Refusal, now: number): AgentError => {
  const said = saidIn(body)
  const kind = kindOf(status, said)
  const retryAfter = waits.has(kind) && headers !== undefined ? retryAfterMillis(headers, now) : undefined
  const answer = status === undefined ? "broke off its answer" : `answered with HTTP ${status}`
  const hint =
    status !== undefined && status >= 300 && status < 400
      ? "redirects are not followed; give the address that it redirects to"
      : said.message || said.code.trim()
  return new AgentError({
    kind,
    reason: shortened(`${who} ${answer}${hint === "" ? "" : `: ${hint}`}`),
    ...(retryAfter === undefined ? {} : { retryAfterMillis: retryAfter })
  })
}

const causeText = (cause: unknown): string => {
  if (ParseResult.isParseError(cause)) return ParseResult.TreeFormatter.formatErrorSync(cause)
  if (!(cause instanceof Error)) return ""
  // `fetch` says what happened in the cause of its error only.
  const inner = causeText(cause.cause)
  return inner === "" ? cause.message : inner
}

/** What a library of models fails with, as an error of the attempt. */
export const fromAiError = (who: string, error: AiError.AiError, now: number): AgentError => {
  switch (error._tag) {
    case "HttpRequestError": {
      const kind = error.reason === "Transport" ? "Unavailable" : "InvalidInput"
      const why = causeText(error.cause) || error.description || error.reason
      return new AgentError({ kind, reason: shortened(`${who} cannot be reached: ${why}`) })
    }
    case "HttpResponseError": {
      const { headers, status } = error.response
      if (error.reason === "StatusCode") return refused(who, { status, headers, body: error.body }, now)
      const why = error.description ?? "the response could not be read to its end"
      return new AgentError({ kind: "Unavailable", reason: shortened(`${who} broke off its answer: ${why}`) })
    }
    case "MalformedOutput": {
      const why = error.description ?? causeText(error.cause)
      return new AgentError({
        kind: "InvalidOutput",
        reason: shortened(`${who} gave an answer that cannot be understood: ${why}`)
      })
    }
    case "MalformedInput": {
      const why = error.description ?? causeText(error.cause)
      return new AgentError({
        kind: "InvalidInput",
        reason: shortened(`${who} cannot be asked this: ${why}`)
      })
    }
    case "UnknownError":
      return new AgentError({
        kind: "Failed",
        reason: shortened(`${who} failed: ${error.description ?? causeText(error.cause)}`)
      })
  }
}

/** Anything that a model or a tool threw, as an error of the attempt. */
export const fromAnyCause = (who: string, cause: Cause.Cause<unknown>, now: number): AgentError => {
  const error = Cause.squash(cause)
  if (error instanceof AgentError) return error
  if (AiError.isAiError(error)) return fromAiError(who, error, now)
  return new AgentError({
    kind: "Failed",
    reason: shortened(`${who} failed: ${causeText(error) || String(error)}`)
  })
}
