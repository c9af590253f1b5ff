/** The least that a text must have to be looked for. */
export const leastLength = 4

/** Finds many texts in another one, in time that hardly depends on how many they are. */
export interface Matcher {
  /** The length of the longest text. */
  readonly longest: number
  /**
   * Looks at the places before `upTo` at which a text begins, from the first one on, and calls back with the longest one
   * there.
   */
  readonly scan: (
    text: string,
    upTo: number,
    found: (at: number, length: number, name: string) => void
  ) => void
}

/** A matcher for these texts, of at least `leastLength` characters each, and what each of them belongs to. */
export const makeMatcher = (names: ReadonlyMap<string, string>): Matcher => {
  const sorted = [...names.keys()].sort()
  /** The position of the longest text that each one begins with. */
  const shorter = sorted.map(() => -1)
  const open: Array<number> = []
  for (const [index, text] of sorted.entries()) {
    while (open.length > 0 && !text.startsWith(sorted[open.at(-1) ?? 0] ?? "")) open.pop()
    shorter[index] = open.at(-1) ?? -1
    open.push(index)
  }
  const bits = Math.min(22, Math.max(12, 32 - Math.clz32(sorted.length * 8)))
  const begins = new Uint8Array(1 << bits)
  const place = (rolled: number): number => Math.imul(rolled, 0x9e3779b1) >>> (32 - bits)
  const roll = (rolled: number, unit: number): number => (rolled << 8) ^ unit
  for (const text of sorted) {
    let rolled = 0
    for (let i = 0; i < leastLength; i++) rolled = roll(rolled, text.charCodeAt(i))
    begins[place(rolled)] = 1
  }
  const longest = sorted.reduce((most, { length }) => Math.max(most, length), 0)

  /** The longest text that stands at a place; what is not greater than what stands there is looked at from the end. */
  const longestAt = (text: string, at: number): string | undefined => {
    const there = text.slice(at, at + longest)
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] ?? "") <= there) low = middle + 1
      else high = middle
    }
    for (let index = low - 1; index >= 0; index = shorter[index] ?? -1) {
      const text = sorted[index] ?? ""
      if (there.startsWith(text)) return text
    }
    return undefined
  }

  return {
    longest,
    scan: (text, upTo, found) => {
      let rolled = 0
      const stop = Math.min(text.length, upTo + leastLength - 1)
      for (let end = 0; end < stop; end++) {
        rolled = roll(rolled, text.charCodeAt(end))
        const at = end - leastLength + 1
        if (at < 0 || begins[place(rolled)] === 0) continue
        const secret = longestAt(text, at)
        if (secret !== undefined) found(at, secret.length, names.get(secret) ?? "")
      }
    }
  }
}

/** Replaces what a matcher finds in a text that comes in pieces. */
export interface Redacting {
  /** Takes a piece, and gives what of the text so far is settled: all but as many characters as the longest secret has. */
  readonly push: (piece: string) => string
  /** Gives what was held back. */
  readonly end: () => string
}

/** Secrets that overlap are replaced together, so that no part of either one is left. */
export const makeRedacting = (matcher: () => Matcher | undefined): Redacting => {
  let held = ""
  /** How much at the beginning of what is held back belongs to a secret that was replaced already. */
  let covered = 0
  let last = ""

  const settle = (text: string, upTo: number, found: Matcher): string => {
    let settled = ""
    let from = covered
    found.scan(text, upTo, (at, length, name) => {
      const follows = at < covered
      if (!follows && at > from) settled += text.slice(from, at)
      if (!follows || (name !== last && at + length > covered)) settled += `[secret ${name}]`
      last = name
      covered = Math.max(covered, at + length)
      from = covered
    })
    if (from < upTo) settled += text.slice(from, upTo)
    covered = Math.max(0, covered - upTo)
    held = text.slice(upTo)
    return settled
  }

  const push = (piece: string): string => {
    const found = matcher()
    if (found === undefined) return piece
    const text = held + piece
    return settle(text, Math.max(0, text.length - found.longest + 1), found)
  }
  return {
    push,
    end: () => {
      const found = matcher()
      return found === undefined ? held : settle(held, held.length, found)
    }
  }
}
