/** What one of a unit is in milliseconds, by how the unit is written. */
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const unitOf = (written: string): number | undefined => {
  const unit = written.toLowerCase()
  if (unit === "ms" || unit.startsWith("milli")) return units.ms
  return unit.startsWith("mo") ? undefined : units[unit.charAt(0)]
}

/**
 * A duration in milliseconds, from how tools write it: `30` and `"30"` are seconds, and parts add up as in `12.5s`, `3h14m5s`
 * and `2 days 3 hours`. `undefined` where it is none.
 */
export const durationMillis = (value: unknown): number | undefined => {
  const text = String(value).trim().replaceAll(",", " ")
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000)
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)]
  if (parts.length === 0) return undefined
  let sum = 0
  for (const [, amount, written = ""] of parts) {
    const unit = unitOf(written)
    if (unit === undefined) return undefined
    sum += Number(amount) * unit
  }
  return Math.ceil(sum)
}

/** How far the clocks of a time zone are ahead of UTC at a moment, in milliseconds; `undefined` where there is no such zone. */
const aheadOfUtc = (zone: string | undefined, at: number): number | undefined => {
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric"
    })
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const { day = 1, hour = 0, minute = 0, month = 1, year = 1970 } = part
    return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(at / 60_000) * 60_000
  } catch {
    return undefined
  }
}

const clock = /^(\d{1,2})(?::(\d{2}))?(?::\d{2})?\s*([ap]\.?m\.?)?\s*(?:\(([\w+/-]+)\)|(UTC|GMT))?$/i

/** The next moment at which the clocks of a zone, or of this host, show a time of day. */
const nextAt = (text: string, now: number): number | undefined => {
  const [, hours, minutes = "0", half, ...zones] = clock.exec(text) ?? []
  if (hours === undefined) return undefined
  const late = half?.toLowerCase().startsWith("p") ?? false
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (late ? 12 : 0)
  if (hour > 23 || Number(minutes) > 59) return undefined
  const ahead = aheadOfUtc(
    zones.find((zone) => zone !== undefined),
    now
  )
  if (ahead === undefined) return undefined
  const midnight = Math.floor((now + ahead) / 86_400_000) * 86_400_000 - ahead
  const today = midnight + hour * 3_600_000 + Number(minutes) * 60_000
  return today > now ? today : today + 86_400_000
}

/**
 * A moment in milliseconds since 1970, from how tools write it: seconds or milliseconds since 1970, a date with a time, or a
 * time of day such as `3pm` or `5:30 PM (Europe/Berlin)`, which is the next such time after `now`. `undefined` where it is none.
 */
export const momentMillis = (value: unknown, now: number): number | undefined => {
  const text = String(value)
    .trim()
    .replace(/[.,;]+$/, "")
  if (/^\d{9,}(\.\d+)?$/.test(text)) {
    const number = Number(text)
    return number < 1e11 ? number * 1000 : number
  }
  const daily = nextAt(text, now)
  if (daily !== undefined) return daily
  if (!/\d/.test(text) || !/[-/:,]/.test(text)) return undefined
  const parsed = Date.parse(text.replace(/(\d)(st|nd|rd|th)\b/gi, "$1"))
  return Number.isNaN(parsed) ? undefined : parsed
}
