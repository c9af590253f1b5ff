/**
 * Who is to be chosen, reckoned anew each time from everything that ever happened: slow, simple, and written from the
 * documentation alone.
 */

export interface Attempt {
  readonly id: number
  readonly beganAt: number
  end:
    | {
        readonly at: number
        readonly failure: string | undefined
        readonly millis: number
        readonly cost: number
      }
    | "interrupted"
    | undefined
}

type Note = { readonly begin: Attempt } | { readonly end: Attempt; readonly at: number }

export interface ModelAgent {
  readonly id: string
  readonly priority: number
  readonly limit: number
  enabled: boolean
  heldUntil: number
  readonly notes: Array<Note>
}

export type ModelStrategy = "best-match" | "least-loaded" | "cheapest" | "fastest"

const minute = 60_000
const step = 22.5 * minute
const stepOf = (at: number) => Math.floor(at / step)

const blamed = ["Unavailable", "Timeout", "Crashed", "InvalidOutput", "Unauthorized", "NotFound"]
const meaningless = ["PermissionDenied", "RateLimited", "QuotaExhausted"]
const notRanked = ["InvalidInput", "PermissionDenied", "RateLimited", "QuotaExhausted"]

/** Whether the circuit lets an attempt begin at a time, and otherwise until when it is open; a trial under way has no end. */
export const circuitOf = ({ notes }: ModelAgent, now: number): { readonly opensAt: number | undefined } => {
  let openUntil: number | undefined
  let seconds = 0
  let trial: number | undefined
  let answers: Array<boolean> = []
  const open = (at: number, length: number) => {
    seconds = length
    openUntil = at + length * 1000
    answers = []
  }
  for (const note of notes) {
    if ("begin" in note) {
      if (openUntil !== undefined && note.begin.beganAt >= openUntil && trial === undefined)
        trial = note.begin.id
      continue
    }
    const { end, id } = note.end
    const isTrial = trial === id
    if (isTrial) trial = undefined
    if (end === undefined || end === "interrupted" || meaningless.includes(end.failure ?? "")) continue
    const isBad = blamed.includes(end.failure ?? "")
    if (openUntil !== undefined) {
      if (!isTrial) continue
      if (isBad) open(note.at, Math.min(600, 2 * seconds))
      else openUntil = undefined
      continue
    }
    answers.push(isBad)
    const inRow = answers.slice(-5)
    const recent = answers.slice(-20)
    const tooMany = inRow.length === 5 && inRow.every((each) => each)
    const tooOften = recent.length === 20 && recent.filter((each) => each).length >= 10
    if (isBad && (tooMany || tooOften)) open(note.at, 30)
  }
  if (openUntil === undefined) return { opensAt: 0 }
  if (now < openUntil) return { opensAt: openUntil }
  return { opensAt: trial === undefined ? 0 : undefined }
}

const underWay = ({ notes }: ModelAgent): number =>
  notes.filter((note) => "begin" in note && note.begin.end === undefined).length

/** The weights of what was observed of an agent. */
const weighed = ({ notes }: ModelAgent, now: number) => {
  const counted = notes.flatMap((note) =>
    "end" in note && typeof note.end.end === "object" && !notRanked.includes(note.end.end.failure ?? "")
      ? [note.end.end]
      : []
  )
  const sum = { successes: 0, all: 0, millis: 0, cost: 0 }
  counted.forEach((end, index) => {
    const weight = (255 / 256) ** (counted.length - 1 - index) * 0.5 ** ((stepOf(now) - stepOf(end.at)) / 64)
    sum.all += weight
    sum.cost += weight * end.cost
    if (end.failure !== undefined) return
    sum.successes += weight
    sum.millis += weight * end.millis
  })
  return sum
}

export interface Ranked {
  readonly id: string
  readonly isFull: boolean
  readonly key: number
  readonly priority: number
  readonly score: number
}

/** Everybody who may be given work now, best first. */
export const rankedBy = (
  agents: ReadonlyArray<ModelAgent>,
  strategy: ModelStrategy,
  now: number
): ReadonlyArray<Ranked> => {
  const total = agents.reduce((sum, agent) => sum + weighed(agent, now).all, 0)
  return agents
    .filter((agent) => agent.enabled && agent.heldUntil <= now && circuitOf(agent, now).opensAt === 0)
    .map((agent) => {
      const { all, cost, millis, successes } = weighed(agent, now)
      const load = underWay(agent)
      const meanMillis = millis / (successes + 1)
      const meanCost = cost / (all + 1)
      const score =
        0.7 * ((successes + 2) / (all + 3)) +
        0.2 * (30_000 / (30_000 + meanMillis)) +
        0.1 * (100_000 / (100_000 + meanCost)) +
        0.15 * Math.sqrt(Math.log(1 + total) / (1 + all + load))
      const key = { "best-match": 0, "least-loaded": load, cheapest: meanCost, fastest: meanMillis }[strategy]
      return { id: agent.id, isFull: load >= agent.limit, key, priority: agent.priority, score }
    })
    .sort(
      (a, b) =>
        Number(a.isFull) - Number(b.isFull) ||
        a.key - b.key ||
        b.priority - a.priority ||
        b.score - a.score ||
        (a.id < b.id ? -1 : 1)
    )
}

/** When the first of those who are held, or whose circuit is open, may be given work again; a trial is waited for a second. */
export const availableAt = (agents: ReadonlyArray<ModelAgent>, now: number): number | undefined => {
  const times = agents
    .filter(({ enabled }) => enabled)
    .map((agent) => Math.max(agent.heldUntil, circuitOf(agent, now).opensAt ?? now + 1_000))
    .filter((time) => time > now)
  return times.length === 0 ? undefined : Math.min(...times)
}
