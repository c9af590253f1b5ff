/** Headers by their names in lower case. */
export type Headers = Readonly<Record<string, unknown>>

const textOf = (headers: Headers, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined
}

/** A month: what asks for more has another meaning than the one it is read with. */
const longest = 31 * 86_400_000

const bounded = (millis: number): number | undefined =>
  Number.isFinite(millis) && millis <= longest ? Math.max(0, Math.ceil(millis)) : undefined

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The milliseconds of a duration such as `90s` or `1m30s`; `undefined` for any other text. */
export const durationMillis = (text: string): number | undefined => {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount, , unit = ""] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g))
    sum += Number(amount) * (units[unit] ?? 0)
  return sum
}

/** Milliseconds until a reset: a number of seconds, `1m30s`, a time of Unix (in seconds or milliseconds), or a date. */
const untilReset = (text: string, now: number): number | undefined => {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text)
    if (number > 1e11) return bounded(number - now)
    return bounded(number > 1e8 ? number * 1_000 - now : number * 1_000)
  }
  const duration = durationMillis(text)
  if (duration !== undefined) return bounded(duration)
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : bounded(date - now)
}

const limits = /^(anthropic-ratelimit-.+|x-ratelimit)-reset(-.+)?$/

/**
 * How long to wait before the next request, in milliseconds: what `retry-after-ms` or `retry-after` say, otherwise until all
 * limits are reset that nothing remains of, or of which nothing is said.
 */
export const retryAfterMillis = (headers: Headers, now: number): number | undefined => {
  const millis = textOf(headers, "retry-after-ms")
  if (millis !== undefined && /^\d+(\.\d+)?$/.test(millis)) return bounded(Number(millis))
  const after = textOf(headers, "retry-after")
  const told = after === undefined ? undefined : untilReset(after, now)
  if (told !== undefined) return told
  const waits = Object.keys(headers).flatMap((name) => {
    if (!limits.test(name)) return []
    const reset = textOf(headers, name)
    const remaining = textOf(headers, name.replace("-reset", "-remaining"))
    const wait = reset === undefined ? undefined : untilReset(reset, now)
    return wait === undefined || (remaining !== undefined && Number(remaining) > 0) ? [] : [wait]
  })
  return waits.length === 0 ? undefined : Math.max(...waits)
}
